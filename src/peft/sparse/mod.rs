//! Sparse fine-tuning: θ + Δ, where Δ is zero but at chosen weights (Guo et al. 2021; Sung et al. 2021; Ansell et al. 2022).

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
use crate::model::{ModelConfig, ModulePath, ParamKind, Site, TensorInfo};
use crate::peft::knob::place_of;
use crate::peft::{Count, Knob, MORE, Mask, Method, MethodInfo, MethodKind, Range, Shape, Term, Value, rates};

/// θ + m ⊙ Δ with k ones in the mask m, over the matrices of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sparse {
    /// k
    pub num_weights: usize,
    /// By what they are chosen.
    pub mask: Mask,
}

impl Default for Sparse {
    fn default() -> Self {
        Sparse { num_weights: 4096, mask: Mask::Fisher }
    }
}

static INFO: MethodInfo = MethodInfo {
    name: "sparse",
    title: "Sparse mask",
    kind: MethodKind::Parameter,
    paper: "Guo et al., Parameter-Efficient Transfer Learning with Diff Pruning, 2021; Sung et al., Training Neural Networks with Fixed Sparse Masks, 2021; Ansell et al., Composable Sparse Fine-Tuning, 2022",
    formula: "f_{θ + m ⊙ ⟨Δ⟩}(x),  m a mask of k ones",
    summary: "Trains single weights, chosen before training and spread over all matrices; the rest is frozen.",
    knobs: &[
        Knob {
            name: "num_weights",
            label: "Weights",
            help: "k, how many weights of the network are trained.",
            range: Range::Integer { min: 1, max: 10_000_000, steps: &[256, 1024, 4096, 16_384, 65_536] },
            ..Knob::PLAIN
        },
        Knob {
            name: "mask",
            label: "Chosen by",
            help: "How the k weights are chosen before training.",
            range: Range::Choice(&Mask::OPTIONS),
            ..Knob::PLAIN
        },
    ],
    in_peft: false,
    merges: Ok(()),
    dial: Ok(()),
    checked: "finite differences, PyTorch",
};

/// Weights among which the mask chooses: those of all matrices.
fn weights(model: &ModelConfig) -> u64 {
    ModulePath::all(model).map(|place| place.elements(ParamKind::Matrix, model)).sum()
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
        if self.num_weights as u64 > all {
            let message =
                format!("This base has {all} weights in its matrices: {} cannot be chosen.", self.num_weights);
            return Err(Fault::new("num_weights", message));
        }
        Ok(())
    }

    fn count(&self, _shape: &Shape) -> Count {
        Count::new([Term::new(
            "Δ at the chosen weights",
            format!("{} weights", self.num_weights),
            self.num_weights as u64,
        )])
    }

    fn sites(&self, model: &ModelConfig) -> Vec<Site> {
        let places = ModulePath::all(model).filter(|place| place.elements(ParamKind::Matrix, model) > 0);
        places.map(|place| Site::Weight(place, ParamKind::Matrix)).collect()
    }

    fn tensors(&self, _shape: &Shape) -> Vec<TensorInfo> {
        vec![TensorInfo::new("sparse.delta", [self.num_weights])]
    }

    fn scores(&self) -> Option<Mask> {
        Some(self.mask)
    }

    /// A change of weights that are there.
    fn added(&self, _shape: &Shape) -> u64 {
        0
    }

    fn note(&self, _shape: &Shape) -> Option<String> {
        Some(
            "The gradient is still computed for whole matrices: a mask saves storage and optimizer state, not time."
                .into(),
        )
    }

    fn advice(&self, _outside: bool) -> &'static str {
        MORE
    }

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        rates::of(task, base, [3e-2, 1e-2, 3e-4])
    }

    fn label(&self) -> String {
        format!("sparse {}", grouped(self.num_weights))
    }
}
