//! φ of this method: its tensors, their start, and where they step into the forward pass.

use super::{Adapter, NonLinearity, Placement};
use crate::kernels::{gelu_new, linear, relu};
use crate::model::layers::Linear;
use crate::model::{Composition, Sublayer};
use crate::peft::InitContext;
use burn::module::Module;
use burn::tensor::{Tensor, activation};

/// One adapter: `down` is `[d, k]`, `up` is `[k, d]`.
#[derive(Module, Debug)]
struct Bottleneck {
    down: Linear,
    up: Linear,
}

/// The adapters of each chosen block.
#[derive(Module, Debug)]
pub struct Phi {
    attention: Vec<Bottleneck>,
    mlp: Vec<Bottleneck>,
    #[module(skip)]
    layers: Vec<usize>,
    #[module(skip)]
    config: Adapter,
}

/// As Houlsby et al. start W_D; W_U starts at zero, so that an adapter starts as the identity.
const DOWN_STD: f32 = 0.02;

impl Phi {
    pub fn init(config: &Adapter, context: &mut InitContext<'_>) -> Phi {
        let (d, k) = (context.theta.config.hidden_size, config.bottleneck);
        let layers = config.layers.list(context.theta.config.num_hidden_layers);
        let mut bottlenecks = |wanted: bool| -> Vec<Bottleneck> {
            let one = |_| Bottleneck {
                down: Linear { weight: context.normal([d, k], DOWN_STD), bias: Some(context.zeros([k])) },
                up: Linear { weight: context.zeros([k, d]), bias: Some(context.zeros([d])) },
            };
            (0..if wanted { layers.len() } else { 0 }).map(one).collect()
        };
        Phi {
            attention: bottlenecks(config.placement.at_attention()),
            mlp: bottlenecks(config.placement.at_mlp()),
            layers,
            config: config.clone(),
        }
    }
}

impl Composition for Phi {
    fn after(&self, layer: usize, sublayer: Sublayer, input: &Tensor<3>, y: &Tensor<3>) -> Option<Tensor<3>> {
        let adapters = match sublayer {
            Sublayer::Attention => &self.attention,
            Sublayer::Mlp => &self.mlp,
        };
        let place = self.layers.iter().position(|l| *l == layer)?;
        let Bottleneck { down, up } = adapters.get(place)?;
        let x = if self.config.placement == Placement::Parallel { input } else { y };
        let inner = linear(x.clone(), down.weight.val(), down.bias());
        let inner = match self.config.non_linearity {
            NonLinearity::Relu => relu(inner),
            NonLinearity::GeluNew => gelu_new(inner),
            NonLinearity::Silu => activation::silu(inner),
            NonLinearity::Tanh => activation::tanh(inner),
        };
        let change = linear(inner, up.weight.val(), up.bias());
        let change = if self.config.scaling == 1.0 { change } else { change.mul_scalar(self.config.scaling) };
        Some(y.clone() + change)
    }
}
