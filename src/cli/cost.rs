//! `peft-lab cost`: the ledger, before anything is trained.

use super::flags::config;
use super::output::print_line;
use super::sentence::Sentence;
use crate::ledger::{Ledger, RealModel, Setting, bytes, flops, real_models};
use clap::{Arg, ArgMatches};
use serde_json::json;

/// The flag that names a published model in place of the base.
pub fn args() -> Vec<Arg> {
    let names: Vec<&str> = real_models().map(|m| m.id).collect();
    let of = Arg::new("model").long("model").value_name("MODEL").value_parser(names);
    let tasks =
        Arg::new("tasks").long("tasks").value_name("N").default_value("100").value_parser(clap::value_parser!(u64));
    vec![
        of.help("A published model's shape in place of the base: one sequence of 512 tokens, φ's copies in θ's place"),
        tasks.help("Tasks whose φ are stored"),
    ]
}

/// What the run that the flags describe will cost, or what its method would on a published model.
pub fn cost(args: &ArgMatches) -> Result<(), Sentence> {
    let config = config(args)?;
    let here = Setting::of(&config);
    let (setting, of) = match args.get_one::<String>("model").and_then(|id| RealModel::named(id)) {
        Some(model) => (here.on(model), model.title.to_string()),
        None => (here, format!("{} on {}", config.base.called(), config.task.title())),
    };
    setting.check().map_err(|fault| format!("{}: {}", config.label(), fault.message))?;
    let ledger = setting.ledger();
    let tasks = args.get_one::<u64>("tasks").copied().unwrap_or(1);
    if args.get_flag("json") {
        let batch = json!({"sequences": setting.batch.sequences, "length": setting.batch.length, "predicted": setting.batch.predicted});
        print_line!(
            "{}",
            json!({"method": config.label(), "model": of, "batch": batch, "cost": ledger, "tasks": tasks, "stored": ledger.stored * tasks})
        );
    } else {
        print_line!("{} · {of} · {} × {} tokens a step", config.label(), setting.batch.sequences, setting.batch.length);
        print(&ledger, tasks);
    }
    Ok(())
}

fn print(ledger: &Ledger, tasks: u64) {
    let line = |what: &str, value: String| print_line!("  {what:44} {value:>12}");
    match &ledger.training {
        None => print_line!("training: nothing is trained"),
        Some(training) => {
            let memory = &training.memory;
            print_line!("training, memory");
            for (what, part) in
                ["θ, frozen", "φ", "gradients of φ", "AdamW’s two moments", "activations kept for the backward pass"]
                    .into_iter()
                    .zip(memory.parts())
            {
                line(what, bytes(part));
            }
            line("of these because of what stands in front", bytes(memory.in_front));
            line(
                &format!("most at one moment, in the {:?} pass", memory.peak.phase).to_lowercase(),
                bytes(memory.peak.bytes),
            );
            print_line!("training, operations a step");
            line("forward", flops(training.forward.total()));
            line("backward", flops(training.backward.total()));
            line("optimizer", flops(training.optimizer));
        }
    }
    let inference = &ledger.inference;
    print_line!("inference, one text");
    line("θ", bytes(inference.theta));
    line("φ beside it", bytes(inference.phi));
    line(&format!("keys and values of {} positions", inference.positions), bytes(inference.cache));
    line("positions in front of the text", inference.positions_in_front.to_string());
    line("reading the text", flops(inference.text));
    line("one more token", flops(inference.token));
    line("one more token, θ alone", flops(inference.token_of_theta));
    print_line!("stored");
    line("φ", bytes(ledger.stored));
    line(&format!("φ of {tasks} tasks"), bytes(ledger.stored * tasks));
    match &ledger.not_merged {
        None => print_line!("merges into θ: then it costs what θ costs"),
        Some(why) => print_line!("does not merge: {why}"),
    }
}
