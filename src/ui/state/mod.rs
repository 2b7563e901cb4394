//! The page's state: a plain struct, and a reducer that turns an action into the next state and its effects.
//!
//! No browser in here: time, files and workers come in as an [`Action`] and go out as an [`Effect`].
//! So all of it is tested natively.
//!
//! - `parts`: what the state is made of, plain structs.
//! - `root.rs`: [`State`], which holds all of them.
//! - `action.rs` and `effect.rs`: what comes in and what goes out.
//! - `reduce`: what each action does, and what panels read off the state, a file for each concern.

mod action;
mod effect;
pub(in crate::ui) mod parts;
mod reduce;
mod root;
#[cfg(test)]
mod tests;

pub use action::Action;
pub use effect::Effect;
pub use parts::{
    Ask, At, Bring, Bringing, Column, Costing, Costs, Curve, Dial, Draft, Drafts, Evaluation, FetchAsk, FetchSaid,
    FetchWish, Fetched, File, FreeText, FreeTextField, FreeTexting, GpuProbe, Grid, GridField, HUB, Head, Hub,
    HubModel, HubPhase, HubSaid, HubWish, Keeping, Loading, Notice, NoticeTone, OWN_GRID, Offer, OfferedBase, Own,
    OwnFiles, OwnKept, Phase, PredictionCost, Prompted, Queue, Record, Recordings, Remedy, Run, Said, Speed, Spread,
    StepMemory, Tab, Trainer, TryIt, Unkept, WorkerPhase, duration, half_width, percent, significant, verdict, visible,
};
pub use reduce::{Line, MainButton, Role, VisibleRun, text_of};
pub use root::State;
