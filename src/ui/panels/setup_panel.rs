//! The left column: what the visitor chooses, and the buttons that start it.

use super::controls::Controls;
use super::fields::{Field, Kind, Select};
use super::knobs::Knobs;
use super::methods::Methods;
use crate::config::{DeviceChoice, RunConfig, limits};
use crate::peft::MethodConfig;
use crate::ui::assets::GpuStatus;
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
    gpu: GpuStatus,
    on: Callback<Action>,
}

/// What does not belong to the method: the rate, how many steps of how many examples, the seed, the device.
#[component]
fn Optimizer(props: &OptimizerProps) -> Html {
    let config = &props.config;
    let text = |key| text_of(config, &props.drafts, key);
    let draft = |key: &str| props.drafts.get(key).cloned();
    let field = |name: &'static str, label: &'static str, help: &'static str, kind: Kind, placeholder: String| {
        html! { <Field {name} {label} {help} {kind} {placeholder} value={text(name)} draft={draft(name)} on={props.on.clone()} /> }
    };
    let integers = |range: &std::ops::RangeInclusive<usize>| Kind::Integer { min: *range.start(), max: *range.end() };
    let tuned = RunConfig { lr: None, ..config.clone() }.learning_rate();
    let reset = config.lr.is_some().then(|| {
        let on = props.on.clone();
        let onclick = Callback::from(move |_| on.emit(Action::Set("lr", String::new())));
        html! { <button type="button" class="link" title="Back to the method's tuned rate" {onclick}>{ "default" }</button> }
    });
    let devices = DeviceChoice::ALL.map(|(device, name)| {
        let title = match device {
            DeviceChoice::Auto => "auto",
            DeviceChoice::Cpu => "CPU",
            DeviceChoice::Webgpu if props.gpu == GpuStatus::Building => "WebGPU (being built)",
            DeviceChoice::Webgpu => "WebGPU",
        };
        (AttrValue::default(), AttrValue::from(name), AttrValue::from(title))
    });
    let workers =
        ["auto", "1", "2", "3", "4"].map(|n| (AttrValue::default(), AttrValue::from(n), AttrValue::from(n))).to_vec();
    let option = |value: &'static str, title: &'static str| {
        (AttrValue::default(), AttrValue::from(value), AttrValue::from(title))
    };
    let summary =
        format!("lr {}, {} × {}, seed {}", config.learning_rate(), config.steps, config.batch_size(), config.seed);
    // Opens where something in it needs a correction, and never closes by itself: `0` on the way to `0.01` needs one too.
    let opened = use_mut_ref(|| false);
    *opened.borrow_mut() |=
        ["lr", "batch_size", "steps", "seed", "examples"].iter().any(|k| draft(k).is_some_and(|d| d.fault.is_some()));
    let open = *opened.borrow();
    html! {
        <details class="optimizer" {open} ontoggle={unfolded}>
            <summary>{ "Optimizer" }<span class="caption">{ summary }</span></summary>
            <Field name="lr" label="Learning rate" help="AdamW's peak rate. Each method has its own tuned default." kind={Kind::Number}
                placeholder={tuned.to_string()} value={text("lr")} draft={draft("lr")} on={props.on.clone()}>{ reset }</Field>
            { field("batch_size", "Batch size", "Sequences per step.", integers(&limits::BATCH_SIZE), config.task.default_batch_size().to_string()) }
            { field("steps", "Steps", "Steps of the optimizer.", integers(&limits::STEPS), String::new()) }
            { field("seed", "Seed", "The same seed gives the same curve.", Kind::Number, String::new()) }
            { field("examples", "Training examples", "How many training examples there are; empty for all.", Kind::Integer { min: 1, max: 100_000 }, "all".into()) }
            <Select name="forgetting" label="Measure forgetting" options={vec![option("false", "no"), option("true", "yes")]}
                value={if config.forgetting { "true" } else { "false" }} on={props.on.clone()}
                help="Evaluations also score what the base could do before: known rules shown by demonstrations, or prose that nobody trained on. They take longer." />
            <Select name="device" label="Device" options={devices.to_vec()} value={config.device.name()} on={props.on.clone()}
                help="auto: WebGPU where the browser has a GPU, else the CPU. The small base “rules” stays on the CPU: a GPU waits for its launches longer than a CPU computes it." />
            <Select name="workers" label="CPU workers" options={workers} value={config.workers.map_or_else(|| "auto".to_string(), |n| n.to_string())} on={props.on.clone()}
                help="Workers that share a step on the CPU: each computes the gradient of a part of the batch. auto: as many as the processor has cores, at most 4. The curve is the same on any number." />
        </details>
    }
}
