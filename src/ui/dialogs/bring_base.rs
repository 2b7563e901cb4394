//! A checkpoint of a visitor's own, in the dialog for what they bring.

use crate::base::grouped;
use crate::bases::Base;
use crate::config::RunConfig;
use crate::ledger::Setting;
use crate::ui::state::OfferedBase;
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
        let trained = {
            let shape = crate::peft::Shape { model: model.clone(), labels: 2 };
            let n: u64 = config.methods().map(|m| m.method().count(&shape).total()).sum();
            // φ, its gradient and AdamW's two averages.
            (config.label(), 16 * n, 16 * model.parameters())
        };
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
                    <tr><th scope="row">{ "memory to train" }</th><td>{ format!("{} MB more with {}, {} MB with full fine-tuning; activations come on top", mb(trained.1), trained.0, mb(trained.2)) }</td></tr>
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
