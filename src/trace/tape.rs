//! A training step as shapes alone: which tensors are made, which are kept for the backward pass, and what they cost.
//!
//! The rules are those of the CPU's kernels (`model/kernels/autodiff.rs`) and of Burn's autodiff: an operation keeps what the
//! gradients that are wanted need, and nothing where no gradient passes.

use std::collections::HashMap;

/// Bytes of a number.
pub const NUMBER: u64 = 4;

/// A tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Var {
    id: usize,
    storage: usize,
    pub elements: u64,
    /// Whether a gradient passes through it.
    pub tracked: bool,
}

/// What a tensor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Theta,
    /// Frozen, and there because of φ: a mask, a projection.
    Constant,
    Phi,
    Activation,
}

#[derive(Clone, Copy, Debug)]
struct Storage {
    bytes: u64,
    class: Class,
}

/// A gradient that an operation hands to one of its inputs.
#[derive(Clone, Copy, Debug)]
enum Handed {
    /// In a new buffer.
    Made,
    /// In the buffer of the output's own gradient.
    Passed,
}

/// One operation, forward and backward.
#[derive(Debug)]
struct Node {
    reads: Vec<usize>,
    output: Var,
    /// Storages that the backward pass needs.
    kept: Vec<usize>,
    handed: Vec<(Var, Handed)>,
    /// Bytes that exist only while the operation runs, forward and backward.
    scratch: [u64; 2],
}

/// Floating-point operations, two for a multiplication with its addition.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Flops {
    /// In products of matrices.
    pub matrices: f64,
    /// Everything else, an exponential or a root counted as one.
    pub other: f64,
}

impl Flops {
    pub fn total(self) -> f64 {
        self.matrices + self.other
    }

    /// So many times as much.
    pub fn times(self, n: usize) -> Flops {
        Flops { matrices: n as f64 * self.matrices, other: n as f64 * self.other }
    }
}

/// Bytes while a step runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Peak {
    /// The most at any moment, everything included.
    pub bytes: u64,
    /// The part of the step in which that is.
    pub phase: Phase,
}

/// Parts of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    #[default]
    Forward,
    Backward,
    Optimizer,
}

/// Where θ's copies live that a method trains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Residence {
    /// Beside θ, which stays whole: as here, so that one can go back to it.
    #[default]
    Beside,
    /// In θ's place: as a framework trains.
    InPlace,
}

/// The record of a step. Operations are called in the order of the forward pass.
#[derive(Debug, Default)]
pub struct Tape {
    storages: Vec<Storage>,
    nodes: Vec<Node>,
    /// For each tensor the number of operations on the longest way to it from φ.
    depths: Vec<usize>,
    named: HashMap<String, Var>,
    /// Elements of θ's tensors that φ stands in for.
    replaced: u64,
    /// Tokens among which the task's answers are chosen.
    labels: usize,
    pub forward: Flops,
    pub backward: Flops,
}

/// Operations of AdamW for each trained number, with the clip of the gradient's norm before it.
pub const OPTIMIZER_FLOPS: f64 = 18.0;

impl Tape {
    /// An empty one, for a task with so many labels.
    pub fn new(labels: usize) -> Tape {
        Tape { labels, ..Tape::default() }
    }

    /// Tokens among which the task's answers are chosen.
    pub fn labels(&self) -> usize {
        self.labels
    }

    fn var(&mut self, elements: u64, class: Class, tracked: bool) -> Var {
        self.storages.push(Storage { bytes: NUMBER * elements, class });
        self.named_anew(self.storages.len() - 1, elements, tracked)
    }

    /// A tensor in a storage that is there.
    fn named_anew(&mut self, storage: usize, elements: u64, tracked: bool) -> Var {
        self.depths.push(0);
        Var { id: self.depths.len() - 1, storage, elements, tracked }
    }

    fn once(&mut self, name: String, make: impl FnOnce(&mut Tape) -> Var) -> Var {
        if let Some(var) = self.named.get(&name) {
            return *var;
        }
        let var = make(self);
        self.named.insert(name, var);
        var
    }

    /// A tensor of θ.
    pub fn theta(&mut self, name: &str, elements: usize) -> Var {
        self.once(format!("θ {name}"), |tape| tape.var(elements as u64, Class::Theta, false))
    }

    /// A tensor of φ: the same one for the same name.
    pub fn phi(&mut self, name: &str, elements: usize) -> Var {
        self.once(format!("φ {name}"), |tape| tape.var(elements as u64, Class::Phi, true))
    }

    /// A tensor of φ that stands in for one of θ.
    pub fn copy(&mut self, name: &str, theta: Var) -> Var {
        self.once(format!("φ {name}"), |tape| {
            tape.replaced += theta.elements;
            tape.var(theta.elements, Class::Phi, true)
        })
    }

    /// A tensor of φ of the same size that replaces nothing: θ's is read elsewhere, too.
    pub fn copy_beside(&mut self, name: &str, theta: Var) -> Var {
        self.phi(name, theta.elements as usize)
    }

    /// A frozen tensor that is there because of φ.
    pub fn constant(&mut self, name: &str, elements: usize) -> Var {
        self.once(format!("const {name}"), |tape| tape.var(elements as u64, Class::Constant, false))
    }

    /// What is computed once in a forward pass and read again under the same name.
    pub fn shared(&mut self, name: &str, make: impl FnOnce(&mut Tape) -> Var) -> Var {
        self.once(format!("shared {name}"), make)
    }

    /// Data of the batch.
    pub fn data(&mut self, elements: u64) -> Var {
        self.var(elements, Class::Activation, false)
    }

    fn push(&mut self, reads: &[Var], output: Var, kept: &[Var], handed: &[(Var, Handed)], scratch: [u64; 2]) -> Var {
        let storages = |vars: &[Var]| vars.iter().map(|v| v.storage).collect::<Vec<_>>();
        let kept = if output.tracked { storages(kept) } else { Vec::new() };
        let handed: Vec<(Var, Handed)> = handed.iter().copied().filter(|(var, _)| var.tracked).collect();
        self.depths[output.id] = handed.iter().map(|(var, _)| self.depths[var.id] + 1).max().unwrap_or(0);
        self.nodes.push(Node { reads: storages(reads), output, kept, handed, scratch });
        output
    }

    fn flops(&mut self, forward: Flops, backward: Flops) {
        self.forward.matrices += forward.matrices;
        self.forward.other += forward.other;
        self.backward.matrices += backward.matrices;
        self.backward.other += backward.other;
    }

    fn other(&mut self, forward: u64, backward: u64) {
        self.flops(
            Flops { other: forward as f64, ..Flops::default() },
            Flops { other: backward as f64, ..Flops::default() },
        );
    }

    /// x·W + b, `[rows, inputs]` by `[inputs, outputs]`.
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
        self.push(&reads, y, &kept, &handed, [0, 0])
    }

    /// A linear layer of φ with its bias.
    pub fn layer(&mut self, name: &str, x: Var, rows: usize, (inputs, outputs): (usize, usize)) -> Var {
        let weight = self.phi(&format!("{name} weight"), inputs * outputs);
        let bias = self.phi(&format!("{name} bias"), outputs);
        self.linear(x, weight, Some(bias), rows, (inputs, outputs))
    }

    /// y + s·(x·A)·B through x·A, `y` changed where it is.
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

    /// Layer normalisation of `rows`.
    pub fn layer_norm(&mut self, x: Var, scale: Var, bias: Var, rows: usize) -> Var {
        let tracked = x.tracked || scale.tracked || bias.tracked;
        let y = self.var(x.elements, Class::Activation, tracked);
        let moments = self.var(2 * rows as u64, Class::Activation, tracked);
        let parameters = if scale.tracked || bias.tracked { 5 * x.elements } else { 0 };
        self.other(8 * x.elements, parameters + if x.tracked { 9 * x.elements } else { 0 });
        let handed = [(scale, Handed::Made), (bias, Handed::Made), (x, Handed::Passed)];
        self.push(&[x, scale, bias], y, &[x, scale, moments], &handed, [0, 0])
    }

    /// Attention of all heads.
    pub fn attention(&mut self, q: Var, k: Var, v: Var, size: Attention) -> Var {
        let Attention { sequences, heads, queries, keys, width } = size;
        let (pairs, width) = ((sequences * queries * keys) as u64, width as u64);
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
        let scratch = NUMBER * (queries * keys) as u64;
        self.push(&[q, k, v], out, &[q, k, v, kept], &handed, [NUMBER * weights.0, scratch])
    }

    /// A non-linearity that keeps its input or, where that is enough, its output.
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

    /// Rows of a table, gathered: `elements` in all.
    pub fn gather(&mut self, table: Var, elements: u64) -> Var {
        let y = self.var(elements, Class::Activation, table.tracked);
        self.other(0, if table.tracked { elements } else { 0 });
        self.push(&[table], y, &[], &[(table, Handed::Made)], [0, 0])
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

    /// −log softmax at the targets, `[rows]` of `[rows, classes]`; the logits' buffer becomes that of the probabilities.
    pub fn cross_entropy(&mut self, logits: Var, rows: usize) -> Var {
        let losses = self.var(rows as u64, Class::Activation, logits.tracked);
        self.other(5 * logits.elements, if logits.tracked { logits.elements } else { 0 });
        self.push(&[logits], losses, &[logits], &[(logits, Handed::Passed)], [0, 0])
    }

    fn bytes(&self, class: Class) -> u64 {
        self.storages.iter().filter(|s| s.class == class).map(|s| s.bytes).sum()
    }

    /// Bytes of θ, without what φ replaces where it does so in place.
    pub fn theta_bytes(&self, residence: Residence) -> u64 {
        let replaced = if residence == Residence::InPlace { NUMBER * self.replaced } else { 0 };
        self.bytes(Class::Theta).saturating_sub(replaced)
    }

    pub fn constant_bytes(&self) -> u64 {
        self.bytes(Class::Constant)
    }

    pub fn phi_bytes(&self) -> u64 {
        self.bytes(Class::Phi)
    }

    /// Bytes that are kept from the forward to the backward pass.
    pub fn kept_bytes(&self) -> u64 {
        let mut kept: Vec<usize> = self.nodes.iter().flat_map(|n| n.kept.iter().copied()).collect();
        kept.sort_unstable();
        kept.dedup();
        kept.iter().filter(|s| self.storages[**s].class == Class::Activation).map(|s| self.storages[*s].bytes).sum()
    }

    /// The most activations that exist at a moment of a forward pass in which nothing is kept.
    pub fn forward_bytes(&self) -> u64 {
        Run::new(self).forward(false)
    }

    /// Follows a step from operation to operation; `summed` are bytes of gradients that wait for those of other parts.
    pub fn peak(&self, residence: Residence, summed: u64) -> Peak {
        let (phi, moments) = (self.phi_bytes(), 2 * self.phi_bytes());
        let always = self.theta_bytes(residence) + self.constant_bytes() + phi + moments + summed;
        let mut run = Run::new(self);
        let forward = run.forward(true);
        let backward = run.backward();
        // It steps φ and the moments where they are, by the gradients.
        let optimizer = phi;
        let phases = [(Phase::Forward, forward), (Phase::Backward, backward), (Phase::Optimizer, optimizer)];
        let (phase, most) = phases.into_iter().fold((Phase::Forward, 0), |a, b| if b.1 > a.1 { b } else { a });
        Peak { bytes: always + most, phase }
    }
}

/// What a non-linearity keeps for its gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    Nothing,
    Input,
    Output,
}

/// Shape of an attention; a head in each `width / heads` columns.
#[derive(Clone, Copy, Debug)]
pub struct Attention {
    pub sequences: usize,
    pub heads: usize,
    pub queries: usize,
    pub keys: usize,
    pub width: usize,
}

/// A tape followed from operation to operation: which activations and gradients are alive.
struct Run<'a> {
    tape: &'a Tape,
    /// Holders of each storage.
    held: Vec<usize>,
    alive: u64,
    most: u64,
}

impl<'a> Run<'a> {
    fn new(tape: &'a Tape) -> Run<'a> {
        Run { tape, held: vec![0; tape.storages.len()], alive: 0, most: 0 }
    }

    fn hold(&mut self, storage: usize) {
        let Storage { bytes, class } = self.tape.storages[storage];
        if self.held[storage] == 0 && class == Class::Activation {
            self.alive += bytes;
            self.most = self.most.max(self.alive);
        }
        self.held[storage] += 1;
    }

    fn release(&mut self, storage: usize) {
        let Storage { bytes, class } = self.tape.storages[storage];
        self.held[storage] -= 1;
        if self.held[storage] == 0 && class == Class::Activation {
            self.alive -= bytes;
        }
    }

    /// The most that is alive in the forward pass; with `keep` what the backward pass needs stays.
    fn forward(&mut self, keep: bool) -> u64 {
        let mut last: HashMap<usize, usize> = HashMap::new();
        for (i, node) in self.tape.nodes.iter().enumerate() {
            for read in node.reads.iter().chain([&node.output.storage]) {
                last.insert(*read, i);
            }
        }
        let mut ends: Vec<Vec<usize>> = vec![Vec::new(); self.tape.nodes.len()];
        last.iter().for_each(|(storage, node)| ends[*node].push(*storage));
        let mut seen = vec![false; self.tape.storages.len()];
        for (node, ends) in self.tape.nodes.iter().zip(&ends) {
            for storage in node.reads.iter().chain([&node.output.storage]) {
                if !std::mem::replace(&mut seen[*storage], true) {
                    self.hold(*storage);
                }
            }
            if keep {
                node.kept.iter().for_each(|s| self.hold(*s));
            } else {
                self.most = self.most.max(self.alive + node.scratch[0]);
            }
            ends.iter().for_each(|s| self.release(*s));
        }
        self.most
    }

    /// The most that is alive in the backward pass, gradients included, after a forward pass that kept what it needs.
    fn backward(&mut self) -> u64 {
        let tape = self.tape;
        // A gradient's buffer, its bytes and how many tensors' gradient it is.
        let mut buffers: Vec<(u64, usize)> = Vec::new();
        let mut of: HashMap<usize, usize> = HashMap::new();
        let (mut gradients, mut most) = (0_u64, 0);
        if let Some(loss) = tape.nodes.last() {
            of.insert(loss.output.id, 0);
            buffers.push((NUMBER * loss.output.elements, 1));
            gradients += NUMBER * loss.output.elements;
        }
        // What is farthest from φ goes first, as Burn has it: the gradient of a weight that φ makes up waits till the end.
        let mut order: Vec<&Node> = tape.nodes.iter().rev().filter(|n| n.output.tracked).collect();
        order.sort_by_key(|node| std::cmp::Reverse(tape.depths[node.output.id]));
        for node in order {
            // What was computed and never read has no gradient.
            let given = of.remove(&node.output.id);
            if let Some(given) = given {
                for (var, handed) in &node.handed {
                    let buffer = match handed {
                        Handed::Passed => {
                            buffers[given].1 += 1;
                            given
                        }
                        Handed::Made => {
                            buffers.push((NUMBER * var.elements, 1));
                            gradients += NUMBER * var.elements;
                            buffers.len() - 1
                        }
                    };
                    most = most.max(self.alive + gradients + node.scratch[1]);
                    // Of two gradients of one tensor the sum stays, in its own buffer where the old one is somebody else's too.
                    let Some(old) = of.insert(var.id, buffer) else { continue };
                    if buffers[buffer].1 > 1 {
                        buffers[buffer].1 -= 1;
                        if buffers[old].1 > 1 {
                            buffers[old].1 -= 1;
                            buffers.push((NUMBER * var.elements, 1));
                            gradients += NUMBER * var.elements;
                            of.insert(var.id, buffers.len() - 1);
                            most = most.max(self.alive + gradients);
                        } else {
                            of.insert(var.id, old);
                        }
                    } else {
                        buffers[old].1 -= 1;
                        if buffers[old].1 == 0 {
                            gradients -= buffers[old].0;
                        }
                    }
                }
                buffers[given].1 -= 1;
                if buffers[given].1 == 0 {
                    gradients -= buffers[given].0;
                }
            }
            node.kept.iter().for_each(|s| self.release(*s));
        }
        most
    }
}
