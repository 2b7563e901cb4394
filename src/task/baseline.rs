//! A linear model on a bag of words: the baseline that any fine-tuning should beat.
//!
//! Softmax regression on sparse features, deterministic, without a dependency: `xtask` includes this file as it is, so it
//! names nothing else of the crate.

use std::collections::{BTreeMap, HashMap};

/// An example's non-zero features: (feature, value), by feature.
pub type Features = Vec<(u32, f32)>;

/// L2 penalty for `authors`: scikit-learn's `LogisticRegression(C=10)` minimises Σ loss + |W|² / (2C).
const AUTHORS_L2: f32 = 0.1;
/// Steps for `authors`. Accuracy no longer moves after some 60.
const AUTHORS_STEPS: usize = 100;

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
    /// Minimises Σ cross-entropy + ½ · `l2` · |W|² over `rows` of `labels` by Nesterov's accelerated gradient from zero.
    ///
    /// `rows[i]` has features below `features` and the class `labels[i]`, below `classes`.
    pub fn fit(rows: &[Features], labels: &[usize], features: usize, classes: usize, l2: f32, steps: usize) -> Softmax {
        let mut model = Softmax { classes, weights: vec![0.0; features * classes] };
        // The loss of softmax bends by at most half of the data's largest squared singular value.
        let rate = 1.0 / (0.5 * largest_squared_singular_value(rows, features) + l2);
        let mut previous = model.weights.clone();
        let mut gradient = vec![0.0; features * classes];
        for step in 0..steps {
            // `weights` is the point looked ahead to; `previous` the last point reached.
            model.gradient(rows, labels, l2, &mut gradient);
            let momentum = step as f32 / (step + 3) as f32;
            for ((w, last), g) in model.weights.iter_mut().zip(&mut previous).zip(&gradient) {
                let reached = *w - rate * g;
                *w = reached + momentum * (reached - *last);
                *last = reached;
            }
        }
        model.weights = previous;
        model
    }

    /// The likeliest class of a row.
    pub fn predict(&self, row: &[(u32, f32)]) -> usize {
        let mut scores = vec![0.0; self.classes];
        self.scores(row, &mut scores);
        // Of equals the first: `max_by` would give the last.
        let best = scores.iter().enumerate().rev().max_by(|a, b| a.1.total_cmp(b.1));
        best.map_or(0, |(class, _)| class)
    }

    fn scores(&self, row: &[(u32, f32)], scores: &mut [f32]) {
        scores.fill(0.0);
        for (feature, x) in row {
            let at = *feature as usize * self.classes;
            for (s, w) in scores.iter_mut().zip(&self.weights[at..at + self.classes]) {
                *s += x * w;
            }
        }
    }

    fn gradient(&self, rows: &[Features], labels: &[usize], l2: f32, gradient: &mut [f32]) {
        for (g, w) in gradient.iter_mut().zip(&self.weights) {
            *g = l2 * w;
        }
        let mut p = vec![0.0; self.classes];
        for (row, label) in rows.iter().zip(labels) {
            self.scores(row, &mut p);
            let largest = p.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            p.iter_mut().for_each(|s| *s = (*s - largest).exp());
            let sum: f32 = p.iter().sum();
            p.iter_mut().for_each(|s| *s /= sum);
            p[*label] -= 1.0;
            for (feature, x) in row {
                let at = *feature as usize * self.classes;
                for (g, d) in gradient[at..at + self.classes].iter_mut().zip(&p) {
                    *g += x * d;
                }
            }
        }
    }
}

/// An upper estimate of λ_max(XᵀX), by a few steps of power iteration.
fn largest_squared_singular_value(rows: &[Features], features: usize) -> f32 {
    const STEPS: usize = 12;
    // A power iteration approaches from below.
    const MARGIN: f32 = 1.05;
    let mut v = vec![1.0_f32; features];
    let mut value = 0.0;
    for _ in 0..STEPS {
        let mut next = vec![0.0_f32; features];
        for row in rows {
            let y: f32 = row.iter().map(|(feature, x)| x * v[*feature as usize]).sum();
            row.iter().for_each(|(feature, x)| next[*feature as usize] += x * y);
        }
        let length = |v: &[f32]| v.iter().map(|x| x * x).sum::<f32>().sqrt();
        value = length(&next) / length(&v).max(f32::MIN_POSITIVE);
        let scale = 1.0 / length(&next).max(f32::MIN_POSITIVE);
        next.iter_mut().for_each(|x| *x *= scale);
        v = next;
    }
    value * MARGIN
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

    /// Two classes, one feature, x = ±1: the optimum solves σ(-2w)·… = l2·w, found here by bisection.
    #[test]
    fn fit_reaches_the_optimum() {
        let rows: Vec<Features> = vec![vec![(0, 1.0)], vec![(0, -1.0)]];
        let model = Softmax::fit(&rows, &[0, 1], 1, 2, 0.1, 400);
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
