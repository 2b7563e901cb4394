//! Closed-form counts against the elements of φ, and against the arithmetic they print.

use crate::published;
use crate::shared;
use burn::tensor::Device;
use peft_lab::base::stream;
use peft_lab::model::{Activation, Biases, Model, ModelConfig, Norm, NormKind, Positions};
use peft_lab::peft::{InitContext, Phi};
use peft_lab::peft::{MethodConfig, Range, Shape};
use proptest::prelude::*;

/// Small networks of every kind: learned and rotary positions, both norms, gates, shared keys, biases or none, a head of its own.
fn shapes() -> impl Strategy<Value = ModelConfig> {
    let sizes = (1..4_usize, 1..4_usize, 1..3_usize, 1..3_usize, 1..40_usize, 5..40_usize, 8..30_usize);
    let kinds = (0..2_usize, any::<[bool; 7]>());
    (sizes, kinds).prop_map(|((layers, keys, group, half, ffn_dim, vocab_size, positions), (kind, flags))| {
        let [wider, root, gated, tied, normed_heads, parallel_residual, inputs] = flags;
        let (heads, head_dim) = (keys * group, 2 * half);
        let plain = ModelConfig {
            hidden_size: heads * head_dim,
            ffn_dim,
            num_hidden_layers: layers,
            num_attention_heads: heads,
            num_key_value_heads: heads,
            head_dim,
            vocab_size,
            max_position_embeddings: positions,
            ..shared::tiny_config(Activation::Relu)
        };
        match kind {
            0 => plain,
            _ => ModelConfig {
                // Heads may be wider than their share.
                hidden_size: plain.hidden_size + 2 * usize::from(wider),
                num_key_value_heads: keys,
                positions: Positions::Rotary { base: 100.0, dims: 2 },
                norm: Norm { kind: if root { NormKind::Root } else { NormKind::Layer }, epsilon: 1e-5 },
                biases: Biases { inputs, output: gated, mlp: !gated },
                gated,
                tied,
                normed_heads,
                parallel_residual,
                ..plain
            },
        }
    })
}

/// Any method with any values of its knobs that a small network can hold.
fn methods() -> impl Strategy<Value = MethodConfig> {
    let knob = |range: &'static Range| -> BoxedStrategy<String> {
        let names = |options: &'static [(&'static str, &'static str)]| {
            options.iter().map(|(value, _)| *value).collect::<Vec<_>>()
        };
        match range {
            Range::Integer { min, max, .. } => (*min..=*max.min(&19)).prop_map(|n| n.to_string()).boxed(),
            Range::Number { min, max } => Just(((*min + *max) / 2.0).to_string()).boxed(),
            Range::Choice(options) => prop::sample::select::<&str>(names(options)).prop_map(String::from).boxed(),
            Range::Set(options) => {
                let n = options.len();
                prop::sample::subsequence::<&str>(names(options), 1..=n).prop_map(|set| set.join(",")).boxed()
            }
            Range::Flag => prop::bool::ANY.prop_map(|on| on.to_string()).boxed(),
            Range::Blocks => prop::sample::select(vec!["all", "0"]).prop_map(String::from).boxed(),
            Range::Text { .. } | Range::Seed => Just(String::new()).boxed(),
        }
    };
    prop::sample::select(MethodConfig::all()).prop_flat_map(move |method| {
        let values: Vec<_> = method.info().knobs.iter().map(|k| knob(&k.range).prop_map(|v| (k.name, v))).collect();
        values.prop_map(move |values| {
            let mut method = method.clone();
            values.iter().for_each(|(knob, value)| method.set(knob, value).expect("a value within the knob's range"));
            method
        })
    })
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
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_count_is_the_number_of_elements_of_phi_and_of_its_printed_sum(config in shapes(), method in methods()) {
        // A gate's bias that is not there is none, as any other; a gate's matrix is asked for where one is.
        let chosen = method.get("target_modules").unwrap_or_default();
        prop_assume!(config.gated || !chosen.contains("gate_proj"));
        // What stands in front of a text fits into the context.
        prop_assume!(method.method().positions() <= config.max_position_embeddings);
        let device = Device::flex();
        let theta = Model::random(config.clone(), &mut stream(0, "theta"), &device);
        let mut context = InitContext::new(&theta, &device, stream(0, "phi")).labels(&[1, 2, 3]).encode(|_| vec![0]).begins(1);
        let mut phi = Phi::init([&method], &mut context);
        let shape = Shape { model: config, labels: 3 };
        // The tensors that files hold are those of φ, one by one.
        let tensors = method.method().tensors(&shape);
        let named: Vec<usize> = tensors.iter().map(|t| t.elements()).collect();
        prop_assert_eq!(named, phi.flat().iter().map(|t| t.dims()[0]).collect::<Vec<_>>(), "{:?}", tensors);
        // Pruning has trained what its last round left.
        (0..60).for_each(|step| pollster::block_on(shared::tell(&mut phi, step, 60)));
        let elements = phi.elements() as u64;
        let count = method.method().count(&shape);
        prop_assert_eq!(count.total(), elements);
        let written = if elements == 0 { 0 } else { arithmetic(&count.sum()) as u64 };
        prop_assert_eq!(written, elements, "{}", count.sum());
        prop_assert_eq!(theta.bytes() / 4, shape.model.parameters());
        // What stands in for θ's own tensors adds nothing to them, but where PEFT keeps both.
        let name = method.info().name;
        let inside = ["full", "all-but-embeddings", "embeddings", "bitfit", "layers", "sparse", "pruning", "subspace"];
        let inside = inside.contains(&name) || method.get("rows").is_some_and(|rows| rows == "block");
        prop_assert_eq!(method.method().added(&shape), if inside { 0 } else { elements });
    }
}

/// `RECORD_LEDGER=1 cargo test --profile ci --test it published` writes the file anew.
#[test]
fn every_published_shape_costs_what_is_on_record() {
    if std::env::var_os("RECORD_LEDGER").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/published.txt");
        std::fs::write(path, published::published()).unwrap();
        return;
    }
    published::check_published();
}
