//! The slim bar: name, claim, device and speed, and what concerns the page as a whole.

use super::controls::steps_per_second;
use super::table::device;
use crate::config::RunConfig;
use crate::task::rules::Origin;
use crate::task::{TaskConfig, TextTask};
use crate::ui::dom;
use crate::ui::state::{Action, OWN_GRID, Phase, State, Trainer, WorkerPhase};
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// The bar at the top.
pub struct Header;

impl Header {
    /// Draws it.
    pub fn of(state: &State, on: &Callback<Action>) -> Html {
        let button = |title: &'static str, name: &'static str, pressed: Option<bool>, action: Action| {
            let on = on.clone();
            let onclick = Callback::from(move |_| on.emit(action.clone()));
            html! { <button type="button" aria-label={name} aria-pressed={pressed.map(|p| p.to_string())} title={name} {onclick}>{ title }</button> }
        };
        let first = state.experiments().into_iter().next().unwrap_or_else(|| OWN_GRID.into());
        html! {
            <header>
                <h1>{ "PEFT Lab" }</h1>
                <p class="claim">{ claim(&state.config) }</p>
                <span class="pill" role="status" aria-label="Device">{ pill(state) }</span>
                <CopyLink />
                { button(if state.present { "Leave" } else { "Present" }, "Present", Some(state.present), Action::Present) }
                { button("Experiments", "Experiments", None, Action::Experiment(Some(first))) }
                { button("?", "Help", None, Action::Help(true)) }
            </header>
        }
    }
}

/// What the page is for, in one line, with the share that the present method trains.
fn claim(config: &RunConfig) -> Html {
    if !config.trains() {
        return html! { <>{ "Show a transformer what you want in its prompt, and train " }<b class="phi">{ "nothing" }</b>{ " of it." }</> };
    }
    let share = 100.0 * config.trainable() as f64 / config.all_parameters() as f64;
    let share = match share {
        s if s >= 99.95 => "all".to_string(),
        s if s >= 1.0 => format!("{s:.0}\u{a0}%"),
        s if s >= 0.095 => format!("{s:.1}\u{a0}%"),
        s => format!("{s:.2}\u{a0}%"),
    };
    let before = match &config.task {
        TaskConfig::Rules { rule, .. } => match rule.origin() {
            Origin::Unseen => "Teach a transformer a rule it has never seen by training ",
            Origin::Known => "Remind a transformer of a rule it knows by training ",
            Origin::Outside => "Teach a transformer a rule from outside its world by training ",
        },
        TaskConfig::Questions { .. } => "Teach a transformer to answer yes or no by training ",
        TaskConfig::Text { of, .. } => match of {
            TextTask::Authors => "Teach a transformer to tell seven books apart by training ",
            TextTask::Dialogue => "Teach a transformer to tell speech from narration by training ",
            TextTask::Sentences | TextTask::Words => "Teach a transformer to tell six languages apart by training ",
            TextTask::Sentiment => "Teach a transformer to tell praise from blame by training ",
        },
        TaskConfig::Style { .. } => "Teach a transformer to write like one author by training ",
        task if task.is_written() => "Teach a transformer to write like your text by training ",
        TaskConfig::Extract { .. } => "Teach a transformer to put sentences into JSON by training ",
        task if task.is_answered() => "Teach a transformer to answer as you do by training ",
        TaskConfig::UserData { .. } => "Teach a transformer to sort your texts by training ",
    };
    html! { <>{ before }<b class="phi">{ share }</b>{ " of it, in this tab." }</> }
}

fn pill(state: &State) -> String {
    let running = state.active().filter(|r| r.phase == Phase::Running && r.ms > 0.0);
    if let Some(run) = running {
        let name = device(run.device.as_deref().unwrap_or_default());
        return format!("{name} · {} steps/s", steps_per_second(1000.0 / run.ms));
    }
    let trainer = state.active().and_then(|r| r.trainer).or(state.trainer());
    let Some(trainer) = trainer else { return "no WebGPU".into() };
    let name = match trainer {
        Trainer::Cpu => "CPU",
        Trainer::Gpu => "WebGPU",
    };
    match state.worker(trainer) {
        WorkerPhase::Ready { .. } if state.waits_for_gpu() => format!("{name} · ready, WebGPU being built"),
        WorkerPhase::Ready { .. } => match state.warming().filter(|_| trainer == Trainer::Gpu) {
            Some((done, of)) => format!("{name} · compiling, {done} of {of}"),
            None => format!("{name} · ready"),
        },
        WorkerPhase::Booting => format!("{name} · loading"),
        WorkerPhase::Absent => name.into(),
        WorkerPhase::Failed => format!("{name} · no trainer"),
    }
}

/// Copies the address; where the browser refuses, shows it selected.
#[component]
fn CopyLink() -> Html {
    let copied = use_state(|| None::<bool>);
    let onclick = {
        let copied = copied.clone();
        Callback::from(move |_: MouseEvent| {
            let copied = copied.clone();
            wasm_bindgen_futures::spawn_local(async move { copied.set(Some(dom::copy(&dom::address()).await)) });
        })
    };
    let onblur = {
        let copied = copied.clone();
        Callback::from(move |_: FocusEvent| copied.set(None))
    };
    if *copied == Some(false) {
        let onfocus = Callback::from(|event: FocusEvent| event.target_unchecked_into::<HtmlInputElement>().select());
        return html! { <input class="address" aria-label="Link to copy" readonly=true autofocus=true value={dom::address()} {onfocus} {onblur} /> };
    }
    let title = if *copied == Some(true) { "Copied" } else { "Copy link" };
    html! { <button type="button" title="The link holds the whole configuration" {onclick} {onblur}>{ title }</button> }
}
