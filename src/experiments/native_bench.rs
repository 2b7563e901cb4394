//! What the command line measures: steps at the benchmark's shapes, alone or shared.

use super::bench::{Measured, SHAPES, methods};
use super::shared_step;
use burn::tensor::Device;

/// What is measured natively.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// A shape, in place of all.
    pub shape: Option<String>,
    /// A method, in place of all that a shape [measures](BenchShape::measures).
    pub method: Option<String>,
    /// So many threads share each step; its parts are the trainer's. `None` is the whole batch on one.
    pub workers: Option<usize>,
    /// Steps of each.
    pub steps: usize,
}

/// Measures shapes and methods on the CPU and says a row of each.
///
/// # Errors
/// Where there is no such shape or method.
pub fn native(asked: &Asked, say: impl Fn(serde_json::Value)) -> Result<(), String> {
    let device = Device::flex();
    let is = |asked: &Option<String>, name: &str| asked.as_deref().is_none_or(|asked| asked == name);
    let mut found = false;
    for shape in SHAPES.iter().filter(|shape| is(&asked.shape, shape.name)) {
        let wanted = |name: &str| is(&asked.method, name) && (asked.method.is_some() || shape.measures(name));
        for (name, method) in methods(shape).into_iter().filter(|(name, _)| wanted(name)) {
            found = true;
            if let Some(workers) = asked.workers {
                let ms = shared_step::measure(shape, &method, workers, asked.steps).map_err(|f| f.message)?;
                let place = format!("native, {workers} workers");
                say(serde_json::json!({"where": place, "shape": shape.name, "method": name, "ms": ms}));
                continue;
            }
            let measured = shape.measure(&method, &device, asked.steps, crate::base::clock);
            let Measured { ms, forward, backward, optimizer, peak, cpu } =
                pollster::block_on(measured).map_err(|f| f.message)?;
            let training = shape.setting(&method).ledger().training;
            let (expected, flops) = training
                .map_or((0, 0.0), |t| (t.memory.peak.bytes, t.forward.total() + t.backward.total() + t.optimizer));
            say(serde_json::json!({
                "where": "native", "shape": shape.name, "method": name, "ms": ms, "forward": forward, "backward": backward,
                "optimizer": optimizer, "peak": peak, "expected_peak": expected, "gflops": flops / ms / 1e6, "cpu": cpu,
            }));
        }
    }
    if found { Ok(()) } else { Err("there is no such shape, or no such method".into()) }
}

/// A row for a person.
pub fn line(row: &serde_json::Value) -> String {
    let text = |key: &str| row[key].as_str().unwrap_or_default().to_string();
    let number = |key: &str| row[key].as_f64().unwrap_or_default();
    let head = format!("{} {} {:18} {:8.2} ms", text("where"), text("shape"), text("method"), number("ms"));
    if row["peak"].is_null() {
        return head;
    }
    let [forward, backward, optimizer] = ["forward", "backward", "optimizer"].map(number);
    let [peak, expected] = ["peak", "expected_peak"].map(|key| number(key) / 1e6);
    let gflops = number("gflops");
    format!(
        "{head} ({forward:.2} + {backward:.2} + {optimizer:.2})  {peak:7.2} MB, {expected:.2} expected  {gflops:5.1} GFLOP/s"
    )
}
