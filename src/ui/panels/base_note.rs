//! What there is to say of a base that is fetched: how large it is, how much of it is here, and who keeps it.

use crate::base::grouped;
use crate::config::RunConfig;
use crate::ui::state::{Action, FetchWish, Fetched, Speed, State, duration};
use yew::prelude::*;

/// How long a run takes here, which is told before a large base is fetched or trained.
#[derive(Properties, PartialEq)]
struct TakesProps {
    config: RunConfig,
    speed: Speed,
    tokens: usize,
}

/// Traced anew only where the configuration has changed.
#[component]
fn Takes(props: &TakesProps) -> Html {
    let Some(seconds) = props.speed.seconds(&props.config, props.tokens) else { return html! {} };
    let steps = grouped(props.config.steps);
    html! { <p role="status">{ format!("{steps} steps take about {} here", duration(1000.0 * seconds)) }</p> }
}

/// A line or two below the buttons.
pub struct BaseNote;

impl BaseNote {
    /// How long the run takes that is set up, where the base is large and nothing trains.
    pub fn time(state: &State) -> Option<Html> {
        let speed = state.speed().filter(|_| state.active().is_none() && state.config.trains())?;
        Some(html! { <Takes config={state.config.clone()} {speed} tokens={state.mean_tokens()} /> })
    }

    /// Draws it; nothing for a base that is there with the page.
    pub fn of(state: &State, on: &Callback<Action>) -> Html {
        if let Some(why) = state.lacks_base() {
            return html! { <p class="base-note" role="status">{ why }</p> };
        }
        let base = state.config.base;
        let (Some(fetched), Some(bytes)) = (state.fetched(), state.bytes_of(base)) else { return html! {} };
        let button = |title: &'static str, help: &'static str, wish: FetchWish| {
            let on = on.clone();
            let onclick = Callback::from(move |_| on.emit(Action::Fetch(wish)));
            html! { <button type="button" title={help} {onclick}>{ title }</button> }
        };
        let forget = {
            let on = on.clone();
            let onclick = Callback::from(move |_| on.emit(Action::Fetch(FetchWish::Forget)));
            html! { <button type="button" class="link" title="It is fetched again when it is wanted again" {onclick}>{ "Delete" }</button> }
        };
        let (name, all) = (base.called(), bytes / 1_000_000);
        let of_all = |here: u64| format!("{} of {all} MB", here / 1_000_000);
        match fetched {
            Fetched::Looking => html! {},
            Fetched::Partly { bytes: 0, why: None } => html! {
                <p class="base-note">
                    <span title="This browser keeps it. Train begins with fetching it.">{ format!("{name} is fetched once: {all} MB") }</span>
                    { button("Fetch now", "Fetch it ahead of a run", FetchWish::Begin) }
                </p>
            },
            Fetched::Partly { bytes: here, why } => html! {
                <p class="base-note" role="status">
                    { why.as_ref().map(|why| html! { <span class="fault">{ why }</span> }) }
                    <span>{ format!("{} of {name} are here", of_all(*here)) }</span>
                    { button("Fetch the rest", "What has come is not fetched again", FetchWish::Begin) }
                </p>
            },
            Fetched::Fetching { .. } if state.waits_for_fetch() => html! {},
            Fetched::Fetching { bytes: here } => {
                let width = format!("width:{:.2}%", 100.0 * *here as f64 / bytes.max(1) as f64);
                html! {
                    <p class="base-note">
                        <span class="bar" role="progressbar" aria-label={format!("Fetching {name}")} aria-valuemin="0"
                            aria-valuemax={bytes.to_string()} aria-valuenow={here.to_string()}><span style={width} /></span>
                        <span>{ format!("fetching {name}: {}", of_all(*here)) }</span>
                        { button("Cancel", "What has come stays", FetchWish::Cancel) }
                    </p>
                }
            }
            // What concerns the next visit does not concern a run.
            Fetched::Here { .. } if state.active().is_some() => html! {},
            Fetched::Here { kept: true } => html! {
                <p class="base-note">
                    <span>{ format!("{name} is kept by this browser · ") }{ forget }</span>
                </p>
            },
            Fetched::Here { kept: false } => html! {
                <p class="base-note"><span>{ format!("{name} is here until the page is closed") }</span></p>
            },
        }
    }
}
