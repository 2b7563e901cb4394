#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it unwraps")]

use super::{RealModel, Setting, bytes};
use crate::config::RunConfig;
use crate::experiments::bench::{SHAPES, methods};
use crate::peft::{BitFit, Full, Lora, MethodConfig};
use std::collections::BTreeMap;

#[derive(serde::Deserialize)]
struct Counted {
    forward: f64,
    backward: f64,
    predicted: usize,
}

#[derive(serde::Deserialize)]
struct Fixture {
    methods: BTreeMap<String, Counted>,
}

#[test]
fn products_of_matrices_are_those_that_pytorch_counts() {
    let fixture: Fixture = serde_json::from_str(include_str!("../../tests/fixtures/flops.json")).unwrap();
    let methods = methods(&SHAPES[0]);
    for (name, counted) in &fixture.methods {
        let (_, method) = methods.iter().find(|(known, _)| known == name).unwrap();
        let mut setting = SHAPES[0].setting(method);
        // Transformers' head reads the virtual tokens, too.
        setting.batch.predicted = counted.predicted;
        let training = setting.ledger().training.unwrap();
        assert_eq!(
            (training.forward.matrices, training.backward.matrices),
            (counted.forward, counted.backward),
            "{name}"
        );
    }
    assert!(fixture.methods.len() >= 8);
}

#[test]
fn the_traced_phi_has_the_numbers_of_the_closed_formula() {
    for shape in &SHAPES {
        for (name, method) in methods(shape) {
            let setting = shape.setting(&method);
            let memory = setting.ledger().training.unwrap().memory;
            let trained = match method {
                // What is pruned is masked, not left out.
                MethodConfig::Pruning(_) => setting.shape.model.parameters(),
                _ => method.method().count(&setting.shape).total(),
            };
            assert_eq!(memory.gradients, 4 * trained, "{name}");
            assert_eq!(memory.optimizer, 8 * trained, "{name}");
            assert_eq!(memory.theta, shape.theta.bytes(&setting.shape.model, None), "{name}");
        }
    }
}

/// A setting of one method on a published model.
fn on<'a>(model: &str, method: &'a MethodConfig) -> Setting<'a> {
    SHAPES[0].setting(method).on(RealModel::named(model).unwrap())
}

#[test]
fn adam_keeps_16_bytes_a_trained_parameter_and_4_a_frozen_one() {
    let (full, bitfit) = (MethodConfig::Full(Full), MethodConfig::BitFit(BitFit::default()));
    let parameters = RealModel::named("opt-6.7b").unwrap().config.parameters();
    let of = |method| {
        let memory = on("opt-6.7b", method).ledger().training.unwrap().memory;
        memory.parts().iter().sum::<u64>() - memory.activations
    };
    assert_eq!(of(&full), 16 * parameters);
    let trained = bitfit.method().count(&on("opt-6.7b", &bitfit).shape).total();
    assert_eq!(of(&bitfit), 16 * trained + 4 * (parameters - trained));
    // Its makers say 6.7 and 66 billion.
    assert_eq!((parameters as f64 / 1e8).round(), 67.0);
    let of_66 = RealModel::named("opt-66b").unwrap().config.parameters() as f64;
    assert_eq!((of_66 / 1e9).round(), 66.0);
}

#[test]
fn a_full_phi_of_a_large_model_stands_in_for_theta() {
    let full = MethodConfig::Full(Full);
    // 6.7 and 175 billion parameters, four bytes each.
    for (model, gigabytes) in [("opt-6.7b", "26.6 GB"), ("opt-175b", "698 GB")] {
        let ledger = on(model, &full).ledger();
        assert_eq!(bytes(ledger.stored), gigabytes);
        assert_eq!((ledger.inference.theta, ledger.inference.phi), (0, ledger.stored), "{model}");
    }
    // Here θ stays, so that one can go back to it.
    let here = SHAPES[0].setting(&full).ledger();
    assert_eq!((here.inference.theta, here.inference.phi), (here.stored, here.stored));
}

#[test]
fn heads_that_share_keys_and_values_cache_less() {
    let lora = MethodConfig::Lora(Lora::default());
    // Two numbers for each of 512 positions, blocks and widths of all keys; four bytes each.
    for (model, blocks, width) in [("smollm2-135m", 30, 192), ("llama-3.1-8b", 32, 1024), ("qwen3-0.6b", 28, 1024)] {
        let cache = on(model, &lora).ledger().inference.cache;
        assert_eq!(cache, 2 * 512 * blocks * width * 4, "{model}");
    }
    // Without shared heads they are as wide as the network.
    assert_eq!(on("pythia-1b", &lora).ledger().inference.cache, 2 * 512 * 16 * 2048 * 4);
}

#[test]
fn a_method_with_nothing_to_train_on_a_model_is_told_as_its_run_would_be() {
    let bitfit = MethodConfig::BitFit(BitFit::default());
    for (model, there) in [("llama-3.2-1b", false), ("mistral-7b", false), ("qwen2.5-0.5b", true), ("pythia-70m", true)]
    {
        let found = on(model, &bitfit).check();
        assert_eq!(found.is_ok(), there, "{model}");
        assert!(found.err().is_none_or(|fault| fault.message.starts_with("This base has no biases")), "{model}");
    }
}

#[test]
fn what_a_prediction_reads_is_told_once() {
    let of = |hash: &str| {
        let config = RunConfig::from_hash(hash).0;
        let inference = Setting::of(&config).ledger().inference;
        // The run's table asks with the tokens that were measured: of strings all have as many.
        assert_eq!(Setting::of_whole(&config).reading(inference.positions as f64), inference.text, "{hash}");
        inference
    };
    // `<s>`, four letters, the arrow and three of the answer's four; each demonstration has all nine and a semicolon.
    let shown = of("method=icl&rule=next.sort&shots=4");
    assert_eq!((shown.positions, shown.positions_in_front), (49, 40));
    // A prefix is looked at in every block, and nothing is computed for its positions but that.
    let (prefix, prompt, lora) = (of("method=prefix"), of("method=prompt&num_virtual_tokens=10"), of("method=lora"));
    assert_eq!((prefix.positions, prompt.positions, lora.positions), (19, 19, 9));
    assert!(lora.text < 1.1 * prefix.text && prefix.text < 0.6 * prompt.text, "{prefix:?} {prompt:?} {lora:?}");
    // A mean of lengths lies between its neighbours.
    let config = RunConfig::from_hash("method=lora").0;
    let at = |positions: f64| Setting::of_whole(&config).reading(positions);
    assert!(at(9.0) < at(9.25) && at(9.25) < at(9.5) && at(9.5) < at(10.0));
}

#[test]
fn a_gradient_that_stops_early_costs_less() {
    let methods = methods(&SHAPES[0]);
    let backward = |name: &str| {
        let (_, method) = methods.iter().find(|(known, _)| known == name).unwrap();
        let training = SHAPES[0].setting(method).ledger().training.unwrap();
        (training.backward.total(), training.memory.activations)
    };
    let (last, first, full) = (backward("lora-last-block"), backward("lora-first-block"), backward("full"));
    assert!(4.0 * last.0 < first.0 && 1.7 * first.0 < full.0, "{last:?} {first:?} {full:?}");
    assert!(3 * last.1 < first.1 && first.1 < full.1);
}

#[test]
fn what_stands_in_front_is_read_again_and_merging_ends_what_lora_adds() {
    let (prompt, lora) = (MethodConfig::named("prompt").unwrap(), MethodConfig::Lora(Lora::default()));
    let (prompt, lora) = (SHAPES[0].setting(&prompt).ledger(), SHAPES[0].setting(&lora).ledger());
    assert_eq!((prompt.inference.positions, prompt.inference.positions_in_front), (84, 20));
    assert!(prompt.training.unwrap().memory.in_front > 0);
    assert!(prompt.not_merged.is_some() && lora.not_merged.is_none());
    // A prompt makes each later token look at more; LoRA makes it compute more, until it is merged.
    assert!(prompt.inference.token > prompt.inference.token_of_theta);
    assert!(lora.inference.token > lora.inference.token_of_theta);
    assert_eq!(lora.inference.positions_in_front, 0);
}

#[test]
fn every_configuration_of_the_page_has_a_ledger() {
    for base in ["rules", "prose-nano"] {
        let task = if base == "rules" { "rules" } else { "authors" };
        for method in MethodConfig::all() {
            let hash = format!("base={base}&task={task}&method={}", method.info().name);
            let (config, ..) = RunConfig::from_hash(&hash);
            let here = Setting::of(&config);
            let ledger = here.ledger();
            assert_eq!(ledger.training.is_some(), method.method().trains(), "{hash}");
            let there = here.on(RealModel::named("opt-175b").unwrap()).ledger();
            assert!(there.inference.token > 3e11, "{hash}");
            // Nothing is a gradient of what is frozen.
            if let Some(training) = there.training {
                assert_eq!(training.memory.optimizer, 2 * training.memory.gradients, "{hash}");
            }
        }
    }
}
