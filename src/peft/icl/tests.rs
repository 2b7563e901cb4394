//! In-context learning with a pencil: demonstrations with their answers stand between `<s>` and the question.

use super::Icl;
use crate::model::Tokens;
use crate::peft::{Demonstrations, MethodConfig, Phi, toy};

#[test]
fn demonstrations_stand_in_front_of_the_question_and_turn_its_answer() {
    let theta = toy::theta();
    // `<s>` is token 0, which abstains. The question is `<s>` 1: token 1 is −u = (−1, 1).
    // The mean of 0 and −u is −u/2: −u + 8·(−u/2) = −5u, whose sign is −u.
    toy::assert_close(&toy::last_feature(&theta, &Phi::none(), &[0, 1]), &[-1.0, 1.0]);

    // Two demonstrations, the input 0 with the answer 2: `<s>` 0 2 0 2 1.
    let start = toy::Start { begins: 1, demonstrations: vec![0, 2, 0, 2], ..toy::Start::default() };
    let config = Icl(Demonstrations { shots: 2, ..Demonstrations::default() });
    let phi = toy::phi(&theta, MethodConfig::Icl(config), start);
    let text = toy::part(&phi).text().unwrap();
    assert_eq!((text.tokens.as_slice(), text.after), ([0, 2, 0, 2].as_slice(), 1));

    // The mean of 0, 0, u, 0, u and −u is u/6: −u + 8·u/6 = u/3, whose sign is u. The answer has turned.
    // `<s>` stays in front and hears itself alone: 0.
    let tokens = Tokens { ids: vec![0, 1], sequences: 1, length: 2 };
    let features = toy::numbers(theta.features(&phi, &tokens, &[0, 1]));
    toy::assert_close(&features, &[0.0, 0.0, 1.0, -1.0]);

    // Nothing was trained, and nothing could be.
    assert_eq!(phi.elements(), 0);
}

#[test]
fn one_demonstration_is_not_enough_here() {
    let theta = toy::theta();
    let start = toy::Start { begins: 1, demonstrations: vec![0, 2], ..toy::Start::default() };
    let config = Icl(Demonstrations { shots: 1, ..Demonstrations::default() });
    let phi = toy::phi(&theta, MethodConfig::Icl(config), start);
    // `<s>` 0 2 1: the mean of 0, 0, u and −u is 0, and −u stays −u.
    toy::assert_close(&toy::last_feature(&theta, &phi, &[0, 1]), &[-1.0, 1.0]);
}
