//! Prompt tuning with a pencil: a trained vector stands in front, and attention reads it like a token.

use super::Prompt;
use crate::kernels::{Heads, attention};
use crate::peft::{MethodConfig, Phi, toy};
use burn::tensor::Tensor;

#[test]
fn a_virtual_token_is_attended_to_like_a_token() {
    let config = Prompt { num_virtual_tokens: 1, ..Prompt::default() };
    let phi = toy::filled(&toy::theta(), MethodConfig::Prompt(config), &[&[2.0, 0.0]]);

    // [p, x] with p = (2, 0) and x = (1, 1), and Q = K = V = [p, x].
    let p = phi.prompt().unwrap();
    let z = Tensor::cat(vec![p, toy::rows([[1.0, 1.0]])], 0).unsqueeze::<3>();
    let mixed = attention(z.clone(), z.clone(), z, Heads::alike(1)).slice([0..1, 1..2, 0..2]);

    // x looks at p with x·p/√2 = 2/√2 and at itself with x·x/√2 = 2/√2: softmax gives ½ and ½.
    // The mix is ½·(2, 0) + ½·(1, 1) = (1.5, 0.5)
    toy::assert_close(&toy::numbers(mixed.clone()), &[1.5, 0.5]);

    // With the weight a of p the first number is a·p₁ + (1 − a)·x₁. p₁ moves it as a value and as a key:
    // a + a(1 − a)·x₁/√2·(p₁ − x₁) = ½ + ¼·1/√2·(2 − 1) = 0.67678
    // p₂ moves it as a key alone: a(1 − a)·x₂/√2·(p₁ − x₁) = 0.17678
    let gradients = toy::gradients(&phi, mixed.slice([0..1, 0..1, 0..1]).sum());
    toy::assert_close(&gradients[0], &[0.67678, 0.17678]);
}

#[test]
fn two_virtual_tokens_outvote_the_text() {
    let theta = toy::theta();
    // Token 1 is −u = (−1, 1), votes −u and hears itself alone: −u + 8·(−u) = −9u, whose sign is −u.
    let alone = toy::last_feature(&theta, &Phi::none(), &[1]);
    toy::assert_close(&alone, &[-1.0, 1.0]);

    // Two virtual tokens of the sign u = (1, −1), however long: the mean of u, u and −u is u/3.
    // −u + 8·u/3 = (5/3)·u, whose sign is u: the answer has turned.
    let config = Prompt { num_virtual_tokens: 2, ..Prompt::default() };
    let phi = toy::filled(&theta, MethodConfig::Prompt(config), &[&[2.0, 0.0, 5.0, -5.0]]);
    toy::assert_close(&toy::last_feature(&theta, &phi, &[1]), &[1.0, -1.0]);
}
