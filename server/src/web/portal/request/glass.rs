//! What was granted as break-glass, and the short form of it that waits for a signature.

use app::view::{
    ActionsView, ApprovalView, GlassState, GlassView, ReviewKind, ReviewView, ReviewableView,
};
use domain::id::UserId;
use domain::policy::Signing;
use domain::request::{Granting, NOTE_MAX_CHARS, Opinion, Request};

use crate::service::{SigningDetail, ToSign};
use crate::web::portal::names;
use crate::web::refusal::glass_state;
use crate::world::World;

use super::past;

/// How its signatures stand.
pub(super) fn view(world: &World, detail: &SigningDetail) -> GlassView {
    let (missing, signers) = match &detail.signing {
        Signing::Open {
            missing, signers, ..
        } => (*missing, signers.clone()),
        Signing::CannotTell => (detail.glass.needed, std::collections::BTreeSet::new()),
        // The policy asks for fewer by now: the next signature settles it.
        Signing::Signed { .. } | Signing::RejectedBy { .. } => (
            u32::from(detail.glass.stands.is_unsigned()),
            std::collections::BTreeSet::new(),
        ),
    };
    let state = glass_state(&detail.glass.stands);
    GlassView {
        state,
        missing,
        sign_by: names::ms(detail.glass.sign_by),
        signatures: detail
            .glass
            .signatures
            .iter()
            .map(|signature| ReviewView {
                by: names::person(&signature.by),
                kind: match signature.opinion {
                    Opinion::Approve => ReviewKind::Approve,
                    Opinion::Deny => ReviewKind::Deny,
                },
                note: signature.note.clone(),
                seconds: None,
                at: names::ms(signature.at),
                counts: counts(detail, state, &signature.by.id),
            })
            .collect(),
        signers: names::names(world, &signers),
        signers_total: names::count(signers.len()),
    }
}

/// Whether a signature counts: what is settled stays settled, what is open is judged now.
fn counts(detail: &SigningDetail, state: GlassState, by: &UserId) -> bool {
    if matches!(state, GlassState::Signed | GlassState::Rejected) {
        return true;
    }
    match &detail.signing {
        Signing::Open { signed, .. } | Signing::Signed { signed } => signed.contains(by),
        Signing::RejectedBy { reviewer, .. } => reviewer == by,
        Signing::CannotTell => false,
    }
}

/// The asks that the person looking may sign; empty if that is simply all of the request.
pub(super) fn signable<'a>(
    world: &World,
    request: &Request,
    details: impl Iterator<Item = Option<&'a SigningDetail>>,
) -> Vec<ReviewableView> {
    if request.asks.len() < 2 {
        return Vec::new();
    }
    request
        .asks
        .iter()
        .zip(details)
        .filter(|(_, detail)| detail.is_some_and(SigningDetail::waits))
        .map(|(ask, _)| ReviewableView {
            index: u32::from(ask.index.0),
            target: names::target(world, &ask.target, &ask.names),
        })
        .collect()
}

/// The short form.
pub(in crate::web::portal) fn to_sign(world: &World, one: &ToSign) -> ApprovalView {
    let request = &one.request;
    let detail_of = |place: usize| {
        let mut asks = one.asks.iter();
        asks.find(|(of, _)| *of == place).map(|(_, detail)| detail)
    };
    let waits = || one.asks.iter().filter(|(_, detail)| detail.waits());
    ApprovalView {
        request_id: request.id.to_string(),
        requester: names::person(&request.requester),
        requester_groups: Vec::new(),
        targets: names::targets(world, request),
        reason: request.reason.clone(),
        duration_seconds: request.duration_seconds,
        submitted_at: names::ms(request.submitted_at),
        expires_at: names::ms(request.expires_at),
        start: request.terms.start.map(names::ms),
        ticket: request.terms.ticket.clone().unwrap_or_default(),
        ticket_url: past::ticket_url(world, request),
        is_separate: request.terms.granting == Granting::Separately,
        past: Vec::new(),
        routes: Vec::new(),
        signing: waits().map(|(_, detail)| view(world, detail)).collect(),
        actions: ActionsView {
            can_sign: true,
            signable: signable(world, request, (0..request.asks.len()).map(detail_of)),
            note_max_chars: names::count(NOTE_MAX_CHARS),
            ..ActionsView::default()
        },
    }
}
