//! φ as tensors: where it steps into the forward pass, and how it starts.

use super::{MethodConfig, Part, Place, Target};
use crate::model::Model;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// The two halves of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sublayer {
    Attention,
    Mlp,
}

/// How one method changes the forward pass. Every default leaves the network as it is.
pub trait Composition {
    /// A matrix that stands in for θ's: `[vocab, d]`, `[positions, d]`, or `[inputs, outputs]` of a linear layer.
    fn matrix(&self, _place: Place) -> Option<Tensor<2>> {
        None
    }

    /// A bias that stands in for θ's.
    fn bias(&self, _place: Place) -> Option<Tensor<1>> {
        None
    }

    /// A LayerNorm's scale that stands in for θ's.
    fn scale(&self, _place: Place) -> Option<Tensor<1>> {
        None
    }

    /// The head `[vocab, d]` in place of the token embedding `table`.
    fn head(&self, _table: &Tensor<2>) -> Option<Tensor<2>> {
        None
    }

    /// Parameter composition: `y` = W₀x + b with φ's update of W₀ added. `x` is `[sequences, length, inputs]`.
    fn update(&self, _layer: usize, _target: Target, _x: &Tensor<3>, y: Tensor<3>) -> Tensor<3> {
        y
    }

    /// Input composition: virtual tokens `[n, d]` in front of the text.
    fn prompt(&self) -> Option<Tensor<2>> {
        None
    }

    /// Input composition: keys and values, each `[n, d]`, in front of those of a layer.
    fn prefix(&self, _layer: usize) -> Option<(Tensor<2>, Tensor<2>)> {
        None
    }

    /// Function composition: what follows a sub-layer, before the residual line.
    fn after(&self, _layer: usize, _sublayer: Sublayer, x: Tensor<3>) -> Tensor<3> {
        x
    }
}

/// Everything a run trains. Without parts it is the base alone.
#[derive(Module, Debug)]
pub struct Phi {
    parts: Vec<Part>,
}

impl Phi {
    /// No φ: the base as it is.
    pub fn none() -> Phi {
        Phi { parts: Vec::new() }
    }

    /// φ at its start.
    pub fn init(config: &MethodConfig, context: &mut InitContext<'_>) -> Phi {
        Phi { parts: vec![Part::init(config, context)] }
    }

    fn first<T>(&self, ask: impl Fn(&dyn Composition) -> Option<T>) -> Option<T> {
        self.parts.iter().find_map(|part| ask(part.composition()))
    }

    pub fn matrix(&self, place: Place) -> Option<Tensor<2>> {
        self.first(|c| c.matrix(place))
    }

    pub fn bias(&self, place: Place) -> Option<Tensor<1>> {
        self.first(|c| c.bias(place))
    }

    pub fn scale(&self, place: Place) -> Option<Tensor<1>> {
        self.first(|c| c.scale(place))
    }

    pub fn head(&self, table: &Tensor<2>) -> Option<Tensor<2>> {
        self.first(|c| c.head(table))
    }

    pub fn prompt(&self) -> Option<Tensor<2>> {
        self.first(|c| c.prompt())
    }

    pub fn prefix(&self, layer: usize) -> Option<(Tensor<2>, Tensor<2>)> {
        self.first(|c| c.prefix(layer))
    }

    /// Keys that stand in front of every layer's.
    pub fn prefix_length(&self) -> usize {
        self.prefix(0).map_or(0, |(keys, _)| keys.dims()[0])
    }

    /// `y` with all updates of a matrix.
    pub fn update(&self, layer: usize, target: Target, x: &Tensor<3>, y: Tensor<3>) -> Tensor<3> {
        self.parts.iter().fold(y, |y, part| part.composition().update(layer, target, x, y))
    }

    pub fn after(&self, layer: usize, sublayer: Sublayer, x: Tensor<3>) -> Tensor<3> {
        self.parts.iter().fold(x, |x, part| part.composition().after(layer, sublayer, x))
    }
}

/// What a φ may start from. Numbers are drawn on the host, so a seed gives the same φ on every device.
pub struct InitContext<'a> {
    pub theta: &'a Model,
    /// The device that trains, with autodiff.
    pub device: &'a Device,
    pub rng: ChaCha8Rng,
    /// Tokens of the task's labels.
    pub labels: &'a [u32],
    /// The base's tokenizer.
    pub encode: &'a dyn Fn(&str) -> Vec<u32>,
}

impl InitContext<'_> {
    /// A trainable tensor of given values.
    pub fn constant<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Param<Tensor<D>> {
        Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), self.device))
    }

    pub fn zeros<const D: usize>(&self, shape: [usize; D]) -> Param<Tensor<D>> {
        self.constant(vec![0.0; shape.iter().product()], shape)
    }

    /// Independent normals with mean 0.
    pub fn normal<const D: usize>(&mut self, shape: [usize; D], std: f32) -> Param<Tensor<D>> {
        let values = (0..shape.iter().product()).map(|_| std * standard_normal(&mut self.rng)).collect();
        self.constant(values, shape)
    }

    /// Uniform between `-bound` and `bound`.
    pub fn uniform<const D: usize>(&mut self, shape: [usize; D], bound: f32) -> Param<Tensor<D>> {
        let values = (0..shape.iter().product()).map(|_| bound * (2.0 * self.rng.random::<f32>() - 1.0)).collect();
        self.constant(values, shape)
    }

    /// A trainable copy of one of θ's tensors.
    pub fn copy<const D: usize>(&self, theta: &Param<Tensor<D>>) -> Param<Tensor<D>> {
        Param::from_tensor(theta.val().autodiff())
    }

    /// Trainable copies of rows of the token embedding, `[rows, d]`. Selected on the device: nothing is read back.
    pub fn token_rows(&self, rows: &[u32]) -> Param<Tensor<2>> {
        let table = self.theta.weights.tokens.val();
        let ids: Vec<i32> = rows.iter().map(|r| *r as i32).collect();
        let ids = Tensor::from_data(TensorData::new(ids, [rows.len()]), &table.device());
        Param::from_tensor(table.select(0, ids).autodiff())
    }
}

/// Box–Muller, so that the stream does not depend on a library's algorithm.
fn standard_normal(rng: &mut ChaCha8Rng) -> f32 {
    let radius = (-2.0 * (1.0 - rng.random::<f32>()).ln()).sqrt();
    radius * (std::f32::consts::TAU * rng.random::<f32>()).cos()
}
