//! What a φ may start from.

use crate::base::standard_normal;
use crate::model::{Matrix, Model};
use burn::module::Param;
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Reads a text as tokens.
type Encode<'a> = Box<dyn Fn(&str) -> Vec<u32> + 'a>;

/// What a φ may start from. Numbers are drawn on the host, so a seed gives the same φ on every device.
///
/// [`new`](Self::new) serves every method; what a task adds is given by the functions named after it.
pub struct InitContext<'a> {
    pub(super) theta: &'a Model,
    /// The device that trains, with autodiff.
    device: Device,
    pub(super) rng: ChaCha8Rng,
    pub(super) labels: &'a [u32],
    encode: Encode<'a>,
    pub(super) begins: usize,
    pub(super) demonstrations: &'a [u32],
    pub(super) scores: Option<Vec<f32>>,
}

impl<'a> InitContext<'a> {
    /// A φ for θ, drawn from `rng`, whose trained tensors get autodiff on `device`. There are no labels, no
    /// tokenizer (every text is empty) and no scores until they are given.
    pub fn new(theta: &'a Model, device: &Device, rng: ChaCha8Rng) -> InitContext<'a> {
        InitContext {
            theta,
            device: device.clone().autodiff(),
            rng,
            labels: &[],
            encode: Box::new(|_| Vec::new()),
            begins: 0,
            demonstrations: &[],
            scores: None,
        }
    }

    /// Tokens of the task's labels.
    pub fn labels(self, labels: &'a [u32]) -> InitContext<'a> {
        InitContext { labels, ..self }
    }

    /// The base's tokenizer.
    pub fn encode(self, encode: impl Fn(&str) -> Vec<u32> + 'a) -> InitContext<'a> {
        InitContext { encode: Box::new(encode), ..self }
    }

    /// Tokens that begin every text of the task.
    pub fn begins(self, begins: usize) -> InitContext<'a> {
        InitContext { begins, ..self }
    }

    /// Tokens of in-context learning's demonstrations.
    pub fn demonstrations(self, demonstrations: &'a [u32]) -> InitContext<'a> {
        InitContext { demonstrations, ..self }
    }

    /// How much each weight of θ matters, in the order of [`ModulePath::all`]'s matrices; `None` draws at
    /// random.
    ///
    /// [`ModulePath::all`]: crate::model::ModulePath::all
    pub fn scores(self, scores: Option<Vec<f32>>) -> InitContext<'a> {
        InitContext { scores, ..self }
    }
}

impl InitContext<'_> {
    /// A text's tokens, as the base reads them.
    pub(super) fn tokens_of(&self, text: &str) -> Vec<u32> {
        (self.encode)(text)
    }

    /// A trainable tensor of given values.
    pub fn constant<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Param<Tensor<D>> {
        Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), &self.device))
    }

    /// A trainable tensor of zeros.
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

    /// A tensor that is not trained, on θ's device.
    pub fn fixed<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values, shape), &self.theta.weights.tokens.device())
    }

    /// Places that are looked up in every step, on θ's device.
    pub fn places(&self, places: Vec<i32>) -> Tensor<1, Int> {
        let n = places.len();
        Tensor::from_data(TensorData::new(places, [n]), &self.theta.weights.tokens.device())
    }

    /// Independent normals with mean 0, as numbers.
    pub fn normals(&mut self, n: usize, std: f32) -> Vec<f32> {
        (0..n).map(|_| std * standard_normal(&mut self.rng)).collect()
    }

    /// Uniform between `-bound` and `bound`, as numbers.
    pub fn uniforms(&mut self, n: usize, bound: f32) -> Vec<f32> {
        (0..n).map(|_| bound * (2.0 * self.rng.random::<f32>() - 1.0)).collect()
    }

    /// A linear layer as `nn.Linear` starts in PyTorch: weights and bias uniform within 1/√inputs.
    pub fn linear(&mut self, inputs: usize, outputs: usize) -> crate::model::layers::Linear {
        let bound = (inputs as f32).sqrt().recip();
        crate::model::layers::Linear {
            weight: self.uniform([inputs, outputs], bound),
            bias: Some(self.uniform([outputs], bound)),
        }
    }

    /// A trainable copy of one of θ's tensors.
    pub fn copy<const D: usize>(&self, theta: &Param<Tensor<D>>) -> Param<Tensor<D>> {
        Param::from_tensor(theta.val().autodiff())
    }

    /// A trainable copy of one of θ's matrices, in single precision.
    pub fn copy_matrix(&self, theta: &Matrix) -> Param<Tensor<2>> {
        Param::from_tensor(theta.dense().autodiff())
    }

    /// Trainable copies of rows of the token embedding, `[rows, d]`. Selected on the device: nothing is read
    /// back.
    pub fn token_rows(&self, rows: &[u32]) -> Param<Tensor<2>> {
        self.rows_of(&self.theta.weights.tokens, rows)
    }

    /// Trainable copies of rows of the head, `[rows, d]`.
    pub fn head_rows(&self, rows: &[u32]) -> Param<Tensor<2>> {
        self.rows_of(self.theta.weights.head(), rows)
    }

    fn rows_of(&self, matrix: &Matrix, rows: &[u32]) -> Param<Tensor<2>> {
        let rows = self.places(rows.iter().map(|r| *r as i32).collect());
        Param::from_tensor(matrix.rows(rows).autodiff())
    }
}
