//! Where a session's examples come from, and how they become batches.

use super::form::{Form, Item, form};
use crate::base::Fault;
use crate::base::stream;
use crate::model::Tokens;
use crate::peft::{DemonstrationLabels, Demonstrations, Template};
use crate::task::tokenizer::Tokenizer;
use crate::task::{
    Baselines, Example, Labelled, Question, Rule, TaskConfig, baseline, questions, rules, rules_baseline, style, text,
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::HashSet;

/// The file of a task, read.
#[derive(Clone, Debug)]
pub enum TaskFile {
    /// Strings are drawn, not read.
    None,
    Labelled(Labelled),
    Texts(style::Texts),
}

/// A task ready to train on: training examples to draw, held-out examples to judge by.
pub struct TaskData {
    config: TaskConfig,
    /// Tokens among which answers are chosen, in the order of their names.
    pub labels: Vec<u32>,
    training: Source,
    pub held_out: Vec<Example>,
    /// The text of each held-out example before its answer.
    pub inputs: Vec<String>,
    pub baselines: Baselines,
    form: Form,
    /// Tokens of a text at most; of longer ones the last are read.
    longest_text: usize,
    /// What a label is called; empty where answers are read as text.
    names: Vec<String>,
    tokenizer: Option<Tokenizer>,
}

enum Source {
    /// Fresh strings without end, none of them held out.
    Strings {
        asked: Asked,
        held_out: HashSet<rules::Letters>,
    },
    Pool(Vec<Item>),
    /// Windows of a text.
    Windows(Vec<Example>),
}

/// What is asked of a string.
#[derive(Clone)]
enum Asked {
    Rule(Rule),
    Question(Question),
}

impl Asked {
    fn item(&self, string: rules::Letters) -> Item {
        let label = match self {
            Asked::Rule(rule) => rule.apply(string).map(u32::from).to_vec(),
            Asked::Question(question) => vec![questions::ANSWERS[usize::from(question.answer(string))]],
        };
        Item { text: string.map(u32::from).to_vec(), label }
    }

    fn draw(&self, rng: &mut ChaCha8Rng) -> rules::Letters {
        match self {
            Asked::Rule(_) => rules::draw(rng),
            Asked::Question(question) => question.draw(rng),
        }
    }

    fn held_out(&self) -> Vec<rules::Letters> {
        match self {
            Asked::Rule(_) => rules::held_out(),
            Asked::Question(question) => question.held_out(),
        }
    }
}

/// One batch as the network reads it.
pub struct Batch {
    pub tokens: Tokens,
    /// Places in the flattened tokens whose successors are predicted.
    pub rows: Vec<usize>,
    /// The right tokens at `rows`.
    pub targets: Vec<i32>,
}

impl TaskData {
    /// A task's examples as a base's tokenizer reads them; a limited number of them is drawn by `seed`. A `template` puts text and
    /// label into other words than the task's own.
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
        let newline = token(tokenizer, "\n")?;
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
            baselines: data.baselines.unwrap_or_else(|| measured(data)),
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
        if windows.is_empty() || style::windows(&training).is_empty() {
            return Err(Fault::new("author", "The text is too short to train on."));
        }
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

    /// The tokens of demonstrations, which stand in front of every example: so many training examples, drawn, ordered and labelled by
    /// their seeds. Where fewer fit into `room` positions, the fault says how many do.
    pub fn demonstrations(&self, shown: &Demonstrations, room: usize) -> Result<Vec<u32>, Fault> {
        let mut rng = stream(shown.drawn_by as u64, "demonstrations");
        let mut chosen: Vec<Item> = Vec::new();
        let mut used = 0;
        let mut candidates = match &self.training {
            Source::Pool(pool) => {
                let mut order: Vec<usize> = (0..pool.len()).collect();
                shuffle(&mut order, &mut rng);
                order.into_iter().map(|i| pool[i].clone()).collect::<Vec<_>>()
            }
            Source::Strings { .. } => (0..shown.shots).map(|_| self.training.draw(&mut rng)).collect(),
            Source::Windows(_) => {
                return Err(Fault::new(
                    "method",
                    "In-context learning shows questions with their answers; this task has none.",
                ));
            }
        }
        .into_iter();
        while chosen.len() < shown.shots {
            let Some(item) = candidates.find(|item| used + self.form.demonstration(item).len() <= room) else {
                let n = chosen.len();
                return Err(Fault::new(
                    "shots",
                    format!("{n} demonstrations fit in front of the longest example, not {}.", shown.shots),
                ));
            };
            used += self.form.demonstration(&item).len();
            chosen.push(item);
        }
        if shown.labels == DemonstrationLabels::Random {
            let mut rng = stream(shown.drawn_by as u64, "random labels");
            for item in &mut chosen {
                item.label
                    .iter_mut()
                    .for_each(|t| *t = self.labels[rng.random_range(0..self.labels.len() as u32) as usize]);
            }
        }
        if shown.order > 0 {
            let mut places: Vec<usize> = (0..chosen.len()).collect();
            shuffle(&mut places, &mut stream(shown.order as u64, "order of demonstrations"));
            chosen = places.into_iter().map(|i| chosen[i].clone()).collect();
        }
        Ok(chosen.iter().flat_map(|item| self.form.demonstration(item)).collect())
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
        match &self.training {
            Source::Windows(texts) => (0..n).map(|_| window(&texts[0].tokens, rng)).collect(),
            Source::Pool(pool) if n <= pool.len() => {
                let mut chosen: Vec<usize> = Vec::with_capacity(n);
                while chosen.len() < n {
                    let i = rng.random_range(0..pool.len() as u32) as usize;
                    if !chosen.contains(&i) {
                        chosen.push(i);
                    }
                }
                chosen.into_iter().map(|i| self.form.example(&pool[i])).collect()
            }
            source => (0..n).map(|_| self.form.example(&source.draw(rng))).collect(),
        }
    }

    /// The name of an answer, of which `labels` are places among [`labels`](Self::labels): letters, a label, or the text.
    pub fn answer(&self, labels: &[usize]) -> String {
        if let Some(tokenizer) = &self.tokenizer {
            let tokens: Vec<u32> = labels.iter().map(|l| self.labels[*l]).collect();
            return tokenizer.decode(&tokens);
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

    /// What a visitor typed: the text as it was understood, its tokens before the answer, and the right answer where it is known.
    pub fn typed(&self, text: &str, tokenizer: &Tokenizer) -> Result<(String, Vec<u32>, Option<String>), Fault> {
        let string = || rules::parse_string(text);
        let letters = |s: rules::Letters| self.form.prompt(&s.map(u32::from));
        match &self.config {
            TaskConfig::Rules { rule, .. } => {
                let s = string()?;
                Ok((rules::text(&s), letters(s), Some(rules::text(&rule.apply(s)))))
            }
            TaskConfig::Questions { question, .. } => {
                let s = string()?;
                let right = self.names[usize::from(question.answer(s))].clone();
                Ok((rules::text(&s), letters(s), Some(right)))
            }
            TaskConfig::Text { .. } | TaskConfig::UserData { .. } if !self.is_written() => {
                let typed = one_line(text, "Type a sentence.")?;
                let tokens = tokenizer.encode(&typed);
                Ok((typed, self.form.prompt(&tokens[tokens.len().saturating_sub(self.longest_text)..]), None))
            }
            _ => {
                let typed = one_line(text, "Type how a text begins.")?;
                let tokens = tokenizer.encode(&typed);
                Ok((typed, tokens[tokens.len().saturating_sub(self.longest_text)..].to_vec(), None))
            }
        }
    }
}

/// The baselines of a visitor's data. Of many rows the first are enough for a figure to compare with, and do not keep one waiting.
fn measured(data: &Labelled) -> Baselines {
    const ROWS: usize = 4000;
    let classes = data.labels.len();
    let mut counts = vec![0_usize; classes];
    data.training.iter().for_each(|(label, _)| counts[*label] += 1);
    let commonest = (0..classes).max_by_key(|c| (counts[*c], std::cmp::Reverse(*c))).unwrap_or(0);
    let right = data.held_out.iter().filter(|(label, _)| *label == commonest).count();
    Baselines {
        chance: 1.0 / classes as f64,
        majority: right as f64 / data.held_out.len().max(1) as f64,
        bag_of_words: baseline::authors(&data.training[..data.training.len().min(ROWS)], &data.held_out, classes),
    }
}

fn one_line(text: &str, empty: &str) -> Result<String, Fault> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() { Err(Fault::new("text", empty)) } else { Ok(line) }
}

fn token(tokenizer: &Tokenizer, text: &str) -> Result<u32, Fault> {
    tokenizer
        .encode(text)
        .first()
        .copied()
        .ok_or_else(|| Fault::new("base", format!("This base's tokenizer has no token for “{}”.", text.escape_debug())))
}

/// A window from anywhere in a text.
fn window(text: &[u32], rng: &mut ChaCha8Rng) -> Example {
    let at = rng.random_range(0..(text.len() - style::WINDOW + 1) as u32) as usize;
    Example { tokens: text[at..at + style::WINDOW].to_vec(), answer: style::WINDOW - 1 }
}

impl Source {
    fn draw(&self, rng: &mut ChaCha8Rng) -> Item {
        match self {
            Source::Strings { asked, held_out } => loop {
                let string = asked.draw(rng);
                if !held_out.contains(&string) {
                    return asked.item(string);
                }
            },
            Source::Pool(pool) => pool[rng.random_range(0..pool.len() as u32) as usize].clone(),
            Source::Windows(_) => unreachable!("windows are examples already"),
        }
    }
}

impl Batch {
    /// Pads examples at the right to the longest. The last token of each is only predicted, never read.
    pub fn new<'a>(examples: impl IntoIterator<Item = &'a Example> + Clone) -> Batch {
        let length = examples.clone().into_iter().map(|e| e.tokens.len() - 1).max().unwrap_or(0);
        let mut batch =
            Batch { tokens: Tokens { ids: Vec::new(), sequences: 0, length }, rows: Vec::new(), targets: Vec::new() };
        for example in examples {
            let (start, n) = (batch.tokens.sequences * length, example.tokens.len() - 1);
            batch.tokens.ids.extend(example.tokens[..n].iter().map(|t| *t as i32));
            batch.tokens.ids.resize(start + length, 0);
            batch.tokens.sequences += 1;
            batch.rows.extend((n - example.answer..n).map(|i| start + i));
            batch.targets.extend(example.tokens[n + 1 - example.answer..].iter().map(|t| *t as i32));
        }
        batch
    }
}

fn shuffle(items: &mut [usize], rng: &mut ChaCha8Rng) {
    for i in (1..items.len()).rev() {
        items.swap(i, rng.random_range(0..=i as u32) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokenizer(base: &str) -> Tokenizer {
        let path = format!("{}/www/models/{base}/tokenizer.json", env!("CARGO_MANIFEST_DIR"));
        Tokenizer::from_json(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    fn strings(examples: &str, seed: u64) -> TaskData {
        let mut config = TaskConfig::named("rules").unwrap();
        if !examples.is_empty() {
            config.set("examples", examples).unwrap();
        }
        TaskData::new(&config, &TaskFile::None, &tokenizer("rules"), None, seed).unwrap()
    }

    fn words() -> (TaskConfig, TaskFile) {
        let mut config = TaskConfig::named("language").unwrap();
        config.set("unit", "word").unwrap();
        let label =
            |label: &str| crate::task::text::Label { label: label.into(), title: label.into(), about: String::new() };
        let items = |range: std::ops::Range<usize>| range.map(|i| (i % 2, format!("word{i}"))).collect();
        let baselines = Baselines { chance: 0.5, majority: 0.5, bag_of_words: 0.5 };
        let labels = vec![label("A"), label("B")];
        let data = Labelled {
            labels,
            training: items(0..60),
            held_out: items(60..70),
            baselines: Some(baselines),
            source: String::new(),
        };
        (config, TaskFile::Labelled(data))
    }

    #[test]
    fn demonstrations_are_training_examples_in_the_tasks_form() {
        let data = strings("", 0);
        let shown = data.demonstrations(&Demonstrations { shots: 3, ..Demonstrations::default() }, 54).unwrap();
        let rule = Rule::default();
        assert_eq!(shown.len(), 30);
        for shot in shown.chunks(10) {
            let string: rules::Letters = std::array::from_fn(|i| shot[i] as u8);
            assert_eq!(shot, rules::shot(string, rule.apply(string)));
            assert!(!rules::held_out().contains(&string));
        }
        let reordered =
            data.demonstrations(&Demonstrations { shots: 3, order: 2, ..Demonstrations::default() }, 54).unwrap();
        let sorted = |tokens: &[u32]| {
            let mut shots: Vec<Vec<u32>> = tokens.chunks(10).map(<[u32]>::to_vec).collect();
            shots.sort();
            shots
        };
        assert_eq!(sorted(&shown), sorted(&reordered));
        assert_ne!(shown, reordered);
        let random = data
            .demonstrations(
                &Demonstrations { shots: 3, labels: DemonstrationLabels::Random, ..Demonstrations::default() },
                54,
            )
            .unwrap();
        for (a, b) in shown.chunks(10).zip(random.chunks(10)) {
            assert!(a[..5] == b[..5] && a[5..9] != b[5..9] && a[9] == b[9]);
        }
        assert_ne!(
            shown,
            data.demonstrations(&Demonstrations { shots: 3, drawn_by: 1, ..Demonstrations::default() }, 54).unwrap()
        );
    }

    #[test]
    fn too_many_demonstrations_are_refused_with_the_number_that_fits() {
        let (config, file) = words();
        let data = TaskData::new(&config, &file, &tokenizer("prose-nano"), None, 0).unwrap();
        let fault = data.demonstrations(&Demonstrations { shots: 32, ..Demonstrations::default() }, 40).unwrap_err();
        assert!(fault.message.contains("fit in front of the longest example, not 32"), "{fault}");
    }

    #[test]
    fn a_template_puts_question_and_demonstration_into_its_words() {
        let (config, file) = words();
        let tokenizer = tokenizer("prose-nano");
        let template = Template::parse("Word: {text} is {label}.\\n").unwrap();
        let data = TaskData::new(&config, &file, &tokenizer, Some(&template), 0).unwrap();
        assert_eq!(tokenizer.decode(&data.prompt(0)), "Word: word60 is ");
        let shown = tokenizer
            .decode(&data.demonstrations(&Demonstrations { shots: 2, ..Demonstrations::default() }, 60).unwrap());
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(
            lines.iter().all(|l| l.starts_with("Word: word") && (l.ends_with("is A.") || l.ends_with("is B."))),
            "{shown}"
        );
    }

    #[test]
    fn a_style_is_learnt_from_windows_and_judged_on_others() {
        let config = TaskConfig::named("style").unwrap();
        let text = |word: &str| format!("{word} said that it was so. ").repeat(40);
        let author =
            |i: usize| style::AuthorText { title: format!("{i}"), training: text("He"), held_out: text("She") };
        let file = TaskFile::Texts(style::Texts { authors: (0..7).map(author).collect(), source: String::new() });
        let data = TaskData::new(&config, &file, &tokenizer("prose-nano"), None, 0).unwrap();
        assert!(data.is_written());
        let drawn = data.draw(8, &mut stream(0, "test"));
        assert!(drawn.iter().all(|e| e.tokens.len() == style::WINDOW && e.answer == style::WINDOW - 1));
        let whole = tokenizer("prose-nano").decode(&data.held_out[0].tokens[..style::OPENING + style::SAMPLE]);
        assert_eq!(data.inputs[0].clone() + &data.right(0), whole);
        assert!(data.baselines.bag_of_words > 2.0 * data.baselines.majority);
        assert!(data.demonstrations(&Demonstrations::default(), 60).is_err());
    }

    #[test]
    fn a_batch_predicts_the_tokens_after_its_rows() {
        let examples = [Example { tokens: vec![5, 6, 7, 8], answer: 2 }, Example { tokens: vec![9, 4, 3], answer: 1 }];
        let batch = Batch::new(&examples);
        assert_eq!(batch.tokens.ids, [5, 6, 7, 9, 4, 0]);
        assert_eq!(batch.rows, [1, 2, 4]);
        assert_eq!(batch.targets, [7, 8, 3]);
    }

    #[test]
    fn training_never_draws_a_held_out_string() {
        let data = strings("", 3);
        let mut rng = stream(3, "test");
        let drawn = data.draw(20_000, &mut rng);
        assert!(drawn.iter().all(|e| !data.held_out.contains(e)));
    }

    #[test]
    fn a_pool_of_sixteen_gives_sixteen() {
        let data = strings("16", 0);
        let mut rng = stream(0, "test");
        let drawn = data.draw(640, &mut rng);
        let distinct: std::collections::HashSet<_> = drawn.iter().map(|e| e.tokens.clone()).collect();
        assert_eq!(distinct.len(), 16);
    }
}
