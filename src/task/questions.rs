//! Yes or no about a string: four letters, `>`, and one letter that says it (`a` affirms, `n` denies).
//! Nothing in the base's pretraining asks such a thing.

use super::rules;
use super::rules::{ALPHABET, HELD_OUT, LENGTH, Letters};
use super::{Baselines, Example, baseline};
use crate::base::stream;
use crate::base::{Fault, shorten};

/// Tokens of the answers: no, yes.
pub const ANSWERS: [u32; 2] = [13, 0];

/// What is asked of a string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Question(usize);

struct Asked {
    name: &'static str,
    title: &'static str,
    of: fn(Letters) -> bool,
}

const fn asked(name: &'static str, title: &'static str, of: fn(Letters) -> bool) -> Asked {
    Asked { name, title, of }
}

const QUESTIONS: [Asked; 5] = [
    asked("rises", "Does the last letter come after the first?", |s| s[3] > s[0]),
    asked("vowel-first", "Is the first letter a vowel?", |s| matches!(s[0], 0 | 4 | 8 | 14)),
    asked("has-vowel", "Is there a vowel in it?", |s| s.iter().any(|c| matches!(c, 0 | 4 | 8 | 14))),
    asked("repeats", "Does a letter occur twice?", |s| (0..LENGTH).any(|i| s[..i].contains(&s[i]))),
    asked("sorted", "Are the letters in order?", |s| s.is_sorted()),
];

impl Question {
    /// Names, and the questions as a person asks them.
    pub const OPTIONS: [(&'static str, &'static str); QUESTIONS.len()] = {
        let mut options = [("", ""); QUESTIONS.len()];
        let mut i = 0;
        while i < QUESTIONS.len() {
            options[i] = (QUESTIONS[i].name, QUESTIONS[i].title);
            i += 1;
        }
        options
    };

    /// Every question.
    pub fn all() -> impl Iterator<Item = Question> {
        (0..QUESTIONS.len()).map(Question)
    }

    /// Reads a name; the fault lists all of them.
    pub fn parse(text: &str) -> Result<Question, Fault> {
        QUESTIONS.iter().position(|q| q.name == text.trim()).map(Question).ok_or_else(|| {
            let names: Vec<&str> = QUESTIONS.iter().map(|q| q.name).collect();
            Fault::new("question", format!("There is no question “{}”: {}.", shorten(text), names.join(", ")))
        })
    }

    /// Name in URL, flags and JSON.
    pub fn name(self) -> &'static str {
        QUESTIONS[self.0].name
    }

    /// The question as a person asks it.
    pub fn title(self) -> &'static str {
        QUESTIONS[self.0].title
    }

    /// Whether the answer to it is yes for a string.
    pub fn answer(self, string: Letters) -> bool {
        (QUESTIONS[self.0].of)(string)
    }

    /// `<s> string >`, and the answer to predict.
    pub fn example(self, string: Letters) -> Example {
        let mut tokens = rules::prompt(string);
        tokens.push(ANSWERS[usize::from(self.answer(string))]);
        Example { tokens, answer: 1 }
    }

    /// A string to which the answer is yes as often as no.
    pub fn draw(self, rng: &mut impl rand::Rng) -> Letters {
        use rand::RngExt;
        let wanted = rng.random::<bool>();
        loop {
            let string =
                if self.name() == "sorted" && wanted { rules::sorted(rules::draw(rng)) } else { rules::draw(rng) };
            if self.answer(string) == wanted {
                return string;
            }
        }
    }

    /// The strings kept for evaluation: the same for every run and device.
    pub fn held_out(self) -> Vec<Letters> {
        let mut rng = stream(0, &format!("question {} held out", self.name()));
        let mut strings: Vec<Letters> = Vec::with_capacity(HELD_OUT);
        while strings.len() < HELD_OUT {
            let string = self.draw(&mut rng);
            if !strings.contains(&string) {
                strings.push(string);
            }
        }
        strings
    }

    /// Chance, the commoner answer, and logistic regression on which letter stands where.
    pub fn baselines(self) -> Baselines {
        const TRAINING: usize = 1024;
        const STEPS: usize = 40;
        let held_out = self.held_out();
        let mut rng = stream(0, "questions baseline");
        let training: Vec<Letters> =
            std::iter::repeat_with(|| self.draw(&mut rng)).filter(|s| !held_out.contains(s)).take(TRAINING).collect();
        let rows: Vec<baseline::Features> = training.iter().map(places).collect();
        let answers: Vec<usize> = training.iter().map(|s| usize::from(self.answer(*s))).collect();
        let model = baseline::Softmax::fit(&rows, &answers, LENGTH * ALPHABET, 2, 1.0, STEPS);
        let share = |right: &dyn Fn(&Letters) -> bool| {
            held_out.iter().filter(|s| right(s)).count() as f64 / held_out.len() as f64
        };
        let yes = share(&|s| self.answer(*s));
        let bag_of_words = share(&|s| (model.predict(&places(s)) == 1) == self.answer(*s));
        Baselines { chance: 0.5, majority: yes.max(1.0 - yes), bag_of_words }
    }
}

/// Which letter stands in each place.
fn places(string: &Letters) -> baseline::Features {
    string.iter().enumerate().map(|(i, c)| ((i * ALPHABET) as u32 + u32::from(*c), 1.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_answered_as_they_say() {
        let ask =
            |name: &str, string: &str| Question::parse(name).unwrap().answer(rules::parse_string(string).unwrap());
        assert!(ask("rises", "abcd") && !ask("rises", "dbca") && !ask("rises", "abca"));
        assert!(ask("vowel-first", "ebcd") && !ask("vowel-first", "bead"));
        assert!(ask("has-vowel", "bcdi") && !ask("has-vowel", "bcdf"));
        assert!(ask("repeats", "abca") && !ask("repeats", "abcd"));
        assert!(ask("sorted", "aabp") && !ask("sorted", "abac"));
        assert!(Question::parse("why").unwrap_err().message.contains("vowel-first"));
    }

    #[test]
    fn yes_is_as_common_as_no() {
        for question in Question::all() {
            let strings = question.held_out();
            let yes = strings.iter().filter(|s| question.answer(**s)).count();
            assert!((200..=312).contains(&yes), "{}: {yes}", question.name());
            let example = question.example(strings[0]);
            assert_eq!((example.tokens.len(), example.answer), (LENGTH + 3, 1));
        }
    }

    #[test]
    fn a_baseline_reads_single_letters_but_no_repetition() {
        let of = |name: &str| Question::parse(name).unwrap().baselines().bag_of_words;
        assert!(of("vowel-first") > 0.98);
        assert!(of("repeats") < 0.7);
    }
}
