//! Base, task and rule.

use super::fields::{Choice, Field, Kind, Select, choices};
use crate::bases::{BASES, Base};
use crate::config::{Key, RunConfig, keys};
use crate::peft::Range;
use crate::task::rules::{OFFERED, Origin, Rule};
use crate::task::{Labelled, TaskConfig, UserData, Verbalizer};
use crate::ui::state::{Action, Drafts, text_of};
use std::rc::Rc;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct PickerProps {
    pub config: RunConfig,
    pub drafts: Drafts,
    /// The tasks whose examples this site carries.
    pub tasks: Vec<&'static str>,
    /// What the visitor brought.
    pub data: Vec<UserData>,
    /// The task's examples, where they are here.
    pub examples: Option<Rc<Labelled>>,
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
    let select = |key: &'static Key, options: Vec<Choice>, help: AttrValue| {
        html! {
            <Select name={key.name} label={key.label} {options} value={key.text(config)} {help}
                draft={props.drafts.get(key.name).cloned()} on={props.on.clone()} />
        }
    };
    let of_tasks = [&keys::RULE, &keys::QUESTION, &keys::UNIT, &keys::AUTHOR, &keys::SUBJECT, &keys::DATA];
    let choice = of_tasks.into_iter().filter(|key| key.is_of(config)).filter_map(|key| {
        let options = options(key, props);
        (!options.is_empty()).then(|| select(key, options, key.help.into()))
    });
    let words: Vec<Html> =
        keys::WORDING.into_iter().filter(|key| is_shown(key, props)).map(|key| field(key, props)).collect();
    html! {
        <>
            <div class="picker">
                { select(&keys::BASE, bases, config.base.trained_on.into()) }
                { select(&keys::TASK, tasks, config.task.description().into()) }
                { for choice }
            </div>
            { (!words.is_empty()).then(|| html! { <div class="words">{ for words }</div> }) }
        </>
    }
}

/// Whether words matter here: on a base that knows some, where examples are shown with their labels, and where somebody
/// has set them.
fn is_shown(key: &Key, props: &PickerProps) -> bool {
    let config = &props.config;
    let shows = config.methods().any(|m| m.method().demonstrations().is_some());
    let knows = config.base.knows_words() && (config.task.label_count().is_some() || config.task.is_answered());
    let is_set = key.get(config).is_some() || props.drafts.contains_key(key.name);
    key.is_of(config) && (knows || is_set || shows && key.name == keys::TEMPLATE.name)
}

/// Words of the task, with what holds in the place of an empty field.
fn field(key: &'static Key, props: &PickerProps) -> Html {
    let (config, name) = (&props.config, key.name);
    let default = (key.default)(config);
    let titles = props.examples.as_ref().filter(|_| key.name == keys::LABELS.name && default == Verbalizer::TITLES);
    let placeholder = match titles {
        Some(data) => data.labels.iter().map(|label| label.title.as_str()).collect::<Vec<_>>().join(","),
        None => default,
    };
    let max_chars = match key.range {
        Some(Range::Text { max_chars }) => max_chars,
        _ => 0,
    };
    html! {
        <Field {name} label={key.label} help={key.help} kind={Kind::Text { max_chars }} {placeholder}
            value={text_of(config, &props.drafts, name)} draft={props.drafts.get(name).cloned()} on={props.on.clone()} />
    }
}

/// What a task's choice is made among; empty where there is nothing to choose.
fn options(key: &Key, props: &PickerProps) -> Vec<Choice> {
    match (&key.range, &props.config.task) {
        (Some(Range::Choice(options)), _) => choices(options),
        (_, TaskConfig::Rules { rule, .. }) => rules(rule),
        (_, TaskConfig::UserData { .. }) if props.data.len() > 1 => {
            let title = |d: &UserData| (AttrValue::default(), d.name.clone().into(), d.title().to_string().into());
            props.data.iter().map(title).collect()
        }
        _ => Vec::new(),
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
        "extract" => "sentence to JSON",
        "own" => "your data",
        _ => "film opinions",
    }
}

/// The offered rules under headings that say what the base knows of them; one from the address joins its
/// group.
fn rules(chosen: &Rule) -> Vec<Choice> {
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
