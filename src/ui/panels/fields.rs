//! Labelled controls that edit one key of the configuration, with the fault of a text that cannot be used
//! beside them.

use crate::ui::state::{Action, Draft};
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

/// What kind of text a field takes, which decides the keyboard of a phone and the buttons of a browser.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Integer { min: usize, max: usize },
    Number,
    Text { max_chars: usize },
}

/// An option of a [`Select`]: heading of its group or nothing, value, title.
pub type Choice = (AttrValue, AttrValue, AttrValue);

/// Options without headings, from values and titles.
pub fn choices(options: &[(&'static str, &'static str)]) -> Vec<Choice> {
    let choice =
        |(value, title): &(&'static str, &'static str)| (AttrValue::default(), (*value).into(), (*title).into());
    options.iter().map(choice).collect()
}

#[derive(Properties, PartialEq)]
pub struct FieldProps {
    /// The key in the address.
    pub name: &'static str,
    pub label: AttrValue,
    #[prop_or_default]
    pub help: AttrValue,
    pub kind: Kind,
    pub value: AttrValue,
    #[prop_or_default]
    pub placeholder: AttrValue,
    #[prop_or_default]
    pub draft: Option<Draft>,
    pub on: Callback<Action>,
    /// A slider between label and number.
    #[prop_or_default]
    pub children: Html,
}

/// A number or a text with its label.
#[component]
pub fn Field(props: &FieldProps) -> Html {
    let name = props.name;
    let oninput = {
        let on = props.on.clone();
        Callback::from(move |event: InputEvent| {
            let input: HtmlInputElement = event.target_unchecked_into();
            on.emit(Action::Set(name, input.value()));
        })
    };
    let onblur = {
        let on = props.on.clone();
        Callback::from(move |_: FocusEvent| on.emit(Action::Settle(name)))
    };
    let fault = fault_of(&props.draft);
    let invalid = fault.is_some().then_some("true");
    let id = format!("knob-{name}");
    let described = fault.is_some().then(|| format!("fault-{name}"));
    let input = match props.kind {
        Kind::Integer { min, max } => html! {
            <input {id} type="number" step="1" min={min.to_string()} max={max.to_string()} value={props.value.clone()}
                placeholder={props.placeholder.clone()} aria-invalid={invalid} aria-describedby={described} {oninput} {onblur} />
        },
        Kind::Number => html! {
            <input {id} type="text" inputmode="decimal" autocomplete="off" value={props.value.clone()}
                placeholder={props.placeholder.clone()} aria-invalid={invalid} aria-describedby={described} {oninput} {onblur} />
        },
        Kind::Text { max_chars } => html! {
            <input {id} type="text" class="wide" autocomplete="off" maxlength={max_chars.to_string()} value={props.value.clone()}
                placeholder={props.placeholder.clone()} aria-invalid={invalid} aria-describedby={described} {oninput} {onblur} />
        },
    };
    html! {
        <>
            <div class="field" title={props.help.clone()}>
                <label for={format!("knob-{name}")}>{ &props.label }</label>
                { props.children.clone() }
                { input }
            </div>
            <Fault {name} draft={props.draft.clone()} />
        </>
    }
}

#[derive(Properties, PartialEq)]
pub struct SelectProps {
    pub name: &'static str,
    pub label: AttrValue,
    #[prop_or_default]
    pub help: AttrValue,
    pub options: Vec<Choice>,
    pub value: AttrValue,
    #[prop_or_default]
    pub draft: Option<Draft>,
    pub on: Callback<Action>,
}

/// One of several, with its label.
#[component]
pub fn Select(props: &SelectProps) -> Html {
    let name = props.name;
    let onchange = {
        let on = props.on.clone();
        Callback::from(move |event: Event| {
            let select: HtmlSelectElement = event.target_unchecked_into();
            on.emit(Action::Set(name, select.value()));
        })
    };
    let option = |(_, value, title): &Choice| {
        html! { <option value={value.clone()} selected={*value == props.value}>{ title }</option> }
    };
    let groups = props.options.chunk_by(|a, b| a.0 == b.0).map(|group| {
        let options: Html = group.iter().map(option).collect();
        let heading = &group[0].0;
        if heading.is_empty() {
            options
        } else {
            html! { <optgroup label={heading.clone()}>{ options }</optgroup> }
        }
    });
    html! {
        <>
            <div class="field" title={props.help.clone()}>
                <label for={format!("knob-{name}")}>{ &props.label }</label>
                <select id={format!("knob-{name}")} {onchange}>{ for groups }</select>
            </div>
            <Fault {name} draft={props.draft.clone()} />
        </>
    }
}

#[derive(Properties, PartialEq)]
pub struct FaultProps {
    pub name: &'static str,
    pub draft: Option<Draft>,
}

/// Why a control's text is not used.
#[component]
pub fn Fault(props: &FaultProps) -> Html {
    match fault_of(&props.draft) {
        Some(message) => html! { <p class="fault" id={format!("fault-{}", props.name)} role="alert">{ message }</p> },
        None => html! {},
    }
}

fn fault_of(draft: &Option<Draft>) -> Option<String> {
    draft.as_ref().and_then(|d| d.fault.as_ref()).map(|f| f.message.clone())
}
