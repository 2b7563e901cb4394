//! Prefix tuning with a pencil: a trained key and value stand in front of the text's own.

use super::{Prefix, PrefixInit};
use crate::kernels::{Heads, attention};
use crate::peft::{MethodConfig, Phi, toy};
use burn::tensor::Tensor;

/// A key that q = (±1, …) gives the score ±ln 3, after the division by √d_h = √2.
fn sqrt_2_ln_3() -> f32 {
    2.0_f32.sqrt() * 3.0_f32.ln()
}

#[test]
fn a_trained_key_is_scored_and_its_value_is_mixed_in() {
    let config = Prefix { num_virtual_tokens: 1, ..Prefix::default() };
    // φ_K = (√2·ln 3, 0) and φ_V = (4, 0) of the one block, side by side.
    let phi = toy::filled(&toy::theta(), MethodConfig::Prefix(config), &[&[sqrt_2_ln_3(), 0.0, 4.0, 0.0]]);
    let prefixes = phi.prefixes();
    assert_eq!((prefixes.len(), prefixes[0].block), (1, 0));

    // The text is one token: q = (1, 0), k = (0, 0), v = (0, 4).
    let q = toy::token([1.0, 0.0]);
    let keys = Tensor::cat(vec![prefixes[0].keys.clone(), toy::rows([[0.0, 0.0]])], 0).unsqueeze::<3>();
    let values = Tensor::cat(vec![prefixes[0].values.clone(), toy::rows([[0.0, 4.0]])], 0).unsqueeze::<3>();
    let mixed = attention(q, keys, values, Heads::alike(1));

    // Scores q·φ_K/√2 = ln 3 and q·k/√2 = 0: softmax gives 3/(3 + 1) = ¾ and 1/(3 + 1) = ¼.
    // The mix is ¾·(4, 0) + ¼·(0, 4) = (3, 1)
    toy::assert_close(&toy::numbers(mixed.clone()), &[3.0, 1.0]);

    // With the weight a of the prefix the first number is a·φ_V₁ + (1 − a)·v₁.
    // ∂/∂φ_V₁ = a = ¾,  ∂/∂φ_K₁ = a(1 − a)·q₁/√2·(φ_V₁ − v₁) = (3/16)/√2·4 = 0.53033,  and q₂ = 0 hides φ_K₂.
    let gradients = toy::gradients(&phi, mixed.slice([0..1, 0..1, 0..1]).sum());
    toy::assert_close(&gradients[0], &[0.53033, 0.0, 0.75, 0.0]);
}

#[test]
fn a_prefix_outvotes_the_text() {
    let theta = toy::theta();
    // Token 1 is −u = (−1, 1), votes −u and hears itself alone: −u + 8·(−u) = −9u, whose sign is −u.
    toy::assert_close(&toy::last_feature(&theta, &Phi::none(), &[1]), &[-1.0, 1.0]);

    // q = −u: q·φ_K/√2 = ln 3 with φ_K = (−√2·ln 3, 0). The token's own key is 0, so the weights are ¾ and ¼.
    // ¾·φ_V + ¼·(−u) with φ_V = u = (1, −1) is u/2; −u + 8·u/2 = 3u, whose sign is u: the answer has turned.
    let config = Prefix { num_virtual_tokens: 1, ..Prefix::default() };
    let phi = toy::filled(&theta, MethodConfig::Prefix(config), &[&[-sqrt_2_ln_3(), 0.0, 1.0, -1.0]]);
    toy::assert_close(&toy::last_feature(&theta, &phi, &[1]), &[1.0, -1.0]);

    // A key of the other sign scores −ln 3: the weights are ¼ and ¾ and the mix is −u/2.
    // −u − 8·u/2 = −5u, whose sign is −u.
    let config = Prefix { num_virtual_tokens: 1, ..Prefix::default() };
    let phi = toy::filled(&theta, MethodConfig::Prefix(config), &[&[sqrt_2_ln_3(), 0.0, 1.0, -1.0]]);
    toy::assert_close(&toy::last_feature(&theta, &phi, &[1]), &[-1.0, 1.0]);
}

#[test]
fn a_prefix_from_a_text_answers_as_the_text_in_front() {
    let theta = toy::theta();
    let from = |text: &str, n| {
        let config =
            Prefix { num_virtual_tokens: n, init: PrefixInit::Text, init_text: text.into(), ..Prefix::default() };
        toy::phi(&theta, MethodConfig::Prefix(config), toy::Start::default())
    };
    // Token 2 is u: W_K makes the key (0, 0) of it, W_V = I the value u. The second of two is token 2 again.
    let prefixes = from("2", 2).prefixes();
    toy::assert_close(&toy::numbers(prefixes[0].keys.clone()), &[0.0; 4]);
    toy::assert_close(&toy::numbers(prefixes[0].values.clone()), &[1.0, -1.0, 1.0, -1.0]);
    // Two votes of u and the token's own −u: −u + 8·u/3 = 5u/3, whose sign is u.
    toy::assert_close(&toy::last_feature(&theta, &from("2", 2), &[1]), &[1.0, -1.0]);
    // Of “21” cut to one token u is left: one vote each, −u + 8·0 = −u.
    toy::assert_close(&toy::last_feature(&theta, &from("21", 1), &[1]), &[-1.0, 1.0]);
    for text in [[2, 1], [2, 2], [1, 2]] {
        let in_front: Vec<i32> = text.into_iter().chain([1]).collect();
        let written: String = text.iter().map(i32::to_string).collect();
        let expected = toy::last_feature(&theta, &Phi::none(), &in_front);
        toy::assert_close(&toy::last_feature(&theta, &from(&written, 2), &[1]), &expected);
    }
}
