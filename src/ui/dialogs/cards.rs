//! What base and task are, as a dialog: how they were made, from what, and how far one gets without training.

use super::dialog::DialogFrame;
use crate::base::grouped;
use crate::bases::{Card, Figures, Made};
use crate::task::TaskConfig;
use crate::ui::state::{Action, State, percent};
use yew::prelude::*;

/// The dialog about base and task.
pub struct Cards;

impl Cards {
    /// Draws it.
    pub fn of(state: &State, on: &Callback<Action>) -> Html {
        html! {
            <DialogFrame open={state.card} label="Base and task" class="cards" close={Action::Card(false)} on={on.clone()}>
                { base(state) }
                { task(state) }
            </DialogFrame>
        }
    }
}

fn row(name: &str, value: impl Into<Html>) -> Html {
    html! { <tr><th scope="row">{ name }</th><td>{ value.into() }</td></tr> }
}

fn text(value: impl Into<String>) -> Html {
    html! { <>{ value.into() }</> }
}

fn base(state: &State) -> Html {
    let base = state.config.base;
    let model = state.config.shape().model;
    let shape = format!(
        "{} parameters: d {}, {} blocks, {} heads, context {}, vocabulary {}, {}",
        grouped(model.parameters()),
        model.hidden_size,
        model.num_hidden_layers,
        model.num_attention_heads,
        model.max_position_embeddings,
        grouped(model.vocab_size),
        model.activation_function.title()
    );
    let made = match state.cards.get(base.id) {
        Some(Some(card)) => of_card(card),
        _ => row("trained on", text(base.trained_on)),
    };
    html! {
        <section>
            <h2>{ format!("The base {}", base.called()) }</h2>
            <table><tbody>{ row("shape", text(shape)) }{ made }</tbody></table>
        </section>
    }
}

fn of_card(card: &Card) -> Html {
    let source = (!card.source.is_empty()).then(|| row("source", text(&card.source)));
    html! {
        <>
            { row("trained on", text(&card.data)) }
            { row("licence", text(&card.licence)) }
            { source }
            { card.made.as_ref().map(|made| of_made(&card.id, made)) }
        </>
    }
}

fn of_made(id: &str, made: &Made) -> Html {
    let how = format!(
        "{} steps, {:.1} million tokens, {:.0} minutes on one core; `cargo xtask pretrain {id}` makes it again",
        grouped(made.steps),
        made.tokens as f64 / 1e6,
        made.seconds / 60.0,
    );
    html! {
        <>
            { row("made by", text(how)) }
            { row(made.figures.heading(), text("")) }
            { for made.figures.rows().into_iter().map(|(name, value)| row(name, text(value))) }
            { row("while it was trained", curve(made)) }
        </>
    }
}

/// How the base got better.
fn curve(made: &Made) -> Html {
    const WIDTH: f64 = 320.0;
    const HEIGHT: f64 = 72.0;
    let value = |figures: &Figures, which: usize| match figures {
        Figures::Prose { bits_per_byte } => Some(*bits_per_byte),
        Figures::Rules { known, unseen, .. } => [known, unseen][which].last().copied(),
    };
    let names: &[&str] = match &made.figures {
        Figures::Prose { .. } => &["bits per byte"],
        Figures::Rules { .. } => &["known rules, 5 demonstrations", "never seen"],
    };
    let all: Vec<f64> =
        (0..names.len()).flat_map(|w| made.curve.iter().filter_map(move |j| value(&j.figures, w))).collect();
    let (low, high) = match &made.figures {
        Figures::Rules { .. } => (0.0, 1.0),
        _ => all.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), v| (a.min(*v), b.max(*v))),
    };
    let lines = names.iter().enumerate().map(|(which, name)| {
        let points: Vec<String> = (made.curve.iter())
            .filter_map(|j| {
                let x = WIDTH * j.step as f64 / made.steps.max(1) as f64;
                let y = 4.0 + (HEIGHT - 8.0) * (1.0 - (value(&j.figures, which)? - low) / (high - low).max(1e-9));
                Some(format!("{x:.1},{y:.1}"))
            })
            .collect();
        html! { <polyline class={if which == 0 { "first" } else { "second" }} points={points.join(" ")}><title>{ *name }</title></polyline> }
    });
    html! {
        <svg class="made" viewBox={format!("0 0 {WIDTH} {HEIGHT}")} role="img" aria-label={format!("{} over {} steps", names.join(", "), made.steps)}>{ for lines }</svg>
    }
}

fn task(state: &State) -> Html {
    let task = &state.config.task;
    let data = state.data();
    let sizes = match task {
        TaskConfig::Rules { .. } | TaskConfig::Questions { .. } => {
            "fresh strings without end, or as many as you set; 512 held out, never trained on".to_string()
        }
        TaskConfig::Text { of, .. } => {
            format!(
                "{} to train on, {} held out, {} labels",
                grouped(of.training()),
                grouped(of.held_out()),
                of.labels()
            )
        }
        TaskConfig::Extract { .. } => {
            "fresh sentences without end, or as many as you set; 300 held out: other names, numbers and words, half of them in templates that are never trained on".to_string()
        }
        task if task.is_answered() => "a fifth is held out".into(),
        TaskConfig::UserData { .. } => match data {
            Some(data) => format!(
                "{} to train on, {} held out, {} labels",
                grouped(data.training.len()),
                grouped(data.held_out.len()),
                data.labels.len()
            ),
            None => "the last tenth is held out, in windows of 96 tokens".into(),
        },
        TaskConfig::Style { .. } => {
            "60 kB of the author's book to train on, 16 kB held out, in windows of 96 tokens".into()
        }
    };
    let source = match (task, data) {
        (TaskConfig::Rules { .. } | TaskConfig::Questions { .. } | TaskConfig::Extract { .. }, _) => {
            "drawn on the fly; MIT or Apache-2.0".to_string()
        }
        (TaskConfig::Style { .. }, _) => {
            "Project Gutenberg books in the crates scrunch 0.14.0 and esaxx-rs 0.1.10; public domain".into()
        }
        (_, Some(data)) => data.source.clone(),
        (TaskConfig::UserData { .. }, None) => "your own; it never leaves this machine".into(),
        _ => "loading …".into(),
    };
    let baselines = state.baselines().or(data.and_then(|d| d.baselines));
    let linear = match task {
        task if task.is_written() => "bigram model",
        task if task.is_answered() => "answer of the nearest prompt",
        _ => "bag of words",
    };
    let judged = baselines.map(|b| {
        html! {
            <>
                { row("chance", text(percent(b.chance))) }
                { row("commonest answer", text(percent(b.majority))) }
                { row(linear, text(percent(b.bag_of_words))) }
            </>
        }
    });
    let before = state.before_training().map(|accuracy| row("the base before training", text(percent(accuracy))));
    html! {
        <section>
            <h2>{ format!("The task: {}", task.title()) }</h2>
            <table><tbody>
                { row("what it asks", text(task.description())) }
                { row("examples", text(sizes)) }
                { state.cut_of_task().map(|cut| row("length", text(cut))) }
                { row("source", text(source)) }
                { judged }
                { before }
            </tbody></table>
        </section>
    }
}
