//! A task ready to train on: its training examples and those it is judged by, as a base's tokenizer reads
//! them.

use super::baselines::measured;
use super::file::TaskFile;
use super::form::{Form, Item};
use super::free::Reader;
use super::source::{Asked, Source, shuffle};
use super::words::{names, telling, worded};
use crate::base::{Fault, stream};
use crate::task::tokenizer::Tokenizer;
use crate::task::user_data::check_tokens;
use crate::task::{Baselines, Example, Labelled, TaskConfig, Verbalizer, Wording};
use crate::task::{questions, rules, rules_baseline, style, text};
use rand_chacha::ChaCha8Rng;
use std::rc::Rc;

/// A task ready to train on: training examples to draw, held-out examples to judge by.
pub struct TaskData {
    pub(super) config: TaskConfig,
    /// Tokens among which answers are chosen, in the order of their names: of a label in several tokens the one that
    /// tells it from the others.
    pub labels: Vec<u32>,
    /// The tokens of every label, where one has several: an answer is then one of these sequences.
    pub(super) sequences: Option<Vec<Vec<u32>>>,
    /// Whether labels are words of one token each.
    pub(super) chosen: bool,
    /// The right label of each held-out example, by its place; none where answers have no names.
    pub(super) places: Vec<usize>,
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
    pub(super) answers: Answers,
}

/// What an answer is.
pub(super) enum Answers {
    /// Tokens of the labels.
    OfLabels,
    /// How a text goes on, of which every token counts by itself.
    Written(Box<Tokenizer>),
    /// Written freely, up to its end.
    Free(Free),
}

/// What is known of answers that are written freely.
pub(super) struct Free {
    pub reader: Rc<Reader>,
    /// The right answers of the held-out examples.
    pub right: Vec<String>,
    /// What a held-out example is one of, where there are several kinds.
    pub groups: Vec<&'static str>,
    /// Whether an answer is JSON, whose fields are judged one by one.
    pub has_fields: bool,
}

impl TaskData {
    /// A task's examples as the tokenizer of a base that reads `context` positions reads them, in some words; a limited
    /// number of them is drawn by `seed`.
    ///
    /// # Errors
    /// Where `file` is not the task's, a text is too short, the tokenizer has no token for a label, or two labels have
    /// the same ones.
    pub fn on(
        context: usize,
        config: &TaskConfig,
        file: &TaskFile,
        tokenizer: &Tokenizer,
        wording: &Wording,
        seed: u64,
    ) -> Result<TaskData, Fault> {
        let missing = || Fault::new("task", format!("The examples of the task {} are not there.", config.name()));
        match (config, file) {
            (TaskConfig::Rules { rule, .. }, _) => {
                TaskData::strings(config, Asked::Rule(rule.clone()), tokenizer, wording, seed)
            }
            (TaskConfig::Questions { question, .. }, _) => {
                TaskData::strings(config, Asked::Question(*question), tokenizer, wording, seed)
            }
            (TaskConfig::Extract { subject, .. }, _) => {
                TaskData::extract(config, *subject, context, tokenizer, wording, seed)
            }
            (task, TaskFile::Answered(data)) if task.is_answered() => {
                TaskData::answered(config, data, context, tokenizer, wording, seed)
            }
            (TaskConfig::Text { of, .. }, TaskFile::Labelled(data)) => {
                TaskData::text(config, of.max_tokens(), data, tokenizer, wording, seed)
            }
            (TaskConfig::UserData { data: own, .. }, TaskFile::Labelled(data))
                if own.classes == Some(data.labels.len()) =>
            {
                TaskData::text(config, text::MAX_TOKENS, data, tokenizer, wording, seed)
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
        wording: &Wording,
        seed: u64,
    ) -> Result<TaskData, Fault> {
        let own = Form::plain(vec![rules::BOS], rules::ARROW, rules::SEMICOLON);
        let form = Form::of_strings(own, wording.template.as_ref(), tokenizer);
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
            sequences: None,
            chosen: false,
            places: Vec::new(),
            training,
            held_out: strings.iter().map(|s| form.example(&asked.item(*s))).collect(),
            inputs: strings.iter().map(rules::text).collect(),
            baselines,
            form,
            longest_text: rules::LENGTH,
            names,
            answers: Answers::OfLabels,
        })
    }

    fn text(
        config: &TaskConfig,
        max: usize,
        data: &Labelled,
        tokenizer: &Tokenizer,
        wording: &Wording,
        seed: u64,
    ) -> Result<TaskData, Fault> {
        let names = names(&wording.labels, data)?;
        let (form, sequences) = worded(wording, &names, tokenizer)?;
        let item = |(label, text): &(usize, String)| {
            let tokens = form.text(text, tokenizer);
            Item { text: tokens[tokens.len().saturating_sub(max)..].to_vec(), label: sequences[*label].clone() }
        };
        let mut pool: Vec<usize> = (0..data.training.len()).collect();
        if let Some(n) = config.examples() {
            shuffle(&mut pool, &mut stream(seed, "training examples"));
            pool.truncate(n);
        }
        let several = sequences.iter().any(|label| label.len() > 1);
        Ok(TaskData {
            config: config.clone(),
            places: data.held_out.iter().map(|(label, _)| *label).collect(),
            training: Source::Pool(pool.into_iter().map(|i| item(&data.training[i])).collect()),
            held_out: data.held_out.iter().map(|x| form.example(&item(x))).collect(),
            inputs: data.held_out.iter().map(|(_, text)| text.clone()).collect(),
            baselines: data.baselines.unwrap_or_else(|| measured(data, tokenizer, max)),
            labels: telling(&sequences)?,
            sequences: several.then_some(sequences),
            chosen: wording.labels != Verbalizer::Letters && !several,
            form,
            longest_text: max,
            names,
            answers: Answers::OfLabels,
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
            sequences: None,
            chosen: false,
            places: Vec::new(),
            // Every place of the text may begin a window.
            training: Source::Windows(vec![Example { tokens: training, answer: style::WINDOW - 1 }]),
            inputs: windows.iter().map(|w| tokenizer.decode(&w.tokens[..style::OPENING])).collect(),
            held_out: windows,
            baselines: Baselines { chance: 1.0 / vocabulary as f64, majority: commonest, bag_of_words: bigram },
            form: Form::default(),
            longest_text: style::WINDOW - 1 - style::SAMPLE,
            names: Vec::new(),
            answers: Answers::Written(Box::new(tokenizer.clone())),
        })
    }

    /// Tokens that begin every example: `<s>` for strings, what the base's tokenizer has for prose.
    pub fn begins(&self) -> usize {
        self.form.begin.len()
    }

    /// Whether answers are written freely, token by token, and every token of an example counts by itself.
    pub fn is_written(&self) -> bool {
        matches!(self.answers, Answers::Written(_))
    }

    /// Whether a prompt has an answer that is written freely, right as a whole or wrong.
    pub fn is_answered(&self) -> bool {
        matches!(self.answers, Answers::Free(_))
    }

    /// The labels among which a text's is chosen, where they are words of one token each; else empty, and an answer's
    /// tokens are chosen among all.
    pub fn among(&self) -> &[u32] {
        if self.chosen { &self.labels } else { &[] }
    }

    /// The tokens of every label, where one has several.
    pub fn sequences(&self) -> Option<&[Vec<u32>]> {
        self.sequences.as_deref()
    }

    /// The right label of each held-out example, by its place; none where answers have no names.
    pub fn places(&self) -> &[usize] {
        &self.places
    }

    /// Tokens of an answer that is shown, of labels in several tokens the most.
    pub fn answer_length(&self) -> usize {
        match (&self.answers, &self.sequences) {
            (Answers::Written(_), _) => style::SAMPLE,
            (Answers::Free(_), _) => self.held_out.iter().map(|example| example.answer).max().unwrap_or(1),
            (_, Some(labels)) => labels.iter().map(Vec::len).max().unwrap_or(1),
            (_, None) => self.held_out[0].answer,
        }
    }

    /// Positions that any example of the task may read: the longest text, the words around it, the longest answer
    /// without its last token.
    pub fn most_tokens(&self) -> usize {
        match &self.answers {
            Answers::Written(_) => style::WINDOW - 1,
            Answers::Free(free) => self.form.around() + self.longest_text + free.reader.longest_answer - 1,
            Answers::OfLabels => self.form.around() + self.longest_text + self.answer_length() - 1,
        }
    }

    /// The tokens of a held-out example that stand before its answer.
    pub fn prompt(&self, index: usize) -> Vec<u32> {
        let example = &self.held_out[index];
        let n = if self.is_written() { style::OPENING } else { example.tokens.len() - example.answer };
        example.tokens[..n].to_vec()
    }

    /// Positions that the longest held-out example reads, behind which any label may stand.
    pub fn longest(&self) -> usize {
        let longest_label = self.sequences.as_ref().map(|_| self.answer_length());
        let read = |e: &Example| e.tokens.len() - e.answer + longest_label.unwrap_or(e.answer) - 1;
        self.held_out.iter().map(read).max().unwrap_or(0)
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
        let tokens = || labels.iter().map(|l| self.labels[*l]).collect::<Vec<u32>>();
        match &self.answers {
            Answers::Written(tokenizer) => return tokenizer.decode_on(&tokens()),
            Answers::Free(free) => return free.reader.text(&tokens()),
            Answers::OfLabels => {}
        }
        match self.names.is_empty() {
            true => labels.iter().map(|l| char::from(b'a' + *l as u8)).collect(),
            false => labels.iter().map(|l| self.names[*l].as_str()).collect(),
        }
    }

    /// The right answer of a held-out example; of a text, how the book goes on.
    pub fn right(&self, index: usize) -> String {
        if let Some(place) = self.places.get(index) {
            return self.names[*place].clone();
        }
        if let Answers::Free(free) = &self.answers {
            return free.right[index].clone();
        }
        let prompt = self.prompt(index).len();
        let answer = &self.held_out[index].tokens[prompt..][..self.answer_length()];
        let places: Vec<usize> = answer.iter().filter_map(|t| self.labels.iter().position(|l| l == t)).collect();
        self.answer(&places)
    }
}
