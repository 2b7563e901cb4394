//! A linear model on a bag of words: the baseline that any fine-tuning should beat.
//!
//! Softmax regression on sparse features, deterministic, without a dependency. The trainer fits it to what a visitor brings,
//! `xtask` to what it bakes: a package of its own, so that `xtask` is not compiled again with the trainer.

use std::collections::{BTreeMap, HashMap, VecDeque};

/// An example's non-zero features: (feature, value), by feature.
pub type Features = Vec<(u32, f32)>;

/// L2 penalty for `authors`: scikit-learn's `LogisticRegression(C=10)` minimises Σ loss + |W|² / (2C).
const AUTHORS_L2: f32 = 0.1;
/// Steps for `authors`; it stops by itself before.
const AUTHORS_STEPS: usize = 100;
/// Steps that L-BFGS remembers.
const HISTORY: usize = 8;
/// Shorter steps that it tries before it gives up.
const HALVINGS: usize = 20;

/// Accuracy on `held_out` of softmax regression on tf-idf of words and pairs of neighbouring words, trained on `data`.
///
/// Both are (class, sentence) with classes below `classes`. This is scikit-learn's
/// `TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)` with `LogisticRegression(C=10)`, without its intercept.
pub fn authors(data: &[(usize, String)], held_out: &[(usize, String)], classes: usize) -> f64 {
    let vocabulary = Vocabulary::of(data.iter().map(|(_, text)| text.as_str()));
    let rows: Vec<Features> = data.iter().map(|(_, text)| vocabulary.tf_idf(text)).collect();
    let labels: Vec<usize> = data.iter().map(|(class, _)| *class).collect();
    let model = Softmax::fit(&rows, &labels, vocabulary.idf.len(), classes, AUTHORS_L2, AUTHORS_STEPS);
    let right = held_out.iter().filter(|(class, text)| model.predict(&vocabulary.tf_idf(text)) == *class).count();
    right as f64 / held_out.len().max(1) as f64
}

/// Words of two characters or more, in lower case: scikit-learn's `\b\w\w+\b`.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let word = |c: char| c.is_alphanumeric() || c == '_';
    lower.split(|c| !word(c)).filter(|w| w.chars().nth(1).is_some()).map(String::from).collect()
}

/// Terms of a text: its words, then its pairs of neighbours.
fn terms(text: &str) -> Vec<String> {
    let mut terms = words(text);
    let pairs: Vec<String> = terms.windows(2).map(|pair| pair.join(" ")).collect();
    terms.extend(pairs);
    terms
}

/// The terms of the training texts and their weights.
struct Vocabulary {
    /// Features are numbered as their terms appear.
    terms: HashMap<String, u32>,
    /// Inverse document frequency, ln((1 + n) / (1 + df)) + 1.
    idf: Vec<f32>,
}

impl Vocabulary {
    fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Vocabulary {
        let mut numbers: HashMap<String, u32> = HashMap::new();
        // Texts that hold a term, and the last of them.
        let mut found_in: Vec<(usize, usize)> = Vec::new();
        let mut n = 0;
        for text in texts {
            n += 1;
            for term in terms(text) {
                let next = found_in.len() as u32;
                let number = *numbers.entry(term).or_insert(next);
                if number == next {
                    found_in.push((0, 0));
                }
                let (count, last) = &mut found_in[number as usize];
                if *last != n {
                    (*count, *last) = (*count + 1, n);
                }
            }
        }
        let idf = found_in.iter().map(|(df, _)| ((1 + n) as f32 / (1 + df) as f32).ln() + 1.0).collect();
        Vocabulary { terms: numbers, idf }
    }

    /// (1 + ln tf) · idf of the known terms, of length 1.
    fn tf_idf(&self, text: &str) -> Features {
        let mut counts: BTreeMap<u32, f32> = BTreeMap::new();
        for number in terms(text).iter().filter_map(|term| self.terms.get(term)) {
            *counts.entry(*number).or_default() += 1.0;
        }
        let mut row: Features = counts.into_iter().map(|(n, tf)| (n, (1.0 + tf.ln()) * self.idf[n as usize])).collect();
        let length = row.iter().map(|(_, x)| x * x).sum::<f32>().sqrt();
        row.iter_mut().for_each(|(_, x)| *x /= length);
        row
    }
}

/// Multinomial logistic regression.
pub struct Softmax {
    classes: usize,
    /// `[feature][class]`
    weights: Vec<f32>,
}

impl Softmax {
    /// Minimises Σ cross-entropy + ½ · `l2` · |W|² over `rows` of `labels` from zero, by at most `steps` of L-BFGS.
    ///
    /// `rows[i]` has features below `features` and the class `labels[i]`, below `classes`.
    pub fn fit(rows: &[Features], labels: &[usize], features: usize, classes: usize, l2: f32, steps: usize) -> Softmax {
        let objective = Objective { rows, labels, classes, l2 };
        let mut weights = vec![0.0; features * classes];
        let mut gradient = vec![0.0; weights.len()];
        let mut loss = objective.at(&weights, &mut gradient);
        let mut history: VecDeque<Change> = VecDeque::with_capacity(HISTORY);
        for _ in 0..steps {
            let direction = descent(&gradient, &history);
            let slope = dot(&direction, &gradient);
            // Without a history nothing is known of the scale: the first step has length one.
            let first = if history.is_empty() { 1.0 / dot(&gradient, &gradient).sqrt() } else { 1.0 };
            let trial = |length: f64| -> (Vec<f32>, Vec<f32>, f64) {
                let moved: Vec<f32> = weights.iter().zip(&direction).map(|(w, d)| w + length as f32 * d).collect();
                let mut gradient = vec![0.0; moved.len()];
                let loss = objective.at(&moved, &mut gradient);
                (moved, gradient, loss)
            };
            // Armijo's rule. The objective is strictly convex, so any step that it accepts gives a curvature above zero.
            let lengths = std::iter::successors(Some(first), |length| Some(length / 2.0)).take(HALVINGS);
            let accepted = lengths.map(|t| (t, trial(t))).find(|(t, (_, _, l))| *l <= loss + 1e-4 * t * slope);
            let Some((_, (moved, gradient_there, loss_there))) = accepted else { break };
            let change = Change::between(&weights, &moved, &gradient, &gradient_there);
            let gain = loss - loss_there;
            (weights, gradient, loss) = (moved, gradient_there, loss_there);
            // Single precision has no more to give.
            if gain < 1e-6 * loss || change.curvature <= 0.0 {
                break;
            }
            if history.len() == HISTORY {
                history.pop_front();
            }
            history.push_back(change);
        }
        Softmax { classes, weights }
    }

    /// The likeliest class of a row.
    pub fn predict(&self, row: &[(u32, f32)]) -> usize {
        let mut scores = vec![0.0; self.classes];
        add_scores(&self.weights, row, &mut scores);
        // Of equals the first: `max_by` would give the last.
        let best = scores.iter().enumerate().rev().max_by(|a, b| a.1.total_cmp(b.1));
        best.map_or(0, |(class, _)| class)
    }
}

/// Adds a row's score of each class.
fn add_scores(weights: &[f32], row: &[(u32, f32)], scores: &mut [f32]) {
    for (feature, x) in row {
        let at = *feature as usize * scores.len();
        for (s, w) in scores.iter_mut().zip(&weights[at..]) {
            *s += x * w;
        }
    }
}

/// What [`Softmax::fit`] minimises.
struct Objective<'a> {
    rows: &'a [Features],
    labels: &'a [usize],
    classes: usize,
    l2: f32,
}

impl Objective<'_> {
    /// The objective at `weights`, and its gradient.
    fn at(&self, weights: &[f32], gradient: &mut [f32]) -> f64 {
        for (g, w) in gradient.iter_mut().zip(weights) {
            *g = self.l2 * w;
        }
        let mut loss = 0.5 * f64::from(self.l2) * dot(weights, weights);
        let mut p = vec![0.0; self.classes];
        for (row, label) in self.rows.iter().zip(self.labels) {
            p.fill(0.0);
            add_scores(weights, row, &mut p);
            let largest = p.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let score = p[*label] - largest;
            p.iter_mut().for_each(|s| *s = (*s - largest).exp());
            let sum: f32 = p.iter().sum();
            loss += f64::from(sum.ln() - score);
            p.iter_mut().for_each(|s| *s /= sum);
            p[*label] -= 1.0;
            for (feature, x) in row {
                let at = *feature as usize * self.classes;
                for (g, d) in gradient[at..].iter_mut().zip(&p) {
                    *g += x * d;
                }
            }
        }
        loss
    }
}

/// One step of L-BFGS: how weights and gradient moved.
struct Change {
    step: Vec<f32>,
    gradient: Vec<f32>,
    /// step · gradient
    curvature: f64,
}

impl Change {
    fn between(w0: &[f32], w1: &[f32], g0: &[f32], g1: &[f32]) -> Change {
        let difference = |a: &[f32], b: &[f32]| -> Vec<f32> { b.iter().zip(a).map(|(b, a)| b - a).collect() };
        let (step, gradient) = (difference(w0, w1), difference(g0, g1));
        let curvature = dot(&step, &gradient);
        Change { step, gradient, curvature }
    }
}

/// Minus the gradient, turned by what the last steps told of the curvature (Nocedal's two-loop recursion).
fn descent(gradient: &[f32], history: &VecDeque<Change>) -> Vec<f32> {
    let mut d: Vec<f32> = gradient.iter().map(|g| -g).collect();
    let mut shares = Vec::with_capacity(history.len());
    for change in history.iter().rev() {
        let share = dot(&change.step, &d) / change.curvature;
        add(&mut d, -share, &change.gradient);
        shares.push(share);
    }
    if let Some(last) = history.back() {
        let scale = last.curvature / dot(&last.gradient, &last.gradient);
        d.iter_mut().for_each(|d| *d *= scale as f32);
    }
    for (change, share) in history.iter().zip(shares.into_iter().rev()) {
        let back = dot(&change.gradient, &d) / change.curvature;
        add(&mut d, share - back, &change.step);
    }
    d
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// a += scale · b
fn add(a: &mut [f32], scale: f64, b: &[f32]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += scale as f32 * b);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_lower_case_and_two_letters_or_more() {
        assert_eq!(words("I don't, Élan_2--a so-so"), ["don", "élan_2", "so", "so"]);
        assert_eq!(terms("to be or"), ["to", "be", "or", "to be", "be or"]);
    }

    /// Values from scikit-learn's formulas, worked by hand: n = 2, df(cat) = 2, df(the) = 1, df(dog) = 1.
    #[test]
    fn tf_idf_is_sublinear_smooth_and_of_length_one() {
        let vocabulary = Vocabulary::of(["the cat the cat", "cat dog"].into_iter());
        let row = vocabulary.tf_idf("dog dog cat unknown");
        let dog = (1.0 + 2.0_f32.ln()) * ((3.0_f32 / 2.0).ln() + 1.0);
        let length = (dog * dog + 1.0).sqrt();
        let of = |term: &str| row.iter().find(|(n, _)| *n == vocabulary.terms[term]).unwrap().1;
        assert!((of("dog") - dog / length).abs() < 1e-6);
        assert!((of("cat") - 1.0 / length).abs() < 1e-6);
        assert_eq!(row.len(), 2);
    }

    /// Two classes, one feature, x = ±1: the optimum is found here by bisection.
    #[test]
    fn fit_reaches_the_optimum() {
        let rows: Vec<Features> = vec![vec![(0, 1.0)], vec![(0, -1.0)]];
        let model = Softmax::fit(&rows, &[0, 1], 1, 2, 0.1, 50);
        // By symmetry the weights are w and -w, and 2 · (1 - σ(2w)) = 0.1 · w.
        let (mut low, mut high) = (0.0_f64, 20.0_f64);
        for _ in 0..60 {
            let w = (low + high) / 2.0;
            if 2.0 / (1.0 + (2.0 * w).exp()) > 0.1 * w { low = w } else { high = w }
        }
        assert!((f64::from(model.weights[0]) - low).abs() < 1e-4, "{} {low}", model.weights[0]);
        assert!((model.weights[0] + model.weights[1]).abs() < 1e-5);
    }

    #[test]
    fn sentences_of_separate_words_are_told_apart_and_empty_ones_do_no_harm() {
        let of = |class: usize, text: &str| (class, text.to_string());
        let data = [of(0, "the sea and ships"), of(1, "a house in town"), of(2, "count the money"), of(2, "")];
        assert_eq!(authors(&data, &[of(0, "ships"), of(1, "house"), of(2, "money"), of(0, "")], 3), 1.0);
        assert_eq!(authors(&data, &[], 3), 0.0);
    }
}
