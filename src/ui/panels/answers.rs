//! Answers as the page writes them: letters as tiles, labels by their titles.
//! They are judged where the right one is known.

use crate::protocol::{Answer, Prediction};
use crate::task::rules::{self, Rule};
use crate::task::{Labelled, TaskConfig};
use yew::prelude::*;

/// The three answers to one input; dashes where nobody has answered.
pub fn answers(task: &TaskConfig, item: Option<&Prediction>, right: Option<&str>, data: Option<&Labelled>) -> Html {
    let cell = |answer: Option<&Answer>| {
        let title = answer.map(|a| format!("probability {:.2}", a.probability));
        html! { <span role="cell" {title}>{ draw_answer(task, answer.map(|a| a.text.as_str()), right, data) }</span> }
    };
    html! {
        <>
            { cell(item.map(|i| &i.base)) }
            { cell(item.map(|i| &i.adapted)) }
            <span role="cell">{ draw_answer(task, right, None, data) }</span>
        </>
    }
}

/// The right answer to a visitor's own text, where there is one.
pub fn right_answer(rule: &Rule, text: &str) -> Option<String> {
    rules::parse_string(text).ok().map(|s| rules::text(&rule.apply(s)))
}

fn draw_answer(task: &TaskConfig, answer: Option<&str>, right: Option<&str>, data: Option<&Labelled>) -> Html {
    match (task, answer) {
        (TaskConfig::Rules { .. }, answer) => tiles(answer.unwrap_or("····"), answer.and(right)),
        (_, None) => html! { <span class="book none">{ "–" }</span> },
        (task, Some(text)) if task.is_answered() => {
            let (class, said) = judge(right.map(|r| r == text));
            html! { <span class={classes!("answer", class)} title={text.to_string()} aria-label={format!("{text}{said}")}>{ text }</span> }
        }
        (task, Some(text)) if task.is_written() => {
            html! { <span class="written" title={text.to_string()}>{ text }</span> }
        }
        (_, Some(label)) => {
            let found = data.and_then(|d| d.labels.iter().find(|l| l.label == label));
            let title = found.map_or_else(|| label.to_string(), |l| l.title.clone());
            let about = found.filter(|l| !l.about.is_empty()).map(|l| format!(", {}", l.about)).unwrap_or_default();
            let (class, said) = judge(right.map(|r| r == label));
            html! { <span class={classes!("book", class)} title={format!("{title}{about}")} aria-label={format!("{title}{said}")}>{ &title }</span> }
        }
    }
}

/// Letters as tiles, judged one by one where the right answer is known.
pub fn tiles(text: &str, right: Option<&str>) -> Html {
    let said = right.map_or("", |right| judge(Some(right == text)).1);
    let tile = |(i, letter): (usize, char)| {
        let (class, _) = judge(right.map(|right| right.chars().nth(i) == Some(letter)));
        html! { <span class={classes!("tile", class)} aria-hidden="true">{ letter }</span> }
    };
    html! { <span class="tiles" role="img" aria-label={format!("{text}{said}")}>{ for text.chars().take(8).enumerate().map(tile) }</span> }
}

/// Class and words of a judgement.
fn judge(right: Option<bool>) -> (Option<&'static str>, &'static str) {
    match right {
        Some(true) => (Some("right"), ", right"),
        Some(false) => (Some("wrong"), ", wrong"),
        None => (None, ""),
    }
}
