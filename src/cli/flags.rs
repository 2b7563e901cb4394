//! Flags that several commands share, and the run that they describe.

use super::sentence::Sentence;
use super::user_data;
use crate::bases::Base;
use crate::config::RunConfig;
use crate::config::keys::KEYS;
use crate::peft::MethodConfig;
use clap::{Arg, ArgMatches};
use std::collections::BTreeMap;

/// Where a trained φ comes from.
pub(super) fn phi_args() -> [Arg; 2] {
    [
        Arg::new("run")
            .long("run")
            .value_name("RUN")
            .conflicts_with("adapter")
            .help("A run file that `train --out` wrote"),
        Arg::new("adapter").long("adapter").value_name("DIR").help("A folder with a PEFT adapter"),
    ]
}

/// Flags of a run: those of the URL, with dashes or underscores.
pub(super) fn run_args() -> Vec<Arg> {
    let mut flags: BTreeMap<&str, String> = BTreeMap::new();
    for method in MethodConfig::all() {
        for knob in method.info().knobs {
            let help = flags.entry(knob.name).or_default();
            let separator = if help.is_empty() { "" } else { "; " };
            help.push_str(&format!("{separator}{}: {}", method.info().name, knob.help));
        }
    }
    let arg = |name: &str, help: String| {
        let (name, dashed) = (name.to_string(), name.replace('_', "-"));
        Arg::new(name.clone()).long(dashed).alias(name).help(help).allow_hyphen_values(true)
    };
    // Of several methods with a knob of one name, each can be named: `--ia3.target-modules`.
    let of_methods = MethodConfig::all().into_iter().flat_map(|method| {
        let name = method.info().name;
        method.info().knobs.iter().map(move |knob| format!("{name}.{}", knob.name))
    });
    let of_methods: Vec<Arg> = of_methods.map(|key| arg(&key, String::new()).hide(true)).collect();
    let fixed = KEYS.into_iter().filter_map(|key| Some(arg(key.name, key.flag?.to_string())));
    fixed
        .chain(flags.into_iter().map(|(name, help)| arg(name, help)))
        .chain(of_methods)
        .chain(user_data::args())
        .collect()
}

/// The flags of a run that are given, by key.
pub(super) fn of_a_run(args: &ArgMatches) -> Vec<&str> {
    let is_key = |id: &&str| {
        let given = args.value_source(id) == Some(clap::parser::ValueSource::CommandLine);
        given && !["out", "resume", "json"].contains(id) && !user_data::is_flag(id)
    };
    args.ids().map(clap::Id::as_str).filter(is_key).collect()
}

/// The run that flags describe; a flag that cannot be used is an error, not a default.
pub(super) fn config(args: &ArgMatches) -> Result<RunConfig, Sentence> {
    config_on(args, None)
}

/// The same on a base that no flag names.
pub(super) fn config_on(args: &ArgMatches, base: Option<&Base>) -> Result<RunConfig, Sentence> {
    let mut pairs = user_data::pairs(args)?;
    pairs.extend(base.map(|base| ("base".to_string(), base.id.to_string())));
    for id in args.ids() {
        if let Ok(Some(value)) = args.try_get_one::<String>(id.as_str())
            && !["out", "run", "resume", "adapter", "input", "model"].contains(&id.as_str())
            && !user_data::is_flag(id.as_str())
        {
            pairs.push((id.as_str().to_string(), value.clone()));
        }
    }
    let (config, faults, unknown) = RunConfig::from_pairs(&pairs);
    if let Some(fault) = faults.into_iter().next() {
        // The sentence has the page's name of a knob.
        return Err(format!("--{}: {}", fault.key.replace('_', "-"), fault.message));
    }
    match unknown.first() {
        Some((key, _)) => Err(format!("{} has no knob --{}.", config.label(), key.replace('_', "-"))),
        None => Ok(config),
    }
}
