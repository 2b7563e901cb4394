//! The chosen method's knobs, drawn from their description: a method brings its controls by describing them.

use super::fields::{Fault, Field, Kind, Select, choices};
use crate::config::RunConfig;
use crate::model::Target;
use crate::peft::{Blocks, Knob, MethodConfig, Range, Value};
use crate::ui::dom::unfolded;
use crate::ui::state::{Action, Drafts, text_of};
use web_sys::HtmlInputElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct KnobsProps {
    pub config: RunConfig,
    pub drafts: Drafts,
    pub on: Callback<Action>,
}

/// All knobs of the chosen methods, and what there is to know about them.
#[component]
pub fn Knobs(props: &KnobsProps) -> Html {
    let several = !props.config.also.is_empty();
    let shape = props.config.shape();
    let of_method = |method: &MethodConfig| {
        let info = method.info();
        let shown = |knob: &&Knob| is_shown(knob, method, props);
        let (more, first): (Vec<&Knob>, Vec<&Knob>) = info.knobs.iter().filter(shown).partition(|knob| knob.advanced);
        let more = (!more.is_empty()).then(|| {
            html! {
                <More key={info.name} set={more.iter().any(|k| method.get(k.name) != default(info.name, k.name))}>
                    { for more.iter().map(|knob| draw(knob, method, props)) }
                </More>
            }
        });
        let title = several.then(|| html! { <p class="of">{ info.title }</p> });
        let note = method.method().note(&shape).map(|note| html! { <p class="caption note">{ note }</p> });
        html! { <>{ title }{ for first.iter().map(|knob| draw(knob, method, props)) }{ more }{ note }</> }
    };
    html! { <div class="knobs">{ for props.config.methods().map(of_method) }</div> }
}

/// Whether the knob matters now: another one has the value that it needs, or is about to.
fn is_shown(knob: &Knob, method: &MethodConfig, props: &KnobsProps) -> bool {
    knob.shown_when.is_none_or(|(other, value)| {
        method.get(other).as_deref() == Some(value)
            || text_of(&props.config, &props.drafts, props.config.static_key(method, other)) == value
    })
}

fn default(method: &str, knob: &str) -> Option<String> {
    MethodConfig::named(method).and_then(|m| m.get(knob))
}

#[derive(Properties, PartialEq)]
struct MoreProps {
    /// Whether something in it is not at its default.
    set: bool,
    children: Html,
}

/// What few visitors need, folded away unless it has been set.
#[component]
fn More(props: &MoreProps) -> Html {
    // Opens where something is set, and never closes by itself.
    let opened = use_mut_ref(|| false);
    *opened.borrow_mut() |= props.set;
    let open = *opened.borrow();
    html! { <details class="more" {open} ontoggle={unfolded}><summary>{ "More" }</summary>{ props.children.clone() }</details> }
}

fn draw(knob: &'static Knob, method: &MethodConfig, props: &KnobsProps) -> Html {
    let name = props.config.static_key(method, knob.name);
    let text = text_of(&props.config, &props.drafts, name);
    let draft = props.drafts.get(name).cloned();
    let on = props.on.clone();
    let (label, help) = (knob.label, knob.help);
    match &knob.range {
        Range::Integer { min, max, steps } => html! {
            <Field {name} {label} {help} kind={Kind::Integer { min: *min, max: *max }} value={text.clone()} {draft} on={on.clone()}>
                { slider(knob, name, method, steps, &text, props) }
            </Field>
        },
        Range::Number { .. } | Range::Seed => {
            html! { <Field {name} {label} {help} kind={Kind::Number} value={text} {draft} {on} /> }
        }
        Range::Text { max_chars } => html! {
            <Field {name} {label} {help} kind={Kind::Text { max_chars: *max_chars }} value={text} {draft} {on} />
        },
        Range::Choice(options) => {
            html! { <Select {name} {label} {help} options={choices(options)} value={text} {draft} {on} /> }
        }
        Range::Set(options) => {
            let model = &props.config.shape().model;
            // Of matrices those that the base has, as it calls them.
            let titled = |(value, title): &(&str, &str)| match Target::from_module(value) {
                Some(target) if !Target::of(model).contains(&target) => None,
                Some(target) => Some((value.to_string(), target.label(model).to_string())),
                None => Some((value.to_string(), title.to_string())),
            };
            let all: Vec<&str> = options.iter().map(|(value, _)| *value).collect();
            let options: Vec<(String, String)> = options.iter().filter_map(titled).collect();
            html! { <>{ chips(knob, name, &all, &options, &text, |chosen| chosen.join(","), &on) }<Fault {name} {draft} /></> }
        }
        Range::Blocks => {
            let n = props.config.shape().model.num_hidden_layers;
            let options: Vec<(String, String)> = (0..n).map(|i| (i.to_string(), format!("{}", i + 1))).collect();
            let text =
                Blocks::parse(&text).unwrap_or_default().list(n).iter().map(usize::to_string).collect::<Vec<_>>();
            let written = move |chosen: Vec<&str>| {
                Blocks::of(chosen.iter().filter_map(|c| c.parse().ok()).collect(), n).to_string()
            };
            let all: Vec<&str> = options.iter().map(|(value, _)| value.as_str()).collect();
            html! { <>{ chips(knob, name, &all, &options, &text.join(","), written, &on) }<Fault {name} {draft} /></> }
        }
        Range::Flag => {
            let pressed = text == "true";
            let onclick = Callback::from(move |_| on.emit(Action::Set(name, (!pressed).to_string())));
            html! {
                <div class="set" title={help}>
                    <span class="chips"><button type="button" class="chip" aria-pressed={pressed.to_string()} {onclick}>{ label }</button></span>
                    <Fault {name} {draft} />
                </div>
            }
        }
    }
}

/// A slider over the values that this base admits.
fn slider(
    knob: &'static Knob,
    name: &'static str,
    method: &MethodConfig,
    steps: &[usize],
    text: &str,
    props: &KnobsProps,
) -> Html {
    let (shape, tokens) = (props.config.shape(), props.config.max_tokens());
    let admitted: Vec<usize> = steps
        .iter()
        .copied()
        .filter(|step| {
            let mut method = method.clone();
            method.method_mut().set(knob.name, Value::Integer(*step));
            props.config.check_method(&method, &shape, tokens).map_or_else(|fault| fault.key != knob.name, |()| true)
        })
        .collect();
    let value: usize = text.parse().unwrap_or(0);
    let place = admitted.iter().enumerate().min_by_key(|(_, step)| step.abs_diff(value)).map_or(0, |(i, _)| i);
    let oninput = {
        let (on, admitted) = (props.on.clone(), admitted.clone());
        Callback::from(move |event: InputEvent| {
            let input: HtmlInputElement = event.target_unchecked_into();
            if let Some(step) = input.value().parse::<usize>().ok().and_then(|i| admitted.get(i)) {
                on.emit(Action::Set(name, step.to_string()));
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

/// A set with one of its values added or taken out, in the order of all values. Those that a base lacks, and are not
/// offered, stay as they are; nothing is left where none that is offered stays.
fn toggled<'a>(all: &[&'a str], offered: &[&str], chosen: &[&str], value: &str) -> Vec<&'a str> {
    let stays = |v: &&&str| chosen.contains(*v) != (**v == value);
    let left: Vec<&str> = all.iter().filter(stays).copied().collect();
    if left.iter().any(|v| offered.contains(v)) { left } else { Vec::new() }
}

/// Toggles for those of a set's values that are offered, by (value, title), of which at least one stays chosen.
fn chips(
    knob: &'static Knob,
    name: &'static str,
    all: &[&str],
    options: &[(String, String)],
    text: &str,
    written: impl Fn(Vec<&str>) -> String,
    on: &Callback<Action>,
) -> Html {
    let chosen: Vec<&str> = text.split(',').filter(|s| !s.is_empty()).collect();
    let offered: Vec<&str> = options.iter().map(|(value, _)| value.as_str()).collect();
    let chip = |(value, title): &(String, String)| {
        let pressed = chosen.contains(&value.as_str());
        let toggled = toggled(all, &offered, &chosen, value);
        let toggled = if toggled.is_empty() { String::new() } else { written(toggled) };
        let on = on.clone();
        let onclick = Callback::from(move |_| on.emit(Action::Set(name, toggled.clone())));
        let face = match title.split_once('_') {
            Some((letter, index)) => html! { <>{ letter }<sub>{ index }</sub></> },
            None => html! { { title } },
        };
        let spoken = if matches!(knob.range, Range::Blocks) { format!("Block {title}") } else { title.clone() };
        html! { <button type="button" class="chip" aria-pressed={pressed.to_string()} aria-label={spoken} {onclick}>{ face }</button> }
    };
    // More words than stand in a row.
    let words = options.len() > 6 && options.iter().any(|(_, title)| title.chars().count() > 3);
    html! {
        <div class="set" role="group" aria-label={knob.label} title={knob.help}>
            <span class="label" aria-hidden="true">{ knob.label }</span>
            <span class={classes!("chips", words.then_some("words"))}>{ for options.iter().map(chip) }</span>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::toggled;
    use crate::config::RunConfig;

    #[test]
    fn a_chip_pressed_twice_leaves_the_address_as_it_was() {
        let offered = ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2", "norms"];
        let all = ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2", "gate_proj", "norms"];
        let start = RunConfig::from_hash("#method=bitfit").0;
        let press = |config: &RunConfig, value: &str| {
            let text = config.knob("biases").unwrap();
            let chosen: Vec<&str> = text.split(',').collect();
            let text = toggled(&all, &offered, &chosen, value).join(",");
            config.with(&[("biases", &text)]).unwrap()
        };
        for value in offered {
            let without = press(&start, value);
            assert!(!without.knob("biases").unwrap().split(',').any(|v| v == value), "{value}");
            assert!(without.to_hash().contains("biases="), "{value}");
            let again = press(&without, value);
            assert_eq!(again.to_hash(), start.to_hash(), "{value}");
        }
    }

    #[test]
    fn what_a_base_lacks_is_no_choice_by_itself() {
        assert!(toggled(&["q", "gate"], &["q"], &["q", "gate"], "q").is_empty());
        assert_eq!(toggled(&["q", "v", "gate"], &["q", "v"], &["q", "v", "gate"], "q"), ["v", "gate"]);
        assert_eq!(toggled(&["q", "v"], &["q", "v"], &["v"], "q"), ["q", "v"]);
    }
}
