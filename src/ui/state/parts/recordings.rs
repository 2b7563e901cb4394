//! Runs that the site carries.

use super::run::Run;
use std::rc::Rc;

/// The recorded runs of a task, which the site carries as one file.
#[derive(Clone, Debug, PartialEq)]
pub enum Recordings {
    /// On its way.
    Loading,
    /// The site has none, or they could not be read.
    Missing,
    /// Read.
    Ready(Rc<Vec<Run>>),
}
