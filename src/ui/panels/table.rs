//! One row per run: what it trained, what it reached, how long a step took.

use crate::base::grouped;
use crate::ledger::{bytes, flops};
use crate::ui::dom;
use crate::ui::state::{Action, Phase, Role, Run, State, VisibleRun, percent, significant};
use yew::prelude::*;

/// The table under the chart.
pub struct Table;

impl Table {
    /// Draws it.
    pub fn of(shown: &[VisibleRun], state: &State, on: &Callback<Action>) -> Html {
        if shown.is_empty() {
            return html! {};
        }
        let elsewhere = state.runs.len() - shown.iter().filter(|s| !s.run.recorded).count();
        let removes = |title: &'static str, all: Vec<u32>, action: Action| {
            let on = on.clone();
            let onclick = Callback::from(move |event: MouseEvent| remove(&on, action.clone(), &event));
            (all.len() > 1).then(|| html! { <button type="button" class="remove-all" {onclick}>{ title }</button> })
        };
        let here = removes("Remove all", state.removable(false), Action::RemoveAll { elsewhere: false });
        let there = removes("Remove them", state.removable(true), Action::RemoveAll { elsewhere: true });
        let more = (elsewhere > 0).then(|| format!("{elsewhere} more on other tasks"));
        let more = (here.is_some() || more.is_some())
            .then(|| html! { <p class="caption">{ here }{ " " }{ more }{ " " }{ there }</p> });
        html! {
            <>
                <table>
                    <thead><tr>
                        <th scope="col">{ "run" }</th><th scope="col">{ "trained" }</th><th scope="col">{ "loss" }</th>
                        <th scope="col">{ state.config.task.metric() }</th><th scope="col">{ "ms/step" }</th>
                    </tr></thead>
                    <tbody>{ for shown.iter().map(|s| row(s, state, on)) }</tbody>
                </table>
                { more }
            </>
        }
    }
}

/// The class that gives a run's swatch the colour of its curve.
pub fn swatch(role: Role) -> String {
    match role {
        Role::Chosen => "swatch phi".into(),
        Role::Other(i) => format!("swatch data-{}", i % PALETTE + 1),
        Role::Reference => "swatch reference".into(),
    }
}

/// Colours of the palette, as the chart counts them.
const PALETTE: usize = 5;

fn row(shown: &VisibleRun, state: &State, on: &Callback<Action>) -> Html {
    let run = shown.run;
    let (badge, class) = match run.phase {
        _ if run.recorded => ("recorded", "recorded"),
        Phase::Elsewhere => ("in another tab", "elsewhere"),
        _ => ("live", "live"),
    };
    let (loss, accuracy, title) = match run.evaluation {
        Some(e) => (
            significant(e.loss),
            html! { <>{ percent(e.accuracy) }<span class="pm">{ format!(" ± {:.1}", 100.0 * e.half_width()) }</span></> },
            format!("after step {}, on {} held-out examples; ± is half the 95 % interval", e.step, grouped(e.n)),
        ),
        None => ("–".into(), html! { "–" }, String::new()),
    };
    let place = run.device.as_deref().map_or_else(String::new, |d| {
        format!("{}, seed {}, {} steps, lr {}", device(d), run.config.seed, run.steps, run.config.learning_rate())
    });
    // Two prose bases share a task: where one differs from the present base, its row says so.
    let base = (run.config.base != state.config.base).then(|| format!(" · {}", run.config.base.called()));
    let (memory, memory_title) = memory(run).unzip();
    let goes_on = state.can_go_on(run).then(|| {
        let (on, id) = (on.clone(), run.id);
        let onclick = Callback::from(move |_| on.emit(Action::GoOn(id)));
        let title = format!("Go on from step {} of {}, to the same curve", grouped(run.step), grouped(run.steps));
        html! { <button type="button" class="go-on" aria-label={format!("Go on with {}", shown.label)} {title} {onclick}>{ "Go on" }</button> }
    });
    let remove = run.is_removable().then(|| {
        let (on, id) = (on.clone(), run.id);
        let onclick = Callback::from(move |event: MouseEvent| remove(&on, Action::Remove(id), &event));
        html! { <button type="button" class="remove" aria-label={format!("Remove {}", shown.label)} title="Remove" {onclick}>{ "×" }</button> }
    });
    let key = if run.recorded { format!("recorded-{}", run.config.method.info().name) } else { run.id.to_string() };
    // A live run's φ is a click away: θ stays.
    let chooses = !run.recorded && shown.role != Role::Chosen;
    let name = if chooses {
        let (on, id) = (on.clone(), run.id);
        let onclick = Callback::from(move |_| on.emit(Action::LookAt(id)));
        html! { <button type="button" class="swap" title="Swap this φ in" {onclick}>{ &shown.label }{ base }</button> }
    } else {
        html! { <>{ &shown.label }{ base }</> }
    };
    html! {
        <tr {key}>
            <th scope="row" title={place}>
                <div class="run">
                    <span class={swatch(shown.role)} />
                    <span class="name">{ name }<span class={classes!("badge", class)}>{ badge }</span>{ goes_on }</span>
                    { remove }
                </div>
            </th>
            <td title={memory_title}>{ grouped(run.trainable) }{ for memory.map(needs) }</td>
            <td>{ loss }</td>
            <td {title}>{ accuracy }</td>
            <td title={time_title(run)}>
                { if run.ms > 0.0 && !run.recorded { significant(run.ms) } else { "–".into() } }
                { for run.cost.map(|(_, work)| needs(flops(work))) }
            </td>
        </tr>
    }
}

/// Takes runs off the page. Whoever pressed a key for it finds the way back under the next one.
fn remove(on: &Callback<Action>, action: Action, event: &MouseEvent) {
    on.emit(action);
    if event.detail() == 0 {
        dom::focus_soon(".notice:last-child .undo");
    }
}

/// The most bytes of a training step, counted where the trainer could, and what they are.
fn memory(run: &Run) -> Option<(String, String)> {
    let (expected, _) = run.cost?;
    Some(match run.peak {
        Some(counted) => {
            (bytes(counted), format!("memory of a step: {} counted, {} expected", bytes(counted), bytes(expected)))
        }
        None => (bytes(expected), format!("memory of a step: {} expected", bytes(expected))),
    })
}

fn time_title(run: &Run) -> &'static str {
    match run.recorded {
        true => "recorded on another machine: its times would not compare with yours; below, operations of a step",
        false => "milliseconds a step; below, its operations",
    }
}

/// A second line of a cell: what a step needs.
fn needs(what: String) -> Html {
    html! { <span class="needs">{ what }</span> }
}

/// A device as a person writes it.
pub fn device(name: &str) -> String {
    match name {
        "cpu" => "CPU".into(),
        "webgpu" => "WebGPU".into(),
        other => other.into(),
    }
}
