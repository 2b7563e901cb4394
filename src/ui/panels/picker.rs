//! Base, task and rule.

use super::fields::{Fault, Select};
use crate::bases::{BASES, Base};
use crate::config::RunConfig;
use crate::task::rules::{OFFERED, Origin, Rule};
use crate::task::{Question, TaskConfig, TextTask, UserData, style};
use crate::ui::state::{Action, Drafts};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct PickerProps {
    pub config: RunConfig,
    pub drafts: Drafts,
    /// The tasks whose examples this site carries.
    pub tasks: Vec<&'static str>,
    /// What the visitor brought.
    pub data: Vec<UserData>,
    pub on: Callback<Action>,
}

/// What is fine-tuned, and on what.
#[component]
pub fn Picker(props: &PickerProps) -> Html {
    let config = &props.config;
    let bases: Vec<_> = BASES
        .iter()
        .chain(Base::own())
        .map(|b| (AttrValue::default(), AttrValue::from(b.id), AttrValue::from(b.title)))
        .collect();
    let tasks = props.tasks.iter().map(|name| {
        let strings = TaskConfig::named(name).is_some_and(|task| task.is_strings());
        let group = if *name == "own" {
            "Yours"
        } else if strings {
            "On strings"
        } else {
            "On prose"
        };
        // Data of one's own has a name.
        let title = match *name == config.task.name() && *name == "own" {
            true => config.task.title(),
            false => task_title(name).to_string(),
        };
        (AttrValue::from(group), AttrValue::from(*name), AttrValue::from(title))
    });
    let tasks: Vec<_> = tasks.collect();
    let draft = |name: &str| props.drafts.get(name).cloned();
    let option = |value: &'static str, title: &'static str| {
        (AttrValue::default(), AttrValue::from(value), AttrValue::from(title))
    };
    let choice = match &config.task {
        TaskConfig::Rules { rule, .. } => html! {
            <Select name="rule" label="Rule" options={rules(rule)} value={rule.to_string()} on={props.on.clone()}
                draft={draft("rule")} help="The rule to learn, with no demonstration and no hint but the answers." />
        },
        TaskConfig::Questions { question, .. } => html! {
            <Select name="question" label="Question" options={Question::all().map(|q| option(q.name(), q.title())).collect::<Vec<_>>()}
                value={question.name()} on={props.on.clone()} draft={draft("question")} help="What is asked of four letters." />
        },
        TaskConfig::Text { of: of @ (TextTask::Sentences | TextTask::Words), .. } => html! {
            <Select name="unit" label="Of" options={vec![option("sentence", "a sentence"), option("word", "a word")]}
                value={if *of == TextTask::Words { "word" } else { "sentence" }} on={props.on.clone()} draft={draft("unit")}
                help="How much of a language there is to tell it by." />
        },
        TaskConfig::UserData { data, .. } if props.data.len() > 1 => {
            let titles = props.data.iter().map(|d| {
                (AttrValue::default(), AttrValue::from(d.name.clone()), AttrValue::from(d.title().to_string()))
            });
            html! {
                <Select name="data" label="Data" options={titles.collect::<Vec<_>>()} value={data.name.clone()} on={props.on.clone()}
                    draft={draft("data")} help="Which of the data that you brought." />
            }
        }
        TaskConfig::Text { .. } | TaskConfig::UserData { .. } => {
            html! { <Fault name="rule" draft={None::<crate::ui::state::Draft>} /> }
        }
        TaskConfig::Style { author } => html! {
            <Select name="author" label="Author" options={style::AUTHORS.map(|(name, title)| option(name, title)).to_vec()}
                value={style::AUTHORS[*author].0} on={props.on.clone()} draft={draft("author")} help="Whose book the base learns to go on with." />
        },
    };
    html! {
        <div class="picker">
            <Select name="base" label="Base" options={bases} value={config.base.id} on={props.on.clone()} help={config.base.trained_on} />
            <Select name="task" label="Task" options={tasks} value={config.task.name()} on={props.on.clone()} help={config.task.description()} />
            { choice }
        </div>
    }
}

fn task_title(name: &str) -> &'static str {
    match name {
        "rules" => "string rules",
        "questions" => "yes or no",
        "authors" => "authors",
        "dialogue" => "speech or narration",
        "language" => "languages",
        "style" => "style of an author",
        "own" => "your data",
        _ => "film opinions",
    }
}

/// The offered rules under headings that say what the base knows of them; one from the address joins its group.
fn rules(chosen: &Rule) -> Vec<(AttrValue, AttrValue, AttrValue)> {
    let mut offered: Vec<Rule> = OFFERED.iter().filter_map(|name| Rule::parse(name).ok()).collect();
    if !offered.contains(chosen) {
        offered.push(chosen.clone());
    }
    [Origin::Unseen, Origin::Known, Origin::Outside]
        .into_iter()
        .flat_map(|origin| {
            offered.iter().filter(move |rule| rule.origin() == origin).map(move |rule| {
                (AttrValue::from(origin.title()), AttrValue::from(rule.to_string()), AttrValue::from(rule.title()))
            })
        })
        .collect()
}
