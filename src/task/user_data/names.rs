//! Names that columns go by.

/// Names of a column of labels; of several such columns the first in this list is the label.
const LABELS: [&str; 15] = [
    "label",
    "labels",
    "class",
    "v1",
    "sentiment",
    "target",
    "category",
    "emotion",
    "polarity",
    "mood",
    "intent",
    "topic",
    "rating",
    "stars",
    "class index",
];
/// Words that names of labels have: `star_rating`, `is_spam`, `review_score`.
const WORDS: [&str; 16] = [
    "rating",
    "ratings",
    "star",
    "stars",
    "score",
    "spam",
    "toxic",
    "hateful",
    "sarcastic",
    "stance",
    "genre",
    "verdict",
    "overall",
    "outcome",
    "result",
    "recommended",
];
/// Names of a column of texts.
const TEXTS: [&str; 12] = [
    "text",
    "texts",
    "sentence",
    "review",
    "comment",
    "message",
    "tweet",
    "content",
    "body",
    "v2",
    "headline",
    "utterance",
];
/// Names of a column of prompts and of that of their answers.
const ANSWERED: [&str; 12] = [
    "prompt completion",
    "prompt response",
    "prompt answer",
    "prompt chosen",
    "question answer",
    "question response",
    "instruction output",
    "instruction response",
    "input output",
    "input target",
    "source target",
    "query response",
];

/// The columns of prompts and answers, where two are called so.
pub fn answered(columns: &[String]) -> Option<(usize, usize)> {
    let place = |name: &str| columns.iter().position(|column| column.trim().eq_ignore_ascii_case(name));
    ANSWERED.iter().find_map(|names| {
        let (prompt, answer) = names.split_once(' ')?;
        Some((place(prompt)?, place(answer)?))
    })
}

/// Words in the name of a column that tells of a row's origin or number: it has few values and is no label.
const ASIDE: [&str; 27] = [
    "split",
    "id",
    "ids",
    "idx",
    "index",
    "unnamed",
    "fold",
    "subset",
    "partition",
    "set",
    "verified",
    "train",
    "test",
    "date",
    "year",
    "month",
    "user",
    "confidence",
    "truncated",
    "helpful",
    "helpfulness",
    "thumbs",
    "votes",
    "likes",
    "count",
    "counts",
    "purchase",
];
/// Values of a column that tells to which part of the data a row belongs.
const PARTS: [&str; 8] = ["train", "training", "test", "testing", "dev", "valid", "val", "validation"];

/// How likely a column is the label by its name and values; the least is the likeliest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likely {
    /// It is called so, by a name of this place in the list.
    Called(usize),
    /// A word of its name is such a name.
    Named,
    /// Nothing speaks for or against it.
    Perhaps,
    /// It tells of a row's origin, number or proof.
    Aside,
}

/// Whether columns of labels or texts go by this name.
pub fn is_known(name: &str) -> bool {
    is_label(name) || is_text(name)
}

/// Whether columns of labels go by this name.
pub fn is_label(name: &str) -> bool {
    LABELS.contains(&name.trim().to_lowercase().as_str())
}

/// Whether columns of texts go by this name.
pub fn is_text(name: &str) -> bool {
    TEXTS.contains(&name.trim().to_lowercase().as_str())
}

/// How likely a column of this name, with these values, holds labels.
pub fn likely<'a>(name: &str, mut values: impl Iterator<Item = &'a str>) -> Likely {
    let name = name.trim();
    let lower = name.to_lowercase();
    if let Some(place) = LABELS.iter().position(|known| *known == lower) {
        return Likely::Called(place);
    }
    let words = words(name);
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    if has(&ASIDE) {
        return Likely::Aside;
    }
    if has(&LABELS[..9]) || has(&WORDS) {
        return Likely::Named;
    }
    // `is_spam` is a label that is true or false, `verified` is not.
    let asks = words.first().is_some_and(|word| word == "is");
    let is_aside = |value: &str| {
        let value = value.to_lowercase();
        PARTS.contains(&value.as_str()) || (!asks && ["true", "false"].contains(&value.as_str()))
    };
    if values.all(is_aside) { Likely::Aside } else { Likely::Perhaps }
}

/// The words of a name in lower case: `userID_2` has `user`, `id` and `2`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        was_lower = c.is_lowercase();
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Likely {
        likely(name, ["a", "b"].into_iter())
    }

    #[test]
    fn a_label_s_name_comes_first_and_an_origin_s_last() {
        let order = ["Label", " class", "airline_sentiment", "colour", "rowId"];
        assert!(order.map(of).is_sorted(), "{:?}", order.map(of));
        assert_eq!(
            [of("targetClass"), of("label_id"), of("validity")],
            [Likely::Named, Likely::Aside, Likely::Perhaps]
        );
        for name in ["split", "ID", "is_verified", "Unnamed: 0", "id2_index", "train/test"] {
            assert_eq!(of(name), Likely::Aside, "{name}");
        }
    }

    #[test]
    fn values_that_tell_parts_or_truth_are_no_labels() {
        let values = |name: &str, values: [&'static str; 2]| likely(name, values.into_iter());
        assert_eq!(values("part", ["Train", "dev"]), Likely::Aside);
        assert_eq!(values("bought", ["True", "false"]), Likely::Aside);
        assert_eq!(values("is_spam", ["True", "False"]), Likely::Named);
        assert_eq!(values("is_new", ["True", "False"]), Likely::Perhaps);
        // Stars are what a review says, votes are what others say of it.
        for (label, aside) in [("star_rating", "helpful"), ("score", "thumbsUpCount"), ("Class Index", "upvotes count")]
        {
            assert!(values(label, ["1", "2"]) < values(aside, ["1", "2"]), "{label} {aside}");
        }
        assert_eq!(values("part", ["train", "bus"]), Likely::Perhaps);
        assert_eq!(values("label", ["true", "false"]), Likely::Called(0));
    }
}
