//! φ of every method that trains tensors of θ themselves: copies of the chosen ones, which stand in for them.

use super::phi::{Composition, InitContext};
use super::{Method, Piece, Place};
use crate::model::Weights;
use burn::module::{Module, Param};
use burn::tensor::Tensor;

/// Copies of a place's tensors: `None` is left to θ.
#[derive(Module, Debug)]
struct Copied {
    matrix: Option<Param<Tensor<2>>>,
    bias: Option<Param<Tensor<1>>>,
    scale: Option<Param<Tensor<1>>>,
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
            let wanted = |piece| method.copies(place, piece);
            let theta = tensors(weights, place);
            let copied = Copied {
                matrix: theta.matrix.filter(|_| wanted(Piece::Matrix)).map(|t| context.copy(t)),
                bias: theta.bias.filter(|_| wanted(Piece::Bias)).map(|t| context.copy(t)),
                scale: theta.scale.filter(|_| wanted(Piece::Scale)).map(|t| context.copy(t)),
            };
            if copied.matrix.is_some() || copied.bias.is_some() || copied.scale.is_some() {
                copies.copied.push(copied);
                copies.places.push(place);
            }
        }
        copies
    }

    fn at(&self, place: Place) -> Option<&Copied> {
        self.places.iter().position(|p| *p == place).map(|i| &self.copied[i])
    }
}

impl Composition for Copies {
    fn matrix(&self, place: Place) -> Option<Tensor<2>> {
        self.at(place)?.matrix.as_ref().map(Param::val)
    }

    fn bias(&self, place: Place) -> Option<Tensor<1>> {
        self.at(place)?.bias.as_ref().map(Param::val)
    }

    fn scale(&self, place: Place) -> Option<Tensor<1>> {
        self.at(place)?.scale.as_ref().map(Param::val)
    }
}

/// θ's tensors at a place.
struct Tensors<'a> {
    matrix: Option<&'a Param<Tensor<2>>>,
    bias: Option<&'a Param<Tensor<1>>>,
    scale: Option<&'a Param<Tensor<1>>>,
}

fn tensors(weights: &Weights, place: Place) -> Tensors<'_> {
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
