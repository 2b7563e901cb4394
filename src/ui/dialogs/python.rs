//! The Python that does the same as the present configuration.

use super::dialog::DialogFrame;
use crate::config::RunConfig;
use crate::interchange::python::script;
use crate::ui::dom;
use crate::ui::state::Action;
use yew::prelude::*;

/// What the script is written from.
#[derive(Properties, PartialEq)]
pub struct PythonProps {
    pub open: bool,
    pub config: RunConfig,
    pub on: Callback<Action>,
}

/// A dialog with the script and a button that copies it.
#[component]
pub fn Python(props: &PythonProps) -> Html {
    let copied = use_state_eq(|| false);
    {
        let copied = copied.setter();
        use_effect_with(props.open, move |_| copied.set(false));
    }
    let text = if props.open { script(&props.config) } else { String::new() };
    let fused = props.open.then(|| props.config.method.method().fused(&props.config.shape())).flatten();
    let copy = {
        let (text, copied) = (text.clone(), copied.setter());
        Callback::from(move |_: MouseEvent| {
            let (text, copied) = (text.clone(), copied.clone());
            wasm_bindgen_futures::spawn_local(async move { copied.set(dom::copy(&text).await) });
        })
    };
    html! {
        <DialogFrame open={props.open} label="Python" class="python" close={Action::Python(false)} on={props.on.clone()}
            buttons={html! { <button type="button" onclick={copy}>{ if *copied { "Copied" } else { "Copy" } }</button> }}>
            <h2>{ "The same in Python" }</h2>
            <pre tabindex="0">{ text }</pre>
            { for fused.map(|text| html! { <p class="caption">{ text }</p> }) }
        </DialogFrame>
    }
}
