//! Bottleneck adapters (Houlsby et al. 2019; Pfeiffer et al. 2021): a small MLP after a frozen sub-layer.

use super::{Count, Fault, Kind, Knob, Method, MethodInfo, Range, Shape, Term, Value};

/// x + W_U σ(W_D x), with W_D ∈ ℝ^{k×d} down and W_U ∈ ℝ^{d×k} up, both with a bias; W_U starts at zero.
#[derive(Clone, Debug, PartialEq)]
pub struct Adapter {
    /// k, the bottleneck's width.
    pub bottleneck: usize,
    pub placement: Placement,
    pub non_linearity: NonLinearity,
}

/// After which sub-layers an adapter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// After attention and after the MLP (Houlsby).
    Both,
    Attention,
    /// After the MLP only (Pfeiffer).
    Mlp,
}

impl Placement {
    const OPTIONS: [(&'static str, &'static str); 3] =
        [("both", "after attention and MLP"), ("attention", "after attention"), ("mlp", "after the MLP")];

    pub fn after_attention(self) -> bool {
        self != Placement::Mlp
    }

    pub fn after_mlp(self) -> bool {
        self != Placement::Attention
    }
}

/// σ of the bottleneck, under AdapterHub's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonLinearity {
    Relu,
    GeluNew,
    Silu,
    Tanh,
}

impl NonLinearity {
    const OPTIONS: [(&'static str, &'static str); 4] =
        [("relu", "ReLU"), ("gelu_new", "GELU"), ("silu", "SiLU"), ("tanh", "tanh")];
}

impl Default for Adapter {
    fn default() -> Self {
        Adapter { bottleneck: 8, placement: Placement::Both, non_linearity: NonLinearity::GeluNew }
    }
}

static INFO: MethodInfo = MethodInfo {
    name: "adapter",
    title: "Adapter",
    kind: Kind::Function,
    paper: "Houlsby et al., Parameter-Efficient Transfer Learning for NLP, 2019",
    formula: "x + ⟨W_U σ(W_D x)⟩",
    summary: "Adds a small bottleneck network after frozen sub-layers; it starts as the identity.",
    knobs: &[
        Knob {
            name: "bottleneck",
            label: "Bottleneck",
            help: "k, the width of the bottleneck.",
            range: Range::Integer { min: 1, max: 1024, steps: &[1, 2, 4, 8, 16, 32, 64] },
        },
        Knob {
            name: "placement",
            label: "Placement",
            help: "After which sub-layers of each block an adapter stands.",
            range: Range::Choice(&Placement::OPTIONS),
        },
        Knob {
            name: "non_linearity",
            label: "Non-linearity",
            help: "σ between the two projections.",
            range: Range::Choice(&NonLinearity::OPTIONS),
        },
    ],
    merges: Err("σ stands between W_D and W_U: no single matrix computes what they do together"),
};

impl Method for Adapter {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        match knob {
            "bottleneck" => Some(Value::Integer(self.bottleneck)),
            "placement" => Some(Value::Choice(Placement::OPTIONS[self.placement as usize].0.to_string())),
            "non_linearity" => Some(Value::Choice(NonLinearity::OPTIONS[self.non_linearity as usize].0.to_string())),
            _ => None,
        }
    }

    fn set(&mut self, knob: &str, value: Value) {
        match (knob, value) {
            ("bottleneck", Value::Integer(k)) => self.bottleneck = k,
            ("placement", Value::Choice(name)) => {
                self.placement = match name.as_str() {
                    "attention" => Placement::Attention,
                    "mlp" => Placement::Mlp,
                    _ => Placement::Both,
                }
            }
            ("non_linearity", Value::Choice(name)) => {
                self.non_linearity = match name.as_str() {
                    "relu" => NonLinearity::Relu,
                    "silu" => NonLinearity::Silu,
                    "tanh" => NonLinearity::Tanh,
                    _ => NonLinearity::GeluNew,
                }
            }
            _ => {}
        }
    }

    fn check(&self, shape: &Shape, _task_tokens: usize) -> Result<(), Fault> {
        let limit = 4 * shape.model.hidden_size;
        if self.bottleneck > limit {
            let message = format!(
                "A bottleneck of {} is wider than the MLP itself: at most {limit} on this base.",
                self.bottleneck
            );
            return Err(Fault::new("bottleneck", message));
        }
        Ok(())
    }

    fn count(&self, shape: &Shape) -> Count {
        let (d, k, n) = (shape.model.hidden_size, self.bottleneck, shape.model.num_hidden_layers);
        let places = usize::from(self.placement.after_attention()) + usize::from(self.placement.after_mlp());
        let unit = if places == 1 { "adapter" } else { "adapters" };
        Count::new([Term::new(
            "W_D, W_U and their biases",
            format!("{n} blocks × {places} {unit} × ({d} × {k} + {k} + {k} × {d} + {d})"),
            n * places * (2 * d * k + k + d),
        )])
    }

    fn learning_rate(&self, task: &str, _base: &str) -> f64 {
        if task == "rules" { 2e-2 } else { 5e-3 }
    }

    fn label(&self) -> String {
        format!("adapter {}", self.bottleneck)
    }
}

#[cfg(feature = "train")]
pub(crate) mod phi {
    use super::{Adapter, NonLinearity};
    use crate::model::kernels::{gelu_new, linear, relu};
    use crate::model::layers::Linear;
    use crate::peft::phi::{Composition, InitContext, Sublayer};
    use burn::module::Module;
    use burn::tensor::{Tensor, activation};

    /// One adapter: `down` is `[d, k]`, `up` is `[k, d]`.
    #[derive(Module, Debug)]
    struct Bottleneck {
        down: Linear,
        up: Linear,
    }

    /// The adapters of each block.
    #[derive(Module, Debug)]
    pub struct Phi {
        attention: Vec<Bottleneck>,
        mlp: Vec<Bottleneck>,
        #[module(skip)]
        non_linearity: NonLinearity,
    }

    /// As Houlsby et al. start W_D; W_U starts at zero, so that an adapter starts as the identity.
    const DOWN_STD: f32 = 0.02;

    impl Phi {
        pub fn init(config: &Adapter, context: &mut InitContext<'_>) -> Phi {
            let (d, k) = (context.theta.config.hidden_size, config.bottleneck);
            let layers = context.theta.config.num_hidden_layers;
            let mut bottlenecks = |wanted: bool| -> Vec<Bottleneck> {
                let one = |_| Bottleneck {
                    down: Linear { weight: context.normal([d, k], DOWN_STD), bias: context.zeros([k]) },
                    up: Linear { weight: context.zeros([k, d]), bias: context.zeros([d]) },
                };
                (0..if wanted { layers } else { 0 }).map(one).collect()
            };
            Phi {
                attention: bottlenecks(config.placement.after_attention()),
                mlp: bottlenecks(config.placement.after_mlp()),
                non_linearity: config.non_linearity,
            }
        }
    }

    impl Composition for Phi {
        fn after(&self, layer: usize, sublayer: Sublayer, x: Tensor<3>) -> Tensor<3> {
            let adapters = match sublayer {
                Sublayer::Attention => &self.attention,
                Sublayer::Mlp => &self.mlp,
            };
            let Some(Bottleneck { down, up }) = adapters.get(layer) else { return x };
            let inner = linear(x.clone(), down.weight.val(), Some(down.bias.val()));
            let inner = match self.non_linearity {
                NonLinearity::Relu => relu(inner),
                NonLinearity::GeluNew => gelu_new(inner),
                NonLinearity::Silu => activation::silu(inner),
                NonLinearity::Tanh => activation::tanh(inner),
            };
            x + linear(inner, up.weight.val(), Some(up.bias.val()))
        }
    }
}
