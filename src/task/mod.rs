//! Tasks: next-token prediction with a loss on the last tokens of each example.
//!
//! A [`TaskConfig`] names a task and its choices. Each kind of task has a file of its own:
//! - [`rules`] and [`questions`]: strings of four letters, drawn on the fly
//! - [`text`] and [`style`]: texts from `data/*.json`, to label or to write like
//! - [`extract`]: sentences, drawn on the fly, whose answer is a line of JSON
//! - [`user_data`]: what a visitor brings
//!
//! [`tokenizer`] turns text into tokens. [`baseline`] and [`rules_baseline`] measure the [`Baselines`].

mod answered;
mod baselines;
mod example;
pub mod extract;
pub mod questions;
pub mod rules;
pub mod rules_baseline;
pub mod style;
mod task_config;
pub mod text;
pub mod tokenizer;
pub mod user_data;
mod wording;

pub use answered::{Answered, Message, Pair, Prompt};
pub use baselines::Baselines;
pub use example::Example;
pub use linear_baseline as baseline;
pub use questions::Question;
pub use rules::Rule;
pub use task_config::TaskConfig;
pub use text::{Labelled, TextTask};
pub use user_data::UserData;
pub use wording::{MAX_LABEL, MAX_TEMPLATE, MAX_WORD};
pub use wording::{Template, TemplateChoice, Verbalizer, Wording};
