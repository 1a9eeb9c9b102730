//! How a grant ended, with its evidence line by line.

use leptos::prelude::*;

use crate::{
    components::Time,
    link, sentence,
    view::{EpochMs, EvidenceView, ReceiptKind, ReceiptView},
};

/// A receipt.
#[component]
pub(crate) fn Receipt(
    /// How it ended.
    receipt: ReceiptView,
    /// Sessions opened until the end may last until then.
    sessions_may_last_until: EpochMs,
) -> impl IntoView {
    let sessions = matches!(
        receipt.kind,
        ReceiptKind::Removed | ReceiptKind::AbsentAlready
    )
    .then(|| {
        view! {
            <p class="quiet">
                "AWS sessions opened before the end may last until " <Time at=sessions_may_last_until/> "."
            </p>
        }
    });
    let held_by: Vec<_> = receipt
        .held_by
        .iter()
        .map(|id| view! { <li><a href=link::request(id)>"Request " <code>{id.clone()}</code></a></li> })
        .collect();
    view! {
        <div class="receipt">
            <p class="receipt-head">
                <strong>{sentence::receipt_short(receipt.kind)}</strong>
                " " <Time at=receipt.at/>
            </p>
            <p>{sentence::receipt(receipt.kind)}</p>
            {(!held_by.is_empty()).then(|| view! { <ul>{held_by}</ul> })}
            <ul class="evidence">{receipt.evidence.into_iter().map(line).collect_view()}</ul>
            {sessions}
        </div>
    }
}

fn line(evidence: EvidenceView) -> impl IntoView {
    let id = evidence.aws_request_id;
    view! {
        <li>
            <span class="evidence-what">{sentence::evidence(evidence.what)}</span>
            <span class="evidence-when"><Time at=evidence.at/></span>
            {(!id.is_empty()).then(|| view! { <code class="evidence-id" title="AWS's request id">{id}</code> })}
        </li>
    }
}
