//! Trains a byte-level BPE: the pair of neighbours that is commonest becomes a token, again and again.
//!
//! The result is that of Hugging Face's `BpeTrainer` on the same texts, down to ties (of pairs equally
//! common, the one with the lower ids), so bases made there and here share a tokenizer.

use crate::task::tokenizer::{byte_characters, pieces};
use std::collections::HashMap;

/// The one special token, which stands between texts.
pub const END_OF_TEXT: &str = "<|endoftext|>";

/// `tokenizer.json` of `vocabulary` tokens: the special one, 256 bytes, merges.
pub fn train(texts: &[&str], vocabulary: usize) -> Result<String, String> {
    if !(257..=1 << 16).contains(&vocabulary) {
        return Err(format!("vocabulary is {vocabulary}: it takes 257 to 65536"));
    }
    let characters = byte_characters();
    let mut alphabet: Vec<char> = characters.to_vec();
    alphabet.sort_unstable();
    let id_of: HashMap<char, u32> = alphabet.iter().zip(1..).map(|(c, id)| (*c, id)).collect();
    let mut tokens: Vec<String> =
        std::iter::once(END_OF_TEXT.to_string()).chain(alphabet.iter().map(char::to_string)).collect();

    let mut counts: HashMap<&str, i64> = HashMap::new();
    for piece in texts.iter().flat_map(|text| pieces(text)) {
        *counts.entry(piece).or_default() += 1;
    }
    let mut words: Vec<(Vec<u32>, i64)> = counts
        .into_iter()
        .map(|(piece, n)| (piece.bytes().map(|b| id_of[&characters[b as usize]]).collect(), n))
        .collect();
    let mut merges: Vec<[String; 2]> = Vec::new();
    // How often each pair stands side by side, in a square: clearing it is cheap beside walking through the
    // words.
    let mut pairs = vec![0_i64; vocabulary * vocabulary];
    while tokens.len() < vocabulary {
        pairs.fill(0);
        for (word, n) in &words {
            for pair in word.windows(2) {
                pairs[pair[0] as usize * vocabulary + pair[1] as usize] += n;
            }
        }
        // The first of equals, that is the one with the lower ids.
        let best = pairs.iter().enumerate().fold((0, 0), |best, (at, n)| if *n > best.1 { (at, *n) } else { best });
        if best.1 == 0 {
            return Err(format!("The text gives {} tokens, not {vocabulary}: every piece is one token.", tokens.len()));
        }
        let (a, b) = ((best.0 / vocabulary) as u32, (best.0 % vocabulary) as u32);
        let merged = tokens.len() as u32;
        merges.push([tokens[a as usize].clone(), tokens[b as usize].clone()]);
        tokens.push(merges[merges.len() - 1].concat());
        for (word, _) in words.iter_mut().filter(|(word, _)| word.len() > 1) {
            merge(word, a, b, merged);
        }
    }
    let byte_level = |prefix: bool| serde_json::json!({"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": true, "use_regex": true});
    let vocab: serde_json::Map<String, serde_json::Value> =
        tokens.iter().enumerate().map(|(id, token)| (token.clone(), id.into())).collect();
    let file = serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [{"id": 0, "content": END_OF_TEXT, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
        "normalizer": null, "pre_tokenizer": byte_level(false), "post_processor": null, "decoder": byte_level(true),
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null, "end_of_word_suffix": null,
                  "fuse_unk": false, "byte_fallback": false, "ignore_merges": false, "vocab": vocab, "merges": merges},
    });
    serde_json::to_string(&file).map_err(|e| e.to_string())
}

/// Replaces every `a b`, from the left, by `merged`.
fn merge(word: &mut Vec<u32>, a: u32, b: u32, merged: u32) {
    let (mut read, mut write) = (0, 0);
    while read < word.len() {
        let pair = word[read] == a && word.get(read + 1) == Some(&b);
        word[write] = if pair { merged } else { word[read] };
        read += if pair { 2 } else { 1 };
        write += 1;
    }
    word.truncate(write);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::tokenizer::Tokenizer;

    #[test]
    fn the_commonest_pair_is_merged_first_and_the_text_comes_back() {
        let json = train(&["low lower lowest, low low"], 263).unwrap();
        let file: serde_json::Value = serde_json::from_str(&json).unwrap();
        // "lo" and "ow" are equally common: the lower ids win.
        assert_eq!(file["model"]["merges"][0], serde_json::json!(["l", "o"]));
        assert_eq!(file["model"]["merges"][1], serde_json::json!(["lo", "w"]));
        let tokenizer = Tokenizer::from_json(&json).unwrap();
        let text = "lowest of the low\n";
        assert_eq!(tokenizer.decode(&tokenizer.encode(text)), text);
        assert_eq!(tokenizer.vocab_size(), 263);
    }

    #[test]
    fn a_text_that_is_too_short_is_refused() {
        assert!(train(&["ab"], 300).unwrap_err().contains("258 tokens"));
        assert!(train(&["ab"], 100).is_err());
    }
}
