//! String rules: four letters of sixteen, `abcd>` → `bcad`. The family on which the base `rules` was
//! pretrained, and rules outside it.

use super::Example;
use crate::base::stream;
use crate::base::{Fault, shorten};
use rand::RngExt;
use std::fmt;

/// Letters `a` to `p`; a letter's token is its place.
pub const ALPHABET: usize = 16;
/// Letters of a string.
pub const LENGTH: usize = 4;
/// Token of `>`, between a string and its image.
pub const ARROW: u32 = 16;
/// Token of `;`, behind a demonstration.
pub const SEMICOLON: u32 = 17;
/// Token of `<s>`, in front of every episode.
pub const BOS: u32 = 18;
/// Tokens of the base `rules`: letters, `>`, `;`, `<s>`, `<pad>`.
pub const VOCABULARY: usize = 20;
/// Tokens of an example: `<s>`, the string, `>`, its image.
pub const TOKENS: usize = 2 * LENGTH + 2;
/// Strings kept for evaluation; training never draws them.
pub const HELD_OUT: usize = 512;
/// Primitives in one composition at most.
const MAX_PARTS: usize = 4;

/// Four letters, each from 0 to 15.
pub type Letters = [u8; LENGTH];

/// One step of a rule.
struct Primitive {
    name: &'static str,
    apply: fn(Letters) -> Letters,
    /// Whether the base was pretrained on it.
    known: bool,
}

/// A secret alphabet: nothing in the base knows it. A fixed shuffle of the sixteen letters.
pub(crate) const CIPHER: Letters16 = [3, 14, 7, 9, 13, 11, 4, 5, 12, 8, 1, 0, 15, 6, 2, 10];
type Letters16 = [u8; ALPHABET];

pub(super) fn sorted(mut s: Letters) -> Letters {
    s.sort_unstable();
    s
}

fn reversed(mut s: Letters) -> Letters {
    s.reverse();
    s
}

fn shifted(s: Letters, by: u8) -> Letters {
    s.map(|c| (c + by) % ALPHABET as u8)
}

const PRIMITIVES: [Primitive; 19] = [
    known("copy", |s| s),
    known("reverse", reversed),
    known("rotate-left", |[a, b, c, d]| [b, c, d, a]),
    known("rotate-right", |[a, b, c, d]| [d, a, b, c]),
    known("swap-ends", |[a, b, c, d]| [d, b, c, a]),
    known("swap-pairs", |[a, b, c, d]| [b, a, d, c]),
    known("first", |[a, ..]| [a; LENGTH]),
    known("last", |[.., d]| [d; LENGTH]),
    known("sort", sorted),
    known("sort-down", |s| reversed(sorted(s))),
    known("max", |s| [sorted(s)[LENGTH - 1]; LENGTH]),
    known("min", |s| [sorted(s)[0]; LENGTH]),
    known("next", |s| shifted(s, 1)),
    known("previous", |s| shifted(s, ALPHABET as u8 - 1)),
    known("plus-3", |s| shifted(s, 3)),
    known("mirror", |s| s.map(|c| ALPHABET as u8 - 1 - c)),
    foreign("cipher", |s| s.map(|c| CIPHER[c as usize])),
    // One rule or another, by the first letter: reversed after a vowel, else sorted.
    foreign("if-vowel", |s| if matches!(s[0], 0 | 4 | 8 | 14) { reversed(s) } else { sorted(s) }),
    // How many letters come after the first, as a letter.
    foreign("count", |s| [s.iter().filter(|c| **c > s[0]).count() as u8; LENGTH]),
];

const fn known(name: &'static str, apply: fn(Letters) -> Letters) -> Primitive {
    Primitive { name, apply, known: true }
}

const fn foreign(name: &'static str, apply: fn(Letters) -> Letters) -> Primitive {
    Primitive { name, apply, known: false }
}

/// Compositions that pretraining shows.
pub const SEEN: [&str; 24] = [
    "first.reverse",
    "rotate-right.previous",
    "rotate-left.max",
    "next.mirror",
    "last.max",
    "sort.next",
    "previous.mirror",
    "min.last",
    "reverse.sort",
    "max.first",
    "first.sort",
    "swap-ends.sort-down",
    "mirror.rotate-right",
    "reverse.mirror",
    "sort.rotate-left",
    "max.min",
    "last.swap-pairs",
    "sort-down.first",
    "sort-down.sort",
    "reverse.rotate-right",
    "swap-pairs.swap-ends",
    "min.sort",
    "min.next",
    "mirror.sort",
];

/// Compositions of which none is ever shown: they judge a base while it is made. Others that it never sees
/// are as good for a task.
#[rustfmt::skip]
pub const UNSEEN: [&str; 30] = [
    "swap-ends.rotate-left", "mirror.reverse", "sort.rotate-right", "next.first", "swap-ends.first",
    "plus-3.rotate-right", "plus-3.sort", "next.sort", "plus-3.mirror", "min.swap-pairs",
    "rotate-left.swap-pairs", "plus-3.last", "swap-ends.min", "previous.rotate-right", "swap-pairs.rotate-right",
    "rotate-left.plus-3", "plus-3.next", "swap-ends.rotate-right", "next.previous", "max.sort-down",
    "sort-down.last", "sort.last", "min.plus-3", "rotate-right.first", "first.rotate-left",
    "previous.next", "rotate-right.rotate-left", "last.min", "plus-3.swap-ends", "last.mirror",
];

/// Rules that the page offers, unseen compositions first.
pub const OFFERED: [&str; 10] = [
    "swap-ends.rotate-left",
    "plus-3.rotate-right",
    "next.sort",
    "mirror.reverse",
    "reverse",
    "sort",
    "next",
    "cipher",
    "count",
    "if-vowel",
];

/// Primitives applied from left to right: `swap-ends.rotate-left`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule(Vec<usize>);

/// What the base knows of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Pretrained on it.
    Known,
    /// A composition of known rules that pretraining never showed.
    Unseen,
    /// Outside the family that the base was trained on.
    Outside,
}

impl Origin {
    /// What the base knows of such a rule, as the end of a sentence.
    pub fn describe(self) -> &'static str {
        match self {
            Origin::Known => "the base knows this rule",
            Origin::Unseen => "a composition the base has never seen",
            Origin::Outside => "outside all the base knows",
        }
    }

    /// Heading of the group in the page's list.
    pub fn title(self) -> &'static str {
        match self {
            Origin::Known => "Known to the base",
            Origin::Unseen => "Never seen",
            Origin::Outside => "Outside its world",
        }
    }
}

impl Default for Rule {
    fn default() -> Self {
        // The composition of the opening scene: swap the ends, then rotate left.
        Rule(vec![4, 2])
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join("."))
    }
}

impl Rule {
    /// Reads `name` or `name.name`, applied from left to right.
    pub fn parse(text: &str) -> Result<Rule, Fault> {
        let parts: Vec<&str> = text.trim().split('.').collect();
        let places: Option<Vec<usize>> = parts.iter().map(|p| PRIMITIVES.iter().position(|k| k.name == *p)).collect();
        match places {
            Some(places) if places.len() <= MAX_PARTS => Ok(Rule(places)),
            _ => {
                let names: Vec<&str> = PRIMITIVES.iter().map(|p| p.name).collect();
                let message = format!(
                    "There is no rule “{}”. A rule is up to {MAX_PARTS} of these, joined by dots: {}.",
                    shorten(text),
                    names.join(", ")
                );
                Err(Fault::new("rule", message))
            }
        }
    }

    fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|p| PRIMITIVES[*p].name).collect()
    }

    /// `swap ends, rotate left`
    pub fn title(&self) -> String {
        self.names().iter().map(|n| n.replace('-', " ")).collect::<Vec<_>>().join(", ")
    }

    /// The image of a string.
    pub fn apply(&self, string: Letters) -> Letters {
        self.0.iter().fold(string, |s, p| (PRIMITIVES[*p].apply)(s))
    }

    /// What the base knows of it.
    pub fn origin(&self) -> Origin {
        if self.0.iter().any(|p| !PRIMITIVES[*p].known) {
            Origin::Outside
        } else if self.0.len() == 1 || SEEN.contains(&self.to_string().as_str()) {
            Origin::Known
        } else {
            Origin::Unseen
        }
    }

    /// `<s> string > image`, the image predicted.
    pub fn example(&self, string: Letters) -> Example {
        let mut tokens = prompt(string);
        tokens.extend(self.apply(string).map(u32::from));
        Example { tokens, answer: LENGTH }
    }
}

/// Names of the single rules that pretraining shows; the first eight move letters, the others change them.
pub fn known_primitives() -> Vec<&'static str> {
    PRIMITIVES.iter().filter(|p| p.known).map(|p| p.name).collect()
}

/// A demonstration: `string > image ;`
pub fn shot(string: Letters, image: Letters) -> Vec<u32> {
    let mut tokens = string.map(u32::from).to_vec();
    tokens.push(ARROW);
    tokens.extend(image.map(u32::from));
    tokens.push(SEMICOLON);
    tokens
}

/// `<s> string >`
pub fn prompt(string: Letters) -> Vec<u32> {
    let mut tokens = vec![BOS];
    tokens.extend(string.map(u32::from));
    tokens.push(ARROW);
    tokens
}

/// Letters as text: `abcd`.
pub fn text(letters: &Letters) -> String {
    letters.iter().map(|c| char::from(b'a' + c)).collect()
}

/// Reads four letters from `a` to `p`; blanks and a closing `>` are forgiven.
pub fn parse_string(input: &str) -> Result<Letters, Fault> {
    let cleaned: String =
        input.trim().trim_end_matches('>').to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    let letters: Vec<u8> = cleaned.bytes().filter(|b| (b'a'..=b'p').contains(b)).map(|b| b - b'a').collect();
    match <Letters>::try_from(letters.as_slice()) {
        Ok(letters) if cleaned.chars().count() == LENGTH => Ok(letters),
        _ => Err(Fault::new("text", format!("Type {LENGTH} letters from a to p, such as “gkam”."))),
    }
}

/// The strings kept for evaluation: the same for every rule, run and device.
pub fn held_out() -> Vec<Letters> {
    let mut rng = stream(0, "rules held out");
    let mut strings: Vec<Letters> = Vec::with_capacity(HELD_OUT);
    while strings.len() < HELD_OUT {
        let s = draw(&mut rng);
        if !strings.contains(&s) {
            strings.push(s);
        }
    }
    strings
}

/// Four letters, uniformly.
pub fn draw(rng: &mut impl rand::Rng) -> Letters {
    std::array::from_fn(|_| rng.random_range(0..ALPHABET as u32) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(rule: &str, string: &str) -> String {
        text(&Rule::parse(rule).unwrap().apply(parse_string(string).unwrap()))
    }

    #[test]
    fn rules_do_what_their_names_say() {
        for (rule, input, output) in [
            ("reverse", "abcd", "dcba"),
            ("swap-ends.rotate-left", "abcd", "bcad"),
            ("plus-3.rotate-right", "abcd", "gdef"),
            ("rotate-right", "abcd", "dabc"),
            ("sort-down", "cadb", "dcba"),
            ("previous", "abcd", "pabc"),
            ("mirror", "abcp", "pona"),
            ("cipher", "abcd", "dohj"),
            ("count", "bacd", "cccc"),
            ("if-vowel", "abdc", "cdba"),
            ("if-vowel", "dbca", "abcd"),
        ] {
            assert_eq!(image(rule, input), output, "{rule}");
        }
    }

    #[test]
    fn the_opening_rule_is_unseen() {
        assert_eq!(Rule::default().to_string(), "swap-ends.rotate-left");
        assert_eq!(Rule::default().origin(), Origin::Unseen);
        assert_eq!(Rule::parse("sort.next").unwrap().origin(), Origin::Known);
        assert_eq!(Rule::parse("cipher").unwrap().origin(), Origin::Outside);
    }

    #[test]
    fn no_composition_is_both_shown_and_kept() {
        for name in UNSEEN {
            assert_eq!(Rule::parse(name).unwrap().origin(), Origin::Unseen, "{name}");
        }
        for name in SEEN {
            assert_eq!(Rule::parse(name).unwrap().origin(), Origin::Known, "{name}");
        }
    }

    #[test]
    fn unknown_rules_are_refused_with_the_names() {
        for rule in ["", "revers", "reverse..sort", "a.b.c.d.e", "copy.copy.copy.copy.copy"] {
            assert!(Rule::parse(rule).unwrap_err().message.contains("rotate-left"), "{rule}");
        }
    }

    #[test]
    fn typed_strings_are_four_letters() {
        assert_eq!(parse_string(" GK am>").unwrap(), [6, 10, 0, 12]);
        for bad in ["", "abc", "abcde", "abcz", "a1cd", "äbcd"] {
            assert!(parse_string(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_example_is_the_prompt_and_the_image() {
        let example = Rule::parse("reverse").unwrap().example([0, 1, 2, 3]);
        assert_eq!(example.tokens, [18, 0, 1, 2, 3, 16, 3, 2, 1, 0]);
        assert_eq!(example.tokens.len(), TOKENS);
    }
}
