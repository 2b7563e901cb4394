//! φ of every method that trains tensors of θ themselves: copies of the chosen ones, which stand in for them.

use super::phi::{Composition, InitContext};
use super::{Method, Piece, Place};
use crate::model::Weights;
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
    places: Vec<Place>,
}

impl Copies {
    pub fn init(method: &dyn Method, context: &mut InitContext<'_>) -> Copies {
        let weights = &context.theta.weights;
        let mut copies = Copies { copied: Vec::new(), places: Vec::new() };
        for place in Place::all(weights.blocks.len()) {
            let wanted = |piece| method.copies(place, piece, &context.theta.config);
            let theta = tensors(weights, place);
            let copied = Copied {
                matrix: theta.matrix.filter(|_| wanted(Piece::Matrix)).map(|t| context.copy(t)),
                scale: theta.scale.filter(|_| wanted(Piece::Scale)).map(|t| context.copy(t)),
                bias: theta.bias.filter(|_| wanted(Piece::Bias)).map(|t| context.copy(t)),
            };
            if copied.matrix.is_some() || copied.bias.is_some() || copied.scale.is_some() {
                copies.copied.push(copied);
                copies.places.push(place);
            }
        }
        copies
    }

    /// The matrix of a place, without gradient.
    pub fn own(&self, place: Place) -> Option<Tensor<2>> {
        self.at(place)?.matrix.as_ref().map(|matrix| matrix.val().detach())
    }

    /// Sets the matrix of a place.
    pub fn replace(&mut self, place: Place, values: Vec<f32>) {
        let Some(i) = self.places.iter().position(|p| *p == place) else { return };
        if let Some(matrix) = self.copied[i].matrix.take() {
            let (id, old) = (matrix.id, matrix.val());
            let new = Tensor::from_data(TensorData::new(values, old.shape()), &old.device());
            self.copied[i].matrix = Some(Param::initialized(id, new.set_require_grad(old.is_require_grad())));
        }
    }

    /// Multiplies the matrix of a place, element by element.
    pub fn multiply(&mut self, place: Place, by: &Tensor<2>) {
        let Some(i) = self.places.iter().position(|p| *p == place) else { return };
        if let Some(matrix) = self.copied[i].matrix.take() {
            let (id, old) = (matrix.id, matrix.val());
            let new = (old.clone().detach() * by.clone()).detach();
            self.copied[i].matrix = Some(Param::initialized(id, new.set_require_grad(old.is_require_grad())));
        }
    }

    fn at(&self, place: Place) -> Option<&Copied> {
        self.places.iter().position(|p| *p == place).map(|i| &self.copied[i])
    }
}

impl Composition for Copies {
    fn matrix(&self, place: Place, _theta: &Tensor<2>) -> Option<Tensor<2>> {
        self.at(place)?.matrix.as_ref().map(Param::val)
    }

    fn bias(&self, place: Place, _theta: &Tensor<1>) -> Option<Tensor<1>> {
        self.at(place)?.bias.as_ref().map(Param::val)
    }

    fn scale(&self, place: Place, _theta: &Tensor<1>) -> Option<Tensor<1>> {
        self.at(place)?.scale.as_ref().map(Param::val)
    }
}

/// The tensors of a place.
pub struct Tensors<'a> {
    pub matrix: Option<&'a Param<Tensor<2>>>,
    pub bias: Option<&'a Param<Tensor<1>>>,
    pub scale: Option<&'a Param<Tensor<1>>>,
}

/// θ's tensors at a place.
pub fn tensors(weights: &Weights, place: Place) -> Tensors<'_> {
    let norm = match place {
        Place::Tokens => return Tensors { matrix: Some(&weights.tokens), bias: None, scale: None },
        Place::Positions => return Tensors { matrix: Some(&weights.positions), bias: None, scale: None },
        Place::Linear(block, target) => {
            let linear = weights.blocks[block].linear(target);
            return Tensors { matrix: Some(&linear.weight), bias: Some(&linear.bias), scale: None };
        }
        Place::AttentionNorm(block) => &weights.blocks[block].attention_norm,
        Place::MlpNorm(block) => &weights.blocks[block].mlp_norm,
        Place::FinalNorm => &weights.final_norm,
    };
    Tensors { matrix: None, bias: Some(&norm.bias), scale: Some(&norm.scale) }
}
