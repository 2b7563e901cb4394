//! A network that fits on a sheet of paper, for the methods' tests of toy numbers.
//!
//! Its width d is 2, where LayerNorm leaves a vector only its sign: (x − μ)/σ is u = (1, −1), −u, or zero.
//! W_K is zero, so every token of a text scores 0 and attention is the mean of the values: a vote.
//! With W_V = I and W_O = 8·I a block gives x + 8 · (mean of the votes). fc2 is zero: the MLP adds nothing.
//! The head repeats the sign of that sum: token 2 for u, token 1 for −u.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it unwraps")]

use super::{InitContext, MethodConfig, Phi};
use crate::base::stream;
use crate::model::layers::NormTensors;
use crate::model::{Activation, Block, Composition, Frozen, Model, ModelConfig, Sizes, Tokens, Weights};
use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};

/// θ: three tokens, one block, one head, biases and positions zero.
pub fn theta() -> Model {
    let sizes = Sizes {
        vocab_size: 3,
        max_position_embeddings: 8,
        hidden_size: 2,
        ffn_dim: 2,
        num_hidden_layers: 1,
        num_attention_heads: 1,
    };
    let config = ModelConfig::native(sizes, Activation::Relu);
    let zeros = || Param::from_tensor(vector([0.0, 0.0]));
    let linear = |w| Frozen { weight: weight(w).into(), bias: Some(zeros()) };
    let norm = || NormTensors { scale: Param::from_tensor(vector([1.0, 1.0])), bias: Some(zeros()) };
    let block = Block {
        attention_norm: norm(),
        q: linear([[1.0, 0.0], [0.0, 1.0]]),
        k: linear([[0.0, 0.0], [0.0, 0.0]]),
        v: linear([[1.0, 0.0], [0.0, 1.0]]),
        out: linear([[8.0, 0.0], [0.0, 8.0]]),
        mlp_norm: norm(),
        fc1: linear([[1.0, 2.0], [3.0, 4.0]]),
        fc2: linear([[0.0, 0.0], [0.0, 0.0]]),
        gate: None,
        head_norms: None,
    };
    let weights = Weights {
        // `<s>` abstains, token 1 votes −u, token 2 votes u.
        tokens: rows([[0.0, 0.0], [-1.0, 1.0], [1.0, -1.0]]).into(),
        positions: Some(rows([[0.0, 0.0]; 10])),
        blocks: vec![block],
        final_norm: norm(),
        head: None,
    };
    Model { config, weights }
}

/// What a φ may start from besides θ.
#[derive(Default)]
pub struct Start {
    /// Tokens of the task's labels.
    pub labels: Vec<u32>,
    /// Tokens that begin every text.
    pub begins: usize,
    /// Tokens of the demonstrations.
    pub demonstrations: Vec<u32>,
    /// How much each weight of θ matters.
    pub scores: Option<Vec<f32>>,
}

/// φ of one method at its start. A text of digits is read as these tokens.
pub fn phi(theta: &Model, method: MethodConfig, start: Start) -> Phi {
    let mut context = InitContext::new(theta, &Device::flex(), stream(0, "toy"))
        .labels(&start.labels)
        .encode(|text| text.bytes().map(|digit| u32::from(digit - b'0')).collect())
        .begins(start.begins)
        .demonstrations(&start.demonstrations)
        .scores(start.scores.clone());
    Phi::init([&method], &mut context)
}

/// φ of one method with these numbers, a list for each of its tensors.
pub fn filled(theta: &Model, method: MethodConfig, numbers: &[&[f32]]) -> Phi {
    phi(theta, method, Start::default()).filled(numbers.iter().map(|tensor| tensor.to_vec()).collect())
}

/// The answers of the one method in φ.
pub fn part(phi: &Phi) -> &dyn Composition {
    phi.compositions().next().expect("a φ of one method")
}

/// The numbers of W, a row for each output as papers write it, down its columns: as layers store them.
pub fn down_columns<const I: usize, const O: usize>(w: [[f32; I]; O]) -> Vec<f32> {
    (0..I).flat_map(|input| w.map(|row| row[input])).collect()
}

/// W, a row for each output as papers write it, as layers hold it: `[inputs, outputs]`.
pub fn weight<const I: usize, const O: usize>(w: [[f32; I]; O]) -> Tensor<2> {
    Tensor::from_data(TensorData::new(down_columns(w), [I, O]), &Device::flex())
}

/// A vector for each token, `[tokens, d]`.
pub fn rows<const D: usize, const N: usize>(x: [[f32; D]; N]) -> Tensor<2> {
    Tensor::from_data(TensorData::new(x.concat(), [N, D]), &Device::flex())
}

pub fn vector<const D: usize>(x: [f32; D]) -> Tensor<1> {
    Tensor::from_data(TensorData::new(x.to_vec(), [D]), &Device::flex())
}

/// One sequence of one token.
pub fn token<const D: usize>(x: [f32; D]) -> Tensor<3> {
    rows([x]).reshape([1, 1, D])
}

/// What the network holds in front of the head at the last token of a text.
pub fn last_feature(theta: &Model, phi: &Phi, text: &[i32]) -> Vec<f32> {
    let tokens = Tokens { ids: text.to_vec(), sequences: 1, length: text.len() };
    numbers(theta.features(phi, &tokens, &[text.len() - 1]))
}

pub fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// ½‖h‖²: its gradient with respect to h is h.
pub fn loss<const D: usize>(h: Tensor<D>) -> Tensor<1> {
    h.powi_scalar(2).sum().mul_scalar(0.5)
}

/// The loss's gradient, a list for each tensor of φ.
pub fn gradients(phi: &Phi, loss: Tensor<1>) -> Vec<Vec<f32>> {
    phi.flat_gradients(&loss.backward()).into_iter().map(numbers).collect()
}

/// Equal to 1e-4: LayerNorm's ε is 1e-5, and exponentials and roots are rounded.
#[track_caller]
pub fn assert_close(found: &[f32], expected: &[f32]) {
    let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4);
    assert!(found.len() == expected.len() && close, "{found:?} is not {expected:?}");
}
