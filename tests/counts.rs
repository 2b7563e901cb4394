//! Closed-form counts against the elements of φ, and against the arithmetic they print.
#![cfg(not(target_arch = "wasm32"))]

mod shared;

use burn::module::Module;
use burn::tensor::Device;
use peft_lab::model::{Activation, Model, ModelConfig};
use peft_lab::peft::phi::{InitContext, Phi};
use peft_lab::peft::{MethodConfig, Shape};
use peft_lab::task::stream;
use proptest::prelude::*;

fn shapes() -> impl Strategy<Value = ModelConfig> {
    (1..4_usize, 1..4_usize, 1..5_usize, 1..40_usize, 5..40_usize, 8..30_usize).prop_map(
        |(layers, heads, head_dim, ffn_dim, vocab_size, positions)| ModelConfig {
            hidden_size: heads * head_dim,
            ffn_dim,
            num_hidden_layers: layers,
            num_attention_heads: heads,
            vocab_size,
            max_position_embeddings: positions,
            ..shared::tiny_config(Activation::Relu)
        },
    )
}

fn methods() -> impl Strategy<Value = MethodConfig> {
    let modules = prop::sample::subsequence(vec!["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"], 1..=6);
    let named = |name: &'static str| Just(shared::method(name, &[]));
    prop_oneof![
        named("full"),
        named("bitfit"),
        prop::sample::select(vec!["all", "labels"]).prop_map(|rows| shared::method("last-layer", &[("rows", rows)])),
        (1..9_usize, modules).prop_map(|(rank, modules)| {
            shared::method("lora", &[("rank", &rank.to_string()), ("target_modules", &modules.join(","))])
        }),
        (1..7_usize).prop_map(|n| shared::method("prompt", &[("num_virtual_tokens", &n.to_string())])),
        (1..7_usize).prop_map(|n| shared::method("prefix", &[("num_virtual_tokens", &n.to_string())])),
        (1..9_usize, prop::sample::select(vec!["both", "attention", "mlp"]))
            .prop_map(|(k, p)| shared::method("adapter", &[("bottleneck", &k.to_string()), ("placement", p)])),
    ]
}

/// The value of `4 blocks × 2 matrices × 4 × (64 + 64) + 64`, words left out.
fn arithmetic(text: &str) -> usize {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c.is_ascii_digit() {
            let mut number = c.to_string();
            while let Some(d) = rest.next_if(char::is_ascii_digit) {
                number.push(d);
            }
            tokens.push(number);
        } else if c == '(' && rest.peek().is_some_and(|c| c.is_alphabetic()) {
            // A remark in words: (K and V).
            for c in rest.by_ref() {
                if c == ')' {
                    break;
                }
            }
        } else if "()×+".contains(c) {
            tokens.push(c.to_string());
        }
    }
    let mut at = 0;
    let value = sum(&tokens, &mut at);
    assert_eq!(at, tokens.len(), "{text} is not read to its end");
    value
}

fn sum(tokens: &[String], at: &mut usize) -> usize {
    let mut value = product(tokens, at);
    while tokens.get(*at).is_some_and(|t| t == "+") {
        *at += 1;
        value += product(tokens, at);
    }
    value
}

fn product(tokens: &[String], at: &mut usize) -> usize {
    let mut value = factor(tokens, at);
    while tokens.get(*at).is_some_and(|t| t == "×") {
        *at += 1;
        value *= factor(tokens, at);
    }
    value
}

fn factor(tokens: &[String], at: &mut usize) -> usize {
    let token = &tokens[*at];
    *at += 1;
    if token != "(" {
        return token.parse().unwrap();
    }
    let value = sum(tokens, at);
    *at += 1;
    value
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_count_is_the_number_of_elements_of_phi_and_of_its_printed_sum(config in shapes(), method in methods()) {
        let device = Device::flex();
        let theta = Model::random(config.clone(), &mut stream(0, "theta"), &device);
        let mut context = InitContext {
            theta: &theta, device: &device.clone().autodiff(), rng: stream(0, "phi"), labels: &[1, 2, 3], encode: &|_| vec![0],
        };
        let elements = Phi::init(&method, &mut context).num_params();
        let shape = Shape { model: config, labels: 3 };
        let count = method.method().count(&shape);
        prop_assert_eq!(count.total(), elements);
        prop_assert_eq!(arithmetic(&count.sum()), elements, "{}", count.sum());
        prop_assert_eq!(theta.weights.num_params(), shape.model.parameters());
        // What stands in for θ's own tensors adds nothing to them.
        let stands_in = ["full", "bitfit"].contains(&method.info().name);
        prop_assert_eq!(method.method().added(&shape), if stands_in { 0 } else { elements });
    }
}
