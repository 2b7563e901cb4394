//! A batch of token ids.

use super::Text;

/// Token ids of a batch, padded at the right: `[sequences, length]`.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Row by row, `sequences × length` of them.
    pub ids: Vec<i32>,
    /// Rows.
    pub sequences: usize,
    /// Tokens of each row, padding included.
    pub length: usize,
}

impl Tokens {
    /// Texts of different lengths as one batch, and the place of each one's last token.
    pub fn padded<T: AsRef<[u32]>>(texts: &[T]) -> (Tokens, Vec<usize>) {
        let longest = texts.iter().map(|text| text.as_ref().len()).max().unwrap_or(0);
        let mut tokens = Tokens { ids: Vec::new(), sequences: texts.len(), length: longest };
        let mut rows = Vec::new();
        for (i, text) in texts.iter().enumerate() {
            let text = text.as_ref();
            rows.push(i * longest + text.len() - 1);
            tokens.ids.extend(text.iter().map(|t| *t as i32));
            tokens.ids.resize((i + 1) * longest, 0);
        }
        (tokens, rows)
    }

    /// With the tokens of a discrete prompt in each sequence.
    pub(super) fn with_text(&self, text: Option<&Text>) -> Tokens {
        let Some(Text { tokens, after }) = text.filter(|text| text.after <= self.length && self.length > 0) else {
            return self.clone();
        };
        let ids =
            self.ids.chunks(self.length).flat_map(|s| s[..*after].iter().chain(tokens).chain(&s[*after..]).copied());
        Tokens { ids: ids.collect(), sequences: self.sequences, length: self.length + tokens.len() }
    }
}
