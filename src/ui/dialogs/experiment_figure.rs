//! A figure over a grid of runs: accuracy by one value, a line for each method.

use crate::ui::chart::scale::apart;
use crate::ui::state::{Action, Line, percent, significant};
use yew::prelude::*;

/// The drawing's size, in its own units, and the room for labels.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 34.0;

/// The figure of a grid: lines over the axis, with the range over seeds.
pub fn figure(lines: &[Line], axis: &str, on: &Callback<Action>) -> Html {
    let places: Vec<f64> = lines.iter().flat_map(|l| l.points.iter().map(|p| p.0)).collect();
    let (low, high) = places.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), p| (a.min(*p), b.max(*p)));
    // Counts that begin at 0 or 1 and are few stand evenly, all others by their logarithm.
    let even = high <= 12.0 && low >= 0.0 && places.iter().all(|p| p.fract() == 0.0);
    let scale = move |p: f64| if even { p } else { p.max(1e-12).ln() };
    let (from, to) = (scale(low), scale(high));
    let x = move |p: f64| LEFT + (WIDTH - LEFT - RIGHT) * (scale(p) - from) / (to - from).max(1e-9);
    let y = |share: f64| TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - share);
    let mut ticks = places.clone();
    ticks.sort_by(f64::total_cmp);
    ticks.dedup();
    let grid = [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| {
        html! {
            <g>
                <line class="grid" x1={LEFT.to_string()} x2={(WIDTH - RIGHT).to_string()} y1={y(share).to_string()} y2={y(share).to_string()} />
                <text class="tick" x={(LEFT - 6.0).to_string()} y={(y(share) + 4.0).to_string()} text-anchor="end">{ percent(share) }</text>
            </g>
        }
    });
    let labels = apart(&ticks, x).into_iter().map(|p| {
        html! { <text class="tick" x={x(p).to_string()} y={(HEIGHT - 16.0).to_string()} text-anchor="middle">{ number(p) }</text> }
    });
    let ends = spaced(lines.iter().map(|l| l.points.last().map_or(0.0, |p| y(p.1))).collect());
    let drawn = lines.iter().zip(ends).enumerate().map(|(i, (line, end))| {
        // More lines than colours: the second round is dashed.
        let colour = format!("line data-{}{}", i % 5 + 1, if i < 5 { "" } else { " again" });
        let path: Vec<String> = line.points.iter().map(|p| format!("{:.1},{:.1}", x(p.0), y(p.1))).collect();
        let dots = line.points.iter().zip(&line.configs).map(|((place, mean, low, high), config)| {
            let (on, hash) = (on.clone(), config.to_hash());
            let onclick = Callback::from(move |_: MouseEvent| {
                on.emit(Action::Hash(hash.clone()));
                on.emit(Action::Experiment(None));
            });
            let title = format!("{}, {}: {} ({} to {})", line.label, number(*place), percent(*mean), percent(*low), percent(*high));
            html! {
                <g class="point" {onclick}>
                    <line class="span" x1={x(*place).to_string()} x2={x(*place).to_string()} y1={y(*low).to_string()} y2={y(*high).to_string()} />
                    <circle cx={x(*place).to_string()} cy={y(*mean).to_string()} r="4"><title>{ title }</title></circle>
                </g>
            }
        });
        let live = line.live.iter().map(|(place, accuracy)| {
            html! {
                <circle class="live" cx={x(*place).to_string()} cy={y(*accuracy).to_string()} r="7">
                    <title>{ format!("{}, yours: {}", line.label, percent(*accuracy)) }</title>
                </circle>
            }
        });
        html! {
            <g class={colour}>
                <polyline points={path.join(" ")} />
                { for dots }{ for live }
                <text class="label" x={(WIDTH - RIGHT + 8.0).to_string()} y={(end + 4.0).to_string()}>{ &line.label }</text>
            </g>
        }
    });
    html! {
        <svg class="figure" viewBox={format!("0 0 {WIDTH} {HEIGHT}")} role="img" aria-label={described(lines, axis)}>
            { for grid }{ for labels }
            <text class="tick" x={((LEFT + WIDTH - RIGHT) / 2.0).to_string()} y={(HEIGHT - 2.0).to_string()} text-anchor="middle">{ axis_title(axis) }</text>
            { for drawn }
        </svg>
    }
}

/// Heights of labels, moved apart where they would overlap.
fn spaced(heights: Vec<f64>) -> Vec<f64> {
    const APART: f64 = 14.0;
    let mut order: Vec<usize> = (0..heights.len()).collect();
    order.sort_by(|a, b| heights[*a].total_cmp(&heights[*b]));
    let mut placed = heights;
    for pair in 1..order.len() {
        placed[order[pair]] = placed[order[pair]].max(placed[order[pair - 1]] + APART);
    }
    // What ran out below moves up again.
    let mut floor = HEIGHT - BOTTOM + 2.0;
    for at in order.into_iter().rev() {
        placed[at] = placed[at].min(floor);
        floor = placed[at] - APART;
    }
    placed
}

/// The figure in words, for who does not see it.
fn described(lines: &[Line], axis: &str) -> String {
    let line = |l: &Line| {
        let points: Vec<String> = l.points.iter().map(|p| format!("{} {}", number(p.0), percent(p.1))).collect();
        format!("{}: {}", l.label, points.join(", "))
    };
    format!("Accuracy by {}. {}", axis_title(axis), lines.iter().map(line).collect::<Vec<_>>().join(". "))
}

/// What stands under the axis.
pub fn axis_title(axis: &str) -> String {
    match axis {
        "lr" => "learning rate".into(),
        "examples" => "training examples".into(),
        "shots" => "demonstrations".into(),
        "parameters" => "parameters of the base".into(),
        "theta" => "bytes of θ".into(),
        other => other.replace('_', " "),
    }
}

fn number(x: f64) -> String {
    if x >= 1e5 {
        format!("{} M", significant(x / 1e6))
    } else if x.fract() == 0.0 {
        format!("{x}")
    } else if x < 0.01 {
        format!("{x:e}")
    } else {
        significant(x)
    }
}
