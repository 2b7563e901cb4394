//! What stands along the axis of steps and at the levels.

use super::label_placement::{Rect, text_width};
use super::scale::{Scale, nice_step, step_text, tick_text, ticks, value_text};
use super::series::{Reference, Unit};
use super::text::{Anchor, Text, steps_text, text_box};

/// Steps along the bottom; the last one says what they are.
pub fn step_axis(x: &Scale, baseline: f64, em: f64) -> Vec<Text> {
    let width = x.to - x.from;
    let widest = text_width(&step_text(x.max), em) + 1.5 * em;
    let count = ((width / (widest + em)) as usize).clamp(1, 4);
    let all = ticks(x.min, x.max, nice_step(x.max - x.min, count).max(1.0));
    let last = all.len() - 1;
    let mut out: Vec<Text> = all
        .iter()
        .enumerate()
        .map(|(i, step)| {
            let text = if i == last && i > 0 { steps_text(*step) } else { step_text(*step) };
            let half = text_width(&text, em) / 2.0;
            let at = x.px(*step);
            if i > 0 && at + half > x.to + 0.5 * em {
                Text { x: x.to + 0.5 * em, y: baseline, anchor: Anchor::End, text }
            } else {
                Text { x: at, y: baseline, anchor: Anchor::Middle, text }
            }
        })
        .collect();
    // The last one's text is the longest: its neighbour makes room.
    if let [.., before, end] = out.as_slice()
        && text_box(before, em).right() + 0.5 * em > text_box(end, em).x
        && last > 1
    {
        out.remove(last - 1);
    }
    if last == 0 {
        let text = steps_text(x.max);
        out.push(Text { x: x.to + 0.5 * em, y: baseline, anchor: Anchor::End, text });
    }
    out
}

/// The levels' names at their right end above the line; levels closer than a line of text share one.
pub fn level_names(references: &[&Reference], levels: &[f64], unit: Unit, plot: Rect, em: f64) -> Vec<Text> {
    let mut order: Vec<usize> = (0..references.len()).collect();
    // From the lowest on the screen up, so that a shared name stands above the upper line.
    order.sort_by(|a, b| levels[*b].total_cmp(&levels[*a]));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for i in order {
        match groups.last_mut() {
            Some(group) if group.last().is_some_and(|j| levels[*j] - levels[i] < 1.25 * em) => group.push(i),
            _ => groups.push(vec![i]),
        }
    }
    groups
        .into_iter()
        .map(|group| {
            let top = group.iter().map(|i| levels[*i]).fold(f64::INFINITY, f64::min);
            let above = top - 0.35 * em;
            let y = if above - em < plot.y { top + 1.05 * em } else { above };
            Text {
                x: plot.right() - 1.0,
                y,
                anchor: Anchor::End,
                text: level_text(&group, references, unit, plot.w, em),
            }
        })
        .collect()
}

/// `chance · majority 14 %`, or each with its own value where these differ and there is room.
fn level_text(group: &[usize], references: &[&Reference], unit: Unit, room: f64, em: f64) -> String {
    let value = |i: usize| match unit {
        Unit::Percent => tick_text(unit, references[i].value),
        _ => value_text(unit, references[i].value),
    };
    let names = group.iter().map(|i| references[*i].label.to_string()).collect::<Vec<_>>().join(" · ");
    let long = group
        .chunk_by(|a, b| value(*a) == value(*b))
        .map(|same| {
            let names = same.iter().map(|i| references[*i].label.to_string()).collect::<Vec<_>>().join(" · ");
            format!("{names} {}", value(same[0]))
        })
        .collect::<Vec<_>>()
        .join(" · ");
    if text_width(&long, em) <= room || group.len() == 1 { long } else { names }
}
