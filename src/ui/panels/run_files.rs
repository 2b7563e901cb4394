//! Under the table: λ of the chosen φ, what several φ cost, and files.

use super::dial::dial;
use crate::ledger::bytes;
use crate::ui::dialogs::Python;
use crate::ui::opener::Opener;
use crate::ui::state::{Action, State};
use yew::prelude::*;

/// The dial of the chosen run, its file, and files to open.
pub struct RunFiles;

impl RunFiles {
    /// Draws it.
    pub fn of(state: &State, on: &Callback<Action>) -> Html {
        let kept = state.kept_run().map(|(run, _)| run);
        let dial = kept.filter(|r| r.config.trains()).map(|run| match run.config.dial() {
            Ok(()) => dial(&state.dial_of(run), on),
            Err(why) => html! { <p class="caption">{ format!("No dial θ ⊕ λφ. {why}.") }</p> },
        });
        let tasks = state.bytes_of_tasks().map(|(n, phi, theta)| {
            html! {
                <p class="caption" title="Choose a row to swap its φ in: θ stays where it is, loaded once.">
                    { format!("{n} φ on one θ: {} instead of {} for as many copies of θ", bytes(phi), bytes(theta)) }
                </p>
            }
        });
        let button = |title: &'static str, help: String, enabled: bool, action: Action| {
            let on = on.clone();
            let onclick = Callback::from(move |_: MouseEvent| on.emit(action.clone()));
            html! { <button type="button" title={help} disabled={!enabled} {onclick}>{ title }</button> }
        };
        let merges = kept.map_or_else(
            || Err("Train a run first.".to_string()),
            |run| run.config.merges().map_err(|why| format!("Cannot be merged. {why}.")),
        );
        let exports = kept.map_or_else(|| Err("Train a run first.".to_string()), |run| exports(&run.config));
        html! {
            <div class="keep">
                { dial }
                { tasks }
                <div class="files">
                    { button("Save run", "Its settings, curves, versions, hardware and φ in one file".into(), kept.is_some(), Action::SaveRun) }
                    { button("Save all", "All runs of the page in one file, which opens again".into(), state.runs_to_save() > 0, Action::SaveAll) }
                    { button("Export adapter", exports.clone().err().unwrap_or_else(|| "adapter_config.json and adapter_model.safetensors, as Hugging Face PEFT writes them".into()), exports.is_ok(), Action::ExportAdapter) }
                    { button("Merge", merges.clone().err().unwrap_or_else(|| "φ folded into a copy of θ: model.safetensors for transformers".into()), merges.is_ok(), Action::MergePhi) }
                    <Opener on={on.clone()} />
                    { button("Python", "The same with transformers and peft".into(), true, Action::Python(true)) }
                </div>
                <Python open={state.python} config={state.config.clone()} on={on.clone()} />
            </div>
        }
    }
}

/// Whether PEFT has a file for a configuration, as far as its name tells; the trainer knows the rest.
fn exports(config: &crate::config::RunConfig) -> Result<(), String> {
    if !config.also.is_empty() {
        return Err("A PEFT adapter holds one method: save the run instead.".into());
    }
    let info = config.method.info();
    if info.in_peft { Ok(()) } else { Err(format!("PEFT has no file for {}: save the run instead.", info.title)) }
}
