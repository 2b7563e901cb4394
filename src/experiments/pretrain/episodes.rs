//! What `rules` is pretrained on: episodes of one hidden rule, `<s>` and shots `abcd>dcba;`, every image
//! predicted.
//!
//! To be right the model must infer the rule from the shots before. Plain training stays at 0.45 exact match:
//! rules on values come, rules that move letters do not. Three things changed that. Positions start as place
//! and shot (`init.rs`), the first tenth of the steps shows the moving rules alone, and afterwards they have
//! more than their share.

use super::recipe::{Data, Recipe, RulesData};
use crate::base::{read, stream};
use crate::bases::Figures;
use crate::model::Model;
use crate::peft::Phi;
use crate::task::Example;
use crate::task::rules::{self, LENGTH, Rule};
use crate::train::data::Batch;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Tokens of a shot.
pub const SLOT: usize = 2 * LENGTH + 2;
/// Shots of an episode.
const SHOTS: usize = 6;
/// Episodes that judge each group of rules.
const JUDGING: usize = 512;

/// The rules, by what the base may know of them.
pub struct Episodes {
    moves: Vec<Rule>,
    singles: Vec<Rule>,
    seen: Vec<Rule>,
    unseen: Vec<Rule>,
}

impl Episodes {
    /// All rules, in their groups.
    pub fn new() -> Episodes {
        let rules = |names: &[&str]| names.iter().filter_map(|n| Rule::parse(n).ok()).collect();
        let singles = rules::known_primitives();
        Episodes {
            moves: rules(&singles[..8]),
            singles: rules(&singles),
            seen: rules(&rules::SEEN),
            unseen: rules(&rules::UNSEEN),
        }
    }

    /// The episodes of a step.
    pub fn batch(&self, recipe: &Recipe, step: usize, rng: &mut ChaCha8Rng) -> Batch {
        let Data::Rules(data) = &recipe.data else { unreachable!("a recipe of rules") };
        let early = (step as f64) < data.moves_first * recipe.steps as f64;
        let episodes: Vec<_> =
            (0..recipe.batch_size).map(|_| episode(self.draw(data, early, rng), SHOTS, rng)).collect();
        batch(&episodes)
    }

    fn draw(&self, data: &RulesData, early: bool, rng: &mut ChaCha8Rng) -> &Rule {
        let group = if early || rng.random::<f64>() < data.moves {
            &self.moves
        } else if rng.random::<f64>() < data.singles {
            &self.singles
        } else {
            &self.seen
        };
        &group[rng.random_range(0..group.len() as u32) as usize]
    }

    /// Exact match after 0, 1, … demonstrations, on strings that are the same every time.
    pub async fn judge(&self, theta: &Model) -> Result<Figures, String> {
        let known = exact(theta, &self.singles).await?;
        let seen = exact(theta, &self.seen).await?;
        Ok(Figures::Rules { known, seen, unseen: exact(theta, &self.unseen).await? })
    }
}

/// Tokens of an episode; every image is to be predicted.
fn episode(rule: &Rule, shots: usize, rng: &mut ChaCha8Rng) -> Vec<u32> {
    let mut tokens = vec![rules::BOS];
    for _ in 0..shots {
        let string = rules::draw(rng);
        tokens.extend(rules::shot(string, rule.apply(string)));
    }
    tokens
}

/// A batch that predicts the images of all shots. The last `;` is read by nobody.
fn batch(episodes: &[Vec<u32>]) -> Batch {
    let examples: Vec<Example> =
        episodes.iter().map(|e| Example { tokens: e[..e.len() - 1].to_vec(), answer: LENGTH }).collect();
    let mut batch = Batch::new(&examples);
    (batch.rows, batch.targets) = (Vec::new(), Vec::new());
    for (i, tokens) in episodes.iter().enumerate() {
        for shot in 0..SHOTS {
            // The arrow of a shot is the first to predict.
            let arrow = 1 + shot * SLOT + LENGTH;
            batch.rows.extend((arrow..arrow + LENGTH).map(|at| i * batch.tokens.length + at));
            batch.targets.extend(tokens[arrow + 1..=arrow + LENGTH].iter().map(|t| *t as i32));
        }
    }
    batch
}

async fn exact(theta: &Model, rules: &[Rule]) -> Result<Vec<f64>, String> {
    let mut rng = stream(0, "pretraining judged");
    let episodes: Vec<Vec<u32>> = (0..JUDGING).map(|i| episode(&rules[i % rules.len()], SHOTS, &mut rng)).collect();
    let mut right = [0; SHOTS];
    for chunk in episodes.chunks(64) {
        let batch = batch(chunk);
        let logits = theta.logits(&Phi::none(), &batch.tokens, &batch.rows);
        let vocab = logits.dims()[1];
        let values = read(logits.reshape([batch.rows.len() * vocab])).await.map_err(|f| f.message)?;
        let hits: Vec<bool> = (values.chunks(vocab).zip(&batch.targets))
            .map(|(row, target)| (0..vocab).all(|i| row[i] <= row[*target as usize] || i == *target as usize))
            .collect();
        for (i, shot) in hits.chunks(LENGTH).enumerate() {
            right[i % SHOTS] += usize::from(shot.iter().all(|hit| *hit));
        }
    }
    Ok(right.map(|n| n as f64 / JUDGING as f64).to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_predicts_every_image() {
        let rule = Rule::parse("reverse").unwrap();
        let episode = episode(&rule, SHOTS, &mut stream(0, "test"));
        assert_eq!(episode.len(), 1 + SHOTS * SLOT);
        let batch = batch(std::slice::from_ref(&episode));
        assert_eq!(batch.rows.len(), SHOTS * LENGTH);
        for (row, target) in batch.rows.iter().zip(&batch.targets) {
            assert_eq!(episode[row + 1] as i32, *target);
        }
        let string: Vec<i32> = episode[1..5].iter().rev().map(|t| *t as i32).collect();
        assert_eq!(batch.targets[..4], string);
    }

    #[test]
    fn early_steps_show_moves_and_later_ones_all() {
        let episodes = Episodes::new();
        assert_eq!((episodes.moves.len(), episodes.singles.len()), (8, 16));
        assert_eq!((episodes.seen.len(), episodes.unseen.len()), (24, 30));
        let data = RulesData { moves_first: 0.1, moves: 0.2, singles: 0.5 };
        let mut rng = stream(0, "test");
        assert!((0..500).all(|_| episodes.moves.contains(episodes.draw(&data, true, &mut rng))));
        let drawn: Vec<&Rule> = (0..5000).map(|_| episodes.draw(&data, false, &mut rng)).collect();
        let share = |group: &[Rule]| drawn.iter().filter(|r| group.contains(r)).count() as f64 / 5000.0;
        // 0.2 + 0.8 × 0.5 × 8/16 moves, 0.8 × 0.5 compositions.
        assert!((share(&episodes.moves) - 0.4).abs() < 0.03 && (share(&episodes.seen) - 0.4).abs() < 0.03);
        assert_eq!(share(&episodes.unseen), 0.0);
    }
}
