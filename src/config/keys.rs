//! The one table of a run's keys: what each is called, takes and does.
//!
//! Address, flags, JSON, page and `--help` read it. Keys of the methods' knobs come from the registry.

use super::key::{Access, Key};
use super::run_config::{DeviceChoice, MOST_PARTS, RunConfig};
use crate::model::Storage;
use crate::peft::{Range, Value};
use crate::task::extract::Subject;
use crate::task::user_data::{FREE, MAX_LABELS};
use crate::task::{MAX_TEMPLATE, MAX_WORD, Question, TemplateChoice, Verbalizer, style};

/// The lowest rate that a run takes.
pub const LEAST_LR: f64 = 1e-7;

/// The pretrained transformer, θ.
pub static BASE: Key = Key {
    name: "base",
    label: "Base",
    flag: Some("A pretrained base (see `bases`)"),
    access: Access::Leading(|config| config.base.id.to_string()),
    ..Key::PLAIN
};

/// What is learnt.
pub static TASK: Key = Key {
    name: "task",
    label: "Task",
    flag: Some("A task (see `tasks`)"),
    access: Access::Leading(|config| config.task.name().to_string()),
    ..Key::PLAIN
};

/// Of `rules`: primitives joined by dots.
pub static RULE: Key = Key {
    name: "rule",
    label: "Rule",
    help: "The rule to learn, with no demonstration and no hint but the answers.",
    flag: Some("Of the task rules: primitives joined by dots"),
    tasks: &["rules"],
    ..Key::PLAIN
};

/// Of `questions`: what is asked of a string.
pub static QUESTION: Key = Key {
    name: "question",
    label: "Question",
    help: "What is asked of four letters.",
    flag: Some("Of the task questions: what is asked of a string"),
    range: Some(Range::Choice(&Question::OPTIONS)),
    tasks: &["questions"],
    ..Key::PLAIN
};

/// Of `language`: a sentence or a word.
pub static UNIT: Key = Key {
    name: "unit",
    label: "Of",
    help: "How much of a language there is to tell it by.",
    flag: Some("Of the task language: sentence or word"),
    range: Some(Range::Choice(&[("sentence", "a sentence"), ("word", "a word")])),
    unset: Some("sentence"),
    tasks: &["language"],
    ..Key::PLAIN
};

/// Of `style`: whose book is gone on with.
pub static AUTHOR: Key = Key {
    name: "author",
    label: "Author",
    help: "Whose book the base learns to go on with.",
    flag: Some("Of the task style: dickens, stoker, doyle, twain, dumas, homer, verne"),
    range: Some(Range::Choice(&style::AUTHORS)),
    tasks: &["style"],
    ..Key::PLAIN
};

/// Of `extract`: what sentences are about.
pub static SUBJECT: Key = Key {
    name: "subject",
    label: "About",
    help: "What the sentences are about.",
    flag: Some("Of the task extract: all, person, order, meeting"),
    range: Some(Range::Choice(&Subject::OPTIONS)),
    unset: Some("all"),
    tasks: &["extract"],
    ..Key::PLAIN
};

/// Of `own`: a visitor's data, by its name. The command line brings it by `--data-file`.
pub static DATA: Key =
    Key { name: "data", label: "Data", help: "Which of the data that you brought.", tasks: &["own"], ..Key::PLAIN };

/// Of `own`: how many labels there are. No control shows it: a visitor's data has the labels it has.
pub static CLASSES: Key = Key {
    name: "classes",
    label: "Labels",
    range: Some(Range::Integer { min: 2, max: 20, steps: &[] }),
    tasks: &["own"],
    ..Key::PLAIN
};

/// Of `own`: whether answers are written freely. No control shows it: it is chosen where data is brought.
pub static ANSWERS: Key = Key {
    name: "answers",
    label: "Answers",
    range: Some(Range::Choice(&[("labels", "labels"), (FREE, "written")])),
    unset: Some("labels"),
    tasks: &["own"],
    ..Key::PLAIN
};

/// How many training examples there are. The task reads it, and takes `all` too.
pub static EXAMPLES: Key = Key {
    name: "examples",
    label: "Training examples",
    help: "How many training examples there are; empty for all.",
    flag: Some("Training examples; all by default"),
    range: Some(Range::Integer { min: 1, max: 100_000, steps: &[] }),
    unset: Some(""),
    default: |_| "all".to_string(),
    ..Key::PLAIN
};

/// The words around a text and its label.
pub static TEMPLATE: Key = Key {
    name: "template",
    label: "Template",
    help: "The words around {text} and {label}, once each; \\n is a line break, and what stands behind {label} ends an answer. “plain” is a text, a line break, its label. Empty: what suits base and task.",
    flag: Some("Words around {text} and {label}, or plain; \\n is a line break"),
    range: Some(Range::Text { max_chars: MAX_TEMPLATE }),
    unset: Some(""),
    default: |config| config.default_wording().0.to_string(),
    tasks: &["rules", "questions", "authors", "dialogue", "language", "sentiment", "extract", "own"],
    access: Access::Wording {
        get: |config| config.template.as_ref().map(TemplateChoice::to_string),
        set: |config, text| {
            config.template = text.map(TemplateChoice::parse).transpose()?;
            Ok(())
        },
    },
};

/// What stands for each label.
pub static LABELS: Key = Key {
    name: "labels",
    label: "Label words",
    help: "What stands for each label, in the order of the task's labels, joined by commas: words of one token or several, without commas of their own. “letters” are those of the task's file, “titles” its names. Empty: what suits base and task.",
    flag: Some("Words for the labels, joined by commas; or letters, or titles"),
    range: Some(Range::Text { max_chars: MAX_LABELS * (MAX_WORD + 2) }),
    unset: Some(""),
    default: |config| config.default_wording().1.to_string(),
    tasks: &["authors", "dialogue", "language", "sentiment", "own"],
    access: Access::Wording {
        get: |config| config.labels.as_ref().map(|labels| labels.to_string()),
        set: |config, text| {
            config.labels = text.map(Verbalizer::parse).transpose()?.map(Box::new);
            Ok(())
        },
    },
};

/// The methods that train together, joined by commas.
pub static METHOD: Key = Key {
    name: "method",
    label: "Method",
    flag: Some("A method (see `methods`)"),
    access: Access::Leading(|config| config.methods().map(|m| m.info().name).collect::<Vec<_>>().join(",")),
    ..Key::PLAIN
};

/// AdamW's peak rate.
pub static LR: Key = Key {
    name: "lr",
    label: "Learning rate",
    help: "AdamW's peak rate. Each method has its own tuned default.",
    flag: Some("Peak learning rate; the method's tuned default otherwise"),
    range: Some(Range::Number { min: LEAST_LR, max: 10.0 }),
    unset: Some(""),
    default: |config| RunConfig { lr: None, ..config.clone() }.learning_rate().to_string(),
    access: Access::Run { get: |config| config.lr.map(Value::Number), set: |config, value| config.lr = number(value) },
    ..Key::PLAIN
};

/// Sequences per step.
pub static BATCH_SIZE: Key = Key {
    name: "batch_size",
    label: "Batch size",
    help: "Sequences per step.",
    flag: Some("Sequences per step"),
    range: Some(Range::Integer { min: 1, max: 512, steps: &[] }),
    unset: Some(""),
    default: |config| RunConfig { batch_size: None, ..config.clone() }.batch_size().to_string(),
    access: Access::Run {
        get: |config| config.batch_size.map(Value::Integer),
        set: |config, value| config.batch_size = integer(value),
    },
    ..Key::PLAIN
};

/// Steps of the optimizer.
pub static STEPS: Key = Key {
    name: "steps",
    label: "Steps",
    help: "Steps of the optimizer.",
    flag: Some("Steps [300; on a large base 50]"),
    range: Some(Range::Integer { min: 1, max: 100_000, steps: &[] }),
    access: Access::Run {
        get: |config| Some(Value::Integer(config.steps)),
        set: |config, value| config.steps = integer(value).unwrap_or(config.steps),
    },
    ..Key::PLAIN
};

/// What the streams of random numbers start from.
pub static SEED: Key = Key {
    name: "seed",
    label: "Seed",
    help: "The same seed gives the same curve.",
    flag: Some("Seed of φ and of the batches [0]"),
    range: Some(Range::Seed),
    access: Access::Run {
        get: |config| Some(Value::Seed(config.seed)),
        set: |config, value| {
            if let Some(Value::Seed(seed)) = value {
                config.seed = seed;
            }
        },
    },
    ..Key::PLAIN
};

/// Where a run trains.
pub static DEVICE: Key = Key {
    name: "device",
    label: "Device",
    help: "auto: WebGPU where the browser has a GPU, else the CPU. The small base “rules” stays on the CPU: a GPU waits for its launches longer than a CPU computes it.",
    flag: Some("auto, cpu"),
    range: Some(Range::Choice(&DeviceChoice::OPTIONS)),
    unset: Some("auto"),
    access: Access::Run {
        get: |config| Some(config.device).filter(|d| *d != DeviceChoice::Auto).map(|d| Value::Choice(d.name().into())),
        set: |config, value| {
            config.device = match value {
                Some(Value::Choice(name)) => DeviceChoice::named(&name).unwrap_or_default(),
                _ => DeviceChoice::Auto,
            }
        },
    },
    ..Key::PLAIN
};

/// Workers that share a step on the CPU.
pub static WORKERS: Key = Key {
    name: "workers",
    label: "CPU workers",
    help: "Workers that share a step on the CPU: each computes the gradient of a part of the batch. auto: as many as the processor has cores, at most 4. The curve is the same on any number of workers.",
    flag: Some("Threads that share a step, 1 to 4 [1]; the curve is the same"),
    // More would find no part of a batch to do.
    range: Some(Range::Integer { min: 1, max: MOST_PARTS, steps: &[] }),
    unset: Some("auto"),
    access: Access::Run {
        get: |config| config.workers.map(Value::Integer),
        set: |config, value| config.workers = integer(value),
    },
    ..Key::PLAIN
};

/// How θ's matrices are held.
pub static THETA: Key = Key {
    name: "theta",
    label: "θ held as",
    help: "How the frozen matrices lie in memory. The kernels unpack them while they multiply, so θ takes no more than its file: QLoRA's idea, with GGUF's formats. auto: as its file has it for a base of more than 20 million parameters, else F32.",
    flag: Some("file, f32, f16, q8_0, q4_1: how θ is held [f32; of a large base file]"),
    range: Some(Range::Choice(&Storage::OPTIONS)),
    unset: Some("auto"),
    access: Access::Run {
        get: |config| config.theta.map(|theta| Value::Choice(theta.name().into())),
        set: |config, value| {
            config.theta = match value {
                Some(Value::Choice(name)) => Storage::named(&name),
                _ => None,
            }
        },
    },
    ..Key::PLAIN
};

/// Held-out examples that are scored at the end, and of a large base before training.
pub static SCORED: Key = Key {
    name: "scored",
    label: "Scored at the end",
    help: "Held-out examples that are scored when a run ends, and on a large base before it begins. Empty: all of them; on a large base, where that takes long, a tenth of what the run trains on.",
    flag: Some(
        "Held-out examples that are scored at the end, of a large base before training too [all; on a large base as many as take a twentieth of the run]",
    ),
    range: Some(Range::Integer { min: 1, max: 100_000, steps: &[] }),
    unset: Some(""),
    default: |config| if config.is_on_large_base() { "a few" } else { "all" }.to_string(),
    access: Access::Run {
        get: |config| config.scored.map(Value::Integer),
        set: |config, value| config.scored = integer(value),
    },
    ..Key::PLAIN
};

/// Whether evaluations also score what the base could do before.
pub static FORGETTING: Key = Key {
    name: "forgetting",
    label: "Measure forgetting",
    help: "Evaluations also score what the base could do before: known rules shown by demonstrations, or prose that nobody trained on. They take longer.",
    flag: Some("true: evaluations also score what the base could do before"),
    range: Some(Range::Flag),
    unset: Some("false"),
    access: Access::Run {
        get: |config| config.forgetting.then_some(Value::Flag(true)),
        set: |config, value| config.forgetting = value == Some(Value::Flag(true)),
    },
    ..Key::PLAIN
};

/// Every key of a run, in the order in which an address has them; the methods' knobs stand behind [`METHOD`].
pub static KEYS: [&Key; 23] = [
    &BASE,
    &TASK,
    &RULE,
    &QUESTION,
    &UNIT,
    &AUTHOR,
    &SUBJECT,
    &DATA,
    &CLASSES,
    &ANSWERS,
    &EXAMPLES,
    &TEMPLATE,
    &LABELS,
    &METHOD,
    &LR,
    &BATCH_SIZE,
    &STEPS,
    &SEED,
    &SCORED,
    &DEVICE,
    &WORKERS,
    &THETA,
    &FORGETTING,
];

/// The words of the task, in the order in which the page shows them.
pub static WORDING: [&Key; 2] = [&TEMPLATE, &LABELS];

/// What does not belong to the method, in the order in which the page shows it.
pub static OPTIMIZER: [&Key; 10] =
    [&LR, &BATCH_SIZE, &STEPS, &SEED, &EXAMPLES, &SCORED, &FORGETTING, &DEVICE, &WORKERS, &THETA];

impl Key {
    /// The key of a name.
    pub fn named(name: &str) -> Option<&'static Key> {
        KEYS.into_iter().find(|key| key.name == name)
    }
}

fn integer(value: Option<Value>) -> Option<usize> {
    match value {
        Some(Value::Integer(n)) => Some(n),
        _ => None,
    }
}

fn number(value: Option<Value>) -> Option<f64> {
    match value {
        Some(Value::Number(x)) => Some(x),
        _ => None,
    }
}
