//! A row for an example of the visitor's own.

use super::answers::{answers, right_answer};
use crate::task::{Labelled, TaskConfig, TextTask};
use crate::ui::state::{Action, FreeTexting, TryIt};
use std::rc::Rc;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// What the row is drawn from.
#[derive(Properties, PartialEq)]
pub struct TryItRowProps {
    pub task: TaskConfig,
    pub try_it: TryIt,
    pub data: Option<Rc<Labelled>>,
    pub on: Callback<Action>,
}

/// An input, and the answers to what was typed into it.
#[component]
pub fn TryItRow(props: &TryItRowProps) -> Html {
    let try_it = &props.try_it;
    let oninput = {
        let on = props.on.clone();
        Callback::from(move |event: InputEvent| {
            let input: HtmlInputElement = event.target_unchecked_into();
            on.emit(Action::EditTryIt(input.value()));
        })
    };
    let onsubmit = {
        let on = props.on.clone();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            on.emit(Action::AskTryIt);
        })
    };
    let (placeholder, right) = match &props.task {
        TaskConfig::Rules { rule, .. } => ("gkam", right_answer(rule, &try_it.text)),
        TaskConfig::Questions { .. } => ("gkam", None),
        TaskConfig::Text { of: TextTask::Words, .. } => ("a word of your own", None),
        task if task.is_written() => ("how a text begins", None),
        task if task.is_answered() && !matches!(task, TaskConfig::Extract { .. }) => ("a prompt of your own", None),
        _ => ("a sentence of your own", None),
    };
    let right = try_it.answer.as_ref().and_then(|a| a.right.clone()).or(right.filter(|_| try_it.answer.is_some()));
    let replies = match (&try_it.fault, &try_it.answer) {
        (Some(fault), _) => html! { <p class="fault" id="fault-own" role="alert">{ fault }</p> },
        (None, Some(item)) => html! {
            <>
                { answers(&props.task, Some(item), right.as_deref(), props.data.as_deref()) }
                { for try_it.cut().map(|cut| html! { <p class="cut" role="cell">{ cut }</p> }) }
            </>
        },
        (None, None) if try_it.waiting => html! { <p class="caption">{ "asking …" }</p> },
        (None, None) => html! { <p class="caption">{ hint(&props.task) }</p> },
    };
    let free = (!props.task.is_strings()).then(|| {
        let on = props.on.clone();
        let onclick = Callback::from(move |_: MouseEvent| on.emit(Action::FreeText(FreeTexting::Open(true))));
        html! { <button type="button" class="more" {onclick} title="Free text that the base goes on with, alone and with φ">{ "Write …" }</button> }
    });
    html! {
        <div class="row own" role="row">
            <form role="cell" {onsubmit}>
                <input type="text" aria-label="Try your own" {placeholder} value={try_it.text.clone()} {oninput} autocomplete="off"
                    autocapitalize="off" spellcheck="false" aria-invalid={try_it.fault.is_some().then_some("true")}
                    aria-describedby={try_it.fault.is_some().then_some("fault-own")} />
                <button type="submit">{ "Ask" }</button>
                { for free }
            </form>
            { replies }
        </div>
    }
}

fn hint(task: &TaskConfig) -> &'static str {
    match task {
        TaskConfig::Rules { .. } | TaskConfig::Questions { .. } => "Try your own: four letters from a to p.",
        TaskConfig::Text { of: TextTask::Words, .. } => "Try your own word.",
        task if task.is_written() => "Begin a text; the base goes on.",
        task if task.is_answered() && !matches!(task, TaskConfig::Extract { .. }) => "Try your own prompt.",
        _ => "Try your own sentence.",
    }
}
