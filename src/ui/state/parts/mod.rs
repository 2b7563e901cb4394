//! What the page's state is made of: plain structs, each for one concern.

mod bring;
mod cost_dialog;
mod dial;
mod drafts;
mod file;
mod keeping;
mod notice;
mod queue;
mod recordings;
mod run;
mod spread;
mod tab;
mod try_it;
mod verdict;
mod worker;

pub(super) use bring::BaseTokenizer;
pub use bring::{Bring, Bringing, Offer, OfferedBase};
pub use cost_dialog::{Costing, Costs};
pub use dial::Dial;
pub use drafts::{Draft, Drafts};
pub use file::{At, File};
pub use keeping::{Ask, Head, Keeping, Record, Said};
pub(super) use keeping::{Gathered, Kept, Removed, SCHEMA, Shown};
pub use notice::{Notice, NoticeTone, Remedy};
pub use queue::{Grid, GridField, OWN_GRID, Queue};
pub use recordings::Recordings;
pub use run::{Curve, Evaluation, Phase, PredictionCost, Run, duration, half_width, percent, significant};
pub use spread::{Prompted, Spread};
pub use tab::Tab;
pub use try_it::TryIt;
pub use verdict::verdict;
pub(super) use worker::Launch;
pub use worker::{GpuProbe, Trainer, WorkerPhase};
