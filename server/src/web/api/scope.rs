//! What a token may be used for.

/// A scope of ours. One does not stand for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// To read what its person may see.
    Read,
    /// To submit, withdraw, nudge and end what is its person's own.
    Submit,
}

impl Scope {
    /// As tokens carry it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Read => "belay:read",
            Self::Submit => "belay:submit",
        }
    }
}
