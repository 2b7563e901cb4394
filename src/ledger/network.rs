//! The forward pass of `model/theta.rs` once more, as shapes.

use crate::model::{Activation, At, Hook, ModelConfig, ModulePath, ParamKind, Positions, Sublayer, Target};
use crate::peft::MethodConfig;
use crate::trace::{Attention, Keeps, Place, Tape, Var};

/// What is read and predicted at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Sequences of a step.
    pub sequences: usize,
    /// Tokens of a sequence, demonstrations included, virtual tokens not.
    pub length: usize,
    /// Tokens whose loss is computed, in all sequences.
    pub predicted: usize,
    /// Tokens before these whose keys and values are known already.
    pub past: usize,
}

/// Traces a forward pass of θ with the parts of φ up to the logits, `[predicted, vocab]`.
pub struct Network<'a> {
    /// The shape of θ.
    pub model: &'a ModelConfig,
    /// Parts of φ, in the order in which they are asked.
    pub methods: &'a [&'a MethodConfig],
    /// What is read.
    pub batch: Batch,
    /// Where it is recorded.
    pub tape: &'a mut Tape,
}

impl Network<'_> {
    fn fold(&mut self, x: Var, ask: impl Fn(Var) -> Hook) -> Var {
        let (methods, tape, model) = (self.methods, &mut *self.tape, self.model);
        methods.iter().fold(x, |x, method| method.method().trace(ask(x), model, tape).unwrap_or(x))
    }

    fn first(&mut self, ask: Hook) -> Option<Var> {
        let (methods, tape, model) = (self.methods, &mut *self.tape, self.model);
        methods.iter().find_map(|method| method.method().trace(ask, model, tape))
    }

    fn theta(&mut self, place: ModulePath, piece: ParamKind) -> Var {
        let theta = self.tape.theta(&format!("{} {piece:?}", place.key()), place.elements(piece, self.model));
        self.fold(theta, |theta| Hook::Weight(place, piece, theta))
    }

    /// Places of all sequences, virtual tokens included.
    fn rows(&self, virtual_tokens: usize) -> usize {
        self.batch.sequences * (virtual_tokens + self.batch.length)
    }

    /// The forward pass: `[predicted, vocab]`.
    pub fn logits(&mut self) -> Var {
        let d = self.model.hidden_size as u64;
        // Every tensor of θ is in memory, whether a method reads it or not.
        let places: Vec<ModulePath> = ModulePath::all(self.model).collect();
        for place in &places {
            for piece in place.pieces(self.model) {
                self.tape.theta(&format!("{} {piece:?}", place.key()), place.elements(*piece, self.model));
            }
        }
        let prompt = self.first(Hook::Prompt);
        let virtual_tokens = prompt.map_or(0, |p| p.elements.div_ceil(d)) as usize;
        let rows = self.rows(virtual_tokens);

        let table = self.theta(ModulePath::Tokens, ParamKind::Matrix);
        let Batch { sequences, length, predicted, .. } = self.batch;
        let tokens = (sequences * length) as u64 * d;
        let mut x = self.tape.gather(table, tokens);
        if let Some(prompt) = prompt {
            let repeated = self.tape.expand(prompt, (sequences * virtual_tokens) as u64 * d);
            x = self.tape.concatenate(&[repeated, x]);
        }
        if let Positions::Learned { .. } = self.model.positions {
            let positions = self.theta(ModulePath::Positions, ParamKind::Matrix);
            let positions = self.tape.part(positions, (virtual_tokens + length) as u64 * d);
            x = self.tape.add(x, positions);
        }
        for block in 0..self.model.num_hidden_layers {
            let attended = self.attention(block, x, rows, virtual_tokens);
            if self.model.parallel_residual {
                let changed = self.mlp(block, x, rows);
                let changed = self.tape.add(changed, attended);
                x = self.tape.add(x, changed);
            } else {
                x = self.tape.add(x, attended);
                let changed = self.mlp(block, x, rows);
                x = self.tape.add(x, changed);
            }
        }
        self.tape.place = Place::Logits;
        let features = self.tape.gather(x, predicted as u64 * d);
        let features = self.normalise(ModulePath::FinalNorm, features, predicted);
        let head = if self.model.tied { ModulePath::Tokens } else { ModulePath::Head };
        let head = self.theta(head, ParamKind::Matrix);
        let head = self.fold(head, Hook::Head);
        self.tape.linear(features, head, None, predicted, (self.model.hidden_size, self.model.vocab_size))
    }

    fn attention(&mut self, block: usize, x: Var, rows: usize, virtual_tokens: usize) -> Var {
        self.tape.place = Place::Attention;
        let width = self.model.key_value_width();
        let Batch { sequences, length, past, .. } = self.batch;
        let n = self.normalise(ModulePath::AttentionNorm(block), x, rows);
        let mut q = self.linear(block, Target::Q, n, rows);
        let mut keys = virtual_tokens + length + past;
        let [mut k, mut v] = [Target::K, Target::V].map(|target| self.linear(block, target, n, rows));
        if self.model.normed_heads {
            q = self.normalise(ModulePath::QueryNorm(block), q, rows * self.model.num_attention_heads);
            k = self.normalise(ModulePath::KeyNorm(block), k, rows * self.model.num_key_value_heads);
        }
        if let Positions::Rotary { .. } = self.model.positions {
            [q, k] = [q, k].map(|x| self.tape.rotate(x));
        }
        if past > 0 {
            // What the cache holds is read where it is: a view of it takes part, not a copy.
            let cached = (sequences * past) as u64 * width as u64;
            (k.elements, v.elements) = (k.elements + cached, v.elements + cached);
        }
        let prefix = [0, 1].map(|of| self.first(Hook::Prefix(block, of)));
        if let [Some(prefix_k), Some(prefix_v)] = prefix {
            keys += (prefix_k.elements as usize).div_ceil(width);
            let mut front = |prefix: Var, own: Var| {
                let repeated = self.tape.expand(prefix, sequences as u64 * prefix.elements);
                self.tape.concatenate(&[repeated, own])
            };
            (k, v) = (front(prefix_k, k), front(prefix_v, v));
        }
        let heads = self.model.num_attention_heads;
        let queries = virtual_tokens + length;
        let size = Attention { sequences, heads, queries, keys, width: self.model.query_width() };
        let mixed = self.tape.attention(q, k, v, size);
        let out = self.linear(block, Target::O, mixed, rows);
        self.fold(out, |y| Hook::After { block, sublayer: Sublayer::Attention, input: x, y, rows })
    }

    fn mlp(&mut self, block: usize, x: Var, rows: usize) -> Var {
        self.tape.place = Place::Mlp;
        let n = self.normalise(ModulePath::MlpNorm(block), x, rows);
        let gate = self.model.gated.then(|| self.linear(block, Target::Gate, n, rows));
        let inner = self.linear(block, Target::Fc1, n, rows);
        let inner = match (gate, self.model.activation_function) {
            (Some(gate), _) => self.tape.gated(gate, inner),
            (None, Activation::Relu) => self.tape.relu(inner),
            (None, Activation::GeluNew) => self.tape.activation(inner, Keeps::Input, 8),
            (None, Activation::Gelu | Activation::Silu) => self.tape.activation_of_burn(inner, Keeps::Input, 8),
        };
        let out = self.linear(block, Target::Fc2, inner, rows);
        self.fold(out, |y| Hook::After { block, sublayer: Sublayer::Mlp, input: x, y, rows })
    }

    fn linear(&mut self, block: usize, target: Target, x: Var, rows: usize) -> Var {
        let place = ModulePath::Linear(block, target);
        let weight = self.theta(place, ParamKind::Matrix);
        let biased = place.pieces(self.model).contains(&ParamKind::Bias);
        let bias = biased.then(|| self.theta(place, ParamKind::Bias));
        let at = At { block, target, weight, bias, rows, shape: target.shape(self.model) };
        let x = self.fold(x, |x| Hook::Input(at, x));
        let y = self.tape.linear(x, weight, bias, rows, at.shape);
        self.fold(y, |y| Hook::Update { at, x, y })
    }

    fn normalise(&mut self, place: ModulePath, x: Var, rows: usize) -> Var {
        let scale = self.theta(place, ParamKind::Scale);
        let biased = place.pieces(self.model).contains(&ParamKind::Bias);
        match biased {
            true => {
                let bias = self.theta(place, ParamKind::Bias);
                self.tape.layer_norm(x, scale, bias, rows)
            }
            false => self.tape.rms_norm(x, scale, rows),
        }
    }
}
