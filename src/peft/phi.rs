//! φ as tensors: the parts that methods train, together.

use super::{InitContext, MethodConfig, Part};
use crate::model::{Composition, Compositions, ModulePath, ParamKind, Prefixed};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor, TensorData};

/// Everything a run trains. Without parts it is the base alone.
#[derive(Module, Debug)]
pub struct Phi {
    parts: Vec<Part>,
    /// λ of θ ⊕ λφ.
    #[module(skip)]
    lambda: f64,
}

impl Compositions for Phi {
    fn part(&self, i: usize) -> Option<&dyn Composition> {
        self.parts.get(i).map(Part::composition)
    }

    fn lambda(&self) -> f64 {
        self.lambda
    }
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

    /// Virtual tokens in front of the text, `[n, d]`.
    pub fn prompt(&self) -> Option<Tensor<2>> {
        (self as &dyn Compositions).prompt()
    }

    /// Keys and values in front of those of the blocks that have such.
    pub fn prefixes(&self) -> Vec<Prefixed> {
        (self as &dyn Compositions).prefixes()
    }

    /// Seeds what is random in a training step; `None` switches it off.
    pub fn noise(&mut self, seed: Option<u64>) {
        self.parts.iter_mut().for_each(|part| part.composition_mut().noise(seed));
    }

    /// What each part asks before a step; empty where none does.
    pub fn host_reads(&self, step: usize, steps: usize) -> Vec<Vec<Tensor<1>>> {
        let asked: Vec<Vec<Tensor<1>>> =
            self.parts.iter().map(|part| part.composition().host_reads(step, steps)).collect();
        if asked.iter().all(Vec::is_empty) { Vec::new() } else { asked }
    }

    /// The answers to [`host_reads`](Self::host_reads).
    pub fn host_values(&mut self, step: usize, steps: usize, values: Vec<Vec<Vec<f32>>>) {
        for (part, values) in self.parts.iter_mut().zip(values) {
            if !values.is_empty() {
                part.composition_mut().host_values(step, steps, values);
            }
        }
    }

    /// For each part, what earlier answers left beside its tensors; empty where none left anything.
    pub fn masks(&self) -> Vec<Vec<Tensor<1>>> {
        let masks: Vec<Vec<Tensor<1>>> = self.parts.iter().map(|part| part.composition().masks()).collect();
        if masks.iter().all(Vec::is_empty) { Vec::new() } else { masks }
    }

    /// Ends training.
    pub fn finalize(&mut self) {
        self.parts.iter_mut().for_each(|part| part.composition_mut().finalize());
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
    pub fn project(&mut self, rows: Vec<(ModulePath, ParamKind, Tensor<2>)>) {
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

    /// φ with these values in its tensors, in the order of [`flat`](Self::flat); those without stay as they are.
    ///
    /// # Panics
    /// As [`filled`](Self::filled).
    pub fn filled_where(&self, values: Vec<Option<Vec<f32>>>) -> Phi {
        self.valid().map(&mut Fill(values.into_iter())).train()
    }

    /// φ with these values in its tensors, in the order of [`flat`](Self::flat).
    ///
    /// # Panics
    /// Where a length differs: files are checked against [`Method::tensors`](super::Method::tensors) before.
    pub fn filled(&self, values: Vec<Vec<f32>>) -> Phi {
        self.filled_where(values.into_iter().map(Some).collect())
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
    #[expect(clippy::expect_used, reason = "callers hold a vector for each tensor of φ, in its order")]
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let flat = self.0.next().expect("one for each tensor of φ");
        param.map(|t| flat.reshape(t.shape()))
    }
}

struct Fill(std::vec::IntoIter<Option<Vec<f32>>>);

impl ModuleMapper for Fill {
    #[expect(clippy::expect_used, reason = "files of φ are read by its tensors, a list for each")]
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(values) = self.0.next().expect("a value for each tensor of φ") else { return param };
        param.map(|t| Tensor::from_data(TensorData::new(values, t.shape()), &t.device()))
    }
}
