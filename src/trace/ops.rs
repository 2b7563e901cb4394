//! The operations of a forward pass: what each makes, keeps and hands back, and its floating-point
//! operations.

use super::flops::Flops;
use super::tape::{Class, Handed, NUMBER, Tape, Var};

/// Numbers of a packed matrix that the kernels unpack at a time: a megabyte, so that they stay in the second cache
/// until they are used.
pub const UNPACKED: usize = 1 << 18;

/// What a non-linearity keeps for its gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// Nothing: its gradient is the same everywhere.
    Nothing,
    /// Its input.
    Input,
    /// Its output.
    Output,
}

/// Shape of an attention: a head in each `width / heads` columns.
#[derive(Clone, Copy, Debug)]
pub struct Attention {
    /// Sequences of the batch.
    pub sequences: usize,
    /// Heads of a sequence.
    pub heads: usize,
    /// Positions of a sequence that ask.
    pub queries: usize,
    /// Positions that are looked at, those of a prefix or of a cache included.
    pub keys: usize,
    /// Columns of all heads together, `d_model`.
    pub width: usize,
}

impl Tape {
    /// x·W + b: `[rows, inputs]` by `[inputs, outputs]`, the `shape`, to `[rows, outputs]`.
    pub fn linear(&mut self, x: Var, weight: Var, bias: Option<Var>, rows: usize, shape: (usize, usize)) -> Var {
        let (rows, inputs, outputs) = (rows as u64, shape.0 as u64, shape.1 as u64);
        let biased = bias.is_some_and(|b| b.tracked);
        let y = self.var(rows * outputs, Class::Activation, x.tracked || weight.tracked || biased);
        let product = (2 * rows * inputs * outputs) as f64;
        let sum = bias.map_or(0, |_| rows * outputs) as f64;
        let gradients = f64::from(u8::from(weight.tracked)) + f64::from(u8::from(x.tracked));
        self.flops(
            Flops { matrices: product, other: sum },
            Flops { matrices: gradients * product, other: if biased { sum } else { 0.0 } },
        );
        let mut kept = Vec::new();
        kept.extend(weight.tracked.then_some(x));
        kept.extend(x.tracked.then_some(weight));
        let mut handed = vec![(weight, Handed::Made), (x, Handed::Made)];
        handed.extend(bias.map(|bias| (bias, Handed::Made)));
        let reads: Vec<Var> = [x, weight].into_iter().chain(bias).collect();
        let slab = self.unpacked(weight);
        self.push(&reads, y, &kept, &handed, [slab, slab])
    }

    /// Bytes of a matrix that a product has unpacked at a time: none of what is in single precision.
    fn unpacked(&self, weight: Var) -> u64 {
        let packed = self.stored.is_some() && self.storages[weight.storage].class == Class::Theta;
        if packed { NUMBER * weight.elements.min(UNPACKED as u64) } else { 0 }
    }

    /// A linear layer of φ with its bias: `[rows, inputs]` to `[rows, outputs]`.
    pub fn layer(&mut self, name: &str, x: Var, rows: usize, (inputs, outputs): (usize, usize)) -> Var {
        let weight = self.phi(&format!("{name} weight"), inputs as u64 * outputs as u64);
        let bias = self.phi(&format!("{name} bias"), outputs as u64);
        self.linear(x, weight, Some(bias), rows, (inputs, outputs))
    }

    /// y + s·(x·A)·B, first x·A: `x` is `[rows, inputs]`, A `[inputs, rank]`, B `[rank, outputs]`.
    ///
    /// `y`, `[rows, outputs]`, is changed where it is. `shape` is `(inputs, outputs)`.
    pub fn add_low_rank(
        &mut self,
        y: Var,
        x: Var,
        [a, b]: [Var; 2],
        rows: usize,
        shape: (usize, usize),
        rank: usize,
    ) -> Var {
        let (rows, rank) = (rows as u64, rank as u64);
        let (inputs, outputs) = (shape.0 as u64, shape.1 as u64);
        let inner = self.var(rows * rank, Class::Activation, true);
        // y is changed where it is.
        let out = self.named_anew(y.storage, rows * outputs, true);
        let (down, up) = ((2 * rows * inputs * rank) as f64, (2 * rows * rank * outputs) as f64);
        // Of B; of x·A; of A; and of x where it has one.
        let backward = 2.0 * up + down + if x.tracked { down } else { 0.0 };
        self.flops(
            Flops { matrices: down + up, other: (rows * (outputs + rank)) as f64 },
            Flops { matrices: backward, other: (rows * rank) as f64 },
        );
        self.push(&[x, a], inner, &[], &[], [0, 0]);
        let handed = [(b, Handed::Made), (a, Handed::Made), (x, Handed::Made), (y, Handed::Passed)];
        self.push(&[y, x, a, b, inner], out, &[x, a, b, inner], &handed, [0, NUMBER * rows * rank])
    }

    /// Layer normalisation of `rows`, each by its own mean and variance.
    pub fn layer_norm(&mut self, x: Var, scale: Var, bias: Var, rows: usize) -> Var {
        let tracked = x.tracked || scale.tracked || bias.tracked;
        let y = self.var(x.elements, Class::Activation, tracked);
        let moments = self.var(2 * rows as u64, Class::Activation, tracked);
        let parameters = if scale.tracked || bias.tracked { 5 * x.elements } else { 0 };
        self.other(8 * x.elements, parameters + if x.tracked { 9 * x.elements } else { 0 });
        let handed = [(scale, Handed::Made), (bias, Handed::Made), (x, Handed::Passed)];
        self.push(&[x, scale, bias], y, &[x, scale, moments], &handed, [0, 0])
    }

    /// RMS normalisation of `rows`.
    pub fn rms_norm(&mut self, x: Var, scale: Var, rows: usize) -> Var {
        let tracked = x.tracked || scale.tracked;
        let y = self.var(x.elements, Class::Activation, tracked);
        let moments = self.var(2 * rows as u64, Class::Activation, tracked);
        let parameters = if scale.tracked { 3 * x.elements } else { 0 };
        self.other(4 * x.elements, parameters + if x.tracked { 7 * x.elements } else { 0 });
        let handed = [(scale, Handed::Made), (x, Handed::Passed)];
        self.push(&[x, scale], y, &[x, scale, moments], &handed, [0, 0])
    }

    /// Heads turned by their position: four products and two sums for each pair. Nothing is kept for the way
    /// back, which turns the gradient.
    pub fn rotate(&mut self, x: Var) -> Var {
        let y = self.var(x.elements, Class::Activation, x.tracked);
        self.other(3 * x.elements, if x.tracked { 3 * x.elements } else { 0 });
        self.push(&[x], y, &[], &[(x, Handed::Made)], [0, 0])
    }

    /// SiLU(gate) ⊙ x, of one shape; both are kept.
    pub fn gated(&mut self, gate: Var, x: Var) -> Var {
        let tracked = gate.tracked || x.tracked;
        let y = self.var(x.elements, Class::Activation, tracked);
        let (of_gate, of_x) = (if gate.tracked { 9 } else { 0 }, if x.tracked { 6 } else { 0 });
        self.other(6 * x.elements, (of_gate + of_x) * x.elements);
        self.push(&[gate, x], y, &[gate, x], &[(gate, Handed::Made), (x, Handed::Made)], [0, 0])
    }

    /// Attention of all heads: softmax(q·kᵀ)·v of each, `[sequences · queries, width]`. The softmax is kept.
    pub fn attention(&mut self, q: Var, k: Var, v: Var, size: Attention) -> Var {
        let Attention { sequences, heads, queries, keys, width } = size;
        let (pairs, width) = (sequences as u64 * queries as u64 * keys as u64, width as u64);
        let weights = (pairs * heads as u64, pairs * width);
        let tracked = q.tracked || k.tracked || v.tracked;
        let out = self.var(q.elements, Class::Activation, tracked);
        let kept = self.var(weights.0, Class::Activation, tracked);
        let product = (2 * weights.1) as f64;
        let scored = q.tracked || k.tracked;
        let products = [v.tracked, scored, q.tracked, k.tracked].iter().filter(|wanted| **wanted).count() as f64;
        self.flops(
            Flops { matrices: 2.0 * product, other: (5 * weights.0) as f64 },
            Flops { matrices: products * product, other: if scored { (5 * weights.0) as f64 } else { 0.0 } },
        );
        let handed = [(q, Handed::Made), (k, Handed::Made), (v, Handed::Made)];
        let scratch = NUMBER * queries as u64 * keys as u64;
        self.push(&[q, k, v], out, &[q, k, v, kept], &handed, [NUMBER * weights.0, scratch])
    }

    /// A non-linearity, `flops` operations a number, that keeps its input or, where that is enough, its
    /// output.
    pub fn activation(&mut self, x: Var, keeps: Keeps, flops: u64) -> Var {
        let y = self.var(x.elements, Class::Activation, x.tracked);
        self.other(flops * x.elements, if x.tracked { (flops + 2) * x.elements } else { 0 });
        let kept = match keeps {
            Keeps::Nothing => None,
            Keeps::Input => Some(x),
            Keeps::Output => Some(y),
        };
        self.push(&[x], y, kept.as_slice(), &[(x, Handed::Passed)], [0, 0])
    }

    /// A non-linearity by Burn's own operations: where no gradient is wanted it is computed where x is.
    pub fn activation_of_burn(&mut self, x: Var, keeps: Keeps, flops: u64) -> Var {
        if x.tracked {
            return self.activation(x, keeps, flops);
        }
        let y = self.named_anew(x.storage, x.elements, false);
        self.other(flops * x.elements, 0);
        self.push(&[x], y, &[], &[], [0, 0])
    }

    /// max(x, 0), where x is.
    pub fn relu(&mut self, x: Var) -> Var {
        let y = self.named_anew(x.storage, x.elements, x.tracked);
        self.other(x.elements, if x.tracked { x.elements } else { 0 });
        self.push(&[x], y, &[y], &[(x, Handed::Passed)], [0, 0])
    }

    /// Another shape of the same numbers.
    pub fn view(&mut self, x: Var) -> Var {
        let y = self.named_anew(x.storage, x.elements, x.tracked);
        self.push(&[x], y, &[], &[(x, Handed::Passed)], [0, 0])
    }

    /// A part of a tensor; its gradient fills a tensor of the whole's size.
    pub fn part(&mut self, x: Var, elements: u64) -> Var {
        if elements == x.elements {
            return self.view(x);
        }
        let y = self.named_anew(x.storage, elements, x.tracked);
        self.push(&[x], y, &[], &[(x, Handed::Made)], [0, 0])
    }

    /// Rows of a table, gathered: `elements` in all. Its gradient is added to zeros, which are a table, too.
    pub fn gather(&mut self, table: Var, elements: u64) -> Var {
        let y = self.var(elements, Class::Activation, table.tracked);
        self.other(0, if table.tracked { elements } else { 0 });
        self.push(&[table], y, &[], &[(table, Handed::Made)], [0, NUMBER * table.elements])
    }

    /// A copy of `base` with a few numbers added to.
    pub fn scatter(&mut self, base: Var, values: Var) -> Var {
        let y = self.var(base.elements, Class::Activation, base.tracked || values.tracked);
        self.other(values.elements, 0);
        self.push(&[base, values], y, &[], &[(base, Handed::Passed), (values, Handed::Made)], [0, 0])
    }

    /// One tensor repeated or laid in front of another.
    pub fn concatenate(&mut self, parts: &[Var]) -> Var {
        let elements = parts.iter().map(|p| p.elements).sum();
        let y = self.var(elements, Class::Activation, parts.iter().any(|p| p.tracked));
        let handed: Vec<_> = parts.iter().map(|p| (*p, Handed::Made)).collect();
        self.push(parts, y, &[], &handed, [0, 0])
    }

    /// The same numbers for each of many rows; nothing is copied forward.
    pub fn expand(&mut self, x: Var, elements: u64) -> Var {
        let y = self.named_anew(x.storage, elements, x.tracked);
        self.other(0, if x.tracked { elements } else { 0 });
        self.push(&[x], y, &[], &[(x, Handed::Made)], [0, 0])
    }

    /// a + b (or a − b), the smaller one repeated.
    pub fn add(&mut self, a: Var, b: Var) -> Var {
        let elements = a.elements.max(b.elements);
        let y = self.var(elements, Class::Activation, a.tracked || b.tracked);
        let smaller = |x: Var| if x.elements < elements { Handed::Made } else { Handed::Passed };
        self.other(elements, 0);
        self.push(&[a, b], y, &[], &[(a, smaller(a)), (b, smaller(b))], [0, 0])
    }

    /// a ⊙ b, the smaller one repeated.
    pub fn multiply(&mut self, a: Var, b: Var) -> Var {
        let elements = a.elements.max(b.elements);
        let y = self.var(elements, Class::Activation, a.tracked || b.tracked);
        let gradients = [a, b].into_iter().filter(|x| x.tracked).map(|x| if x.elements < elements { 2 } else { 1 });
        self.other(elements, gradients.sum::<u64>() * elements);
        let mut kept = Vec::new();
        kept.extend(a.tracked.then_some(b));
        kept.extend(b.tracked.then_some(a));
        self.push(&[a, b], y, &kept, &[(a, Handed::Made), (b, Handed::Made)], [0, 0])
    }

    /// −log softmax at the targets, `[rows]` of `[rows, classes]`; the logits' buffer becomes that of the
    /// probabilities.
    pub fn cross_entropy(&mut self, logits: Var, rows: usize) -> Var {
        let losses = self.var(rows as u64, Class::Activation, logits.tracked);
        self.other(5 * logits.elements, if logits.tracked { logits.elements } else { 0 });
        self.push(&[logits], losses, &[logits], &[(logits, Handed::Passed)], [0, 0])
    }
}
