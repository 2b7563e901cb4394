//! A grid of the visitor's own, and recorded ones once more on this machine.

use super::experiment_figure::{axis_title, figure};
use crate::ui::state::{Action, GridField, State};
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

/// What to vary, the button that queues the runs, and their figure.
pub fn of(state: &State, on: &Callback<Action>) -> Html {
    let grid = &state.grid;
    let edit = |field: GridField| {
        let on = on.clone();
        Callback::from(move |event: InputEvent| {
            let input: HtmlInputElement = event.target_unchecked_into();
            on.emit(Action::EditGrid(field, input.value()));
        })
    };
    let field = |id: &'static str,
                 label: &'static str,
                 help: &'static str,
                 field: GridField,
                 value: &String,
                 hint: String| {
        html! {
            <div class="field" title={help}>
                <label for={id}>{ label }</label>
                <input {id} type="text" class="wide" autocomplete="off" spellcheck="false" placeholder={hint} value={value.clone()} oninput={edit(field)} />
            </div>
        }
    };
    let axes = state.grid_axes();
    let choose = {
        let on = on.clone();
        Callback::from(move |event: Event| {
            let select: HtmlSelectElement = event.target_unchecked_into();
            on.emit(Action::EditGrid(GridField::Axis, select.value()));
        })
    };
    let option = |axis: &&'static str| {
        html! { <option value={*axis} selected={grid.axis == *axis}>{ axis_title(axis) }</option> }
    };
    let runs = state.grid_sweep().map(|(_, runs)| runs.len());
    let untouched = grid.values.trim().is_empty();
    let told = match &runs {
        Err(message) if !untouched => html! { <p class="fault" role="alert">{ message }</p> },
        _ => html! {},
    };
    let start = {
        let on = on.clone();
        Callback::from(move |_: MouseEvent| on.emit(Action::RunGrid))
    };
    let title = runs.as_ref().map_or_else(|_| "Train".to_string(), |n| format!("Train {n} runs"));
    let measured = state.queue.measured.as_ref().filter(|m| !m.points.is_empty()).map(|measured| {
        html! {
            <>
                <p class="question">{ &measured.sweep.question }</p>
                { figure(&state.lines(measured), &measured.sweep.axis, on) }
            </>
        }
    });
    html! {
        <>
            <p class="question">{ format!("Vary one number over several methods and seeds, on {} and {}.", state.config.base.called(), state.config.task.title()) }</p>
            <div class="grid">
                { field("grid-methods", "Methods", "Names with commas between them, as in the address: lora, adapter, bitfit", GridField::Methods, &grid.methods, format!("{}, …", state.config.method.info().name)) }
                <div class="field"><label for="grid-axis">{ "Vary" }</label><select id="grid-axis" onchange={choose}>{ for axes.iter().map(option) }</select></div>
                { field("grid-values", "Values", "Numbers with commas between them", GridField::Values, &grid.values, "0.001, 0.01, 0.1".into()) }
                { field("grid-seeds", "Seeds", "How often, each time with another seed", GridField::Seeds, &grid.seeds, "1".into()) }
            </div>
            { told }
            <div class="files"><button type="button" disabled={runs.is_err() || state.queue.is_running()} onclick={start}>{ title }</button>{ progress(state, on) }</div>
            { measured }
        </>
    }
}

/// A button that trains a recorded figure's points on this machine.
pub fn again(state: &State, on: &Callback<Action>) -> Html {
    let n = state.figure_runs().len();
    let onclick = {
        let on = on.clone();
        Callback::from(move |_: MouseEvent| on.emit(Action::RunFigure))
    };
    let help = "One seed of each point, one after the other; each joins the figure as a ring";
    let button = (n > 0 && !state.queue.is_running()).then(|| {
        html! { <button type="button" title={help} {onclick}>{ format!("Train {n} of these points here") }</button> }
    });
    html! { <div class="files">{ button }{ progress(state, on) }</div> }
}

fn progress(state: &State, on: &Callback<Action>) -> Html {
    let queue = &state.queue;
    let failed = if queue.failed > 0 { format!(", {} diverged", queue.failed) } else { String::new() };
    if queue.is_running() {
        let on = on.clone();
        let onclick = Callback::from(move |_: MouseEvent| on.emit(Action::StopQueue));
        return html! {
            <>
                <button type="button" {onclick} title="The run under way goes on to its end">{ "Empty the queue" }</button>
                <span class="caption" role="status">{ format!("run {} of {}{failed}", queue.done() + 1, queue.of) }</span>
            </>
        };
    }
    match queue.of {
        0 => html! {},
        of => html! { <span class="caption" role="status">{ format!("{of} runs done{failed}") }</span> },
    }
}
