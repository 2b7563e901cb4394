//! Patterns of Python's `re` in `adapter_config.json`: those that are read here, those that only Python reads, and those
//! that nobody can read.

use regex_lite::Regex;
use std::iter::Peekable;
use std::str::Chars;

/// Why a pattern is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// Python cannot read it either: what is wrong and where, as the end of a sentence.
    Broken(String),
    /// Python reads it, and no regular expression does: what it does, behind “a pattern that”.
    Beyond(&'static str),
}

/// A pattern that stands in `text`, with what PEFT puts around it.
///
/// # Errors
/// Where `text` is broken, or has a form that is not read here.
pub fn pattern(text: &str, around: impl Fn(&str) -> String) -> Result<Regex, Unread> {
    let beyond = scan(text).map_err(Unread::Broken)?;
    match (beyond, Regex::new(&around(text))) {
        (Some(form), _) => Err(Unread::Beyond(form)),
        (None, Ok(regex)) => Ok(regex),
        (None, Err(_)) => Err(Unread::Beyond("has a form of Python's own")),
    }
}

/// What a repetition would stand behind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Item,
    Repeated,
    /// A repetition with its `?` or `+`.
    Done,
}

/// Letters that have a meaning behind a backslash, outside of a class.
const ESCAPES: &str = "AbBdDsSwWZafnrtvxuUN";

/// Goes through a pattern as Python's parser does: the first fault, or what no regular expression can do.
fn scan(text: &str) -> Result<Option<&'static str>, String> {
    let mut scan = Scan { rest: text.chars().peekable(), at: 0, beyond: None };
    let mut open = Vec::new();
    let mut before = Before::Nothing;
    while let Some(c) = scan.next() {
        let at = scan.at;
        before = match c {
            '\\' => scan.escape(at, ESCAPES)?,
            '[' => scan.class(at)?,
            '(' => match scan.group(at)? {
                true => {
                    open.push((at, before));
                    Before::Nothing
                }
                // A remark or flags: what stood before may still be repeated.
                false => before,
            },
            ')' => {
                open.pop().ok_or_else(|| format!("the ) at character {at} closes nothing"))?;
                Before::Item
            }
            '*' | '+' | '?' => scan.repetition(c, at, before)?,
            '{' if scan.counts(at)? => scan.repetition('{', at, before)?,
            '|' | '^' | '$' => Before::Nothing,
            _ => Before::Item,
        };
    }
    match open.last() {
        Some((at, _)) => Err(format!("the ( at character {at} is not closed")),
        None => Ok(scan.beyond),
    }
}

struct Scan<'a> {
    rest: Peekable<Chars<'a>>,
    /// Characters read; a character's own place, from 1, once it is read.
    at: usize,
    beyond: Option<&'static str>,
}

impl Scan<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        self.at += 1;
        Some(c)
    }

    fn eat(&mut self, c: char) -> bool {
        let there = self.rest.peek() == Some(&c);
        if there {
            self.next();
        }
        there
    }

    /// Behind a backslash at this place.
    fn escape(&mut self, at: usize, known: &str) -> Result<Before, String> {
        let c = self.next().ok_or_else(|| format!("it ends in a backslash, at character {at}"))?;
        match c {
            'A' | 'b' | 'B' | 'Z' if known == ESCAPES => return Ok(Before::Nothing),
            '1'..='9' if known == ESCAPES => self.beyond = self.beyond.or(Some(REFERS_BACK)),
            c if c.is_ascii_alphabetic() && !known.contains(c) => {
                return Err(format!("\\{c} at character {at} has no meaning"));
            }
            _ => {}
        }
        Ok(Before::Item)
    }

    /// Behind a bracket at this place.
    fn class(&mut self, at: usize) -> Result<Before, String> {
        let unclosed = || format!("the [ at character {at} is not closed");
        self.eat('^');
        // The last single character, and whether a dash follows it.
        let (mut first, mut last, mut dash) = (true, None, false);
        loop {
            let c = self.next().ok_or_else(unclosed)?;
            let here = self.at;
            let single = match c {
                ']' if !first => return Ok(Before::Item),
                '-' if !first && last.is_some() && !dash && self.rest.peek() != Some(&']') => {
                    dash = true;
                    continue;
                }
                '\\' => {
                    let next = self.rest.peek().copied();
                    self.escape(here, "bdDsSwWafnrtvxuUN").map_err(|e| if next.is_none() { unclosed() } else { e })?;
                    next.filter(|c| !c.is_ascii_alphanumeric())
                }
                c => Some(c),
            };
            if let (true, Some(from), Some(to)) = (dash, last, single)
                && from > to
            {
                return Err(format!("the range {from}-{to} at character {here} runs backwards"));
            }
            // What ends a range begins none.
            last = single.filter(|_| !dash);
            (first, dash) = (false, false);
        }
    }

    /// Behind a parenthesis at this place: whether it opens a group that has to be closed.
    fn group(&mut self, at: usize) -> Result<bool, String> {
        if !self.eat('?') {
            return Ok(true);
        }
        let unknown = || format!("what follows the (? at character {at} has no meaning");
        match self.next().ok_or_else(|| format!("the ( at character {at} is not closed"))? {
            ':' => {}
            '>' => self.beyond = self.beyond.or(Some("holds on to what it has matched")),
            '=' | '!' => self.beyond = Some(LOOKS_AROUND),
            '<' if self.eat('=') || self.eat('!') => self.beyond = Some(LOOKS_AROUND),
            '(' => {
                self.beyond = self.beyond.or(Some(REFERS_BACK));
                self.until(')').ok_or_else(unknown)?;
            }
            'P' if self.eat('<') => {
                let name = self.until('>').ok_or_else(unknown)?;
                if !is_name(&name) {
                    return Err(format!("the name of the group at character {at} is none"));
                }
            }
            'P' if self.eat('=') => {
                self.beyond = self.beyond.or(Some(REFERS_BACK));
                self.until(')').ok_or_else(unknown)?;
                return Ok(false);
            }
            '#' => {
                self.until(')').ok_or_else(|| format!("the remark at character {at} is not closed"))?;
                return Ok(false);
            }
            c if "aiLmsux-".contains(c) => loop {
                match self.next() {
                    Some(')') => return Ok(false),
                    Some(':') => break,
                    Some(c) if "aiLmsux-".contains(c) => {}
                    _ => return Err(unknown()),
                }
            },
            _ => return Err(unknown()),
        }
        Ok(true)
    }

    fn until(&mut self, end: char) -> Option<String> {
        let mut text = String::new();
        loop {
            match self.next()? {
                c if c == end => return Some(text),
                c => text.push(c),
            }
        }
    }

    /// Whether numbers in braces follow; other braces are letters.
    fn counts(&mut self, at: usize) -> Result<bool, String> {
        let inside: String = self.rest.clone().take_while(|c| *c != '}').collect();
        let closed = self.rest.clone().nth(inside.chars().count()) == Some('}');
        let (from, to) = inside.split_once(',').unwrap_or((&inside, &inside));
        let is_number = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        if !closed || inside.is_empty() || !is_number(from) || !is_number(to) {
            return Ok(false);
        }
        if let (Ok(from), Ok(to)) = (from.parse::<u64>(), to.parse::<u64>())
            && from > to
        {
            return Err(format!("{{{inside}}} at character {at} runs backwards"));
        }
        self.until('}');
        Ok(true)
    }

    fn repetition(&mut self, sign: char, at: usize, before: Before) -> Result<Before, String> {
        match before {
            Before::Item => Ok(Before::Repeated),
            Before::Repeated if sign == '?' => Ok(Before::Done),
            Before::Repeated if sign == '+' => {
                self.beyond = self.beyond.or(Some("holds on to what it has matched"));
                Ok(Before::Done)
            }
            Before::Nothing => Err(format!("there is nothing that the {sign} at character {at} could repeat")),
            _ => Err(format!("the {sign} at character {at} repeats a repetition")),
        }
    }
}

const LOOKS_AROUND: &str = "looks around";
const REFERS_BACK: &str = "refers back to what it has matched";

fn is_name(text: &str) -> bool {
    text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unread(text: &str) -> Option<Unread> {
        pattern(text, |text| format!("^(?:{text})$")).err()
    }

    /// What `re.compile` of Python 3.13 says of the same: each is an error there.
    #[test]
    fn a_pattern_that_python_cannot_read_is_told_with_its_place() {
        for (text, said) in [
            (r".*\.[qv_proj", "the [ at character 5 is not closed"),
            (r"[", "the [ at character 1 is not closed"),
            (r"[]", "the [ at character 1 is not closed"),
            (r"[^]a", "the [ at character 1 is not closed"),
            (r"[a\", "the [ at character 1 is not closed"),
            (r"(q|(v)_proj", "the ( at character 1 is not closed"),
            (r"(?", "the ( at character 1 is not closed"),
            (r"(q|v))_proj", "the ) at character 6 closes nothing"),
            (r"*_proj", "there is nothing that the * at character 1 could repeat"),
            (r"q|+", "there is nothing that the + at character 3 could repeat"),
            (r"^?", "there is nothing that the ? at character 2 could repeat"),
            (r"({2})", "there is nothing that the { at character 2 could repeat"),
            (r"a**", "the * at character 3 repeats a repetition"),
            (r"a+?*", "the * at character 4 repeats a repetition"),
            (r"a{2}{3}", "the { at character 5 repeats a repetition"),
            (r"a{3,2}", "{3,2} at character 2 runs backwards"),
            (r"[z-a]", "the range z-a at character 4 runs backwards"),
            (r"fc\q", r"\q at character 3 has no meaning"),
            (r"fc\", "it ends in a backslash, at character 3"),
            (r"(?q)a", "what follows the (? at character 1 has no meaning"),
            (r"(?P<1>a)", "the name of the group at character 1 is none"),
            (r"é(?#never", "the remark at character 2 is not closed"),
        ] {
            assert_eq!(unread(text), Some(Unread::Broken(said.into())), "{text}");
        }
    }

    /// And each of these compiles there.
    #[test]
    fn a_pattern_that_only_python_reads_is_told_by_what_it_does() {
        for (text, said) in [
            (r"(?!model).*q_proj", LOOKS_AROUND),
            (r".*(?<=layers\.1\.self_attn)\.q_proj", LOOKS_AROUND),
            (r"(.)\1", REFERS_BACK),
            (r"(?P<a>.)(?P=a)", REFERS_BACK),
            (r"(q)?(?(1)a|b)", REFERS_BACK),
            (r"a++", "holds on to what it has matched"),
            (r"(?>q|v)_proj", "holds on to what it has matched"),
            (r"a{,3}", "has a form of Python's own"),
        ] {
            assert_eq!(unread(text), Some(Unread::Beyond(said)), "{text}");
        }
    }

    #[test]
    fn what_both_read_is_read() {
        for text in [
            r".*\.(q|v)_proj",
            r"[]a]",
            r"[^]]+",
            r"[a-z0-9_-]*?",
            r"[\w.-]+",
            r"h\.[01]\.mlp\.c_(fc|proj)",
            r"(?:a|b){1,2}?",
            r"(?i)Q_PROJ",
            r"",
            r"a|",
            r"(?P<idx>\d+)\.",
        ] {
            assert_eq!(unread(text), None, "{text}");
        }
    }
}
