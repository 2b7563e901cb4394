//! A checkpoint from the Hub, in the dialog for what a visitor brings: its name, what would come, and how far it is.

use crate::ui::state::{Action, HUB, Hub, HubModel, HubPhase, HubWish};
use web_sys::{HtmlInputElement, KeyboardEvent};
use yew::prelude::*;

/// The field, and what follows.
pub struct FromHub;

impl FromHub {
    /// Draws it.
    pub fn of(hub: &Hub, on: &Callback<Action>) -> Html {
        let oninput = {
            let on = on.clone();
            Callback::from(move |event: InputEvent| {
                let input: HtmlInputElement = event.target_unchecked_into();
                on.emit(Action::Hub(HubWish::Type(input.value())));
            })
        };
        let onkeydown = {
            let on = on.clone();
            Callback::from(move |event: KeyboardEvent| {
                if event.key() == "Enter" {
                    event.prevent_default();
                    on.emit(Action::Hub(HubWish::List));
                }
            })
        };
        let busy = matches!(hub.phase, HubPhase::Asked | HubPhase::Fetching(..));
        html! {
            <div class="hub">
                <label for="hub-name">{ "From the Hub" }</label>
                <input id="hub-name" type="text" spellcheck="false" autocomplete="off" placeholder="HuggingFaceTB/SmolLM2-135M"
                    disabled={busy} value={hub.name.clone()} {oninput} {onkeydown} />
                <button type="button" disabled={busy || hub.name.trim().is_empty()} title={format!("This asks {HUB}, and no other host")}
                    onclick={emit(on, HubWish::List)}>{ format!("List its files at {HUB}") }</button>
                <div role="status">{ Self::phase(&hub.phase, on) }</div>
            </div>
        }
    }

    fn phase(phase: &HubPhase, on: &Callback<Action>) -> Html {
        match phase {
            HubPhase::Idle => html! {},
            HubPhase::Asked => html! { <p>{ format!("Asking {HUB} … ") }{ cancel(on) }</p> },
            HubPhase::Failed(why) => html! { <p class="fault" role="alert">{ why }</p> },
            HubPhase::Listed(model) => html! {
                <>
                    <p>{ files(model) }</p>
                    <p>
                        <button type="button" class="main" onclick={emit(on, HubWish::Fetch)}>
                            { format!("Fetch {} from {HUB}", size(model.bytes())) }
                        </button>
                    </p>
                </>
            },
            HubPhase::Fetching(model, bytes) => html! {
                <>
                    <p>{ format!("{}: {} of {} …", model.id, size(*bytes), size(model.bytes())) }</p>
                    <div class="bar" role="progressbar" aria-label={format!("Fetching {}", model.id)} aria-valuemin="0"
                        aria-valuemax={model.bytes().to_string()} aria-valuenow={bytes.to_string()}>
                        <span style={format!("width:{:.2}%", 100.0 * *bytes as f64 / model.bytes().max(1) as f64)} />
                    </div>
                    <p>{ cancel(on) }</p>
                </>
            },
        }
    }
}

fn cancel(on: &Callback<Action>) -> Html {
    html! { <button type="button" onclick={emit(on, HubWish::Cancel)}>{ "Cancel" }</button> }
}

fn emit(on: &Callback<Action>, wish: HubWish) -> Callback<MouseEvent> {
    let on = on.clone();
    Callback::from(move |_: MouseEvent| on.emit(Action::Hub(wish.clone())))
}

/// `a/b: config.json (1 kB), model.safetensors (269 MB)`
fn files(model: &HubModel) -> String {
    let files: Vec<String> = model.files.iter().map(|(name, bytes)| format!("{name} ({})", size(*bytes))).collect();
    format!("{}: {}.", model.id, files.join(", "))
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}
