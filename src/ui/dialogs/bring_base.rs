//! A checkpoint of a visitor's own, in the dialog for what they bring.

use crate::base::grouped;
use crate::bases::Base;
use crate::config::RunConfig;
use crate::ledger::Setting;
use crate::peft::MethodConfig;
use crate::ui::state::{OfferedBase, StepMemory};
use yew::prelude::*;

/// The part of the dialog that shows a checkpoint.
pub struct BringBase;

impl BringBase {
    /// Whether it can be used, and is not being used already.
    pub fn is_usable(base: &OfferedBase) -> bool {
        base.settled.is_ok() && !base.used
    }

    /// What its button says: how far it is read, where the visitor waits for that.
    pub fn button(base: &OfferedBase) -> String {
        match base.percent().filter(|_| base.used) {
            Some(percent) => format!("Reading … {percent} %"),
            None => "Use this base".into(),
        }
    }

    /// What is known of it before its numbers are read.
    pub fn of(base: &OfferedBase, config: &RunConfig) -> Html {
        let model = &base.checkpoint.model;
        let mb = |bytes: u64| grouped((bytes as f64 / 1e6).ceil() as usize);
        // Work of a step beside that of the largest base that a laptop trains with ease.
        let work = |m: &crate::model::ModelConfig| Setting::of_theta(m).reading(64.0);
        let reference = Base::named("prose-micro").and_then(|b| b.config().ok());
        let times = reference.map(|reference| work(model) / work(&reference));
        let slow = times.map(|times| match times {
            t if t < 0.67 => "Less work a step than prose-micro.".to_string(),
            t if t < 1.5 => "About as much work a step as prose-micro.".to_string(),
            t => format!("About {} times the work of prose-micro a step.", grouped(t.round() as usize)),
        });
        let config = base.settled.as_ref().map_or(config, |settled| &settled.config);
        let changes = match &base.settled {
            Ok(settled) if settled.changes.is_empty() => html! {},
            Ok(settled) => html! { <p>{ settled.changes.join(" ") }</p> },
            Err(fault) => html! { <p class="fault" role="alert">{ fault }</p> },
        };
        html! {
            <>
                <h3>{ base.checkpoint.title() }</h3>
                { changes }
                <table><tbody>
                    <tr><th scope="row">{ "shape" }</th><td>{ format!("{} ({}): d {}, {} blocks, {} heads, context {}, vocabulary {}", model.model_type, grouped(model.parameters()), model.hidden_size, model.num_hidden_layers, model.num_attention_heads, grouped(model.max_position_embeddings), grouped(model.vocab_size)) }</td></tr>
                    <tr><th scope="row">{ "weights" }</th><td>{ base.checkpoint.form() }</td></tr>
                    <tr><th scope="row">{ "memory to load" }</th><td>{ format!("{} MB at its height, then {} MB for θ, held as {}", mb(base.loading()), mb(base.weights()), config.storage().title()) }</td></tr>
                    <tr><th scope="row">{ "memory to train" }</th><td><TrainingMemory config={config.clone()} /></td></tr>
                    <tr><th scope="row">{ "time" }</th><td>{ slow.unwrap_or_default() }</td></tr>
                </tbody></table>
                <p class="caption">{ match base.percent() {
                    Some(percent) => format!("All of its bytes are read once, to tell it from other checkpoints: {percent} %."),
                    None => "All of its bytes were read: runs and links that name it mean these weights.".into(),
                } }</p>
            </>
        }
    }
}

#[derive(Properties, PartialEq)]
struct TrainingMemoryProps {
    config: RunConfig,
}

/// What a step takes with the chosen methods, and with all of θ trained: traced once while the files are read.
#[component]
fn TrainingMemory(props: &TrainingMemoryProps) -> Html {
    let config = &props.config;
    let everything = RunConfig { method: MethodConfig::everything(), also: Vec::new(), ..config.clone() };
    let full = StepMemory::of(&everything);
    let chosen = (everything.method.info().name != config.method.info().name && config.trains())
        .then(|| format!("{} with {}, ", StepMemory::of(config).written(), config.label()));
    html! { { format!("{}{} with full fine-tuning; a tab has {} at most", chosen.unwrap_or_default(), full.written(), StepMemory::of_a_tab()) } }
}
