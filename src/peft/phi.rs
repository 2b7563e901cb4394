//! φ as tensors: where it steps into the forward pass, and how it starts.

use super::{MethodConfig, Part, Piece, Place, Target};
use crate::model::Model;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

pub use super::Sublayer;

/// A linear layer as a method finds it: its place, and the tensors that are used there.
#[derive(Clone, Copy, Debug)]
pub struct Linear<'a> {
    pub layer: usize,
    pub target: Target,
    /// `[inputs, outputs]`
    pub weight: &'a Tensor<2>,
    pub bias: &'a Tensor<1>,
}

/// How one method changes the forward pass. Every default leaves the network as it is.
pub trait Composition {
    /// A matrix that stands in for `theta`: `[vocab, d]`, `[positions, d]`, or `[inputs, outputs]` of a linear layer.
    fn matrix(&self, _place: Place, _theta: &Tensor<2>) -> Option<Tensor<2>> {
        None
    }

    /// A bias that stands in for `theta`.
    fn bias(&self, _place: Place, _theta: &Tensor<1>) -> Option<Tensor<1>> {
        None
    }

    /// A LayerNorm's scale that stands in for `theta`.
    fn scale(&self, _place: Place, _theta: &Tensor<1>) -> Option<Tensor<1>> {
        None
    }

    /// The head `[vocab, d]` in place of the token embedding `table`.
    fn head(&self, _table: &Tensor<2>) -> Option<Tensor<2>> {
        None
    }

    /// What a linear layer reads, `[sequences, length, inputs]`.
    fn input(&self, _at: Linear<'_>, _x: &Tensor<3>) -> Option<Tensor<3>> {
        None
    }

    /// Parameter composition: `y` = W₀x + b with φ's update. `x` is `[sequences, length, inputs]`.
    fn update(&self, _at: Linear<'_>, _x: &Tensor<3>, _y: &Tensor<3>) -> Option<Tensor<3>> {
        None
    }

    /// The layer's matrix and bias with φ folded in, where [`update`](Self::update) or [`input`](Self::input) change it.
    fn merged(&self, _at: Linear<'_>) -> Option<(Tensor<2>, Tensor<1>)> {
        None
    }

    /// Input composition: virtual tokens `[n, d]` in front of the text.
    fn prompt(&self) -> Option<Tensor<2>> {
        None
    }

    /// Input composition: the tokens of a discrete prompt.
    fn text(&self) -> Option<&Text> {
        None
    }

    /// Input composition: for each layer that has them, keys and values in front of its own, each `[n, d]`.
    fn prefixes(&self) -> Vec<Prefixed> {
        Vec::new()
    }

    /// Function composition: what follows or accompanies a sub-layer, before the residual line. `input` is the sub-layer's,
    /// before its LayerNorm, `y` is what it gives.
    fn after(&self, _layer: usize, _sublayer: Sublayer, _input: &Tensor<3>, _y: &Tensor<3>) -> Option<Tensor<3>> {
        None
    }

    /// Seeds what is random in a training step; `None` switches it off.
    fn noise(&mut self, _seed: Option<u64>) {}

    /// Tensors, flat, whose values φ needs on the host before a step (from 0) of `steps`.
    fn asks(&self, _step: usize, _steps: usize) -> Vec<Tensor<1>> {
        Vec::new()
    }

    /// The values of what [`asks`](Self::asks) gave, in its order.
    fn told(&mut self, _step: usize, _steps: usize, _values: Vec<Vec<f32>>) {}

    /// Ends training: what was set aside while φ changed is written into its tensors.
    fn settle(&mut self) {}

    /// The weights that a mask has chosen, counted through all matrices in the order of [`Place::all`].
    fn chosen(&self) -> Option<Vec<usize>> {
        None
    }

    /// Frozen A `[inputs, rank]` and B `[rank, outputs]` that all layers share.
    fn shared(&self) -> Option<[Tensor<2>; 2]> {
        None
    }

    /// Takes other ones, of the same shapes.
    fn share(&mut self, _shared: [Tensor<2>; 2]) {}

    /// Takes the rows `[n, d]` of a projection P from elsewhere; tensors of θ without rows stay as they are.
    fn project(&mut self, _rows: Vec<(Place, Piece, Tensor<2>)>) {}

    /// Trained numbers, where they are not all elements of φ's tensors.
    fn elements(&self) -> Option<usize> {
        None
    }
}

/// A discrete prompt.
#[derive(Clone, Debug, Default)]
pub struct Text {
    pub tokens: Vec<i32>,
    /// Tokens of each sequence that stay in front of it: 1 for `<s>`.
    pub after: usize,
}

/// Keys and values in front of a layer's own, each `[n, d]`.
#[derive(Clone, Debug)]
pub struct Prefixed {
    pub layer: usize,
    pub keys: Tensor<2>,
    pub values: Tensor<2>,
}

/// Everything a run trains. Without parts it is the base alone.
#[derive(Module, Debug)]
pub struct Phi {
    parts: Vec<Part>,
    /// λ of θ ⊕ λφ.
    #[module(skip)]
    lambda: f64,
}

impl Phi {
    /// No φ: the base as it is.
    pub fn none() -> Phi {
        Phi { parts: Vec::new(), lambda: 1.0 }
    }

    /// φ at its start: a part for each method.
    pub fn init<'m>(configs: impl IntoIterator<Item = &'m MethodConfig>, context: &mut InitContext<'_>) -> Phi {
        Phi { parts: configs.into_iter().map(|config| Part::init(config, context)).collect(), lambda: 1.0 }
    }

    /// The same φ without gradients and without anything random.
    pub fn frozen(&self) -> Phi {
        let mut phi = self.valid();
        phi.noise(None);
        phi
    }

    /// θ ⊕ λφ: between θ's answer and φ's, or beyond. What stands in the input has no λ and stays.
    pub fn dialled(&self, lambda: f64) -> Phi {
        Phi { lambda, ..self.clone() }
    }

    /// θ + λ(x − θ)
    fn dial<const D: usize>(&self, theta: &Tensor<D>, x: Tensor<D>) -> Tensor<D> {
        match self.lambda {
            1.0 => x,
            lambda => theta.clone() + (x - theta.clone()).mul_scalar(lambda),
        }
    }

    /// The parts one after the other, each with what those before it made of `theta`.
    fn fold<const D: usize>(
        &self,
        theta: Tensor<D>,
        ask: impl Fn(&dyn Composition, &Tensor<D>) -> Option<Tensor<D>>,
    ) -> Tensor<D> {
        self.parts.iter().fold(theta, |theta, part| match ask(part.composition(), &theta) {
            Some(x) => self.dial(&theta, x),
            None => theta,
        })
    }

    pub fn matrix(&self, place: Place, theta: Tensor<2>) -> Tensor<2> {
        self.fold(theta, |c, theta| c.matrix(place, theta))
    }

    pub fn bias(&self, place: Place, theta: Tensor<1>) -> Tensor<1> {
        self.fold(theta, |c, theta| c.bias(place, theta))
    }

    pub fn scale(&self, place: Place, theta: Tensor<1>) -> Tensor<1> {
        self.fold(theta, |c, theta| c.scale(place, theta))
    }

    pub fn head(&self, table: Tensor<2>) -> Tensor<2> {
        self.fold(table, |c, table| c.head(table))
    }

    pub fn input(&self, at: Linear<'_>, x: Tensor<3>) -> Tensor<3> {
        self.fold(x, |c, x| c.input(at, x))
    }

    /// `y` with all updates of a matrix.
    pub fn update(&self, at: Linear<'_>, x: &Tensor<3>, y: Tensor<3>) -> Tensor<3> {
        self.fold(y, |c, y| c.update(at, x, y))
    }

    pub fn after(&self, layer: usize, sublayer: Sublayer, input: &Tensor<3>, y: Tensor<3>) -> Tensor<3> {
        self.fold(y, |c, y| c.after(layer, sublayer, input, y))
    }

    pub fn prompt(&self) -> Option<Tensor<2>> {
        self.parts.iter().find_map(|part| part.composition().prompt())
    }

    /// A discrete prompt, where there is one.
    pub fn text(&self) -> Option<&Text> {
        self.parts.iter().find_map(|part| part.composition().text()).filter(|text| !text.tokens.is_empty())
    }

    pub fn prefixes(&self) -> Vec<Prefixed> {
        self.parts.iter().flat_map(|part| part.composition().prefixes()).collect()
    }

    /// A layer's matrix and bias with every part folded in.
    pub fn merged(&self, at: Linear<'_>) -> (Tensor<2>, Tensor<1>) {
        let start = (at.weight.clone(), at.bias.clone());
        self.parts.iter().fold(start, |(weight, bias), part| {
            let at = Linear { weight: &weight, bias: &bias, ..at };
            match part.composition().merged(at) {
                Some((w, b)) => (self.dial(&weight, w), self.dial(&bias, b)),
                None => (weight, bias),
            }
        })
    }

    pub fn noise(&mut self, seed: Option<u64>) {
        self.parts.iter_mut().for_each(|part| part.composition_mut().noise(seed));
    }

    /// What each part asks before a step; empty where none does.
    pub fn asks(&self, step: usize, steps: usize) -> Vec<Vec<Tensor<1>>> {
        let asked: Vec<Vec<Tensor<1>>> = self.parts.iter().map(|part| part.composition().asks(step, steps)).collect();
        if asked.iter().all(Vec::is_empty) { Vec::new() } else { asked }
    }

    /// The answers to [`asks`](Self::asks).
    pub fn told(&mut self, step: usize, steps: usize, values: Vec<Vec<Vec<f32>>>) {
        for (part, values) in self.parts.iter_mut().zip(values) {
            if !values.is_empty() {
                part.composition_mut().told(step, steps, values);
            }
        }
    }

    /// Ends training.
    pub fn settle(&mut self) {
        self.parts.iter_mut().for_each(|part| part.composition_mut().settle());
    }

    /// The parts, one for each method.
    pub fn compositions(&self) -> impl Iterator<Item = &dyn Composition> {
        self.parts.iter().map(Part::composition)
    }

    /// Takes frozen A and B from elsewhere, where a part has such.
    pub fn share(&mut self, shared: [Tensor<2>; 2]) {
        self.parts.iter_mut().for_each(|part| part.composition_mut().share(shared.clone()));
    }

    /// Takes a projection P from elsewhere, where a part has one.
    pub fn project(&mut self, rows: Vec<(Place, Piece, Tensor<2>)>) {
        self.parts.iter_mut().for_each(|part| part.composition_mut().project(rows.clone()));
    }

    /// Trained numbers.
    pub fn elements(&self) -> usize {
        self.parts.iter().map(|part| part.composition().elements().unwrap_or_else(|| part.num_params())).sum()
    }

    /// Every tensor of φ, flat, in the order of [`Method::tensors`](super::Method::tensors).
    pub fn flat(&self) -> Vec<Tensor<1>> {
        let mut visitor = Flat(Vec::new());
        self.visit(&mut visitor);
        visitor.0
    }

    /// The gradient of each of [`flat`](Self::flat)'s tensors; zeros where there is none.
    pub fn flat_gradients(&self, gradients: &Gradients) -> Vec<Tensor<1>> {
        let mut visitor = FlatGradients { gradients, flat: Vec::new() };
        self.visit(&mut visitor);
        visitor.flat
    }

    /// φ with the numbers of all its tensors, one after the other.
    pub fn filled_flat(&self, mut numbers: &[f32]) -> Phi {
        let sizes = self.flat().into_iter().map(|tensor| tensor.dims()[0]);
        let values = sizes.map(|n| {
            let (these, rest) = numbers.split_at(n);
            numbers = rest;
            these.to_vec()
        });
        self.filled(values.collect())
    }

    /// φ with these tensors, flat, in the order of [`flat`](Self::flat).
    #[cfg(feature = "webgpu")]
    pub fn with(self, flat: Vec<Tensor<1>>) -> Phi {
        self.valid().map(&mut Replace(flat.into_iter())).train()
    }

    /// φ with these values in its tensors, in the order of [`flat`](Self::flat).
    ///
    /// # Panics
    /// Where a length differs: files are checked against [`Method::tensors`](super::Method::tensors) before.
    pub fn filled(&self, values: Vec<Vec<f32>>) -> Phi {
        self.valid().map(&mut Fill(values.into_iter())).train()
    }
}

struct Flat(Vec<Tensor<1>>);

impl ModuleVisitor for Flat {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        let n = value.shape().num_elements();
        self.0.push(value.reshape([n]));
    }
}

struct FlatGradients<'a> {
    gradients: &'a Gradients,
    flat: Vec<Tensor<1>>,
}

impl ModuleVisitor for FlatGradients<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        let n = value.shape().num_elements();
        let gradient = value.grad(self.gradients).map(|gradient| gradient.reshape([n]));
        self.flat.push(gradient.unwrap_or_else(|| Tensor::zeros([n], &value.device().without_autodiff())));
    }
}

#[cfg(feature = "webgpu")]
struct Replace(std::vec::IntoIter<Tensor<1>>);

#[cfg(feature = "webgpu")]
impl ModuleMapper for Replace {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let flat = self.0.next().expect("one for each tensor of φ");
        param.map(|t| flat.reshape(t.shape()))
    }
}

struct Fill(std::vec::IntoIter<Vec<f32>>);

impl ModuleMapper for Fill {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let values = self.0.next().expect("a value for each tensor of φ");
        param.map(|t| Tensor::from_data(TensorData::new(values, t.shape()), &t.device()))
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
    /// Tokens that begin every text of the task.
    pub begins: usize,
    /// Tokens of in-context learning's demonstrations.
    pub demonstrations: &'a [u32],
    /// How much each weight of θ matters, in the order of [`Place::all`]'s matrices; `None` draws at random.
    pub scores: Option<Vec<f32>>,
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

    /// A tensor that is not trained, on θ's device.
    pub fn fixed<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values, shape), &self.theta.weights.tokens.val().device())
    }

    /// Places that are looked up in every step, on θ's device.
    pub fn places(&self, places: Vec<i32>) -> Tensor<1, Int> {
        let n = places.len();
        Tensor::from_data(TensorData::new(places, [n]), &self.theta.weights.tokens.val().device())
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
            bias: self.uniform([outputs], bound),
        }
    }

    /// A trainable copy of one of θ's tensors.
    pub fn copy<const D: usize>(&self, theta: &Param<Tensor<D>>) -> Param<Tensor<D>> {
        Param::from_tensor(theta.val().autodiff())
    }

    /// Trainable copies of rows of the token embedding, `[rows, d]`. Selected on the device: nothing is read back.
    pub fn token_rows(&self, rows: &[u32]) -> Param<Tensor<2>> {
        let rows = self.places(rows.iter().map(|r| *r as i32).collect());
        Param::from_tensor(self.theta.weights.tokens.val().select(0, rows).autodiff())
    }
}

/// Box–Muller, so that the stream does not depend on a library's algorithm.
pub fn standard_normal(rng: &mut ChaCha8Rng) -> f32 {
    let radius = (-2.0 * (1.0 - rng.random::<f32>()).ln()).sqrt();
    radius * (std::f32::consts::TAU * rng.random::<f32>()).cos()
}
