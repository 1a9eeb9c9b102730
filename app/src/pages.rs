//! The pages. Each owns its data and lays out components.

mod access;
mod approvals;
mod ask;
mod findings;
mod held;
mod history;
mod mine;
mod outside;
mod policy;
mod request;

pub(crate) use access::Access;
pub(crate) use approvals::Approvals;
pub(crate) use ask::Ask;
pub(crate) use findings::Findings;
pub(crate) use held::WhoHeld;
pub(crate) use history::History;
pub(crate) use mine::Mine;
pub(crate) use outside::{NotFound, SignedOut};
pub(crate) use policy::{Draft, Explain, Policy, Version, Versions};
pub(crate) use request::Request;
