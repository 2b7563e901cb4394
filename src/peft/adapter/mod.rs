//! Bottleneck adapters (Houlsby et al. 2019; Pfeiffer et al. 2021; He et al. 2022): a small MLP after a frozen sub-layer, or
//! beside it.

#[cfg(feature = "train")]
mod adapter_file;
mod cost;
mod overlay;
#[cfg(feature = "train")]
pub(crate) mod phi;
mod python;
#[cfg(all(test, feature = "train", not(target_arch = "wasm32")))]
mod tests;

use crate::base::Fault;
use crate::model::{ModelConfig, Site, TensorInfo};
use crate::peft::knob::place_of;
use crate::peft::{Blocks, Count, Knob, Method, MethodInfo, MethodKind, Range, Shape, Term, Value, factors, rates};

/// x + s·W_U σ(W_D x), with W_D ∈ ℝ^{k×d} down and W_U ∈ ℝ^{d×k} up, both with a bias; W_U starts at zero. In parallel x is
/// what the sub-layer reads from the residual line, not what it gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Adapter {
    /// k, the bottleneck's width.
    pub bottleneck: usize,
    /// After which sub-layers it stands.
    pub placement: Placement,
    /// σ.
    pub non_linearity: NonLinearity,
    /// s, the factor of what the bottleneck gives.
    pub scaling: f64,
    /// In which blocks.
    pub layers: Blocks,
}

/// After which sub-layers an adapter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// After attention and after the MLP (Houlsby).
    Both,
    /// After attention only.
    Attention,
    /// After the MLP only (Pfeiffer).
    Mlp,
    /// Beside the MLP (He).
    Parallel,
}

impl Placement {
    const ALL: [Placement; 4] = [Placement::Both, Placement::Attention, Placement::Mlp, Placement::Parallel];
    const OPTIONS: [(&'static str, &'static str); 4] = [
        ("both", "after attention and MLP"),
        ("attention", "after attention"),
        ("mlp", "after the MLP"),
        ("parallel", "beside the MLP"),
    ];

    /// Whether an adapter stands at attention.
    pub fn at_attention(self) -> bool {
        matches!(self, Placement::Both | Placement::Attention)
    }

    /// Whether one stands at the MLP, after or beside it.
    pub fn at_mlp(self) -> bool {
        self != Placement::Attention
    }
}

/// σ of the bottleneck, under AdapterHub's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonLinearity {
    /// max(0, x)
    Relu,
    /// GELU by its tanh approximation.
    GeluNew,
    /// x·sigmoid(x)
    Silu,
    /// tanh x
    Tanh,
}

impl NonLinearity {
    const ALL: [NonLinearity; 4] = [NonLinearity::Relu, NonLinearity::GeluNew, NonLinearity::Silu, NonLinearity::Tanh];
    const OPTIONS: [(&'static str, &'static str); 4] =
        [("relu", "ReLU"), ("gelu_new", "GELU"), ("silu", "SiLU"), ("tanh", "tanh")];

    fn title(self) -> &'static str {
        Self::OPTIONS[self as usize].1
    }
}

impl Default for Adapter {
    fn default() -> Self {
        Adapter {
            bottleneck: 8,
            placement: Placement::Both,
            non_linearity: NonLinearity::GeluNew,
            scaling: 1.0,
            layers: Blocks::default(),
        }
    }
}

static INFO: MethodInfo = MethodInfo {
    name: "adapter",
    title: "Adapter",
    kind: MethodKind::Function,
    paper: "Houlsby et al., Parameter-Efficient Transfer Learning for NLP, 2019",
    formula: "x + ⟨W_U σ(W_D x)⟩",
    summary: "Adds a small bottleneck network after frozen sub-layers; it starts as the identity.",
    knobs: &[
        Knob {
            name: "bottleneck",
            label: "Bottleneck",
            help: "k, the width of the bottleneck.",
            range: Range::Integer { min: 1, max: 1024, steps: &[1, 2, 4, 8, 16, 32, 64] },
            ..Knob::PLAIN
        },
        Knob {
            name: "placement",
            label: "Placement",
            help: "After which sub-layers of each block an adapter stands.",
            range: Range::Choice(&Placement::OPTIONS),
            ..Knob::PLAIN
        },
        Knob {
            name: "non_linearity",
            label: "Non-linearity",
            help: "σ between the two projections.",
            range: Range::Choice(&NonLinearity::OPTIONS),
            advanced: true,
            ..Knob::PLAIN
        },
        Knob {
            name: "scaling",
            label: "Scaling",
            help: "s, the factor of what the bottleneck gives; He et al. take 4 beside the MLP.",
            range: Range::Number { min: 0.01, max: 100.0 },
            advanced: true,
            ..Knob::PLAIN
        },
        Blocks::KNOB,
    ],
    in_peft: false,
    merges: Err("σ stands between W_D and W_U: no single matrix computes what they do together"),
    dial: Ok(()),
    checked: "finite differences, PyTorch",
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
            "scaling" => Some(Value::Number(self.scaling)),
            "layers" => Some(Value::Blocks(self.layers.clone())),
            _ => None,
        }
    }

    fn set(&mut self, knob: &str, value: Value) {
        match (knob, value) {
            ("bottleneck", Value::Integer(k)) => self.bottleneck = k,
            ("placement", Value::Choice(name)) => {
                self.placement = Placement::ALL[place_of(&Placement::OPTIONS, &name)];
            }
            ("non_linearity", Value::Choice(name)) => {
                self.non_linearity = NonLinearity::ALL[place_of(&NonLinearity::OPTIONS, &name)];
            }
            ("scaling", Value::Number(s)) => self.scaling = s,
            ("layers", Value::Blocks(layers)) => self.layers = layers,
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
        self.layers.check(shape)
    }

    fn count(&self, shape: &Shape) -> Count {
        let n = self.layers.list(shape.model.num_hidden_layers).len();
        let [d, k, n] = factors([shape.model.hidden_size, self.bottleneck, n]);
        let places = u64::from(self.placement.at_attention()) + u64::from(self.placement.at_mlp());
        let unit = if places == 1 { "adapter" } else { "adapters" };
        let blocks = if n == 1 { "block" } else { "blocks" };
        Count::new([Term::new(
            "W_D, W_U and their biases",
            format!("{n} {blocks} × {places} {unit} × ({d} × {k} + {k} + {k} × {d} + {d})"),
            n * places * (2 * d * k + k + d),
        )])
    }

    fn sites(&self, model: &ModelConfig) -> Vec<Site> {
        let layers = self.layers.list(model.num_hidden_layers);
        let at = |wanted: bool, spot: fn(usize) -> Site| layers.iter().filter(move |_| wanted).map(move |l| spot(*l));
        at(self.placement.at_attention(), Site::Attention).chain(at(self.placement.at_mlp(), Site::Mlp)).collect()
    }

    fn tensors(&self, shape: &Shape) -> Vec<TensorInfo> {
        let (d, k) = (shape.model.hidden_size, self.bottleneck);
        let mut tensors = Vec::new();
        for (wanted, place) in [(self.placement.at_attention(), "attention"), (self.placement.at_mlp(), "mlp")] {
            for layer in self.layers.list(shape.model.num_hidden_layers).into_iter().filter(|_| wanted) {
                for (half, outputs, inputs) in [("down", k, d), ("up", d, k)] {
                    let name = format!("layers.{layer}.{place}.{half}");
                    tensors.push(TensorInfo::transposed(format!("{name}.weight"), outputs, inputs));
                    tensors.push(TensorInfo::new(format!("{name}.bias"), [outputs]));
                }
            }
        }
        tensors
    }

    fn advice(&self, _outside: bool) -> &'static str {
        "Try more steps, a wider bottleneck, or a higher rate."
    }

    fn learning_rate(&self, task: &str, base: &str) -> f64 {
        rates::of(task, base, [2e-2, 5e-3, 3e-4])
    }

    fn label(&self) -> String {
        let name = if self.placement == Placement::Parallel { "parallel adapter" } else { "adapter" };
        format!("{name} {}", self.bottleneck)
    }
}
