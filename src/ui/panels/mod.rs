//! The parts of the page that are always there.
//!
//! Each draws a piece of the state and sends actions; none keeps what another needs to know.
//! Panels open dialogs; no dialog knows a panel.

mod answers;
mod base_note;
mod controls;
mod dial;
mod examples;
mod fields;
mod header;
mod knobs;
mod methods;
mod network_panel;
mod notices;
mod picker;
mod results_panel;
mod run_cost;
mod run_files;
mod setup_panel;
mod spread;
mod summary_panel;
mod table;
mod try_it;

pub use header::Header;
pub use network_panel::NetworkPanel;
pub use notices::Notices;
pub use results_panel::ResultsPanel;
pub use setup_panel::SetupPanel;
pub use summary_panel::SummaryPanel;
