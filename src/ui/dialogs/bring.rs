//! A visitor's own data and checkpoints, as a dialog.
//! It shows what was read, what to choose of it, and what it will take.

use super::bring_base::BringBase;
use super::dialog::DialogFrame;
use super::from_hub::FromHub;
use super::kept::KeptOwn;
use crate::base::{grouped, shorten};
use crate::task::Answered;
use crate::task::text::MAX_TOKENS;
use crate::task::user_data::{AnsweredSplit, Columns, LabelledSplit, MAX_LABELS, Table, cut_texts, told};
use crate::ui::opener::Opener;
use crate::ui::state::{Action, Bring, Bringing, Offer, State};
use web_sys::{HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};
use yew::prelude::*;

/// Rows of a table that are shown.
const ROWS: usize = 4;
/// Columns of a table that are shown, beside those that are chosen.
const COLUMNS: usize = 12;

/// The dialog for a visitor's own data and checkpoints.
pub struct BringOwn;

impl BringOwn {
    /// Draws it.
    pub fn of(state: &State, on: &Callback<Action>) -> Html {
        let bring = &state.bring;
        let offer = match &bring.offer {
            Some(Offer::Text { file, text, check }) => of_text(&file.name, text, check.as_ref(), on),
            Some(Offer::Table { table, text, label, answers, read, file, longer, .. }) => {
                let limit = if *answers {
                    Answered::room(state.config.shape().model.max_position_embeddings).0
                } else {
                    MAX_TOKENS
                };
                let texts = read.as_ref().map_or(0, |data| data.texts().len());
                let cut = longer.and_then(|longer| cut_texts(texts, longer, limit));
                let found = match read {
                    Err(message) => html! { <p class="fault" role="alert">{ message }</p> },
                    Ok(Columns::Labelled(data)) => of_labelled(table, (*text, *label), data, cut),
                    Ok(Columns::Answered(data)) => of_answered(data, table.notes.sentences(), cut),
                };
                html! { <>{ of_table(&file.name, table, (*text, *label), *answers, on) }{ found }</> }
            }
            Some(Offer::Chats { file, split }) => of_chats(&file.name, split, on),
            Some(Offer::Base(base)) => BringBase::of(base, &state.config),
            None => html! {},
        };
        let usable = match &bring.offer {
            Some(Offer::Base(base)) => BringBase::is_usable(base),
            offer => offer.as_ref().is_some_and(Offer::is_usable),
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
                <p>{ "A text to write like, texts with labels or prompts with answers (CSV, TSV, JSON), chats (JSON lines with messages), or a checkpoint of OPT, GPT-2, Llama, Mistral, Qwen or GPT-NeoX: the files of Hugging Face (config.json, weights, tokenizer), or one GGUF file. Drop it anywhere on the page. " }<b>{ "Nothing leaves this machine." }</b></p>
                <div class="files">
                    <Opener title="Choose files …" help="One file of data, or all files of a checkpoint" on={on.clone()} />
                    <Opener title="Choose a folder …" help="The folder of a checkpoint or of an adapter" folder=true on={on.clone()} />
                </div>
                { FromHub::of(&bring.hub, on) }
                { paste(bring, on) }
                { for bring.fault.as_ref().map(|fault| html! { <p class="fault" role="alert">{ fault }</p> }) }
                <div role="status">{ offer }</div>
                { KeptOwn::of(state, on) }
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

fn of_text(name: &str, text: &str, check: Option<&Result<(), String>>, on: &Callback<Action>) -> Html {
    let opening: String = text.trim_start().chars().take(160).collect();
    let found = match check {
        None => html! { <p>{ "Counting its tokens …" }</p> },
        Some(Ok(())) => html! {
            <p>{ "The base learns to go on like it; the last tenth is held out and never trained on." }</p>
        },
        Some(Err(message)) => html! { <p class="fault" role="alert">{ message }</p> },
    };
    html! {
        <>
            <h3>{ format!("{}: a text of {} characters", named(name), grouped(text.chars().count())) }</h3>
            <div class="columns">
                <button type="button" class="link" onclick={emit(on, Bringing::AsTable)}>{ "It is a table, no text" }</button>
            </div>
            <blockquote>{ opening }{ " …" }</blockquote>
            { found }
        </>
    }
}

/// Prompts with answers.
fn of_answered(data: &AnsweredSplit, notes: Vec<String>, cut: Option<String>) -> Html {
    let left = data.left_out.total();
    let left = (left > 0)
        .then(|| format!("{} rows are empty, repeated, or have another answer: they are left out.", grouped(left)));
    let said: Vec<String> = notes.into_iter().chain(left).chain(cut).collect();
    html! {
        <>
            <p>{ format!(
                "Answers are learnt as they are written, up to their end. {} to train on, {} held out.",
                grouped(data.training.len()),
                grouped(data.held_out.len())
            ) }</p>
            <p>{ said.join(" ") }</p>
        </>
    }
}

/// Messages of chats.
fn of_chats(name: &str, data: &AnsweredSplit, on: &Callback<Action>) -> Html {
    let rows = data.held_out.iter().take(ROWS).map(|pair| {
        html! { <tr><td class="chosen">{ shorten(pair.prompt.shown()) }</td><td class="chosen">{ shorten(&pair.answer) }</td></tr> }
    });
    html! {
        <>
            <h3>{ format!("{}: chats with {} answers", named(name), grouped(data.training.len() + data.held_out.len())) }</h3>
            <div class="columns">
                <button type="button" class="link" onclick={emit(on, Bringing::AsText)}>{ "It is one text, no chats" }</button>
            </div>
            <div class="wide" tabindex="0" role="group" aria-label="First answers">
                <table>
                    <thead><tr><th scope="col">{ "last message" }</th><th scope="col">{ "answer" }</th></tr></thead>
                    <tbody>{ for rows }</tbody>
                </table>
            </div>
            { of_answered(data, vec!["All that was said before stands in the model's own chat template, where it has one.".into()], None) }
        </>
    }
}

fn of_table(name: &str, table: &Table, chosen: (usize, usize), answers: bool, on: &Callback<Action>) -> Html {
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
    html! {
        <>
            <h3>{ format!("{}: a table of {} rows", named(name), grouped(table.rows.len())) }</h3>
            <div class="columns">
                { select("own-text", "Text", chosen.0, Bringing::TextColumn) }
                { select("own-label", if answers { "Answer" } else { "Label" }, chosen.1, Bringing::LabelColumn) }
                { answers_switch(answers, on) }
                { for table.notes.header.map(|header| header_switch(header, on)) }
                <button type="button" class="link" onclick={emit(on, Bringing::AsText)}>{ "It is one text, no table" }</button>
            </div>
            { first_rows(table, chosen) }
        </>
    }
}

fn answers_switch(answers: bool, on: &Callback<Action>) -> Html {
    let on = on.clone();
    let onchange = Callback::from(move |event: Event| {
        let switch: HtmlInputElement = event.target_unchecked_into();
        on.emit(Action::Bring(Bringing::Answers(switch.checked())));
    });
    html! { <label class="check"><input type="checkbox" checked={answers} {onchange} />{ "Answers are written freely" }</label> }
}

fn header_switch(header: bool, on: &Callback<Action>) -> Html {
    let on = on.clone();
    let onchange = Callback::from(move |event: Event| {
        let switch: HtmlInputElement = event.target_unchecked_into();
        on.emit(Action::Bring(Bringing::Header(switch.checked())));
    });
    html! { <label class="check"><input type="checkbox" checked={header} {onchange} />{ "First row is the header" }</label> }
}

/// The first rows as they were read, with their lines in the file.
fn first_rows(table: &Table, (text, label): (usize, usize)) -> Html {
    let shown: Vec<usize> = (0..table.columns.len()).filter(|i| *i < COLUMNS || [text, label].contains(i)).collect();
    let short = |cell: &str| -> String {
        let cut: String = cell.chars().take(120).collect();
        if cut.len() < cell.len() { cut + " …" } else { cut }
    };
    let class = |i: usize| [text, label].contains(&i).then_some("chosen");
    let names = shown.iter().map(|i| html! { <th scope="col" class={class(*i)}>{ short(&table.columns[*i]) }</th> });
    let row = |row: &crate::task::user_data::Row| {
        let cell = |i: &usize| {
            html! { <td class={class(*i)}>{ row.cells.get(*i).map(|cell| short(cell)).unwrap_or_default() }</td> }
        };
        html! { <tr><th scope="row">{ row.line }</th>{ for shown.iter().map(cell) }</tr> }
    };
    html! {
        <div class="wide" tabindex="0" role="group" aria-label="First rows">
            <table>
                <thead><tr><th scope="col">{ "line" }</th>{ for names }</tr></thead>
                <tbody>{ for table.rows.iter().take(ROWS).map(row) }</tbody>
            </table>
        </div>
    }
}

fn of_labelled(table: &Table, (text, label): (usize, usize), data: &LabelledSplit, cut: Option<String>) -> Html {
    let mut counts = vec![0_usize; data.labels.len()];
    data.training.iter().chain(&data.held_out).for_each(|(label, _)| counts[*label] += 1);
    let labels: Vec<String> = data.labels.iter().zip(counts).map(|(l, n)| format!("{l} ({})", grouped(n))).collect();
    let said = told(table, text, label, data);
    let said = said.into_iter().chain(cut);
    html! {
        <>
            <p>{ format!(
                "{} labels of {MAX_LABELS} at most: {}. {} rows to train on, {} held out.",
                data.labels.len(),
                labels.join(", "),
                grouped(data.training.len()),
                grouped(data.held_out.len())
            ) }</p>
            <p>{ said.collect::<Vec<_>>().join(" ") }</p>
        </>
    }
}
