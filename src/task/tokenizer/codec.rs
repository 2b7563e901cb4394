//! A text to ids, and ids back to a text.

use super::bpe::Bpe;
use super::byte_level;
use std::collections::HashMap;

/// A tokenizer, ready to use.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    /// Tokens as the file writes them.
    pub(super) ids: HashMap<String, u32>,
    /// What each id stands for in a text.
    pub(super) bytes: Vec<Vec<u8>>,
    /// Tokens that the file puts in front of every text, such as OPT's `</s>`.
    pub(super) begin: Vec<u32>,
    /// Tokens that are found in a text before anything else, such as `<s>`, the longest first; none is empty.
    pub(super) added: Vec<(String, u32)>,
    pub(super) kind: Kind,
}

/// How a text becomes tokens.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Pairs of bytes are merged, within pieces that [`pieces`](byte_level::pieces) cuts.
    ByteLevel(Box<Bpe>),
    /// Each character is a token, or the one that stands for what the vocabulary lacks.
    Characters { unknown: u32 },
}

/// What a text is cut into before anything else.
enum Part<'t> {
    Plain(&'t str),
    Added(u32),
}

impl Tokenizer {
    /// Tokens that belong in front of every text, by the file's post-processor; [`encode`](Self::encode)
    /// leaves them away.
    pub fn begin(&self) -> &[u32] {
        &self.begin
    }

    /// Token ids of a text; nothing is put in front or behind. Every text has some: bytes are tokens of their
    /// own, and a character that `rules` does not know becomes its unknown token.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut out = Vec::new();
        self.parts(text, |part| match part {
            Part::Added(id) => out.push(id),
            Part::Plain(text) => self.encode_plain(text, &mut out),
        });
        out
    }

    /// How many of some texts have more than so many tokens. Each of their pieces is merged once, so that a
    /// table of many megabytes is counted while its visitor looks at it.
    pub fn longer<'t>(&self, texts: impl IntoIterator<Item = &'t str>, than: usize) -> usize {
        let mut known: HashMap<&str, usize> = HashMap::new();
        let mut merged = Vec::new();
        let mut length = |text: &'t str| {
            let mut n = 0;
            self.parts(text, |part| match (part, &self.kind) {
                (Part::Added(_), _) => n += 1,
                (Part::Plain(text), Kind::Characters { .. }) => n += characters(text).count(),
                (Part::Plain(text), Kind::ByteLevel(bpe)) => {
                    n += byte_level::pieces(text)
                        .map(|piece| {
                            *known.entry(piece).or_insert_with(|| {
                                merged.clear();
                                bpe.encode(piece, &mut merged);
                                merged.len()
                            })
                        })
                        .sum::<usize>();
                }
            });
            n
        };
        // No token is shorter than a byte.
        texts.into_iter().filter(|text| text.len() > than && length(text) > than).count()
    }

    /// Hands on added tokens and what is between them.
    fn parts<'t>(&self, text: &'t str, mut part: impl FnMut(Part<'t>)) {
        // Where the text after the last added token begins.
        let mut begin = 0;
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            match self.added.iter().find(|(token, _)| text[at..].starts_with(token)) {
                Some((token, id)) => {
                    part(Part::Plain(&text[begin..at]));
                    part(Part::Added(*id));
                    at += token.len();
                    begin = at;
                }
                None => at += c.len_utf8(),
            }
        }
        part(Part::Plain(&text[begin..]));
    }

    /// The text of some tokens, special ones such as `<s>` included. Bytes that are no UTF-8, and ids that
    /// are no token, show as `�`.
    pub fn decode(&self, tokens: &[u32]) -> String {
        let unknown = "\u{fffd}".as_bytes();
        let bytes: Vec<u8> =
            tokens.iter().flat_map(|id| self.bytes.get(*id as usize).map_or(unknown, Vec::as_slice)).copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The id of a token as the file writes it (`Ġthe`, `<s>`).
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        self.ids.get(token).copied()
    }

    /// Tokens in all, added ones included; every id is below it.
    pub fn vocab_size(&self) -> usize {
        self.bytes.len()
    }

    fn encode_plain(&self, text: &str, out: &mut Vec<u32>) {
        match &self.kind {
            Kind::ByteLevel(bpe) => byte_level::pieces(text).for_each(|piece| bpe.encode(piece, out)),
            Kind::Characters { unknown } => {
                out.extend(characters(text).map(|c| self.token_to_id(c).unwrap_or(*unknown)));
            }
        }
    }
}

/// Cuts at every match of the regular expression `.`, which a line break is not: some of these in a row stay
/// together.
fn characters(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = match first {
            '\n' => rest.len() - rest.trim_start_matches('\n').len(),
            c => c.len_utf8(),
        };
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped(base: &str) -> Tokenizer {
        let path = format!("{}/www/models/{base}/tokenizer.json", env!("CARGO_MANIFEST_DIR"));
        Tokenizer::from_json(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    #[derive(serde::Deserialize)]
    struct Fixture {
        text: String,
        ids: Vec<u32>,
    }

    /// Ids made by Hugging Face's `tokenizers` (`tools/fixtures/make.py`).
    #[test]
    fn texts_are_counted_that_are_longer_than_a_number_of_tokens() {
        for base in ["prose-nano", "rules"] {
            let tokenizer = shipped(base);
            let texts = ["", "abca", "a day at the lake, and <s> one more", "don't   stop\n\nné 🙂🙂", "abcdabcdabcd"];
            for than in 0..14 {
                let longer = texts.iter().filter(|text| tokenizer.encode(text).len() > than).count();
                assert_eq!(tokenizer.longer(texts, than), longer, "{base} {than}");
            }
        }
    }

    #[test]
    fn ids_are_those_of_hugging_face() {
        let path = format!("{}/tests/fixtures/tokenizer.json", env!("CARGO_MANIFEST_DIR"));
        let fixtures: HashMap<String, Vec<Fixture>> =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(fixtures.len(), 2);
        for (base, cases) in fixtures {
            let tokenizer = shipped(&base);
            assert!(cases.len() > 20);
            for Fixture { text, ids } in cases {
                assert_eq!(tokenizer.encode(&text), ids, "{base}: {text:?}");
            }
        }
    }

    #[test]
    fn any_text_comes_back_from_bytes() {
        let tokenizer = shipped("prose-nano");
        for text in ["", "It's  a\n\n dog's\tlife…", "naïve 東京 👩‍🔬 x²", "\u{0} \r\n", "a<|endoftext|>b"]
        {
            assert_eq!(tokenizer.decode(&tokenizer.encode(text)), text);
        }
        assert_eq!(tokenizer.vocab_size(), 1024);
        assert_eq!(tokenizer.token_to_id("<|endoftext|>"), Some(0));
        assert_eq!(tokenizer.token_to_id("no such token"), None);
    }

    #[test]
    fn a_rule_is_one_token_per_letter() {
        let tokenizer = shipped("rules");
        assert_eq!(tokenizer.encode("<s>abcd>bcad"), [18, 0, 1, 2, 3, 16, 1, 2, 0, 3]);
        assert_eq!(tokenizer.encode("z\n\né"), [19, 19, 19]);
        assert_eq!(tokenizer.decode(&[18, 0, 16, 15, 17]), "<s>a>p;");
        assert_eq!(tokenizer.vocab_size(), 20);
    }

    #[test]
    fn ids_that_are_no_token_show() {
        assert_eq!(shipped("rules").decode(&[0, 20, u32::MAX, 1]), "a\u{fffd}\u{fffd}b");
        let prose = shipped("prose-nano");
        // The first of three bytes.
        assert_eq!(prose.decode(&prose.encode("東")[..1]), "\u{fffd}");
    }
}
