//! A checkpoint and data of one's own on the command line: `--base-folder`, `--data-file`, `--text-column`,
//! `--label-column`, `--header`.

use super::sentence::Sentence;
use crate::base::grouped;
use crate::bases::{Base, Checkpoint, Identity, OwnBase, Part};
use crate::interchange::python;
use crate::interchange::python::Sources;
use crate::task::user_data;
use crate::task::user_data::{AnsweredSplit, Chats, Columns, Dropped, FREE, Table, UserData, Wish, refusal, taken};
use clap::{Arg, ArgMatches};
use std::collections::BTreeMap;
use std::io::Read;
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

const FLAGS: [(&str, &str, &str); 6] = [
    ("base-folder", "DIR", "A checkpoint of your own: a folder of Hugging Face's, or one GGUF file"),
    (
        "data-file",
        "FILE",
        "Data of your own: a text to write like, texts with labels or prompts with answers as CSV, TSV or JSON, or chats",
    ),
    ("text-column", "COLUMN", "Of --data-file: the column of the texts; guessed otherwise"),
    ("label-column", "COLUMN", "Of --data-file: the column of the labels; guessed otherwise"),
    ("answer-column", "COLUMN", "Of --data-file: the column of answers that are written freely, in place of labels"),
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
    if let (Some(base), Some(folder)) = (given("base"), given("base-folder")) {
        return Err(format!("--base {base} and --base-folder {folder} name two bases: leave one out."));
    }
    if let (Some(task), Some(file)) = (given("task").filter(|task| *task != "own"), given("data-file")) {
        return Err(format!("--task {task} and --data-file {file} name two tasks: leave one out."));
    }
    if let Some(folder) = given("base-folder") {
        pairs.push(("base".to_string(), bring_base(Path::new(folder))?));
    }
    if let Some(file) = given("data-file") {
        let data = bring_data(file, args)?;
        pairs.push(("task".into(), "own".into()));
        pairs.push(("data".into(), data.name));
        pairs.extend(data.classes.map(|n| ("classes".to_string(), n.to_string())));
        pairs.extend(data.answers.then(|| ("answers".to_string(), FREE.to_string())));
    }
    Ok(pairs)
}

/// Refuses an output that a flag of the same command reads, or that lies among its files.
pub fn spare(args: &ArgMatches, out: &str) -> Result<(), Sentence> {
    if out.is_empty() {
        return Err("--out is empty: name where to write.".into());
    }
    // What is not there yet cannot be lost.
    let Ok(place) = Path::new(out).canonicalize() else { return Ok(()) };
    for name in ["base-folder", "data-file", "run", "adapter"] {
        let given = args.try_get_one::<String>(name).ok().flatten();
        let Some(read) = given.and_then(|path| Path::new(path).canonicalize().ok()) else { continue };
        if place == read || place.parent() == Some(&read) {
            return Err(format!("--out {out} would be written over what --{name} names: choose another place."));
        }
    }
    Ok(())
}

/// The flags that brought something, as they were typed.
pub fn typed(args: &ArgMatches) -> String {
    let given = |name: &str| args.try_get_one::<String>(name).ok().flatten();
    let flags = FLAGS.iter().filter_map(|(name, ..)| Some((name, given(name)?)));
    flags.map(|(name, value)| format!(" --{name} {}", quoted(value))).collect()
}

fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-=:@%+,".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        value.into()
    } else {
        format!("'{}'", value.replace('\'', "'\\''"))
    }
}

/// The contents of a brought file, or `None` for a name that was not brought.
pub fn read(name: &str) -> Option<Result<Vec<u8>, String>> {
    let source = BROUGHT.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()?;
    Some(match source {
        Source::At(path) => std::fs::read(&path).map_err(|e| format!("{} cannot be read: {e}.", path.display())),
        Source::Here(text) => Ok(text.into_bytes()),
    })
}

/// Where a brought checkpoint lies, from the root: its folder, or its one file.
pub fn folder(base: &str) -> Option<PathBuf> {
    let brought = BROUGHT.read().unwrap_or_else(PoisonError::into_inner);
    let path = |file: &str| match brought.get(&format!("models/{base}/{file}"))? {
        Source::At(path) => Some(path),
        Source::Here(_) => None,
    };
    match Base::named(base)?.one_file() {
        Some(file) => path(file)?.canonicalize().ok(),
        None => path("config.json")?.parent()?.canonicalize().ok(),
    }
}

fn keep(name: String, source: Source) {
    BROUGHT.write().unwrap_or_else(PoisonError::into_inner).insert(name, source);
}

fn bring_base(place: &Path) -> Result<String, Sentence> {
    let cannot = |path: &Path, e: std::io::Error| format!("{} cannot be read: {e}.", path.display());
    let (folder, paths) = match place.is_file() {
        true => (place.parent().unwrap_or(place), vec![Ok(place.to_path_buf())]),
        false => {
            let entries = std::fs::read_dir(place).map_err(|e| cannot(place, e))?;
            (place, entries.map(|entry| entry.map(|entry| entry.path())).collect())
        }
    };
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|e| cannot(folder, e))?;
        if let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| path.is_file()) {
            files.push(beginning(&path, name).map_err(|e| cannot(&path, e))?);
        }
    }
    let parts: Vec<Part<'_>> = files.iter().map(|(name, size, head)| Part { name, size: *size, head }).collect();
    // `.` has no name of its own.
    let named = folder.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let checkpoint = Checkpoint::of(named.as_deref(), &parts).map_err(|e| format!("{}: {e}.", place.display()))?;
    let mut identity = Identity::default();
    for name in checkpoint.files() {
        let path = folder.join(name);
        digest(&mut identity, name, &path).map_err(|e| cannot(&path, e))?;
    }
    let own = OwnBase::new(&checkpoint, &identity.digest());
    let base = Base::register(&own).map_err(|e| e.to_string())?;
    for file in checkpoint.files() {
        keep(format!("models/{}/{file}", base.id), Source::At(folder.join(file)));
    }
    Ok(base.id.to_string())
}

/// Name, size and as many of a file's first bytes as are looked at.
fn beginning(path: &Path, name: &str) -> std::io::Result<(String, u64, Vec<u8>)> {
    let mut file = std::fs::File::open(path)?;
    let size = file.metadata()?.len();
    let mut head = Vec::new();
    let mut seen = 8;
    while seen > head.len() as u64 {
        let have = head.len();
        Read::by_ref(&mut file).take(seen - have as u64).read_to_end(&mut head)?;
        if head.len() == have {
            break;
        }
        seen = Part::seen(name, size, &head);
    }
    Ok((name.to_string(), size, head))
}

fn digest(identity: &mut Identity, name: &str, path: &Path) -> std::io::Result<()> {
    let mut file = std::fs::File::open(path)?;
    identity.file(name, file.metadata()?.len());
    let mut part = vec![0; 1 << 20];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(()),
            n => identity.bytes(&part[..n]),
        }
    }
}

/// What a file with data turned out to be, with its columns chosen.
enum Chosen {
    Text(String),
    Chats(Chats),
    Table(Box<ChosenTable>),
}

/// A table with its columns chosen.
struct ChosenTable {
    table: Table,
    text: usize,
    label: usize,
    columns: Columns,
}

/// Reads a file with data as its flags say.
fn choose(path: &str, bytes: &[u8], args: &ArgMatches) -> Result<Chosen, Sentence> {
    let given = |name: &str| args.try_get_one::<String>(name).ok().flatten();
    let told = |e: user_data::UserDataError| e.about(path);
    let header = given("header").map(|text| yes_or_no(text)).transpose()?;
    // Who names a column or a header has a table.
    let is_table =
        ["text-column", "label-column", "answer-column", "header"].into_iter().any(|flag| given(flag).is_some());
    let wish = Wish { table: is_table.then_some(true), header };
    Ok(match user_data::read_as(&file_name(path), bytes, wish).map_err(told)? {
        Dropped::Text(text) => Chosen::Text(text),
        Dropped::Chats(chats) => Chosen::Chats(chats),
        Dropped::Table(table) => {
            if let (Some(label), Some(answer)) = (given("label-column"), given("answer-column")) {
                return Err(format!("--label-column {label} and --answer-column {answer} name two: leave one out."));
            }
            let answered = table.guess_answers().filter(|_| given("label-column").is_none());
            let are_answers = answered.is_some() || given("answer-column").is_some();
            let guess = answered.or_else(|| table.guess()).unwrap_or((0, 1));
            let text = column(&table, given("text-column"), guess.0)?;
            let label = column(&table, given("label-column").or(given("answer-column")), guess.1)?;
            let columns = Columns::of(&table, text, label, are_answers);
            let columns = columns.map_err(|e| format!("{path}: {}", refusal(&table, &e)))?;
            Chosen::Table(Box::new(ChosenTable { table, text, label, columns }))
        }
    })
}

fn file_name(path: &str) -> String {
    Path::new(path).file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn bytes_of(path: &str) -> Result<Vec<u8>, Sentence> {
    std::fs::read(path).map_err(|e| format!("{path} cannot be read: {e}."))
}

fn bring_data(path: &str, args: &ArgMatches) -> Result<UserData, Sentence> {
    let name = file_name(path);
    let (data, json, notes, line) = match choose(path, &bytes_of(path)?, args)? {
        Chosen::Text(text) => {
            let (data, json) = UserData::text(&name, &text);
            (data, json, vec![format!("{path}: a text of {} characters.", grouped(text.chars().count()))], None)
        }
        Chosen::Table(chosen) => {
            let ChosenTable { table, text, label, columns } = *chosen;
            let (data, json) = columns.data(&name);
            match &columns {
                Columns::Labelled(split) => {
                    let notes = user_data::told(&table, text, label, split);
                    (data, json, notes, Some(taken(&table, text, label, split)))
                }
                Columns::Answered(split) => {
                    let mut notes = table.notes.sentences();
                    notes.push(format!(
                        "text: {}, answer: {}; {}",
                        table.columns[text],
                        table.columns[label],
                        of_answers(split)
                    ));
                    (data, json, notes, None)
                }
            }
        }
        Chosen::Chats(chats) => {
            let split = chats.split(0);
            let (data, json) = UserData::answered(&name, &split);
            let line = format!("{path}: {} chats; {}", grouped(chats.rows.len()), of_answers(&split));
            (data, json, vec![line], None)
        }
    };
    keep(data.file(), Source::Here(json));
    *TAKEN.write().unwrap_or_else(PoisonError::into_inner) = Some(Taken { file: data.file(), notes, line });
    Ok(data)
}

/// Where a script finds what the flags name, as they name it.
pub(super) fn python_sources(args: &ArgMatches, on: &Base) -> Result<Sources, Sentence> {
    let given = |name: &str| args.try_get_one::<String>(name).ok().flatten();
    let base = given("base-folder").map(|path| match on.one_file() {
        // One GGUF file alone in a folder.
        Some(file) if Path::new(path).is_dir() => Path::new(path).join(file).display().to_string(),
        _ => path.clone(),
    });
    if let Some(folder) = &base
        && on.one_file().is_none()
        && !Path::new(folder).join("tokenizer.json").is_file()
    {
        return Err(format!(
            "{folder} has no tokenizer.json, which the script reads: AutoTokenizer.from_pretrained and save_pretrained write one."
        ));
    }
    let data = given("data-file").map(|path| {
        let bytes = bytes_of(path)?;
        match choose(path, &bytes, args)? {
            Chosen::Text(text) => python::text_file(path, &bytes, &text),
            Chosen::Table(chosen) => match &*chosen {
                ChosenTable { table, text, label, columns: Columns::Labelled(split) } => {
                    python::table(path, &bytes, table, (*text, *label), split)
                }
                ChosenTable { columns, .. } => Ok(python::answered(&columns.data(&file_name(path)).1)),
            },
            Chosen::Chats(chats) => Ok(python::answered(&UserData::answered(&file_name(path), &chats.split(0)).1)),
        }
    });
    Ok(Sources { base, data: data.transpose()? })
}

/// What was made of `--data-file`; `None` without one.
pub(super) fn taken_data() -> Option<Taken> {
    TAKEN.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// How many answers there are, and are not used.
fn of_answers(split: &AnsweredSplit) -> String {
    let [training, held_out, left] = [split.training.len(), split.held_out.len(), split.left_out.total()].map(grouped);
    format!("{training} to train on, {held_out} held out, {left} left out")
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
    if let Some(column) = table.notes.nested.iter().find(|column| column.key == *name) {
        return Err(column.to_string());
    }
    Err(format!("There is no column “{name}”: the table has {}.", table.columns.join(", ")))
}
