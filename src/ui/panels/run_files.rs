//! Under the table: λ of the chosen φ, what several φ cost, and files.

use crate::base::grouped;
use crate::ui::dialogs::Python;
use crate::ui::dom;
use crate::ui::state::{Action, Dial, State, percent, significant};
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// The dial of the chosen run, its file, and files to open.
pub struct Keep;

impl Keep {
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
    match config.method.info().name {
        "lora" | "dora" | "vera" | "ia3" | "ln-tuning" | "prompt" | "p-tuning" | "prefix" => Ok(()),
        _ => Err(format!("PEFT has no file for {}: save the run instead.", config.method.info().title)),
    }
}

fn bytes(n: usize) -> String {
    match n {
        0..100_000 => format!("{:.1} kB", n as f64 / 1e3),
        100_000..10_000_000 => format!("{} kB", grouped(n / 1000)),
        _ => format!("{:.1} MB", n as f64 / 1e6),
    }
}

/// Steps of the dial: twenty to λ = 1.
const STEPS: f64 = 20.0;

fn dial(dial: &Dial, on: &Callback<Action>) -> Html {
    let lambda = dial.lambda();
    let oninput = {
        let on = on.clone();
        Callback::from(move |event: InputEvent| {
            let input: HtmlInputElement = event.target_unchecked_into();
            if let Ok(step) = input.value().parse::<f64>() {
                on.emit(Action::Dial(step / STEPS));
            }
        })
    };
    let measured = match dial.measured {
        Some((at, loss, accuracy, n)) => html! {
            <span class="measured" title={format!("loss {} on {n} held-out examples", significant(loss))}>
                { format!("{} at λ = {at:.2}", percent(accuracy)) }
            </span>
        },
        None => html! { <span class="measured caption">{ "0: θ alone, 1: θ with φ" }</span> },
    };
    let (value, last) = ((lambda * STEPS).round(), 1.5 * STEPS);
    let style = format!("--fill:{:.0}%", 100.0 * value / last);
    // A sketch of accuracy over λ, wherever the dial has been.
    let at = |(l, a): &(f64, f64)| format!("{:.1},{:.1}", 2.0 + 76.0 * l / 1.5, 22.0 - 20.0 * a);
    let sketch = (dial.points.len() > 1).then(|| {
        html! {
            <svg viewBox="0 0 80 24" class="sketch" role="img" aria-label={format!("Accuracy at {} values of λ", dial.points.len())}>
                <polyline points={dial.points.iter().map(at).collect::<Vec<_>>().join(" ")} />
            </svg>
        }
    });
    html! {
        <div class="dial">
            <label for="dial">{ "θ ⊕ λφ" }</label>
            <input id="dial" type="range" min="0" max={last.to_string()} step="1" value={value.to_string()} {style}
                aria-label="λ" aria-valuetext={format!("{lambda:.2}")} {oninput} />
            { measured }
            { sketch }
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub struct OpenerProps {
    #[prop_or(AttrValue::Static("Open"))]
    pub title: AttrValue,
    #[prop_or(AttrValue::Static("A run file, an adapter's two files together, data or a checkpoint of your own"))]
    pub help: AttrValue,
    /// Opens a folder with all that is in it.
    #[prop_or_default]
    pub folder: bool,
    pub on: Callback<Action>,
}

/// Reads chosen or dropped files and hands them on.
pub fn open(list: Option<web_sys::FileList>, on: &Callback<Action>) {
    let Some(list) = list else { return };
    let files: Vec<web_sys::File> = (0..list.length()).filter_map(|i| list.get(i)).collect();
    let on = on.clone();
    wasm_bindgen_futures::spawn_local(async move { on.emit(Action::Open(dom::read_files(files).await)) });
}

/// A button that opens files from the visitor's machine.
#[component]
pub fn Opener(props: &OpenerProps) -> Html {
    let node = use_node_ref();
    let onclick = {
        let node = node.clone();
        Callback::from(move |_: MouseEvent| {
            if let Some(input) = node.cast::<HtmlInputElement>() {
                input.click();
            }
        })
    };
    let onchange = {
        let on = props.on.clone();
        Callback::from(move |event: Event| {
            let input: HtmlInputElement = event.target_unchecked_into();
            open(input.files(), &on);
            // The same file may be chosen again.
            input.set_value("");
        })
    };
    html! {
        <>
            <button type="button" title={props.help.clone()} {onclick}>{ &props.title }</button>
            <input ref={node} type="file" multiple=true hidden=true aria-label={format!("{}: files", props.title)} webkitdirectory={props.folder} {onchange} />
        </>
    }
}
