//! The left column: what the visitor chooses, and the buttons that start it.

use super::controls::Controls;
use super::fields::{Choice, Field, Kind, Select, choices};
use super::knobs::Knobs;
use super::methods::Methods;
use crate::config::{Key, RunConfig, keys};
use crate::peft::{MethodConfig, Range};
use crate::ui::assets::BuildStatus;
use crate::ui::dom::unfolded;
use crate::ui::state::{Action, Drafts, State, text_of};
use yew::prelude::*;

/// Method, knobs, optimizer, buttons.
pub struct SetupPanel;

impl SetupPanel {
    pub fn of(state: &State, on: &Callback<Action>) -> Html {
        let config = &state.config;
        let methods: Vec<MethodConfig> =
            MethodConfig::all().iter().filter_map(|m| state.method_named(m.info().name)).collect();
        let method = (!state.hides("method")).then(|| {
            html! { <Methods {methods} config={config.clone()} on={on.clone()} /> }
        });
        let knobs = (!state.hides("knobs")).then(|| {
            html! { <Knobs config={config.clone()} drafts={state.drafts.clone()} on={on.clone()} /> }
        });
        let optimizer = (!state.hides("optimizer")).then(|| {
            html! { <Optimizer config={config.clone()} drafts={state.drafts.clone()} gpu={state.manifest.gpu_status} on={on.clone()} /> }
        });
        html! {
            <section class="choose" aria-label="SetupPanel">
                <div class="settings">{ method }{ knobs }{ optimizer }</div>
                { Controls::of(state, on) }
            </section>
        }
    }
}

#[derive(Properties, PartialEq)]
struct OptimizerProps {
    config: RunConfig,
    drafts: Drafts,
    gpu: BuildStatus,
    on: Callback<Action>,
}

/// What does not belong to the method: the rate, how many steps of how many examples, the seed, the device.
#[component]
fn Optimizer(props: &OptimizerProps) -> Html {
    let config = &props.config;
    let summary =
        format!("lr {}, {} × {}, seed {}", config.learning_rate(), config.steps, config.batch_size(), config.seed);
    // Opens where something in it needs a correction, and never closes by itself: `0` on the way to `0.01`
    // needs one too.
    let opened = use_mut_ref(|| false);
    *opened.borrow_mut() |= keys::OPTIMIZER.iter().any(|k| props.drafts.get(k.name).is_some_and(|d| d.fault.is_some()));
    let open = *opened.borrow();
    html! {
        <details class="optimizer" {open} ontoggle={unfolded}>
            <summary>{ "Optimizer" }<span class="caption">{ summary }</span></summary>
            { for keys::OPTIMIZER.iter().map(|key| draw(key, props)) }
        </details>
    }
}

/// What is chosen among for a key: its word for unset is one of them. `None` for one that is typed.
fn options(key: &Key) -> Option<Vec<Choice>> {
    let word = key.unset.filter(|word| !word.is_empty());
    let listed = match &key.range {
        Some(Range::Choice(options)) => choices(options),
        Some(Range::Flag) => choices(&[("false", "no"), ("true", "yes")]),
        // A few numbers with a word beside them.
        Some(Range::Integer { min, max, .. }) if word.is_some() => {
            let texts = (*min..=*max).map(|n| AttrValue::from(n.to_string()));
            texts.map(|text| (AttrValue::default(), text.clone(), text)).collect()
        }
        _ => return None,
    };
    let word = word.filter(|word| listed.iter().all(|(_, value, _)| value != word)).map(AttrValue::from);
    Some(word.map(|word| (AttrValue::default(), word.clone(), word)).into_iter().chain(listed).collect())
}

/// The control of a key, by what it takes.
fn draw(key: &'static Key, props: &OptimizerProps) -> Html {
    let config = &props.config;
    let (name, label, help, on) = (key.name, key.label, key.help, props.on.clone());
    let options = match (options(key), &key.range) {
        (Some(options), _) => options,
        (None, Some(Range::Integer { min, max, .. })) => {
            return field(key, Kind::Integer { min: *min, max: *max }, props);
        }
        _ => return field(key, Kind::Number, props),
    };
    let told = |(group, value, title): Choice| match props.gpu == BuildStatus::Building && value == "webgpu" {
        true => (group, value, AttrValue::from(format!("{title} (being built)"))),
        false => (group, value, title),
    };
    let options: Vec<Choice> = options.into_iter().map(told).collect();
    html! { <Select {name} {label} {help} {options} value={key.text(config)} {on} /> }
}

fn field(key: &'static Key, kind: Kind, props: &OptimizerProps) -> Html {
    let (config, name) = (&props.config, key.name);
    // The rate alone has a default that one cannot guess; a button takes it back.
    let reset = (name == keys::LR.name && config.lr.is_some()).then(|| {
        let on = props.on.clone();
        let onclick = Callback::from(move |_| on.emit(Action::Set(name, String::new())));
        html! { <button type="button" class="link" title="Back to the method's tuned rate" {onclick}>{ "default" }</button> }
    });
    html! {
        <Field {name} label={key.label} help={key.help} {kind} placeholder={(key.default)(config)}
            value={text_of(config, &props.drafts, name)} draft={props.drafts.get(name).cloned()} on={props.on.clone()}>{ reset }</Field>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_what_it_shows() {
        let config = RunConfig::default();
        let lists = keys::OPTIMIZER.iter().filter_map(|key| Some((key, options(key)?)));
        let mut shown = Vec::new();
        for (key, options) in lists {
            let values: Vec<&str> = options.iter().map(|(_, value, _)| value.as_str()).collect();
            let text = key.text(&config);
            assert!(values.contains(&text.as_str()), "{}: {text} is not among {values:?}", key.name);
            assert_eq!(values.iter().filter(|value| **value == text).count(), 1, "{}", key.name);
            shown.push((key.name, text));
        }
        assert!(shown.contains(&("theta", "auto".to_string())) && shown.contains(&("workers", "auto".to_string())));
    }
}
