//! Closed-form counts against the elements of φ, and against the arithmetic they print.
#![cfg(not(target_arch = "wasm32"))]

mod shared;

use burn::module::Module;
use burn::tensor::Device;
use peft_lab::base::stream;
use peft_lab::model::{Activation, Model, ModelConfig};
use peft_lab::peft::{InitContext, Phi};
use peft_lab::peft::{MethodConfig, Shape};
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
    let modules = || prop::sample::subsequence(vec!["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"], 1..=6);
    let biases =
        prop::sample::subsequence(vec!["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2", "norms"], 1..=7);
    let parts = prop::sample::subsequence(vec!["attention", "mlp", "norms"], 1..=3);
    let layers = || prop::sample::select(vec!["all", "0"]);
    let named = |name: &'static str| Just(shared::method(name, &[]));
    let one = |name: &'static str, knob: &'static str, values: Vec<&'static str>| {
        prop::sample::select(values).prop_map(move |value| shared::method(name, &[(knob, value)]))
    };
    let low_rank = |name: &'static str| {
        (1..9_usize, modules(), layers()).prop_map(move |(rank, modules, layers)| {
            let knobs = [("rank", rank.to_string()), ("target_modules", modules.join(",")), ("layers", layers.into())];
            shared::method(name, &knobs.each_ref().map(|(k, v)| (*k, v.as_str())))
        })
    };
    let virtual_tokens = |name: &'static str| {
        (1..7_usize).prop_map(move |n| shared::method(name, &[("num_virtual_tokens", &n.to_string())]))
    };
    prop_oneof![
        prop_oneof![
            named("full"),
            named("all-but-embeddings"),
            named("ln-tuning"),
            one("last-layer", "rows", vec!["all", "labels", "block"]),
            one("embeddings", "embeddings", vec!["tokens", "positions", "both"]),
            one("pruning", "schedule", vec!["iterative", "dense-sparse-dense"]),
            one("subspace", "projection", vec!["dense", "fastfood"]),
            biases.prop_map(|b| shared::method("bitfit", &[("biases", &b.join(","))])),
            (parts, layers()).prop_map(|(p, l)| shared::method("layers", &[("parts", &p.join(",")), ("layers", l)])),
        ],
        low_rank("lora"),
        low_rank("dora"),
        low_rank("vera"),
        (modules(), layers())
            .prop_map(|(m, l)| shared::method("ia3", &[("target_modules", &m.join(",")), ("layers", l)])),
        (1..9_usize).prop_map(|k| shared::method("sparse", &[("num_weights", &k.to_string()), ("mask", "random")])),
        (1..99_usize).prop_map(|s| shared::method("pruning", &[("sparsity", &s.to_string())])),
        (1..20_usize).prop_map(|d| shared::method("subspace", &[("intrinsic_dimension", &d.to_string())])),
        virtual_tokens("prompt"),
        (1..7_usize, 1..9_usize).prop_map(|(n, h)| {
            shared::method(
                "p-tuning",
                &[("num_virtual_tokens", &n.to_string()), ("encoder_hidden_size", &h.to_string())],
            )
        }),
        (1..7_usize, layers(), prop::bool::ANY, 1..9_usize).prop_map(|(n, l, projection, h)| {
            let (n, h, projection) = (n.to_string(), h.to_string(), projection.to_string());
            let knobs = [
                ("num_virtual_tokens", n.as_str()),
                ("layers", l),
                ("prefix_projection", &projection),
                ("encoder_hidden_size", &h),
            ];
            shared::method("prefix", &knobs)
        }),
        (1..9_usize, prop::sample::select(vec!["both", "attention", "mlp", "parallel"]), layers()).prop_map(
            |(k, p, l)| shared::method("adapter", &[("bottleneck", &k.to_string()), ("placement", p), ("layers", l)])
        ),
        named("text-prompt"),
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
        let mut context = InitContext::new(&theta, &device, stream(0, "phi")).labels(&[1, 2, 3]).encode(|_| vec![0]).begins(1);
        let mut phi = Phi::init([&method], &mut context);
        let shape = Shape { model: config, labels: 3 };
        // The tensors that files hold are those of φ, one by one.
        let tensors = method.method().tensors(&shape);
        let named: Vec<usize> = tensors.iter().map(|t| t.elements()).collect();
        prop_assert_eq!(named, phi.flat().iter().map(|t| t.dims()[0]).collect::<Vec<_>>(), "{:?}", tensors);
        // Pruning has trained what its last round left.
        (0..60).for_each(|step| pollster::block_on(shared::tell(&mut phi, step, 60)));
        let elements = phi.elements();
        let count = method.method().count(&shape);
        prop_assert_eq!(count.total(), elements);
        prop_assert_eq!(arithmetic(&count.sum()), elements, "{}", count.sum());
        prop_assert_eq!(theta.weights.num_params(), shape.model.parameters());
        // What stands in for θ's own tensors adds nothing to them.
        let name = method.info().name;
        let inside = ["full", "all-but-embeddings", "embeddings", "bitfit", "ln-tuning", "layers", "sparse", "pruning", "subspace"];
        let inside = inside.contains(&name) || method.get("rows").is_some_and(|rows| rows == "block");
        prop_assert_eq!(method.method().added(&shape), if inside { 0 } else { elements });
    }
}
