//! A text to ids, and ids back to a text.

use super::ChatTemplate;
use super::added::{AddedTokens, Part};
use super::bpe::Bpe;
use super::cut::{Cut, cut};
use super::normal::{Metaspace, Normal, normal};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// A tokenizer, ready to use.
#[derive(Clone, Debug)]
pub struct Tokenizer {
    /// Tokens as the file writes them.
    pub(super) ids: HashMap<String, u32>,
    /// What each id stands for in a text.
    pub(super) bytes: Vec<Vec<u8>>,
    /// Tokens that the file puts in front of every text, such as OPT's `</s>`.
    pub(super) begin: Vec<u32>,
    /// Tokens that end a text, the model's own first.
    pub(crate) ends: Vec<u32>,
    /// Tokens that are found in a text before anything else, such as `<s>`.
    pub(super) added: AddedTokens,
    /// What is done to the text between them.
    pub(super) normal: Vec<Normal>,
    /// Tokens that are found in what comes of that.
    pub(super) added_to_normal: AddedTokens,
    pub(super) kind: Kind,
    /// How messages of a chat are put together, where the model's file says it.
    pub(super) chat: Option<ChatTemplate>,
}

/// How a text becomes tokens.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Pairs are merged, within pieces.
    Merged(Box<Merged>),
    /// Each character is a token, or the one that stands for what the vocabulary lacks.
    Characters { unknown: u32 },
}

/// Byte-pair encoding, and what is done around it.
#[derive(Clone, Debug)]
pub(super) struct Merged {
    /// Blanks as marks, before a text is cut.
    pub metaspace: Option<Metaspace>,
    /// Where merges end.
    pub cuts: Vec<Cut>,
    pub bpe: Bpe,
    /// For `ignore_merges`, by which a piece that is a token needs no merges.
    pub whole: Option<Whole>,
    /// Blanks in front of a text that are none of it: the mark that was put there.
    pub strip: usize,
}

/// How a piece is looked up as it is.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    /// The characters that stand for bytes; `None` where the file writes texts.
    pub characters: Option<[char; 256]>,
    /// Ids that no piece has, because they were only added.
    pub only_added: HashSet<u32>,
}

impl Tokenizer {
    /// Tokens that belong in front of every text, by the file's post-processor; [`encode`](Self::encode)
    /// leaves them away.
    pub fn begin(&self) -> &[u32] {
        &self.begin
    }

    /// How messages of a chat are put together; `None` where the model's file does not say it.
    pub fn chat(&self) -> Option<&ChatTemplate> {
        self.chat.as_ref()
    }

    /// The same with another way.
    #[cfg(all(test, not(target_arch = "wasm32")))]
    pub fn set_chat(&mut self, chat: ChatTemplate) {
        self.chat = Some(chat);
    }

    /// The token by which a model ends what it writes, where the vocabulary has one.
    pub fn end(&self) -> Option<u32> {
        self.ends.first().copied()
    }

    /// What its files call the end comes first.
    pub(super) fn ends_first_by(&mut self, end: Option<u32>) {
        if let Some(end) = end {
            self.ends.retain(|other| *other != end);
            self.ends.insert(0, end);
        }
    }

    /// Every token that ends a text: a chat ends by another one than a document.
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Token ids of a text; nothing is put in front or behind. Nearly every text has some: bytes are tokens of
    /// their own, and a character that `rules` does not know becomes its unknown token. A vocabulary may lack
    /// control characters.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut out = Vec::new();
        self.parts(text, |part| match part {
            Part::Added(id) => out.push(id),
            Part::Plain(text) => match &self.kind {
                Kind::Merged(merged) => cut(text, &merged.cuts, &mut |piece| self.merge(merged, piece, &mut out)),
                Kind::Characters { unknown } => {
                    out.extend(characters(text).map(|c| self.token_to_id(c).unwrap_or(*unknown)));
                }
            },
        });
        out
    }

    /// How many of some texts have more than so many tokens. Each of their pieces is merged once, so that a
    /// table of many megabytes is counted while its visitor looks at it.
    pub fn longer<'t>(&self, texts: impl IntoIterator<Item = &'t str>, than: usize) -> usize {
        // Longer pieces seldom come again.
        const REMEMBERED: usize = 64;
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut ids = Vec::new();
        let mut length = |text: &str| {
            let mut n = 0;
            self.parts(text, |part| match (part, &self.kind) {
                (Part::Added(_), _) => n += 1,
                (Part::Plain(text), Kind::Characters { .. }) => n += characters(text).count(),
                (Part::Plain(text), Kind::Merged(merged)) => cut(text, &merged.cuts, &mut |piece| {
                    n += known.get(piece).copied().unwrap_or_else(|| {
                        ids.clear();
                        self.merge(merged, piece, &mut ids);
                        if piece.len() <= REMEMBERED {
                            known.insert(piece.into(), ids.len());
                        }
                        ids.len()
                    });
                }),
            });
            n
        };
        // No token is shorter than a byte, and only some normalizers make a text longer.
        let grows = !self.normal.is_empty() || matches!(&self.kind, Kind::Merged(merged) if merged.metaspace.is_some());
        texts.into_iter().filter(|text| (grows || text.len() > than) && length(text) > than).count()
    }

    /// Hands on added tokens and what is between them, normalized.
    fn parts(&self, text: &str, mut part: impl FnMut(Part<'_>)) {
        let metaspace = match &self.kind {
            Kind::Merged(merged) => merged.metaspace,
            Kind::Characters { .. } => None,
        };
        self.added.split(text, |outer, first| match outer {
            Part::Added(_) => part(outer),
            Part::Plain(text) => self.added_to_normal.split(&normal(text, &self.normal), |inner, begins| match inner {
                Part::Plain(text) => {
                    let marked = metaspace.map(|m| m.mark(text, first && begins));
                    part(Part::Plain(&marked.map_or(Cow::Borrowed(text), Cow::Owned)));
                }
                Part::Added(_) => part(inner),
            }),
        });
    }

    /// Appends the ids of a piece.
    fn merge(&self, merged: &Merged, piece: &str, out: &mut Vec<u32>) {
        match merged.whole.as_ref().and_then(|whole| self.whole(whole, piece)) {
            Some(id) => out.push(id),
            None => merged.bpe.encode(piece, out),
        }
    }

    /// The token that a piece is.
    fn whole(&self, whole: &Whole, piece: &str) -> Option<u32> {
        let id = match &whole.characters {
            Some(of) => self.token_to_id(&piece.bytes().map(|b| of[b as usize]).collect::<String>()),
            None => self.token_to_id(piece),
        };
        id.filter(|id| !whole.only_added.contains(id))
    }

    /// The text of some tokens, special ones such as `<s>` included. Bytes that are no UTF-8, and ids that
    /// are no token, show as `�`. The blank that some tokenizers put in front of a text is left away.
    pub fn decode(&self, tokens: &[u32]) -> String {
        let mut text = self.decode_on(tokens);
        if let Kind::Merged(merged) = &self.kind {
            let blanks = text.bytes().take(merged.strip).take_while(|b| *b == b' ').count();
            text.drain(..blanks);
        }
        text
    }

    /// The same of tokens behind others: a blank in front of them is theirs.
    pub fn decode_on(&self, tokens: &[u32]) -> String {
        let unknown = "\u{fffd}".as_bytes();
        let bytes_of = |id: &u32| self.bytes.get(*id as usize).map_or(unknown, Vec::as_slice);
        let by_byte = match &self.kind {
            Kind::Merged(merged) if !merged.bpe.characters.is_empty() => &merged.bpe.bytes,
            _ => {
                return String::from_utf8_lossy(&tokens.iter().flat_map(bytes_of).copied().collect::<Vec<u8>>()).into();
            }
        };
        // Here some tokens are texts and some are bytes. Bytes in a row are a text together, or none of them is,
        // as Hugging Face decodes them.
        let is_byte = |id: &u32| matches!(bytes_of(id), [b] if by_byte[*b as usize] == Some(*id));
        let mut text = String::new();
        for run in tokens.chunk_by(|one, next| is_byte(one) == is_byte(next)) {
            let bytes: Vec<u8> = run.iter().flat_map(bytes_of).copied().collect();
            match String::from_utf8(bytes) {
                Ok(run) => text.push_str(&run),
                Err(_) => text.extend(run.iter().map(|_| '\u{fffd}')),
            }
        }
        text
    }

    /// The id of a token as the file writes it (`Ġthe`, `<s>`).
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        self.ids.get(token).copied()
    }

    /// Tokens in all, added ones included; every id is below it.
    pub fn vocab_size(&self) -> usize {
        self.bytes.len()
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
    fn a_text_ends_by_the_tokens_that_are_called_so() {
        assert_eq!(shipped("prose-nano").end(), Some(0));
        assert_eq!((shipped("rules").end(), shipped("rules").ends()), (None, &[][..]));
        let ended = |added: &str| {
            let tokenizer = r#"{"model": {"type": "WordLevel", "vocab": {"a": 0, "u": 1}, "unk_token": "u"}, "added_tokens": [ADDED],
                "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "."}, "behavior": "Isolated", "invert": false},
                "decoder": {"type": "Fuse"}}"#;
            Tokenizer::from_json(&tokenizer.replace("ADDED", added)).unwrap().ends().to_vec()
        };
        let [document, chat] = [(2, "</s>"), (3, "<|im_end|>")].map(|(id, token)| {
            format!(r#"{{"id": {id}, "content": "{token}", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}}"#)
        });
        assert_eq!(ended(&document), [2]);
        // The end of a chat comes first, wherever it stands.
        assert_eq!(ended(&format!("{document}, {chat}")), [3, 2]);
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
