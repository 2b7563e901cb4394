//! What a visitor's data scores without a network.

use crate::task::tokenizer::Tokenizer;
use crate::task::{Baselines, Labelled, baseline};

/// The baselines of a visitor's data, on what the network reads of each text: its last `longest` tokens. Of
/// many rows the first are enough for a figure to compare with, and do not keep one waiting.
pub(super) fn measured(data: &Labelled, tokenizer: &Tokenizer, longest: usize) -> Baselines {
    const ROWS: usize = 4000;
    let classes = data.labels.len();
    let mut counts = vec![0_usize; classes];
    data.training.iter().for_each(|(label, _)| counts[*label] += 1);
    let commonest = (0..classes).max_by_key(|c| (counts[*c], std::cmp::Reverse(*c))).unwrap_or(0);
    let right = data.held_out.iter().filter(|(label, _)| *label == commonest).count();
    let read = |(label, text): &(usize, String)| (*label, end(text, tokenizer, longest));
    let training: Vec<(usize, String)> = data.training.iter().take(ROWS).map(read).collect();
    let held_out: Vec<(usize, String)> = data.held_out.iter().map(read).collect();
    Baselines {
        chance: 1.0 / classes as f64,
        majority: right as f64 / data.held_out.len().max(1) as f64,
        bag_of_words: baseline::authors(&training, &held_out, classes),
    }
}

/// The last `longest` tokens of a text, as text.
fn end(text: &str, tokenizer: &Tokenizer, longest: usize) -> String {
    // No token is shorter than a byte.
    if text.len() <= longest {
        return text.into();
    }
    let tokens = tokenizer.encode(text);
    if tokens.len() <= longest { text.into() } else { tokenizer.decode(&tokens[tokens.len() - longest..]) }
}
