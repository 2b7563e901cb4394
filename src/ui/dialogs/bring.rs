//! A visitor's own data and checkpoints, as a dialog.
//! It shows what was read, what to choose of it, and what it will take.

use super::bring_base::BringBase;
use super::dialog::DialogFrame;
use crate::base::grouped;
use crate::task::user_data::{LabelledSplit, MAX_LABELS, Table};
use crate::ui::opener::Opener;
use crate::ui::state::{Action, Bring, Bringing, Offer, State};
use web_sys::{HtmlSelectElement, HtmlTextAreaElement};
use yew::prelude::*;

/// The dialog for a visitor's own data and checkpoints.
pub struct BringOwn;

impl BringOwn {
    /// Draws it.
    pub fn of(state: &State, on: &Callback<Action>) -> Html {
        let bring = &state.bring;
        let offer = match &bring.offer {
            Some(Offer::Text { name, text }) => of_text(name, text),
            Some(Offer::Table { table, text, label, read, file }) => {
                of_table(&file.name, table, (*text, *label), read, on)
            }
            Some(Offer::Base(base)) => BringBase::of(base, &state.config),
            None => html! {},
        };
        let usable = match &bring.offer {
            Some(Offer::Base(base)) => BringBase::is_usable(base),
            offer => matches!(offer, Some(Offer::Text { .. } | Offer::Table { read: Ok(_), .. })),
        };
        let title =
            if let Some(Offer::Base(base)) = &bring.offer { BringBase::button(base) } else { "Use this data".into() };
        let is_data = usable && !matches!(bring.offer, Some(Offer::Base(_)));
        let save = is_data.then(|| {
            html! { <button type="button" title="As the trainer reads it, for the Python that the page prints" onclick={emit(on, Bringing::Save)}>{ "Save as JSON" }</button> }
        });
        let buttons = html! {
            <>
                <button type="button" class="main" disabled={!usable} onclick={emit(on, Bringing::Use)}>{ title }</button>
                { save }
            </>
        };
        html! {
            <DialogFrame open={bring.open} label="Bring your own" class="bring" close={Action::Bring(Bringing::Close)} on={on.clone()} {buttons} done=false>
                <h2>{ "Bring your own" }</h2>
                <p>{ "A text to write like, texts with labels (CSV, TSV, JSON lines), or an OPT or GPT-2 checkpoint as Hugging Face lays it out (config.json, weights, tokenizer). Drop it anywhere on the page. " }<b>{ "Nothing leaves this machine." }</b></p>
                <div class="files">
                    <Opener title="Choose files …" help="One file of data, or all files of a checkpoint" on={on.clone()} />
                    <Opener title="Choose a folder …" help="The folder of a checkpoint or of an adapter" folder=true on={on.clone()} />
                </div>
                { paste(bring, on) }
                { for bring.fault.as_ref().map(|fault| html! { <p class="fault" role="alert">{ fault }</p> }) }
                <div role="status">{ offer }</div>
            </DialogFrame>
        }
    }
}

fn emit(on: &Callback<Action>, what: Bringing) -> Callback<MouseEvent> {
    let on = on.clone();
    Callback::from(move |_: MouseEvent| on.emit(Action::Bring(what.clone())))
}

fn paste(bring: &Bring, on: &Callback<Action>) -> Html {
    let oninput = {
        let on = on.clone();
        Callback::from(move |event: InputEvent| {
            let area: HtmlTextAreaElement = event.target_unchecked_into();
            on.emit(Action::Bring(Bringing::Type(area.value())));
        })
    };
    html! {
        <div class="paste">
            <textarea aria-label="Text or table to paste" rows="3" placeholder={"… or paste here: a text, or a table such as\ntext,label\nWhat a day!,good"} value={bring.pasted.clone()} {oninput} spellcheck="false" />
            <button type="button" disabled={bring.pasted.trim().is_empty()} onclick={emit(on, Bringing::ReadPasted)}>{ "Read" }</button>
        </div>
    }
}

fn named(name: &str) -> String {
    if name.is_empty() { "What you pasted".into() } else { name.into() }
}

fn of_text(name: &str, text: &str) -> Html {
    let opening: String = text.trim_start().chars().take(160).collect();
    html! {
        <>
            <h3>{ format!("{}: a text of {} characters", named(name), grouped(text.chars().count())) }</h3>
            <blockquote>{ opening }{ " …" }</blockquote>
            <p>{ "The base learns to go on like it; the last tenth is held out and never trained on." }</p>
        </>
    }
}

type Read = Result<std::rc::Rc<LabelledSplit>, String>;

fn of_table(name: &str, table: &Table, chosen: (usize, usize), read: &Read, on: &Callback<Action>) -> Html {
    let select = |id: &'static str, title: &'static str, column: usize, what: fn(usize) -> Bringing| {
        let on = on.clone();
        let onchange = Callback::from(move |event: Event| {
            let select: HtmlSelectElement = event.target_unchecked_into();
            if let Ok(i) = select.value().parse() {
                on.emit(Action::Bring(what(i)));
            }
        });
        let options = table.columns.iter().enumerate().map(|(i, name)| {
            html! { <option value={i.to_string()} selected={i == column}>{ name }</option> }
        });
        html! { <div class="field"><label for={id}>{ title }</label><select {id} {onchange}>{ for options }</select></div> }
    };
    let cells = |row: &crate::task::user_data::Row| {
        let cell = |i: usize| row.cells.get(i).map(|c| c.chars().take(120).collect::<String>()).unwrap_or_default();
        html! { <tr><td>{ cell(chosen.0) }</td><td>{ cell(chosen.1) }</td></tr> }
    };
    let found = match read {
        Err(message) => html! { <p class="fault" role="alert">{ message }</p> },
        Ok(data) => of_labelled(data),
    };
    html! {
        <>
            <h3>{ format!("{}: a table of {} rows", named(name), grouped(table.rows.len())) }</h3>
            <div class="columns">
                { select("own-text", "Text", chosen.0, Bringing::TextColumn) }
                { select("own-label", "Label", chosen.1, Bringing::LabelColumn) }
                <button type="button" class="link" onclick={emit(on, Bringing::AsText)}>{ "It is one text, no table" }</button>
            </div>
            <div class="wide"><table><thead><tr><th scope="col">{ "text" }</th><th scope="col">{ "label" }</th></tr></thead><tbody>{ for table.rows.iter().take(3).map(cells) }</tbody></table></div>
            { found }
        </>
    }
}

fn of_labelled(data: &LabelledSplit) -> Html {
    let mut counts = vec![0_usize; data.labels.len()];
    data.training.iter().chain(&data.held_out).for_each(|(label, _)| counts[*label] += 1);
    let labels: Vec<String> = data.labels.iter().zip(counts).map(|(l, n)| format!("{l} ({})", grouped(n))).collect();
    let left = &data.left_out;
    let reasons = [
        (left.without_text, "without a text"),
        (left.without_label, "without a label"),
        (left.repeated, "repeated"),
        (left.contradicting, "with another label for the same text"),
    ];
    let reasons: Vec<String> = reasons.iter().filter(|(n, _)| *n > 0).map(|(n, why)| format!("{n} {why}")).collect();
    let left_out = if reasons.is_empty() { String::new() } else { format!(" Left out: {}.", reasons.join(", ")) };
    html! {
        <p>{ format!(
            "{} labels of {MAX_LABELS} at most: {}. {} rows to train on, {} held out.{left_out}",
            data.labels.len(),
            labels.join(", "),
            grouped(data.training.len()),
            grouped(data.held_out.len())
        ) }</p>
    }
}
