//! Prompts with answers of a visitor's table, split into training and held-out rows.

use super::error::UserDataError;
use super::labelled::{LeftOut, shuffle, usable};
use super::limits::{MAX_HELD_OUT, MIN_ROWS};
use super::table::Table;
use crate::task::{Pair, Prompt};

/// Prompts with answers, in an order drawn by the seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnsweredSplit {
    /// What is trained on.
    pub training: Vec<Pair>,
    /// About a fifth of the rows.
    pub held_out: Vec<Pair>,
    /// How many rows are in neither, and why.
    pub left_out: LeftOut,
}

impl AnsweredSplit {
    /// Splits pairs, in an order drawn by the seed: a fifth is held out, one at least, a thousand at most.
    pub fn of(mut pairs: Vec<Pair>, left_out: LeftOut, seed: u64) -> AnsweredSplit {
        shuffle(&mut pairs, seed);
        let held_out = ((pairs.len() + 2) / 5).clamp(1, MAX_HELD_OUT).min(pairs.len());
        let training = pairs.split_off(held_out);
        AnsweredSplit { training, held_out: pairs, left_out }
    }
}

/// Takes the prompts and answers of two columns, each as one line; the same seed splits the same way everywhere.
///
/// # Errors
/// Where a column is not there, both are one, or too few rows have both.
pub fn answered(table: &Table, text: usize, answer: usize, seed: u64) -> Result<AnsweredSplit, UserDataError> {
    let columns = table.columns.len();
    if let Some(column) = [text, answer].into_iter().find(|column| *column >= columns) {
        return Err(UserDataError::NoColumn { column: column + 1, columns });
    }
    if text == answer {
        return Err(UserDataError::SameColumn { column: table.columns[answer].clone() });
    }
    let (pairs, left_out) = usable(&table.rows, text, answer);
    if pairs.len() < MIN_ROWS {
        return Err(UserDataError::TooFewRows { usable: pairs.len(), rows: table.rows.len() });
    }
    let pairs = pairs.into_iter().map(|pair| Pair { prompt: Prompt::Text(pair.text), answer: pair.label });
    Ok(AnsweredSplit::of(pairs.collect(), left_out, seed))
}

#[cfg(test)]
mod tests {
    use super::super::{Dropped, read};
    use super::*;

    fn of(text: &str) -> Result<AnsweredSplit, UserDataError> {
        let Ok(Dropped::Table(table)) = read("a.csv", text.as_bytes()) else { panic!("{text}") };
        answered(&table, 0, 1, 0)
    }

    #[test]
    fn a_fifth_is_held_out_and_every_row_is_in_one_part() {
        let rows: String = (0..30).map(|i| format!("What is {i} and one?,\"It is\n{}\"\n", i + 1)).collect();
        let split = of(&format!("question,answer\n{rows}What is 3 and one?,four\n,nothing\n")).unwrap();
        assert_eq!((split.training.len(), split.held_out.len()), (24, 6));
        assert_eq!((split.left_out.contradicting, split.left_out.without_text), (1, 1));
        let pair = split.training.iter().find(|pair| pair.prompt.shown() == "What is 7 and one?");
        let pair = pair.or_else(|| split.held_out.iter().find(|pair| pair.prompt.shown() == "What is 7 and one?"));
        assert_eq!(pair.unwrap().answer, "It is 8");
        assert!(split.held_out.iter().all(|pair| !split.training.contains(pair)));
    }

    #[test]
    fn too_few_rows_are_told() {
        assert!(matches!(of("a,b\n1,2\n3,4\n5,6\n"), Err(UserDataError::TooFewRows { .. })));
    }
}
