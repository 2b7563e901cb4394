//! The middle column: what is trained, on what, and the network with φ drawn where it acts.

use super::picker::Picker;
use crate::ui::diagram::Diagram;
use crate::ui::diagram::motion::Motion;
use crate::ui::state::{Action, Bringing, Phase, State};
use yew::prelude::*;

/// Base, task, the diagram with its formula, what the method is.
pub struct NetworkPanel;

impl NetworkPanel {
    /// Draws it.
    pub fn of(state: &State, on: &Callback<Action>) -> Html {
        let config = &state.config;
        let model = config.shape().model;
        let running = state.active().filter(|run| run.phase == Phase::Running && run.config == *config);
        let motion = running.map_or(Motion::Still, |run| Motion::of(run.step, run.ms));
        let card = {
            let on = on.clone();
            Callback::from(move |_: MouseEvent| on.emit(Action::Card(true)))
        };
        let bring = {
            let on = on.clone();
            Callback::from(move |_: MouseEvent| on.emit(Action::Bring(Bringing::Open)))
        };
        let task = (!state.hides("task")).then(|| {
            html! {
                <div class="task">
                    <Picker config={config.clone()} drafts={state.drafts.clone()} tasks={state.tasks()} data={state.bring.data.clone()} examples={state.data().cloned()} on={on.clone()} />
                    <p class="about">{ config.base.trained_on }{ " " }<b>{ config.task.description() }</b>{ " " }<button type="button" class="link" onclick={card}>{ "More about both" }</button>{ " · " }<button type="button" class="link" onclick={bring}>{ "Bring your own" }</button></p>
                </div>
            }
        });
        html! {
            <section class="what" aria-label="Network">
                { task }
                <div class="network">
                    <p class="legend" aria-hidden="true"><span class="swatch theta" />{ "frozen θ" }<span class="swatch phi" />{ "trained φ" }</p>
                    <Diagram config={config.clone()} {motion} compact={state.compact} />
                </div>
                <div class="method-formula">
                    { for config.methods().map(|m| html! { <p class="caption">{ m.method().summary(&model) }</p> }) }
                </div>
            </section>
        }
    }
}
