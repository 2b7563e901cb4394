//! The tokenizer of one file that holds everything.

use super::{ChatTemplate, Tokenizer};
use crate::model::files::gguf::{Gguf, Value};

impl Tokenizer {
    /// What a file's metadata describe.
    ///
    /// # Errors
    /// A sentence without its full stop that names the file, where they describe none that is read.
    pub fn of_gguf(gguf: &Gguf) -> Result<Tokenizer, String> {
        let json = gguf.tokenizer_json().map_err(|e| e.to_string())?;
        // The file has no tokenizer.json: its metadata say what would stand in one.
        let read = Tokenizer::from_json(&json);
        let mut tokenizer = read.map_err(|e| format!("{}, whose tokenizer was read as a {e}", gguf.file))?;
        let token = |key: &str| {
            let id = gguf.metadata.get(&format!("tokenizer.ggml.{key}_token_id")).and_then(Value::size);
            id.and_then(|id| tokenizer.bytes.get(id)).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        };
        let (begin, end) = (token("bos").unwrap_or_default(), token("eos").unwrap_or_default());
        let jinja = gguf.text("tokenizer.chat_template").filter(|jinja| !jinja.trim().is_empty()).map(String::from);
        tokenizer.chat = jinja.map(|jinja| ChatTemplate { jinja, begin, end });
        tokenizer.ends_first_by(gguf.end().filter(|end| (*end as usize) < tokenizer.vocab_size()));
        Ok(tokenizer)
    }

    /// Refuses a tokenizer with more tokens than a base has rows for; `files` are the tokenizer's.
    ///
    /// # Errors
    /// A sentence without its full stop.
    pub fn fits(&self, rows: usize, files: &str) -> Result<(), String> {
        match self.vocab_size() {
            tokens if tokens > rows => Err(format!(
                "{files}: {tokens} tokens, and the embedding has {rows} rows. In transformers, model.resize_token_embeddings(len(tokenizer)) makes room for them"
            )),
            _ => Ok(()),
        }
    }
}
