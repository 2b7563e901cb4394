//! Where the batches of a recipe come from.

use super::episodes::Episodes;
use super::prose::{Corpus, Prose};
use super::recipe::{Data, Recipe};
use super::{bpe, word_level};
use crate::base::stream;
use crate::bases::Figures;
use crate::model::Model;
use crate::task::tokenizer::Tokenizer;
use crate::train::data::Batch;

/// What a recipe trains on, ready to draw from.
pub enum Source {
    /// Episodes of string rules.
    Episodes(Episodes),
    /// Windows of books.
    Prose(Prose),
}

impl Source {
    /// What a recipe asks for, with the text of its `tokenizer.json`. Books are cut by a tokenizer that is
    /// trained first.
    pub fn of(
        recipe: &Recipe,
        corpus: Option<&Corpus>,
        say: &mut impl FnMut(String),
    ) -> Result<(Source, String), String> {
        match &recipe.data {
            Data::Rules(_) => Ok((Source::Episodes(Episodes::new()), word_level::tokenizer())),
            Data::Prose(data) => {
                let corpus = corpus.ok_or("The recipe's text is missing.")?;
                say(format!("{}: training the tokenizer", recipe.id));
                let (training, held_out) = data.split(corpus)?;
                let json = bpe::train(&training, data.vocabulary)?;
                let tokenizer = Tokenizer::from_json(&json).map_err(|e| e.to_string())?;
                let prose = Prose::new(&training, &held_out, &tokenizer, recipe.model.context);
                say(prose.describe());
                Ok((Source::Prose(prose), json))
            }
        }
    }

    /// The batch of a step, from 0.
    pub fn batch(&self, recipe: &Recipe, step: usize) -> Batch {
        // A stream for each step: a resumed run draws what it would have drawn.
        let mut rng = stream(recipe.seed, &format!("pretraining step {step}"));
        match self {
            Source::Episodes(episodes) => episodes.batch(recipe, step, &mut rng),
            Source::Prose(prose) => prose.batch(recipe.batch_size, &mut rng),
        }
    }

    /// How good a base is on what it never trains on.
    pub async fn judge(&self, theta: &Model) -> Result<Figures, String> {
        match self {
            Source::Episodes(episodes) => episodes.judge(theta).await,
            Source::Prose(prose) => prose.judge(theta).await,
        }
    }
}
