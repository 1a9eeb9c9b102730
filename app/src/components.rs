//! Components take values and lay them out; none of them fetches.

mod ask_card;
mod changing;
mod console_link;
mod copyable;
mod countdown;
mod field;
mod glass;
mod icon;
mod notice;
mod receipt;
mod review;
mod state;
mod textarea;
mod time;
mod timeline;

pub(crate) use ask_card::{approval_line, ask_facts, given, quote, way};
pub(crate) use changing::changing;
pub(crate) use console_link::console_link;
pub(crate) use copyable::copyable;
pub(crate) use countdown::Countdown;
pub(crate) use field::line;
pub(crate) use glass::{SignForm, closure, glass};
pub(crate) use icon::{Icon, Logo};
pub(crate) use notice::{
    Done, Empty, Interruption, LiveNotice, Problems, problem_at, refuse, skeleton,
};
pub(crate) use receipt::receipt;
pub(crate) use review::{ReviewForm, sign_in_again, which_asks};
pub(crate) use state::Pill;
pub(crate) use textarea::TextArea;
#[cfg(feature = "ssr")]
pub(crate) use textarea::escape;
pub(crate) use time::Time;
pub(crate) use timeline::timeline;
