//! `cargo xtask pretrain`: makes the shipped bases again from `recipes/`.

use crate::cargo::{cargo, root, run, stage, target_dir};
use anyhow::{Result, ensure};
use std::process::Command;

/// The shipped bases, the quickest first.
const BASES: [&str; 4] = ["prose-nano", "rules", "prose-micro", "prose-small"];

/// Follows the recipes of the named bases, or of all, one after the other. Interrupted, it goes on from the last checkpoint.
pub fn pretrain(bases: &[String]) -> Result<()> {
    let named: Vec<&str> = bases.iter().map(String::as_str).collect();
    for name in &named {
        ensure!(BASES.contains(name), "there is no base “{name}”: {}", BASES.join(", "));
    }
    stage("building the trainer", || run(&mut cargo(&["build", "--profile", "ci", "--bin", "peft-lab"])))?;
    stage("baking the text", || crate::bake::bake_pretraining(&root()))?;
    for base in BASES.into_iter().filter(|base| named.is_empty() || named.contains(base)) {
        // Made beside what ships and moved at the end: an interrupted run leaves a checkpoint, not half a base.
        let (recipe, out) = (format!("recipes/{base}.json"), target_dir().join("pretrained").join(base));
        stage(&format!("pretraining {base}"), || {
            run(Command::new(target_dir().join("ci/peft-lab"))
                .args(["pretrain", &recipe, "--out"])
                .arg(&out)
                .current_dir(root()))
        })?;
        let shipped = root().join("www/models").join(base);
        std::fs::create_dir_all(&shipped)?;
        for file in ["config.json", "model.safetensors", "tokenizer.json", "card.json", "README.md"] {
            std::fs::copy(out.join(file), shipped.join(file))?;
        }
    }
    Ok(())
}
