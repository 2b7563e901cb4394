//! Chosen blocks of the network: the knob `layers` of every method that can leave some out.

use super::Shape;
use crate::base::Fault;
use std::fmt;

/// Blocks from 0, in order; all of them unless some were chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocks(Option<Vec<usize>>);

/// More blocks than any network that a browser holds.
const MOST: usize = 1024;

impl Blocks {
    /// Reads `all` or a list like `0,2,3`.
    pub fn parse(text: &str) -> Option<Blocks> {
        if text == "all" {
            return Some(Blocks(None));
        }
        let blocks: Option<Vec<usize>> = text.split(',').map(|s| s.trim().parse().ok().filter(|b| *b < MOST)).collect();
        let mut blocks = blocks?;
        blocks.sort_unstable();
        blocks.dedup();
        Some(Blocks(Some(blocks)))
    }

    /// These blocks of `of`, all where none is left out.
    pub fn of(mut chosen: Vec<usize>, of: usize) -> Blocks {
        chosen.sort_unstable();
        Blocks((chosen.len() < of).then_some(chosen))
    }

    /// Whether a block is among them.
    pub fn contains(&self, block: usize) -> bool {
        self.0.as_ref().is_none_or(|chosen| chosen.contains(&block))
    }

    /// The chosen blocks of a network with so many.
    pub fn list(&self, of: usize) -> Vec<usize> {
        (0..of).filter(|block| self.contains(*block)).collect()
    }

    /// Whether nobody chose: every block of any network.
    pub fn is_all(&self) -> bool {
        self.0.is_none()
    }

    /// Blocks that this base lacks are refused.
    pub fn check(&self, shape: &Shape) -> Result<(), Fault> {
        let n = shape.model.num_hidden_layers;
        match self.0.iter().flatten().find(|block| **block >= n) {
            Some(block) => {
                let message = format!("There is no block {block}: this base has {n}, counted from 0 to {}.", n - 1);
                Err(Fault::new("layers", message))
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("all"),
            Some(chosen) => f.write_str(&chosen.iter().map(usize::to_string).collect::<Vec<_>>().join(",")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_of_blocks_has_one_spelling() {
        assert_eq!(Blocks::parse("3, 1,1").unwrap().to_string(), "1,3");
        assert_eq!(Blocks::parse("all").unwrap(), Blocks::default());
        assert_eq!(Blocks::of(vec![1, 0], 2), Blocks::default());
        for text in ["", "1,", "-1", "x", "99999999"] {
            assert_eq!(Blocks::parse(text), None, "{text}");
        }
    }
}
