//! From values to pixels: axes, ticks that people would choose, and numbers as they are written at them.

use super::series::Unit;

/// A linear scale: values from `min` to `max` onto pixels from `from` to `to`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The value at `from`.
    pub min: f64,
    /// The value at `to`.
    pub max: f64,
    /// In pixels.
    pub from: f64,
    /// In pixels; smaller than `from` where values grow upwards.
    pub to: f64,
}

impl Scale {
    /// The pixel of a value. A scale without extent puts everything at its start.
    pub fn px(&self, value: f64) -> f64 {
        let span = self.max - self.min;
        let share = if span > 0.0 { (value - self.min) / span } else { 0.0 };
        self.from + share * (self.to - self.from)
    }

    /// The value of a pixel, within the scale.
    pub fn value(&self, px: f64) -> f64 {
        let span = self.to - self.from;
        let share = if span == 0.0 { 0.0 } else { ((px - self.from) / span).clamp(0.0, 1.0) };
        self.min + share * (self.max - self.min)
    }
}

/// A step of 1, 2 or 5 times a power of ten that makes some `count` steps of `span`.
pub fn nice_step(span: f64, count: usize) -> f64 {
    let raw = span / count.max(1) as f64;
    if !raw.is_finite() || raw <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(raw.log10().floor());
    let factor = match raw / power {
        x if x <= 1.0 + 1e-9 => 1.0,
        x if x <= 2.0 + 1e-9 => 2.0,
        x if x <= 5.0 + 1e-9 => 5.0,
        _ => 10.0,
    };
    factor * power
}

/// Multiples of a step from `min` to `max`.
pub fn ticks(min: f64, max: f64, step: f64) -> Vec<f64> {
    let (first, last) = ((min / step - 1e-6).ceil() as i64, (max / step + 1e-6).floor() as i64);
    (first..=last).map(|i| i as f64 * step).collect()
}

/// The lower and upper end of the value axis, and its ticks. `curves` holds the values of each curve in their
/// order.
pub fn value_axis(unit: Unit, curves: &[Vec<f64>], levels: &[f64], count: usize) -> (f64, f64, Vec<f64>) {
    if unit == Unit::Percent {
        let step = if count >= 4 { 0.25 } else { 0.5 };
        return (0.0, 1.0, ticks(0.0, 1.0, step));
    }
    let mut high = curves.iter().filter_map(|values| robust_max(values)).fold(f64::NEG_INFINITY, f64::max);
    let mut low = curves.iter().flatten().copied().filter(|v| v.is_finite()).fold(f64::INFINITY, f64::min);
    // A level far above every curve would press them flat.
    for level in levels.iter().copied().filter(|l| l.is_finite()) {
        if level > high && (level <= 1.5 * high || !high.is_finite()) {
            high = level;
        }
    }
    low = levels.iter().copied().filter(|l| l.is_finite()).fold(low, f64::min);
    if !high.is_finite() {
        (low, high) = (0.0, 1.0);
    }
    if unit == Unit::Loss || low >= 0.0 {
        low = 0.0;
    }
    if high <= low {
        high = low + if low == 0.0 { 1.0 } else { low.abs() };
    }
    let step = nice_step(high - low, count);
    let (min, max) = ((low / step + 1e-6).floor() * step, (high / step - 1e-6).ceil() * step);
    (min, max, ticks(min, max, step))
}

/// The largest value that is not a spike: a curve may start high and fall, but a few values far above both
/// its start and almost all others are cut off at the top of the plot.
fn robust_max(values: &[f64]) -> Option<f64> {
    let finite: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    let start = median(&finite[..finite.len().min(3)])?;
    let mut sorted = finite;
    sorted.sort_by(f64::total_cmp);
    let most = sorted[(sorted.len() - 1) * 95 / 100];
    let cap = 1.3 * start.max(most);
    Some(sorted[sorted.len() - 1].min(cap.max(most)))
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

/// A number at a tick: no more digits than it needs.
pub fn tick_text(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Percent => format!("{}\u{a0}%", (value * 100.0).round()),
        Unit::Loss | Unit::Plain => trimmed(value, 6),
    }
}

/// A measured value: 99.6 %, 1.234.
pub fn value_text(unit: Unit, value: f64) -> String {
    if !value.is_finite() {
        return "not a number".into();
    }
    match unit {
        Unit::Percent => format!("{}\u{a0}%", trimmed(value * 100.0, 1)),
        Unit::Loss => format!("{value:.3}"),
        Unit::Plain if value != 0.0 && (value.abs() < 1e-3 || value.abs() >= 1e5) => format!("{value:.2e}"),
        Unit::Plain => trimmed(value, 3),
    }
}

/// At most `digits` decimals, without zeros at the end.
fn trimmed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".into() } else { text.into() }
}

/// A whole number of steps with thousands separators.
pub fn step_text(step: f64) -> String {
    crate::base::grouped(step.max(0.0).round() as usize)
}

/// Of ascending places on an axis, `x` to its units, those whose numbers do not run into each other; the first and the last stay.
pub fn apart(places: &[f64], x: impl Fn(f64) -> f64) -> Vec<f64> {
    const ROOM: f64 = 44.0;
    let Some((last, others)) = places.split_last() else { return Vec::new() };
    let mut kept: Vec<f64> = Vec::new();
    for place in others {
        let is_free = |other: f64| (x(*place) - x(other)).abs() >= ROOM;
        if kept.is_empty() || is_free(kept[kept.len() - 1]) && is_free(*last) {
            kept.push(*place);
        }
    }
    kept.push(*last);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_an_axis_do_not_run_into_each_other() {
        assert_eq!(apart(&[0.0, 50.0, 60.0, 100.0, 130.0, 150.0], |p| p), [0.0, 50.0, 100.0, 150.0]);
        assert_eq!(apart(&[0.0, 10.0, 20.0], |p| p), [0.0, 20.0]);
        assert_eq!((apart(&[7.0], |p| p), apart(&[], |p| p)), (vec![7.0], vec![]));
    }

    #[test]
    fn steps_are_one_two_or_five() {
        for (span, count, step) in
            [(300.0, 4, 100.0), (1.0, 4, 0.5), (7.3, 4, 2.0), (0.004, 4, 0.001), (40_000.0, 4, 10_000.0)]
        {
            assert!((nice_step(span, count) - step).abs() < 1e-9 * step, "{span} by {count}");
        }
        assert_eq!(nice_step(0.0, 4), 1.0);
        assert_eq!(nice_step(f64::NAN, 4), 1.0);
    }

    #[test]
    fn a_pixel_reads_back_as_its_value() {
        let scale = Scale { min: 0.0, max: 300.0, from: 40.0, to: 340.0 };
        assert_eq!(scale.px(150.0), 190.0);
        assert_eq!(scale.value(scale.px(37.0)), 37.0);
        assert_eq!(scale.value(1000.0), 300.0);
    }

    #[test]
    fn a_spike_is_cut_off_and_a_high_start_is_not() {
        let mut falling: Vec<f64> = (0..300).map(|i| 5.0 * (-(i as f64) / 4.0).exp() + 0.1).collect();
        assert_eq!(value_axis(Unit::Loss, &[falling.clone()], &[], 4).1, 6.0);
        falling[150] = 900.0;
        falling[151] = f64::NAN;
        falling[152] = f64::INFINITY;
        let (min, max, _) = value_axis(Unit::Loss, &[falling], &[], 4);
        assert_eq!(min, 0.0);
        assert!(max <= 8.0, "{max}");
    }

    #[test]
    fn the_loss_of_a_run_without_steps_has_an_axis() {
        assert_eq!(value_axis(Unit::Loss, &[], &[], 4), (0.0, 1.0, vec![0.0, 0.5, 1.0]));
        assert_eq!(value_axis(Unit::Plain, &[vec![f64::NAN]], &[], 4).1, 1.0);
        assert_eq!(value_axis(Unit::Plain, &[vec![0.0, 0.0]], &[], 4).1, 1.0);
    }

    #[test]
    fn numbers_are_written_as_short_as_they_are() {
        assert_eq!(tick_text(Unit::Percent, 0.25), "25\u{a0}%");
        assert_eq!(value_text(Unit::Percent, 0.99609), "99.6\u{a0}%");
        assert_eq!(value_text(Unit::Percent, 1.0), "100\u{a0}%");
        assert_eq!(tick_text(Unit::Loss, 1.5), "1.5");
        assert_eq!(value_text(Unit::Loss, 0.05), "0.050");
        assert_eq!(value_text(Unit::Plain, 0.000_012), "1.20e-5");
        assert_eq!(step_text(12_000.0), "12,000");
    }
}
