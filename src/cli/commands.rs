//! Every command with its flags, and what runs it.

use super::flags::{config, phi_args, run_args};
use super::output::print_line;
use super::sentence::Sentence;
use super::{adapters, cost, count, evaluate, listings, measure, train, unfinished, user_data, write};
use crate::experiments::{bench, native_bench};
use crate::interchange::python;
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

/// Runs the command line; the exit status is 0, or 1 after a sentence on standard error.
pub fn main() -> std::process::ExitCode {
    let matches = command().get_matches();
    match dispatch(&matches) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("peft-lab: {message}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn command() -> Command {
    let json = || Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print JSON");
    Command::new("peft-lab")
        .about("Fine-tunes a small pretrained transformer with every parameter-efficient method")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Command::new("bases").about("The pretrained bases").arg(json()))
        .subcommand(Command::new("tasks").about("The tasks and their choices").arg(json()))
        .subcommand(Command::new("methods").about("The methods with their knobs").arg(json()).arg(
            Arg::new("markdown").long("markdown").action(ArgAction::SetTrue).help("Print the page docs/methods.md"),
        ))
        .subcommand(
            Command::new("count").about("Trainable parameters, from closed formulas").args(run_args()).arg(json()),
        )
        .subcommand(
            Command::new("cost")
                .about("What a method costs, before training: bytes, operations, positions; for the base or a published model")
                .args(run_args())
                .args(cost::args())
                .arg(json()),
        )
        .subcommand(
            Command::new("train")
                .about("Trains φ; --json prints one event a line")
                .args(run_args())
                .arg(json())
                .arg(
                    Arg::new("out")
                        .long("out")
                        .value_name("RUN")
                        .help("Write the events to this run file, and φ at the end, on Ctrl-C or SIGTERM"),
                )
                .arg(unfinished::arg()),
        )
        .subcommand(
            Command::new("evaluate")
                .about("Scores the base alone, a run's φ or an adapter on a task's held-out examples")
                .args(run_args())
                .args(phi_args())
                .arg(
                    Arg::new("lambda")
                        .long("lambda")
                        .default_value("1")
                        .value_parser(clap::value_parser!(f64))
                        .help("λ of θ ⊕ λφ, 0 to 1.5"),
                )
                .arg(json()),
        )
        .subcommand(
            Command::new("predict")
                .about(
                    "Reads a text with the base alone, a run's φ or an adapter: tokens, likeliest next token, logits",
                )
                .args(phi_args())
                .arg(Arg::new("base").long("base").value_name("BASE"))
                .args(user_data::args())
                .arg(Arg::new("input").long("text").required(true).value_name("TEXT"))
                .arg(Arg::new("logits").long("logits").action(ArgAction::SetTrue).help("Print logits [tokens][vocab]")),
        )
        .subcommand(
            Command::new("write")
                .about("Goes on with a text, token by token, with the base alone, a run's φ or an adapter")
                .args(phi_args())
                .arg(Arg::new("base").long("base").value_name("BASE"))
                .args(user_data::args())
                .arg(Arg::new("input").long("text").required(true).value_name("TEXT"))
                .args(write::args()),
        )
        .subcommand(
            Command::new("export")
                .about("Writes a run's φ as Hugging Face PEFT does: adapter_config.json and adapter_model.safetensors")
                .arg(Arg::new("run").long("run").required(true).value_name("RUN"))
                .args(user_data::args())
                .arg(Arg::new("out").long("out").required(true).value_name("DIR")),
        )
        .subcommand(
            Command::new("merge")
                .about("Folds a run's φ into a copy of θ: config.json, model.safetensors, tokenizer.json")
                .arg(Arg::new("run").long("run").required(true).value_name("RUN"))
                .args(user_data::args())
                .arg(Arg::new("out").long("out").required(true).value_name("DIR")),
        )
        .subcommand(
            Command::new("python")
                .about("Prints the Python that does the same with transformers and peft")
                .args(run_args()),
        )
        .subcommand(
            Command::new("spread")
                .about(
                    "How much in-context learning depends on order, choice, wording and labels of its demonstrations",
                )
                .args(run_args())
                .arg(json()),
        )
        .subcommand(
            Command::new("sweep")
                .about("Trains a grid of runs and writes what each gave; goes on where it stopped")
                .arg(Arg::new("sweep").required(true).value_name("FILE"))
                .arg(Arg::new("out").long("out").required(true).value_name("FILE"))
                .arg(
                    Arg::new("jobs")
                        .long("jobs")
                        .value_parser(clap::value_parser!(usize))
                        .help("Runs at a time; one for each core by default"),
                )
                .arg(
                    Arg::new("shard")
                        .long("shard")
                        .value_name("I/N")
                        .conflicts_with("merge")
                        .help("Every N-th run alone, from the I-th on, for one of N machines"),
                )
                .arg(
                    Arg::new("merge")
                        .long("merge")
                        .value_name("FILE")
                        .num_args(1..)
                        .help("Puts the results of shards together, and trains nothing"),
                ),
        )
        .subcommand(
            Command::new("pretrain")
                .about("Makes a base from its recipe; goes on from a checkpoint in the folder")
                .arg(Arg::new("recipe").required(true).value_name("RECIPE"))
                .arg(Arg::new("out").long("out").required(true).value_name("DIR"))
                .arg(
                    Arg::new("text")
                        .long("text")
                        .default_value("data/pretraining/corpus.json")
                        .help("The text of the prose bases, as `cargo xtask bake --pretraining` writes it"),
                ),
        )
        .subcommand(
            Command::new("bench")
                .about("Milliseconds per step at fixed shapes")
                .arg(json())
                .arg(Arg::new("shape").long("shape").help("One shape: S, rules, s or L"))
                .arg(Arg::new("method").long("method").help("One method; L measures LoRA where none is named"))
                .arg(
                    Arg::new("workers")
                        .long("workers")
                        .value_parser(clap::value_parser!(u8).range(1..=4))
                        .help("Threads that share a step, in the trainer's parts"),
                )
                .arg(Arg::new("list").long("list").action(ArgAction::SetTrue).help("Only the methods' names"))
                .arg(Arg::new("steps").long("steps").default_value("20").value_parser(clap::value_parser!(usize))),
        )
}

fn dispatch(matches: &ArgMatches) -> Result<(), Sentence> {
    let (name, args) = matches.subcommand().ok_or("no command")?;
    match name {
        "bases" => listings::bases(args),
        "tasks" => listings::tasks(args),
        "methods" => listings::methods(args),
        "count" => count::count(args),
        "cost" => cost::cost(args),
        "train" => pollster::block_on(train::train(args)),
        "evaluate" => pollster::block_on(evaluate::evaluate_base(args)),
        "predict" => pollster::block_on(evaluate::predict(args)),
        "write" => pollster::block_on(write::write(args)),
        "export" => pollster::block_on(adapters::export(args)),
        "merge" => pollster::block_on(adapters::merge(args)),
        "python" => {
            let config = config(args)?;
            print_line!("{}", python::script_from(&config, &user_data::python_sources(args, config.base)?)?);
            Ok(())
        }
        "spread" => pollster::block_on(measure::spread(args)),
        "sweep" => measure::sweep(args),
        "pretrain" => pollster::block_on(measure::pretrain(args)),
        "bench" if args.get_flag("list") => {
            let names = bench::methods(&bench::SHAPES[0]).into_iter().map(|(name, _)| name);
            names.for_each(|name| print_line!("{}", json!({"method": name})));
            Ok(())
        }
        "bench" => {
            let text = |name: &str| args.get_one::<String>(name).cloned();
            let asked = native_bench::Asked {
                shape: text("shape"),
                method: text("method"),
                workers: args.get_one::<u8>("workers").map(|n| usize::from(*n)),
                steps: args.get_one("steps").copied().unwrap_or(20),
            };
            let as_json = args.get_flag("json");
            native_bench::native(&asked, |row| {
                print_line!("{}", if as_json { row.to_string() } else { native_bench::line(&row) })
            })
        }
        other => Err(format!("there is no command {other}")),
    }
}
