//! Where a script finds what somebody brought: a checkpoint's folder, a file with data and how it is read.

use crate::task::user_data::{LabelledSplit, Table, letters, text_split};
use std::collections::{HashMap, HashSet};

/// What a script is to read of somebody's own; what is `None` lies where the site has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// The checkpoint's folder, as it was named.
    pub base: Option<String>,
    /// Python that makes `data` of a file.
    pub data: Option<String>,
}

/// A text as Python writes it: JSON's escapes mean the same there.
pub fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A text to write like.
///
/// # Errors
/// A sentence, where Python would read the file otherwise.
pub fn text(path: &str, bytes: &[u8], text: &str) -> Result<String, String> {
    let cut = text_split(text).0.chars().count();
    Ok(format!(
        "text = open({path}, encoding={encoding}).read().strip()\n\
         data = {{\"authors\": [{{\"training\": text[:{cut}], \"held_out\": text[{cut}:]}}]}}\n",
        path = literal(path),
        encoding = literal(encoding(path, bytes)?),
    ))
}

/// Prompts with answers, as the trainer reads them: the script holds them.
pub fn answered(json: &str) -> String {
    format!("data = json.loads({})\n", literal(json))
}

/// Texts with labels: the columns, labels and held-out rows that were taken.
///
/// # Errors
/// A sentence, where a few lines of Python would read the file otherwise.
pub fn table(
    path: &str,
    bytes: &[u8],
    table: &Table,
    columns: (usize, usize),
    split: &LabelledSplit,
) -> Result<String, String> {
    let encoding = literal(encoding(path, bytes)?);
    let name = |column: usize| literal(&table.columns[column]);
    let file = literal(path);
    let (rows, numbered) = match table.notes.separator {
        Some(separator) => {
            if table.notes.empty_columns > 0 {
                return Err(other_form(path, "has columns without a name"));
            }
            let quoting = if table.notes.quotes_are_letters { ", quoting=csv.QUOTE_NONE" } else { "" };
            let rows = format!(
                "import csv\n\
                 csv.field_size_limit(10**8)\n\
                 def rows():\n    \
                     reader, line = csv.reader(open({file}, encoding={encoding}, newline=\"\"), delimiter={separator}{quoting}), 1\n    \
                     for row in reader:\n        \
                         # {text_name} and {label_name}\n        \
                         if line >= {first} and len(row) > {most}: yield line, row[{text}], row[{label}]\n        \
                         line = reader.line_num + 1\n",
                separator = literal(&char::from(separator.0).to_string()),
                text_name = name(columns.0),
                label_name = name(columns.1),
                first = table.rows.first().map_or(1, |row| row.line),
                most = columns.0.max(columns.1),
                text = columns.0,
                label = columns.1,
            );
            (rows, false)
        }
        None => {
            let text = String::from_utf8_lossy(bytes);
            let begins = text.trim_start_matches('\u{feff}').trim_start();
            let lines = || begins.lines().filter(|line| !line.trim().is_empty());
            let objects = if begins.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with('{')) {
                format!("json.load(open({file}, encoding={encoding}))")
            } else if lines().all(|line| line.trim_start().starts_with('{')) && lines().count() == table.rows.len() {
                format!("[json.loads(line) for line in open({file}, encoding={encoding}) if line.strip()]")
            } else {
                return Err(other_form(path, "is JSON of another form than an object a line, or a list of objects"));
            };
            let rows = format!(
                "cell = lambda value: \"\" if value is None else value if isinstance(value, str) else json.dumps(value)\n\
                 def rows():\n    \
                     for line, row in enumerate({objects}, 1):\n        \
                         row = row[\"row\"] if isinstance(row.get(\"row\"), dict) else row\n        \
                         yield line, cell(row.get({text_name})), cell(row.get({label_name}))\n",
                text_name = name(columns.0),
                label_name = name(columns.1),
            );
            (rows, true)
        }
    };
    let held: HashSet<&str> = split.held_out.iter().map(|(_, text)| text.as_str()).collect();
    // A text counts where it comes first, and has a label.
    let mut first: HashMap<String, usize> = HashMap::new();
    for (row, number) in table.rows.iter().zip(1..) {
        let cell = |column: usize| row.cells[column].split_whitespace().collect::<Vec<_>>().join(" ");
        if !cell(columns.1).is_empty() {
            first.entry(cell(columns.0)).or_insert(if numbered { number } else { row.line });
        }
    }
    let mut held_out: Vec<String> = Vec::new();
    let mut numbers: Vec<usize> = first.iter().filter(|(text, _)| held.contains(text.as_str())).map(|x| *x.1).collect();
    numbers.sort_unstable();
    for part in numbers.chunks(24) {
        held_out.push(part.iter().map(usize::to_string).collect::<Vec<_>>().join(", "));
    }
    let titles: Vec<String> = split.labels.iter().map(|label| literal(label)).collect();
    Ok(format!(
        "{rows}\
         TITLES = [{titles}]  # labels, each with a letter that stands for it\n\
         HELD_OUT = {{{held_out}}}\n\
         data = {{\"labels\": [{{\"label\": letter, \"title\": title}} for letter, title in zip({letters}, TITLES)], \"training\": [], \"held_out\": []}}\n\
         seen = set()\n\
         for line, text, label in rows():\n    \
             text, label = \" \".join(text.split()), \" \".join(label.split())\n    \
             if not text or label not in TITLES or text in seen: continue\n    \
             seen.add(text)\n    \
             data[\"held_out\" if line in HELD_OUT else \"training\"].append((TITLES.index(label), text))\n",
        titles = titles.join(", "),
        held_out = held_out.join(",\n            "),
        letters = literal(&letters(&split.labels).into_iter().collect::<String>()),
    ))
}

/// What Python calls a file's encoding.
fn encoding(path: &str, bytes: &[u8]) -> Result<&'static str, String> {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Ok("utf-16"),
        _ if bytes.contains(&0) => Err(other_form(path, "is UTF-16 without a byte order mark")),
        _ => Ok("utf-8-sig"),
    }
}

fn other_form(path: &str, is: &str) -> String {
    format!("{path} {is}, which the script does not read: save it as CSV in UTF-8, and name that file.")
}
