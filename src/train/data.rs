//! Where a session's examples come from, and how they become batches.

use crate::model::Tokens;
use crate::peft::Fault;
use crate::task::tokenizer::Tokenizer;
use crate::task::{Authors, Baselines, Example, Rule, TaskConfig, authors, rules, rules_baseline, stream};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

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
    newline: u32,
}

enum Source {
    /// Fresh strings of a rule without end, none of them held out.
    Strings {
        rule: Rule,
        held_out: std::collections::HashSet<rules::Letters>,
    },
    Pool(Vec<Example>),
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
    /// `rules` with its strings, fresh or a fixed number of them drawn by `seed`.
    pub fn rules(rule: &Rule, examples: Option<usize>, seed: u64) -> TaskData {
        let strings = rules::held_out();
        let mut source = Source::Strings { rule: rule.clone(), held_out: strings.iter().copied().collect() };
        if let Some(n) = examples {
            let mut rng = stream(seed, "training examples");
            source = Source::Pool((0..n).map(|_| source.draw(&mut rng)).collect());
        }
        TaskData {
            config: TaskConfig::Rules { rule: rule.clone(), examples },
            labels: (0..rules::ALPHABET as u32).collect(),
            training: source,
            held_out: strings.iter().map(|s| rule.example(*s)).collect(),
            inputs: strings.iter().map(rules::text).collect(),
            baselines: rules_baseline::rules(rule),
            newline: 0,
        }
    }

    /// `authors` as a base's tokenizer reads it.
    pub fn authors(
        data: &Authors,
        tokenizer: &Tokenizer,
        examples: Option<usize>,
        seed: u64,
    ) -> Result<TaskData, Fault> {
        let token = |text: &str| {
            tokenizer.encode(text).first().copied().ok_or_else(|| {
                Fault::new("base", format!("This base's tokenizer has no token for “{}”.", text.escape_debug()))
            })
        };
        let newline = token("\n")?;
        let labels = authors::LABELS.iter().map(|l| token(l)).collect::<Result<Vec<u32>, Fault>>()?;
        let read = |(book, text): &(usize, String)| authors::example(&tokenizer.encode(text), newline, labels[*book]);
        let mut pool: Vec<usize> = (0..data.training.len()).collect();
        if let Some(n) = examples {
            shuffle(&mut pool, &mut stream(seed, "training examples"));
            pool.truncate(n);
        }
        Ok(TaskData {
            config: TaskConfig::Authors { examples },
            training: Source::Pool(pool.into_iter().map(|i| read(&data.training[i])).collect()),
            held_out: data.held_out.iter().map(read).collect(),
            inputs: data.held_out.iter().map(|(_, text)| text.clone()).collect(),
            baselines: data.baselines,
            labels,
            newline,
        })
    }

    /// `n` training examples: fresh, or without repetition as far as the pool goes.
    pub fn draw(&self, n: usize, rng: &mut ChaCha8Rng) -> Vec<Example> {
        match &self.training {
            Source::Pool(pool) if n <= pool.len() => {
                let mut chosen: Vec<usize> = Vec::with_capacity(n);
                while chosen.len() < n {
                    let i = rng.random_range(0..pool.len() as u32) as usize;
                    if !chosen.contains(&i) {
                        chosen.push(i);
                    }
                }
                chosen.into_iter().map(|i| pool[i].clone()).collect()
            }
            source => (0..n).map(|_| source.draw(rng)).collect(),
        }
    }

    /// The name of an answer: letters, or a label.
    pub fn answer(&self, labels: &[usize]) -> String {
        match self.config {
            TaskConfig::Rules { .. } => labels.iter().map(|l| char::from(b'a' + *l as u8)).collect(),
            TaskConfig::Authors { .. } => labels.iter().map(|l| authors::LABELS[*l]).collect(),
        }
    }

    /// The right answer of a held-out example.
    pub fn right(&self, index: usize) -> String {
        let example = &self.held_out[index];
        let answer = &example.tokens[example.tokens.len() - example.answer..];
        let places: Vec<usize> = answer.iter().filter_map(|t| self.labels.iter().position(|l| l == t)).collect();
        self.answer(&places)
    }

    /// What a visitor typed: the text as it was understood, its tokens before the answer, and the right answer where it is known.
    pub fn typed(&self, text: &str, tokenizer: &Tokenizer) -> Result<(String, Vec<u32>, Option<String>), Fault> {
        match &self.config {
            TaskConfig::Rules { rule, .. } => {
                let string = rules::parse_string(text)?;
                Ok((rules::text(&string), rules::prompt(string), Some(rules::text(&rule.apply(string)))))
            }
            TaskConfig::Authors { .. } => {
                let sentence = text.split_whitespace().collect::<Vec<_>>().join(" ");
                if sentence.is_empty() {
                    return Err(Fault::new("text", "Type a sentence, in English, as it might stand in a book."));
                }
                let mut tokens = authors::example(&tokenizer.encode(&sentence), self.newline, 0).tokens;
                tokens.pop();
                Ok((sentence, tokens, None))
            }
        }
    }
}

impl Source {
    fn draw(&self, rng: &mut ChaCha8Rng) -> Example {
        match self {
            Source::Strings { rule, held_out } => loop {
                let string = rules::draw(rng);
                if !held_out.contains(&string) {
                    return rule.example(string);
                }
            },
            Source::Pool(pool) => pool[rng.random_range(0..pool.len() as u32) as usize].clone(),
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
        let data = TaskData::rules(&Rule::default(), None, 3);
        let mut rng = stream(3, "test");
        let drawn = data.draw(20_000, &mut rng);
        assert!(drawn.iter().all(|e| !data.held_out.contains(e)));
    }

    #[test]
    fn a_pool_of_sixteen_gives_sixteen() {
        let data = TaskData::rules(&Rule::default(), Some(16), 0);
        let mut rng = stream(0, "test");
        let drawn = data.draw(640, &mut rng);
        let distinct: std::collections::HashSet<_> = drawn.iter().map(|e| e.tokens.clone()).collect();
        assert_eq!(distinct.len(), 16);
    }
}
