//! What a recorded step takes in memory: the parts of it, and the most at one moment.

use super::tape::{Class, Handed, NUMBER, Node, Place, Storage, Tape};
use std::collections::{HashMap, HashSet};

/// The moment of a step at which most bytes are in use.
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
    /// From tokens to loss.
    #[default]
    Forward,
    /// From loss to the gradients of φ.
    Backward,
    /// φ and AdamW's moments are stepped.
    Optimizer,
}

/// The largest tensor of a step besides θ's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Largest {
    /// Where it is made, if it is an activation; `None` of what is there because of φ.
    pub place: Option<Place>,
    /// Its bytes.
    pub bytes: u64,
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

impl Tape {
    fn bytes(&self, class: Class) -> u64 {
        self.storages.iter().filter(|s| s.class == class).map(|s| s.bytes).sum()
    }

    /// Bytes of θ as it is held, or in single precision without what φ replaces where it does so in place.
    pub fn theta_bytes(&self, residence: Residence) -> u64 {
        if let Some(stored) = self.stored {
            return stored;
        }
        let replaced = if residence == Residence::InPlace { NUMBER * self.replaced } else { 0 };
        self.bytes(Class::Theta).saturating_sub(replaced)
    }

    /// Bytes of what is frozen and there because of φ.
    pub fn constant_bytes(&self) -> u64 {
        self.bytes(Class::Constant)
    }

    /// Bytes of φ.
    pub fn phi_bytes(&self) -> u64 {
        self.bytes(Class::Phi)
    }

    /// The largest tensor besides θ's. A gradient is as large as what it belongs to.
    pub fn largest(&self) -> Largest {
        let own = self.storages.iter().filter(|s| s.class != Class::Theta);
        let largest = own.max_by_key(|s| s.bytes).map(|s| (s.bytes, (s.class == Class::Activation).then_some(s.place)));
        let (bytes, place) = largest.unwrap_or((0, None));
        Largest { place, bytes }
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

    /// Follows a step from operation to operation to the most bytes at one moment, everything included.
    ///
    /// `summed` are bytes of gradients that wait for those of other parts of the batch.
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

/// A tape followed from operation to operation: which activations and gradients are alive.
struct Run<'a> {
    tape: &'a Tape,
    /// Holders of each storage.
    held: Vec<usize>,
    /// Bytes of activations in use now, and at the most so far.
    alive: u64,
    most: u64,
}

impl<'a> Run<'a> {
    fn new(tape: &'a Tape) -> Run<'a> {
        Run { tape, held: vec![0; tape.storages.len()], alive: 0, most: 0 }
    }

    fn hold(&mut self, storage: usize) {
        let Storage { bytes, class, .. } = self.tape.storages[storage];
        if self.held[storage] == 0 && class == Class::Activation {
            self.alive += bytes;
            self.most = self.most.max(self.alive);
        }
        self.held[storage] += 1;
    }

    fn release(&mut self, storage: usize) {
        let Storage { bytes, class, .. } = self.tape.storages[storage];
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

    /// The most that is alive in the backward pass, gradients included, after a forward pass that kept what
    /// it needs.
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
        for node in in_burn_s_order(tape) {
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
                    // Of two gradients of one tensor the sum stays.
                    // It has its own buffer where the old one is somebody else's too.
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

/// The operations that a gradient passes through. What is farthest from φ goes first, as Burn has it: so the gradient
/// of a weight that φ makes up waits till the end. Of equals the one is first that is reached first from the loss, the
/// last input of every operation before the others.
fn in_burn_s_order(tape: &Tape) -> Vec<&Node> {
    let tracked = || tape.nodes.iter().rev().filter(|node| node.output.tracked);
    let makers: HashMap<usize, &Node> = tracked().map(|node| (node.output.id, node)).collect();
    let (mut order, mut reached) = (Vec::new(), HashSet::new());
    let mut next: Vec<usize> = tape.nodes.last().map(|loss| loss.output.id).into_iter().collect();
    while let Some(id) = next.pop() {
        if let Some(node) = makers.get(&id).filter(|_| reached.insert(id)) {
            order.push(*node);
            next.extend(&node.parents);
        }
    }
    // What was computed and never read lets go of what it kept.
    order.extend(tracked().filter(|node| !reached.contains(&node.output.id)));
    order.sort_by_key(|node| std::cmp::Reverse(tape.depths[node.output.id]));
    order
}
