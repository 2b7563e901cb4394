//! Opens files from the visitor's machine.

use super::dom::{self, Chosen};
use super::state::Action;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// What the button says, and what it opens.
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

/// Reads chosen files and hands them on.
fn open(list: Option<web_sys::FileList>, on: &Callback<Action>) {
    let Some(list) = list else { return };
    let (files, on) = (Chosen::of(&list), on.clone());
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
