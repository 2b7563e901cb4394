//! What is typed and cannot be used yet.

use crate::base::Fault;
use std::collections::BTreeMap;

/// A control's text that cannot be used yet, and why: the last good configuration stays until it can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub text: String,
    pub fault: Option<Fault>,
}

/// Texts that wait for a correction, by key.
pub type Drafts = BTreeMap<String, Draft>;
