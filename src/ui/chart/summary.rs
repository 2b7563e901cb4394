//! A chart in words.

use super::scale::{step_text, value_text};
use super::series::{Reference, Series, Unit};
use super::text::steps_text;

/// One sentence on each curve, for those who do not see them.
pub fn summary(label: &str, series: &[Series], references: &[Reference], unit: Unit, steps: usize) -> String {
    let mut out = format!("{label}, over {}.", steps_text(steps as f64));
    for s in series.iter().rev() {
        let badge = if s.badge.is_empty() { String::new() } else { format!(" ({})", s.badge) };
        match s.points.iter().rev().find(|p| p.1.is_finite()) {
            Some((step, value)) => {
                out.push_str(&format!(
                    " {}{badge}: {} at step {}.",
                    s.label,
                    value_text(unit, *value),
                    step_text(*step)
                ));
            }
            None => out.push_str(&format!(" {}{badge}: no values yet.", s.label)),
        }
    }
    for r in references {
        out.push_str(&format!(" {}: {}.", r.label, value_text(unit, r.value)));
    }
    out
}
