//! Figures over grids of runs, as a dialog: recorded points, and the visitor's own.

use super::dialog::DialogFrame;
use super::experiment_figure::figure;
use super::grid;
use crate::ui::state::{Action, Line, OWN_GRID, State};
use yew::prelude::*;

/// The dialog of figures over grids of runs.
pub struct Experiments;

impl Experiments {
    /// Draws it.
    pub fn of(state: &State, on: &Callback<Action>) -> Html {
        let shown = state.experiment.as_ref();
        let choose = |key: &String| {
            let title = match state.sweeps.get(key) {
                Some(Some(measured)) => measured.sweep.title.clone(),
                _ => key.trim_start_matches("sweeps/").trim_end_matches(".json").replace('-', " "),
            };
            let (on, action) = (on.clone(), Action::Experiment(Some(key.clone())));
            let onclick = Callback::from(move |_: MouseEvent| on.emit(action.clone()));
            html! { <button type="button" role="tab" aria-selected={(Some(key) == shown).to_string()} {onclick}>{ title }</button> }
        };
        let own = shown.is_some_and(|key| key == OWN_GRID);
        let figure = match shown.and_then(|key| state.sweeps.get(key)) {
            _ if own => grid::of(state, on),
            Some(Some(measured)) => {
                let lines = state.lines(measured);
                html! {
                    <>
                        <p class="question">{ &measured.sweep.question }</p>
                        { found(&measured.sweep.found) }
                        { figure(&lines, &measured.sweep.axis, on) }
                        { for d90(&lines, &measured.sweep.axis).map(|text| html! { <p class="caption">{ text }</p> }) }
                        <p class="caption">
                            <span class="badge recorded">{ "recorded" }</span>
                            { format!(" {} runs; bars span seeds and draws. Click a point to set the page to it: a run that you finish joins the figure as a ring.", measured.points.len()) }
                        </p>
                        { grid::again(state, on) }
                    </>
                }
            }
            _ => html! { <p class="caption" role="status">{ "Loading …" }</p> },
        };
        html! {
            <DialogFrame open={shown.is_some()} label="Experiments" class="experiments" close={Action::Experiment(None)} on={on.clone()}>
                <h2>{ "Experiments" }</h2>
                <div class="tabs" role="tablist" aria-label="Figures">{ for state.experiments().iter().chain([&OWN_GRID.to_string()]).map(choose) }</div>
                { figure }
            </DialogFrame>
        }
    }
}

/// What this page measured, beside what the paper says.
fn found(found: &str) -> Html {
    if found.is_empty() {
        return html! {};
    }
    html! { <p class="found"><b>{ "Measured here: " }</b>{ found.to_string() }</p> }
}

/// The smallest place at which each line reaches nine tenths of full fine-tuning (Aghajanyan et al. 2020).
fn d90(lines: &[Line], axis: &str) -> Option<String> {
    if axis != "intrinsic_dimension" {
        return None;
    }
    let place = |place: Option<f64>| place.map_or("none of these".into(), |place| place.to_string());
    let of = |line: &Line| line.d90().map(|d90| format!("{} {}", line.label, place(d90)));
    let parts: Vec<String> = lines.iter().filter_map(of).collect();
    (!parts.is_empty())
        .then(|| format!("d₉₀, the smallest measured dimension with 90 % of full fine-tuning: {}.", parts.join(", ")))
}
