//! Pruning with re-training (Han et al. 2015, 2017): the smallest weights are set to zero and the others trained on.

use super::{
    Ask, Count, Fault, Kind, Knob, Method, MethodInfo, Piece, Place, Range, Shape, Target, Term, Value, knob::place_of,
};
use crate::ledger::tape::{Tape, Var};
use crate::model::ModelConfig;

/// f_{m ⊙ θ′}(x): rounds of pruning the blocks' matrices by magnitude and training what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruning {
    /// Per cent of each matrix that is zero at the end.
    pub sparsity: usize,
    pub rounds: usize,
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
    kind: Kind::Parameter,
    paper: "Han et al., Learning both Weights and Connections for Efficient Neural Networks, 2015; DSD: Dense-Sparse-Dense Training, 2017",
    formula: "f_{m ⊙ ⟨θ′⟩}(x),  m a mask of zeros and ones",
    summary: "Sets the smallest weights of every block's matrices to zero and trains the others; several rounds hurt less than one.",
    knobs: &[
        Knob {
            name: "sparsity",
            label: "Sparsity",
            help: "Per cent of each block matrix that is zero at the end.",
            range: Range::Integer { min: 1, max: 99, steps: &[10, 30, 50, 60, 70, 80, 90, 95] },
        },
        Knob {
            name: "rounds",
            label: "Rounds",
            help: "Into how many rounds of pruning and training the steps are divided.",
            range: Range::Integer { min: 1, max: 20, steps: &[1, 2, 3, 4, 5] },
        },
        Knob { name: "schedule", label: "Schedule", help: "What follows pruning.", range: Range::Choice(&OPTIONS) },
    ],
    merges: Ok(()),
    dial: Ok(()),
};

impl Pruning {
    /// Weights of a matrix of so many that are zero after a share of `sparsity` was pruned.
    pub fn pruned(elements: usize, sparsity: f64) -> usize {
        (elements as f64 * sparsity).floor() as usize
    }

    /// The share that a round (from 0) of `rounds` leaves pruned: each takes the same part of what is left.
    pub fn share(&self, round: usize) -> f64 {
        let end = self.sparsity as f64 / 100.0;
        if round + 1 == self.rounds { end } else { 1.0 - (1.0 - end).powf((round + 1) as f64 / self.rounds as f64) }
    }

    fn kept(&self, elements: usize) -> usize {
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
        let (d, f, v, n) = (m.hidden_size, m.ffn_dim, m.vocab_size, m.num_hidden_layers);
        let p = m.position_rows();
        let (square, wide) = (self.kept(d * d), self.kept(d * f));
        Count::new([
            Term::new("token and position embeddings", format!("({v} + {p}) × {d}"), (v + p) * d),
            Term::new(
                "what is left of the blocks' matrices",
                format!("{n} blocks × (4 × {square} + 2 × {wide})"),
                n * (4 * square + 2 * wide),
            ),
            Term::new(
                "biases and LayerNorms",
                format!("{n} blocks × (4 × {d} + 2 × 2 × {d} + {f} + {d}) + 2 × {d}"),
                n * (9 * d + f) + 2 * d,
            ),
        ])
    }

    fn copies(&self, _place: Place, _piece: Piece, _model: &ModelConfig) -> bool {
        true
    }

    fn trained(&self, place: Place, piece: Piece, model: &ModelConfig) -> usize {
        let elements = place.elements(piece, model);
        match (place, piece) {
            (Place::Linear(..), Piece::Matrix) => self.kept(elements),
            _ => elements,
        }
    }

    /// What is left of θ's own.
    fn added(&self, _shape: &Shape) -> usize {
        0
    }

    fn note(&self, shape: &Shape) -> Option<String> {
        let m = &shape.model;
        let matrices = Target::ALL
            .map(|t| {
                let (i, o) = t.shape(m);
                i * o
            })
            .iter()
            .sum::<usize>()
            * m.num_hidden_layers;
        let kept = super::grouped(self.count(shape).total());
        (self.schedule == Schedule::Iterative).then(|| {
            let pruned = super::grouped(Self::pruned(matrices, self.sparsity as f64 / 100.0));
            format!("About {pruned} weights end as zeros; {kept} are left and trained. The optimizer starts anew with each round.")
        })
    }

    fn trace(&self, ask: Ask, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        let copy = self.trace_copy(ask, model, tape)?;
        match ask {
            Ask::Weight(place @ Place::Linear(..), Piece::Matrix, theta) => {
                let mask = tape.constant(&format!("mask {}", place.key()), theta.elements as usize);
                Some(tape.multiply(copy, mask))
            }
            _ => Some(copy),
        }
    }

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        if task == "rules" { 1e-2 } else { super::Full.learning_rate(task, base) }
    }

    fn label(&self) -> String {
        match self.schedule {
            Schedule::Iterative => format!("pruning {} %", self.sparsity),
            Schedule::DenseSparseDense => format!("dense-sparse-dense {} %", self.sparsity),
        }
    }
}

#[cfg(feature = "train")]
pub(crate) mod phi {
    use super::{Pruning, Schedule};
    use crate::peft::copies::Copies;
    use crate::peft::phi::{Composition, InitContext};
    use crate::peft::{Place, Target};
    use burn::module::Module;
    use burn::tensor::{Tensor, TensorData};

    /// Copies of all of θ, and which weights of the blocks' matrices are left.
    #[derive(Module, Debug)]
    pub struct Phi {
        copies: Copies,
        /// One and zero for each weight, by place; none where all are left.
        #[module(skip)]
        masks: Vec<(Place, Tensor<2>, usize)>,
        #[module(skip)]
        config: Pruning,
        #[module(skip)]
        blocks: usize,
    }

    impl Phi {
        pub fn init(config: &Pruning, context: &mut InitContext<'_>) -> Phi {
            let blocks = context.theta.config.num_hidden_layers;
            Phi { copies: Copies::init(config, context), masks: Vec::new(), config: *config, blocks }
        }

        fn places(&self) -> impl Iterator<Item = Place> {
            (0..self.blocks).flat_map(|block| Target::ALL.map(|target| Place::Linear(block, target)))
        }

        /// The share to prune before this step; `None` where nothing happens, 0 where everything grows again.
        fn due(&self, step: usize, steps: usize) -> Option<f64> {
            match self.config.schedule {
                Schedule::Iterative => {
                    // Where there are fewer steps than rounds, the last of those that fall on one counts.
                    let mut rounds =
                        (0..self.config.rounds).rev().filter(|round| round * steps / self.config.rounds == step);
                    rounds.next().map(|round| self.config.share(round))
                }
                Schedule::DenseSparseDense if step == (steps / 3).max(1) => Some(self.config.sparsity as f64 / 100.0),
                Schedule::DenseSparseDense if step == (2 * steps / 3).max(2) => Some(0.0),
                Schedule::DenseSparseDense => None,
            }
        }
    }

    impl Composition for Phi {
        fn matrix(&self, place: Place, theta: &Tensor<2>) -> Option<Tensor<2>> {
            let copy = self.copies.matrix(place, theta)?;
            match self.masks.iter().find(|(p, ..)| *p == place) {
                Some((_, mask, _)) => Some(copy * mask.clone()),
                None => Some(copy),
            }
        }

        fn bias(&self, place: Place, theta: &Tensor<1>) -> Option<Tensor<1>> {
            self.copies.bias(place, theta)
        }

        fn scale(&self, place: Place, theta: &Tensor<1>) -> Option<Tensor<1>> {
            self.copies.scale(place, theta)
        }

        /// The matrices as they are used, where this step begins a round.
        fn asks(&self, step: usize, steps: usize) -> Vec<Tensor<1>> {
            if self.due(step, steps).is_none() {
                return Vec::new();
            }
            // θ is not looked at: every place has its copy.
            let matrices = self.places().filter_map(|place| {
                let copy = self.copies.own(place)?;
                let mask = self.masks.iter().find(|(p, ..)| *p == place);
                Some(match mask {
                    Some((_, mask, _)) => copy * mask.clone(),
                    None => copy,
                })
            });
            matrices
                .map(|m| {
                    let n = m.shape().num_elements();
                    m.reshape([n])
                })
                .collect()
        }

        /// Prunes the smallest of each matrix; pruned weights that grow again start at zero.
        fn told(&mut self, step: usize, steps: usize, values: Vec<Vec<f32>>) {
            let Some(share) = self.due(step, steps) else { return };
            let places: Vec<Place> = self.places().collect();
            let mut masks = Vec::new();
            for (place, values) in places.into_iter().zip(values) {
                let Some(copy) = self.copies.own(place) else { continue };
                // Masks are constants, as θ is: they live where it does.
                let (shape, device) = (copy.dims(), copy.device().without_autodiff());
                let pruned = Pruning::pruned(values.len(), share);
                let mut order: Vec<usize> = (0..values.len()).collect();
                order.sort_by(|a, b| values[*a].abs().total_cmp(&values[*b].abs()).then(a.cmp(b)));
                let mut mask = vec![1.0_f32; values.len()];
                order[..pruned].iter().for_each(|i| mask[*i] = 0.0);
                if share == 0.0 {
                    self.copies.replace(place, values);
                } else {
                    masks.push((place, Tensor::from_data(TensorData::new(mask, shape), &device), pruned));
                }
            }
            self.masks = masks;
        }

        /// What is pruned becomes zero in the copies themselves.
        fn settle(&mut self) {
            for (place, mask, _) in &self.masks {
                self.copies.multiply(*place, mask);
            }
        }

        fn elements(&self) -> Option<usize> {
            Some(self.copies.num_params() - self.masks.iter().map(|(_, _, pruned)| pruned).sum::<usize>())
        }
    }
}
