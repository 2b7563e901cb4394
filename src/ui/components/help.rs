//! A dialog that says what this is, what the letters and colours mean, and which keys do what.

use crate::peft::Kind;
use crate::ui::diagram::formula::Formula;
use crate::ui::dom::Dialog;
use crate::ui::state::Action;
use wasm_bindgen::JsCast;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct HelpProps {
    pub open: bool,
    pub on: Callback<Action>,
}

/// The dialog; the browser keeps the focus in it and closes it with Escape.
#[component]
pub fn Help(props: &HelpProps) -> Html {
    let node = use_node_ref();
    {
        let node = node.clone();
        use_effect_with(props.open, move |open| {
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
        Callback::from(move |_: Event| on.emit(Action::Help(false)))
    };
    let close = {
        let on = props.on.clone();
        Callback::from(move |_: MouseEvent| on.emit(Action::Help(false)))
    };
    let kinds = Kind::ALL.into_iter().filter(|k| !k.formula().is_empty());
    html! {
        <dialog ref={node} class="help" aria-label="Help" {onclose}>
            <h2>{ "What this is" }</h2>
            <p>{ "A small transformer, pretrained and real, that learns a new task in this tab. Everything is computed on your machine; nothing is uploaded. Choose a method on the left, press Train, and compare what each method costs with what it learns." }</p>
            <h2>{ "Letters and colours" }</h2>
            <dl>
                <dt><span class="swatch theta" />{ "θ" }</dt><dd>{ "the pretrained network: frozen, never changed, grey" }</dd>
                <dt><span class="swatch phi" />{ "φ" }</dt><dd>{ "what the method trains, and nothing else: orange wherever it appears" }</dd>
                { for kinds.map(|kind| html! { <><dt><Formula text={kind.formula()} /></dt><dd>{ kind.title().to_lowercase() }</dd></> }) }
                <dt><span class="tile right">{ "a" }</span></dt><dd>{ "a right letter has a bar below" }</dd>
                <dt><span class="tile wrong">{ "a" }</span></dt><dd>{ "a wrong one has a frame" }</dd>
                <dt><span class="badge recorded">{ "recorded" }</span></dt><dd>{ "a run that was trained before and came with the page" }</dd>
                <dt><span class="badge live">{ "live" }</span></dt><dd>{ "a run that this tab trained" }</dd>
            </dl>
            <h2>{ "Keys" }</h2>
            <dl>
                <dt><kbd>{ "space" }</kbd></dt><dd>{ "Train, Pause, Resume" }</dd>
                <dt><kbd>{ "s" }</kbd></dt><dd>{ "one step" }</dd>
                <dt><kbd>{ "r" }</kbd></dt><dd>{ "rewind: the same run again, exactly" }</dd>
                <dt><kbd>{ "?" }</kbd></dt><dd>{ "this help" }</dd>
            </dl>
            <button type="button" class="main" onclick={close}>{ "Close" }</button>
        </dialog>
    }
}
