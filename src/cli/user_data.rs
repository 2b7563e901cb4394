//! A checkpoint and data of one's own on the command line: `--base-folder`, `--data-file`, `--text-column`,
//! `--label-column`.

use super::sentence::Sentence;
use crate::bases::{Base, Checkpoint, Identity, OwnBase, Part};
use crate::task::user_data;
use crate::task::user_data::{Dropped, Table, UserData, labelled};
use clap::{Arg, ArgMatches};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

/// What the flags brought, by logical name. A process runs one command.
static BROUGHT: RwLock<BTreeMap<String, Source>> = RwLock::new(BTreeMap::new());

#[derive(Clone)]
enum Source {
    At(PathBuf),
    Here(String),
}

const FLAGS: [(&str, &str, &str); 4] = [
    ("base-folder", "DIR", "A checkpoint of your own: config.json, weights and tokenizer of OPT or GPT-2"),
    ("data-file", "FILE", "Data of your own: a text to write like, or texts with labels as CSV, TSV or JSON lines"),
    ("text-column", "COLUMN", "Of --data-file: the column of the texts; guessed otherwise"),
    ("label-column", "COLUMN", "Of --data-file: the column of the labels; guessed otherwise"),
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
        let data = bring_data(file, given("text-column"), given("label-column"))?;
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
    let cannot = |path: &Path, e: std::io::Error| format!("{} cannot be read: {e}.", path.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| cannot(folder, e))? {
        let path = entry.map_err(|e| cannot(folder, e))?.path();
        if let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| path.is_file()) {
            files.push(beginning(&path, name).map_err(|e| cannot(&path, e))?);
        }
    }
    let parts: Vec<Part<'_>> = files.iter().map(|(name, size, head)| Part { name, size: *size, head }).collect();
    // `.` has no name of its own.
    let named = folder.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let checkpoint = Checkpoint::of(named.as_deref(), &parts).map_err(|e| format!("{}: {e}.", folder.display()))?;
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
    Read::by_ref(&mut file).take(8).read_to_end(&mut head)?;
    let seen = Part::seen(name, size, &head);
    file.take(seen.saturating_sub(8)).read_to_end(&mut head)?;
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

fn bring_data(path: &str, text: Option<&String>, label: Option<&String>) -> Result<UserData, Sentence> {
    let bytes = std::fs::read(path).map_err(|e| format!("{path} cannot be read: {e}."))?;
    let name = Path::new(path).file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let told = |e: user_data::UserDataError| format!("{path}: {e}");
    let (data, json) = match user_data::read(&name, &bytes).map_err(told)? {
        Dropped::Text(text) => UserData::text(&name, &text).map_err(told)?,
        Dropped::Table(table) => {
            let guess = table.guess().unwrap_or((0, 1));
            let (text, label) = (column(&table, text, guess.0)?, column(&table, label, guess.1)?);
            UserData::labelled(&name, &labelled(&table, text, label, 0).map_err(told)?)
        }
    };
    keep(data.file(), Source::Here(json));
    Ok(data)
}

fn column(table: &Table, name: Option<&String>, guess: usize) -> Result<usize, Sentence> {
    let Some(name) = name else { return Ok(guess) };
    let place = table.columns.iter().position(|column| column == name);
    place.ok_or_else(|| format!("There is no column “{name}”: the table has {}.", table.columns.join(", ")))
}
