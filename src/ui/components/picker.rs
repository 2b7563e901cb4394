//! Base, task and rule.

use super::fields::{Fault, Select};
use crate::config::RunConfig;
use crate::model::BASES;
use crate::task::TaskConfig;
use crate::task::rules::{OFFERED, Origin, Rule};
use crate::ui::state::{Action, Drafts};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct PickerProps {
    pub config: RunConfig,
    pub drafts: Drafts,
    pub on: Callback<Action>,
}

/// What is fine-tuned, and on what.
#[component]
pub fn Picker(props: &PickerProps) -> Html {
    let config = &props.config;
    let bases: Vec<_> =
        BASES.iter().map(|b| (AttrValue::default(), AttrValue::from(b.id), AttrValue::from(b.title))).collect();
    let tasks =
        TaskConfig::NAMES.map(|name| (AttrValue::default(), AttrValue::from(name), AttrValue::from(task_title(name))));
    let rule = match &config.task {
        TaskConfig::Rules { rule, .. } => html! {
            <Select name="rule" label="Rule" options={rules(rule)} value={rule.to_string()} on={props.on.clone()}
                draft={props.drafts.get("rule").cloned()} help="The rule to learn, with no demonstration and no hint but the answers." />
        },
        TaskConfig::Authors { .. } => html! { <Fault name="rule" draft={None::<crate::ui::state::Draft>} /> },
    };
    html! {
        <div class="picker">
            <Select name="base" label="Base" options={bases} value={config.base.id} on={props.on.clone()} help={config.base.trained_on} />
            <Select name="task" label="Task" options={tasks.to_vec()} value={config.task.name()} on={props.on.clone()} help={config.task.description()} />
            { rule }
        </div>
    }
}

fn task_title(name: &str) -> &'static str {
    match name {
        "rules" => "string rules",
        _ => "authors",
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
