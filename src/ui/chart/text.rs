//! Texts at axes and levels.

use super::label_placement::{Rect, text_width};
use super::scale::step_text;

/// Which end of a text its x is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

impl Anchor {
    /// SVG's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Anchor::Middle => "middle",
            Anchor::End => "end",
        }
    }
}

/// A text at an axis or a level, `y` at its baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// In pixels, where its anchor says.
    pub x: f64,
    /// In pixels, of the baseline.
    pub y: f64,
    /// Which end `x` is at.
    pub anchor: Anchor,
    /// What it says.
    pub text: String,
}

/// The room a text takes, letters `em` high.
pub fn text_box(text: &Text, em: f64) -> Rect {
    let w = text_width(&text.text, em);
    let x = match text.anchor {
        Anchor::Middle => text.x - w / 2.0,
        Anchor::End => text.x - w,
    };
    Rect { x, y: text.y - em, w, h: 1.3 * em }
}

/// `300 steps`
pub fn steps_text(steps: f64) -> String {
    format!("{} {}", step_text(steps), if steps == 1.0 { "step" } else { "steps" })
}
