//! Free text that θ alone and θ ⊕ λφ go on with, side by side.

use super::Trainer;
use crate::protocol::{Around, Ended, NextToken, Voice, Writing};

/// The dialog of free text: what is typed, and what is written.
#[derive(Clone, Debug, PartialEq)]
pub struct FreeText {
    /// Whether it is shown.
    pub open: bool,
    /// How the text begins, as it is typed.
    pub text: String,
    /// As it is typed.
    pub temperature: String,
    /// As it is typed.
    pub top_k: String,
    /// As it is typed.
    pub tokens: String,
    /// What is put around the text, where its visitor has chosen.
    pub around: Option<Around>,
    /// Why that cannot be gone on with.
    pub fault: Option<String>,
    /// How the text began that is gone on with.
    pub given: String,
    /// Whose φ writes, in words.
    pub by: String,
    /// What θ alone wrote, and θ with φ.
    pub columns: [Column; 2],
    /// The run whose φ writes, and the worker that holds it, while it does.
    pub(in crate::ui::state) under_way: Option<(u32, Trainer)>,
    /// Texts that were asked for: each is drawn by another seed.
    pub(in crate::ui::state) asked: u64,
}

/// What one of both wrote.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Column {
    /// Behind the given text.
    pub text: String,
    /// Tokens of it.
    pub tokens: usize,
    /// What may come next, the likeliest first.
    pub next: Vec<NextToken>,
    /// Milliseconds that it took.
    pub ms: f64,
    /// Why it has ended.
    pub ended: Option<Ended>,
}

/// A part of the dialog that is edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FreeTextField {
    /// How the text begins.
    Text,
    /// 0 takes the likeliest.
    Temperature,
    /// Of how many likeliest tokens one is drawn; 0 for all.
    TopK,
    /// Tokens to write at most.
    Tokens,
}

/// What a visitor does in the dialog.
#[derive(Clone, Debug, PartialEq)]
pub enum FreeTexting {
    /// Shows it, or hides it, which ends what is being written.
    Open(bool),
    /// Edits a part.
    Edit(FreeTextField, String),
    /// Chooses what is put around the text.
    Around(Around),
    /// Goes on with the text.
    Write,
    /// Ends that.
    Stop,
}

/// The most tokens that are written at a time.
const MOST: usize = 2048;

impl Default for FreeText {
    fn default() -> FreeText {
        FreeText {
            open: false,
            text: String::new(),
            temperature: "0.8".into(),
            top_k: "40".into(),
            tokens: "60".into(),
            around: None,
            fault: None,
            given: String::new(),
            by: String::new(),
            columns: Default::default(),
            under_way: None,
            asked: 0,
        }
    }
}

impl FreeText {
    /// Whether something is being written.
    pub fn writes(&self) -> bool {
        self.under_way.is_some()
    }

    /// What the trainer is asked for.
    ///
    /// # Errors
    /// A sentence, where a number is none.
    pub(in crate::ui::state) fn writing(&self, around: Around, lambda: f64) -> Result<Writing, String> {
        let temperature = self.temperature.trim().parse().ok().filter(|t: &f64| (0.0..=5.0).contains(t));
        let top_k = self.top_k.trim().parse().ok();
        let tokens = self.tokens.trim().parse().ok().filter(|n: &usize| (1..=MOST).contains(n));
        Ok(Writing {
            text: self.text.clone(),
            around,
            lambda,
            temperature: temperature.ok_or("The temperature is a number from 0 to 5.")?,
            top_k: top_k.ok_or("Top-k is a whole number; 0 stands for all tokens.")?,
            tokens: tokens.ok_or_else(|| format!("Tokens are a whole number from 1 to {MOST}."))?,
            seed: self.asked,
        })
    }
}

impl Column {
    /// The column of one of both.
    pub(in crate::ui::state) fn place(which: Voice) -> usize {
        usize::from(which == Voice::Adapted)
    }

    /// How many tokens, how fast, and why it ended.
    pub fn told(&self) -> Option<String> {
        let why = match self.ended {
            Some(Ended::End) => ", ended by itself",
            Some(Ended::Tokens) => ", as many as asked for",
            Some(Ended::Context) => ": the context is full",
            Some(Ended::Stopped) => ", stopped",
            None => "",
        };
        let speed = 1000.0 * self.tokens as f64 / self.ms;
        let speed = match self.tokens {
            0 => String::new(),
            _ if speed >= 10.0 => format!(" · {speed:.0} a second"),
            _ => format!(" · {speed:.1} a second"),
        };
        let s = if self.tokens == 1 { "" } else { "s" };
        (self.ms > 0.0).then(|| format!("{} token{s}{speed}{why}", self.tokens))
    }
}

/// A token's text with its blanks and line breaks made visible.
pub fn visible(token: &str) -> String {
    let shown = |c: char| match c {
        ' ' => '␣',
        '\n' => '⏎',
        '\t' => '⇥',
        c if c.is_control() => '␦',
        c => c,
    };
    token.chars().map(shown).collect()
}
