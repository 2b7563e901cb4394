//! P-tuning with a pencil: an MLP writes the virtual token, and the gradient goes back through it.

use super::PTuning;
use crate::kernels::{Heads, attention};
use crate::peft::{MethodConfig, toy};
use burn::tensor::Tensor;

#[test]
fn an_mlp_writes_the_virtual_token_that_attention_reads() {
    let config = PTuning { num_virtual_tokens: 1, encoder_hidden_size: 2 };
    // E = (1, 2), then three layers, each a matrix and a bias.
    let (w1, b1) = (toy::down_columns([[1.0, 1.0], [-1.0, 0.0]]), [-1.0, 0.0]);
    let (w2, b2) = (toy::down_columns([[-1.0, 9.0], [-1.0, 9.0]]), [3.0, 1.0]);
    let (w3, b3) = (toy::down_columns([[2.0, 7.0], [0.0, 7.0]]), [0.0, 0.0]);
    let numbers: [&[f32]; 7] = [&[1.0, 2.0], &w1, &b1, &w2, &b2, &w3, &b3];
    let phi = toy::filled(&toy::theta(), MethodConfig::PTuning(config), &numbers);

    // W₁E + b₁ = (1 + 2 − 1, −1) = (2, −1), ReLU gives (2, 0): of each layer the second unit is off.
    // W₂(2, 0) + b₂ = (−2 + 3, −2 + 1) = (1, −1), ReLU gives (1, 0).
    // p = W₃(1, 0) + b₃ = (2, 0)
    let p = phi.prompt().unwrap();
    assert_eq!(toy::numbers(p.clone()), [2.0, 0.0]);

    // [p, x] with x = (1, 1), and Q = K = V = [p, x]: x looks at both with 2/√2, softmax gives ½ and ½.
    // The mix is ½·(2, 0) + ½·(1, 1) = (1.5, 0.5)
    let z = Tensor::cat(vec![p, toy::rows([[1.0, 1.0]])], 0).unsqueeze::<3>();
    let mixed = attention(z.clone(), z.clone(), z, Heads::alike(1)).slice([0..1, 1..2, 0..2]);
    toy::assert_close(&toy::numbers(mixed.clone()), &[1.5, 0.5]);

    // p₁ is a value and a key: the mix's first number has the slope ½ + ¼·(1/√2)·(2 − 1) = 0.67678 in p₁.
    // By way of the units that are on, p₁ has the slope 2·(−1)·1 = −2 in E₁ and in E₂, and p₂ has none.
    // ∂/∂E = −2 · 0.67678 = −1.35355, twice.
    let gradients = toy::gradients(&phi, mixed.slice([0..1, 0..1, 0..1]).sum());
    toy::assert_close(&gradients[0], &[-1.35355, -1.35355]);
}
