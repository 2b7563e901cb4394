//! Prefix tuning (Li & Liang 2021): trained keys and values in front of those of every layer.

use super::{Count, Fault, Kind, Knob, Method, MethodInfo, Range, Shape, Term, Value};

/// softmax(Q [φ_K, K]ᵀ/√d_h) [φ_V, V] in each layer, φ_K, φ_V ∈ ℝ^{n×d}. The tokens keep their positions.
#[derive(Clone, Debug, PartialEq)]
pub struct Prefix {
    pub num_virtual_tokens: usize,
}

impl Default for Prefix {
    fn default() -> Self {
        Prefix { num_virtual_tokens: 10 }
    }
}

static INFO: MethodInfo = MethodInfo {
    name: "prefix",
    title: "Prefix tuning",
    kind: Kind::Input,
    paper: "Li & Liang, Prefix-Tuning: Optimizing Continuous Prompts for Generation, 2021",
    formula: "softmax(Q [⟨φ_K⟩, K]ᵀ/√d_h) [⟨φ_V⟩, V]",
    summary: "Gives every layer trained keys and values to look at, in front of those of the text.",
    knobs: &[Knob {
        name: "num_virtual_tokens",
        label: "Prefix length",
        help: "n, the number of trained keys and values in each layer.",
        range: Range::Integer { min: 1, max: 512, steps: &[1, 5, 10, 16, 20, 32, 64] },
    }],
    merges: Err("the keys and values are attended to with every text: they are not part of any weight"),
};

impl Method for Prefix {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn get(&self, knob: &str) -> Option<Value> {
        (knob == "num_virtual_tokens").then_some(Value::Integer(self.num_virtual_tokens))
    }

    fn set(&mut self, _knob: &str, value: Value) {
        if let Value::Integer(n) = value {
            self.num_virtual_tokens = n;
        }
    }

    fn check(&self, shape: &Shape, _task_tokens: usize) -> Result<(), Fault> {
        let context = shape.model.max_position_embeddings;
        if self.num_virtual_tokens > context {
            let message = format!(
                "A prefix of {} is longer than the {context} positions this base reads.",
                self.num_virtual_tokens
            );
            return Err(Fault::new("num_virtual_tokens", message));
        }
        Ok(())
    }

    fn count(&self, shape: &Shape) -> Count {
        let (n, d, layers) = (self.num_virtual_tokens, shape.model.hidden_size, shape.model.num_hidden_layers);
        Count::new([Term::new(
            "a key and a value for each virtual token",
            format!("{layers} blocks × 2 (K and V) × {n} tokens × {d}"),
            layers * 2 * n * d,
        )])
    }

    fn learning_rate(&self, _task: &str, base: &str) -> f64 {
        // The smallest base loses itself at the rate that serves the others.
        if base == "prose-nano" { 3e-2 } else { 1e-1 }
    }

    fn label(&self) -> String {
        format!("prefix {}", self.num_virtual_tokens)
    }
}

#[cfg(feature = "train")]
pub(crate) mod phi {
    use super::Prefix;
    use crate::peft::phi::{Composition, InitContext};
    use burn::module::{Module, Param};
    use burn::tensor::Tensor;

    /// Keys and values of one layer, each `[n, d]`.
    #[derive(Module, Debug)]
    struct KeyValue {
        keys: Param<Tensor<2>>,
        values: Param<Tensor<2>>,
    }

    /// A prefix for each block.
    #[derive(Module, Debug)]
    pub struct Phi {
        blocks: Vec<KeyValue>,
    }

    /// Keys start far enough apart to be told apart, values small enough not to drown the text's.
    const KEY_STD: f32 = 0.5;
    const VALUE_STD: f32 = 0.1;

    impl Phi {
        pub fn init(config: &Prefix, context: &mut InitContext<'_>) -> Phi {
            let shape = [config.num_virtual_tokens, context.theta.config.hidden_size];
            let layers = context.theta.config.num_hidden_layers;
            let blocks = (0..layers)
                .map(|_| KeyValue { keys: context.normal(shape, KEY_STD), values: context.normal(shape, VALUE_STD) })
                .collect();
            Phi { blocks }
        }
    }

    impl Composition for Phi {
        fn prefix(&self, layer: usize) -> Option<(Tensor<2>, Tensor<2>)> {
            let block = &self.blocks[layer];
            Some((block.keys.val(), block.values.val()))
        }
    }
}
