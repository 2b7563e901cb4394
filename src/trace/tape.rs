//! The record of a training step: which tensors are made, and which are kept for the backward pass.
//!
//! The rules are those of the CPU's kernels (`src/kernels/gradients.rs`) and of Burn's autodiff. An operation
//! keeps what the gradients that are wanted need, and nothing where no gradient passes.

use super::flops::Flops;
use std::collections::HashMap;

/// Bytes of a number in single precision.
pub const NUMBER: u64 = 4;

/// A tensor on a [`Tape`]: a number of elements in a storage, which several tensors may share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Var {
    pub(super) id: usize,
    pub(super) storage: usize,
    /// Numbers that it has.
    pub elements: u64,
    /// Whether a gradient passes through it.
    pub tracked: bool,
}

/// What a tensor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Of θ.
    Theta,
    /// Frozen, and there because of φ: a mask, a projection.
    Constant,
    /// Of φ.
    Phi,
    /// Made in the step.
    Activation,
}

/// Where in the network a tensor is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// In front of the blocks.
    #[default]
    Embedding,
    /// In the attention of a block.
    Attention,
    /// In the MLP of a block.
    Mlp,
    /// Behind the blocks.
    Logits,
}

/// A buffer that one or more tensors stand in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Storage {
    pub(super) bytes: u64,
    pub(super) class: Class,
    pub(super) place: Place,
}

/// A gradient that an operation hands to one of its inputs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Handed {
    /// In a new buffer.
    Made,
    /// In the buffer of the output's own gradient.
    Passed,
}

/// One operation, forward and backward.
#[derive(Debug)]
pub(super) struct Node {
    /// Storages that the forward pass reads.
    pub(super) reads: Vec<usize>,
    pub(super) output: Var,
    /// Storages that the backward pass needs.
    pub(super) kept: Vec<usize>,
    /// Tensors that a gradient goes to, in the order of the operation's inputs.
    pub(super) parents: Vec<usize>,
    /// Gradients that the backward pass gives to the inputs, and in which buffer.
    pub(super) handed: Vec<(Var, Handed)>,
    /// Bytes that exist only while the operation runs, forward and backward.
    pub(super) scratch: [u64; 2],
}

/// The record of a step. Operations are called in the order of the forward pass.
#[derive(Debug, Default)]
pub struct Tape {
    pub(super) storages: Vec<Storage>,
    pub(super) nodes: Vec<Node>,
    /// For each tensor the number of operations on the longest way to it from φ.
    pub(super) depths: Vec<usize>,
    named: HashMap<String, Var>,
    /// Elements of θ's tensors that φ stands in for.
    pub(super) replaced: u64,
    /// Bytes of θ, where its matrices are packed.
    pub stored: Option<u64>,
    /// Where the next tensors are made.
    pub place: Place,
    /// Tokens among which the task's answers are chosen.
    labels: usize,
    /// Operations of the forward pass so far.
    pub forward: Flops,
    /// Operations of the backward pass that belongs to it.
    pub backward: Flops,
}

impl Tape {
    /// An empty one, for a task with so many labels.
    pub fn new(labels: usize) -> Tape {
        Tape { labels, ..Tape::default() }
    }

    /// Tokens among which the task's answers are chosen.
    pub fn labels(&self) -> usize {
        self.labels
    }

    /// A tensor in a storage of its own.
    pub(super) fn var(&mut self, elements: u64, class: Class, tracked: bool) -> Var {
        self.storages.push(Storage { bytes: NUMBER * elements, class, place: self.place });
        self.named_anew(self.storages.len() - 1, elements, tracked)
    }

    /// A tensor in a storage that is there.
    pub(super) fn named_anew(&mut self, storage: usize, elements: u64, tracked: bool) -> Var {
        self.depths.push(0);
        Var { id: self.depths.len() - 1, storage, elements, tracked }
    }

    /// What has this name, made where nothing has it yet.
    fn once(&mut self, name: String, make: impl FnOnce(&mut Tape) -> Var) -> Var {
        if let Some(var) = self.named.get(&name) {
            return *var;
        }
        let var = make(self);
        self.named.insert(name, var);
        var
    }

    /// A tensor of θ: the same one for the same name. No gradient passes through it.
    pub fn theta(&mut self, name: &str, elements: u64) -> Var {
        self.once(format!("θ {name}"), |tape| tape.var(elements, Class::Theta, false))
    }

    /// A tensor of φ: the same one for the same name. A gradient passes through it.
    pub fn phi(&mut self, name: &str, elements: u64) -> Var {
        self.once(format!("φ {name}"), |tape| tape.var(elements, Class::Phi, true))
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
        self.phi(name, theta.elements)
    }

    /// A frozen tensor that is there because of φ.
    pub fn constant(&mut self, name: &str, elements: u64) -> Var {
        self.once(format!("const {name}"), |tape| tape.var(elements, Class::Constant, false))
    }

    /// What is computed once in a forward pass and read again under the same name.
    pub fn shared(&mut self, name: &str, make: impl FnOnce(&mut Tape) -> Var) -> Var {
        self.once(format!("shared {name}"), make)
    }

    /// Data of the batch.
    pub fn data(&mut self, elements: u64) -> Var {
        self.var(elements, Class::Activation, false)
    }

    /// Records an operation. Nothing is kept where no gradient passes through its output.
    pub(super) fn push(
        &mut self,
        reads: &[Var],
        output: Var,
        kept: &[Var],
        handed: &[(Var, Handed)],
        scratch: [u64; 2],
    ) -> Var {
        let storages = |vars: &[Var]| vars.iter().map(|v| v.storage).collect::<Vec<_>>();
        let kept = if output.tracked { storages(kept) } else { Vec::new() };
        let handed: Vec<(Var, Handed)> = handed.iter().copied().filter(|(var, _)| var.tracked).collect();
        self.depths[output.id] = handed.iter().map(|(var, _)| self.depths[var.id] + 1).max().unwrap_or(0);
        let wants = |read: &&Var| handed.iter().any(|(var, _)| var.id == read.id);
        let parents = reads.iter().filter(wants).map(|read| read.id).collect();
        self.nodes.push(Node { reads: storages(reads), output, kept, parents, handed, scratch });
        output
    }

    /// Adds to the operations counted.
    pub(super) fn flops(&mut self, forward: Flops, backward: Flops) {
        self.forward.matrices += forward.matrices;
        self.forward.other += forward.other;
        self.backward.matrices += backward.matrices;
        self.backward.other += backward.other;
    }

    /// Adds operations that are no products of matrices.
    pub(super) fn other(&mut self, forward: u64, backward: u64) {
        self.flops(
            Flops { other: forward as f64, ..Flops::default() },
            Flops { other: backward as f64, ..Flops::default() },
        );
    }
}
