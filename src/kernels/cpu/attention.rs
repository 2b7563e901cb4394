//! Causal attention of all heads, forward and backward, on slices.

use super::gemm::multiply;
use super::slices::{causal_softmax, causal_softmax_backward};
use super::view::{View, Write};
use crate::kernels::Heads;

/// Shape of an attention: queries `[sequences, queries, width]`, keys and values
/// `[sequences, keys, key width]`, a head in each `width / heads` columns. The first `keys − queries` keys are a prefix, seen from
/// everywhere.
#[derive(Clone, Copy, Debug)]
pub struct Attention {
    /// Sequences of the batch.
    pub sequences: usize,
    /// Queries of a sequence.
    pub queries: usize,
    /// Keys of a sequence, as many as queries or more.
    pub keys: usize,
    /// Columns of all heads of queries together.
    pub width: usize,
    /// Heads of a sequence.
    pub heads: Heads,
}

/// Where a head lies in queries (or keys), and where its weights are.
struct Head {
    /// First element in tensors of queries, and of keys.
    q: usize,
    k: usize,
    /// Elements of `[heads, queries, keys]` weights.
    weights: std::ops::Range<usize>,
    /// What becomes of its keys' gradients: heads that share keys add theirs.
    write: Write,
}

impl Attention {
    /// Elements of the weights.
    pub fn weights(&self) -> usize {
        self.sequences * self.heads.queries * self.queries * self.keys
    }

    fn head_dim(&self) -> usize {
        self.width / self.heads.queries
    }

    /// Columns of all heads of keys together.
    fn key_width(&self) -> usize {
        self.heads.keys * self.head_dim()
    }

    fn scale(&self) -> f32 {
        1.0 / (self.head_dim() as f32).sqrt()
    }

    fn each(&self) -> impl Iterator<Item = Head> + use<> {
        let a = *self;
        let size = a.queries * a.keys;
        let (heads, group) = (a.heads.queries, a.heads.group());
        (0..a.sequences * heads).map(move |i| {
            let (sequence, head) = (i / heads, i % heads);
            Head {
                q: sequence * a.queries * a.width + head * a.head_dim(),
                k: sequence * a.keys * a.key_width() + head / group * a.head_dim(),
                weights: i * size..(i + 1) * size,
                write: if head % group == 0 { Write::Replace } else { Write::Add },
            }
        })
    }

    fn of_queries<'a>(&self, x: &'a [f32], head: &Head) -> View<'a> {
        View::spaced(&x[head.q..], self.queries, self.head_dim(), self.width)
    }

    fn of_keys<'a>(&self, x: &'a [f32], head: &Head) -> View<'a> {
        View::spaced(&x[head.k..], self.keys, self.head_dim(), self.key_width())
    }

    fn square<'a>(&self, weights: &'a [f32]) -> View<'a> {
        View::new(weights, self.queries, self.keys)
    }

    /// softmax(Q Kᵀ/√d_h) V of every head into `out`, `[sequences, queries, width]`, and the weights,
    /// `[sequences, heads, queries, keys]`.
    pub fn forward(&self, q: &[f32], k: &[f32], v: &[f32], weights: &mut [f32], out: &mut [f32]) {
        for head in self.each() {
            let w = &mut weights[head.weights.clone()];
            multiply(w, self.keys, Write::Replace, self.of_queries(q, &head), self.of_keys(k, &head).transposed());
            causal_softmax(w, self.scale(), self.keys - self.queries, self.queries);
            multiply(&mut out[head.q..], self.width, Write::Replace, self.square(w), self.of_keys(v, &head));
        }
    }

    /// Gradients from that of the output, into those that are wanted. All of `inputs` and `wanted` are of q,
    /// k and v.
    pub fn backward(&self, inputs: [&[f32]; 3], weights: &[f32], gradient: &[f32], wanted: [Option<&mut [f32]>; 3]) {
        let ([q, k, v], [mut of_q, mut of_k, mut of_v]) = (inputs, wanted);
        let mut scores = vec![0.0; self.queries * self.keys];
        for head in self.each() {
            let w = &weights[head.weights.clone()];
            let g = self.of_queries(gradient, &head);
            if let Some(of_v) = &mut of_v {
                multiply(&mut of_v[head.k..], self.key_width(), head.write, self.square(w).transposed(), g);
            }
            if of_q.is_none() && of_k.is_none() {
                continue;
            }
            multiply(&mut scores, self.keys, Write::Replace, g, self.of_keys(v, &head).transposed());
            causal_softmax_backward(w, self.scale(), self.keys - self.queries, self.queries, &mut scores);
            let s = self.square(&scores);
            if let Some(of_q) = &mut of_q {
                multiply(&mut of_q[head.q..], self.width, Write::Replace, s, self.of_keys(k, &head));
            }
            if let Some(of_k) = &mut of_k {
                let q = self.of_queries(q, &head);
                multiply(&mut of_k[head.k..], self.key_width(), head.write, s.transposed(), q);
            }
        }
    }
}
