//! All of a chart's geometry, from its size and its series: what `view` draws without a thought of its own.

use super::axes::{level_names, step_axis};
use super::label_placement::{Obstacles, Rect, text_width};
use super::names::{Name, names};
use super::sample::thin;
use super::scale::{Scale, tick_text, value_axis};
use super::series::{Reference, Series, Unit};
use super::text::{Anchor, Text, text_box};
use yew::AttrValue;

/// Points of a curve that are drawn: more than a chart's pixels cannot be seen.
const DRAWN: usize = 400;

/// Width and height of the chart and the size of its letters, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// Of the chart.
    pub width: f64,
    /// Of the chart.
    pub height: f64,
    /// The height of a letter, one em.
    pub letter: f64,
}

/// A drawn curve, in the order of the series.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// An SVG path; empty without points.
    pub path: String,
    /// Its last point.
    pub head: Option<(f64, f64)>,
    /// `None` where no place was found for it.
    pub name: Option<Name>,
}

/// A chart, laid out.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// The rectangle in which curves are drawn.
    pub plot: Rect,
    /// Steps to pixels.
    pub x: Scale,
    /// Values to pixels.
    pub y: Scale,
    /// Heights of the grid lines.
    pub grid: Vec<f64>,
    /// Texts of both axes.
    pub axis: Vec<Text>,
    /// In the order of the series.
    pub curves: Vec<Curve>,
    /// Heights of the reference lines.
    pub levels: Vec<f64>,
    /// The levels' names; levels close together share one.
    pub level_names: Vec<Text>,
}

impl Layout {
    /// Lays a chart out, `steps` wide at least. `before` has the places that labels had in the last drawing,
    /// by a series' id.
    pub fn new(
        size: Size,
        series: &[Series],
        references: &[Reference],
        unit: Unit,
        steps: usize,
        before: &[(AttrValue, usize)],
    ) -> Layout {
        let em = size.letter;
        let points: Vec<Vec<(f64, f64)>> = series.iter().map(|s| thin(&s.points, DRAWN)).collect();
        let values: Vec<Vec<f64>> = series.iter().map(|s| s.points.iter().map(|p| p.1).collect()).collect();
        let level_values: Vec<f64> = references.iter().map(|r| r.value).collect();
        let lines = if size.height >= 14.0 * em { 4 } else { 2 };
        let (low, high, value_ticks) = value_axis(unit, &values, &level_values, lines);

        let tick_texts: Vec<String> = value_ticks.iter().map(|v| tick_text(unit, *v)).collect();
        let gutter = tick_texts.iter().map(|t| text_width(t, em)).fold(0.0, f64::max) + 0.7 * em;
        let (top, bottom, right) = (0.75 * em, 1.9 * em, 0.6 * em);
        let plot = Rect {
            x: gutter,
            y: top,
            w: (size.width - gutter - right).max(1.0),
            h: (size.height - top - bottom).max(1.0),
        };
        let last = points.iter().flatten().map(|p| p.0).fold(steps.max(1) as f64, f64::max);
        let x = Scale { min: 0.0, max: last, from: plot.x, to: plot.right() };
        let y = Scale { min: low, max: high, from: plot.bottom(), to: plot.y };

        let grid: Vec<f64> = value_ticks.iter().map(|v| y.px(*v)).collect();
        let mut axis: Vec<Text> = grid
            .iter()
            .zip(tick_texts)
            .map(|(at, text)| Text { x: plot.x - 0.6 * em, y: at + 0.35 * em, anchor: Anchor::End, text })
            .collect();
        axis.extend(step_axis(&x, plot.bottom() + 1.5 * em, em));

        // Above the plot a curve is cut off by the clip; for labels it is held at the edge.
        let pixels: Vec<Vec<(f64, f64)>> =
            points.iter().map(|curve| curve.iter().map(|p| (x.px(p.0), y.px(p.1))).collect()).collect();
        let held: Vec<Vec<(f64, f64)>> = pixels
            .iter()
            .map(|curve| curve.iter().map(|p| (p.0, if p.1.is_finite() { p.1.max(plot.y) } else { p.1 })).collect())
            .collect();

        let shown: Vec<&Reference> =
            references.iter().filter(|r| r.value.is_finite() && r.value >= low && r.value <= high).collect();
        let levels: Vec<f64> = shown.iter().map(|r| y.px(r.value)).collect();
        let level_names = level_names(&shown, &levels, unit, plot, em);

        let mut curves: Vec<Curve> = pixels
            .iter()
            .zip(&held)
            .map(|(curve, held)| Curve {
                path: path(curve),
                head: held.iter().rev().find(|p| p.1.is_finite()).copied(),
                name: None,
            })
            .collect();
        let boxes = level_names.iter().map(|t| text_box(t, em)).chain(
            curves.iter().zip(series).filter(|(_, s)| s.live).filter_map(|(c, _)| c.head).map(|(x, y)| Rect {
                x: x - 0.5 * em,
                y: y - 0.5 * em,
                w: em,
                h: em,
            }),
        );
        let obstacles = Obstacles { plot, boxes: boxes.collect(), curves: &held, levels: &levels };
        for (curve, name) in curves.iter_mut().zip(names(series, obstacles, em, before)) {
            curve.name = name;
        }
        Layout { plot, x, y, grid, axis, curves, levels, level_names }
    }
}

/// An SVG path through points; values that are not finite break it.
fn path(points: &[(f64, f64)]) -> String {
    let mut out = String::with_capacity(points.len() * 12);
    let mut pen = 'M';
    for (x, y) in points {
        if y.is_finite() {
            out.push_str(&format!("{pen}{x:.1} {y:.1}"));
            pen = 'L';
        } else {
            pen = 'M';
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::names::name_width;
    use super::super::series::Tone;
    use super::*;
    use std::rc::Rc;

    const PHONE: Size = Size { width: 358.0, height: 200.0, letter: 12.0 };

    fn series(id: &str, live: bool, f: impl Fn(f64) -> f64, to: usize) -> Series {
        Series {
            id: AttrValue::from(id.to_string()),
            label: AttrValue::from(format!("{id}, a method")),
            badge: "recorded".into(),
            tone: Tone::Palette(0),
            dashed: false,
            live,
            points: Rc::new((0..=to).map(|i| (i as f64, f(i as f64))).collect()),
        }
    }

    fn reference(label: &'static str, value: f64) -> Reference {
        Reference { label: label.into(), value }
    }

    #[test]
    fn names_of_many_curves_do_not_overlap_on_a_phone() {
        let rise = |speed: f64| move |t: f64| 1.0 - (-t / speed).exp();
        let all = [
            series("a", false, rise(5.0), 300),
            series("b", false, rise(20.0), 300),
            series("c", false, |_| 0.02, 300),
            series("d", true, rise(30.0), 200),
        ];
        let references = [reference("chance", 0.0), reference("majority", 0.02), reference("bag of words", 0.03)];
        let layout = Layout::new(PHONE, &all, &references, Unit::Percent, 300, &[]);
        assert_eq!(layout.level_names.len(), 1);
        let mut boxes: Vec<Rect> = layout.level_names.iter().map(|t| text_box(t, 12.0)).collect();
        for (curve, s) in layout.curves.iter().zip(&all) {
            let name = curve.name.as_ref().unwrap();
            let rect = Rect { x: name.x, y: name.y - 12.0, w: name_width(s, 12.0), h: 15.0 };
            assert!(
                rect.x >= layout.plot.x && rect.right() <= 358.0 && rect.bottom() <= layout.plot.bottom() + 1.0,
                "{rect:?}"
            );
            assert!(boxes.iter().all(|b| b.overlap(&rect) < 1.0), "{rect:?} {boxes:?}");
            boxes.push(rect);
        }
    }

    #[test]
    fn levels_close_together_share_a_name_with_one_value_or_each_its_own() {
        let name = |a: f64, b: f64| {
            let references = [reference("chance", a), reference("majority", b)];
            let layout = Layout::new(PHONE, &[], &references, Unit::Percent, 300, &[]);
            layout.level_names.into_iter().map(|t| t.text.replace('\u{a0}', " ")).collect::<Vec<_>>()
        };
        assert_eq!(name(0.142, 0.143), ["chance · majority 14 %"]);
        assert_eq!(name(0.14, 0.16), ["chance 14 % · majority 16 %"]);
        assert_eq!(name(0.14, 0.5), ["chance 14 %", "majority 50 %"]);
    }

    #[test]
    fn a_gap_breaks_the_path() {
        assert_eq!(path(&[(0.0, 1.0), (1.0, 2.0), (2.0, f64::NAN), (3.0, 4.0)]), "M0.0 1.0L1.0 2.0M3.0 4.0");
    }

    #[test]
    fn the_axis_ends_with_the_longest_run_and_says_steps() {
        let layout = Layout::new(PHONE, &[series("a", true, |_| 0.5, 400)], &[], Unit::Percent, 300, &[]);
        assert_eq!(layout.x.max, 400.0);
        assert!(layout.axis.iter().any(|t| t.text == "400 steps"));
        let one = Layout::new(PHONE, &[], &[], Unit::Loss, 1, &[]);
        assert!(one.axis.iter().any(|t| t.text == "1 step"));
    }

    #[test]
    fn a_place_of_no_size_is_laid_out_without_a_panic() {
        let size = Size { width: 0.0, height: 0.0, letter: 12.0 };
        Layout::new(size, &[series("a", true, |t| t, 10)], &[reference("chance", 0.1)], Unit::Plain, 0, &[]);
    }
}
