//! The list of methods, grouped by how φ meets the frozen network.

use crate::peft::{Kind, MethodConfig, Shape, grouped};
use crate::ui::diagram::formula::Formula;
use crate::ui::state::Action;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct MethodsProps {
    /// Every method with the knobs it would be chosen with.
    pub methods: Vec<MethodConfig>,
    pub chosen: &'static str,
    pub shape: Shape,
    pub on: Callback<Action>,
}

/// A radio group of all methods with their exact counts.
#[component]
pub fn Methods(props: &MethodsProps) -> Html {
    let groups = Kind::ALL.into_iter().filter_map(|kind| {
        let members: Vec<&MethodConfig> = props.methods.iter().filter(|m| m.info().kind == kind).collect();
        (!members.is_empty()).then(|| {
            html! {
                <div class="group" key={kind.title()}>
                    <div class="kind"><span>{ kind.title() }</span><Formula text={kind.formula()} /></div>
                    { for members.iter().map(|method| option(method, props)) }
                </div>
            }
        })
    });
    // On a narrow screen the list scrolls sideways: the chosen method is brought into view.
    let node = use_node_ref();
    {
        let node = node.clone();
        use_effect_with(props.chosen, move |_| {
            let list = node.cast::<HtmlElement>();
            let chosen = list.as_ref().and_then(|l| l.query_selector(".chosen").ok().flatten());
            if let (Some(list), Some(chosen)) = (list, chosen.and_then(|c| c.dyn_into::<HtmlElement>().ok())) {
                list.set_scroll_left(chosen.offset_left() + chosen.offset_width() / 2 - list.client_width() / 2);
            }
        });
    }
    html! {
        <div class="methods" role="radiogroup" aria-label="Method" ref={node}>
            <h2>{ "Method" }</h2>
            { for groups }
        </div>
    }
}

fn option(method: &MethodConfig, props: &MethodsProps) -> Html {
    let info = method.info();
    let chosen = info.name == props.chosen;
    let onchange = {
        let on = props.on.clone();
        Callback::from(move |_: Event| on.emit(Action::Set("method", info.name.to_string())))
    };
    html! {
        <label class={classes!("method", chosen.then_some("chosen"))} title={format!("{}\n{}", info.summary, info.paper)}>
            <input type="radio" name="method" value={info.name} checked={chosen} aria-label={info.title} {onchange} />
            <span class="title">{ info.title }</span>
            <span class="number">{ grouped(method.method().count(&props.shape).total()) }</span>
        </label>
    }
}
