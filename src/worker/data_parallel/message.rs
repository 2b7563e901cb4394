//! What trainer and helper say to each other.

use crate::config::RunConfig;
use crate::protocol::AssetUrls;
use crate::train::micro_batch::{Assignment, Told};
use crate::train::pieces::{Outcome, Piece};
use js_sys::{Array, Float32Array, Object, Reflect};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

/// To a helper. Of `Pieces` the numbers are φ's.
#[derive(Serialize, Deserialize)]
pub enum Request {
    /// Where files are, and the visitor's bases: a configuration that names one can be read only behind it.
    Assets(AssetUrls),
    /// Its base, ahead of a run.
    Load(Box<RunConfig>),
    Assign {
        number: u32,
        assignment: Box<Assignment>,
    },
    Tell(Told),
    Pieces(Vec<(usize, Piece)>),
}

/// From a helper. Of `Done` the numbers are the gradients', one piece's after the other.
#[derive(Serialize, Deserialize)]
pub enum Reply {
    Loaded { base: String },
    Ready { number: u32 },
    Done(Vec<(usize, Outcome)>),
}

/// A message and the buffers that change hands with it.
pub fn message(value: &impl Serialize, numbers: &[f32]) -> Option<(Object, Array)> {
    let object = Object::new();
    let buffer = Float32Array::from(numbers);
    let text = serde_json::to_string(value).ok()?;
    Reflect::set(&object, &"text".into(), &text.into()).ok()?;
    Reflect::set(&object, &"numbers".into(), &buffer).ok()?;
    Some((object, Array::of1(&buffer.buffer())))
}

/// The JSON and the numbers of a message.
pub fn parts_of(message: &JsValue) -> Option<(String, Vec<f32>)> {
    let text = Reflect::get(message, &"text".into()).ok()?.as_string()?;
    let numbers: Float32Array = Reflect::get(message, &"numbers".into()).ok()?.dyn_into().ok()?;
    Some((text, numbers.to_vec()))
}
