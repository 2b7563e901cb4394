//! φ of this method: its tensors, their start, and where they step into the forward pass.

use super::{Pruning, Schedule};
use crate::model::ModulePath;
use crate::model::{Composition, Matrix};
use crate::peft::InitContext;
use crate::peft::copies::Copies;
use burn::module::Module;
use burn::tensor::{Tensor, TensorData};

/// Copies of all of θ, and which weights of the blocks' matrices are left.
#[derive(Module, Debug)]
pub struct Phi {
    copies: Copies,
    /// One and zero for each weight, by place; none where all are left.
    #[module(skip)]
    masks: Vec<(ModulePath, Tensor<2>, usize)>,
    #[module(skip)]
    config: Pruning,
    /// The matrices that are pruned.
    #[module(skip)]
    places: Vec<ModulePath>,
}

impl Phi {
    pub fn init(config: &Pruning, context: &mut InitContext<'_>) -> Phi {
        let matrices = ModulePath::all(&context.theta.config).filter(|place| matches!(place, ModulePath::Linear(..)));
        let places = matrices.collect();
        Phi { copies: Copies::init(config, context), masks: Vec::new(), config: *config, places }
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
    fn matrix(&self, place: ModulePath, theta: &Matrix) -> Option<Tensor<2>> {
        let copy = self.copies.matrix(place, theta)?;
        match self.masks.iter().find(|(p, ..)| *p == place) {
            Some((_, mask, _)) => Some(copy * mask.clone()),
            None => Some(copy),
        }
    }

    fn bias(&self, place: ModulePath, theta: &Tensor<1>) -> Option<Tensor<1>> {
        self.copies.bias(place, theta)
    }

    fn scale(&self, place: ModulePath, theta: &Tensor<1>) -> Option<Tensor<1>> {
        self.copies.scale(place, theta)
    }

    /// The matrices as they are used, where this step begins a round.
    fn host_reads(&self, step: usize, steps: usize) -> Vec<Tensor<1>> {
        if self.due(step, steps).is_none() {
            return Vec::new();
        }
        // θ is not looked at: every place has its copy.
        let matrices = self.places.iter().copied().filter_map(|place| {
            // No gradient is asked for: a tape would hold the mask till the next one is.
            let copy = self.copies.own(place)?.set_require_grad(false);
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
    fn host_values(&mut self, step: usize, steps: usize, values: Vec<Vec<f32>>) {
        let Some(share) = self.due(step, steps) else { return };
        let mut masks = Vec::new();
        for (place, values) in self.places.clone().into_iter().zip(values) {
            let Some(copy) = self.copies.own(place) else { continue };
            // Masks are constants, as θ is: they live where it does.
            let (shape, device) = (copy.dims(), copy.device().without_autodiff());
            let pruned = Pruning::pruned(values.len() as u64, share) as usize;
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

    fn masks(&self) -> Vec<Tensor<1>> {
        let flat = |mask: &Tensor<2>| {
            let n = mask.shape().num_elements();
            mask.clone().reshape([n])
        };
        self.masks.iter().map(|(_, mask, _)| flat(mask)).collect()
    }

    /// What is pruned becomes zero in the copies themselves.
    fn finalize(&mut self) {
        for (place, mask, _) in &self.masks {
            self.copies.multiply(*place, mask);
        }
    }

    fn elements(&self) -> Option<usize> {
        Some(self.copies.num_params() - self.masks.iter().map(|(_, _, pruned)| pruned).sum::<usize>())
    }
}
