//! What a linear model on the letters of a string, without their places, makes of a rule.

use super::Baselines;
use super::baseline::{Features, Softmax};
use super::rules;
use super::rules::{ALPHABET, LENGTH, Letters, Rule};
use crate::base::stream;
use std::collections::{HashMap, HashSet};

/// Strings drawn to train on.
const TRAINING: usize = 4096;
/// scikit-learn's default, C = 1.
const L2: f32 = 1.0;
/// Steps of the regression: with 300 no rule on offer gets another accuracy by more than .005.
const STEPS: usize = 20;

/// Chance, the commonest image, and softmax regression on how often each letter occurs: one classifier for
/// each letter of the image, right where all are. Measured on the held-out strings, trained on others; the
/// same on every call.
pub fn rules(rule: &Rule) -> Baselines {
    let held_out = rules::held_out();
    let kept: HashSet<&Letters> = held_out.iter().collect();
    let mut rng = stream(0, "rules baseline");
    let training: Vec<Letters> =
        std::iter::repeat_with(|| rules::draw(&mut rng)).filter(|s| !kept.contains(s)).take(TRAINING).collect();
    let images: Vec<Letters> = training.iter().map(|s| rule.apply(*s)).collect();

    let counts: Vec<Features> = training.iter().map(letter_counts).collect();
    let mut models: Vec<(Vec<usize>, Softmax)> = Vec::with_capacity(LENGTH);
    let mut places = [0; LENGTH];
    for (place, model) in places.iter_mut().enumerate() {
        let letters: Vec<usize> = images.iter().map(|image| usize::from(image[place])).collect();
        // Many rules (`first`, `count`) give the same letter four times: one classifier does.
        *model = models.iter().position(|(known, _)| *known == letters).unwrap_or(models.len());
        if *model == models.len() {
            let fitted = Softmax::fit(&counts, &letters, ALPHABET, ALPHABET, L2, STEPS);
            models.push((letters, fitted));
        }
    }
    let predicted = |s: &Letters| {
        let row = letter_counts(s);
        places.map(|model| models[model].1.predict(&row) as u8)
    };
    let commonest = commonest(&images);
    let accuracy =
        |right: &dyn Fn(&Letters) -> bool| held_out.iter().filter(|s| right(s)).count() as f64 / held_out.len() as f64;
    Baselines {
        chance: (ALPHABET as f64).powi(-(LENGTH as i32)),
        majority: accuracy(&|s| rule.apply(*s) == commonest),
        bag_of_words: accuracy(&|s| rule.apply(*s) == predicted(s)),
    }
}

/// How often each letter occurs, zeros left out.
fn letter_counts(string: &Letters) -> Features {
    let mut sorted = *string;
    sorted.sort_unstable();
    sorted.chunk_by(|a, b| a == b).map(|same| (u32::from(same[0]), same.len() as f32)).collect()
}

/// The image that occurs most often; of equals the first in the alphabet.
fn commonest(images: &[Letters]) -> Letters {
    let mut counts: HashMap<&Letters, usize> = HashMap::new();
    for image in images {
        *counts.entry(image).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(image, count)| (*count, std::cmp::Reverse(*image)));
    most.map_or([0; LENGTH], |(image, _)| *image)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rule: &str) -> Baselines {
        rules(&Rule::parse(rule).unwrap())
    }

    #[test]
    fn letters_are_counted_without_their_places() {
        assert_eq!(letter_counts(&[3, 0, 3, 15]), [(0, 1.0), (3, 2.0), (15, 1.0)]);
        assert_eq!(letter_counts(&[3, 0, 3, 15]), letter_counts(&[15, 3, 3, 0]));
    }

    #[test]
    fn majority_is_what_the_commonest_image_scores() {
        // `max` is p in 1 - (15/16)⁴ = 0.228 of all strings.
        let majority = of("max").majority;
        assert!((majority - 0.228).abs() < 0.06, "{majority}");
        // Some image of `reverse` occurs twice or so in training: it is hardly ever right.
        assert!(of("reverse").majority < 0.01);
        assert_eq!(commonest(&[[2; 4], [1; 4], [3; 4], [1; 4], [2; 4]]), [1; 4]);
    }

    #[test]
    fn letters_without_places_give_the_largest_but_not_the_first() {
        let (max, first, reverse) = (of("max"), of("first"), of("reverse"));
        assert!(max.bag_of_words > 0.5, "{max:?}");
        assert!(first.bag_of_words < 0.45, "{first:?}");
        assert!(reverse.bag_of_words < 0.05, "{reverse:?}");
        assert_eq!(reverse.chance, 1.0 / 65536.0);
        assert_eq!(of("max"), max);
    }
}
