//! φ of every method that trains tensors of θ themselves: copies of the chosen ones, which stand in for them.

use super::InitContext;
use super::Method;
use crate::model::{Composition, Matrix};
use crate::model::{ModulePath, ParamKind};
use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};

/// Copies of a place's tensors: `None` is left to θ.
#[derive(Module, Debug)]
struct Copied {
    matrix: Option<Param<Tensor<2>>>,
    scale: Option<Param<Tensor<1>>>,
    bias: Option<Param<Tensor<1>>>,
}

/// Trainable copies of the tensors that a method names by [`Method::copies`].
#[derive(Module, Debug)]
pub struct Copies {
    copied: Vec<Copied>,
    #[module(skip)]
    places: Vec<ModulePath>,
}

impl Copies {
    pub fn init(method: &dyn Method, context: &mut InitContext<'_>) -> Copies {
        let weights = &context.theta.weights;
        let mut copies = Copies { copied: Vec::new(), places: Vec::new() };
        for place in ModulePath::all(&context.theta.config) {
            let wanted = |piece| method.copies(place, piece, &context.theta.config);
            let theta = weights.at(place);
            let copied = Copied {
                matrix: theta.matrix.filter(|_| wanted(ParamKind::Matrix)).map(|t| context.copy_matrix(&t)),
                scale: theta.scale.filter(|_| wanted(ParamKind::Scale)).map(|t| context.copy(t)),
                bias: theta.bias.filter(|_| wanted(ParamKind::Bias)).map(|t| context.copy(t)),
            };
            if copied.matrix.is_some() || copied.bias.is_some() || copied.scale.is_some() {
                copies.copied.push(copied);
                copies.places.push(place);
            }
        }
        copies
    }

    /// The matrix of a place, without gradient.
    pub fn own(&self, place: ModulePath) -> Option<Tensor<2>> {
        self.at(place)?.matrix.as_ref().map(|matrix| matrix.val().detach())
    }

    /// Sets the matrix of a place.
    pub fn replace(&mut self, place: ModulePath, values: Vec<f32>) {
        let Some(i) = self.places.iter().position(|p| *p == place) else { return };
        if let Some(matrix) = self.copied[i].matrix.take() {
            let (id, old) = (matrix.id, matrix.val());
            let new = Tensor::from_data(TensorData::new(values, old.shape()), &old.device());
            self.copied[i].matrix = Some(Param::initialized(id, new.set_require_grad(old.is_require_grad())));
        }
    }

    /// Multiplies the matrix of a place, element by element.
    pub fn multiply(&mut self, place: ModulePath, by: &Tensor<2>) {
        let Some(i) = self.places.iter().position(|p| *p == place) else { return };
        if let Some(matrix) = self.copied[i].matrix.take() {
            let (id, old) = (matrix.id, matrix.val());
            let new = (old.clone().detach() * by.clone()).detach();
            self.copied[i].matrix = Some(Param::initialized(id, new.set_require_grad(old.is_require_grad())));
        }
    }

    fn at(&self, place: ModulePath) -> Option<&Copied> {
        self.places.iter().position(|p| *p == place).map(|i| &self.copied[i])
    }
}

impl Composition for Copies {
    fn matrix(&self, place: ModulePath, _theta: &Matrix) -> Option<Tensor<2>> {
        self.at(place)?.matrix.as_ref().map(Param::val)
    }

    fn bias(&self, place: ModulePath, _theta: &Tensor<1>) -> Option<Tensor<1>> {
        self.at(place)?.bias.as_ref().map(Param::val)
    }

    fn scale(&self, place: ModulePath, _theta: &Tensor<1>) -> Option<Tensor<1>> {
        self.at(place)?.scale.as_ref().map(Param::val)
    }
}
