//! What training needs to go on, beside φ: tensors of the same file whose names begin with `training.`.

use crate::model::files::{Reader, TensorFileError, Writer};

/// First and second moments of each of φ's tensors, in their order.
pub type Moments = Vec<[Vec<f32>; 2]>;

/// The numbers of a run under way.
const NUMBERS: &str = "training.numbers";
/// The first of them: how the others are meant.
const VERSION: u64 = 1;
/// How many there are.
const COUNT: usize = 8;

/// How far a run is. With φ it is all that the next step depends on: the same steps follow as without a break.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingState {
    /// Steps done.
    pub step: usize,
    /// Words that were drawn from the stream of batches.
    pub drawn: u64,
    /// Steps of the optimizer since it began, or began anew.
    pub optimizer_steps: i32,
    /// Its moments; none before its first step.
    pub moments: Moments,
    /// The step before which φ was last given what it asked for.
    pub told: Option<usize>,
    /// What that left beside φ's tensors: for each method, for each tensor that it asked for, one or zero.
    pub masks: Vec<Vec<Vec<f32>>>,
    /// How often the steps in its log have been halved.
    pub halvings: u32,
    /// Spent training and evaluating.
    pub microseconds: u64,
    /// The most bytes that were counted in a step.
    pub peak: Option<u64>,
}

impl TrainingState {
    /// Adds it to the file of φ.
    pub fn write(&self, writer: &mut Writer) {
        let after = |n: Option<u64>| n.map_or(0, |n| n + 1);
        let numbers: [u64; COUNT] = [
            VERSION,
            self.step as u64,
            self.drawn,
            self.optimizer_steps.max(0) as u64,
            after(self.told.map(|step| step as u64)),
            self.halvings.into(),
            self.microseconds,
            after(self.peak),
        ];
        writer.push_numbers(NUMBERS, &numbers);
        for (i, [means, squares]) in self.moments.iter().enumerate() {
            writer.push_floats(mean(i), &[means.len()], means);
            writer.push_floats(square(i), &[squares.len()], squares);
        }
        for (part, masks) in self.masks.iter().enumerate() {
            for (i, values) in masks.iter().enumerate() {
                writer.push_flags(&mask(part, i), values.iter().map(|x| *x != 0.0));
            }
        }
    }

    /// Reads it from the file of φ, whose tensors have so many elements; `None` where the file holds φ alone.
    /// `steps` is the number of the run, `parts` that of its methods.
    ///
    /// # Errors
    /// Where it is of another version, or not of this configuration.
    pub fn read(
        reader: &mut Reader<'_>,
        elements: &[usize],
        steps: usize,
        parts: usize,
    ) -> Result<Option<TrainingState>, TensorFileError> {
        if !reader.has(NUMBERS) {
            return Ok(None);
        }
        let unfit = || TensorFileError::Training(NUMBERS.into());
        let numbers = reader.numbers(NUMBERS, COUNT)?;
        let [version, step, drawn, optimizer_steps, told, halvings, microseconds, peak]: [u64; COUNT] =
            numbers.try_into().map_err(|_| unfit())?;
        let step = usize::try_from(step).ok().filter(|step| *step < steps).ok_or_else(unfit)?;
        let optimizer_steps = i32::try_from(optimizer_steps).map_err(|_| unfit())?;
        let halvings = u32::try_from(halvings).ok().filter(|n| *n < 32).ok_or_else(unfit)?;
        let told = usize::try_from(told).map_err(|_| unfit())?;
        if version != VERSION || told > step + 1 || optimizer_steps as usize > step {
            return Err(unfit());
        }
        let mut moments = Moments::new();
        if optimizer_steps > 0 {
            for (i, n) in elements.iter().enumerate() {
                moments.push([reader.floats(&mean(i), &[*n])?, reader.floats(&square(i), &[*n])?]);
            }
        }
        let mut masks = vec![Vec::new(); parts];
        for (part, masks) in masks.iter_mut().enumerate() {
            while reader.has(&mask(part, masks.len())) {
                let flags = reader.flags(&mask(part, masks.len()))?;
                masks.push(flags.into_iter().map(f32::from).collect());
            }
        }
        if masks.iter().all(Vec::is_empty) {
            masks.clear();
        }
        let (told, peak) = (told.checked_sub(1), peak.checked_sub(1));
        Ok(Some(TrainingState { step, drawn, optimizer_steps, moments, told, masks, halvings, microseconds, peak }))
    }
}

fn mean(i: usize) -> String {
    format!("training.mean.{i}")
}

fn square(i: usize) -> String {
    format!("training.square.{i}")
}

fn mask(part: usize, i: usize) -> String {
    format!("training.mask.{part}.{i}")
}
