//! What the base could do before: a fixed probe that no task trains on, to see what training makes it forget.

use super::evaluate::Asked;
use super::pass::Pass;
use crate::base::Failure;
use crate::base::stream;
use crate::task::rules;
use crate::task::rules::{LENGTH, Rule};
use crate::task::tokenizer::Tokenizer;
use crate::task::{Example, style};

/// Windows of held-out prose.
const WINDOWS: usize = 16;
/// Of a large base, which takes a second for them.
const FEW_WINDOWS: usize = 4;
/// Episodes for each known rule.
const EPISODES: usize = 8;
/// Demonstrations of an episode where φ leaves room for them.
const SHOTS: usize = 3;

/// A probe of what the base knew.
pub enum Kept {
    /// Next tokens of held-out prose.
    Prose(Vec<Example>),
    /// Rules of pretraining, each shown by demonstrations.
    Rules(Vec<Example>),
}

impl Kept {
    /// Held-out prose in windows, in `few` of them where each takes long.
    pub fn prose(text: &str, tokenizer: &Tokenizer, few: bool) -> Kept {
        let n = if few { FEW_WINDOWS } else { WINDOWS };
        let mut windows = style::windows(&tokenizer.encode(text));
        // From all over the text, which is ordered by book.
        let every = (windows.len() / n).max(1);
        windows = windows.into_iter().step_by(every).take(n).collect();
        Kept::Prose(windows)
    }

    /// Every rule that the base was pretrained on, with as many demonstrations as fit beside `positions` of
    /// φ.
    pub fn rules(context: usize, positions: usize) -> Kept {
        let shot = 2 * LENGTH + 2;
        let shots = (context.saturating_sub(positions + shot) / shot).min(SHOTS);
        let mut rng = stream(0, "what the base knew");
        let known = rules::known_primitives().into_iter().filter_map(|name| Rule::parse(name).ok());
        let episodes = known.flat_map(|rule| (0..EPISODES).map(move |_| rule.clone()).collect::<Vec<_>>());
        let episode = |rule: Rule| {
            let mut tokens = vec![rules::BOS];
            for _ in 0..shots {
                let string = rules::draw(&mut rng);
                tokens.extend(rules::shot(string, rule.apply(string)));
            }
            let question = rule.example(rules::draw(&mut rng));
            tokens.extend(&question.tokens[1..]);
            Example { tokens, answer: LENGTH }
        };
        Kept::Rules(episodes.map(episode).collect())
    }

    /// Tokens that it reads, and those that it predicts.
    pub fn tokens(&self) -> (usize, usize) {
        let (Kept::Prose(examples) | Kept::Rules(examples)) = self;
        (examples.iter().map(|e| e.tokens.len() - 1).sum(), examples.iter().map(|e| e.answer).sum())
    }

    /// What tells loss and share right.
    ///
    /// # Errors
    /// Where the device cannot use one text alone.
    pub fn passes(&self, asked: &Asked<'_>) -> Result<Vec<Pass>, Failure> {
        match self {
            Kept::Prose(windows) => asked.next_tokens(windows),
            Kept::Rules(episodes) => {
                let letters: Vec<u32> = (0..rules::ALPHABET as u32).collect();
                asked.examples(episodes, &letters)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::data::Batch;
    use super::*;

    #[test]
    fn of_a_large_base_the_probe_is_short() {
        let text = "It was the best of times, it was the worst of times, it was the age of wisdom. ".repeat(90);
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/www/models/prose-nano/tokenizer.json");
        let tokenizer = Tokenizer::from_json(&std::fs::read_to_string(path).unwrap()).unwrap();
        let of = |few| Kept::prose(&text, &tokenizer, few);
        let (all, few) = (of(false).tokens(), of(true).tokens());
        assert_eq!((all.0, few.0), (16 * 96, 4 * 96));
        assert_eq!(all.1, 4 * few.1);
    }

    #[test]
    fn the_probe_fits_beside_what_phi_puts_in_front() {
        for positions in [0, 10, 20, 40] {
            let Kept::Rules(episodes) = Kept::rules(64, positions) else { panic!() };
            assert_eq!(episodes.len(), 16 * EPISODES);
            assert!(episodes.iter().all(|e| e.tokens.len() - 1 + positions <= 64));
            let batch = Batch::new(&episodes);
            assert_eq!(batch.targets.len(), episodes.len() * LENGTH);
        }
    }
}
