//! `evaluate` and `predict`: what the base alone, a run's φ or an adapter makes of a task, or of one text.

use super::disk::Disk;
use super::flags::{config, config_on};
use super::output::print_line;
use super::sentence::Sentence;
use super::session::{Stored, session, stored};
use super::taken::{report, say};
use super::user_data;
use crate::base::{grouped, read, stream};
use crate::bases::Base;
use crate::config::RunConfig;
use crate::model::Tokens;
use crate::peft::{InitContext, Phi};
use crate::protocol::CutText;
use crate::task::user_data::cut_text;
use crate::train::evaluate::evaluate;
use crate::train::library::LoadedBase;
use burn::tensor::Device;
use clap::ArgMatches;
use serde_json::json;

/// Loss and accuracy on the task's held-out examples, with θ ⊕ λφ or θ alone.
pub(super) async fn evaluate_base(args: &ArgMatches) -> Result<(), Sentence> {
    let lambda: f64 = args.get_one("lambda").copied().unwrap_or(1.0);
    RunConfig::check_lambda(lambda).map_err(|fault| fault.message)?;
    let scores = match stored(args, |base| config_on(args, base))? {
        Some(stored) => {
            let session = stored.session().await.map_err(|f| f.message)?;
            if lambda != 1.0 {
                session.config().dial()?;
            }
            session.evaluate(lambda).await
        }
        None => {
            let config = config(args)?;
            say(&report(&config).await);
            let session = session(config).await.map_err(|f| f.message)?;
            evaluate(session.theta(), &Phi::none(), session.data(), usize::MAX).await
        }
    };
    let scores = scores.map_err(|f| f.message)?;
    if args.get_flag("json") {
        print_line!("{}", json!({"loss": scores.loss, "accuracy": scores.accuracy, "n": scores.n}));
    } else {
        print_line!("held-out loss {:.4}  accuracy {:.3} of {}", scores.loss, scores.accuracy, scores.n);
    }
    Ok(())
}

/// A run at its defaults on the base that reads a text: an adapter's, one's own, or the one that `--base` names.
pub(super) fn of_base(args: &ArgMatches, base: Option<&Base>) -> Result<RunConfig, Sentence> {
    let brought = user_data::pairs(args)?.into_iter().find(|(key, _)| key == "base").map(|(_, id)| id);
    let id = base.map(|base| base.id.to_string()).or(brought).or(args.get_one("base").cloned());
    let id = id.ok_or("--base is missing: which base to read the text with")?;
    let (config, faults, _) = RunConfig::from_pairs(&[("base".to_string(), id)]);
    faults.into_iter().next().map_or(Ok(config), |fault| Err(fault.message))
}

/// A text's tokens, the likeliest next token and, where they are asked for, all logits.
pub(super) async fn predict(args: &ArgMatches) -> Result<(), Sentence> {
    let text: &String = args.get_one("input").ok_or("--text is missing")?;
    let stored = stored(args, |base| of_base(args, base))?;
    let config = match &stored {
        Some(stored) => stored.config.clone(),
        None => of_base(args, None)?,
    };
    let loaded = LoadedBase::of(&config, &Disk::default(), &Device::flex()).await.map_err(|f| f.message)?;
    let tokens = loaded.tokenizer.encode(text);
    let methods = || stored.iter().flat_map(|stored| stored.config.methods()).map(|method| method.method());
    let in_front = methods().map(|method| method.positions()).sum::<usize>();
    let limit = loaded.theta.config.max_position_embeddings - in_front;
    if tokens.is_empty() {
        return Err("--text is empty: give a text to read.".into());
    }
    // As where a text is typed on the page: the last tokens are read, and that is said.
    let all = tokens.len();
    let tokens = tokens[all.saturating_sub(limit)..].to_vec();
    say(&cut_text(all, tokens.len()).into_iter().collect::<Vec<_>>());
    let batch = Tokens { ids: tokens.iter().map(|t| *t as i32).collect(), sequences: 1, length: tokens.len() };
    let rows: Vec<usize> = (0..tokens.len()).collect();
    let vocab = loaded.theta.config.vocab_size;
    let of_task = methods().any(|method| method.is_made_of_task());
    let phi = match stored {
        None => Phi::none(),
        Some(stored) if of_task => stored.session().await.map_err(|f| f.message)?.phi().frozen(),
        // The task's data may be elsewhere: nothing of it is asked for.
        Some(Stored { config, phi }) => {
            let random = stream(config.seed, "phi");
            phi.phi(
                config.methods(),
                InitContext::new(&loaded.theta, &Device::flex(), random).encode(|text| loaded.tokenizer.encode(text)),
            )
            .frozen()
        }
    };
    let logits = loaded.theta.logits(&phi, &batch, &rows).reshape([tokens.len() * vocab]);
    let logits = read(logits).await.map_err(|f| f.message)?;
    let logits: Vec<&[f32]> = logits.chunks(vocab).collect();
    let last = logits[tokens.len() - 1];
    let not_finite = logits.iter().copied().flatten().filter(|logit| !logit.is_finite()).count();
    if not_finite > 0 {
        let all = tokens.len() * vocab;
        say(&[format!("{} of {} logits are not finite: null stands for them.", grouped(not_finite), grouped(all))]);
    }
    // Among numbers that are none, none is the likeliest.
    let next = last
        .iter()
        .all(|logit| logit.is_finite())
        .then(|| (0..vocab).fold(0, |best, i| if last[i] > last[best] { i } else { best }));
    let mut answer = json!({"tokens": tokens, "next": next});
    if tokens.len() < all {
        answer["cut"] = json!(CutText { tokens: all, read: tokens.len() });
    }
    if args.get_flag("logits") {
        answer["logits"] = json!(logits);
    }
    print_line!("{answer}");
    Ok(())
}
