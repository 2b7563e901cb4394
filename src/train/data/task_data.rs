//! A task ready to train on: its training examples and those it is judged by, as a base's tokenizer reads
//! them.

use super::baselines::measured;
use super::file::TaskFile;
use super::form::{Form, Item, form};
use super::source::{Asked, Source, shuffle};
use crate::base::Fault;
use crate::base::stream;
use crate::peft::Template;
use crate::task::tokenizer::Tokenizer;
use crate::task::user_data::check_tokens;
use crate::task::{Baselines, Example, Labelled, TaskConfig, questions, rules, rules_baseline, style, text};
use rand_chacha::ChaCha8Rng;

/// A task ready to train on: training examples to draw, held-out examples to judge by.
pub struct TaskData {
    pub(super) config: TaskConfig,
    /// Tokens among which answers are chosen, in the order of their names.
    pub labels: Vec<u32>,
    pub(super) training: Source,
    /// Examples that are never drawn to train on.
    pub held_out: Vec<Example>,
    /// The text of each held-out example before its answer.
    pub inputs: Vec<String>,
    /// What scores without a network: by chance, the commonest label, a bag of words.
    pub baselines: Baselines,
    pub(super) form: Form,
    /// Tokens of a text at most; of longer ones the last are read.
    pub(super) longest_text: usize,
    /// What a label is called; empty where answers are read as text.
    pub(super) names: Vec<String>,
    tokenizer: Option<Tokenizer>,
}

impl TaskData {
    /// A task's examples as a base's tokenizer reads them; a limited number of them is drawn by `seed`. A
    /// `template` puts text and label into other words than the task's own.
    ///
    /// # Errors
    /// Where `file` is not the task's, a text is too short, or the tokenizer has no token for a label.
    pub fn new(
        config: &TaskConfig,
        file: &TaskFile,
        tokenizer: &Tokenizer,
        template: Option<&Template>,
        seed: u64,
    ) -> Result<TaskData, Fault> {
        let missing = || Fault::new("task", format!("The examples of the task {} are not there.", config.name()));
        match (config, file) {
            (TaskConfig::Rules { rule, .. }, _) => {
                TaskData::strings(config, Asked::Rule(rule.clone()), tokenizer, template, seed)
            }
            (TaskConfig::Questions { question, .. }, _) => {
                TaskData::strings(config, Asked::Question(*question), tokenizer, template, seed)
            }
            (TaskConfig::Text { of, .. }, TaskFile::Labelled(data)) => {
                TaskData::text(config, of.max_tokens(), data, tokenizer, template, seed)
            }
            (TaskConfig::UserData { data: own, .. }, TaskFile::Labelled(data))
                if own.classes == Some(data.labels.len()) =>
            {
                TaskData::text(config, text::MAX_TOKENS, data, tokenizer, template, seed)
            }
            (TaskConfig::Style { author }, TaskFile::Texts(texts)) => {
                let text = texts.authors.get(*author).ok_or_else(missing)?;
                TaskData::style(config, text, tokenizer)
            }
            (TaskConfig::UserData { .. }, TaskFile::Texts(texts)) => {
                TaskData::style(config, texts.authors.first().ok_or_else(missing)?, tokenizer)
            }
            _ => Err(missing()),
        }
    }

    fn strings(
        config: &TaskConfig,
        asked: Asked,
        tokenizer: &Tokenizer,
        template: Option<&Template>,
        seed: u64,
    ) -> Result<TaskData, Fault> {
        let own = Form {
            begin: vec![rules::BOS],
            before: Vec::new(),
            between: vec![rules::ARROW],
            after: vec![rules::SEMICOLON],
        };
        let form = form(own, template, tokenizer)?;
        let strings = asked.held_out();
        let mut training = Source::Strings { asked: asked.clone(), held_out: strings.iter().copied().collect() };
        if let Some(n) = config.examples() {
            let mut rng = stream(seed, "training examples");
            training = Source::Pool((0..n).map(|_| training.draw(&mut rng)).collect());
        }
        let (labels, names, baselines) = match &asked {
            Asked::Rule(rule) => ((0..rules::ALPHABET as u32).collect(), Vec::new(), rules_baseline::rules(rule)),
            Asked::Question(question) => {
                (questions::ANSWERS.to_vec(), vec!["no".into(), "yes".into()], question.baselines())
            }
        };
        Ok(TaskData {
            config: config.clone(),
            labels,
            training,
            held_out: strings.iter().map(|s| form.example(&asked.item(*s))).collect(),
            inputs: strings.iter().map(rules::text).collect(),
            baselines,
            form,
            longest_text: rules::LENGTH,
            names,
            tokenizer: None,
        })
    }

    fn text(
        config: &TaskConfig,
        max: usize,
        data: &Labelled,
        tokenizer: &Tokenizer,
        template: Option<&Template>,
        seed: u64,
    ) -> Result<TaskData, Fault> {
        // The last: SentencePiece's tokenizers put a blank in front.
        let newline = tokenizer.encode("\n").pop().ok_or_else(|| without("\n"))?;
        let begin = tokenizer.begin().to_vec();
        let own = Form { begin, before: Vec::new(), between: vec![newline], after: vec![newline] };
        let form = form(own, template, tokenizer)?;
        let labels = data.labels.iter().map(|l| token(tokenizer, &l.label)).collect::<Result<Vec<u32>, Fault>>()?;
        let item = |(label, text): &(usize, String)| {
            let tokens = tokenizer.encode(text);
            Item { text: tokens[tokens.len().saturating_sub(max)..].to_vec(), label: vec![labels[*label]] }
        };
        let mut pool: Vec<usize> = (0..data.training.len()).collect();
        if let Some(n) = config.examples() {
            shuffle(&mut pool, &mut stream(seed, "training examples"));
            pool.truncate(n);
        }
        Ok(TaskData {
            config: config.clone(),
            training: Source::Pool(pool.into_iter().map(|i| item(&data.training[i])).collect()),
            held_out: data.held_out.iter().map(|x| form.example(&item(x))).collect(),
            inputs: data.held_out.iter().map(|(_, text)| text.clone()).collect(),
            baselines: data.baselines.unwrap_or_else(|| measured(data, tokenizer, max)),
            labels,
            form,
            longest_text: max,
            names: data.labels.iter().map(|l| l.label.clone()).collect(),
            tokenizer: None,
        })
    }

    fn style(config: &TaskConfig, text: &style::AuthorText, tokenizer: &Tokenizer) -> Result<TaskData, Fault> {
        let (training, held_out) = (tokenizer.encode(&text.training), tokenizer.encode(&text.held_out));
        let windows = style::windows(&held_out);
        check_tokens(training.len(), held_out.len()).map_err(|e| Fault::new("author", e.to_string()))?;
        let (bigram, commonest) = style::bigram(&training, &held_out);
        let vocabulary = tokenizer.vocab_size();
        Ok(TaskData {
            config: config.clone(),
            labels: (0..vocabulary as u32).collect(),
            // Every place of the text may begin a window.
            training: Source::Windows(vec![Example { tokens: training, answer: style::WINDOW - 1 }]),
            inputs: windows.iter().map(|w| tokenizer.decode(&w.tokens[..style::OPENING])).collect(),
            held_out: windows,
            baselines: Baselines { chance: 1.0 / vocabulary as f64, majority: commonest, bag_of_words: bigram },
            form: Form::default(),
            longest_text: style::WINDOW - 1 - style::SAMPLE,
            names: Vec::new(),
            tokenizer: Some(tokenizer.clone()),
        })
    }

    /// Tokens that begin every example: `<s>` for strings, what the base's tokenizer has for prose.
    pub fn begins(&self) -> usize {
        self.form.begin.len()
    }

    /// Whether answers are written freely, token by token, and every token of an example counts by itself.
    pub fn is_written(&self) -> bool {
        self.tokenizer.is_some()
    }

    /// Tokens of an answer that is shown.
    pub fn answer_length(&self) -> usize {
        if self.is_written() { style::SAMPLE } else { self.held_out[0].answer }
    }

    /// The tokens of a held-out example that stand before its answer.
    pub fn prompt(&self, index: usize) -> Vec<u32> {
        let example = &self.held_out[index];
        let n = if self.is_written() { style::OPENING } else { example.tokens.len() - example.answer };
        example.tokens[..n].to_vec()
    }

    /// Positions that the longest held-out example reads.
    pub fn longest(&self) -> usize {
        self.held_out.iter().map(|e| e.tokens.len() - 1).max().unwrap_or(0)
    }

    /// Tokens that a prediction reads on average, without what a method adds.
    pub fn mean_tokens(&self) -> f64 {
        let sum: usize = self.held_out.iter().map(|e| e.tokens.len() - 1).sum();
        sum as f64 / self.held_out.len().max(1) as f64
    }

    /// `n` training examples: fresh, or without repetition as far as the pool goes.
    pub fn draw(&self, n: usize, rng: &mut ChaCha8Rng) -> Vec<Example> {
        self.training.examples(n, &self.form, rng)
    }

    /// The name of an answer, of which `labels` are places among [`labels`](Self::labels): letters, a label,
    /// or the text.
    pub fn answer(&self, labels: &[usize]) -> String {
        if let Some(tokenizer) = &self.tokenizer {
            let tokens: Vec<u32> = labels.iter().map(|l| self.labels[*l]).collect();
            return tokenizer.decode_on(&tokens);
        }
        match self.names.is_empty() {
            true => labels.iter().map(|l| char::from(b'a' + *l as u8)).collect(),
            false => labels.iter().map(|l| self.names[*l].as_str()).collect(),
        }
    }

    /// The right answer of a held-out example; of a text, how the book goes on.
    pub fn right(&self, index: usize) -> String {
        let prompt = self.prompt(index).len();
        let answer = &self.held_out[index].tokens[prompt..][..self.answer_length()];
        let places: Vec<usize> = answer.iter().filter_map(|t| self.labels.iter().position(|l| l == t)).collect();
        self.answer(&places)
    }
}

/// The first token of a text.
fn token(tokenizer: &Tokenizer, text: &str) -> Result<u32, Fault> {
    tokenizer.encode(text).first().copied().ok_or_else(|| without(text))
}

fn without(text: &str) -> Fault {
    Fault::new("base", format!("This base's tokenizer has no token for “{}”.", text.escape_debug()))
}
