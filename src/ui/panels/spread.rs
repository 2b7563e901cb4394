//! The strip plot of in-context learning: one dot a prompt, the same questions behind each.

use crate::protocol::SpreadKind;
use crate::ui::state::{Action, Spread, State, half_width, percent};
use yew::prelude::*;

/// Rows of the plot, from the top.
const ROWS: [(SpreadKind, &str); 4] = [
    (SpreadKind::Order, "order"),
    (SpreadKind::Choice, "choice"),
    (SpreadKind::Wording, "wording"),
    (SpreadKind::RandomLabels, "random labels"),
];
const ROW: f64 = 24.0;
/// Where the plot begins and how wide it is, in its own units.
const LEFT: f64 = 92.0;
const WIDTH: f64 = 250.0;

/// A button, and the plot once there is something to draw; only for in-context learning.
pub fn of(state: &State, on: &Callback<Action>) -> Html {
    if state.config.method.method().demonstrations().is_none() {
        return html! {};
    }
    let spread = state.spread();
    let running = spread.is_some_and(|s| s.running);
    let waits = state.spread_waits().filter(|_| !running);
    let onclick = {
        let (on, action) = (on.clone(), if running { Action::StopSpread } else { Action::MeasureSpread });
        Callback::from(move |_: MouseEvent| on.emit(action.clone()))
    };
    let title = match running {
        true => spread.map_or_else(String::new, |s| format!("Stop · {} of {}", s.prompts.len(), s.of)),
        false => "Measure how much the prompt matters".into(),
    };
    let help = waits
        .unwrap_or("20 orders, 12 choices, 4 wordings and 6 draws of random labels, each before the same questions");
    html! {
        <div class="spread">
            <button type="button" {onclick} disabled={waits.is_some()} title={help}>{ title }</button>
            { for spread.filter(|s| !s.prompts.is_empty()).map(plot) }
        </div>
    }
}

fn plot(spread: &Spread) -> Html {
    let own = spread.scores(SpreadKind::Own, |p| p.accuracy).map(|s| s.mean);
    let height = ROW * ROWS.len() as f64 + 22.0;
    let x = |share: f64| LEFT + WIDTH * share;
    let band = own.map(|own| {
        let half = half_width(own, spread.n);
        let (low, high) = ((own - half).max(0.0), (own + half).min(1.0));
        html! {
            <>
                <rect class="noise" x={x(low).to_string()} y="0" width={(x(high) - x(low)).max(1.0).to_string()} height={(height - 20.0).to_string()}>
                    <title>{ format!("sampling noise of {} questions around {}", spread.n, percent(own)) }</title>
                </rect>
                <line class="own" x1={x(own).to_string()} x2={x(own).to_string()} y1="0" y2={(height - 20.0).to_string()} />
            </>
        }
    });
    let rows = ROWS.iter().enumerate().map(|(i, (kind, name))| {
        let y = ROW * (i as f64 + 0.5) + 2.0;
        let dots = spread.prompts.iter().filter(|p| p.kind == *kind).enumerate().map(|(j, p)| {
            let Some(accuracy) = p.accuracy else { return html! {} };
            // Dots of equal scores beside each other, not on top.
            let up = (j % 3) as f64 * 4.0 - 4.0;
            html! {
                <circle class="dot" cx={x(accuracy).to_string()} cy={(y + up).to_string()} r="3">
                    <title>{ format!("{}: {}", p.what, percent(accuracy)) }</title>
                </circle>
            }
        });
        html! {
            <g>
                <text class="row-name" x={(LEFT - 8.0).to_string()} y={(y + 4.0).to_string()} text-anchor="end">{ *name }</text>
                <line class="rail" x1={x(0.0).to_string()} x2={x(1.0).to_string()} y1={y.to_string()} y2={y.to_string()} />
                { for dots }
            </g>
        }
    });
    let ticks = [0.0, 0.5, 1.0].map(|share| {
        html! { <text class="tick" x={x(share).to_string()} y={(height - 6.0).to_string()} text-anchor="middle">{ percent(share) }</text> }
    });
    html! {
        <>
            <svg viewBox={format!("0 0 {} {height}", LEFT + WIDTH + 22.0)} role="img" aria-label={summary(spread)}>
                { band }{ for rows }{ for ticks }
            </svg>
            <p class="caption">{ summary(spread) }</p>
            { for split(spread).map(|text| html! { <p class="caption">{ text }</p> }) }
        </>
    }
}

/// The range of each row.
fn summary(spread: &Spread) -> String {
    let ranges = ROWS.iter().filter_map(|(kind, name)| {
        let scores = spread.scores(*kind, |p| p.accuracy)?;
        Some(format!("{name} {} to {}", percent(scores.low), percent(scores.high)))
    });
    let noise =
        spread.scores(SpreadKind::Own, |p| p.accuracy).map(|s| s.mean).map(|own| 100.0 * half_width(own, spread.n));
    let noise = noise.map_or_else(String::new, |half| format!("; chance alone moves a score by ± {half:.1}"));
    format!("{}{noise}.", ranges.collect::<Vec<_>>().join(", "))
}

/// What the labels of demonstrations give. One draw of random labels may fit by luck: all draws are told.
fn split(spread: &Spread) -> Option<String> {
    let [nothing, random, own] = spread.from_nothing()?;
    let why = if own.mean - random.mean > 0.05 && random.mean - nothing.mean < 0.02 {
        " This base was pretrained on true labels alone and takes random ones at their word. Large models keep most of their score (Min et al. 2022)."
    } else {
        ""
    };
    Some(format!(
        "Among all tokens: {} without demonstrations; with random labels {} on average of {} draws, from {} to {}; with true ones {}.{why}",
        percent(nothing.mean),
        percent(random.mean),
        random.draws,
        percent(random.low),
        percent(random.high),
        percent(own.mean)
    ))
}
