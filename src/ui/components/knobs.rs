//! The chosen method's knobs, drawn from their description: a method brings its controls by describing them.

use super::fields::{Fault, Field, Kind, Select};
use crate::config::RunConfig;
use crate::peft::{Knob, Range, Value};
use crate::ui::state::{Action, Drafts, text_of};
use web_sys::HtmlInputElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct KnobsProps {
    pub config: RunConfig,
    pub drafts: Drafts,
    pub on: Callback<Action>,
}

/// All knobs of the chosen method.
#[component]
pub fn Knobs(props: &KnobsProps) -> Html {
    let info = props.config.method.info();
    // A text to start from only matters to a start from a text.
    let wanted = |knob: &&Knob| {
        !matches!(knob.range, Range::Text { .. }) || text_of(&props.config, &props.drafts, "init") == "text"
    };
    info.knobs.iter().filter(wanted).map(|knob| draw(knob, props)).collect()
}

fn draw(knob: &'static Knob, props: &KnobsProps) -> Html {
    let text = text_of(&props.config, &props.drafts, knob.name);
    let draft = props.drafts.get(knob.name).cloned();
    let on = props.on.clone();
    let (name, label, help) = (knob.name, knob.label, knob.help);
    match &knob.range {
        Range::Integer { min, max, steps } => html! {
            <Field {name} {label} {help} kind={Kind::Integer { min: *min, max: *max }} value={text.clone()} {draft} on={on.clone()}>
                { slider(knob, steps, &text, props) }
            </Field>
        },
        Range::Number { .. } => html! { <Field {name} {label} {help} kind={Kind::Number} value={text} {draft} {on} /> },
        Range::Text { max_chars } => html! {
            <Field {name} {label} {help} kind={Kind::Text { max_chars: *max_chars }} value={text} {draft} {on} />
        },
        Range::Choice(options) => {
            let options: Vec<_> = options
                .iter()
                .map(|(value, title)| (AttrValue::default(), AttrValue::from(*value), AttrValue::from(*title)))
                .collect();
            html! { <Select {name} {label} {help} {options} value={text} {draft} {on} /> }
        }
        Range::Set(options) => html! { <>{ chips(knob, options, &text, &on) }<Fault {name} {draft} /></> },
    }
}

/// A slider over the values that this base admits.
fn slider(knob: &'static Knob, steps: &[usize], text: &str, props: &KnobsProps) -> Html {
    let (shape, tokens) = (props.config.shape(), props.config.task.max_tokens());
    let admitted: Vec<usize> = steps
        .iter()
        .copied()
        .filter(|step| {
            let mut method = props.config.method.clone();
            method.method_mut().set(knob.name, Value::Integer(*step));
            method.method().check(&shape, tokens).map_or_else(|fault| fault.key != knob.name, |()| true)
        })
        .collect();
    let value: usize = text.parse().unwrap_or(0);
    let place = admitted.iter().enumerate().min_by_key(|(_, step)| step.abs_diff(value)).map_or(0, |(i, _)| i);
    let oninput = {
        let (on, admitted) = (props.on.clone(), admitted.clone());
        Callback::from(move |event: InputEvent| {
            let input: HtmlInputElement = event.target_unchecked_into();
            if let Some(step) = input.value().parse::<usize>().ok().and_then(|i| admitted.get(i)) {
                on.emit(Action::Set(knob.name, step.to_string()));
            }
        })
    };
    let last = admitted.len().saturating_sub(1);
    let fill = format!("--fill:{}%", 100 * place / last.max(1));
    html! {
        <input type="range" min="0" max={last.to_string()} step="1" value={place.to_string()} style={fill}
            aria-label={format!("{} slider", knob.label)} aria-valuetext={text.to_string()} {oninput} />
    }
}

/// Toggles for a set of which at least one stays chosen.
fn chips(
    knob: &'static Knob,
    options: &'static [(&'static str, &'static str)],
    text: &str,
    on: &Callback<Action>,
) -> Html {
    let chosen: Vec<&str> = text.split(',').filter(|s| !s.is_empty()).collect();
    let chip = |(value, title): &(&'static str, &'static str)| {
        let pressed = chosen.contains(value);
        let toggled: Vec<&str> = options
            .iter()
            .map(|(v, _)| *v)
            .filter(|v| if v == value { !pressed } else { chosen.contains(v) })
            .collect();
        let (on, toggled) = (on.clone(), toggled.join(","));
        let onclick = Callback::from(move |_| on.emit(Action::Set(knob.name, toggled.clone())));
        let face = match title.split_once('_') {
            Some((letter, index)) => html! { <>{ letter }<sub>{ index }</sub></> },
            None => html! { { *title } },
        };
        html! { <button type="button" class="chip" aria-pressed={pressed.to_string()} aria-label={*title} {onclick}>{ face }</button> }
    };
    html! {
        <div class="set" role="group" aria-label={knob.label} title={knob.help}>
            <span class="label" aria-hidden="true">{ knob.label }</span>
            <span class="chips">{ for options.iter().map(chip) }</span>
        </div>
    }
}
