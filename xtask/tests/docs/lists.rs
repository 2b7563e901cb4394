//! Lists and tolerances on the pages, against the sources that hold them: names both ways, figures where the tests have them.

use super::{pages, root};
use std::collections::BTreeSet;

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Rows of the table of a page whose head begins so, each as its cells.
fn table(page: &str, head: &str) -> Vec<Vec<String>> {
    let text = read(page);
    let lines = text.lines().skip_while(|line| !line.starts_with(head)).skip(2);
    let rows = lines.take_while(|line| line.starts_with('|'));
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_string()).collect();
    let rows: Vec<Vec<String>> = rows.map(cells).collect();
    assert!(!rows.is_empty(), "{page} has no table “{head}”");
    rows
}

/// What stands as code in a text.
fn codes(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn set<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(String::from).collect()
}

/// Names of the tests in a file, in their order.
fn tests(source: &str) -> Vec<String> {
    let name =
        |part: &str| part.split("fn ").nth(1).and_then(|rest| rest.split('(').next()).unwrap_or_default().to_string();
    source.split("#[test]").skip(1).map(name).collect()
}

#[test]
fn the_tests_of_the_structure_are_those_that_there_are() {
    let source = read("xtask/tests/structure/main.rs");
    let rows = table("docs/testing.md", "| test |");
    let named: Vec<&str> = rows.iter().flat_map(|row| codes(&row[0])).collect();
    assert_eq!(named, tests(&source));
    let lines = source.split("const LINES: usize = ").nth(1).and_then(|rest| rest.split(';').next()).unwrap();
    assert!(rows.iter().any(|row| row[1] == format!("at most {lines} lines")), "{rows:?}");
    assert!(read("CONTRIBUTING.md").contains(&format!("past {lines} a test fails")));
}

#[test]
fn the_map_is_the_list_of_folders() {
    let source = read("xtask/tests/structure/main.rs");
    let list = source.split("const FOLDERS").nth(1).and_then(|rest| rest.split("];").next()).unwrap();
    let list =
        list.split('"').skip(1).step_by(2).filter(|folder| *folder != "bin").map(|folder| format!("src/{folder}"));
    let rows = table("ARCHITECTURE.md", "| folder |");
    let named: Vec<&str> = rows.iter().flat_map(|row| codes(&row[0])).collect();
    assert_eq!(named, list.collect::<Vec<_>>());
}

#[test]
fn the_files_of_the_kernels_are_those_that_there_are() {
    let entries = std::fs::read_dir(root().join("src/kernels")).unwrap().map(|entry| entry.unwrap());
    let name = |entry: std::fs::DirEntry| {
        let end = if entry.path().is_dir() { "/" } else { "" };
        entry.file_name().into_string().unwrap() + end
    };
    let there: BTreeSet<String> = entries.map(name).collect();
    let rows = table("docs/kernels.md", "| file |");
    assert_eq!(set(rows.iter().flat_map(|row| codes(&row[0]))), there);
}

#[test]
fn what_a_method_answers_is_called_so_and_what_it_must_answer_is_told() {
    let source = read("src/peft/method.rs");
    let rows = table("docs/add-a-method.md", "| what |");
    let told: BTreeSet<String> = set(rows.iter().flat_map(|row| codes(&row[0])));
    for name in &told {
        let there = [format!("    fn {name}("), format!("    pub {name}: "), format!("pub struct {name} ")];
        assert!(there.iter().any(|code| source.contains(code)), "src/peft/method.rs has no {name}");
    }
    let of_trait = source.split("pub trait Method:").nth(1).and_then(|rest| rest.split("\n}\n").next()).unwrap();
    let asked = of_trait.lines().filter_map(|line| line.strip_prefix("    fn ")).filter(|line| line.ends_with(';'));
    let asked: BTreeSet<String> = set(asked.filter_map(|line| line.split('(').next()));
    assert!(asked.len() > 5, "{asked:?}");
    // The first is the table's `MethodInfo`.
    asked.iter().filter(|name| *name != "info").for_each(|name| assert!(told.contains(name), "nothing on {name}"));
}

#[test]
fn the_types_of_files_are_those_that_serve_sends() {
    let source = read("xtask/src/serve.rs");
    let arms = source.split("fn mime(").nth(1).and_then(|rest| rest.split("\n}\n").next()).unwrap();
    let arm = |line: &str| {
        let words: Vec<&str> = line.split('"').collect();
        match words[..] {
            [_, ending, _, kind, _] => Some(format!(".{ending} {kind}")),
            [_, kind, _] if line.trim_start().starts_with('_') => Some(format!("others {kind}")),
            _ => None,
        }
    };
    let sent: BTreeSet<String> = arms.lines().filter_map(arm).collect();
    let rows = table("docs/hosting.md", "| file |");
    let told = rows.iter().map(|row| format!("{} {}", row[0], row[1]).replace('`', ""));
    assert_eq!(told.collect::<BTreeSet<_>>(), sent);
}

/// A command of `cargo xtask` and what it takes: the block of its grammar.
fn grammar(command: &str) -> Option<String> {
    let flags = read("xtask/src/flags.rs");
    let block = flags.split(&format!("        cmd {command} {{\n")).nth(1)?;
    block.split("\n        }\n").next().map(String::from)
}

#[test]
fn commands_of_xtask_exist_with_the_flags_that_pages_give_them() {
    let mut faults = Vec::new();
    // What changed in an earlier version had the flags of then.
    for page in pages().into_iter().filter(|page| page.path != "CHANGELOG.md") {
        let indented = page.text.lines().filter_map(|line| line.strip_prefix("    cargo xtask "));
        let inline = codes(&page.text).into_iter().filter_map(|code| code.strip_prefix("cargo xtask "));
        for line in indented.chain(inline) {
            let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
            let Some((command, rest)) = words.split_first().filter(|(command, _)| **command != "help") else {
                continue;
            };
            match grammar(command) {
                None => faults.push(format!("{}: there is no cargo xtask {command}", page.path)),
                Some(block) => faults.extend(
                    rest.iter()
                        .filter(|word| word.starts_with("--") && !block.contains(&format!("optional {word}")))
                        .map(|word| format!("{}: cargo xtask {command} has no {word}", page.path)),
                ),
            }
        }
    }
    super::none_of(faults);
    let rows = table("docs/testing.md", "| flag |").concat().join(" ");
    let told = codes(&rows).into_iter().filter_map(|code| code.split(' ').next()).filter(|word| word.starts_with("--"));
    let block = grammar("test").unwrap();
    let taken = block
        .lines()
        .filter_map(|line| line.trim().strip_prefix("optional --"))
        .filter_map(|rest| rest.split(' ').next());
    assert_eq!(set(told), taken.map(|name| format!("--{name}")).collect());
    let rows = table("docs/testing.md", "| part |");
    let flags = read("xtask/src/flags.rs");
    rows.iter().for_each(|row| assert!(flags.contains(&format!("\"{}\" => Ok(Part::", row[0])), "{row:?}"));
}

/// A figure of a page: the beginning of its row, what stands there, and the file and the code that hold it.
type Held = (&'static str, &'static str, &'static str, &'static str);

const SHARED: &str = "tests/shared/mod.rs";
const PEFT: &str = "tests/it/peft.rs";
const PARITY: &str = "tests/it/parity.rs";
const MERGING: &str = "tests/it/merging.rs";
const LONG: &str = "tests/long.rs";
const SLOPE: &str = "0.02 * slope + 3e-4";

/// The tables of what is tested how.
const TESTED: &[(&str, &str, &[Held])] = &[
    (
        "docs/testing.md",
        "| what | against |",
        &[
            ("every tensor's gradient", "2 % + 3e-4 of its length", SHARED, SLOPE),
            ("gradients on WebGPU", "1e-5 + 1e-4 of each element", SHARED, "> 1e-5 + 1e-4 * b.abs()"),
            ("methods that PEFT has", "1e-4", PEFT, "apart < 1e-4, \"{case}: logits"),
            ("methods that PEFT has", "`peft` 0.21", "tools/fixtures/requirements.txt", "peft==0.21"),
            ("LoRA, adapter, prompt", "1e-4", PARITY, "apart < 1e-4, \"{name}: the gradient"),
            ("logits of the bases", "1e-4", PARITY, "difference < 1e-4, \"{name}: {difference}\""),
            ("Llama, Mistral", "1e-4", "tests/it/families.rs", "apart < 1e-4, \"{}: logits differ"),
            ("logits of GGUF files", "1e-4", "tests/it/gguf.rs", "apart < 1e-4, \"{name}: {apart}\""),
            ("logits of GGUF files", "1e-3", "tests/it/gguf.rs", "apart < 1e-3, \"{apart}\""),
            ("damaged GGUF files", "10⁶ inputs once", "tests/it/gguf.rs", "10⁶ were run once"),
            ("losses of the native trainer", "1e-3", SHARED, "(a - b).abs() <= 1e-3"),
            ("what methods cost", "32 bits", "tests/browser.rs", "published"),
            ("counts", "400 random shapes", "tests/it/counts.rs", "with_cases(400)"),
            ("merging, and going back", "1e-5", MERGING, "apart < 1e-5, \"{method:?}: merged and unmerged"),
            ("memory that the ledger", "within 7 %", "tests/ledger.rs", "beyond(&SHAPES[0], &model, 0.07)"),
            ("memory that the ledger", "at shape S within 12", "tests/ledger.rs", "beyond(&shape, &model, 0.12)"),
            ("memory over", "2,000 steps of each method, 10,000 with", LONG, "const LONG: usize = 10_000"),
            ("memory over", "over 2,000", LONG, "const STEPS: usize = 2_000"),
            ("memory over", "1,000 steps", LONG, "const WARM: usize = 1_000"),
            ("damaged files", "10⁶ inputs once", "tests/it/interchange.rs", "10⁶ were run once"),
            ("damaged checkpoints", "10⁶ inputs once", "tests/it/interchange.rs", "10⁶ were run once"),
            ("adapters in the forms", "1e-4", "tests/it/adapters.rs", "apart < 1e-4"),
            (
                "a visitor's tables",
                "10⁶ of each kind once, 400 in every run",
                "src/task/user_data/tests.rs",
                "unwrap_or(400)",
            ),
            ("every method on every family", "2 % + 3e-4", SHARED, SLOPE),
            ("every method on every family", "1e-5", "tests/it/every_family.rs", "1e-5 * of.iter()"),
            ("texts that are read on", "1e-4", "tests/shared/cache.rs", "apart <= 1e-4 * largest"),
            ("the matrix of", "1e-5", "tests/it/every_family.rs", "1e-5 * of.iter()"),
            ("LoRA on GPT-2", "1e-4; 1e-5", PEFT, "apart < 1e-5, \"{targets}"),
            ("DoRA, LoHa and", "1e-4", "tools/fixtures/round_trip.py", "LIMIT = 1e-4"),
            ("the Python of every family", "1e-4", "tools/fixtures/run_scripts.py", "LIMIT = 1e-4"),
        ],
    ),
    (
        "docs/testing.md",
        "| word |",
        &[
            ("finite differences", "2 % + 3e-4 of its length", SHARED, SLOPE),
            ("PEFT", "with clipping to 1e-4", PEFT, "logits after a step differ"),
            ("PEFT", "`peft` 0.21", "tools/fixtures/requirements.txt", "peft==0.21"),
            ("PyTorch", "gradients to 1e-4", PARITY, "difference < 1e-4, \"{name}: a gradient"),
            ("merges", "to 1e-5", MERGING, "apart < 1e-5"),
        ],
    ),
    (
        "README.md",
        "| what | compared with |",
        &[
            ("gradients of all", "2 %", SHARED, SLOPE),
            ("methods that PEFT has", "`peft` 0.21", "tools/fixtures/requirements.txt", "peft==0.21"),
            ("methods that PEFT has", "1e-4", PEFT, "apart < 1e-4, \"{case}: logits"),
            ("logits, loss and gradients", "1e-4", PARITY, "difference < 1e-4, \"{name}: a gradient"),
            ("logits of the bases", "1e-4", PARITY, "difference < 1e-4, \"{name}: {difference}\""),
            ("native, Chromium's CPU", "1e-3", SHARED, "(a - b).abs() <= 1e-3"),
            ("counts", "400 random shapes", "tests/it/counts.rs", "with_cases(400)"),
            ("merged networks", "1e-5", MERGING, "apart < 1e-5"),
        ],
    ),
    (
        "docs/formats.md",
        "| tensor |",
        &[
            ("`training.numbers`", "8 numbers", "src/interchange/training_state.rs", "const COUNT: usize = 8"),
            ("`training.numbers`", "version (1)", "src/interchange/training_state.rs", "const VERSION: u64 = 1"),
        ],
    ),
    (
        "docs/formats.md",
        "| object store |",
        &[
            ("`heads`", "`schema` (1)", "src/ui/state/parts/schema.rs", "SCHEMA: u32 = 1"),
            ("`page`", "`schema` (1)", "src/ui/state/parts/schema.rs", "SCHEMA: u32 = 1"),
            ("`own`", "`schema` (1)", "src/ui/state/parts/schema.rs", "SCHEMA: u32 = 1"),
        ],
    ),
    (
        "docs/formats.md",
        "| ending |",
        &[
            ("`.txt`", "200 to 16,000 characters", "src/task/user_data/text.rs", "const MIN_HELD_OUT: usize = 200"),
            ("`.txt`", "16,000", "src/task/user_data/text.rs", "const MAX_HELD_OUT: usize = 16_000"),
            ("`.txt`", "a window of 97 tokens", "src/task/style.rs", "const WINDOW: usize = 97"),
        ],
    ),
];

/// Figures in running text, with what holds them.
const SAID: &[(&str, &str, &str, &str)] = &[
    ("docs/testing.md", "allows 1e-4 and a thousandth", "tests/it/recorded.rs", "1e-4 + 1e-3 * size"),
    (
        "docs/testing.md",
        "compares the first ten steps to 1e-3",
        "tests/it/recorded.rs",
        "RECORDED_TOLERANCE: f64 = 1e-3",
    ),
    ("docs/testing.md", "the first ten steps", "tests/it/recorded.rs", "RECORDED_STEPS: usize = 10"),
    ("docs/formats.md", "4,000,000 cells", "src/task/user_data/limits.rs", "MAX_CELLS: usize = 4_000_000"),
    ("docs/formats.md", "at most 10 MB", "src/task/user_data/limits.rs", "MAX_BYTES: usize = 10 * 1024 * 1024"),
    (
        "docs/formats.md",
        "2 to 20 labels, at least 4 usable rows",
        "src/task/user_data/limits.rs",
        "MAX_LABELS: usize = 20",
    ),
    ("docs/formats.md", "at least 4 usable rows", "src/task/user_data/limits.rs", "MIN_ROWS: usize = 4"),
    ("docs/formats.md", "held out, at most 1,000", "src/task/user_data/limits.rs", "MAX_HELD_OUT: usize = 1000"),
    ("docs/bases-and-tasks.md", "the last 96 tokens are read", "src/task/text.rs", "MAX_TOKENS: usize = 96"),
    (
        "docs/bases-and-tasks.md",
        "with 2 to 20 labels and at most 10 MB",
        "src/task/user_data/limits.rs",
        "MAX_LABELS: usize = 20",
    ),
    ("docs/formats.md", "`peft-lab` of version 2", "src/ui/store.rs", "const VERSION: u32 = 2"),
    (
        "docs/page.md",
        "a checkpoint up to 1 GB",
        "src/ui/state/reduce/own.rs",
        "const MOST_OF_A_BASE: u64 = 1_000_000_000",
    ),
    ("docs/page.md", "at most 70 % of what", "src/ui/store/own.rs", "const SHARE: f64 = 0.7"),
    ("docs/add-a-method.md", "against PEFT, to 1e-4", PEFT, "apart < 1e-4"),
    ("docs/add-a-method.md", "merging to 1e-5", MERGING, "apart < 1e-5"),
];

/// Rows whose figures nothing in the sources holds as such: they name versions, or what was counted once.
const IN_WORDS: [&str; 1] = ["operations that the ledger predicts"];

#[test]
fn tolerances_and_limits_are_those_of_the_sources() {
    let mut faults = Vec::new();
    for (page, head, held) in TESTED {
        let rows = table(page, head);
        for (start, figure, file, code) in *held {
            match rows.iter().map(|row| row.join(" | ")).find(|row| row.starts_with(start) && row.contains(figure)) {
                None => faults.push(format!("{page}: no row “{start}” says “{figure}”")),
                Some(_) if !read(file).contains(code) => {
                    faults.push(format!("{page}: “{figure}”, but {file} has no {code}"))
                }
                Some(_) => {}
            }
        }
        // A new figure asks for what holds it.
        for row in &rows {
            let words: String = row.join(" ").split('`').step_by(2).collect();
            let is_figure = |word: &str| word.trim_start_matches('(').starts_with(|c: char| c.is_ascii_digit());
            // `0 or 1` are values, and a type's name (`F32`) begins with a letter.
            let mut figures =
                words.split_whitespace().filter(|word| is_figure(word) && !["0", "1", "0,"].contains(word));
            let has_figure = figures.next().is_some();
            let known = held.iter().any(|(start, ..)| row[0].starts_with(start)) || IN_WORDS.contains(&row[0].as_str());
            if has_figure && !known {
                faults.push(format!("{page}: what holds the figures of “{}”?", row[0]));
            }
        }
    }
    for (page, said, file, code) in SAID {
        let text = read(page).split_whitespace().collect::<Vec<_>>().join(" ");
        if !text.contains(said) || !read(file).contains(code) {
            faults.push(format!("{page}: “{said}”; {file}: {code}"));
        }
    }
    super::none_of(faults);
}

/// Tables with figures, by page and the beginning of their heads, and the file of the test that derives them.
const DERIVED: &[(&str, &str, &str)] = &[
    ("README.md", "| from nothing", "tests/it/performance.rs"),
    ("CONTRIBUTING.md", "| command", "tests/it/performance.rs"),
    ("docs/performance.md", "|", "tests/it/performance.rs"),
    ("docs/families.md", "| `theta`", "tests/it/packed_theta.rs"),
    ("docs/hosting.md", "| header", "tests/it/performance.rs"),
    ("docs/kernels.md", "| program", "tests/it/performance.rs"),
    ("docs/decisions/0036-what-the-page-weighs.md", "| part", "tests/it/performance.rs"),
    ("docs/bases-and-tasks.md", "|", "tests/it/bases.rs"),
    ("docs/results.md", "|", "tests/it/results.rs"),
    ("docs/methods.md", "|", "src/cli/method_page.rs"),
    ("docs/formats.md", "| key", "tests/it/contract.rs"),
    ("docs/formats.md", "| OPT", "tests/it/contract.rs"),
    ("docs/formats.md", "| GPT-2", "tests/it/contract.rs"),
    ("docs/formats.md", "| Llama", "tests/it/contract.rs"),
    ("docs/formats.md", "| Mistral", "tests/it/contract.rs"),
    ("docs/formats.md", "| Qwen", "tests/it/contract.rs"),
    ("docs/formats.md", "| these four", "tests/it/contract.rs"),
    ("docs/formats.md", "| GPT-NeoX", "tests/it/contract.rs"),
    ("docs/formats.md", "| event", "tests/it/contract.rs"),
    ("docs/formats.md", "| command", "tests/it/contract.rs"),
    ("docs/command-line.md", "| command", "tests/it/contract.rs"),
    ("docs/testing.md", "| test", "xtask/tests/docs/lists.rs"),
    ("docs/testing.md", "| flag", "xtask/tests/docs/lists.rs"),
];

#[test]
fn no_table_of_figures_is_without_a_test() {
    let mut faults = Vec::new();
    for page in pages() {
        let lines: Vec<&str> = page.text.lines().collect();
        for (i, head) in lines.iter().enumerate().filter(|(i, _)| lines.get(i + 1).is_some_and(|l| l.starts_with("|-")))
        {
            let rows = lines[i + 2..].iter().take_while(|line| line.starts_with('|'));
            let is_figure = |word: &str| word.trim_start_matches(['(', '.']).starts_with(|c: char| c.is_ascii_digit());
            let has_figures = |row: &&&str| {
                let words: String = row.split('`').step_by(2).collect();
                words.split_whitespace().any(is_figure)
            };
            let derived = DERIVED
                .iter()
                .any(|(of, start, file)| *of == page.path && head.starts_with(start) && root().join(file).is_file());
            let tested = TESTED.iter().any(|(of, start, _)| *of == page.path && head.starts_with(start));
            if let Some(row) = rows.clone().find(has_figures).filter(|_| !derived && !tested) {
                faults.push(format!("{}: what derives the table with “{row}”?", page.path));
            }
        }
    }
    super::none_of(faults);
}

#[test]
fn inputs_of_damaged_files_are_counted() {
    let each = 2000;
    assert!(read("tests/it/interchange.rs").contains(&format!("unwrap_or({each})")));
    for (start, file) in [
        ("damaged files", "tests/it/interchange.rs"),
        ("damaged checkpoints", "tests/it/checkpoints.rs"),
        ("damaged GGUF files", "tests/it/gguf.rs"),
    ] {
        let source = read(file);
        let all = source.split("proptest! {").nth(1).unwrap();
        // What stands below the macro is no part of it.
        let inside = all.split("\n}\n").next().unwrap();
        let inputs = each * tests(inside).len();
        let rows = table("docs/testing.md", "| what | against |");
        let row = rows.iter().find(|row| row[0].starts_with(start)).unwrap();
        let told = format!("{},{:03} in every run", inputs / 1000, inputs % 1000);
        assert!(row[1].contains(&told), "{}: {told}", row[0]);
    }
}
