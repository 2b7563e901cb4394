//! What the prose bases are pretrained on: windows of books, every next token predicted.

use crate::base::read;
use crate::bases::Figures;
use crate::kernels::cross_entropy;
use crate::model::{Model, Tokens};
use crate::peft::Phi;
use crate::task::tokenizer::Tokenizer;
use crate::train::data::Batch;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// The text, as `cargo xtask bake --pretraining` writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Corpus {
    /// All books', in order.
    pub blocks: Vec<Block>,
}

/// One of the parts that a book is cut into.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// The book's name.
    pub book: String,
    /// Its place in the book.
    pub number: usize,
    /// What it says.
    pub text: String,
}

/// Token ids to train on and to judge by.
pub struct Prose {
    training: Vec<u32>,
    held_out: Vec<u32>,
    held_out_bytes: usize,
    context: usize,
}

impl Prose {
    /// Each text begins with the token `<|endoftext|>`, 0.
    pub fn new(training: &[&str], held_out: &[&str], tokenizer: &Tokenizer, context: usize) -> Prose {
        let ids = |texts: &[&str]| {
            texts.iter().flat_map(|t| std::iter::once(0).chain(tokenizer.encode(t))).collect::<Vec<u32>>()
        };
        Prose {
            training: ids(training),
            held_out: ids(held_out),
            held_out_bytes: held_out.iter().map(|t| t.len()).sum(),
            context,
        }
    }

    /// How much there is to read, for a line of progress.
    pub fn describe(&self) -> String {
        let (tokens, held, bytes) = (self.training.len(), self.held_out.len(), self.held_out_bytes);
        format!("{tokens} tokens to train on, {held} to judge by ({bytes} bytes)")
    }

    /// `n` windows of the context's length, drawn uniformly.
    pub fn batch(&self, n: usize, rng: &mut ChaCha8Rng) -> Batch {
        let last = (self.training.len() - self.context - 1) as u32;
        windows((0..n).map(|_| {
            let at = rng.random_range(0..last) as usize;
            &self.training[at..=at + self.context]
        }))
    }

    /// Bits per byte of the held-out blocks, read in windows of the context, each from its own beginning.
    pub async fn judge(&self, theta: &Model) -> Result<Figures, String> {
        let n = (self.held_out.len() - 1) / self.context;
        let windowed: Vec<&[u32]> = (0..n).map(|i| &self.held_out[i * self.context..=(i + 1) * self.context]).collect();
        let mut nats = 0.0;
        for chunk in windowed.chunks(16) {
            let batch = windows(chunk.iter().copied());
            let logits = theta.logits(&Phi::none(), &batch.tokens, &batch.rows);
            let sum = read(cross_entropy(logits, &batch.targets).sum()).await.map_err(|f| f.message)?;
            nats += f64::from(sum[0]);
        }
        let per_token = nats / (n * self.context) as f64;
        let tokens_per_byte = self.held_out.len() as f64 / self.held_out_bytes as f64;
        Ok(Figures::Prose { bits_per_byte: per_token * tokens_per_byte / std::f64::consts::LN_2 })
    }
}

/// A batch that predicts every token of its windows but the first.
fn windows<'a>(windows: impl Iterator<Item = &'a [u32]>) -> Batch {
    let mut batch = Batch::of(Tokens { ids: Vec::new(), sequences: 0, length: 0 }, Vec::new(), Vec::new());
    for window in windows {
        let n = window.len() - 1;
        batch.tokens.ids.extend(window[..n].iter().map(|t| *t as i32));
        batch.targets.extend(window[1..].iter().map(|t| *t as i32));
        batch.tokens.length = n;
        batch.tokens.sequences += 1;
    }
    batch.rows = (0..batch.tokens.ids.len()).collect();
    batch
}
