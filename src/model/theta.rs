//! The network: embeddings, blocks, final norm, tied head. θ stays as it is; φ is asked at every place where
//! it may step in.

use super::layers::{LAYER_NORM_EPSILON, LayerNorm};
use super::{
    Activation, Block, Compositions, LinearAt, ModelConfig, ModulePath, Prefixed, Sublayer, Target, Tokens, Weights,
};
use crate::kernels::{attention, gelu_new, layer_norm, linear, relu};
use burn::tensor::{Device, Int, Tensor, TensorData, activation};

/// θ with its shape.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its shape and family.
    pub config: ModelConfig,
    /// Its tensors.
    pub weights: Weights,
}

impl Model {
    /// Logits over the vocabulary, `[rows, vocab]`, of [`features`](Self::features).
    pub fn logits(&self, phi: &dyn Compositions, tokens: &Tokens, rows: &[usize]) -> Tensor<2> {
        let features = self.features(phi, tokens, rows);
        let head = phi.head(phi.matrix(ModulePath::Tokens, self.weights.tokens.val()));
        linear(features, head.transpose(), None)
    }

    /// Features in front of the head at chosen places. Padding needs no mask: attention is causal and padding
    /// stands at the right.
    ///
    /// `rows` are places in the flattened `[sequences, length]` of `tokens`. Returns `[rows, d_model]`.
    pub fn features(&self, phi: &dyn Compositions, tokens: &Tokens, rows: &[usize]) -> Tensor<2> {
        let device = self.weights.tokens.val().device();
        let d = self.config.hidden_size;
        let text = phi.text();
        let (told, tokens) = (tokens.length, &tokens.with_text(text));
        let (after, written) = text.map_or((0, 0), |text| (text.after, text.tokens.len()));
        let prompt = phi.prompt();
        let virtual_tokens = prompt.as_ref().map_or(0, |p| p.dims()[0]);
        let prefixes = phi.prefixes();
        // The prefix takes positions of the context, as keys of a text before this one would.
        let first = prefixes.first().map_or(0, |p| p.keys.dims()[0]);
        let length = virtual_tokens + tokens.length;

        // With the ids, in front of everything: a GPU is told what there is to do so far at each upload.
        let shifted: Vec<i32> = rows
            .iter()
            .map(|row| {
                let (sequence, row) = (row / told, row % told);
                let row = if row >= after { row + written } else { row };
                (sequence * length + virtual_tokens + row) as i32
            })
            .collect();
        let rows = Tensor::<1, Int>::from_data(TensorData::new(shifted, [rows.len()]), &device);

        let mut x = self.embed(phi, tokens, prompt, first, &device);
        for (block, theta) in self.weights.blocks.iter().enumerate() {
            let prefix = prefixes.iter().find(|p| p.block == block);
            x = self.attention(phi, block, theta, x, prefix);
            x = self.mlp(phi, block, theta, x);
        }

        let x = x.reshape([tokens.sequences * length, d]).select(0, rows);
        self.normalise(phi, ModulePath::FinalNorm, &self.weights.final_norm, x)
    }

    /// Token and position vectors, virtual tokens in front: `[sequences, virtual + length, d_model]`;
    /// positions from `first`.
    fn embed(
        &self,
        phi: &dyn Compositions,
        tokens: &Tokens,
        prompt: Option<Tensor<2>>,
        first: usize,
        device: &Device,
    ) -> Tensor<3> {
        let d = self.config.hidden_size;
        let ids = Tensor::<1, Int>::from_data(TensorData::new(tokens.ids.clone(), [tokens.ids.len()]), device);
        let table = phi.matrix(ModulePath::Tokens, self.weights.tokens.val());
        let mut x = table.select(0, ids).reshape([tokens.sequences, tokens.length, d]);
        if let Some(prompt) = prompt {
            let n = prompt.dims()[0];
            let prompt = prompt.reshape([1, n, d]).expand([tokens.sequences, n, d]);
            x = Tensor::cat(vec![prompt, x], 1);
        }
        let length = x.dims()[1];
        let first = self.config.position_offset + first;
        let positions = phi.matrix(ModulePath::Positions, self.weights.positions.val());
        x + positions.slice([first..first + length, 0..d]).reshape([1, length, d])
    }

    /// x + W_O softmax(QKᵀ/√d_h) V on LayerNorm(x); `[sequences, length, d_model]` in and out. `theta` is the
    /// block's.
    fn attention(
        &self,
        phi: &dyn Compositions,
        block: usize,
        theta: &Block,
        x: Tensor<3>,
        prefix: Option<&Prefixed>,
    ) -> Tensor<3> {
        let [b, _, d] = x.dims();
        let n = self.normalise(phi, ModulePath::AttentionNorm(block), &theta.attention_norm, x.clone());
        let q = self.linear(phi, block, Target::Q, theta, n.clone());
        let mut k = self.linear(phi, block, Target::K, theta, n.clone());
        let mut v = self.linear(phi, block, Target::V, theta, n);
        if let Some(Prefixed { keys, values, .. }) = prefix {
            let p = keys.dims()[0];
            let batched = |z: &Tensor<2>| z.clone().reshape([1, p, d]).expand([b, p, d]);
            k = Tensor::cat(vec![batched(keys), k], 1);
            v = Tensor::cat(vec![batched(values), v], 1);
        }
        let mixed = attention(q, k, v, self.config.num_attention_heads);
        let out = self.linear(phi, block, Target::O, theta, mixed);
        let out = phi.after(block, Sublayer::Attention, &x, out);
        x + out
    }

    /// x + W₂ act(W₁ LayerNorm(x)); `[sequences, length, d_model]` in and out. `theta` is the block's.
    fn mlp(&self, phi: &dyn Compositions, block: usize, theta: &Block, x: Tensor<3>) -> Tensor<3> {
        let n = self.normalise(phi, ModulePath::MlpNorm(block), &theta.mlp_norm, x.clone());
        let inner = self.linear(phi, block, Target::Fc1, theta, n);
        let inner = match self.config.activation_function {
            Activation::Relu => relu(inner),
            Activation::GeluNew => gelu_new(inner),
            Activation::Gelu => activation::gelu(inner),
        };
        let out = self.linear(phi, block, Target::Fc2, theta, inner);
        let out = phi.after(block, Sublayer::Mlp, &x, out);
        x + out
    }

    /// Where a weight meets its input, `[sequences, length, inputs]`: θ's tensors or what stands in for them,
    /// and φ's update beside them.
    fn linear(&self, phi: &dyn Compositions, block: usize, target: Target, theta: &Block, x: Tensor<3>) -> Tensor<3> {
        let theta = theta.linear(target);
        let path = ModulePath::Linear(block, target);
        let weight = &phi.matrix(path, theta.weight.val());
        let bias = &phi.bias(path, theta.bias.val());
        let at = LinearAt { block, target, weight, bias };
        let x = phi.input(at, x);
        let y = linear(x.clone(), weight.clone(), Some(bias.clone()));
        phi.update(at, &x, y)
    }

    /// LayerNorm over the last dimension, with θ's scale and bias or what stands in for them.
    fn normalise<const D: usize>(
        &self,
        phi: &dyn Compositions,
        path: ModulePath,
        theta: &LayerNorm,
        x: Tensor<D>,
    ) -> Tensor<D> {
        let scale = phi.scale(path, theta.scale.val());
        let bias = phi.bias(path, theta.bias.val());
        layer_norm(x, scale, bias, LAYER_NORM_EPSILON)
    }
}
