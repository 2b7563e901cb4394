//! Train and its companions, and how far the run is.

use super::base_note::BaseNote;
use crate::base::grouped;
use crate::config::RunConfig;
use crate::ui::state::{Action, Phase, Run, State, StepMemory, Trainer, duration};
use yew::prelude::*;

/// The buttons and the progress of the latest run.
pub struct Controls;

impl Controls {
    /// Draws it.
    pub fn of(state: &State, on: &Callback<Action>) -> Html {
        let main = state.main_button();
        let loading = state.active().is_some_and(|r| matches!(r.phase, Phase::Loading(_)));
        let button = |title: &'static str, class: &'static str, disabled: bool, help: &'static str, action: Action| {
            let on = on.clone();
            let onclick = Callback::from(move |_| on.emit(action.clone()));
            html! { <button type="button" {class} {disabled} title={help} {onclick}>{ title }</button> }
        };
        let waits = loading && state.is_out_of_reach();
        html! {
            <div class="controls">
                <div class="buttons">
                    { button(main.title(), "main", waits, "Space", Action::Main) }
                    { button("Step", "", waits, "One step, then pause · s", Action::Step) }
                    { button("Stop", "", state.active().is_none(), "End the run; what it measured stays", Action::Stop) }
                    { button("Rewind", "", state.latest().is_none() || loading, "The same run again, exactly · r", Action::Rewind) }
                </div>
                { progress(state) }
                { BaseNote::of(state, on) }
            </div>
        }
    }
}

fn progress(state: &State) -> Html {
    if let Some(loading) = state.loading() {
        let width = format!("width:{:.2}%", 100.0 * loading.share());
        return html! {
            <div class="progress">
                <div class="bar"><div style={width} /></div>
                <p role="status">{ loading.line() }</p>
                { memory(state) }
            </div>
        };
    }
    let Some(run) = state.active().or_else(|| state.latest()) else {
        let waiting = || html! { <p>{ format!("{} steps, not started", grouped(state.config.steps)) }</p> };
        let waiting = BaseNote::time(state).unwrap_or_else(waiting);
        return html! { <div class="progress"><div class="bar" />{ waiting }{ memory(state) }</div> };
    };
    let (share, line) = match &run.phase {
        Phase::Loading(loading) if state.is_held() => (loading.share(), format!("{} · then paused", loading.line())),
        Phase::Loading(loading) => (loading.share(), loading.line()),
        // Where nothing is trained there are no steps.
        Phase::Finished if run.steps == 0 => (1.0, "scored without training".into()),
        phase => (run.step as f64 / run.steps.max(1) as f64, line(run, phase)),
    };
    let changed = (run.config != state.config && run.phase.is_active() && !run.queued)
        .then(|| html! { <p>{ "New settings apply to the next run." }</p> });
    let speed = (run.ms > 0.0 && run.tokens > 0 && changed.is_none()).then(|| {
        let rate = 1000.0 / run.ms;
        let workers = if run.workers > 1 { format!(" · {} workers", run.workers) } else { String::new() };
        html! { <p>{ format!("{} steps/s · {} tokens/s{workers}", steps_per_second(rate), grouped((rate * run.tokens as f64).round() as usize)) }</p> }
    });
    let width = format!("width:{:.2}%", 100.0 * share.clamp(0.0, 1.0));
    html! {
        <div class="progress">
            <div class="bar" role="progressbar" aria-label="Progress" aria-valuemin="0" aria-valuemax={run.steps.to_string()}
                aria-valuenow={run.step.to_string()}><div style={width} /></div>
            <p>{ line }</p>
            { speed }
            { changed }
            { BaseNote::time(state).filter(|_| run.config != state.config) }
            { (!run.phase.is_active()).then(|| memory(state)) }
            { queue(state) }
        </div>
    }
}

/// What a step takes of the tab's memory, where that is much; a GPU has its own.
fn memory(state: &State) -> Html {
    match state.trainer() {
        Some(Trainer::Cpu) => html! { <MemoryNote config={state.config.clone()} /> },
        _ => html! {},
    }
}

#[derive(Properties, PartialEq)]
struct MemoryNoteProps {
    config: RunConfig,
}

/// Traced anew only where the configuration has changed.
#[component]
fn MemoryNote(props: &MemoryNoteProps) -> Html {
    let memory = StepMemory::of(&props.config);
    let class = if memory.is_doubtful() { "fault" } else { "caption" };
    memory.told(&props.config).map_or_else(|| html! {}, |told| html! { <p {class} role="status">{ told }</p> })
}

/// How far the queue is.
fn queue(state: &State) -> Html {
    let queue = &state.queue;
    if !queue.is_running() {
        return html! {};
    }
    html! { <p>{ format!("run {} of {} in the queue", queue.done() + 1, queue.of) }</p> }
}

fn line(run: &Run, phase: &Phase) -> String {
    let steps = format!("step {} of {}", grouped(run.step), grouped(run.steps));
    let state = match phase {
        Phase::Running => run.time_left().map(|ms| format!("{} left", duration(ms))),
        Phase::Paused => Some("paused".into()),
        Phase::Stopped => Some("stopped".into()),
        Phase::Finished => Some("finished".into()),
        Phase::Failed(_) => Some("ended early".into()),
        Phase::Elsewhere => Some("in another tab".into()),
        Phase::Loading(_) => None,
    };
    state.map_or_else(|| steps.clone(), |state| format!("{steps} · {state}"))
}

/// `11`, or `0.42` for a slow one.
pub fn steps_per_second(rate: f64) -> String {
    if rate >= 10.0 { format!("{rate:.0}") } else { format!("{rate:.1}") }
}
