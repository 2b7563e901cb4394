//! What a prediction costs: a prompt is read again with every question, a φ is not.

use super::table::swatch;
use crate::ledger::flops;
use crate::ui::state::{PredictionCost, Role, VisibleRun, significant};
use yew::prelude::*;

/// Tokens read, operations and time of one prediction, for the runs on the page.
/// Empty unless one of them puts something in front.
pub fn of(shown: &[VisibleRun]) -> Html {
    let costs: Vec<(&VisibleRun, PredictionCost)> =
        shown.iter().filter_map(|s| s.run.prediction.map(|cost| (s, cost))).collect();
    let (least, most) =
        costs.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), (_, c)| (a.min(c.tokens), b.max(c.tokens)));
    if costs.len() < 2 || most < 1.2 * least {
        return html! {};
    }
    let row = |(shown, cost): &(&VisibleRun, PredictionCost)| {
        let PredictionCost { tokens, ms, operations } = *cost;
        let width = format!("width: {:.1}%", 100.0 * tokens / most);
        // Times of another machine would not compare.
        let time = if shown.run.recorded { "–".to_string() } else { format!("{} ms", significant(ms)) };
        let fill = if shown.role == Role::Chosen { "bar phi" } else { "bar" };
        html! {
            <tr>
                <th scope="row"><span class={swatch(shown.role)} />{ &shown.label }</th>
                <td class="tokens"><span class={fill} style={width} aria-hidden="true" /><span>{ format!("{tokens:.0}") }</span></td>
                <td>{ flops(operations) }</td>
                <td>{ time }</td>
            </tr>
        }
    };
    html! {
        <table class="cost">
            <caption>{ "A prediction reads its prompt again each time" }</caption>
            <thead><tr><th scope="col">{ "run" }</th><th scope="col">{ "tokens" }</th><th scope="col">{ "operations" }</th><th scope="col">{ "time" }</th></tr></thead>
            <tbody>{ for costs.iter().map(row) }</tbody>
        </table>
    }
}
