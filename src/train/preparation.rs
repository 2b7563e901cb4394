//! What has to be known about θ's weights before φ can be made: how much each matters.

use super::data::{Batch, TaskData};
use super::optimizer::{Optimizer, learning_rate};
use super::step::{forward, step};
use crate::base::Failure;
use crate::base::read;
use crate::base::stream;
use crate::config::RunConfig;
use crate::model::{Model, ModelConfig, ModulePath, ParamKind};
use crate::peft::{InitContext, Phi};
use crate::peft::{Mask, MethodConfig};
use crate::protocol::Event;
use burn::module::{ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;

/// Examples whose squared gradients are summed for the Fisher information, one by one.
const FISHER_EXAMPLES: usize = 64;
/// The longest first pass.
const FIRST_PASS: usize = 150;

/// Scores under way, a few examples or a step at a time.
pub struct Preparation {
    mask: Mask,
    done: usize,
    of: usize,
    /// Full fine-tuning, which tells what changes or what the gradient is.
    full: Option<Phi>,
    optimizer: Optimizer,
    rng: ChaCha8Rng,
    /// Sums of squares so far.
    squares: Vec<Tensor<1>>,
}

impl Preparation {
    /// What a run has to do first; `None` where it is nothing.
    pub fn of(config: &RunConfig) -> Option<Preparation> {
        let mask = config.methods().find_map(|m| m.method().scores()).filter(|mask| *mask != Mask::Random)?;
        let of = match mask {
            Mask::Change => (config.steps / 2).clamp(1, FIRST_PASS),
            Mask::Fisher => FISHER_EXAMPLES,
            Mask::Magnitude | Mask::Random => 1,
        };
        Some(Preparation {
            mask,
            done: 0,
            of,
            full: None,
            optimizer: Optimizer::new(),
            rng: stream(config.seed, "first pass"),
            squares: Vec::new(),
        })
    }

    /// How far it is, as an event.
    pub fn progress(&self, run: u32) -> Event {
        let what = match self.mask {
            Mask::Change => "the mask: a first pass of full fine-tuning",
            Mask::Fisher => "the mask: squared gradients of examples",
            Mask::Magnitude | Mask::Random => "the mask",
        };
        Event::Loading { run, what: format!("{what} {} of {}", self.done, self.of), done: 0, of: 0 }
    }

    /// Goes on. The scores of all matrices' weights when they are there, in the order of [`ModulePath::all`].
    ///
    /// # Errors
    /// Where the device is lost.
    pub async fn advance(
        &mut self,
        config: &RunConfig,
        theta: &Model,
        data: &TaskData,
        device: &Device,
    ) -> Result<Option<Vec<f32>>, Failure> {
        if self.mask == Mask::Magnitude {
            return Ok(Some(absolute(of_theta(theta).await?)));
        }
        let full = match self.full.take() {
            Some(full) => full,
            None => {
                let mut context = InitContext::new(theta, device, stream(config.seed, "phi")).labels(&data.labels);
                Phi::init([&MethodConfig::everything()], &mut context)
            }
        };
        let size = if self.mask == Mask::Fisher { 1 } else { config.batch_size() };
        let batch = Batch::new(&data.draw(size, &mut self.rng)).among(data.among());
        if self.mask == Mask::Fisher {
            let gradients = forward(theta, &full, &batch).backward();
            let mut squares = Squares(GradientsParams::from_grads(gradients, &full), Vec::new());
            burn::module::Module::visit(&full, &mut squares);
            self.squares = match self.squares.is_empty() {
                true => squares.1,
                false => self.squares.drain(..).zip(squares.1).map(|(sum, square)| sum + square).collect(),
            };
            self.full = Some(full);
        } else {
            let peak = MethodConfig::everything().method().learning_rate(config.task.rates(), config.base.rates());
            let rate = learning_rate(peak, self.done, self.of);
            self.full = Some(step(theta, full, &batch, &mut self.optimizer, rate));
            // Nobody looks at them.
            if self.optimizer.waits() {
                self.optimizer.reports().await?;
            }
        }
        self.done += 1;
        if self.done < self.of {
            return Ok(None);
        }
        if self.mask == Mask::Fisher {
            return Ok(Some(matrices(std::mem::take(&mut self.squares), &theta.config).await?));
        }
        let trained = self.full.take().map(|full| full.frozen().flat()).unwrap_or_default();
        let (trained, theta) = (matrices(trained, &theta.config).await?, of_theta(theta).await?);
        Ok(Some(absolute(trained.iter().zip(theta).map(|(a, b)| a - b).collect())))
    }
}

/// Squared gradients of φ's tensors, flat.
struct Squares(GradientsParams, Vec<Tensor<1>>);

impl ModuleVisitor for Squares {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let n = param.val().shape().num_elements();
        let gradient = self.0.get::<D>(param.id);
        let device = param.val().device().without_autodiff();
        self.1.push(match gradient {
            Some(gradient) => gradient.reshape([n]).powi_scalar(2),
            None => Tensor::zeros([n], &device),
        });
    }
}

fn absolute(values: Vec<f32>) -> Vec<f32> {
    values.into_iter().map(f32::abs).collect()
}

/// θ's matrices, one behind the other.
async fn of_theta(theta: &Model) -> Result<Vec<f32>, Failure> {
    let weights = &theta.weights;
    let mut all = Vec::new();
    for place in ModulePath::all(&theta.config) {
        let Some(matrix) = weights.at(place).matrix.map(|matrix| matrix.dense()) else { continue };
        let n = matrix.shape().num_elements();
        all.extend(read(matrix.reshape([n])).await?);
    }
    Ok(all)
}

/// The matrices among the tensors of full fine-tuning, one behind the other.
async fn matrices(tensors: Vec<Tensor<1>>, model: &ModelConfig) -> Result<Vec<f32>, Failure> {
    let pieces = ModulePath::all(model).flat_map(|place| place.pieces(model).iter().copied());
    let mut all = Vec::new();
    for (tensor, piece) in tensors.into_iter().zip(pieces) {
        if piece == ParamKind::Matrix {
            all.extend(read(tensor).await?);
        }
    }
    Ok(all)
}
