//! The dialog of costs: what the present method is compared with, and on which model.

use crate::ledger::RealModel;
use crate::peft::MethodConfig;

/// The dialog as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Costs {
    /// Whether the dialog is open.
    pub open: bool,
    /// Contract name of the method beside the chosen one.
    pub against: String,
    /// A published model in place of the base.
    pub model: Option<&'static RealModel>,
}

impl Default for Costs {
    fn default() -> Self {
        Costs { open: false, against: MethodConfig::everything().info().name.into(), model: None }
    }
}

/// What a visitor does in the dialog.
#[derive(Clone, Debug, PartialEq)]
pub enum Costing {
    /// Open the dialog, or close it.
    Open(bool),
    /// Another method beside the chosen one, by its contract name.
    Against(String),
    /// A published model, by its id; anything else is the base.
    Model(String),
}
