//! What is learnt: a task with its choices, and all that follows from them without reading its file.

use super::answered::Answered;
use super::extract::Subject;
use super::questions::Question;
use super::rules::Rule;
use super::text::TextTask;
use super::user_data::UserData;
use super::wording::{Verbalizer, Wording};
use super::{extract, questions, rules, style, text, user_data};
use crate::base::Fault;
use crate::bases::Base;

/// What is learnt: a task with its choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskConfig {
    /// One string rule, no demonstrations; exact match.
    Rules {
        /// What is done to the string.
        rule: Rule,
        /// Training examples; `None` means fresh strings without end.
        examples: Option<usize>,
    },
    /// Yes or no about a string.
    Questions {
        /// What is asked of the string.
        question: Question,
        /// Training examples; `None` means fresh strings without end.
        examples: Option<usize>,
    },
    /// Which of a few labels belongs to a text?
    Text {
        /// Texts and labels.
        of: TextTask,
        /// Training examples; `None` takes all.
        examples: Option<usize>,
    },
    /// Writing like one author.
    Style {
        /// Place in [`style::AUTHORS`].
        author: usize,
    },
    /// A sentence to a line of JSON; exact match.
    Extract {
        /// What sentences are about.
        subject: Subject,
        /// Training examples; `None` means fresh sentences without end.
        examples: Option<usize>,
    },
    /// A visitor's own texts with labels, prompts with answers, or a text to write like.
    UserData {
        /// What was read from the visitor's file.
        data: UserData,
        /// Training examples; `None` takes all.
        examples: Option<usize>,
    },
}

impl TaskConfig {
    /// Contract names, in the order of the page.
    pub const NAMES: [&'static str; 9] =
        ["rules", "questions", "authors", "dialogue", "language", "style", "sentiment", "extract", "own"];

    /// A task of a contract name at its defaults.
    pub fn named(name: &str) -> Option<TaskConfig> {
        let text = |of| Some(TaskConfig::Text { of, examples: None });
        match name {
            "rules" => Some(TaskConfig::Rules { rule: Rule::default(), examples: None }),
            "questions" => Some(TaskConfig::Questions { question: Question::default(), examples: None }),
            "authors" => text(TextTask::Authors),
            "dialogue" => text(TextTask::Dialogue),
            "language" => text(TextTask::Sentences),
            "sentiment" => text(TextTask::Sentiment),
            "style" => Some(TaskConfig::Style { author: 0 }),
            "extract" => Some(TaskConfig::Extract { subject: Subject::default(), examples: None }),
            "own" => Some(TaskConfig::UserData { data: UserData::default(), examples: None }),
            _ => None,
        }
    }

    /// Its contract name, in URL, flags and JSON.
    pub fn name(&self) -> &'static str {
        match self {
            TaskConfig::Rules { .. } => "rules",
            TaskConfig::Questions { .. } => "questions",
            TaskConfig::Text { of: TextTask::Authors, .. } => "authors",
            TaskConfig::Text { of: TextTask::Dialogue, .. } => "dialogue",
            TaskConfig::Text { of: TextTask::Sentences | TextTask::Words, .. } => "language",
            TaskConfig::Text { of: TextTask::Sentiment, .. } => "sentiment",
            TaskConfig::Style { .. } => "style",
            TaskConfig::Extract { .. } => "extract",
            TaskConfig::UserData { .. } => "own",
        }
    }

    /// What the page calls it.
    pub fn title(&self) -> String {
        match self {
            TaskConfig::Rules { rule, .. } => rule.title(),
            TaskConfig::Questions { question, .. } => question.title().into(),
            TaskConfig::Text { of, .. } => of.title().into(),
            TaskConfig::Style { author } => format!("style of {}", style::AUTHORS[*author].1),
            TaskConfig::Extract { subject: Subject::All, .. } => "sentence to JSON".into(),
            TaskConfig::Extract { subject, .. } => format!("sentence to JSON: {}", subject.title()),
            TaskConfig::UserData { data, .. } => data.title().into(),
        }
    }

    /// One sentence: what is to be predicted from what.
    pub fn description(&self) -> String {
        match self {
            TaskConfig::Rules { rule, .. } => {
                let input = [0, 1, 2, 3];
                format!("{}> → {} · {}", rules::text(&input), rules::text(&rule.apply(input)), rule.origin().describe())
            }
            TaskConfig::Questions { question, .. } => format!("{} Yes or no, of four letters.", question.title()),
            TaskConfig::Text { of, .. } => of.question().into(),
            TaskConfig::Style { author } => {
                format!(
                    "Which token comes next in a book by {}? The base learns to write like it.",
                    style::AUTHORS[*author].1
                )
            }
            TaskConfig::Extract { subject, .. } => {
                format!(
                    "What does a sentence about {} say? The answer is a line of JSON.",
                    match subject {
                        Subject::All => "a person, an order or a meeting",
                        Subject::Person => "a person",
                        Subject::Order => "an order",
                        Subject::Meeting => "a meeting",
                    }
                )
            }
            TaskConfig::UserData { data, .. } if data.answers => {
                "What is the answer to this prompt of yours? It is written token by token.".into()
            }
            TaskConfig::UserData { data, .. } => match data.classes {
                Some(n) => format!("Which of {n} labels belongs to this text of yours?"),
                None => "Which token comes next in your text? The base learns to write like it.".into(),
            },
        }
    }

    /// Whether the base answers in letters of the alphabet `a` … `p`.
    pub fn is_strings(&self) -> bool {
        matches!(self, TaskConfig::Rules { .. } | TaskConfig::Questions { .. })
    }

    /// Whether a text is gone on with, every token of which counts by itself.
    pub fn is_written(&self) -> bool {
        let is_text = |data: &UserData| data.classes.is_none() && !data.answers;
        matches!(self, TaskConfig::Style { .. }) || matches!(self, TaskConfig::UserData { data, .. } if is_text(data))
    }

    /// Whether a prompt has an answer that is written freely, right as a whole or wrong.
    pub fn is_answered(&self) -> bool {
        matches!(self, TaskConfig::Extract { .. } | TaskConfig::UserData { data: UserData { answers: true, .. }, .. })
    }

    /// The task whose tuned rates serve here: tasks on strings share theirs.
    pub fn rates(&self) -> &'static str {
        if self.is_strings() { "rules" } else { self.name() }
    }

    /// Shipped bases that read this task's tokens, the recommended one first.
    pub fn bases(&self) -> &'static [&'static str] {
        if self.is_strings() { &["rules"] } else { &["prose-nano", "prose-micro", "prose-small", "smollm2"] }
    }

    /// Whether a base reads this task's tokens: one of the shipped ones, or a visitor's own, which read
    /// prose.
    pub fn is_read_by(&self, base: &Base) -> bool {
        self.bases().contains(&base.id) || (base.is_own() && !self.is_strings())
    }

    /// The file with its examples, where it has one, by its logical name.
    pub fn file(&self) -> Option<String> {
        match self {
            TaskConfig::Rules { .. } | TaskConfig::Questions { .. } | TaskConfig::Extract { .. } => None,
            TaskConfig::Text { of, .. } => Some(of.file()),
            TaskConfig::Style { .. } => Some(style::FILE.into()),
            TaskConfig::UserData { data, .. } => Some(data.file()),
        }
    }

    /// The number of tokens among which the answers are chosen, of a vocabulary of so many.
    pub fn labels(&self, vocabulary: usize) -> usize {
        match self {
            TaskConfig::Rules { .. } => rules::ALPHABET,
            TaskConfig::Questions { .. } => questions::ANSWERS.len(),
            TaskConfig::Text { of, .. } => of.labels(),
            TaskConfig::Style { .. } | TaskConfig::Extract { .. } => vocabulary,
            TaskConfig::UserData { data, .. } => data.classes.filter(|_| !data.answers).unwrap_or(vocabulary),
        }
    }

    /// Positions that the longest example needs in these words, at most, on a base that reads `context`: the tokenizer
    /// alone knows how many tokens they are. The last token of an answer is only predicted.
    pub fn max_tokens(&self, wording: &Wording, context: usize) -> usize {
        match self {
            // `<s>` stands in front.
            TaskConfig::Rules { .. } => rules::LENGTH + wording.tokens_around() + rules::LENGTH,
            TaskConfig::Questions { .. } => 1 + rules::LENGTH + wording.tokens_around(),
            task => match task.longest_text(context) {
                Some(text) => wording.tokens_around() + text + task.answer_tokens(wording, context) - 1,
                None => style::WINDOW - 1,
            },
        }
    }

    /// Tokens of an answer at most.
    pub fn answer_tokens(&self, wording: &Wording, context: usize) -> usize {
        match self {
            TaskConfig::Extract { .. } => extract::MAX_ANSWER,
            _ if self.is_answered() => Answered::room(context).1,
            _ => wording.label_tokens(),
        }
    }

    /// The words in which a base that knows words reads the task; plain where it has none.
    pub fn wording(&self) -> Wording {
        match self {
            TaskConfig::Text { of, .. } => of.wording(),
            TaskConfig::UserData { data: UserData { classes: Some(_), .. }, .. } => {
                Wording::of("Text: ", "\nLabel: ", Verbalizer::Titles)
            }
            TaskConfig::Extract { .. } => Wording::of_answers("Sentence: ", "\nJSON: "),
            task if task.is_answered() => Wording::of_answers("Question: ", "\nAnswer: "),
            _ => Wording::default(),
        }
    }

    /// The number of labels that words can stand for.
    pub fn label_count(&self) -> Option<usize> {
        match self {
            TaskConfig::Text { of, .. } => Some(of.labels()),
            TaskConfig::UserData { data, .. } if !data.answers => data.classes,
            _ => None,
        }
    }

    /// Tokens of a text at most, where texts have labels or answers, on a base that reads `context` positions; of longer
    /// ones the last are read.
    pub fn longest_text(&self, context: usize) -> Option<usize> {
        match self {
            TaskConfig::Text { of, .. } => Some(of.max_tokens()),
            TaskConfig::Extract { .. } => Some(extract::MAX_TEXT),
            _ if self.is_answered() => Some(Answered::room(context).0),
            TaskConfig::UserData { .. } if !self.is_written() => Some(text::MAX_TOKENS),
            _ => None,
        }
    }

    /// Tokens whose loss is computed, of an example of `length` positions: of a label in several tokens about so many.
    pub fn predicted(&self, length: usize, wording: &Wording) -> usize {
        match self {
            TaskConfig::Rules { .. } => rules::LENGTH,
            _ if self.is_written() => length,
            // About half of an example is its answer.
            _ if self.is_answered() => length.div_ceil(2),
            _ => wording.likely_label_tokens(),
        }
    }

    /// What accuracy means here.
    pub fn metric(&self) -> &'static str {
        match self {
            TaskConfig::Rules { .. } => "exact match",
            _ if self.is_answered() => "exact match",
            _ if self.is_written() => "next token",
            _ => "accuracy",
        }
    }

    /// Sequences per step where the visitor does not choose.
    pub fn default_batch_size(&self) -> usize {
        match self {
            TaskConfig::Rules { .. } | TaskConfig::Questions { .. } => 64,
            _ if self.is_written() || self.is_answered() => 16,
            _ => 32,
        }
    }

    /// Held-out examples in all; of a text as many as it gives.
    pub fn held_out(&self) -> Option<usize> {
        match self {
            TaskConfig::Rules { .. } | TaskConfig::Questions { .. } => Some(rules::HELD_OUT),
            TaskConfig::Text { of, .. } => Some(of.held_out()),
            TaskConfig::Extract { .. } => Some(extract::HELD_OUT),
            TaskConfig::Style { .. } | TaskConfig::UserData { .. } => None,
        }
    }

    /// Training examples where the visitor limits them; `None` means all (fresh strings without end, for
    /// strings).
    pub fn examples(&self) -> Option<usize> {
        match self {
            TaskConfig::Rules { examples, .. }
            | TaskConfig::Questions { examples, .. }
            | TaskConfig::Text { examples, .. }
            | TaskConfig::Extract { examples, .. }
            | TaskConfig::UserData { examples, .. } => *examples,
            TaskConfig::Style { .. } => None,
        }
    }

    /// Whether two tasks ask the same questions, so that their curves may share a chart. They may have seen
    /// different numbers of examples.
    pub fn same_questions(&self, other: &TaskConfig) -> bool {
        match (self, other) {
            (TaskConfig::Rules { rule: a, .. }, TaskConfig::Rules { rule: b, .. }) => a == b,
            (TaskConfig::Questions { question: a, .. }, TaskConfig::Questions { question: b, .. }) => a == b,
            (TaskConfig::Text { of: a, .. }, TaskConfig::Text { of: b, .. }) => a == b,
            (TaskConfig::Extract { subject: a, .. }, TaskConfig::Extract { subject: b, .. }) => a == b,
            (TaskConfig::UserData { data: a, .. }, TaskConfig::UserData { data: b, .. }) => a == b,
            (a, b) => a == b,
        }
    }

    /// Sets one of the task's own choices from text.
    pub fn set(&mut self, key: &str, text: &str) -> Result<(), Fault> {
        match (key, self) {
            ("rule", TaskConfig::Rules { rule, .. }) => *rule = Rule::parse(text)?,
            ("question", TaskConfig::Questions { question, .. }) => *question = Question::parse(text)?,
            ("author", TaskConfig::Style { author }) => *author = style::parse(text)?,
            ("subject", TaskConfig::Extract { subject, .. }) => *subject = Subject::parse(text)?,
            ("answers", TaskConfig::UserData { data, .. }) => data.answers = user_data::parse_answers(text)?,
            ("data", TaskConfig::UserData { data, .. }) => data.name = user_data::parse_name(text)?,
            ("classes", TaskConfig::UserData { data, .. }) => data.classes = user_data::parse_classes(text)?,
            ("unit", TaskConfig::Text { of: of @ (TextTask::Sentences | TextTask::Words), .. }) => {
                *of = match text.trim() {
                    "sentence" => TextTask::Sentences,
                    "word" => TextTask::Words,
                    _ => return Err(Fault::new("unit", "Unit: sentence or word.")),
                };
            }
            (
                "examples",
                TaskConfig::Rules { examples, .. }
                | TaskConfig::Questions { examples, .. }
                | TaskConfig::Text { examples, .. }
                | TaskConfig::Extract { examples, .. }
                | TaskConfig::UserData { examples, .. },
            ) => *examples = parse_examples(text)?,
            (key, task) => return Err(task.lacks(key)),
        }
        Ok(())
    }

    /// The fault of a key that this task does not have.
    pub fn lacks(&self, key: &str) -> Fault {
        Fault::new(key, format!("The task {} has no choice “{key}”.", self.name()))
    }

    /// The task's own choices that differ from its defaults, as URL and flags write them.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        match self {
            TaskConfig::Rules { rule, .. } => pairs.push(("rule", rule.to_string())),
            TaskConfig::Questions { question, .. } => pairs.push(("question", question.name().into())),
            TaskConfig::Text { of: TextTask::Words, .. } => pairs.push(("unit", "word".into())),
            TaskConfig::Text { .. } => {}
            TaskConfig::Style { author } => pairs.push(("author", style::AUTHORS[*author].0.into())),
            TaskConfig::Extract { subject, .. } => {
                pairs.extend((*subject != Subject::All).then(|| ("subject", subject.name().into())));
            }
            TaskConfig::UserData { data, .. } => {
                pairs.push(("data", data.name.clone()));
                pairs.extend(data.classes.map(|n| ("classes", n.to_string())));
                pairs.extend(data.answers.then(|| ("answers", user_data::FREE.into())));
            }
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
