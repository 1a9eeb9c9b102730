//! How late ends were: the figure as a page shows it.

use app::view::EndsView;
use domain::delay::WINDOW_DAYS;

use crate::service::Ends;

use super::names::ms;

/// The figure.
pub(super) fn view(ends: &Ends) -> EndsView {
    let delays = &ends.found.delays;
    EndsView {
        at: ms(ends.at),
        days: WINDOW_DAYS.unsigned_abs().into(),
        since: ends.found.since.to_string(),
        ends: delays.ends(),
        half_within_ms: delays.within(50),
        most_within_ms: delays.within(99),
        worst_ms: delays.worst(),
        is_behind: ends.found.is_behind,
        overdue: u32::try_from(ends.late.keys).unwrap_or(u32::MAX),
        overdue_at_least: ends.late.is_at_least,
        overdue_since: ends.late.since.map(ms),
    }
}
