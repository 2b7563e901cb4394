//! How a model's files put messages of a chat together: a GGUF file's metadata, or what transformers writes beside a
//! tokenizer, `chat_template.jinja` and `tokenizer_config.json`.

use serde_json::Value;

/// How a model's files put messages of a chat together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatTemplate {
    /// A template of Jinja.
    pub jinja: String,
    /// The token that begins a text, as the file writes it; empty where there is none.
    pub begin: String,
    /// The same of the one that ends a text.
    pub end: String,
}

impl ChatTemplate {
    /// The file of settings, where it has a template or the tokens that one asks for.
    pub const SETTINGS: &'static str = "tokenizer_config.json";
    /// The file of a template alone, which goes before the settings' own.
    pub const FILE: &'static str = "chat_template.jinja";

    /// Whether settings hold a template.
    pub fn is_in(settings: &[u8]) -> bool {
        let value: Value = serde_json::from_slice(settings).unwrap_or_default();
        of_settings(&value).is_some()
    }

    /// The template of a folder, by its files; `None` where no file has one that is read.
    pub fn beside<'a>(read: impl Fn(&str) -> Option<&'a str>) -> Option<ChatTemplate> {
        let settings: Value = read(Self::SETTINGS).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let sources = [read(Self::FILE).map(String::from), of_settings(&settings)];
        let jinja = sources.into_iter().flatten().find(|jinja| !jinja.trim().is_empty())?;
        // A token stands as its text, or with how it is found in one.
        let token = |key: &str| settings[key].as_str().or(settings[key]["content"].as_str()).unwrap_or_default();
        let (begin, end) = (token("bos_token").into(), token("eos_token").into());
        Some(ChatTemplate { jinja, begin, end })
    }
}

/// One template, or several with names: of these the one that is called `default`.
fn of_settings(settings: &Value) -> Option<String> {
    let template = &settings["chat_template"];
    let named = || template.as_array()?.iter().find(|one| one["name"] == "default")?["template"].as_str();
    template.as_str().or_else(named).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beside(files: &[(&str, &str)]) -> Option<(String, String, String)> {
        let read = |name: &str| files.iter().find(|(file, _)| *file == name).map(|(_, text)| *text);
        ChatTemplate::beside(read).map(|chat| (chat.jinja, chat.begin, chat.end))
    }

    #[test]
    fn a_folder_s_template_is_read_as_transformers_reads_it() {
        let of = |jinja: &str, begin: &str, end: &str| Some((jinja.into(), begin.into(), end.into()));
        let one = r#"{"bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": false}, "chat_template": "one"}"#;
        let many = r#"{"bos_token": null, "chat_template": [{"name": "tool_use", "template": "two"}, {"name": "default", "template": "three"}]}"#;
        let (settings, file) = (ChatTemplate::SETTINGS, ChatTemplate::FILE);
        assert_eq!(beside(&[(settings, one)]), of("one", "<s>", "</s>"));
        assert_eq!(beside(&[(settings, many)]), of("three", "", ""));
        // The file goes first, with the tokens of the settings.
        assert_eq!(beside(&[(settings, one), (file, "four")]), of("four", "<s>", "</s>"));
        assert_eq!(beside(&[(file, "four")]), of("four", "", ""));
    }

    #[test]
    fn a_folder_without_a_template_has_none() {
        let settings = ChatTemplate::SETTINGS;
        for text in [
            "",
            "{",
            "[]",
            "{}",
            r#"{"chat_template": null}"#,
            r#"{"chat_template": [{"name": "rag", "template": "x"}]}"#,
        ] {
            assert_eq!(beside(&[(settings, text)]), None, "{text}");
            assert!(!ChatTemplate::is_in(text.as_bytes()), "{text}");
        }
        assert_eq!(beside(&[("chat_template.jinja", "  \n")]), None);
        assert!(beside(&[("chat_template.jinja", "  \n"), (settings, r#"{"chat_template": "x"}"#)]).is_some());
        assert!(ChatTemplate::is_in(br#"{"chat_template": "x"}"#));
    }
}
