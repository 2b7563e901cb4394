//! A step alone, for measurements.

use super::browser::now;
use super::event_loop::backend;
use crate::base::Failure;
use crate::experiments::bench::{BenchShape, methods};
use wasm_bindgen::prelude::*;

/// A training step at a [shape](BenchShape::named), [`Measured`](crate::experiments::bench::Measured) in JSON, for
/// `cargo xtask bench`.
///
/// # Errors
/// Where there is no such shape or method, or no device.
#[wasm_bindgen]
pub async fn bench(shape: String, method: String, steps: u32) -> Result<String, JsValue> {
    let unknown = || JsValue::from_str("no such shape or method");
    let shape = BenchShape::named(&shape).ok_or_else(unknown)?;
    let (_, method) = methods(&shape).into_iter().find(|(name, _)| *name == method).ok_or_else(unknown)?;
    let failed = |f: Failure| JsValue::from_str(&f.message);
    let device = backend().device().await.map_err(failed)?;
    let measured = shape.measure(&method, &device, steps as usize, now).await.map_err(failed)?;
    serde_json::to_string(&measured).map_err(|e| JsValue::from_str(&e.to_string()))
}
