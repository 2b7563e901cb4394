//! Held-out examples: the input, the base's answer, the adapted answer, the right one.

use super::answers::{answers, tiles};
use super::try_it::TryItRow;
use crate::base::grouped;
use crate::protocol::{PartScore, Prediction};
use crate::task::Question;
use crate::task::extract::{self, Extracted, Subject};
use crate::task::rules::{self, Letters};
use crate::task::{Labelled, TaskConfig, TextTask, Verbalizer};
use crate::ui::state::{Action, State, percent};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::OnceLock;
use yew::prelude::*;

/// Three held-out examples and one of the visitor's own.
pub struct Examples;

impl Examples {
    /// Draws it.
    pub fn of(state: &State, on: &Callback<Action>) -> Html {
        let task = &state.config.task;
        let run = state.exemplary().filter(|r| !r.examples.is_empty());
        let when = run.map(|r| match (r.recorded, state.dialled_examples()) {
            (true, _) => "recorded".to_string(),
            (false, Some((lambda, _))) => format!("λ = {lambda:.2}"),
            (false, None) => format!("step {}", r.answered),
        });
        // A run's answers are in the words that it had.
        let labels = run.map_or(&state.config, |run| &run.config).wording().labels;
        let rows = state.examples().into_iter().map(|(index, item)| {
            html! { <Row task={task.clone()} {index} {item} data={state.data().cloned()} labels={labels.clone()} /> }
        });
        let heading = match task {
            TaskConfig::Rules { .. } => "held-out string",
            TaskConfig::Questions { .. } => "held-out string",
            TaskConfig::Text { of: TextTask::Words, .. } => "held-out word",
            task if task.is_written() => "text begins",
            TaskConfig::UserData { .. } if task.is_answered() => "held-out prompt",
            TaskConfig::UserData { .. } => "held-out text",
            _ => "held-out sentence",
        };
        html! {
            <div class={classes!("examples", shape(task))} role="table" aria-label="Examples">
                <div class="row head" role="row">
                    <span role="columnheader">{ heading }</span>
                    <span role="columnheader">{ "base alone" }</span>
                    <span role="columnheader">{ "with φ" }{ for when.map(|w| html! { <em>{ w }</em> }) }</span>
                    <span role="columnheader">{ "right answer" }</span>
                </div>
                { for rows }
                { for run.and_then(|run| parts(&run.parts)) }
                <TryItRow task={task.clone()} try_it={state.try_it.clone()} data={lettered(&labels, state.data()).cloned()} on={on.clone()} />
            </div>
        }
    }
}

/// What of answers that are written freely is right.
fn parts(parts: &[PartScore]) -> Option<Html> {
    let shares = parts.iter().map(|part| {
        html! { <span title={format!("of {}", grouped(part.n))}>{ format!("{} {}", part.name, percent(part.accuracy)) }</span> }
    });
    (!parts.is_empty()).then(|| {
        html! { <div class="parts" role="row"><span role="cell" aria-label="What is right">{ for shares }</span></div> }
    })
}

#[derive(Properties, PartialEq)]
struct RowProps {
    task: TaskConfig,
    index: Option<usize>,
    item: Option<Prediction>,
    data: Option<Rc<Labelled>>,
    labels: Verbalizer,
}

#[component]
fn Row(props: &RowProps) -> Html {
    let given = props.item.as_ref().map(|i| i.input.clone()).filter(|i| !i.is_empty());
    let (input, right) = held_out(&props.task, props.index, props.data.as_deref(), &props.labels);
    let input = given.or(input).unwrap_or_default();
    let right = right.or_else(|| props.item.as_ref().and_then(|i| i.right.clone()));
    let data = lettered(&props.labels, props.data.as_ref());
    html! {
        <div class="row" role="row">
            <span role="cell" class="input">{ draw_input(&props.task, &input) }</span>
            { answers(&props.task, props.item.as_ref(), right.as_deref(), data.map(Rc::as_ref)) }
        </div>
    }
}

/// What the letters of labels mean, where labels are letters: words speak for themselves.
fn lettered<'d>(labels: &Verbalizer, data: Option<&'d Rc<Labelled>>) -> Option<&'d Rc<Labelled>> {
    data.filter(|_| *labels == Verbalizer::Letters)
}

/// Input and right answer of a held-out example.
fn held_out(
    task: &TaskConfig,
    index: Option<usize>,
    data: Option<&Labelled>,
    labels: &Verbalizer,
) -> (Option<String>, Option<String>) {
    let Some(index) = index else { return (None, None) };
    match task {
        TaskConfig::Rules { rule, .. } => {
            let string = strings().get(index);
            (string.map(rules::text), string.map(|s| rules::text(&rule.apply(*s))))
        }
        TaskConfig::Questions { question, .. } => {
            let strings = question_strings(*question);
            let right = |s: &Letters| if question.answer(*s) { "yes".to_string() } else { "no".to_string() };
            (strings.get(index).map(rules::text), strings.get(index).map(right))
        }
        TaskConfig::Extract { subject, .. } => {
            let sentence = sentences(*subject).get(index).cloned();
            sentence.map_or((None, None), |sentence| (Some(sentence.text), Some(sentence.answer)))
        }
        // The trainer sends them with their answers.
        task if task.is_written() || task.is_answered() => (None, None),
        _ => {
            let Some(data) = data else { return (None, None) };
            let Some((label, text)) = data.held_out.get(index) else { return (None, None) };
            let right = match labels {
                Verbalizer::Letters => data.labels.get(*label).map(|l| l.label.clone()),
                Verbalizer::Titles => data.labels.get(*label).map(|l| l.title.clone()),
                Verbalizer::Words(words) => words.get(*label).cloned(),
            };
            (Some(text.clone()), right)
        }
    }
}

/// The held-out sentences about a subject, kept for the one that was asked last.
fn sentences(subject: Subject) -> Rc<Vec<Extracted>> {
    thread_local! {
        static SENTENCES: RefCell<Option<(Subject, Rc<Vec<Extracted>>)>> = const { RefCell::new(None) };
    }
    SENTENCES.with_borrow_mut(|kept| match kept {
        Some((of, sentences)) if *of == subject => sentences.clone(),
        _ => {
            let sentences = Rc::new(extract::held_out(subject));
            *kept = Some((subject, sentences.clone()));
            sentences
        }
    })
}

fn strings() -> &'static [Letters] {
    static STRINGS: OnceLock<Vec<Letters>> = OnceLock::new();
    STRINGS.get_or_init(rules::held_out)
}

/// The strings about which a question is asked, kept for the one that was asked last.
fn question_strings(question: Question) -> Rc<Vec<Letters>> {
    thread_local! {
        static STRINGS: RefCell<Option<(Question, Rc<Vec<Letters>>)>> = const { RefCell::new(None) };
    }
    STRINGS.with_borrow_mut(|kept| match kept {
        Some((of, strings)) if *of == question => strings.clone(),
        _ => {
            let strings = Rc::new(question.held_out());
            *kept = Some((question, strings.clone()));
            strings
        }
    })
}

/// The class that lays the rows out.
fn shape(task: &TaskConfig) -> &'static str {
    match task {
        TaskConfig::Rules { .. } => "rules",
        TaskConfig::Questions { .. } => "questions",
        task if task.is_written() => "style",
        task if task.is_answered() => "answered",
        _ => "texts",
    }
}

fn draw_input(task: &TaskConfig, input: &str) -> Html {
    match task {
        task if task.is_strings() => tiles(input, None),
        task if task.is_written() => html! { <span class="written" title={input.to_string()}>{ input }</span> },
        _ => html! { <q class="sentence" title={input.to_string()}>{ input }</q> },
    }
}
