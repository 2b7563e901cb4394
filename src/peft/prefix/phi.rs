//! φ of this method: its tensors, their start, and where they step into the forward pass.

use super::{Prefix, PrefixInit};
use crate::kernels::linear;
use crate::model::layers::Linear;
use crate::model::{Composition, Prefixed};
use crate::peft::InitContext;
use burn::module::{Module, Param};
use burn::tensor::{Tensor, activation};

/// What keys and values come from: without an MLP the embedding `[n, 2·layers·d]` is they themselves, key and value of each
/// layer side by side as PEFT has them; with one it is E `[n, d]`.
#[derive(Module, Debug)]
pub struct Phi {
    embedding: Param<Tensor<2>>,
    /// W₁ and W₂, or none.
    transform: Vec<Linear>,
    #[module(skip)]
    layers: Vec<usize>,
    #[module(skip)]
    width: usize,
}

/// Keys start far enough apart to be told apart, values small enough not to drown the text's.
const KEY_STD: f32 = 0.5;
const VALUE_STD: f32 = 0.1;

impl Phi {
    pub fn init(config: &Prefix, context: &mut InitContext<'_>) -> Phi {
        let (n, d) = (config.num_virtual_tokens, context.theta.config.key_value_width());
        let layers = config.layers.list(context.theta.config.num_hidden_layers);
        let w = 2 * layers.len() * d;
        let (embedding, transform) = if config.prefix_projection {
            let h = config.encoder_hidden_size;
            // As PEFT's `PrefixEncoder` starts.
            (context.normal([n, d], 1.0), vec![context.linear(d, h), context.linear(h, w)])
        } else if config.init == PrefixInit::Text {
            let text = context.tokens_of(&config.init_text);
            // A text without tokens cannot be repeated; `check` refuses empty ones, token 0 stands in for the rest.
            let text = if text.is_empty() { vec![0] } else { text };
            let text: Vec<u32> = text.iter().copied().cycle().take(n).collect();
            let found = context.theta.keys_and_values(&text).into_iter().filter(|p| layers.contains(&p.block));
            let all = Tensor::cat(found.flat_map(|p| [p.keys, p.values]).collect(), 1);
            (Param::from_tensor(all.autodiff()), Vec::new())
        } else {
            let row: Vec<f32> = context.normals(n * w, 1.0);
            let std = |i: usize| if (i % w / d).is_multiple_of(2) { KEY_STD } else { VALUE_STD };
            (context.constant(row.iter().enumerate().map(|(i, x)| std(i) * x).collect(), [n, w]), Vec::new())
        };
        Phi { embedding, transform, layers, width: d }
    }

    /// `[n, 2·layers·d]`, the MLP folded away.
    pub fn folded(&self) -> Tensor<2> {
        let apply = |x: Tensor<2>, layer: &Linear| linear(x, layer.weight.val(), layer.bias());
        match self.transform.as_slice() {
            [first, second] => apply(activation::tanh(apply(self.embedding.val(), first)), second),
            _ => self.embedding.val(),
        }
    }
}

impl Composition for Phi {
    fn prefixes(&self) -> Vec<Prefixed> {
        let (all, d) = (self.folded(), self.width);
        let n = all.dims()[0];
        let part = |i: usize| all.clone().slice([0..n, i * d..(i + 1) * d]);
        let layers = self.layers.iter().enumerate();
        layers.map(|(i, layer)| Prefixed { block: *layer, keys: part(2 * i), values: part(2 * i + 1) }).collect()
    }
}
