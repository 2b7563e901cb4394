//! A checkpoint and data of one's own on the command line: `--base-folder`, `--data-file`, `--text-column`,
//! `--label-column`, `--header`.

use super::sentence::Sentence;
use crate::base::grouped;
use crate::bases::{Base, OwnBase};
use crate::task::user_data;
use crate::task::user_data::{Dropped, Table, UserData, Wish, labelled, left_out, taken};
use clap::{Arg, ArgMatches};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

/// What the flags brought, by logical name. A process runs one command.
static BROUGHT: RwLock<BTreeMap<String, Source>> = RwLock::new(BTreeMap::new());

/// What was made of `--data-file`.
static TAKEN: RwLock<Option<Taken>> = RwLock::new(None);

/// What was made of a file with data.
#[derive(Clone)]
pub(super) struct Taken {
    /// The logical name of what the trainer reads.
    pub file: String,
    /// What was found out about a table, or what a text is.
    pub notes: Vec<String>,
    /// Columns, labels, rows left out; `None` for a text.
    pub line: Option<String>,
}

#[derive(Clone)]
enum Source {
    At(PathBuf),
    Here(String),
}

const FLAGS: [(&str, &str, &str); 5] = [
    (
        "base-folder",
        "DIR",
        "A checkpoint of your own: config.json, model.safetensors and tokenizer.json of OPT or GPT-2",
    ),
    ("data-file", "FILE", "Data of your own: a text to write like, or texts with labels as CSV, TSV or JSON"),
    ("text-column", "COLUMN", "Of --data-file: the column of the texts; guessed otherwise"),
    ("label-column", "COLUMN", "Of --data-file: the column of the labels; guessed otherwise"),
    ("header", "true|false", "Of --data-file: whether its first row names the columns; found out otherwise"),
];

/// The flags that bring a checkpoint and data.
pub fn args() -> impl Iterator<Item = Arg> {
    FLAGS.into_iter().map(|(name, value, help)| Arg::new(name).long(name).value_name(value).help(help))
}

/// Whether a flag is one of these, and none of a configuration's keys.
pub fn is_flag(id: &str) -> bool {
    FLAGS.iter().any(|(name, ..)| *name == id)
}

/// Takes in what the flags name; the pairs say it to a configuration.
pub fn pairs(args: &ArgMatches) -> Result<Vec<(String, String)>, Sentence> {
    let given = |name: &str| args.try_get_one::<String>(name).ok().flatten();
    let mut pairs = Vec::new();
    if let Some(folder) = given("base-folder") {
        pairs.push(("base".to_string(), bring_base(Path::new(folder))?));
    }
    if let Some(file) = given("data-file") {
        let data = bring_data(file, args)?;
        pairs.push(("task".into(), "own".into()));
        pairs.push(("data".into(), data.name));
        pairs.extend(data.classes.map(|n| ("classes".to_string(), n.to_string())));
    }
    Ok(pairs)
}

/// The contents of a brought file, or `None` for a name that was not brought.
pub fn read(name: &str) -> Option<Result<Vec<u8>, String>> {
    let source = BROUGHT.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()?;
    Some(match source {
        Source::At(path) => std::fs::read(&path).map_err(|e| format!("{} cannot be read: {e}.", path.display())),
        Source::Here(text) => Ok(text.into_bytes()),
    })
}

fn keep(name: String, source: Source) {
    BROUGHT.write().unwrap_or_else(PoisonError::into_inner).insert(name, source);
}

fn bring_base(folder: &Path) -> Result<String, Sentence> {
    let size = |name: &str| {
        let path = folder.join(name);
        let found = std::fs::metadata(&path).map_err(|e| format!("{} cannot be read: {e}.", path.display()))?;
        Ok::<_, Sentence>(found.len() as usize)
    };
    let path = folder.join("config.json");
    let config = std::fs::read_to_string(&path).map_err(|e| format!("{} cannot be read: {e}.", path.display()))?;
    let name = folder.file_name().map_or_else(|| "checkpoint".into(), |name| name.to_string_lossy().into_owned());
    let own =
        OwnBase::new(&name, &config, size("model.safetensors")?, size("tokenizer.json")?).map_err(|e| e.to_string())?;
    Base::register(&own).map_err(|e| e.to_string())?;
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        keep(format!("models/{}/{file}", own.id), Source::At(folder.join(file)));
    }
    Ok(own.id)
}

fn bring_data(path: &str, args: &ArgMatches) -> Result<UserData, Sentence> {
    let given = |name: &str| args.try_get_one::<String>(name).ok().flatten();
    let bytes = std::fs::read(path).map_err(|e| format!("{path} cannot be read: {e}."))?;
    let name = Path::new(path).file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let told = |e: user_data::UserDataError| format!("{path}: {e}");
    let header = given("header").map(|text| yes_or_no(text)).transpose()?;
    // Who names a column or a header has a table.
    let is_table = ["text-column", "label-column", "header"].into_iter().any(|flag| given(flag).is_some());
    let wish = Wish { table: is_table.then_some(true), header };
    let (data, json, notes, line) = match user_data::read_as(&name, &bytes, wish).map_err(told)? {
        Dropped::Text(text) => {
            let (data, json) = UserData::text(&name, &text);
            (data, json, vec![format!("{path}: a text of {} characters.", grouped(text.chars().count()))], None)
        }
        Dropped::Table(table) => {
            let guess = table.guess().unwrap_or((0, 1));
            let text = column(&table, given("text-column"), guess.0)?;
            let label = column(&table, given("label-column"), guess.1)?;
            let split = labelled(&table, text, label, 0).map_err(told)?;
            let (data, json) = UserData::labelled(&name, &split);
            let mut notes = table.notes.sentences();
            notes.extend(left_out(&split));
            (data, json, notes, Some(taken(&table, text, label, &split)))
        }
    };
    keep(data.file(), Source::Here(json));
    *TAKEN.write().unwrap_or_else(PoisonError::into_inner) = Some(Taken { file: data.file(), notes, line });
    Ok(data)
}

/// What was made of `--data-file`; `None` without one.
pub(super) fn taken_data() -> Option<Taken> {
    TAKEN.read().unwrap_or_else(PoisonError::into_inner).clone()
}

fn yes_or_no(text: &str) -> Result<bool, Sentence> {
    match text.trim() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("--header is true or false: whether the first row names the columns.".into()),
    }
}

fn column(table: &Table, name: Option<&String>, guess: usize) -> Result<usize, Sentence> {
    let Some(name) = name else { return Ok(guess) };
    if let Some(place) = table.columns.iter().position(|column| column == name) {
        return Ok(place);
    }
    // The sentence that the page has for a table of nothing else.
    if let Some((key, line)) = table.notes.nested.iter().find(|(key, _)| key == name) {
        return Err(user_data::UserDataError::Nested { line: *line, key: key.clone() }.to_string());
    }
    Err(format!("There is no column “{name}”: the table has {}.", table.columns.join(", ")))
}
