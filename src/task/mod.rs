//! Tasks: next-token prediction with a loss on the last tokens of each example.

pub mod authors;
pub mod baseline;
pub mod rules;
pub mod rules_baseline;
pub mod tokenizer;

pub use authors::Authors;
pub use rules::Rule;

use crate::peft::Fault;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Tokens of which the last `answer` are predicted: by the loss in training, by arg max in evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    pub tokens: Vec<u32>,
    pub answer: usize,
}

/// What is learnt: a task with its choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskConfig {
    /// One string rule, no demonstrations; exact match.
    Rules { rule: Rule, examples: Option<usize> },
    /// Which of seven books is this sentence from?
    Authors { examples: Option<usize> },
}

/// Numbers a run is judged against.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Baselines {
    /// Guessing uniformly among the answers.
    pub chance: f64,
    /// Always the commonest answer of the training examples.
    pub majority: f64,
    /// A linear model on a bag of words (of letters, for strings).
    pub bag_of_words: f64,
}

impl TaskConfig {
    /// Tokens that begin every text: `<s>` for `rules`, nothing for prose.
    pub fn begins(&self) -> usize {
        match self {
            TaskConfig::Rules { .. } => 1,
            TaskConfig::Authors { .. } => 0,
        }
    }

    pub const NAMES: [&'static str; 2] = ["rules", "authors"];

    /// A task of a contract name at its defaults.
    pub fn named(name: &str) -> Option<TaskConfig> {
        match name {
            "rules" => Some(TaskConfig::Rules { rule: Rule::default(), examples: None }),
            "authors" => Some(TaskConfig::Authors { examples: None }),
            _ => None,
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            TaskConfig::Rules { .. } => "rules",
            TaskConfig::Authors { .. } => "authors",
        }
    }

    /// What the page calls it.
    pub fn title(&self) -> String {
        match self {
            TaskConfig::Rules { rule, .. } => rule.title(),
            TaskConfig::Authors { .. } => "authors".into(),
        }
    }

    /// One sentence: what is to be predicted from what.
    pub fn description(&self) -> String {
        match self {
            TaskConfig::Rules { rule, .. } => {
                let input = [0, 1, 2, 3];
                format!("{}> → {} · {}", rules::text(&input), rules::text(&rule.apply(input)), rule.origin().describe())
            }
            TaskConfig::Authors { .. } => "Which of seven books is this sentence from?".into(),
        }
    }

    /// Bases that read this task's tokens, the recommended one first.
    pub fn bases(&self) -> &'static [&'static str] {
        match self {
            TaskConfig::Rules { .. } => &["rules"],
            TaskConfig::Authors { .. } => &["prose-micro", "prose-nano"],
        }
    }

    /// The number of tokens among which the answers are chosen.
    pub fn labels(&self) -> usize {
        match self {
            TaskConfig::Rules { .. } => rules::ALPHABET,
            TaskConfig::Authors { .. } => authors::LABELS.len(),
        }
    }

    /// Positions that the longest example needs.
    pub fn max_tokens(&self) -> usize {
        match self {
            TaskConfig::Rules { .. } => rules::TOKENS - 1,
            TaskConfig::Authors { .. } => authors::MAX_SENTENCE_TOKENS + 1,
        }
    }

    /// What accuracy means here.
    pub fn metric(&self) -> &'static str {
        match self {
            TaskConfig::Rules { .. } => "exact match",
            TaskConfig::Authors { .. } => "accuracy",
        }
    }

    /// Sequences per step where the visitor does not choose.
    pub fn default_batch_size(&self) -> usize {
        match self {
            TaskConfig::Rules { .. } => 64,
            TaskConfig::Authors { .. } => 32,
        }
    }

    /// Held-out examples in all.
    pub fn held_out(&self) -> usize {
        match self {
            TaskConfig::Rules { .. } => rules::HELD_OUT,
            TaskConfig::Authors { .. } => authors::HELD_OUT,
        }
    }

    /// Training examples where the visitor limits them; `None` means all (fresh strings without end, for `rules`).
    pub fn examples(&self) -> Option<usize> {
        match self {
            TaskConfig::Rules { examples, .. } | TaskConfig::Authors { examples } => *examples,
        }
    }

    /// Sets one of the task's own choices from text.
    pub fn set(&mut self, key: &str, text: &str) -> Result<(), Fault> {
        match (key, self) {
            ("rule", TaskConfig::Rules { rule, .. }) => *rule = Rule::parse(text)?,
            ("examples", TaskConfig::Rules { examples, .. } | TaskConfig::Authors { examples }) => {
                *examples = parse_examples(text)?;
            }
            (key, task) => return Err(Fault::new(key, format!("The task {} has no choice “{key}”.", task.name()))),
        }
        Ok(())
    }

    /// The task's own choices that differ from its defaults, as URL and flags write them.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        if let TaskConfig::Rules { rule, .. } = self {
            pairs.push(("rule", rule.to_string()));
        }
        if let Some(n) = self.examples() {
            pairs.push(("examples", n.to_string()));
        }
        pairs
    }
}

fn parse_examples(text: &str) -> Result<Option<usize>, Fault> {
    match text.trim() {
        "all" => Ok(None),
        other => match other.parse::<usize>() {
            Ok(n) if (1..=100_000).contains(&n) => Ok(Some(n)),
            _ => Err(Fault::new("examples", "Training examples: a whole number from 1 to 100000, or “all”.")),
        },
    }
}

/// A stream of random numbers that is the same natively and in the browser; `purpose` keeps streams of one seed apart.
pub fn stream(seed: u64, purpose: &str) -> ChaCha8Rng {
    // FNV-1a of the purpose: streams are told apart by name, not by the order in which they are made.
    let hash = purpose.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(hash);
    rng
}
