//! A text prompt with a pencil: words in front of a text, read like any others, and nothing trained.

use super::TextPrompt;
use crate::model::Tokens;
use crate::peft::{MethodConfig, Phi, toy};

#[test]
fn words_stand_behind_the_first_token_and_outvote_the_text() {
    let theta = toy::theta();
    // `<s>` is token 0, which abstains. The text is `<s>` 1: token 1 is −u = (−1, 1).
    // The mean of 0 and −u is −u/2: −u + 8·(−u/2) = −5u, whose sign is −u.
    toy::assert_close(&toy::last_feature(&theta, &Phi::none(), &[0, 1]), &[-1.0, 1.0]);

    // The prompt is the word 2 twice, and one token begins every text: `<s>` 2 2 1.
    let start = toy::Start { begins: 1, ..toy::Start::default() };
    let phi = toy::phi(&theta, MethodConfig::TextPrompt(TextPrompt { text: "22".into() }), start);
    let text = toy::part(&phi).text().unwrap();
    assert_eq!((text.tokens.as_slice(), text.after), ([2, 2].as_slice(), 1));

    // The mean of 0, u, u and −u is u/4: −u + 8·u/4 = u, the answer has turned.
    // `<s>` stays in front and hears itself alone: 0.
    let tokens = Tokens { ids: vec![0, 1], sequences: 1, length: 2 };
    let features = toy::numbers(theta.features(&phi, &tokens, &[0, 1]));
    toy::assert_close(&features, &[0.0, 0.0, 1.0, -1.0]);

    // The same as if the words had been in the text.
    toy::assert_close(&toy::last_feature(&theta, &Phi::none(), &[0, 2, 2, 1]), &[1.0, -1.0]);

    // There is no φ.
    assert_eq!(phi.elements(), 0);
}

#[test]
fn no_words_leave_the_text_as_it_is() {
    let theta = toy::theta();
    let start = toy::Start { begins: 1, ..toy::Start::default() };
    let phi = toy::phi(&theta, MethodConfig::TextPrompt(TextPrompt::default()), start);
    toy::assert_close(&toy::last_feature(&theta, &phi, &[0, 1]), &[-1.0, 1.0]);
}
