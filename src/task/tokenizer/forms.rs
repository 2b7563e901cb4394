//! The parts of `tokenizer.json` that say what is done to a text. `tokenizers` writes one function in several
//! forms: here each of them becomes the same steps, and what these cannot be is refused by its key.

use super::cut::Cut;
use super::error::TokenizerError;
use super::normal::{Front, Metaspace, Normal};
use serde_json::Value;
use std::collections::HashMap;

/// The file's name.
pub(super) const FILE: &str = "tokenizer.json";

/// What a part of the file comes to. A `Sequence` is its steps under the key `list`, and steps that do nothing
/// are left out.
pub(super) fn steps<'a>(value: &'a Value, list: &str, idle: &dyn Fn(&Value) -> bool) -> Vec<&'a Value> {
    match value[list].as_array().filter(|_| value["type"] == "Sequence") {
        Some(all) => all.iter().flat_map(|step| steps(step, list, idle)).collect(),
        None if value.is_null() || idle(value) => Vec::new(),
        None => vec![value],
    }
}

/// What the normalizer does to a text.
pub(super) fn normalizers(value: &Value) -> Result<Vec<Normal>, TokenizerError> {
    let idle = |v: &Value| v["type"] == "Strip" && v["strip_left"] == false && v["strip_right"] == false;
    let step = |v: &&Value| match v["type"].as_str()? {
        "NFC" => Some(Normal::Nfc),
        "Prepend" => Some(Normal::Prepend(v["prepend"].as_str()?.into())),
        "Replace" => {
            let from = v["pattern"]["String"].as_str().filter(|from| !from.is_empty())?;
            Some(Normal::Replace(from.into(), v["content"].as_str()?.into()))
        }
        _ => None,
    };
    let all: Option<Vec<Normal>> = steps(value, "normalizers", &idle).iter().map(step).collect();
    let mut all = all.ok_or_else(|| {
        unsupported("normalizer", &value.to_string(), "null, NFC, Prepend, Replace of a text, or these in a row")
    })?;
    all.retain(|step| *step != Normal::Prepend(String::new()));
    Ok(all)
}

/// The pre-tokenizer of a BPE.
pub(super) enum PreTokenizer {
    /// Cuts, and then bytes as characters.
    Bytes(Vec<Cut>),
    /// Characters as they are, with marks for blanks.
    Characters(Option<Metaspace>, Vec<Cut>),
}

/// Ways to write GPT-2's regular expression: its own, and tiktoken's two.
pub(super) const GPT2_REGEX: [&str; 3] = [
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
];

/// The expression of [`Cut::LedBySign`] around its digits. Qwen writes `\p{N}` for one.
const WORDS_REGEX: (&str, &str) =
    (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|", r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+");
const WORDS_DIGITS: [(&str, usize); 3] = [(r"\p{N}{1,3}", 3), (r"\p{N}", 1), (r"\p{N}{1,2}", 2)];

/// The pre-tokenizer of a BPE.
pub(super) fn pre_tokenizer(value: &Value) -> Result<PreTokenizer, TokenizerError> {
    const KNOWN: &str = "ByteLevel with no prefix space behind its regex, Digits or a Split by the regex of GPT-2, Llama 3 \
                         or Qwen, and null or Metaspace where model.byte_fallback is true";
    let all = steps(value, "pretokenizers", &|_| false);
    let read = || match all.as_slice() {
        [] => Some(PreTokenizer::Characters(None, Vec::new())),
        [only] if only["type"] == "Metaspace" => {
            let metaspace = metaspace(only)?;
            let split = only["split"].as_bool().unwrap_or(true).then_some(Cut::Before(metaspace.mark));
            Some(PreTokenizer::Characters(Some(metaspace), split.into_iter().collect()))
        }
        [front @ .., bytes] if bytes["type"] == "ByteLevel" && bytes["add_prefix_space"] == false => {
            let mut cuts = front.iter().map(|step| cut(step)).collect::<Option<Vec<Cut>>>()?;
            if bytes["use_regex"].as_bool().unwrap_or(true) {
                cuts.push(Cut::LedByBlank);
            }
            Some(PreTokenizer::Bytes(cuts))
        }
        _ => None,
    };
    read().ok_or_else(|| unsupported("pre_tokenizer", &value.to_string(), KNOWN))
}

fn metaspace(value: &Value) -> Option<Metaspace> {
    let mut mark = value["replacement"].as_str()?.chars();
    let scheme = value["prepend_scheme"].as_str();
    let front = match (scheme, value["add_prefix_space"].as_bool()) {
        (Some("never"), _) => Front::Never,
        // Older files have no scheme; what contradicts itself `tokenizers` does not read either.
        (_, Some(false)) => return None,
        (None | Some("always"), _) => Front::Always,
        (Some("first"), _) => Front::First,
        _ => return None,
    };
    Some(Metaspace { mark: mark.next().filter(|_| mark.next().is_none())?, front })
}

/// A pre-tokenizer in front of `ByteLevel`.
fn cut(value: &Value) -> Option<Cut> {
    match value["type"].as_str()? {
        "Digits" => Some(Cut::Digits { single: value["individual_digits"].as_bool().unwrap_or(false) }),
        "Split" => {
            // The pieces leave nothing between them, so it is one whether these or what lies between is cut out.
            let kept = value["behavior"] == "Isolated" && value["invert"] != true
                || value["behavior"] == "Removed" && value["invert"] == true;
            let regex = value["pattern"]["Regex"].as_str().filter(|_| kept)?;
            if GPT2_REGEX.contains(&regex) {
                return Some(Cut::LedByBlank);
            }
            let digits = regex.strip_prefix(WORDS_REGEX.0)?.strip_suffix(WORDS_REGEX.1)?;
            let (_, digits) = WORDS_DIGITS.into_iter().find(|(written, _)| *written == digits)?;
            Some(Cut::LedBySign { digits })
        }
        _ => None,
    }
}

/// Requires the decoder of a BPE on bytes.
pub(super) fn byte_decoder(value: &Value) -> Result<(), TokenizerError> {
    match steps(value, "decoders", &|v| v["type"] == "Fuse").as_slice() {
        [only] if only["type"] == "ByteLevel" => Ok(()),
        _ => Err(unsupported("decoder", &value.to_string(), "ByteLevel")),
    }
}

/// What becomes a blank in a decoder that knows bytes beside texts, and how many blanks it takes away in front.
pub(super) fn text_decoder(value: &Value) -> Result<(&str, usize), TokenizerError> {
    const KNOWN: &str = "Replace of a text by a blank, ByteFallback, Fuse and, at will, Strip of blanks in front";
    let all = steps(value, "decoders", &|v| v["type"] == "Strip" && v["start"] == 0 && v["stop"] == 0);
    let read = || {
        let (one, other, strip) = match all.as_slice() {
            [one, other, fuse] if fuse["type"] == "Fuse" => (one, other, 0),
            [one, other, fuse, strip] if fuse["type"] == "Fuse" && strip["type"] == "Strip" => {
                let blanks = strip["content"] == " " && strip["stop"] == 0;
                (one, other, usize::try_from(strip["start"].as_u64()?).ok().filter(|_| blanks)?)
            }
            _ => return None,
        };
        // A byte is written `<0x0A>`, and has no such mark in it.
        let replace = [one, other].into_iter().find(|v| v["type"] == "Replace" && v["content"] == " ")?;
        let fallback = [one, other].into_iter().any(|v| v["type"] == "ByteFallback");
        let mark = replace["pattern"]["String"].as_str().filter(|mark| fallback && !mark.is_ascii())?;
        Some((mark, strip))
    };
    read().ok_or_else(|| unsupported("decoder", &value.to_string(), KNOWN))
}

/// What a post-processor puts in front of a single text: OPT's template has `</s>` there, Llama's `<s>`. GPT-2's
/// moves offsets alone, which nobody asks for here, and so it may also stand beside a template.
pub(super) fn begin(processor: &Value, ids: &HashMap<String, u32>) -> Result<Vec<u32>, TokenizerError> {
    const KNOWN: &str = "null, ByteLevel, or TemplateProcessing with special tokens in front of the text";
    let refused = || unsupported("post_processor", &processor.to_string(), KNOWN);
    let template = match steps(processor, "processors", &|v| v["type"] == "ByteLevel").as_slice() {
        [] => return Ok(Vec::new()),
        [template] if template["type"] == "TemplateProcessing" => *template,
        _ => return Err(refused()),
    };
    let (text, front) = template["single"].as_array().and_then(|single| single.split_last()).ok_or_else(refused)?;
    if text["Sequence"]["id"] != "A" {
        return Err(refused());
    }
    let mut begin = Vec::new();
    for piece in front {
        let name = piece["SpecialToken"]["id"].as_str().ok_or_else(refused)?;
        // The template's own list says which ids a name stands for; it is mostly the token's one.
        match template["special_tokens"][name]["ids"].as_array() {
            Some(listed) => {
                let known = |id: &Value| u32::try_from(id.as_u64()?).ok().filter(|id| (*id as usize) < ids.len());
                begin.extend(listed.iter().map(known).collect::<Option<Vec<u32>>>().ok_or_else(refused)?);
            }
            None => begin.push(ids.get(name).copied().ok_or_else(refused)?),
        }
    }
    Ok(begin)
}

/// Requires a value of a part of the file.
pub(super) fn require(
    key: &str,
    found: &Value,
    expected: &'static str,
    known: impl Fn(&Value) -> bool,
) -> Result<(), TokenizerError> {
    if known(found) { Ok(()) } else { Err(unsupported(key, &found.to_string(), expected)) }
}

/// A setting under which the tokens would be others.
pub(super) fn unsupported(key: &str, found: &str, expected: &'static str) -> TokenizerError {
    TokenizerError::Unsupported { file: FILE, key: key.into(), found: shorten(found), expected }
}

/// What a message can hold of a file's contents.
pub(super) fn shorten(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}
