//! The parts of the page. Each draws a piece of the state and sends actions; none keeps what another needs to know.

mod band;
mod bring;
mod cards;
mod choose;
mod controls;
mod cost;
mod examples;
mod experiments;
mod fields;
mod grid;
mod happens;
mod header;
mod help;
mod keep;
mod knobs;
mod methods;
mod notices;
mod own;
mod picker;
mod python;
mod sheet;
mod spread;
mod table;
mod what;

pub use band::Band;
pub use bring::BringOwn;
pub use cards::Cards;
pub use choose::Choose;
pub use experiments::Experiments;
pub use happens::Happens;
pub use header::Header;
pub use help::Help;
pub use keep::open;
pub use notices::Notices;
pub use what::What;
