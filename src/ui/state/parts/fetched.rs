//! A base of the site that is fetched when somebody chooses it: large, in parts, and kept by the browser.

/// How much of such a base is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The browser looks what it keeps.
    Looking,
    /// It waits for the visitor.
    Partly {
        /// Bytes that the browser keeps from before.
        bytes: u64,
        /// Why it was broken off, as a sentence.
        why: Option<String>,
    },
    /// It is on its way.
    Fetching {
        /// Bytes so far.
        bytes: u64,
    },
    /// All of it.
    Here {
        /// Whether the browser keeps it for the next visit.
        kept: bool,
    },
}

/// What the state asks of whoever fetches; a base is named by the logical name of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchAsk {
    /// How much of it the browser keeps. Where that is all, it is taken.
    Look(String),
    /// Fetch what is not here yet.
    Begin(String),
    /// Break off. What has come stays.
    Cancel,
    /// Take it out of what the browser keeps.
    Forget(String),
}

/// What was found or has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchSaid {
    /// So many bytes are here.
    Bytes(u64),
    /// All of it: its address in this page, and whether the browser keeps it.
    Here(String, bool),
    /// It was broken off: the bytes that are here, and why where nobody wished it.
    BrokenOff(u64, Option<String>),
    /// The browser keeps it no longer.
    Forgotten,
}

/// What a visitor wishes of the present base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchWish {
    /// To have it.
    Begin,
    /// To break off.
    Cancel,
    /// That the browser keeps it no longer.
    Forget,
}
