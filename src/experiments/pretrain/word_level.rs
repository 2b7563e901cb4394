//! The tokenizer of `rules`: one token a character.

use crate::task::rules;

/// `tokenizer.json` of [`rules::VOCABULARY`] tokens: letters, `>`, `;` and the two special ones.
pub fn tokenizer() -> String {
    let letters = (0..rules::ALPHABET as u8).map(|i| char::from(b'a' + i).to_string());
    let tokens: Vec<String> = letters.chain([">", ";", "<s>", "<pad>"].map(String::from)).collect();
    let vocab: serde_json::Map<String, serde_json::Value> =
        tokens.iter().enumerate().map(|(id, token)| (token.clone(), id.into())).collect();
    let added = |id: usize| serde_json::json!({"id": id, "content": tokens[id], "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true});
    let file = serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [added(18), added(19)], "normalizer": null,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "."}, "behavior": "Isolated", "invert": false},
        "post_processor": null, "decoder": {"type": "Fuse"},
        "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "<pad>"},
    });
    file.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tokenizer_has_the_tasks_ids() {
        let tokenizer = crate::task::tokenizer::Tokenizer::from_json(&tokenizer()).unwrap();
        assert_eq!(tokenizer.encode("<s>ap>;"), [18, 0, 15, 16, 17]);
        assert_eq!(tokenizer.vocab_size(), rules::VOCABULARY);
    }
}
