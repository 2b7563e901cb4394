//! Drawings of every method on every kind of network.

use super::*;
use crate::bases::{Base, OwnBase};
use crate::model::Target;
use crate::peft::MethodConfig;
use crate::ui::diagram::shapes::Form;

/// The `config.json` of a gated MLP with shared keys and values, of normed heads wider than the network, of a parallel
/// residual with a head of its own, and of a deep network as wide as SmolLM2's and one as wide as Llama 3's.
const FAMILIES: [(&str, &str); 5] = [
    (
        "gated",
        r#"{"model_type":"llama","vocab_size":301,"max_position_embeddings":256,"hidden_size":64,"intermediate_size":128,
            "num_hidden_layers":3,"num_attention_heads":4,"num_key_value_heads":2,"tie_word_embeddings":true}"#,
    ),
    (
        "normed",
        r#"{"model_type":"qwen3","vocab_size":301,"max_position_embeddings":256,"hidden_size":64,"intermediate_size":128,
            "num_hidden_layers":3,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":32}"#,
    ),
    (
        "parallel",
        r#"{"model_type":"gpt_neox","vocab_size":301,"max_position_embeddings":256,"hidden_size":64,
            "intermediate_size":128,"num_hidden_layers":3,"num_attention_heads":4}"#,
    ),
    (
        "deep",
        r#"{"model_type":"llama","vocab_size":49152,"max_position_embeddings":8192,"hidden_size":576,
            "intermediate_size":1536,"num_hidden_layers":30,"num_attention_heads":9,"num_key_value_heads":3,
            "tie_word_embeddings":true}"#,
    ),
    (
        "wide",
        r#"{"model_type":"qwen3","vocab_size":128256,"max_position_embeddings":8192,"hidden_size":4096,
            "intermediate_size":14336,"num_hidden_layers":32,"num_attention_heads":64,"num_key_value_heads":8}"#,
    ),
];

/// A run on one of [`FAMILIES`].
fn on_family(which: usize, hash: &str) -> (RunConfig, Vec<crate::base::Fault>) {
    let (name, config) = FAMILIES[which];
    let id = format!("own-drawn-{name}-d4a3{which:012x}");
    let (weights, tokenizer) = (Vec::new(), Vec::new());
    let base =
        Base::register(&OwnBase { id, title: name.into(), config: config.into(), weights, tokenizer, matrices: 0 })
            .unwrap();
    let (config, faults, _) = RunConfig::from_hash(&format!("task=authors&base={}&{hash}", base.id));
    (config, faults)
}

/// Every method at its defaults and with other knobs, on every base.
fn configurations() -> Vec<RunConfig> {
    let mut hashes: Vec<String> = MethodConfig::all().iter().map(|m| format!("method={}", m.info().name)).collect();
    for knobs in [
        "method=lora&rank=1&target_modules=q_proj",
        "method=lora&rank=16&target_modules=q_proj,k_proj,v_proj,out_proj,fc1,fc2",
        "method=lora&target_modules=fc1",
        "method=last-layer&rows=labels",
        "method=prompt&num_virtual_tokens=1",
        "method=prompt&num_virtual_tokens=30",
        "method=prefix&num_virtual_tokens=1",
        "method=adapter&placement=attention",
        "method=adapter&placement=mlp&bottleneck=64&non_linearity=silu",
        "method=adapter&placement=parallel&scaling=4&layers=1,2",
        "method=lora&layers=3&target_modules=q_proj,fc1",
        "method=ia3&layers=0",
        "method=bitfit&biases=q_proj,fc1",
        "method=last-layer&rows=block",
        "method=embeddings&embeddings=both",
        "method=layers&layers=0,3&parts=mlp,norms",
        "method=pruning&sparsity=90",
        "method=pruning&schedule=dense-sparse-dense",
        "method=subspace&intrinsic_dimension=16&projection=dense",
        "method=prefix&layers=2",
        "method=prefix&prefix_projection=true",
        "method=text-prompt&text=abcd",
        "method=lora,prompt&num_virtual_tokens=5",
        "method=adapter,bitfit",
        "method=lora,ia3&ia3.target_modules=k_proj,fc2",
    ] {
        hashes.push(knobs.into());
    }
    let variants = include_str!("../../../../tests/fixtures/variants.txt").lines();
    hashes.extend(variants.map(|line| format!("method={}", line.replace(' ', "&"))));
    let mut out = Vec::new();
    for base in ["base=rules", "base=prose-nano", "base=prose-micro&task=authors"] {
        for hash in &hashes {
            let (config, faults, _) = RunConfig::from_hash(&format!("{base}&{hash}"));
            assert!(faults.is_empty(), "{faults:?}");
            out.push(config);
        }
    }
    for which in 0..FAMILIES.len() {
        for hash in &hashes {
            // Some have nothing to train there, or name a place that is not.
            let (config, faults) = on_family(which, hash);
            out.extend(faults.is_empty().then_some(config));
        }
    }
    out
}

#[test]
fn trained_parts_hold_as_many_parameters_as_the_method_counts() {
    for config in configurations() {
        let count = config.trainable();
        let drawing = Drawing::new(&config, 0, false);
        let (all, trained) = drawing.counts();
        assert_eq!(trained, count, "{}", config.to_hash());
        // PEFT counts copies beside what they stand in for, where it keeps both; drawn is what computes.
        let shape = config.shape();
        let beside = |m: &MethodConfig| m.method().added(&shape).min(m.method().copied(&shape.model));
        let mut beside: u64 = config.methods().map(beside).sum();
        // A copy of a head that is not tied stands in its place.
        if !shape.model.tied && drawing.canvas.parts.iter().any(|part| part.name == "head, a copy") {
            beside += (shape.model.vocab_size * shape.model.hidden_size) as u64;
        }
        assert_eq!(all + beside, config.all_parameters(), "{}", config.to_hash());
    }
}

#[test]
fn a_narrow_page_shows_all_of_phi() {
    for config in configurations() {
        let (_, trained) = Drawing::new(&config, 0, true).counts();
        assert_eq!(trained, config.trainable(), "{}", config.to_hash());
    }
}

#[test]
fn parts_stay_in_the_picture_and_do_not_cover_each_other() {
    for config in configurations() {
        for compact in [false, true] {
            let drawing = Drawing::new(&config, 1, compact);
            let parts = &drawing.canvas.parts;
            let areas: Vec<Rect> = parts.iter().map(|p| p.area).chain(drawing.blocks.iter().map(|b| b.area)).collect();
            for (i, a) in areas.iter().enumerate() {
                assert!(
                    a.x >= 0.0 && a.y >= 0.0 && a.right() <= drawing.width && a.bottom() <= drawing.height,
                    "{:?}",
                    parts.get(i)
                );
                for (j, b) in areas[..i].iter().enumerate() {
                    assert!(a.overlap(b) < 0.5, "{}: {:?} {:?}", config.to_hash(), parts.get(i), parts.get(j));
                }
            }
        }
    }
}

#[test]
fn a_network_has_as_many_blocks_as_it_says_and_lora_a_pair_at_each_chosen_matrix() {
    let (config, ..) = RunConfig::from_hash("#method=lora&rank=8&target_modules=k_proj,out_proj,fc2");
    let drawing = Drawing::new(&config, 0, false);
    assert_eq!(drawing.blocks.len(), config.shape().model.num_hidden_layers);
    for target in Target::UNGATED {
        let label = Target::OPTIONS[target as usize].1;
        let pairs =
            drawing.canvas.parts.iter().filter(|p| p.name.starts_with("LoRA") && p.name.ends_with(label)).count();
        let chosen = [Target::K, Target::O, Target::Fc2].contains(&target);
        assert_eq!(pairs, if chosen { 2 } else { 0 }, "{label}");
    }
    let a = drawing.canvas.parts.iter().find(|p| p.name == "LoRA A of fc2").unwrap();
    assert_eq!(a.spoken(), "LoRA A of fc2, 8 × 256, trained");
}

#[test]
fn every_shipped_method_has_shapes_to_write() {
    for method in MethodConfig::all() {
        let config = RunConfig { method, ..RunConfig::default() };
        assert!(!crate::ui::diagram::phi_overlay::shapes(&config).is_empty(), "{}", config.to_hash());
    }
}

#[test]
fn what_is_written_on_a_part_fits_its_outline() {
    for config in configurations() {
        for compact in [false, true] {
            for part in Drawing::new(&config, 1, compact).canvas.parts {
                // Vectors beside pairs have one letter each, in narrow bars.
                if part.label.chars().count() > 1 && !part.label.contains(['Q', 'φ']) {
                    assert!(part.text_width() <= part.room() + 8.0, "{}: {part:?}", config.to_hash());
                }
            }
        }
    }
}

#[test]
fn shared_keys_and_values_and_wider_heads_are_seen_by_their_outline() {
    let form = |which: usize, name: &str| {
        let drawing = Drawing::new(&on_family(which, "method=prompt").0, 0, false);
        drawing.canvas.parts.into_iter().find(|part| part.name == name).unwrap().form
    };
    let forms = |which: usize| ["W_Q", "W_K", "W_V", "W_O"].map(|name| form(which, name));
    assert_eq!(forms(0), [Form::Box, Form::Narrowing, Form::Narrowing, Form::Box]);
    assert_eq!(forms(1), [Form::Widening, Form::Box, Form::Box, Form::Narrowing]);
    assert_eq!(forms(2), [Form::Box; 4]);
}

#[test]
fn matrices_are_called_in_formulas_as_they_are_in_the_drawing() {
    let knobs = "method=lora&target_modules=q_proj,k_proj,v_proj,out_proj,fc1,fc2,gate_proj";
    let written = crate::ui::diagram::phi_overlay::shapes(&on_family(0, knobs).0);
    let names: Vec<&str> = written.split("; ").filter_map(|group| group.split_once(':')).map(|(of, _)| of).collect();
    assert_eq!(names, ["W_Q, W_O", "W_K, W_V", "up, gate", "down"]);
}

#[test]
fn marks_in_the_stack_leave_room_for_the_name_of_their_block() {
    let all = "method=lora&target_modules=q_proj,k_proj,v_proj,out_proj,fc1,fc2,gate_proj";
    for (which, knobs) in [(0, all), (1, all), (2, "method=lora&target_modules=q_proj,k_proj,v_proj,out_proj,fc1,fc2")]
    {
        for block in Drawing::new(&on_family(which, knobs).0, 0, false).blocks {
            let left = block.marks.iter().flatten().map(|(x, _)| *x).fold(f64::INFINITY, f64::min);
            // “Block 3” in bold letters of 12 pixels, from 12 pixels on.
            assert!(left - block.area.x > 12.0 + 7.0 * 0.6 * 12.0, "{knobs}: {left}");
        }
    }
}

#[test]
fn only_positions_that_are_learned_are_drawn() {
    for (which, compact) in (0..3).flat_map(|which| [(which, false), (which, true)]) {
        let drawing = Drawing::new(&on_family(which, "method=prompt").0, 0, compact);
        assert!(drawing.canvas.parts.iter().all(|part| part.name != "position embedding"), "{which} {compact}");
        let turned = drawing.canvas.parts.iter().filter(|part| part.label == "rotate").count();
        assert_eq!(turned, 2);
    }
}

#[test]
fn the_first_block_does_not_touch_what_stands_below_it() {
    for (which, hash) in (0..5).flat_map(|which| [(which, "method=lora"), (which, "method=prompt")]) {
        let drawing = Drawing::new(&on_family(which, hash).0, 1, false);
        let below = drawing.canvas.parts.iter().filter(|part| matches!(part.form, Form::Vectors(_))).map(|p| p.area.y);
        let below = below.fold(f64::INFINITY, f64::min);
        let room = below - drawing.blocks[0].area.bottom();
        // The note above virtual tokens is 12 pixels high.
        assert!(room >= if hash.ends_with("prompt") { 18.0 } else { 9.0 }, "{which} {hash}: {room}");
    }
}

/// Formula, summary and shapes of a method.
fn said(config: &RunConfig) -> (&'static str, &'static str, String) {
    let (method, shape) = (config.method.method(), config.shape());
    (method.formula(&shape.model), method.summary(&shape.model), config.method.overlay().shapes(&shape))
}

#[test]
fn what_is_said_of_a_method_is_true_on_the_base() {
    let on = |which: usize, hash: &str| said(&on_family(which, hash).0);
    let ours = |hash: &str| said(&RunConfig::from_hash(hash).0);
    let (gated, normed, parallel) = (0, 1, 2);
    let (moves, stays) = ("the head is the same matrix and moves along.", "the head is a matrix of its own and stays.");
    assert!(ours("method=embeddings").1.ends_with(moves) && on(gated, "method=embeddings").1.ends_with(moves));
    assert!(on(parallel, "method=embeddings").1.ends_with(stays));
    assert_eq!(on(gated, "method=embeddings&embeddings=both"), on(gated, "method=embeddings"));
    let positions = ours("method=embeddings&embeddings=positions");
    assert_eq!((positions.0, positions.2.as_str()), ("f_θ(Ex + ⟨P⟩)", "P ∈ ℝ^{66×64}"));
    assert!(positions.1.ends_with("those of the tokens, the network and the head alone."));
    assert!(ours("method=embeddings&embeddings=both").1.ends_with("the head is the tokens' matrix and moves along."));
    assert!(ours("method=all-but-embeddings").1.ends_with("the head, which is the same matrix, stays too."));
    assert!(on(parallel, "method=all-but-embeddings").1.ends_with("the head, a matrix of its own, stays too."));

    assert!(ours("method=ia3").0.ends_with("W₂(⟨l_ff⟩ ⊙ σ(W₁x))"));
    assert_eq!(on(parallel, "method=ia3").0, ours("method=ia3").0);
    assert!(on(gated, "method=ia3").0.ends_with("W_down(⟨l_ff⟩ ⊙ SiLU(W_gate x) ⊙ W_up x)"));
    assert_eq!(ours("method=ia3").2, "l ∈ ℝ^{64}, at fc2 ∈ ℝ^{256}");
    assert_eq!(on(gated, "method=ia3").2, "l ∈ ℝ^{32}, at down ∈ ℝ^{128}");
    assert_eq!(on(gated, "method=ia3&target_modules=gate_proj").2, "l ∈ ℝ^{128}");

    assert!(
        ours("method=ln-tuning").1.contains("every LayerNorm") && on(gated, "method=ln-tuning").1.contains("RMSNorm")
    );
    assert!(on(parallel, "method=ln-tuning").1.contains("every LayerNorm"));
    assert_eq!(
        (on(gated, "method=ln-tuning").0, on(gated, "method=ln-tuning").2.as_str()),
        ("⟨γ⟩ ⊙ x/rms(x)", "γ ∈ ℝ^{64}")
    );
    assert_eq!(on(normed, "method=ln-tuning").2, "γ ∈ ℝ^{64}, at queries and keys ∈ ℝ^{32}");
    assert_eq!(ours("method=bitfit").2, "b ∈ ℝ^{64}, at fc1 ∈ ℝ^{256}");
    assert_eq!(ours("method=bitfit&biases=fc1").2, "b ∈ ℝ^{256}");
}
