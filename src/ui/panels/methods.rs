//! The list of methods, grouped by how φ meets the frozen network. One group is open at a time.

use crate::base::grouped;
use crate::config::RunConfig;
use crate::peft::{MethodConfig, MethodKind};
use crate::ui::diagram::formula::Formula;
use crate::ui::state::Action;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use yew::prelude::*;

/// What the list of methods is drawn from.
#[derive(Properties, PartialEq)]
pub struct MethodsProps {
    /// Every method with the knobs it would be chosen with.
    pub methods: Vec<MethodConfig>,
    pub config: RunConfig,
    pub on: Callback<Action>,
}

/// A radio group of all methods with their exact counts.
#[component]
pub fn Methods(props: &MethodsProps) -> Html {
    let chosen = props.config.method.info();
    // The chosen method's group opens when it is chosen; a visitor may look into another one meanwhile.
    let open = use_state_eq(|| Some(chosen.kind));
    {
        let open = open.setter();
        use_effect_with(chosen.name, move |_| open.set(Some(chosen.kind)));
    }
    let groups = MethodKind::ALL.into_iter().filter_map(|kind| {
        let members: Vec<&MethodConfig> = props.methods.iter().filter(|m| m.info().kind == kind).collect();
        let unfolded = *open == Some(kind);
        let onclick = {
            let open = open.setter();
            Callback::from(move |_: MouseEvent| open.set((!unfolded).then_some(kind)))
        };
        (!members.is_empty()).then(|| {
            html! {
                <div class={classes!("group", (!unfolded).then_some("folded"))} key={kind.title()}>
                    <button type="button" class="kind" aria-expanded={unfolded.to_string()} {onclick}>
                        <span>{ kind.title() }</span>
                        if unfolded { <Formula text={kind.formula()} /> } else { <span class="caption">{ members.len() }</span> }
                    </button>
                    { for members.iter().map(|method| option(method, props)) }
                </div>
            }
        })
    });
    // On a narrow screen the list scrolls sideways: the chosen method is brought into view.
    let node = use_node_ref();
    {
        let node = node.clone();
        use_effect_with(chosen.name, move |_| {
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
    let chosen = info.name == props.config.method.info().name;
    let also = props.config.also.iter().any(|m| m.info().name == info.name);
    let onchange = {
        let on = props.on.clone();
        Callback::from(move |_: Event| on.emit(Action::Set("method", info.name.to_string())))
    };
    let shape = props.config.shape();
    let (count, summary) = (method.method().count(&shape).total(), method.method().summary(&shape.model));
    let class = classes!("method", chosen.then_some("chosen"), also.then_some("also"));
    html! {
        <div {class} key={info.name}>
            <label title={format!("{summary}\n{}", info.paper)}>
                <input type="radio" name="method" value={info.name} checked={chosen} aria-label={info.title} {onchange} />
                <span class="title">{ info.title }</span>
                <span class="number" title={grouped(count)}>{ short(count) }</span>
            </label>
            { (!chosen).then(|| together(method, also, props)) }
        </div>
    }
}

/// A count as there is room for it beside a name: `35,136`, `28.3 M`, `106 M`.
fn short(count: u64) -> String {
    match count {
        n if n < 10_000_000 => grouped(n),
        n if n < 99_950_000 => format!("{:.1}\u{a0}M", n as f64 / 1e6),
        n if n < 999_500_000 => format!("{:.0}\u{a0}M", n as f64 / 1e6),
        n => format!("{:.2}\u{a0}B", n as f64 / 1e9),
    }
}

/// The button that trains a method together with the chosen one, or says why it cannot.
fn together(method: &MethodConfig, also: bool, props: &MethodsProps) -> Html {
    let info = method.info();
    let first = props.config.method.info().title;
    let refused = (!also).then(|| props.config.with_also(method.clone()).check().err()).flatten();
    let title = match (&refused, also) {
        (Some(fault), _) => fault.message.clone(),
        (None, true) => format!("Train without {}", info.title),
        (None, false) => format!("Train together with {first}"),
    };
    let onclick = {
        let on = props.on.clone();
        Callback::from(move |_: MouseEvent| on.emit(Action::Combine(info.name)))
    };
    html! {
        <button type="button" class="together" aria-pressed={also.to_string()} {title} disabled={refused.is_some()}
            aria-label={format!("Combine with {}", info.title)} {onclick}>{ if also { "−" } else { "+" } }</button>
    }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn a_large_count_has_three_digits() {
        let counts = [35_136, 9_999_999, 28_311_552, 99_949_999, 99_950_000, 134_515_008, 999_500_000];
        let texts = ["35,136", "9,999,999", "28.3 M", "99.9 M", "100 M", "135 M", "1.00 B"];
        assert_eq!(counts.map(short), texts.map(|text| text.replace(' ', "\u{a0}")));
    }
}
