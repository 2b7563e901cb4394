//! The right column: curves, the table of runs, and what a run that learnt nothing has to say.

use super::run_cost;
use super::run_files::RunFiles;
use super::spread;
use super::table::Table;
use crate::task::{Baselines, TaskConfig};
use crate::ui::chart::{Chart, Reference, Series, Tone, Unit};
use crate::ui::state::{Action, Recordings, Role, State, Tab, VisibleRun, verdict};
use std::rc::Rc;
use yew::prelude::*;

/// Tabs, chart, table.
pub struct ResultsPanel;

impl ResultsPanel {
    /// Draws it.
    pub fn of(state: &State, on: &Callback<Action>) -> Html {
        let shown = state.visible_runs();
        let steps = shown.iter().map(|s| s.run.steps).chain([state.config.steps]).max().unwrap_or(1);
        let (unit, references) = match state.tab {
            Tab::Accuracy => {
                let linear = linear(&state.config.task);
                (Unit::Percent, state.baselines().map(|b| references(&b, linear)).unwrap_or_default())
            }
            Tab::Loss => (Unit::Loss, Vec::new()),
            Tab::Gradient => (Unit::Plain, Vec::new()),
            Tab::Kept if state.config.task.is_strings() => (Unit::Percent, Vec::new()),
            Tab::Kept => (Unit::Loss, Vec::new()),
        };
        let mut series: Vec<Series> = shown.iter().flat_map(|s| curves(s, state.tab, steps)).collect();
        // What is drawn last lies on top: the run one looks at.
        series.reverse();
        let empty = series.iter().all(|s| s.points.is_empty());
        let word = match (empty, state.recordings(), state.tab) {
            (false, ..) => None,
            (_, _, Tab::Kept) if !state.config.forgetting => Some(
                "What the base could do before, while it learns something else: switch on “Measure forgetting” under Optimizer, then train.",
            ),
            (_, _, Tab::Kept) => Some("What the base could do before draws here while a run trains."),
            (_, _, Tab::Gradient) => Some("The gradient's norm draws here while a run trains."),
            (_, Recordings::Loading, _) => Some("Loading the recorded run …"),
            _ => Some("No recorded run of this task. Press Train to draw one."),
        };
        let metric = metric(state);
        let label = match state.tab {
            Tab::Accuracy => format!("Held-out {} by step", state.config.task.metric()),
            Tab::Loss => "Loss by step: training and held-out".to_string(),
            Tab::Gradient => "Norm of φ's gradient by step".to_string(),
            Tab::Kept if state.config.task.is_strings() => {
                "Known rules shown by demonstrations: exact match by step".to_string()
            }
            Tab::Kept => "Loss on prose that nobody trained on, by step".to_string(),
        };
        let judgement = shown
            .first()
            .and_then(|s| verdict(s.run, state.reference()))
            .map(|text| html! { <p class="verdict" role="status">{ text }</p> });
        html! {
            <section class="happens" aria-label="Results">
                <div class="curves">
                    <Tabs tab={state.tab} metric={metric.clone()} on={on.clone()} />
                    <div class="chart-frame" role="tabpanel" aria-label={label.clone()}>
                        <Chart {series} {references} {unit} {steps} {label} />
                        { for word.map(|word| html! { <p class="empty">{ word }</p> }) }
                    </div>
                </div>
                // Outside of what scrolls: however many runs there are, it is in sight.
                { judgement }
                <div class="runs">
                    { Table::of(&shown, state, on) }
                    { run_cost::of(&shown) }
                    { spread::of(state, on) }
                    { RunFiles::of(state, on) }
                </div>
            </section>
        }
    }
}

/// What scores without a transformer, in a word or two.
fn linear(task: &TaskConfig) -> &'static str {
    match task {
        task if task.is_written() => "bigram",
        task if task.is_answered() => "nearest prompt",
        _ => "bag of words",
    }
}

/// `Exact match`, `Accuracy`
pub fn metric(state: &State) -> String {
    let metric = state.config.task.metric();
    metric.chars().next().map(|c| c.to_uppercase().chain(metric.chars().skip(1)).collect()).unwrap_or_default()
}

fn tone(role: Role) -> Tone {
    match role {
        Role::Chosen => Tone::Phi,
        Role::Other(i) => Tone::Palette(i),
        Role::Reference => Tone::Reference,
    }
}

/// The curves of one run under a tab.
fn curves(shown: &VisibleRun, tab: Tab, steps: usize) -> Vec<Series> {
    let run = shown.run;
    let badge = if run.recorded { "recorded" } else { "live" };
    let dashed = shown.role == Role::Reference;
    let live = shown.role == Role::Chosen && !run.recorded;
    let id =
        if run.recorded { format!("recorded-{}", run.config.method.info().name) } else { format!("run-{}", run.id) };
    let series = |what: &str, label: String, live: bool, dashed: bool, points: &Rc<Vec<(f64, f64)>>| Series {
        id: format!("{id}-{what}").into(),
        label: label.into(),
        badge: badge.into(),
        tone: tone(shown.role),
        dashed,
        live,
        points: points.clone(),
    };
    match tab {
        // Nothing is trained: one score, which holds at every step.
        Tab::Accuracy if run.steps == 0 => {
            let score = run.accuracy.points().last().map(|(_, accuracy)| *accuracy);
            let line = score.map(|a| vec![(0.0, a), (steps as f64, a)]).unwrap_or_default();
            vec![series("accuracy", shown.label.clone(), false, true, &Rc::new(line))]
        }
        Tab::Accuracy => vec![series("accuracy", shown.label.clone(), live, dashed, run.accuracy.points())],
        Tab::Kept if run.config.task.is_strings() => {
            vec![series("kept", shown.label.clone(), live, dashed, run.kept_accuracy.points())]
        }
        Tab::Kept => vec![series("kept", shown.label.clone(), live, dashed, run.kept_loss.points())],
        Tab::Loss if shown.role == Role::Chosen => vec![
            series("held-out", format!("{}, held-out", shown.label), live, false, run.held_out_loss.points()),
            series("training", "training".into(), false, true, run.training_loss.points()),
        ],
        Tab::Loss => vec![series("held-out", shown.label.clone(), false, dashed, run.held_out_loss.points())],
        Tab::Gradient if run.recorded => Vec::new(),
        Tab::Gradient => vec![series("gradient", shown.label.clone(), live, dashed, run.grad_norm.points())],
    }
}

/// Baselines as lines; those that fall together share a label.
fn references(baselines: &Baselines, linear: &str) -> Vec<Reference> {
    const APART: f64 = 0.02;
    let mut lines: Vec<(String, f64)> = Vec::new();
    for (label, value) in
        [("chance", baselines.chance), ("majority", baselines.majority), (linear, baselines.bag_of_words)]
    {
        match lines.iter_mut().find(|(_, v)| (*v - value).abs() < APART) {
            Some((names, _)) => *names = format!("{names}, {label}"),
            None => lines.push((label.to_string(), value)),
        }
    }
    lines.into_iter().map(|(label, value)| Reference { label: label.into(), value }).collect()
}

#[derive(Properties, PartialEq)]
struct TabsProps {
    tab: Tab,
    metric: String,
    on: Callback<Action>,
}

#[component]
fn Tabs(props: &TabsProps) -> Html {
    let tab = |tab: Tab| {
        let on = props.on.clone();
        let onclick = Callback::from(move |_| on.emit(Action::Tab(tab)));
        let title = match tab {
            Tab::Accuracy => props.metric.clone(),
            Tab::Loss => "Loss".into(),
            Tab::Gradient => "Gradient norm".into(),
            Tab::Kept => "Forgetting".into(),
        };
        html! { <button type="button" role="tab" aria-selected={(tab == props.tab).to_string()} {onclick}>{ title }</button> }
    };
    html! { <div class="tabs" role="tablist" aria-label="Chart">{ for Tab::ALL.into_iter().map(tab) }</div> }
}
