//! The Python that does the same as a configuration, with PyTorch, Hugging Face `transformers` and, where it has the method,
//! `peft`. It is run by a test.

mod sources;

pub use sources::{Sources, answered, table, text as text_file};

use crate::base::read_json;
use crate::config::RunConfig;
use crate::model::files::gguf::cuts;
use crate::peft::{Script, python};
use crate::task::extract::{self, Subject};
use crate::task::{TaskConfig, Template, Verbalizer, Wording};

/// A whole script: base, method, task, training, accuracy. What somebody brought is named when it is run.
pub fn script(config: &RunConfig) -> String {
    script_from(config, &Sources::default()).unwrap_or_else(|why| format!("# {why}\n"))
}

/// The same, which reads what somebody brought from where it lies.
///
/// # Errors
/// A sentence, where transformers does not read this base.
pub fn script_from(config: &RunConfig, sources: &Sources) -> Result<String, &'static str> {
    let family = config.shape().model.family();
    let gguf = config.base.one_file();
    if let (Some(_), Some(form)) = (gguf, &family.gguf) {
        form.in_python?;
    }
    let task = match &config.task {
        TaskConfig::Rules { .. } | TaskConfig::Questions { .. } => strings(config),
        TaskConfig::Text { of, .. } => text(of.max_tokens(), config, sources),
        TaskConfig::Style { author } => style(*author, config, sources),
        task if task.is_answered() => free(config, sources),
        TaskConfig::UserData { data, .. } if data.classes.is_some() => {
            text(crate::task::text::MAX_TOKENS, config, sources)
        }
        TaskConfig::UserData { .. } | TaskConfig::Extract { .. } => style(0, config, sources),
    };
    // What peft wraps comes first: the others then reach into the model it wraps.
    // It holds one method: of several the one with the most to write out, and the others are written out.
    let shape = config.shape();
    let script = Script { shape: &shape, alone: config.also.is_empty() };
    // Of equals the first.
    let first = config.methods().min_by_key(|m| std::cmp::Reverse(m.python().wrapped_first()));
    let wrapped = first.map_or("", |m| m.method().info().name);
    let mut methods: Vec<String> = config
        .methods()
        .map(|m| match m.method().info().name == wrapped {
            true => m.python().python(&script),
            false => m.python().python_without_peft(&script).unwrap_or_else(|| m.python().python(&script)),
        })
        .collect();
    methods.sort_by_key(|m| !m.contains("get_peft_model"));
    let peft = methods.iter().any(|m| m.contains("get_peft_model"));
    let peft = if peft { "from peft import *\n" } else { "" };
    let needs = script.needs(&methods.concat());
    if !needs.is_empty() {
        methods.insert(0, needs);
    }
    let what = match gguf {
        Some(_) => "a GGUF file",
        None => "a folder with config.json, model.safetensors and tokenizer.json",
    };
    let base = match &sources.base {
        None if config.base.is_own() => {
            format!("sys.argv[1]  # {} of your checkpoint", if gguf.is_some() { "the GGUF file" } else { "the folder" })
        }
        folder => {
            let folder = folder.clone().unwrap_or_else(|| format!("www/models/{}", config.base.id));
            format!("sys.argv[1] if len(sys.argv) > 1 else {}", sources::literal(&folder))
        }
    };
    let model = match gguf {
        Some(_) => python::fill(
            include_str!("gguf_model.py"),
            &[("CLASS", family.python_class.into()), ("CONFIG", sources::literal(&config_text(config)))],
        ),
        None => format!("model = {}.from_pretrained(BASE, dtype=torch.float32)\n", family.python_class),
    };
    Ok(format!(
        "# {label} on {task_title}, base {id}: what `peft-lab train` does, in PyTorch.\n\
         # pip install torch transformers{pip}; BASE is {what}.\n\
         import json, random, sys\n\
         import torch\n\
         import torch.nn.functional as F\n\
         {peft}from transformers import {class}\n\n\
         BASE = {base}\n\
         STEPS, BATCH, RATE = {steps}, {batch}, {rate:e}\n\
         random.seed({seed}); torch.manual_seed({seed})\n\n\
         {task}\n\
         {model}\
         for p in model.parameters(): p.requires_grad_(False)\n\
         {DEFAULTS}{methods}\n\n\
         {TRAINING}\
         {scoring}",
        class = family.python_class,
        label = config.label(),
        task_title = config.task.title(),
        id = config.base.id,
        pip = [("peft", !peft.is_empty()), ("gguf", gguf.is_some())]
            .iter()
            .filter(|(_, used)| *used)
            .fold(String::new(), |all, (name, _)| format!("{all} {name}"),),
        steps = if config.trains() { config.steps } else { 0 },
        batch = config.batch_size(),
        rate = config.learning_rate(),
        seed = config.seed,
        methods = methods.join("\n"),
        scoring = if is_worded(config) { SEQUENCES } else { TOKENS },
    ))
}

/// The base's `config.json` with the width of its heads, for which transformers' classes have defaults of their own.
fn config_text(config: &RunConfig) -> String {
    let text = config.base.config_text();
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(mut json) if json.get("head_dim").is_some_and(serde_json::Value::is_null) => {
            json["head_dim"] = config.shape().model.head_dim.into();
            json.to_string()
        }
        _ => text.into(),
    }
}

/// Batches, AdamW with warm-up and decay.
const TRAINING: &str = include_str!("training.py");
/// Accuracy on held-out examples, where an answer's tokens are chosen one by one.
const TOKENS: &str = include_str!("tokens.py");
/// The same where labels are sequences of tokens.
const SEQUENCES: &str = include_str!("sequences.py");

/// Whether labels are words, of any number of tokens.
fn is_worded(config: &RunConfig) -> bool {
    config.task.label_count().is_some() && config.wording() != Wording::default()
}

/// A string and its answer in the task's own form or in a template's words: Python lists of tokens.
fn form(config: &RunConfig, between: &str, after: &str) -> String {
    match config.wording().template {
        Some(t) => {
            let [before, between, after] = [&t.before, &t.between, &t.after].map(|part| sources::literal(part));
            format!("BEFORE, BETWEEN, AFTER = encode({before}), encode({between}), encode({after})\n")
        }
        None => format!("BEFORE, BETWEEN, AFTER = [], {between}, {after}\n"),
    }
}

/// The task's file as `data`.
fn data(config: &RunConfig, sources: &Sources) -> String {
    sources.data.clone().unwrap_or_else(|| format!("file = {}\ndata = json.load(file)\n", source(config)))
}

/// Where a task's file comes from.
fn source(config: &RunConfig) -> String {
    let file = config.task.file().unwrap_or_default();
    match &config.task {
        TaskConfig::UserData { .. } => "open(sys.argv[2])  # your data: “Bring your own” on the page saves it".into(),
        _ => format!("open(sys.argv[2] if len(sys.argv) > 2 else \"www/{file}\")  # `cargo xtask bake` writes it"),
    }
}

/// The tokenizer, what it puts in front of every text, and the task's file as `data`.
fn tokenizer(config: &RunConfig, sources: &Sources) -> String {
    format!("{}{}", reading(config), data(config, sources))
}

/// The tokenizer, and what it puts in front of every text.
fn reading(config: &RunConfig) -> String {
    let tokenizer = match config.base.one_file() {
        Some(_) => python::fill(include_str!("gguf_tokenizer.py"), &[("CUTS", sources::literal(&cuts().to_string()))]),
        None => "tokenizer = Tokenizer.from_file(BASE + \"/tokenizer.json\")\n\
                 BEGIN = tokenizer.encode(\"\").ids\n"
            .into(),
    };
    format!(
        "from tokenizers import Tokenizer\n\
         {tokenizer}\
         encode = lambda text: tokenizer.encode(text, add_special_tokens=False).ids\n"
    )
}

/// Texts with labels.
fn text(max_tokens: usize, config: &RunConfig, sources: &Sources) -> String {
    let examples = match is_worded(config) {
        true => words(max_tokens, &config.wording()),
        false => format!(
            "LABELS = [encode(x[\"label\"])[0] for x in data[\"labels\"]]\n\
             any_answer = lambda n: [random.choice(LABELS)]\n\
             BEFORE, BETWEEN, AFTER = [], encode(\"\\n\")[-1:], encode(\"\\n\")[-1:]\n\
             example = lambda label, text: (BEGIN + encode(text)[-{max_tokens}:] + BETWEEN + [LABELS[label]], 1)\n"
        ),
    };
    format!(
        "{}{examples}\
         pool, held_out = ([example(*x) for x in data[part]] for part in (\"training\", \"held_out\"))\n\
         draw = lambda: random.choice(pool)\n\
         BEGINS, WHOLE = len(BEGIN), True\n",
        tokenizer(config, sources),
    )
}

/// Prompts with answers that are written freely.
fn free(config: &RunConfig, sources: &Sources) -> String {
    let pairs = match &config.task {
        TaskConfig::Extract { subject, .. } => {
            let subjects = match subject {
                Subject::All => "[\"person\", \"order\", \"meeting\"]".to_string(),
                one => format!("[\"{}\"]", one.name()),
            };
            let limit = config.task.examples().map_or("None".into(), |n| n.to_string());
            let words: serde_json::Value = read_json(extract::WORDS).unwrap_or_default();
            let values =
                [("WORDS_IN_JSON", sources::literal(&words.to_string())), ("SUBJECTS", subjects), ("LIMIT", limit)];
            format!("{}{}", reading(config), python::fill(include_str!("extract.py"), &values))
        }
        _ => format!("{}{}", tokenizer(config, sources), include_str!("own_pairs.py")),
    };
    let wording = config.wording();
    let context = config.shape().model.max_position_embeddings;
    let mut values = vec![
        ("MOST", config.longest_text().unwrap_or(context).to_string()),
        ("LONGEST", config.task.answer_tokens(&wording, context).to_string()),
    ];
    let form = match &wording.template {
        Some(template) => {
            values.extend(around(template));
            format!("{}{}", include_str!("joints.py"), include_str!("free.py"))
        }
        None => include_str!("free_plain.py").to_string(),
    };
    let chat = if config.task.file().is_some() { include_str!("chat.py") } else { "" };
    format!(
        "{pairs}{}\
         LABELS = list(range(tokenizer.get_vocab_size()))\n\
         def example(text, right):\n    \
             own = answer(right)\n    \
             return BEGIN + BEFORE + tokens(text) + BETWEEN + own, len(own)\n\
         held_out, draw = [example(*x) for x in held_out_pairs], lambda: example(*pair())\n\
         any_answer = lambda n: answer(pair()[1])\n\
         BEGINS, WHOLE = len(BEGIN), True\n",
        python::fill(&format!("{form}{chat}"), &values)
    )
}

/// The words of a template, under the names that the scripts have for them.
fn around(template: &Template) -> [(&'static str, String); 3] {
    let Template { before, between, after } = template;
    [("TEXT_BEFORE", before), ("TEXT_BETWEEN", between), ("TEXT_AFTER", after)]
        .map(|(name, text)| (name, sources::literal(text)))
}

/// Labels as words behind a template, and the tokens of the whole.
fn words(max_tokens: usize, wording: &Wording) -> String {
    let line = || Template { before: String::new(), between: "\n".into(), after: "\n".into() };
    let template = wording.template.clone().unwrap_or_else(line);
    let list = |words: &[String]| words.iter().map(|word| sources::literal(word)).collect::<Vec<_>>().join(", ");
    let (words, tokens) = match &wording.labels {
        Verbalizer::Letters => ("[x[\"label\"] for x in data[\"labels\"]]".into(), "[:1]"),
        Verbalizer::Titles => ("[x[\"title\"] for x in data[\"labels\"]]".into(), ""),
        Verbalizer::Words(words) => (format!("[{}]", list(words)), ""),
    };
    let values = [
        ("NAMED", if wording.labels == Verbalizer::Letters { "False" } else { "True" }.into()),
        ("WORDS_OF_LABELS", words),
        ("MOST", max_tokens.to_string()),
    ];
    let values: Vec<(&str, String)> = values.into_iter().chain(around(&template)).collect();
    let text = format!("{}{}", include_str!("joints.py"), include_str!("words.py"));
    python::fill(&text, &values).replace("[:ALL]", tokens)
}

/// Windows of one author's text.
fn style(author: usize, config: &RunConfig, sources: &Sources) -> String {
    format!(
        "{}LABELS = list(range(tokenizer.get_vocab_size()))\n\
         pool, rest = encode(data[\"authors\"][{author}][\"training\"]), encode(data[\"authors\"][{author}][\"held_out\"])\n\
         window = lambda text, at: (text[at : at + {window}], {window} - 1)\n\
         held_out = [window(rest, at) for at in range(0, len(rest) - {window} + 1, {window} - 1)]\n\
         draw = lambda: window(pool, random.randrange(len(pool) - {window} + 1))\n\
         BEGINS, WHOLE = 0, False\n",
        tokenizer(config, sources),
        window = crate::task::style::WINDOW,
    )
}

/// What is asked of a string, as the body of a Python function of letters from 0 to 15.
fn asked(task: &TaskConfig) -> String {
    if let TaskConfig::Questions { question, .. } = task {
        let python = match question.name() {
            "rises" => "s[3] > s[0]",
            "vowel-first" => "s[0] in (0, 4, 8, 14)",
            "has-vowel" => "any(c in (0, 4, 8, 14) for c in s)",
            "repeats" => "len(set(s)) < 4",
            // A question of its own needs a line here; the test that runs every one asks for it.
            _ => "s == sorted(s)",
        };
        return format!("    return [0 if {python} else 13]  # a for yes, n for no");
    }
    let TaskConfig::Rules { rule, .. } = task else { return String::new() };
    let python = |name: &str| match name {
        "copy" => "s".to_string(),
        "reverse" => "s[::-1]".into(),
        "rotate-left" => "s[1:] + s[:1]".into(),
        "rotate-right" => "s[-1:] + s[:-1]".into(),
        "swap-ends" => "[s[3], s[1], s[2], s[0]]".into(),
        "swap-pairs" => "[s[1], s[0], s[3], s[2]]".into(),
        "first" => "s[:1] * 4".into(),
        "last" => "s[-1:] * 4".into(),
        "sort" => "sorted(s)".into(),
        "sort-down" => "sorted(s)[::-1]".into(),
        "max" => "[max(s)] * 4".into(),
        "min" => "[min(s)] * 4".into(),
        "next" => "[(c + 1) % 16 for c in s]".into(),
        "previous" => "[(c + 15) % 16 for c in s]".into(),
        "plus-3" => "[(c + 3) % 16 for c in s]".into(),
        "mirror" => "[15 - c for c in s]".into(),
        "cipher" => format!("[{:?}[c] for c in s]", crate::task::rules::CIPHER),
        "if-vowel" => "s[::-1] if s[0] in (0, 4, 8, 14) else sorted(s)".into(),
        // A rule of its own file needs a line here; the test that runs every rule asks for it.
        _ => "[sum(c > s[0] for c in s)] * 4".into(),
    };
    let text = rule.to_string();
    let steps: Vec<String> = text.split('.').map(|name| format!("    s = {}  # {name}", python(name))).collect();
    format!("{}\n    return s", steps.join("\n"))
}

/// Strings of four letters and what is asked of them.
fn strings(config: &RunConfig) -> String {
    let (labels, draw) = match &config.task {
        TaskConfig::Questions { question, .. } => {
            // Both answers are as common; strings in order are too rare to wait for.
            let yes = if question.name() == "sorted" { "sorted(any_letters())" } else { "any_letters()" };
            let draw = format!(
                "def letters():\n    \
                     wanted = random.choice([0, 13])\n    \
                     while asked(s := {yes} if wanted == 0 else any_letters()) != [wanted]: pass\n    \
                     return s\n"
            );
            ("[13, 0]  # no, yes", draw)
        }
        _ => ("list(range(16))  # letters a to p; 16 is >, 18 is <s>", "letters = any_letters\n".to_string()),
    };
    format!(
        "LABELS = {labels}\n\
         any_answer = lambda n: [random.choice(LABELS) for _ in range(n)]\n\
         encode = lambda text: [16 if c == \">\" else 17 if c == \";\" else ord(c) - 97 if \"a\" <= c <= \"p\" else 19 for c in text]\n\
         {}\
         def asked(s):\n{}\n\
         def example(s): return [18] + BEFORE + s + BETWEEN + asked(s), len(asked(s))\n\
         any_letters = lambda: [random.randrange(16) for _ in range(4)]\n\
         {draw}\
         held_out_strings = [letters() for _ in range(512)]\n\
         held_out = [example(s) for s in held_out_strings]\n\
         def draw():\n    while (s := letters()) in held_out_strings: pass\n    return example(s)\n\
         BEGINS, WHOLE = 1, True\n",
        form(config, "[16]", "[17]"),
        asked(&config.task),
    )
}

/// What every method may set: how logits are computed, what is trained outside the model, what happens before a step.
const DEFAULTS: &str = include_str!("defaults.py");
