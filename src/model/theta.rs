//! The network: embeddings, blocks, final norm, head. θ stays as it is; φ is asked at every place where
//! it may step in.

use super::cache::{Cache, Span};
use super::layers::NormTensors;
use super::matrix::linears;
use super::{
    Activation, Block, Composition, Compositions, LinearAt, Matrix, ModelConfig, ModulePath, NormKind, ParamKind,
    Positions, Prefixed, Sublayer, Target, Tokens, Weights,
};
use crate::kernels::{
    Heads, Rotation, attention, gated, gelu_new, layer_norm, relu, rms_norm, rotate, sum, sum_layer_norm, sum_rms_norm,
    turned_attention,
};
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

/// A residual line with what a sub-layer gave to it, which is added where the line is read.
struct Line {
    x: Tensor<3>,
    given: Option<Tensor<3>>,
}

impl Line {
    /// One to which nothing is to be added.
    fn of(x: Tensor<3>) -> Line {
        Line { x, given: None }
    }

    fn whole(self) -> Tensor<3> {
        match self.given {
            Some(given) => sum(self.x, given),
            None => self.x,
        }
    }
}

/// What stands in front of the tokens that are read.
struct Front<'a> {
    /// At which position each sequence begins, or goes on: one for all where nothing is cached.
    spans: Vec<Span>,
    /// Keys and values that φ puts in front of texts that begin.
    prefixes: Vec<Prefixed>,
    /// Keys and values of what was read before; those of these tokens come behind them.
    cache: Option<&'a mut Cache>,
}

impl Front<'_> {
    /// Nothing, for so many texts.
    fn none(sequences: usize) -> Front<'static> {
        Front { spans: vec![Span { sequences, first: 0 }], prefixes: Vec::new(), cache: None }
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
    /// The network without the blocks behind the first `n`; its tensors are these.
    pub fn first_blocks(&self, n: usize) -> Model {
        let blocks = self.weights.blocks.iter().take(n).cloned().collect();
        Model { config: self.config.clone(), weights: Weights { blocks, ..self.weights.clone() } }
    }

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
        self.head(phi, self.features(phi, tokens, rows))
    }

    /// Reads on in texts: of each the tokens that come behind what `cache` has, at least one. Logits over the vocabulary
    /// behind the last of each, `[texts, vocab]`. An empty cache begins, with what φ puts in front of a text.
    pub fn go_on<T: AsRef<[u32]>>(&self, phi: &dyn Compositions, cache: &mut Cache, texts: &[T]) -> Tensor<2> {
        let (tokens, rows) = Tokens::padded(texts);
        self.head(phi, self.read_on(phi, &tokens, &rows, Some(cache)))
    }

    fn head(&self, phi: &dyn Compositions, features: Tensor<2>) -> Tensor<2> {
        let path = if self.config.tied { ModulePath::Tokens } else { ModulePath::Head };
        let head = phi.head(phi.matrix(path, self.weights.head().clone()));
        head.transposed().linear(features, None)
    }

    /// Features in front of the head at chosen places. Padding needs no mask: attention is causal and padding
    /// stands at the right.
    ///
    /// `rows` are places in the flattened `[sequences, length]` of `tokens`. Returns `[rows, d_model]`.
    pub fn features(&self, phi: &dyn Compositions, tokens: &Tokens, rows: &[usize]) -> Tensor<2> {
        self.read_on(phi, tokens, rows, None)
    }

    /// The same behind what `cache` has, which then has these tokens too, up to the row of each sequence.
    fn read_on(
        &self,
        phi: &dyn Compositions,
        tokens: &Tokens,
        rows: &[usize],
        mut cache: Option<&mut Cache>,
    ) -> Tensor<2> {
        let device = self.weights.tokens.device();
        let d = self.config.hidden_size;
        // What φ puts in front of a text is read where that begins.
        let begins = cache.as_ref().is_none_or(|cache| cache.is_empty());
        let padding = |row: &usize| tokens.length - 1 - row % tokens.length;
        let padding: Option<Vec<usize>> = cache.is_some().then(|| rows.iter().map(padding).collect());
        let text = phi.text().filter(|_| begins);
        let (told, tokens) = (tokens.length, &tokens.with_text(text));
        let (after, written) = text.map_or((0, 0), |text| (text.after, text.tokens.len()));
        let prompt = if begins { phi.prompt() } else { None };
        let virtual_tokens = prompt.as_ref().map_or(0, |p| p.dims()[0]);
        let prefixes = if begins { phi.prefixes() } else { Vec::new() };
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

        let start = Span { sequences: tokens.sequences, first };
        if let Some(cache) = cache.as_deref_mut().filter(|_| begins) {
            cache.begin(start);
        }
        let spans = cache.as_ref().map_or_else(|| vec![start], |cache| cache.spans());
        let mut line = Line::of(self.embed(phi, tokens, prompt, &spans, &device));
        let mut front = Front { spans, prefixes, cache };
        for (block, theta) in self.weights.blocks.iter().enumerate() {
            line = self.block(phi, block, theta, line, &mut front);
        }
        if let (Some(cache), Some(padding)) = (front.cache, padding) {
            cache.passed(length, &padding);
        }

        let x = line.whole().reshape([tokens.sequences * length, d]).select(0, rows);
        self.normalise(phi, ModulePath::FinalNorm, &self.weights.final_norm, x)
    }

    /// The keys and values that θ alone computes in every block for a text from position 0 on: normed and
    /// turned where the model does so, as they stand in transformers' cache.
    pub fn keys_and_values(&self, text: &[u32]) -> Vec<Prefixed> {
        let (n, width) = (text.len(), self.config.key_value_width());
        let tokens = Tokens { ids: text.iter().map(|id| *id as i32).collect(), sequences: 1, length: n };
        let mut front = Front::none(1);
        let mut x = self.embed(&Alone, &tokens, None, &front.spans, &self.weights.tokens.device());
        let mut found = Vec::new();
        for (block, theta) in self.weights.blocks.iter().enumerate() {
            let normed = self.normalise(&Alone, ModulePath::AttentionNorm(block), &theta.attention_norm, x.clone());
            let [_, keys, values] = self.heads(&Alone, block, theta, normed);
            let keys = self.rotation(0).map_or(keys.clone(), |rotation| rotate(keys, rotation));
            let [keys, values] = [keys, values].map(|z| z.reshape([n, width]));
            found.push(Prefixed { block, keys, values });
            x = self.block(&Alone, block, theta, Line::of(x), &mut front).whole();
        }
        found
    }

    /// Token and position vectors, virtual tokens in front: `[sequences, virtual + length, d_model]`.
    fn embed(
        &self,
        phi: &dyn Compositions,
        tokens: &Tokens,
        prompt: Option<Tensor<2>>,
        spans: &[Span],
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
                let length = x.dims()[1];
                let positions = phi.matrix(ModulePath::Positions, Matrix::Full(table.clone())).dense();
                let of = |first: usize| {
                    let first = unused_rows + first;
                    positions.clone().slice([first..first + length, 0..d]).reshape([1, length, d])
                };
                match spans {
                    [all] => x + of(all.first),
                    spans => {
                        x + Tensor::cat(spans.iter().map(|s| of(s.first).expand([s.sequences, length, d])).collect(), 0)
                    }
                }
            }
            _ => x,
        }
    }

    /// A block with its residual lines; `[sequences, length, d_model]` in and out.
    fn block(&self, phi: &dyn Compositions, block: usize, theta: &Block, line: Line, front: &mut Front<'_>) -> Line {
        let norm = (ModulePath::AttentionNorm(block), &theta.attention_norm);
        let (x, normed) = self.read(phi, norm, line);
        let attended = self.attention(phi, block, theta, &x, normed, front);
        let norm = (ModulePath::MlpNorm(block), &theta.mlp_norm);
        if self.config.parallel_residual {
            let normed = self.normalise(phi, norm.0, norm.1, x.clone());
            let changed = self.mlp(phi, block, theta, &x, normed) + attended;
            return Line { x, given: Some(changed) };
        }
        let (x, normed) = self.read(phi, norm, Line { x, given: Some(attended) });
        let changed = self.mlp(phi, block, theta, &x, normed);
        Line { x, given: Some(changed) }
    }

    /// A residual line and its norm.
    fn read(
        &self,
        phi: &dyn Compositions,
        (path, theta): (ModulePath, &NormTensors),
        line: Line,
    ) -> (Tensor<3>, Tensor<3>) {
        let Some(given) = line.given else {
            let normed = self.normalise(phi, path, theta, line.x.clone());
            return (line.x, normed);
        };
        let scale = phi.scale(path, theta.scale.val());
        let epsilon = self.config.norm.epsilon;
        match (self.config.norm.kind, &theta.bias) {
            (NormKind::Layer, Some(bias)) => sum_layer_norm(line.x, given, scale, phi.bias(path, bias.val()), epsilon),
            _ => sum_rms_norm(line.x, given, scale, epsilon),
        }
    }

    /// W_O softmax(QKᵀ/√d_h) V on norm(x), with what φ makes of it; `[sequences, length, d_model]` in and out.
    /// `theta` is the block's.
    fn attention(
        &self,
        phi: &dyn Compositions,
        block: usize,
        theta: &Block,
        x: &Tensor<3>,
        normed: Tensor<3>,
        Front { spans, prefixes, cache }: &mut Front<'_>,
    ) -> Tensor<3> {
        let heads = Heads { queries: self.config.num_attention_heads, keys: self.config.num_key_value_heads };
        let [q, k, v] = self.heads(phi, block, theta, normed);
        let prefix = prefixes.iter().find(|p| p.block == block);
        let rotation = spans.first().and_then(|span| self.rotation(span.first));
        let mixed = match (cache, prefix, rotation) {
            (Some(cache), prefix, _) => cache.attend(block, [q, k, v], heads, prefix, |first| self.rotation(first)),
            (None, None, None) => attention(q, k, v, heads),
            (None, None, Some(rotation)) => turned_attention(q, k, v, heads, rotation),
            (None, Some(prefix), rotation) => {
                let [q, k] = [q, k].map(|x| match rotation {
                    Some(rotation) => rotate(x, rotation),
                    None => x,
                });
                let [k, v] = prefix.in_front_of([k, v]);
                attention(q, k, v, heads)
            }
        };
        let out = self.linear(phi, block, Target::O, theta, mixed);
        phi.after(block, Sublayer::Attention, x, out)
    }

    /// How queries and keys are turned from a position on, where the model does so.
    fn rotation(&self, first: usize) -> Option<Rotation> {
        match self.config.positions {
            Positions::Rotary { base, dims } => {
                Some(Rotation { head_dim: self.config.head_dim, dims, base: base as f32, first })
            }
            _ => None,
        }
    }

    /// Queries, keys and values of all heads side by side, normed where the model does so, not turned; `n` is
    /// `[sequences, length, d_model]`.
    fn heads(&self, phi: &dyn Compositions, block: usize, theta: &Block, n: Tensor<3>) -> [Tensor<3>; 3] {
        let [mut q, mut k, v] = self.linears(phi, block, [Target::Q, Target::K, Target::V], theta, n);
        if let Some(norms) = &theta.head_norms {
            q = self.normalise_heads(phi, ModulePath::QueryNorm(block), &norms.queries, q);
            k = self.normalise_heads(phi, ModulePath::KeyNorm(block), &norms.keys, k);
        }
        [q, k, v]
    }

    /// W₂ act(W₁n), or W₂(act(W_gate n) ⊙ W₁n), on n = norm(x), with what φ makes of it;
    /// `[sequences, length, d_model]` in and out. `theta` is the block's.
    fn mlp(&self, phi: &dyn Compositions, block: usize, theta: &Block, x: &Tensor<3>, n: Tensor<3>) -> Tensor<3> {
        let inner = if self.config.gated {
            // A family's gate is SiLU's.
            let [gate, inner] = self.linears(phi, block, [Target::Gate, Target::Fc1], theta, n);
            gated(gate, inner)
        } else {
            let inner = self.linear(phi, block, Target::Fc1, theta, n);
            match self.config.activation_function {
                Activation::Relu => relu(inner),
                Activation::GeluNew => gelu_new(inner),
                Activation::Gelu => activation::gelu(inner),
                Activation::Silu => activation::silu(inner),
            }
        };
        let out = self.linear(phi, block, Target::Fc2, theta, inner);
        phi.after(block, Sublayer::Mlp, x, out)
    }

    /// Where a weight meets its input, `[sequences, length, inputs]`: θ's tensors or what stands in for them,
    /// and φ's update beside them.
    fn linear(&self, phi: &dyn Compositions, block: usize, target: Target, theta: &Block, x: Tensor<3>) -> Tensor<3> {
        let [y] = self.linears(phi, block, [target], theta, x);
        y
    }

    /// Where several weights meet one input.
    fn linears<const N: usize>(
        &self,
        phi: &dyn Compositions,
        block: usize,
        targets: [Target; N],
        theta: &Block,
        x: Tensor<3>,
    ) -> [Tensor<3>; N] {
        let layers = targets.map(|target| {
            let (theta, path) = (theta.linear(target), ModulePath::Linear(block, target));
            (phi.matrix(path, theta.weight.clone()), theta.bias().map(|bias| phi.bias(path, bias)))
        });
        let at = |i: usize| {
            let (weight, bias) = &layers[i];
            LinearAt { block, target: targets[i], weight, bias: bias.as_ref() }
        };
        let changed: [Option<Tensor<3>>; N] = std::array::from_fn(|i| phi.input(at(i), &x));
        // What φ changes the input of is computed by itself.
        let ys = if changed.iter().all(Option::is_none) {
            linears(&x, &layers)
        } else {
            std::array::from_fn(|i| {
                let (weight, bias) = &layers[i];
                weight.linear(changed[i].as_ref().unwrap_or(&x).clone(), bias.clone())
            })
        };
        let mut i = 0;
        ys.map(|y| {
            i += 1;
            phi.update(at(i - 1), changed[i - 1].as_ref().unwrap_or(&x), y)
        })
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
