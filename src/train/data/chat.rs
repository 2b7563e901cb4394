//! A chat's messages as one text, by the model's own template.

use crate::base::shorten;
use crate::task::Message;
use crate::task::tokenizer::ChatTemplate;
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, Value, context};

/// Steps that a template may take for one chat: one that takes more would keep its visitor waiting.
const FUEL: u64 = 500_000;
/// Letters that it may make of one.
const LONGEST: usize = 1 << 20;

/// Puts messages together as transformers' `apply_chat_template` does; behind them what begins an answer, or nothing.
///
/// # Errors
/// A sentence, where the template cannot be used, or refuses these messages.
pub fn rendered(chat: &ChatTemplate, messages: &[Message], answers: bool) -> Result<String, String> {
    let told =
        |e: Error| format!("The model's chat template cannot be used for these messages: {}.", shorten(&e.to_string()));
    let mut environment = Environment::new();
    // As transformers sets them.
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(told)?;
    environment.set_syntax(syntax);
    environment.set_fuel(Some(FUEL));
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_function("raise_exception", |message: String| -> Result<String, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, message))
    });
    let message = |m: &Message| Value::from_pairs([("role", m.role.as_str()), ("content", m.content.as_str())]);
    let said: Vec<Value> = messages.iter().map(message).collect();
    let said = context! {
        messages => Value::from(said), add_generation_prompt => answers, bos_token => chat.begin.as_str(), eos_token => chat.end.as_str(),
    };
    let mut text = Short(Vec::new());
    let template = environment.template_from_str(&chat.jinja).map_err(told)?;
    match template.render_captured_to(said, &mut text) {
        // It ends where it has written so much, not once it is done.
        Err(e) if e.kind() == ErrorKind::WriteFailure => {
            Err("The chat template makes more than a megabyte of these messages.".into())
        }
        Err(e) => Err(told(e)),
        Ok(_) => Ok(String::from_utf8_lossy(&text.0).into_owned()),
    }
}

/// A text that takes no more than the longest.
struct Short(Vec<u8>);

impl std::io::Write for Short {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + piece.len() > LONGEST {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.0.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What stands behind an assistant's answer; empty where the template does not put answers down as they are.
pub fn behind_answers(chat: &ChatTemplate) -> String {
    let message = |role: &str, content: &str| Message { role: role.into(), content: content.into() };
    let whole = [message("user", "question"), message("assistant", "answer")];
    let (Ok(whole), Ok(asked)) = (rendered(chat, &whole, false), rendered(chat, &whole[..1], true)) else {
        return String::new();
    };
    whole.strip_prefix(&asked).and_then(|rest| rest.strip_prefix("answer")).unwrap_or_default().to_string()
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    fn chat(jinja: &str) -> ChatTemplate {
        ChatTemplate { jinja: jinja.into(), begin: "<s>".into(), end: "</s>".into() }
    }

    fn messages() -> Vec<Message> {
        let message = |(role, content): (&str, &str)| Message { role: role.into(), content: content.into() };
        [("system", "Be short."), ("user", " Hi "), ("assistant", "Hello"), ("user", "Bye")].map(message).into()
    }

    #[test]
    fn messages_are_put_together_as_the_template_says() {
        let chatml = "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
        let text = rendered(&chat(chatml), &messages()[2..], true).unwrap();
        assert_eq!(
            text,
            "<|im_start|>assistant\nHello<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n"
        );
        assert_eq!(behind_answers(&chat(chatml)), "<|im_end|>\n");
        // Llama 2's, with Python's methods of strings, a namespace and lines of their own.
        let llama = "{{ bos_token }}{% set ns = namespace(n=0) %}\n{% for m in messages if m.role != 'system' %}\n  {% if m.role == 'user' %}\n[INST] {{ m.content.strip() }} [/INST]{% else %}\n{{ ' ' + m['content'] | trim + ' ' + eos_token }}{% endif %}\n{% endfor %}";
        assert_eq!(
            rendered(&chat(llama), &messages(), false).unwrap(),
            "<s>[INST] Hi [/INST] Hello </s>[INST] Bye [/INST]"
        );
    }

    #[test]
    fn a_template_that_refuses_breaks_or_never_ends_is_a_sentence() {
        for (jinja, told) in [
            ("{{ raise_exception('No system role.') }}", "No system role."),
            ("{% for x in %}", "cannot be used"),
            ("{% for x in range(100000) %}{% for y in range(100000) %}{% endfor %}{% endfor %}", "cannot be used"),
            ("{% for x in range(30000) %}0123456789012345678901234567890123456789{% endfor %}", "more than a megabyte"),
        ] {
            let why = rendered(&chat(jinja), &messages(), true).unwrap_err();
            assert!(why.contains(told), "{jinja}: {why}");
        }
    }
}
