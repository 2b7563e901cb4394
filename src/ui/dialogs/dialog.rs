//! A dialog over the page; the browser keeps the focus in it and closes it with Escape.

use crate::ui::dom::Dialog;
use crate::ui::state::Action;
use wasm_bindgen::JsCast;
use yew::prelude::*;

/// What a dialog holds, and how it closes.
#[derive(Properties, PartialEq)]
pub struct DialogFrameProps {
    pub open: bool,
    /// Its name, for who does not see it.
    pub label: &'static str,
    #[prop_or_default]
    pub class: &'static str,
    /// What closing it does.
    pub close: Action,
    pub on: Callback<Action>,
    pub children: Html,
    /// Whether Close is what one mostly wants.
    #[prop_or(true)]
    pub done: bool,
    /// What stands beside Close.
    #[prop_or_default]
    pub buttons: Html,
}

/// A dialog's frame: what it holds, its buttons, and the way out.
#[component]
pub fn DialogFrame(props: &DialogFrameProps) -> Html {
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
    let emit = || {
        let (on, close) = (props.on.clone(), props.close.clone());
        move || on.emit(close.clone())
    };
    let (closed, clicked) = (emit(), emit());
    // What is closed is not drawn.
    let children = if props.open {
        props.children.clone()
    } else {
        html! {}
    };
    html! {
        <dialog ref={node} class={classes!("help", props.class)} aria-label={props.label} onclose={Callback::from(move |_: Event| closed())}>
            { children }
            <div class="files">
                { props.buttons.clone() }
                <button type="button" class={props.done.then_some("main")} onclick={Callback::from(move |_: MouseEvent| clicked())}>{ "Close" }</button>
            </div>
        </dialog>
    }
}
