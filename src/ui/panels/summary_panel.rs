//! The band below: what it costs, and what it does.

use super::examples::Examples;
use crate::base::grouped;
use crate::config::RunConfig;
use crate::peft::trainable_line;
use crate::ui::dialogs::Beside;
use crate::ui::dom;
use crate::ui::state::{Action, State};
use yew::prelude::*;

/// The count and the examples.
pub struct SummaryPanel;

impl SummaryPanel {
    /// Draws it.
    pub fn of(state: &State, on: &Callback<Action>) -> Html {
        let examples = (!state.hides("examples")).then(|| Examples::of(state, on));
        html! {
            <section class="band" aria-label="Cost and examples">
                <BigCount config={state.config.clone()} against={state.against()} on={on.clone()} />
                { examples }
            </section>
        }
    }
}

#[derive(Properties, PartialEq)]
struct BigCountProps {
    config: RunConfig,
    /// What its cost is compared with.
    against: RunConfig,
    on: Callback<Action>,
}

/// The trainable parameters: the number, its share to scale, and the sum that gives it.
#[component]
fn BigCount(props: &BigCountProps) -> Html {
    let config = &props.config;
    let (trainable, all) = (config.trainable(), config.all_parameters());
    let percent = 100.0 * trainable as f64 / all as f64;
    let count = config.count();
    let what: Vec<String> =
        count.terms.iter().map(|t| format!("{}: {} = {}", t.what, t.product, grouped(t.value))).collect();
    let line = trainable_line(trainable, all);
    let copied = use_state(|| false);
    let onclick = {
        let (line, copied) = (line.clone(), copied.clone());
        Callback::from(move |_: MouseEvent| {
            let (line, copied) = (line.clone(), copied.clone());
            wasm_bindgen_futures::spawn_local(async move { copied.set(dom::copy(&line).await) });
        })
    };
    let title = if *copied { "Copied" } else { "The line that Hugging Face PEFT prints: click to copy" };
    html! {
        <div class="count">
            <div class="how-many">
                <div>
                    <p class="caption">{ "trainable parameters" }</p>
                    <p class="number" style={format!("--letters:{}", grouped(trainable).len())}>{ grouped(trainable) }</p>
                </div>
                <Beside config={config.clone()} against={props.against.clone()} on={props.on.clone()} />
            </div>
            <div class="share" role="img" aria-label={format!("{percent:.2} % of all parameters")}>
                <div style={format!("width:{percent:.3}%")} />
            </div>
            <p class="sum" title={what.join("\n")}>
                { format!("of {}, ", grouped(all)) }<b>{ format!("{} %", share(percent)) }</b>{ " = " }<span>{ count.sum() }</span>
            </p>
            <button type="button" class="peft-line" {title} {onclick}>{ line }</button>
        </div>
    }
}

/// A percentage with two digits that matter.
fn share(percent: f64) -> String {
    match percent {
        p if p >= 99.995 => "100".into(),
        p if p >= 0.1 => format!("{p:.2}"),
        p => format!("{p:.3}"),
    }
}
