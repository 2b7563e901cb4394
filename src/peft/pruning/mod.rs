//! Pruning with re-training (Han et al. 2015, 2017): the smallest weights are set to zero and the others trained on.

#[cfg(feature = "train")]
mod adapter_file;
mod cost;
mod overlay;
#[cfg(feature = "train")]
pub(crate) mod phi;
mod python;
#[cfg(all(test, feature = "train", not(target_arch = "wasm32")))]
mod tests;

use crate::base::{Fault, grouped};
use crate::model::{Biases, ModelConfig, ModulePath, ParamKind, Target};
use crate::peft::knob::place_of;
use crate::peft::sums::{Sum, grouped_by};
use crate::peft::{Count, Knob, MORE, Method, MethodInfo, MethodKind, Range, Shape, Term, Value, rates, sums};

/// f_{m ⊙ θ′}(x): rounds of pruning the blocks' matrices by magnitude and training what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruning {
    /// Per cent of each matrix that is zero at the end.
    pub sparsity: usize,
    /// Into how many rounds of pruning and training the steps are divided.
    pub rounds: usize,
    /// What follows pruning.
    pub schedule: Schedule,
}

/// What follows pruning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// Prune some, train what is left, prune more (Han 2015).
    Iterative,
    /// Train all, prune and train what is left, let the pruned weights grow again from zero (Han 2017).
    DenseSparseDense,
}

const OPTIONS: [(&str, &str); 2] =
    [("iterative", "prune, retrain, repeat"), ("dense-sparse-dense", "dense, sparse, dense")];

impl Default for Pruning {
    fn default() -> Self {
        Pruning { sparsity: 60, rounds: 3, schedule: Schedule::Iterative }
    }
}

static INFO: MethodInfo = MethodInfo {
    name: "pruning",
    title: "Pruning",
    kind: MethodKind::Parameter,
    paper: "Han et al., Learning both Weights and Connections for Efficient Neural Networks, 2015; DSD: Dense-Sparse-Dense Training, 2017",
    formula: "f_{m ⊙ ⟨θ′⟩}(x),  m a mask of zeros and ones",
    summary: "Sets the smallest weights of every block's matrices to zero and trains the others, in rounds. Large networks keep more in several rounds (Han et al.); the small bases here do not.",
    knobs: &[
        Knob {
            name: "sparsity",
            label: "Sparsity",
            help: "Per cent of each block matrix that is zero at the end.",
            range: Range::Integer { min: 1, max: 99, steps: &[10, 30, 50, 60, 70, 80, 90, 95] },
            ..Knob::PLAIN
        },
        Knob {
            name: "rounds",
            label: "Rounds",
            help: "Into how many rounds of pruning and training the steps are divided.",
            range: Range::Integer { min: 1, max: 20, steps: &[1, 2, 3, 4, 5] },
            ..Knob::PLAIN
        },
        Knob {
            name: "schedule",
            label: "Schedule",
            help: "What follows pruning.",
            range: Range::Choice(&OPTIONS),
            ..Knob::PLAIN
        },
    ],
    in_peft: false,
    merges: Ok(()),
    dial: Ok(()),
    checked: "finite differences, PyTorch",
};

impl Pruning {
    /// Weights of a matrix of so many that are zero after a share of `sparsity` was pruned.
    pub fn pruned(elements: u64, sparsity: f64) -> u64 {
        (elements as f64 * sparsity).floor() as u64
    }

    /// The share that a round (from 0) of `rounds` leaves pruned: each takes the same part of what is left.
    pub fn share(&self, round: usize) -> f64 {
        let end = self.sparsity as f64 / 100.0;
        if round + 1 == self.rounds { end } else { 1.0 - (1.0 - end).powf((round + 1) as f64 / self.rounds as f64) }
    }

    fn kept(&self, elements: u64) -> u64 {
        match self.schedule {
            Schedule::Iterative => elements - Self::pruned(elements, self.sparsity as f64 / 100.0),
            Schedule::DenseSparseDense => elements,
        }
    }
}

impl Method for Pruning {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        match knob {
            "sparsity" => Some(Value::Integer(self.sparsity)),
            "rounds" => Some(Value::Integer(self.rounds)),
            "schedule" => Some(Value::Choice(OPTIONS[self.schedule as usize].0.to_string())),
            _ => None,
        }
    }

    fn set(&mut self, knob: &str, value: Value) {
        match (knob, value) {
            ("sparsity", Value::Integer(s)) => self.sparsity = s,
            ("rounds", Value::Integer(r)) => self.rounds = r,
            ("schedule", Value::Choice(name)) => {
                self.schedule = [Schedule::Iterative, Schedule::DenseSparseDense][place_of(&OPTIONS, &name)];
            }
            _ => {}
        }
    }

    fn check(&self, _shape: &Shape, _task_tokens: usize) -> Result<(), Fault> {
        Ok(())
    }

    fn count(&self, shape: &Shape) -> Count {
        let m = &shape.model;
        let (n, tables, last) = (m.num_hidden_layers as u64, sums::embeddings(m), sums::final_norm(m));
        let of = |target: &Target| ModulePath::Linear(0, *target).elements(ParamKind::Matrix, m);
        // In the order of the forward pass: a gate beside the matrix that it opens.
        let matrices = grouped_by(Target::of(m), |target| self.kept(of(target)));
        let matrices = Sum::of(
            matrices.into_iter().map(|(kept, k)| Sum { written: format!("{k} × {kept}"), value: k as u64 * kept }),
        );
        let attention = sums::biases(&[Target::Q, Target::K, Target::V, Target::O], true, m);
        let mlp = sums::biases(&[Target::Fc1, Target::Fc2, Target::Gate], true, m);
        let rest = Sum::of([attention, sums::norms(m), mlp]);
        let kind = m.norm.kind.title();
        let what = if m.biases == Biases::all(false) { format!("{kind}s") } else { format!("biases and {kind}s") };
        Count::new([
            Term::new(sums::embeddings_in_words(m), tables.written, tables.value),
            Term::new(
                "what is left of the blocks' matrices",
                format!("{n} blocks × ({})", matrices.written),
                n * matrices.value,
            ),
            Term::new(what, format!("{n} blocks × ({}) + {}", rest.written, last.written), n * rest.value + last.value),
        ])
    }

    fn copies(&self, _place: ModulePath, _piece: ParamKind, _model: &ModelConfig) -> bool {
        true
    }

    fn trained(&self, place: ModulePath, piece: ParamKind, model: &ModelConfig) -> u64 {
        let elements = place.elements(piece, model);
        match (place, piece) {
            (ModulePath::Linear(..), ParamKind::Matrix) => self.kept(elements),
            _ => elements,
        }
    }

    /// What is left of θ's own.
    fn added(&self, _shape: &Shape) -> u64 {
        0
    }

    fn note(&self, shape: &Shape) -> Option<String> {
        let m = &shape.model;
        let matrices: u64 =
            Target::of(m).iter().map(|t| ModulePath::Linear(0, *t).elements(ParamKind::Matrix, m)).sum();
        let matrices = matrices * m.num_hidden_layers as u64;
        let kept = grouped(self.count(shape).total());
        (self.schedule == Schedule::Iterative).then(|| {
            let pruned = grouped(Self::pruned(matrices, self.sparsity as f64 / 100.0));
            format!("About {pruned} weights end as zeros; {kept} are left and trained. The optimizer starts anew with each round.")
        })
    }

    fn advice(&self, _outside: bool) -> &'static str {
        MORE
    }

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        let texts = rates::of_copies("", base);
        rates::of(task, base, [1e-2, texts, texts])
    }

    fn label(&self) -> String {
        match self.schedule {
            Schedule::Iterative => format!("pruning {} %", self.sparsity),
            Schedule::DenseSparseDense => format!("dense-sparse-dense {} %", self.sparsity),
        }
    }
}
