//! What is typed and cannot be used yet.

use crate::base::Fault;
use std::collections::BTreeMap;

/// A control's text that cannot be used yet, and why: the last good configuration stays until it can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What was typed.
    pub text: String,
    /// Why it cannot be used; `None` for another spelling of what the configuration holds.
    pub fault: Option<Fault>,
}

/// Texts that wait for a correction, by key.
pub type Drafts = BTreeMap<String, Draft>;
