//! What opens over the page, each behind a button.

mod bring;
mod bring_base;
mod cards;
mod cost_dialog;
mod dialog;
mod experiment_figure;
mod experiments;
mod free_text;
mod from_hub;
mod grid;
mod help;
mod kept;
mod python;

pub use bring::BringOwn;
pub use cards::Cards;
pub use cost_dialog::{Beside, CostDialog};
pub use experiments::Experiments;
pub use free_text::{FreeTextDialog, FreeTextProps};
pub use help::Help;
pub use python::Python;
