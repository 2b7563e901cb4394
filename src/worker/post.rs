//! Events on their way to the page.

use super::browser::scope;
use crate::base::Failure;
use crate::protocol::{Event, Posted};

/// Tells the page. The bytes of a file change hands in a buffer of their own.
pub fn post(event: &Event) {
    if let Ok(Posted { value, transfer }) = Posted::new(event) {
        // The page may be gone; there is nobody left to tell.
        let _ = scope().post_message_with_transfer(&value, &transfer);
    }
}

/// Tells that a run, or for 0 the trainer, cannot go on.
pub fn post_failure(run: u32, failure: Failure) {
    post(&Event::Failed { run, reason: failure.reason, message: failure.message });
}
