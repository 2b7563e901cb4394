//! The names of curves.

use super::label_placement::{Label, Obstacles, Rect, place, push_apart, text_width};
use super::series::Series;
use yew::AttrValue;

/// A curve's name, `y` at its baseline, `x` at its start.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// In pixels.
    pub x: f64,
    /// In pixels.
    pub y: f64,
    /// Its place among the candidates, see [`place`].
    pub place: usize,
}

/// Names of all curves, the live ones placed first: they have the best claim to the place at their head.
pub fn names(series: &[Series], mut obstacles: Obstacles, em: f64, before: &[(AttrValue, usize)]) -> Vec<Option<Name>> {
    let mut order: Vec<usize> = (0..series.len()).rev().collect();
    order.sort_by_key(|i| !series[*i].live);
    let mut placed: Vec<(usize, usize, Rect)> = Vec::new();
    for own in order {
        let w = name_width(&series[own], em);
        let kept = before.iter().find(|(id, _)| *id == series[own].id).map(|(_, place)| *place);
        if let Some((rect, number)) = place(Label { w, h: 1.3 * em }, own, &obstacles, kept) {
            obstacles.boxes.push(rect);
            placed.push((own, number, rect));
        }
    }
    let mut rects: Vec<Rect> = placed.iter().map(|p| p.2).collect();
    push_apart(&mut rects, obstacles.plot);
    let mut out = vec![None; series.len()];
    for ((own, place, _), rect) in placed.into_iter().zip(rects) {
        out[own] = Some(Name { x: rect.x, y: rect.y + em, place });
    }
    out
}

/// The width of a curve's name with its badge; a live one's letters are bold.
pub fn name_width(series: &Series, em: f64) -> f64 {
    let weight = if series.live { 1.1 } else { 1.0 };
    let badge = if series.badge.is_empty() { 0.0 } else { text_width(&series.badge, 0.9 * em) + 0.5 * em };
    weight * text_width(&series.label, em) + badge
}
