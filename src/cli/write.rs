//! `write`: goes on with a text, token by token.

use super::evaluate::of_base;
use super::output::{print_line, print_part};
use super::sentence::Sentence;
use super::session::{session, stored};
use crate::base::clock;
use crate::protocol::{Around, Event, Voice, Writing};
use clap::{Arg, ArgAction, ArgMatches, value_parser};

/// The flags that say how.
pub(super) fn args() -> [Arg; 7] {
    let number = |name: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name).long(name).default_value(default).help(help)
    };
    let whole = |name, default, help| number(name, default, help).value_parser(value_parser!(usize));
    let share = |name, default, help| number(name, default, help).value_parser(value_parser!(f64));
    [
        share("lambda", "1", "λ of θ ⊕ λφ, 0 to 1.5"),
        share("temperature", "0", "0 takes the likeliest token, 1 draws by the probabilities"),
        whole("top-k", "0", "Draws from so many likeliest tokens; 0 from all"),
        whole("tokens", "64", "Tokens to write at most"),
        Arg::new("around")
            .long("around")
            .default_value("nothing")
            .help("What is put around the text: the task's words, or the model's chat template")
            .value_parser(Around::ALL.map(|(name, _)| name)),
        Arg::new("drawn-by").long("seed").default_value("0").help("Of what is drawn").value_parser(value_parser!(u64)),
        Arg::new("json")
            .long("json")
            .action(ArgAction::SetTrue)
            .help("Print one event a token, of θ alone and of θ ⊕ λφ"),
    ]
}

/// Writes with a run's φ or an adapter, without one with the base alone.
pub(super) async fn write(args: &ArgMatches) -> Result<(), Sentence> {
    let text: &String = args.get_one("input").ok_or("--text is missing")?;
    let whole = |name: &str| args.get_one(name).copied().unwrap_or(0_usize);
    let around = args.get_one::<String>("around").map_or("", String::as_str);
    let writing = Writing {
        text: text.clone(),
        around: Around::ALL.into_iter().find(|(name, _)| *name == around).map(|(_, around)| around).unwrap_or_default(),
        lambda: args.get_one("lambda").copied().unwrap_or(1.0),
        temperature: args.get_one("temperature").copied().unwrap_or(0.0),
        top_k: whole("top-k"),
        tokens: whole("tokens"),
        seed: args.get_one("drawn-by").copied().unwrap_or(0),
    };
    let stored = stored(args, |base| of_base(args, base))?;
    let which = if stored.is_some() { Voice::Adapted } else { Voice::Base };
    let session = match stored {
        Some(stored) => stored.session().await,
        None => session(of_base(args, None)?).await,
    };
    let mut writer = session.map_err(|f| f.message)?.writer(writing, clock).map_err(|f| f.message)?;
    let as_json = args.get_flag("json");
    if !as_json || which == Voice::Base {
        writer = writer.only(which);
    }
    while !writer.done() {
        match writer.advance().await.map_err(|f| f.message)? {
            Some(event) if as_json => print_line!("{}", serde_json::to_string(&event).map_err(|e| e.to_string())?),
            Some(Event::Wrote { text, .. }) => print_part(&text),
            _ => {}
        }
    }
    if !as_json {
        print_line!("");
    }
    Ok(())
}
