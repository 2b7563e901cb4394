//! Free text that θ alone and θ with φ go on with, side by side, and what either may write next.

use super::dialog::DialogFrame;
use crate::protocol::{Around, NextToken};
use crate::ui::state::{Action, Column, FreeText, FreeTextField, FreeTexting, State, percent, visible};
use web_sys::{HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement, KeyboardEvent};
use yew::prelude::*;

/// What the dialog is drawn from.
#[derive(Properties, PartialEq)]
pub struct FreeTextProps {
    pub free: FreeText,
    /// What may be put around the text, and what that is called.
    pub forms: Vec<(Around, &'static str)>,
    /// Which of them is.
    pub around: Around,
    /// Whose φ would write, in words.
    pub by: String,
    /// Why nothing can be written now.
    pub waits: Option<&'static str>,
    pub on: Callback<Action>,
}

impl FreeTextProps {
    /// Of the page.
    pub fn of(state: &State, on: &Callback<Action>) -> FreeTextProps {
        let (by, waits) = (state.writes_by(), state.writing_waits());
        let (forms, around) = (state.free_text_forms(), state.free_text_around());
        FreeTextProps { free: state.free_text.clone(), forms, around, by, waits, on: on.clone() }
    }
}

/// The dialog: a text, how it is gone on with, and two columns.
#[component]
pub fn FreeTextDialog(props: &FreeTextProps) -> Html {
    let FreeTextProps { free, forms, around, by, waits, on } = props;
    let emit = |what: FreeTexting| {
        let on = on.clone();
        move || on.emit(Action::FreeText(what.clone()))
    };
    let edit = |field: FreeTextField| {
        let on = on.clone();
        move |text: String| on.emit(Action::FreeText(FreeTexting::Edit(field, text)))
    };
    let number = |id: &'static str, label: &'static str, help: &'static str, field: FreeTextField, value: &String| {
        let edit = edit(field);
        let oninput = Callback::from(move |event: InputEvent| {
            let input: HtmlInputElement = event.target_unchecked_into();
            edit(input.value());
        });
        html! {
            <div class="field" title={help}>
                <label for={id}>{ label }</label>
                <input {id} type="text" inputmode="decimal" autocomplete="off" value={value.clone()} {oninput} />
            </div>
        }
    };
    let choose = {
        let (on, forms) = (on.clone(), forms.clone());
        Callback::from(move |event: Event| {
            let select: HtmlSelectElement = event.target_unchecked_into();
            if let Some((around, _)) = forms.get(select.selected_index() as usize) {
                on.emit(Action::FreeText(FreeTexting::Around(*around)));
            }
        })
    };
    let form = |(form, title): &(Around, &'static str)| html! { <option selected={form == around}>{ *title }</option> };
    let placeholder = match around {
        Around::Nothing => "how a text begins",
        Around::Task => "what the task would ask",
        Around::Chat => "what you say",
    };
    let (write, stop) = (emit(FreeTexting::Write), emit(FreeTexting::Stop));
    let onsubmit = {
        let write = write.clone();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            write();
        })
    };
    // A line break is a part of the text: Enter alone does not send it.
    let onkeydown = Callback::from(move |event: KeyboardEvent| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
            event.prevent_default();
            write();
        }
    });
    let oninput = {
        let edit = edit(FreeTextField::Text);
        Callback::from(move |event: InputEvent| {
            let input: HtmlTextAreaElement = event.target_unchecked_into();
            edit(input.value());
        })
    };
    let button = if free.writes() {
        html! { <button type="button" class="go" onclick={Callback::from(move |_: MouseEvent| stop())}>{ "Stop" }</button> }
    } else {
        html! { <button type="submit" class="go" disabled={waits.is_some()} title="Ctrl Enter">{ "Write" }</button> }
    };
    let begun = free.writes() || free.columns.iter().any(|column| column.ms > 0.0);
    let by = if begun { &free.by } else { by };
    let [base, adapted] = &free.columns;
    let said = match (&free.fault, waits) {
        (Some(fault), _) => html! { <p class="fault" id="fault-free" role="alert">{ fault }</p> },
        (None, Some(waits)) if !free.writes() => html! { <p class="caption">{ *waits }</p> },
        _ => html! {},
    };
    // Who listens hears that it begins and ends, not every token.
    let status = match (free.writes(), begun) {
        (true, _) => "Writing …",
        (false, true) => "Both have ended.",
        (false, false) => "",
    };
    html! {
        <DialogFrame open={free.open} label="Try it" class="free" close={Action::FreeText(FreeTexting::Open(false))} on={on.clone()} done={false}>
            <h2>{ "Try it: free text" }</h2>
            <form class="asked" {onsubmit}>
                <textarea aria-label="How the text begins" rows="3" {placeholder} spellcheck="false" autocapitalize="off"
                    value={free.text.clone()} {oninput} {onkeydown} aria-invalid={free.fault.is_some().then_some("true")}
                    aria-describedby={free.fault.is_some().then_some("fault-free")} />
                <div class="how">
                    <div class="field" title="What is put around it: nothing, the task's template, or the model's own chat template">
                        <label for="free-around">{ "Read as" }</label>
                        <select id="free-around" onchange={choose}>{ for forms.iter().map(form) }</select>
                    </div>
                    { number("free-temperature", "Temperature", "0 takes the likeliest token, 1 draws by the probabilities", FreeTextField::Temperature, &free.temperature) }
                    { number("free-top-k", "Top-k", "Draws from so many likeliest tokens; 0 from all", FreeTextField::TopK, &free.top_k) }
                    { number("free-tokens", "Tokens", "To write at most", FreeTextField::Tokens, &free.tokens) }
                    { button }
                </div>
            </form>
            { said }
            <p class="unseen" role="status">{ status }</p>
            <div class="columns">
                { column("theta", "base alone", None, &free.given, base, begun) }
                { column("phi", "with φ", Some(by), &free.given, adapted, begun) }
            </div>
        </DialogFrame>
    }
}

fn column(
    class: &'static str,
    title: &'static str,
    by: Option<&String>,
    given: &str,
    column: &Column,
    begun: bool,
) -> Html {
    let bars = column.next.iter().map(bar);
    html! {
        <section class={classes!("voice", class)} aria-label={title}>
            <h3>{ title }{ for by.map(|by| html! { <em>{ by }</em> }) }</h3>
            <p class="text" tabindex="0">
                { for begun.then(|| html! { <span class="given">{ given.to_string() }</span> }) }
                { column.text.clone() }
            </p>
            <p class="caption">{ column.told().unwrap_or_default() }</p>
            if !column.next.is_empty() {
                <ol class="next" aria-label="The likeliest next tokens">{ for bars }</ol>
            }
        </section>
    }
}

fn bar(next: &NextToken) -> Html {
    let share = f64::from(next.probability);
    html! {
        <li>
            <code>{ visible(&next.text) }</code>
            <span class="share"><i style={format!("width:{:.1}%", 100.0 * share)} /></span>
            <span class="percent">{ percent(share) }</span>
        </li>
    }
}
