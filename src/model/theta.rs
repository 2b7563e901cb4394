//! The network: embeddings, blocks, final norm, head. θ stays as it is; φ is asked at every place where
//! it may step in.

use super::layers::NormTensors;
use super::{
    Activation, Block, Composition, Compositions, LinearAt, Matrix, ModelConfig, ModulePath, NormKind, ParamKind,
    Positions, Prefixed, Sublayer, Target, Tokens, Weights,
};
use crate::kernels::{Heads, Rotation, attention, gated, gelu_new, layer_norm, relu, rms_norm, rotate, sum};
use burn::tensor::{Device, Int, Tensor, TensorData, activation};

/// No φ: θ alone.
struct Alone;

impl Compositions for Alone {
    fn part(&self, _i: usize) -> Option<&dyn Composition> {
        None
    }

    fn lambda(&self) -> f64 {
        1.0
    }
}

/// θ with its shape.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its shape and family.
    pub config: ModelConfig,
    /// Its tensors.
    pub weights: Weights,
}

impl Model {
    /// Bytes of θ on its device.
    pub fn bytes(&self) -> u64 {
        let config = &self.config;
        let of = |path: ModulePath| {
            let packed = match self.weights.at(path).matrix {
                Some(Matrix::Packed(packed)) => Some(packed.bytes() as u64),
                _ => None,
            };
            let pieces = path.pieces(config).iter().map(|piece| match (piece, packed) {
                (ParamKind::Matrix, Some(bytes)) => bytes,
                _ => 4 * path.elements(*piece, config),
            });
            pieces.sum::<u64>()
        };
        ModulePath::all(config).map(of).sum()
    }

    /// Logits over the vocabulary, `[rows, vocab]`, of [`features`](Self::features).
    pub fn logits(&self, phi: &dyn Compositions, tokens: &Tokens, rows: &[usize]) -> Tensor<2> {
        let features = self.features(phi, tokens, rows);
        let path = if self.config.tied { ModulePath::Tokens } else { ModulePath::Head };
        let head = phi.head(phi.matrix(path, self.weights.head().clone()));
        head.transposed().linear(features, None)
    }

    /// Features in front of the head at chosen places. Padding needs no mask: attention is causal and padding
    /// stands at the right.
    ///
    /// `rows` are places in the flattened `[sequences, length]` of `tokens`. Returns `[rows, d_model]`.
    pub fn features(&self, phi: &dyn Compositions, tokens: &Tokens, rows: &[usize]) -> Tensor<2> {
        let device = self.weights.tokens.device();
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
            x = self.block(phi, block, theta, x, prefix, first);
        }

        let x = x.reshape([tokens.sequences * length, d]).select(0, rows);
        self.normalise(phi, ModulePath::FinalNorm, &self.weights.final_norm, x)
    }

    /// The keys and values that θ alone computes in every block for a text from position 0 on: normed and
    /// turned where the model does so, as they stand in transformers' cache.
    pub fn keys_and_values(&self, text: &[u32]) -> Vec<Prefixed> {
        let (n, width) = (text.len(), self.config.key_value_width());
        let tokens = Tokens { ids: text.iter().map(|id| *id as i32).collect(), sequences: 1, length: n };
        let mut x = self.embed(&Alone, &tokens, None, 0, &self.weights.tokens.device());
        let mut found = Vec::new();
        for (block, theta) in self.weights.blocks.iter().enumerate() {
            let [_, keys, values] = self.heads(&Alone, block, theta, &x, 0);
            let [keys, values] = [keys, values].map(|z| z.reshape([n, width]));
            found.push(Prefixed { block, keys, values });
            x = self.block(&Alone, block, theta, x, None, 0);
        }
        found
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
        let table = phi.matrix(ModulePath::Tokens, self.weights.tokens.clone());
        let mut x = table.rows(ids).reshape([tokens.sequences, tokens.length, d]);
        if let Some(prompt) = prompt {
            let n = prompt.dims()[0];
            let prompt = prompt.reshape([1, n, d]).expand([tokens.sequences, n, d]);
            x = Tensor::cat(vec![prompt, x], 1);
        }
        match (self.config.positions, &self.weights.positions) {
            (Positions::Learned { unused_rows }, Some(table)) => {
                let (length, first) = (x.dims()[1], unused_rows + first);
                let positions = phi.matrix(ModulePath::Positions, Matrix::Full(table.clone())).dense();
                x + positions.slice([first..first + length, 0..d]).reshape([1, length, d])
            }
            _ => x,
        }
    }

    /// A block with its residual lines; `[sequences, length, d_model]` in and out. The text's positions begin at
    /// `first`.
    fn block(
        &self,
        phi: &dyn Compositions,
        block: usize,
        theta: &Block,
        x: Tensor<3>,
        prefix: Option<&Prefixed>,
        first: usize,
    ) -> Tensor<3> {
        let attended = self.attention(phi, block, theta, &x, prefix, first);
        if self.config.parallel_residual {
            let changed = self.mlp(phi, block, theta, &x) + attended;
            return sum(x, changed);
        }
        let x = sum(x, attended);
        let changed = self.mlp(phi, block, theta, &x);
        sum(x, changed)
    }

    /// W_O softmax(QKᵀ/√d_h) V on norm(x), with what φ makes of it; `[sequences, length, d_model]` in and out.
    /// `theta` is the block's. The text's positions begin at `first`.
    fn attention(
        &self,
        phi: &dyn Compositions,
        block: usize,
        theta: &Block,
        x: &Tensor<3>,
        prefix: Option<&Prefixed>,
        first: usize,
    ) -> Tensor<3> {
        let b = x.dims()[0];
        let [q, mut k, mut v] = self.heads(phi, block, theta, x, first);
        // A prefix stands as it is: what was learned is not turned, as keys in transformers' cache are not again.
        if let Some(Prefixed { keys, values, .. }) = prefix {
            let [p, width] = keys.dims();
            let batched = |z: &Tensor<2>| z.clone().reshape([1, p, width]).expand([b, p, width]);
            k = Tensor::cat(vec![batched(keys), k], 1);
            v = Tensor::cat(vec![batched(values), v], 1);
        }
        let heads = Heads { queries: self.config.num_attention_heads, keys: self.config.num_key_value_heads };
        let mixed = attention(q, k, v, heads);
        let out = self.linear(phi, block, Target::O, theta, mixed);
        phi.after(block, Sublayer::Attention, x, out)
    }

    /// Queries, keys and values of all heads side by side, normed and turned where the model does so; `x` is
    /// `[sequences, length, d_model]`.
    fn heads(
        &self,
        phi: &dyn Compositions,
        block: usize,
        theta: &Block,
        x: &Tensor<3>,
        first: usize,
    ) -> [Tensor<3>; 3] {
        let n = self.normalise(phi, ModulePath::AttentionNorm(block), &theta.attention_norm, x.clone());
        let mut q = self.linear(phi, block, Target::Q, theta, n.clone());
        let mut k = self.linear(phi, block, Target::K, theta, n.clone());
        let v = self.linear(phi, block, Target::V, theta, n);
        if let Some(norms) = &theta.head_norms {
            q = self.normalise_heads(phi, ModulePath::QueryNorm(block), &norms.queries, q);
            k = self.normalise_heads(phi, ModulePath::KeyNorm(block), &norms.keys, k);
        }
        if let Positions::Rotary { base, dims } = self.config.positions {
            let rotation = Rotation { head_dim: self.config.head_dim, dims, base: base as f32, first };
            [q, k] = [q, k].map(|x| rotate(x, rotation));
        }
        [q, k, v]
    }

    /// W₂ act(W₁n), or W₂(act(W_gate n) ⊙ W₁n), on n = norm(x), with what φ makes of it;
    /// `[sequences, length, d_model]` in and out. `theta` is the block's.
    fn mlp(&self, phi: &dyn Compositions, block: usize, theta: &Block, x: &Tensor<3>) -> Tensor<3> {
        let n = self.normalise(phi, ModulePath::MlpNorm(block), &theta.mlp_norm, x.clone());
        let gate = self.config.gated.then(|| self.linear(phi, block, Target::Gate, theta, n.clone()));
        let inner = self.linear(phi, block, Target::Fc1, theta, n);
        let inner = match (gate, self.config.activation_function) {
            // A family's gate is SiLU's.
            (Some(gate), _) => gated(gate, inner),
            (None, Activation::Relu) => relu(inner),
            (None, Activation::GeluNew) => gelu_new(inner),
            (None, Activation::Gelu) => activation::gelu(inner),
            (None, Activation::Silu) => activation::silu(inner),
        };
        let out = self.linear(phi, block, Target::Fc2, theta, inner);
        phi.after(block, Sublayer::Mlp, x, out)
    }

    /// Where a weight meets its input, `[sequences, length, inputs]`: θ's tensors or what stands in for them,
    /// and φ's update beside them.
    fn linear(&self, phi: &dyn Compositions, block: usize, target: Target, theta: &Block, x: Tensor<3>) -> Tensor<3> {
        let theta = theta.linear(target);
        let path = ModulePath::Linear(block, target);
        let weight = &phi.matrix(path, theta.weight.clone());
        let bias = theta.bias().map(|bias| phi.bias(path, bias));
        let at = LinearAt { block, target, weight, bias: bias.as_ref() };
        let x = phi.input(at, x);
        let y = weight.linear(x.clone(), bias.clone());
        phi.update(at, &x, y)
    }

    /// The base's norm over the last dimension, with θ's scale and bias or what stands in for them.
    fn normalise<const D: usize>(
        &self,
        phi: &dyn Compositions,
        path: ModulePath,
        theta: &NormTensors,
        x: Tensor<D>,
    ) -> Tensor<D> {
        let scale = phi.scale(path, theta.scale.val());
        let epsilon = self.config.norm.epsilon;
        match (self.config.norm.kind, &theta.bias) {
            (NormKind::Layer, Some(bias)) => layer_norm(x, scale, phi.bias(path, bias.val()), epsilon),
            _ => rms_norm(x, scale, epsilon),
        }
    }

    /// An RMSNorm of every head alone: `[sequences, length, heads · head_dim]`.
    fn normalise_heads(
        &self,
        phi: &dyn Compositions,
        path: ModulePath,
        theta: &NormTensors,
        x: Tensor<3>,
    ) -> Tensor<3> {
        let ([b, t, width], head_dim) = (x.dims(), self.config.head_dim);
        let heads = x.reshape([b, t, width / head_dim, head_dim]);
        let scale = phi.scale(path, theta.scale.val());
        rms_norm(heads, scale, self.config.norm.epsilon).reshape([b, t, width])
    }
}
