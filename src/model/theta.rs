//! The network: embeddings, blocks, final norm, tied head. θ stays as it is; φ is asked at every place where it may step in.

use super::layers::{LAYER_NORM_EPSILON, LayerNorm, Linear};
use super::{Activation, Compositions, LinearAt, ModelConfig, ModulePath, Prefixed, Sublayer, Target, Text};
use crate::kernels::{attention, gelu_new, layer_norm, linear, relu};
use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData, activation};

/// One block: attention and MLP, each behind a LayerNorm and beside a residual line.
#[derive(Module, Debug)]
pub struct Block {
    pub attention_norm: LayerNorm,
    pub q: Linear,
    pub k: Linear,
    pub v: Linear,
    pub out: Linear,
    pub mlp_norm: LayerNorm,
    pub fc1: Linear,
    pub fc2: Linear,
}

impl Block {
    /// The linear layer that a method names.
    pub fn linear(&self, target: Target) -> &Linear {
        match target {
            Target::Q => &self.q,
            Target::K => &self.k,
            Target::V => &self.v,
            Target::O => &self.out,
            Target::Fc1 => &self.fc1,
            Target::Fc2 => &self.fc2,
        }
    }
}

/// The tensors of an OPT model.
#[derive(Module, Debug)]
pub struct Weights {
    /// Token embedding and, tied, the head: `[vocab, d_model]`.
    pub tokens: Param<Tensor<2>>,
    /// `[positions + 2, d_model]`, OPT's two unused rows in front.
    pub positions: Param<Tensor<2>>,
    pub blocks: Vec<Block>,
    pub final_norm: LayerNorm,
}

/// The tensors of a module.
pub struct ModuleTensors<'a> {
    pub matrix: Option<&'a Param<Tensor<2>>>,
    pub bias: Option<&'a Param<Tensor<1>>>,
    pub scale: Option<&'a Param<Tensor<1>>>,
}

impl Weights {
    /// θ's tensors in a module.
    pub fn at(&self, path: ModulePath) -> ModuleTensors<'_> {
        let norm = match path {
            ModulePath::Tokens => return ModuleTensors { matrix: Some(&self.tokens), bias: None, scale: None },
            ModulePath::Positions => return ModuleTensors { matrix: Some(&self.positions), bias: None, scale: None },
            ModulePath::Linear(block, target) => {
                let linear = self.blocks[block].linear(target);
                return ModuleTensors { matrix: Some(&linear.weight), bias: Some(&linear.bias), scale: None };
            }
            ModulePath::AttentionNorm(block) => &self.blocks[block].attention_norm,
            ModulePath::MlpNorm(block) => &self.blocks[block].mlp_norm,
            ModulePath::FinalNorm => &self.final_norm,
        };
        ModuleTensors { matrix: None, bias: Some(&norm.bias), scale: Some(&norm.scale) }
    }
}

/// θ with its shape.
#[derive(Clone, Debug)]
pub struct Model {
    pub config: ModelConfig,
    pub weights: Weights,
}

/// Token ids of a batch, padded at the right: `[sequences, length]`.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub ids: Vec<i32>,
    pub sequences: usize,
    pub length: usize,
}

impl Model {
    /// Features in front of the head at chosen places. Padding needs no mask: attention is causal and padding stands at the right.
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
        for (layer, block) in self.weights.blocks.iter().enumerate() {
            let prefix = prefixes.iter().find(|p| p.block == layer);
            x = self.attention(phi, layer, block, x, prefix);
            x = self.mlp(phi, layer, block, x);
        }

        let x = x.reshape([tokens.sequences * length, d]).select(0, rows);
        self.normalise(phi, ModulePath::FinalNorm, &self.weights.final_norm, x)
    }

    /// Logits over the vocabulary, `[rows, vocab]`, of [`features`](Self::features).
    pub fn logits(&self, phi: &dyn Compositions, tokens: &Tokens, rows: &[usize]) -> Tensor<2> {
        let features = self.features(phi, tokens, rows);
        let head = phi.head(phi.matrix(ModulePath::Tokens, self.weights.tokens.val()));
        linear(features, head.transpose(), None)
    }

    /// Token and position vectors, virtual tokens in front: `[sequences, virtual + length, d_model]`; positions from `first`.
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
        let first = self.config.position_offset() + first;
        let positions = phi.matrix(ModulePath::Positions, self.weights.positions.val());
        x + positions.slice([first..first + length, 0..d]).reshape([1, length, d])
    }

    /// x + W_O softmax(QKᵀ/√d_h) V on LayerNorm(x); `[sequences, length, d_model]` in and out.
    fn attention(
        &self,
        phi: &dyn Compositions,
        layer: usize,
        block: &Block,
        x: Tensor<3>,
        prefix: Option<&Prefixed>,
    ) -> Tensor<3> {
        let [b, _, d] = x.dims();
        let n = self.normalise(phi, ModulePath::AttentionNorm(layer), &block.attention_norm, x.clone());
        let q = self.linear(phi, layer, Target::Q, block, n.clone());
        let mut k = self.linear(phi, layer, Target::K, block, n.clone());
        let mut v = self.linear(phi, layer, Target::V, block, n);
        if let Some(Prefixed { keys, values, .. }) = prefix {
            let p = keys.dims()[0];
            let batched = |z: &Tensor<2>| z.clone().reshape([1, p, d]).expand([b, p, d]);
            k = Tensor::cat(vec![batched(keys), k], 1);
            v = Tensor::cat(vec![batched(values), v], 1);
        }
        let mixed = attention(q, k, v, self.config.num_attention_heads);
        let out = self.linear(phi, layer, Target::O, block, mixed);
        let out = phi.after(layer, Sublayer::Attention, &x, out);
        x + out
    }

    /// x + W₂ act(W₁ LayerNorm(x)).
    fn mlp(&self, phi: &dyn Compositions, layer: usize, block: &Block, x: Tensor<3>) -> Tensor<3> {
        let n = self.normalise(phi, ModulePath::MlpNorm(layer), &block.mlp_norm, x.clone());
        let inner = self.linear(phi, layer, Target::Fc1, block, n);
        let inner = match self.config.activation_function {
            Activation::Relu => relu(inner),
            Activation::GeluNew => gelu_new(inner),
            Activation::Gelu => activation::gelu(inner),
        };
        let out = self.linear(phi, layer, Target::Fc2, block, inner);
        let out = phi.after(layer, Sublayer::Mlp, &x, out);
        x + out
    }

    /// Where a weight meets its input: θ's tensors or what stands in for them, and φ's update beside them.
    fn linear(&self, phi: &dyn Compositions, layer: usize, target: Target, block: &Block, x: Tensor<3>) -> Tensor<3> {
        let theta = block.linear(target);
        let place = ModulePath::Linear(layer, target);
        let weight = &phi.matrix(place, theta.weight.val());
        let bias = &phi.bias(place, theta.bias.val());
        let at = LinearAt { block: layer, target, weight, bias };
        let x = phi.input(at, x);
        let y = linear(x.clone(), weight.clone(), Some(bias.clone()));
        phi.update(at, &x, y)
    }

    fn normalise<const D: usize>(
        &self,
        phi: &dyn Compositions,
        place: ModulePath,
        theta: &LayerNorm,
        x: Tensor<D>,
    ) -> Tensor<D> {
        let scale = phi.scale(place, theta.scale.val());
        let bias = phi.bias(place, theta.bias.val());
        layer_norm(x, scale, bias, LAYER_NORM_EPSILON)
    }

    /// A network with φ folded into its weights, which answers as θ with φ does. θ itself stays as it is, so that unmerging is
    /// going back to it, exactly. Only for methods whose [`merges`](crate::peft::MethodInfo::merges) says so.
    pub fn merged(&self, phi: &dyn Compositions) -> Model {
        let norm = |place: ModulePath, theta: &LayerNorm| LayerNorm {
            scale: Param::from_tensor(phi.scale(place, theta.scale.val())),
            bias: Param::from_tensor(phi.bias(place, theta.bias.val())),
        };
        let blocks = self.weights.blocks.iter().enumerate().map(|(layer, block)| {
            let folded = |target: Target| {
                let (theta, place) = (block.linear(target), ModulePath::Linear(layer, target));
                let weight = &phi.matrix(place, theta.weight.val());
                let bias = &phi.bias(place, theta.bias.val());
                let (weight, bias) = phi.merged(LinearAt { block: layer, target, weight, bias });
                Linear { weight: Param::from_tensor(weight), bias: Param::from_tensor(bias) }
            };
            Block {
                attention_norm: norm(ModulePath::AttentionNorm(layer), &block.attention_norm),
                q: folded(Target::Q),
                k: folded(Target::K),
                v: folded(Target::V),
                out: folded(Target::O),
                mlp_norm: norm(ModulePath::MlpNorm(layer), &block.mlp_norm),
                fc1: folded(Target::Fc1),
                fc2: folded(Target::Fc2),
            }
        });
        let weights = Weights {
            tokens: Param::from_tensor(phi.matrix(ModulePath::Tokens, self.weights.tokens.val())),
            positions: Param::from_tensor(phi.matrix(ModulePath::Positions, self.weights.positions.val())),
            blocks: blocks.collect(),
            final_norm: norm(ModulePath::FinalNorm, &self.weights.final_norm),
        };
        Model { config: self.config.clone(), weights }
    }
}

impl Tokens {
    /// With the tokens of a discrete prompt in each sequence.
    fn with_text(&self, text: Option<&Text>) -> Tokens {
        let Some(Text { tokens, after }) = text.filter(|text| text.after <= self.length && self.length > 0) else {
            return self.clone();
        };
        let ids =
            self.ids.chunks(self.length).flat_map(|s| s[..*after].iter().chain(tokens).chain(&s[*after..]).copied());
        Tokens { ids: ids.collect(), sequences: self.sequences, length: self.length + tokens.len() }
    }
}
