//! `peft-lab methods --markdown`: docs/methods.md, made from what every method tells about itself.

use crate::base::grouped;
use crate::config::RunConfig;
use crate::model::ModelConfig;
use crate::peft::{AdapterSettings, Knob, MethodConfig, MethodKind, Range};
use std::fmt::Write;

/// What stands above the methods, in lines that fit beside a diff.
const INTRODUCTION: &str = "\
# The methods

This page is made from the registry: `peft-lab methods --markdown` prints it. A test compares it with what the
program says.

In a formula θ is frozen, and φ's terms are bold. A count is the sum that the page shows. It is computed from
shapes alone, and tests compare it with the elements of φ.

“Checked against” names what a method's numbers are compared with:

| name | what is compared | to |
|---|---|---|
| finite differences | the gradient of every tensor of φ, natively and in Chromium on the CPU | 2 % + 3e-4 of its length |
| PEFT | Hugging Face `peft` 0.21, same OPT, same φ: logits, loss, gradients, φ and logits after an AdamW step | 1e-4 |
| PyTorch | plain PyTorch with hooks or `torch.nn.utils.prune`: logits, loss, gradients | 1e-4 |

Differences that were found to PEFT and PyTorch are below 1e-5. A merged network answers as the unmerged one,
to 1e-5, and unmerging is exact. [Testing](testing.md) says where these tests are.
";

/// A base, and a task where it is not the base's first.
type Scene = (&'static str, &'static str);
/// The opening scene, and one of prose: on both a count is written out.
const SCENES: [Scene; 2] = [("base=rules", "`rules`"), ("base=prose-micro&task=authors", "`prose-micro`, `authors`")];

/// The page.
pub(super) fn markdown() -> String {
    let mut page = INTRODUCTION.to_string() + "\n";
    row(&mut page, &["method", "kind", "trained on `rules`", "merges", "in PEFT", "checked against"].map(String::from));
    row(&mut page, &["---", "---", "--:", "---", "---", "---"].map(String::from));
    for method in methods() {
        let info = method.info();
        let (merges, in_peft) = (if info.merges.is_ok() { "yes" } else { "–" }, peft(&method).unwrap_or("–".into()));
        let link = format!("[{}](#{})", info.title, anchor(info.title));
        let trained = grouped(method.method().count(&scene(SCENES[0]).shape()).total());
        row(&mut page, &[link, kind(info.kind), trained, merges.into(), in_peft, info.checked.into()]);
    }
    for kind in MethodKind::ALL {
        let _ = write!(page, "\n## {}\n", kind.title());
        if !kind.formula().is_empty() {
            let _ = write!(page, "\n{}\n", formula(kind.formula()));
        }
        methods().filter(|method| method.info().kind == kind).for_each(|method| section(&mut page, &method));
    }
    page
}

/// All of them, kind by kind.
fn methods() -> impl Iterator<Item = MethodConfig> {
    let of = |kind| MethodConfig::all().into_iter().filter(move |method| method.info().kind == kind);
    MethodKind::ALL.into_iter().flat_map(of)
}

fn section(page: &mut String, method: &MethodConfig) {
    let info = method.info();
    let _ = write!(page, "\n### {}\n\n{}\n\n{}\n\n", info.title, wrapped(info.summary), formula(info.formula));
    if !info.knobs.is_empty() {
        row(page, &["knob", "on the page", "default", "values", ""].map(String::from));
        row(page, &["---"; 5].map(String::from));
        for knob in info.knobs {
            let default = method.get(knob.name).filter(|value| !value.is_empty());
            let default = default.map_or("–".into(), |value| format!("`{value}`"));
            let only = knob.shown_when.map_or(String::new(), |(other, value)| format!(" Only with `{other}={value}`."));
            let help = plain(knob.help) + &only;
            row(page, &[format!("`{}`", knob.name), plain(knob.label), default, values(knob), help]);
        }
        page.push('\n');
    }
    let mut fact = |name: &str, text: String| row(page, &[name.into(), text]);
    fact("contract name", format!("`{}`", info.name));
    fact("---", "---".into());
    fact("paper", formula(info.paper));
    for of in SCENES {
        let count = method.method().count(&scene(of).shape());
        let sum = match count.total() {
            0 => "nothing".into(),
            total => format!("{} = {}", plain(&count.sum()), grouped(total)),
        };
        fact(&format!("count on {}", of.1), sum);
    }
    fact("merges into θ", merges(method));
    fact("dial θ ⊕ λφ", yes_or_why(info.dial));
    fact("in PEFT", in_peft(method));
    fact("checked against", info.checked.into());
    let file = format!("src/peft/{}/mod.rs", info.name.replace('-', "_"));
    fact("stands in", format!("[{file}](../{file})"));
}

fn row(page: &mut String, cells: &[String]) {
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

/// The run of a scene.
fn scene((hash, _): Scene) -> RunConfig {
    RunConfig::from_hash(hash).0
}

fn kind(kind: MethodKind) -> String {
    kind.title().trim_end_matches(" composition").trim_end_matches('s').to_lowercase()
}

/// What a knob takes.
fn values(knob: &Knob) -> String {
    let options = |options: &[(&str, &str)]| {
        let option = |(value, label): &(&str, &str)| match value == label {
            true => format!("`{value}`"),
            false => format!("`{value}` ({})", plain(label)),
        };
        options.iter().map(option).collect::<Vec<_>>().join(", ")
    };
    match &knob.range {
        Range::Integer { min, max, .. } => format!("{} to {}", grouped(*min), grouped(*max)),
        Range::Seed => "a whole number".into(),
        Range::Number { min, max } => format!("{min} to {max}"),
        Range::Choice(all) => options(all),
        Range::Set(all) => format!("some of {}", options(all)),
        Range::Flag => "`true`, `false`".into(),
        Range::Blocks => "`all`, or numbers from 0".into(),
        Range::Text { max_chars } => format!("at most {max_chars} characters"),
    }
}

/// A method with one of its choices made in another way: `rows=block`, and the method.
fn choices(method: &MethodConfig) -> Vec<(String, MethodConfig)> {
    let mut out = Vec::new();
    for knob in method.info().knobs {
        let values = match &knob.range {
            Range::Choice(options) | Range::Set(options) => options.iter().map(|(value, _)| *value).collect(),
            Range::Flag => vec!["true", "false"],
            Range::Blocks => vec!["0"],
            _ => Vec::new(),
        };
        for value in values {
            let mut other = method.clone();
            if other.set(knob.name, value).is_ok() && other != *method {
                out.push((format!("`{}={value}`", knob.name), other));
            }
        }
    }
    out
}

fn yes_or_why(answer: Result<(), &str>) -> String {
    answer.map_or_else(|why| format!("no, because {}", plain(why)), |()| "yes".into())
}

fn merges(method: &MethodConfig) -> String {
    let merges = |method: &MethodConfig| method.method().merges();
    let mut text = yes_or_why(merges(method));
    let others = choices(method).into_iter().filter(|(_, other)| merges(other).is_ok() != merges(method).is_ok());
    for (choice, other) in others {
        let _ = write!(text, "; with {choice} {}", if merges(&other).is_ok() { "yes" } else { "no" });
    }
    text
}

/// PEFT's type of the method, and whether its file is read as this method; `None` where PEFT does not have it.
fn peft(method: &MethodConfig) -> Option<String> {
    let model: ModelConfig = scene(SCENES[0]).shape().model;
    let keys = method.adapter_file().keys(&model).ok().filter(|_| method.info().in_peft)?;
    let json = keys.as_object()?;
    let read = MethodConfig::from_adapter(&AdapterSettings { json, model: &model, tensors: &[] })?.ok()?;
    let name = format!("`{}`", keys["peft_type"].as_str()?);
    Some(match read.info().name == method.info().name {
        true => name,
        false => format!("{name}, read as {}", read.info().title.to_lowercase()),
    })
}

/// The same with what PEFT has no file for.
fn in_peft(method: &MethodConfig) -> String {
    let Some(mut text) = peft(method) else { return "no".into() };
    let model = scene(SCENES[0]).shape().model;
    for (choice, other) in choices(method) {
        if let Err(why) = other.adapter_file().keys(&model) {
            let _ = write!(text, "; not with {choice}: {}", plain(why.to_string().trim_end_matches('.')));
        }
    }
    text
}

/// A text whose characters mean nothing in a table.
fn plain(text: &str) -> String {
    let escaped = |c: char| if r"\|*<>`".contains(c) { format!("\\{c}") } else { c.to_string() };
    text.chars().map(escaped).collect()
}

/// A formula, φ's terms bold; `_x`, `_{xy}`, `^{xy}` are sub- and superscripts.
fn formula(text: &str) -> String {
    let (mut out, mut open) = (String::new(), Vec::new());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '⟨' => out += "<b>",
            '⟩' => out += "</b>",
            '}' => out += open.pop().unwrap_or("}"),
            '_' | '^' => {
                let (begin, end) = if c == '_' { ("<sub>", "</sub>") } else { ("<sup>", "</sup>") };
                out += begin;
                if rest.next_if_eq(&'{').is_some() {
                    open.push(end);
                } else {
                    while let Some(c) = rest.next_if(|c| c.is_alphanumeric()) {
                        out.push(c);
                    }
                    out += end;
                }
            }
            c => out += &plain(&c.to_string()),
        }
    }
    out
}

/// A paragraph in lines that fit beside a diff.
fn wrapped(text: &str) -> String {
    let (mut out, mut width) = (String::new(), 0);
    for word in plain(text).split(' ') {
        let length = word.chars().count();
        let fits = width + 1 + length <= 108;
        if width > 0 {
            out.push(if fits { ' ' } else { '\n' });
        }
        width = if fits { width + 1 + length } else { length };
        out += word;
    }
    out
}

/// GitHub's anchor of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphabetic() || c.is_ascii_digit() || "-_ ".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    const ROOT: &str = env!("CARGO_MANIFEST_DIR");

    #[test]
    fn the_page_in_docs_is_what_the_methods_say() {
        let there = std::fs::read_to_string(Path::new(ROOT).join("docs/methods.md")).unwrap_or_default();
        let (made, there): (Vec<String>, Vec<&str>) =
            (markdown().lines().map(String::from).collect(), there.lines().collect());
        let differs =
            (0..made.len().max(there.len())).find(|i| made.get(*i).map(String::as_str) != there.get(*i).copied());
        if let Some(i) = differs {
            panic!(
                "line {} of docs/methods.md is\n  {}\nand should be\n  {}\nWrite the page anew:\n  \
                 cargo run --profile ci --bin peft-lab -- methods --markdown > docs/methods.md",
                i + 1,
                there.get(i).unwrap_or(&""),
                made.get(i).map_or("", String::as_str)
            );
        }
    }

    /// The methods that files of fixtures are about.
    fn of_fixtures(files: impl IntoIterator<Item = PathBuf>) -> BTreeSet<String> {
        let method = |file: PathBuf| {
            let json: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
            json["method"].as_str().map(String::from)
        };
        files.into_iter().filter_map(method).collect()
    }

    fn entries(folder: &str) -> Vec<PathBuf> {
        let folder = Path::new(ROOT).join("tests/fixtures").join(folder);
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn what_a_method_is_checked_against_is_what_the_fixtures_hold() {
        let peft = of_fixtures(entries("peft").into_iter().map(|case| case.join("expected.json")));
        let is_phi = |file: &PathBuf| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("phi-"));
        let pytorch = of_fixtures(entries("plain").into_iter().chain(entries("").into_iter().filter(is_phi)));
        for method in MethodConfig::all() {
            let (name, checked) = (method.info().name, method.info().checked);
            assert_eq!(checked.contains("PEFT"), peft.contains(name), "{name}: PEFT");
            assert_eq!(checked.contains("PyTorch"), pytorch.contains(name), "{name}: PyTorch");
            // Each method that trains is among those whose gradients are checked: a test in tests/shared counts them.
            assert_eq!(checked.starts_with("finite differences"), method.method().trains(), "{name}: gradients");
            assert_eq!(method.info().in_peft, peft_has(&method), "{name}: in PEFT");
        }
    }

    fn peft_has(method: &MethodConfig) -> bool {
        method.adapter_file().keys(&scene(SCENES[0]).shape().model).is_ok()
    }

    #[test]
    fn formulas_keep_their_scripts_and_phi_is_bold() {
        assert_eq!(formula("f_{θ_{¬G} ∪ ⟨θ′_G⟩}(x)"), "f<sub>θ<sub>¬G</sub> ∪ <b>θ′<sub>G</sub></b></sub>(x)");
        assert_eq!(formula("a|b < ℝ^{n×d}"), "a\\|b \\< ℝ<sup>n×d</sup>");
    }

    #[test]
    fn a_paragraph_is_cut_between_words() {
        let lines = wrapped(&"four ".repeat(50));
        assert!(lines.lines().all(|line| line.chars().count() <= 108), "{lines}");
        assert_eq!(lines.split_whitespace().count(), 50);
    }

    #[test]
    fn anchors_are_those_of_github() {
        assert_eq!([anchor("(IA)³"), anchor("All but embeddings")], ["ia", "all-but-embeddings"]);
    }
}
