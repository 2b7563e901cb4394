//! Demonstrations of in-context learning, as tokens in front of every example.

use super::form::Item;
use super::source::{Source, shuffle};
use super::task_data::TaskData;
use crate::base::Fault;
use crate::base::stream;
use crate::peft::{DemonstrationLabels, Demonstrations};
use rand::RngExt;

impl TaskData {
    /// The tokens of demonstrations, which stand in front of every example: so many training examples, drawn,
    /// ordered and labelled by their seeds.
    ///
    /// # Errors
    /// Where fewer fit into `room` positions, which says how many do; where the task has no questions.
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
            Source::Strings { .. } | Source::Sentences { .. } => {
                (0..shown.shots).map(|_| self.training.draw(&mut rng)).collect()
            }
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
            if self.is_answered() {
                // Another example's answer.
                chosen.iter_mut().for_each(|item| item.label = self.training.draw(&mut rng).label);
            }
            for item in chosen.iter_mut().filter(|_| !self.is_answered()) {
                let mut place = || rng.random_range(0..self.labels.len() as u32) as usize;
                match &self.sequences {
                    Some(labels) => item.label.clone_from(&labels[place()]),
                    None => item.label.iter_mut().for_each(|token| *token = self.labels[place()]),
                }
            }
        }
        if shown.order > 0 {
            let mut places: Vec<usize> = (0..chosen.len()).collect();
            shuffle(&mut places, &mut stream(shown.order as u64, "order of demonstrations"));
            chosen = places.into_iter().map(|i| chosen[i].clone()).collect();
        }
        Ok(chosen.iter().flat_map(|item| self.form.demonstration(item)).collect())
    }
}
