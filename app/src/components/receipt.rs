//! How a grant ended, with its evidence line by line.

use leptos::prelude::*;

use crate::{
    components::Time,
    link, sentence,
    view::{EpochMs, EvidenceView, ReceiptKind, ReceiptView, Thing},
};

/// A receipt. Sessions opened until the end may last until `sessions_may_last_until`.
pub(crate) fn receipt(receipt: &ReceiptView, sessions_may_last_until: EpochMs) -> AnyView {
    let is_gone = matches!(
        receipt.kind,
        ReceiptKind::Removed | ReceiptKind::AbsentAlready
    );
    let sessions = is_gone.then(|| {
        view! {
            <p class="quiet">
                "AWS sessions opened before the end may last until "
                <Time at=sessions_may_last_until/> "."
            </p>
        }
        .into_any()
    });
    let held_by: Vec<_> = receipt
        .held_by
        .iter()
        .map(|id| {
            let name = id.clone();
            view! { <li><a href=link::request(id)>"Request " <code>{name}</code></a></li> }
                .into_any()
        })
        .collect();
    let held_by = (!held_by.is_empty()).then(|| view! { <ul>{held_by}</ul> }.into_any());
    let lines = receipt.evidence.iter();
    let evidence: Vec<_> = lines.map(|one| line(one, receipt.thing)).collect();
    view! {
        <div class="receipt">
            <p class="receipt-head">
                <strong>{sentence::receipt_short(receipt.kind)}</strong> " " <Time at=receipt.at/>
            </p>
            <p>{sentence::receipt(receipt.kind, receipt.thing)}</p>
            {held_by}
            <ul class="evidence">{evidence}</ul>
            {sessions}
        </div>
    }
    .into_any()
}

fn line(evidence: &EvidenceView, thing: Thing) -> AnyView {
    let title = match thing {
        Thing::Assignment => "AWS's request id",
        Thing::Membership => "The membership's id",
    };
    let id = (!evidence.aws_request_id.is_empty()).then(|| {
        let id = evidence.aws_request_id.clone();
        view! { <code class="evidence-id" title=title>{id}</code> }.into_any()
    });
    view! {
        <li>
            <span class="evidence-what">{sentence::evidence(evidence.what, thing)}</span>
            <span class="evidence-when"><Time at=evidence.at/></span>
            {id}
        </li>
    }
    .into_any()
}
