//! Writes the model card: for the page as JSON, for readers as Markdown.

use super::checkpoint::Checkpoint;
use super::episodes::SLOT;
use super::recipe::{Data, Recipe};
use crate::bases::{Card, Figures, Made};
use std::path::Path;

/// The card of what a recipe has made.
pub fn of(recipe: &Recipe, state: &Checkpoint, figures: Figures) -> Card {
    let (data, licence, length) = match &recipe.data {
        Data::Rules(_) => (
            "Episodes of six shots under one hidden string rule, drawn on the fly: sixteen rules and 24 compositions of two.".to_string(),
            "Made for this project; MIT or Apache-2.0.".to_string(),
            SLOT * 6,
        ),
        Data::Prose(_) => (
            "Nine public-domain books of English prose, 4.2 MB, from the crates scrunch 0.14.0, esaxx-rs 0.1.10 and harper-core 3.0.0; the blocks that tasks use are left out.".to_string(),
            "Texts in the public domain (Project Gutenberg); weights MIT or Apache-2.0.".to_string(),
            recipe.model.context,
        ),
    };
    Card {
        id: recipe.id.clone(),
        parameters: recipe.model_config().parameters(),
        data,
        licence,
        source: String::new(),
        made: Some(Made {
            steps: recipe.steps,
            tokens: recipe.steps * recipe.batch_size * length,
            seconds: state.seconds.round(),
            figures,
            curve: state.curve.clone(),
        }),
    }
}

/// As `card.json` has it.
pub fn json(card: &Card) -> Result<String, String> {
    Ok(serde_json::to_string_pretty(card).map_err(|e| e.to_string())? + "\n")
}

/// As Hugging Face's `README.md` of a model.
pub fn markdown(card: &Card, made: &Made) -> String {
    let rows: Vec<String> = made.figures.rows().iter().map(|(name, value)| format!("| {name} | {value} |")).collect();
    format!(
        "---\nlicense: [mit, apache-2.0]\nlibrary_name: transformers\npipeline_tag: text-generation\n---\n# {}\n\n{} parameters, OPT's layout. {}\n\n\
         | {} | |\n|---|---|\n{}\n\n\
         Trained by `cargo xtask pretrain {}`: {} steps, {:.1} million tokens, {:.0} minutes on one core of a server. {}\n",
        card.id,
        card.parameters,
        card.data,
        made.figures.heading(),
        rows.join("\n"),
        card.id,
        made.steps,
        made.tokens as f64 / 1e6,
        made.seconds / 60.0,
        card.licence
    )
}

/// Writes files into a folder, which is made.
pub fn write(folder: &Path, files: &[(&str, &[u8])]) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("{} cannot be written: {e}", folder.display());
    std::fs::create_dir_all(folder).map_err(failed)?;
    files.iter().try_for_each(|(name, bytes)| std::fs::write(folder.join(name), bytes).map_err(failed))
}
