//! Sparse fine-tuning: θ + Δ, where Δ is zero but at chosen weights (Guo et al. 2021; Sung et al. 2021; Ansell et al. 2022).

use super::{
    Ask, Count, Fault, Kind, Knob, Method, MethodInfo, Piece, Place, Range, Shape, Spot, TensorInfo, Term, Value,
    knob::place_of,
};
use crate::ledger::tape::{Tape, Var};
use crate::model::ModelConfig;

/// θ + m ⊙ Δ with k ones in the mask m, over the matrices of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sparse {
    /// k
    pub num_weights: usize,
    pub mask: Mask,
}

/// How the k weights are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// The largest of θ.
    Magnitude,
    /// Those that a first pass of full fine-tuning changes most, as a lottery ticket (Ansell et al. 2022).
    Change,
    /// Those with the largest squared gradient, the diagonal of the empirical Fisher information (Sung et al. 2021).
    Fisher,
    Random,
}

impl Mask {
    const ALL: [Mask; 4] = [Mask::Magnitude, Mask::Change, Mask::Fisher, Mask::Random];
    const OPTIONS: [(&'static str, &'static str); 4] = [
        ("magnitude", "largest weights"),
        ("change", "largest change in a first pass"),
        ("fisher", "largest Fisher information"),
        ("random", "random"),
    ];
}

impl Default for Sparse {
    fn default() -> Self {
        Sparse { num_weights: 4096, mask: Mask::Fisher }
    }
}

static INFO: MethodInfo = MethodInfo {
    name: "sparse",
    title: "Sparse mask",
    kind: Kind::Parameter,
    paper: "Guo et al., Parameter-Efficient Transfer Learning with Diff Pruning, 2021; Sung et al., Training Neural Networks with Fixed Sparse Masks, 2021; Ansell et al., Composable Sparse Fine-Tuning, 2022",
    formula: "f_{θ + m ⊙ ⟨Δ⟩}(x),  m a mask of k ones",
    summary: "Trains single weights, chosen before training and spread over all matrices; the rest is frozen.",
    knobs: &[
        Knob {
            name: "num_weights",
            label: "Weights",
            help: "k, how many weights of the network are trained.",
            range: Range::Integer { min: 1, max: 10_000_000, steps: &[256, 1024, 4096, 16_384, 65_536] },
        },
        Knob {
            name: "mask",
            label: "Chosen by",
            help: "How the k weights are chosen before training.",
            range: Range::Choice(&Mask::OPTIONS),
        },
    ],
    merges: Ok(()),
    dial: Ok(()),
};

/// Weights among which the mask chooses: those of all matrices.
pub(super) fn weights(model: &ModelConfig) -> usize {
    Place::all(model.num_hidden_layers).map(|place| place.elements(Piece::Matrix, model)).sum()
}

impl Method for Sparse {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        match knob {
            "num_weights" => Some(Value::Integer(self.num_weights)),
            "mask" => Some(Value::Choice(Mask::OPTIONS[self.mask as usize].0.to_string())),
            _ => None,
        }
    }

    fn set(&mut self, knob: &str, value: Value) {
        match (knob, value) {
            ("num_weights", Value::Integer(k)) => self.num_weights = k,
            ("mask", Value::Choice(name)) => self.mask = Mask::ALL[place_of(&Mask::OPTIONS, &name)],
            _ => {}
        }
    }

    fn check(&self, shape: &Shape, _task_tokens: usize) -> Result<(), Fault> {
        let all = weights(&shape.model);
        if self.num_weights > all {
            let message =
                format!("This base has {all} weights in its matrices: {} cannot be chosen.", self.num_weights);
            return Err(Fault::new("num_weights", message));
        }
        Ok(())
    }

    fn count(&self, _shape: &Shape) -> Count {
        Count::new([Term::new("Δ at the chosen weights", format!("{} weights", self.num_weights), self.num_weights)])
    }

    fn spots(&self, model: &ModelConfig) -> Vec<Spot> {
        let places = Place::all(model.num_hidden_layers).filter(|place| place.elements(Piece::Matrix, model) > 0);
        places.map(|place| Spot::Weight(place, Piece::Matrix)).collect()
    }

    fn tensors(&self, _shape: &Shape) -> Vec<TensorInfo> {
        vec![TensorInfo::new("sparse.delta", [self.num_weights])]
    }

    fn scores(&self) -> Option<Mask> {
        Some(self.mask)
    }

    /// A change of weights that are there.
    fn added(&self, _shape: &Shape) -> usize {
        0
    }

    fn note(&self, _shape: &Shape) -> Option<String> {
        Some(
            "The gradient is still computed for whole matrices: a mask saves storage and optimizer state, not time."
                .into(),
        )
    }

    fn trace(&self, ask: Ask, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        let Ask::Weight(_, Piece::Matrix, theta) = ask else { return None };
        // How many of them lie in a matrix depends on the scores; on average it is the matrix's share.
        let k = self.num_weights.min(weights(model));
        let delta = tape.phi("Δ", k);
        let share = k as f64 * theta.elements as f64 / weights(model) as f64;
        let chosen = tape.part(delta, share.ceil() as u64);
        Some(tape.scatter(theta, chosen))
    }

    fn learning_rate(&self, task: &str, _base: &str) -> f64 {
        if task == "rules" { 3e-2 } else { 1e-2 }
    }

    fn label(&self) -> String {
        format!("sparse {}", super::grouped(self.num_weights))
    }
}

#[cfg(feature = "train")]
pub(crate) mod phi {
    use super::{Sparse, weights};
    use crate::peft::phi::{Composition, InitContext};
    use crate::peft::{Piece, Place};
    use burn::module::{Module, Param};
    use burn::tensor::{IndexingUpdateOp, Int, Tensor};
    use rand::RngExt;

    /// Δ at the chosen weights, matrix after matrix.
    #[derive(Module, Debug)]
    pub struct Phi {
        delta: Param<Tensor<1>>,
        /// For each matrix with chosen weights: where its part of Δ starts, and the weights' places in it.
        #[module(skip)]
        chosen: Vec<(Place, usize, Tensor<1, Int>)>,
        /// The same, counted through all matrices.
        #[module(skip)]
        order: Vec<usize>,
    }

    impl Phi {
        /// Δ zero at the k weights with the largest scores; without scores the choice is random.
        pub fn init(config: &Sparse, context: &mut InitContext<'_>) -> Phi {
            let model = context.theta.config.clone();
            let n = weights(&model);
            let scores = match context.scores.take() {
                Some(scores) => scores,
                None => (0..n).map(|_| context.rng.random::<f32>()).collect(),
            };
            let mut order: Vec<usize> = (0..n).collect();
            let k = config.num_weights.min(n);
            // The first of equals, so that a mask does not depend on how the sort goes.
            order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
            order.truncate(k);
            // Else all of n stay reserved: twice θ's size.
            order.shrink_to_fit();
            order.sort_unstable();
            let chosen = split(&order, &model).into_iter();
            let chosen = chosen.map(|(place, first, inside)| (place, first, context.places(inside))).collect();
            Phi { delta: context.zeros([k]), chosen, order }
        }
    }

    /// Places counted through all matrices, sorted, as places in each.
    fn split(order: &[usize], model: &crate::model::ModelConfig) -> Vec<(Place, usize, Vec<i32>)> {
        let (mut chosen, mut first, mut done) = (Vec::new(), 0, 0);
        for place in Place::all(model.num_hidden_layers) {
            let end = first + place.elements(Piece::Matrix, model);
            let inside: Vec<i32> = order[done..].iter().take_while(|i| **i < end).map(|i| (i - first) as i32).collect();
            let n = inside.len();
            if n > 0 {
                chosen.push((place, done, inside));
            }
            (first, done) = (end, done + n);
        }
        chosen
    }

    impl Composition for Phi {
        fn matrix(&self, place: Place, theta: &Tensor<2>) -> Option<Tensor<2>> {
            let (_, first, inside) = self.chosen.iter().find(|(p, ..)| *p == place)?;
            let (shape, n) = (theta.dims(), theta.shape().num_elements());
            let delta = self.delta.val().narrow(0, *first, inside.dims()[0]);
            let moved = theta.clone().reshape([n]).select_assign(0, inside.clone(), delta, IndexingUpdateOp::Add);
            Some(moved.reshape(shape))
        }

        fn chosen(&self) -> Option<Vec<usize>> {
            Some(self.order.clone())
        }
    }
}
