//! The evidence of how a grant ended, line by line.

use app::view::{Evidence as What, EvidenceView, ReceiptView};
use domain::event::Kind;
use domain::grant::{Evidence, Grant, GrantState, ReadEvidence, Receipt};
use jiff::Timestamp;
use serde_json::Value;

use crate::service::RequestDetail;

use super::names;

/// The receipt of a grant that has ended.
pub(super) fn view(detail: &RequestDetail, grant: &Grant) -> Option<ReceiptView> {
    let GrantState::Ended { at, receipt } = &grant.state else {
        return None;
    };
    let mut evidence = activation(detail, grant);
    let mut held_by = Vec::new();
    match receipt {
        Receipt::Removed {
            aws_request_id,
            accepted_at,
            succeeded_at,
            read,
            ..
        } => {
            evidence.push(line(What::DeletionAccepted, *accepted_at, aws_request_id));
            evidence.push(line(What::DeletionSucceeded, *succeeded_at, aws_request_id));
            evidence.push(absent(read));
        }
        Receipt::AbsentAlready { first, second, .. } => {
            evidence.push(absent(first));
            evidence.push(absent(second));
        }
        Receipt::HeldBy { grants } => held_by = grants.iter().map(ToString::to_string).collect(),
        Receipt::Standing => {}
        Receipt::TargetGone { first, second, .. } => {
            evidence.push(line(What::TargetGone, first.finished_at, ""));
            evidence.push(line(What::TargetGone, second.finished_at, ""));
        }
        Receipt::NeverGranted => evidence.push(line(What::NothingAsked, *at, "")),
    }
    Some(ReceiptView {
        thing: names::thing(&grant.key.target),
        kind: names::receipt_kind(receipt),
        at: names::ms(*at),
        evidence,
        held_by,
    })
}

/// How we knew that the access was there: the grant's state has moved on, its record has not.
fn activation(detail: &RequestDetail, grant: &Grant) -> Vec<EvidenceView> {
    let stream = format!("grant:{}", grant.id);
    let found = detail.events.iter().find(|event| {
        let is = |name: &str, value: &str| event.get(name).and_then(Value::as_str) == Some(value);
        is("stream", &stream) && is("kind", Kind::GrantActivated.word())
    });
    let evidence = found
        .and_then(|event| event.get("evidence"))
        .and_then(|evidence| serde_json::from_value::<Evidence>(evidence.clone()).ok());
    match evidence {
        Some(Evidence::Created {
            aws_request_id,
            accepted_at,
            succeeded_at,
        }) => vec![
            line(What::CreationAccepted, accepted_at, &aws_request_id),
            line(What::CreationSucceeded, succeeded_at, &aws_request_id),
        ],
        Some(Evidence::Seen { read }) => vec![line(What::ReadPresent, read.finished_at, "")],
        None => Vec::new(),
    }
}

fn absent(read: &ReadEvidence) -> EvidenceView {
    line(What::ReadAbsent, read.finished_at, "")
}

fn line(what: What, at: Timestamp, aws_request_id: &str) -> EvidenceView {
    EvidenceView {
        what,
        at: names::ms(at),
        aws_request_id: aws_request_id.to_owned(),
    }
}
