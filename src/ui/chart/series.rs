//! What a chart is given: curves, levels, and how their values are written.

use std::rc::Rc;
use yew::AttrValue;

/// One curve.
#[derive(Clone, PartialEq)]
pub struct Series {
    /// Tells curves apart from one drawing to the next.
    pub id: AttrValue,
    /// What stands at the curve.
    pub label: AttrValue,
    /// `live`, `recorded`, or empty.
    pub badge: AttrValue,
    /// What its colour says.
    pub tone: Tone,
    /// Drawn with a broken line.
    pub dashed: bool,
    /// Still growing, or the run one looks at: drawn thickest, with a dot at its head.
    pub live: bool,
    /// (step, value), steps ascending. Values that are not finite leave a gap.
    pub points: Rc<Vec<(f64, f64)>>,
}

/// What a curve's colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// The chosen method's φ: the one orange.
    Phi,
    /// Another run, one of five colours that colour-blind readers can tell apart.
    Palette(usize),
    /// What runs are compared with: grey and dashed.
    Reference,
}

/// A level to compare with, drawn across the plot: chance, majority, bag of words.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// What it is called.
    pub label: AttrValue,
    /// In the unit of the chart.
    pub value: f64,
}

/// How values are scaled and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// 0 to 1, written as 0 % to 100 %.
    Percent,
    /// Nats, from 0 to a maximum that a spike does not stretch.
    Loss,
    /// Any numbers.
    Plain,
}
