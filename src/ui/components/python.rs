//! The Python that does the same as the present configuration.

use crate::config::RunConfig;
use crate::interchange::python::script;
use crate::peft::MethodConfig;
use crate::ui::dom::{self, Dialog};
use crate::ui::state::Action;
use wasm_bindgen::JsCast;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct PythonProps {
    pub open: bool,
    pub config: RunConfig,
    pub on: Callback<Action>,
}

/// A dialog with the script and a button that copies it.
#[component]
pub fn Python(props: &PythonProps) -> Html {
    let node = use_node_ref();
    let copied = use_state_eq(|| false);
    {
        let (node, copied) = (node.clone(), copied.setter());
        use_effect_with(props.open, move |open| {
            copied.set(false);
            if let Some(element) = node.get() {
                let dialog: Dialog = element.unchecked_into();
                if *open {
                    // Refused only where it is open already.
                    let _ = dialog.show_modal();
                } else {
                    dialog.close();
                }
            }
        });
    }
    let onclose = {
        let on = props.on.clone();
        Callback::from(move |_: Event| on.emit(Action::Python(false)))
    };
    let close = {
        let on = props.on.clone();
        Callback::from(move |_: MouseEvent| on.emit(Action::Python(false)))
    };
    let text = if props.open { script(&props.config) } else { String::new() };
    let fused = match &props.config.method {
        MethodConfig::Lora(lora) if props.open => lora.fused(&props.config.shape()),
        _ => None,
    };
    let copy = {
        let (text, copied) = (text.clone(), copied.setter());
        Callback::from(move |_: MouseEvent| {
            let (text, copied) = (text.clone(), copied.clone());
            wasm_bindgen_futures::spawn_local(async move { copied.set(dom::copy(&text).await) });
        })
    };
    html! {
        <dialog ref={node} class="help python" aria-label="Python" {onclose}>
            <h2>{ "The same in Python" }</h2>
            <pre tabindex="0">{ text }</pre>
            { for fused.map(|text| html! { <p class="caption">{ text }</p> }) }
            <div class="files">
                <button type="button" class="main" onclick={copy}>{ if *copied { "Copied" } else { "Copy" } }</button>
                <button type="button" onclick={close}>{ "Close" }</button>
            </div>
        </dialog>
    }
}
