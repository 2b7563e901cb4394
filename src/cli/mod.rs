//! The trainer on the command line: the same session, flags named as in the URL, events as JSON lines.

mod cost;
mod measure;
mod user_data;

use crate::base::Failure;
use crate::base::read;
use crate::bases::{BASES, Base};
use crate::config::RunConfig;
use crate::interchange::hf_adapter;
use crate::interchange::hf_adapter::AdapterFiles;
use crate::interchange::{Made, RunFile};
use crate::model::Tokens;
use crate::peft::Phi;
use crate::peft::{Knob, MethodConfig, Range, trainable_line};
use crate::protocol::Event;
use crate::task::{TaskConfig, rules};
use crate::train::Session;
use crate::train::evaluate::evaluate;
use crate::train::library::{Files, LoadedBase, Materials};
use crate::train::micro_batch::Helpers;
use crate::train::micro_batch::threads::Threads;
use burn::tensor::Device;
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::rc::Rc;

/// A sentence for whoever typed the command.
type Sentence = String;

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
        .subcommand(Command::new("methods").about("The methods with their knobs").arg(json()))
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
                .arg(Arg::new("out").long("out").value_name("RUN").help("Write the events to this run file")),
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
                .arg(Arg::new("input").long("text").required(true).value_name("TEXT"))
                .arg(Arg::new("logits").long("logits").action(ArgAction::SetTrue).help("Print logits [tokens][vocab]")),
        )
        .subcommand(
            Command::new("export")
                .about("Writes a run's φ as Hugging Face PEFT does: adapter_config.json and adapter_model.safetensors")
                .arg(Arg::new("run").long("run").required(true).value_name("RUN"))
                .arg(Arg::new("out").long("out").required(true).value_name("DIR")),
        )
        .subcommand(
            Command::new("merge")
                .about("Folds a run's φ into a copy of θ: config.json, model.safetensors, tokenizer.json")
                .arg(Arg::new("run").long("run").required(true).value_name("RUN"))
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
                .about("Milliseconds per step at the shapes S and s")
                .arg(json())
                .arg(Arg::new("list").long("list").action(ArgAction::SetTrue).help("Only the methods' names"))
                .arg(Arg::new("steps").long("steps").default_value("20").value_parser(clap::value_parser!(usize))),
        )
}

/// Where a trained φ comes from.
fn phi_args() -> [Arg; 2] {
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
fn run_args() -> Vec<Arg> {
    let fixed: [(&str, &str); 15] = [
        ("base", "A pretrained base (see `bases`)"),
        ("task", "A task (see `tasks`)"),
        ("rule", "Of the task rules: primitives joined by dots"),
        ("question", "Of the task questions: what is asked of a string"),
        ("unit", "Of the task language: sentence or word"),
        ("author", "Of the task style: dickens, stoker, doyle, twain, dumas, homer, verne"),
        ("examples", "Training examples; all by default"),
        ("forgetting", "true: evaluations also score what the base could do before"),
        ("method", "A method (see `methods`)"),
        ("lr", "Peak learning rate; the method's tuned default otherwise"),
        ("batch_size", "Sequences per step"),
        ("steps", "Steps [300]"),
        ("seed", "Seed of φ and of the batches [0]"),
        ("device", "auto, cpu"),
        ("workers", "Threads that share a step, 1 to 4 [1]; the curve is the same"),
    ];
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
    let fixed = fixed.into_iter().map(|(name, help)| arg(name, help.to_string()));
    fixed
        .chain(flags.into_iter().map(|(name, help)| arg(name, help)))
        .chain(of_methods)
        .chain(user_data::args())
        .collect()
}

fn dispatch(matches: &ArgMatches) -> Result<(), Sentence> {
    let (name, args) = matches.subcommand().ok_or("no command")?;
    match name {
        "bases" => print_list(args, BASES.iter().map(base_json).collect(), "base"),
        "tasks" => print_list(args, tasks_json(), "task"),
        "methods" => print_list(args, MethodConfig::all().iter().map(method_json).collect(), "method"),
        "count" => count(args),
        "cost" => cost::cost(args),
        "train" => pollster::block_on(train(args)),
        "evaluate" => pollster::block_on(evaluate_base(args)),
        "predict" => pollster::block_on(predict(args)),
        "export" => pollster::block_on(export(args)),
        "merge" => pollster::block_on(merge(args)),
        "python" => {
            println!("{}", crate::interchange::python::script(&config(args)?));
            Ok(())
        }
        "spread" => pollster::block_on(measure::spread(args)),
        "sweep" => measure::sweep(args),
        "pretrain" => pollster::block_on(measure::pretrain(args)),
        "bench" if args.get_flag("list") => {
            let names = crate::experiments::bench::methods(&crate::experiments::bench::SHAPES[0])
                .into_iter()
                .map(|(name, _)| name);
            names.for_each(|name| println!("{}", json!({"method": name})));
            Ok(())
        }
        "bench" => {
            crate::experiments::bench::native(args.get_flag("json"), args.get_one("steps").copied().unwrap_or(20))
        }
        other => Err(format!("there is no command {other}")),
    }
}

fn print_list(args: &ArgMatches, items: Vec<serde_json::Value>, key: &str) -> Result<(), Sentence> {
    if args.get_flag("json") {
        println!("{}", serde_json::Value::Array(items));
        return Ok(());
    }
    for item in items {
        let text = |field: &str| item[field].as_str().unwrap_or_default().to_string();
        println!("{:22} {}", text(key), text("about"));
        for knob in item["knobs"].as_array().into_iter().flatten() {
            println!(
                "  --{:20} {} [{}]",
                knob["name"].as_str().unwrap_or_default().replace('_', "-"),
                knob["help"].as_str().unwrap_or_default(),
                knob["default"].as_str().unwrap_or_default()
            );
        }
    }
    Ok(())
}

fn base_json(base: &Base) -> serde_json::Value {
    let config = base.config().map(|c| (c.parameters(), c.hidden_size, c.num_hidden_layers)).unwrap_or_default();
    json!({"base": base.id, "about": format!("{} parameters, d {}, {} blocks. {}", config.0, config.1, config.2, base.trained_on),
           "parameters": config.0, "d_model": config.1, "layers": config.2})
}

fn tasks_json() -> Vec<serde_json::Value> {
    let tasks = TaskConfig::NAMES.iter().filter_map(|n| TaskConfig::named(n));
    tasks
        .map(|task| {
            let offered: &[&str] = if task.name() == "rules" { &rules::OFFERED } else { &[] };
            let about = match task.name() {
                "rules" => format!("One string rule, exact match; --rule one of {} or another composition", offered.join(", ")),
                "questions" => {
                    let names: Vec<&str> = crate::task::Question::all().map(|q| q.name()).collect();
                    format!("Yes or no about a string; --question one of {}", names.join(", "))
                }
                "language" => format!("{} Or of a word: --unit word", task.description()),
                "own" => "Your own texts with labels, or a text to write like: --data-file".to_string(),
                "style" => "Writing like one author: every next token of a book; --author".to_string(),
                _ => task.description(),
            };
            json!({"task": task.name(), "about": about, "bases": task.bases(), "held_out": task.held_out(), "rules": offered})
        })
        .collect()
}

fn method_json(method: &MethodConfig) -> serde_json::Value {
    let info = method.info();
    let knobs: Vec<serde_json::Value> = info.knobs.iter().map(|k| knob_json(method, k)).collect();
    json!({"method": info.name, "title": info.title, "kind": info.kind.title(), "about": info.summary, "paper": info.paper,
           "formula": info.formula.replace(['⟨', '⟩'], ""), "merges": info.merges.is_ok(), "knobs": knobs})
}

fn knob_json(method: &MethodConfig, knob: &Knob) -> serde_json::Value {
    let limits = match &knob.range {
        Range::Integer { min, max, .. } => json!({"min": min, "max": max}),
        Range::Number { min, max } => json!({"min": min, "max": max}),
        Range::Choice(options) | Range::Set(options) => {
            json!({"values": options.iter().map(|(v, _)| *v).collect::<Vec<_>>()})
        }
        Range::Text { max_chars } => json!({"max_chars": max_chars}),
        Range::Flag => json!({"values": ["true", "false"]}),
        Range::Blocks => json!({"blocks": "all, or numbers from 0"}),
    };
    json!({"name": knob.name, "label": knob.label, "help": knob.help, "limits": limits, "default": method.get(knob.name)})
}

/// The run that flags describe; a flag that cannot be used is an error, not a default.
fn config(args: &ArgMatches) -> Result<RunConfig, Sentence> {
    let mut pairs = user_data::pairs(args)?;
    for id in args.ids() {
        if let Ok(Some(value)) = args.try_get_one::<String>(id.as_str())
            && !["out", "run", "adapter", "input", "model"].contains(&id.as_str())
            && !user_data::is_flag(id.as_str())
        {
            pairs.push((id.as_str().to_string(), value.clone()));
        }
    }
    let (config, faults, unknown) = RunConfig::from_pairs(&pairs);
    if let Some(fault) = faults.into_iter().next() {
        return Err(fault.message);
    }
    match unknown.first() {
        Some((key, _)) => Err(format!("{} has no knob --{}.", config.label(), key.replace('_', "-"))),
        None => Ok(config),
    }
}

fn count(args: &ArgMatches) -> Result<(), Sentence> {
    let config = config(args)?;
    let count = config.count();
    let (trainable, all) = (count.total(), config.all_parameters());
    if args.get_flag("json") {
        let terms: Vec<_> =
            count.terms.iter().map(|t| json!({"what": t.what, "product": t.product, "value": t.value})).collect();
        println!("{}", json!({"trainable": trainable, "all": all, "terms": terms}));
    } else {
        println!("{}\n{trainable} = {}", trainable_line(trainable, all), count.sum());
        if let Some(fused) = config.method.method().fused(&config.shape()) {
            println!("{fused}");
        }
    }
    Ok(())
}

async fn train(args: &ArgMatches) -> Result<(), Sentence> {
    let config = config(args)?;
    if config.device == crate::config::DeviceChoice::Webgpu {
        return Err("This build trains on the CPU; WebGPU is the browser's. Use --device cpu.".into());
    }
    let mut out = match args.get_one::<String>("out") {
        Some(path) => Some(std::fs::File::create(path).map_err(|e| format!("{path} cannot be written: {e}"))?),
        None => None,
    };
    let json = args.get_flag("json");
    let saves = out.is_some();
    let mut emit = |events: Vec<Event>| -> Result<(), Sentence> {
        for event in events {
            let line = serde_json::to_string(&event).map_err(|e| e.to_string())?;
            if let Some(file) = &mut out {
                writeln!(file, "{line}").map_err(|e| format!("the run file cannot be written: {e}"))?;
            }
            // A reader that has seen enough closes the pipe; the run file is still written to its end.
            let saved = matches!(event, Event::Phi { .. } | Event::Made { .. });
            let text = if json { Some(line).filter(|_| !saved) } else { describe(&event) };
            if let Some(text) = text {
                let _ = writeln!(std::io::stdout(), "{text}");
            }
        }
        Ok(())
    };
    let run = async || -> Result<(), Failure> {
        let mut session = session(config).await?;
        let unwritten = |message| Failure { reason: crate::base::FailureReason::Load, message };
        if saves {
            emit(vec![Made::here(hardware()).event()]).map_err(unwritten)?;
        }
        emit(session.begin().await?).map_err(unwritten)?;
        while !session.done() {
            emit(session.advance(false).await?).map_err(unwritten)?;
        }
        if saves {
            emit(vec![RunFile::phi_event(0, &session.save().await?)]).map_err(unwritten)?;
        }
        Ok(())
    };
    match run().await {
        Ok(()) => Ok(()),
        Err(failure) => {
            emit(vec![Event::Failed { run: 0, reason: failure.reason, message: failure.message.clone() }])?;
            Err(failure.message)
        }
    }
}

fn describe(event: &Event) -> Option<String> {
    match event {
        Event::Started { config, trainable, total, baselines, .. } => Some(format!(
            "{} on {} ({})\n{}\nchance {:.3}, majority {:.3}, bag of words {:.3}",
            config.label(),
            config.task.title(),
            config.base.id,
            trainable_line(*trainable, *total),
            baselines.chance,
            baselines.majority,
            baselines.bag_of_words
        )),
        Event::Evaluated { step, loss, accuracy, n, .. } => {
            Some(format!("step {step:5}  held-out loss {loss:.4}  accuracy {accuracy:.3} of {n}"))
        }
        Event::Finished { step, loss, accuracy, n, seconds, .. } => Some(format!(
            "finished {step} steps in {seconds:.1} s  held-out loss {loss:.4}  accuracy {accuracy:.3} of {n}"
        )),
        _ => None,
    }
}

async fn session(config: RunConfig) -> Result<Session, Failure> {
    let device = Device::flex();
    let files = Disk::default();
    let base = Rc::new(LoadedBase::load(config.base, &files, &device).await?);
    let materials = Materials::load(&config, &files).await?;
    let workers = config.workers.unwrap_or(1);
    let helpers = (workers > 1).then(|| Rc::new(Threads::new(&base.theta, workers - 1)) as Rc<dyn Helpers>);
    let mut session = Session::new(0, config, base, &materials, &device, "cpu", crate::base::clock)?;
    session.help(helpers);
    Ok(session)
}

/// Processor and system, for the run file.
fn hardware() -> String {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{} {}, {threads} threads, native", std::env::consts::OS, std::env::consts::ARCH)
}

/// A session at its end with the φ that `--run` or `--adapter` names; `None` without either.
async fn stored(
    args: &ArgMatches,
    config: impl FnOnce() -> Result<RunConfig, Sentence>,
) -> Result<Option<Session>, Sentence> {
    let given = |name: &str| args.try_get_one::<String>(name).ok().flatten();
    if let Some(path) = given("run") {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{path} cannot be read: {e}"))?;
        let runs = RunFile::read_all(&text).map_err(|e| format!("{path}: {e}"))?;
        let run = runs.into_iter().next_back().ok_or("the run file is empty")?;
        let tensors = run.phi_bytes();
        let tensors =
            tensors.ok_or_else(|| format!("{path} holds no φ: `train --out` writes it at the run's end."))??;
        let mut session = session(run.config).await.map_err(|f| f.message)?;
        session.restore_saved(&tensors).map_err(|f| f.message)?;
        return Ok(Some(session));
    }
    if let Some(folder) = given("adapter") {
        let read = |name: &str| {
            let path = PathBuf::from(folder).join(name);
            std::fs::read(&path).map_err(|e| format!("{} cannot be read: {e}", path.display()))
        };
        let text = String::from_utf8(read(hf_adapter::CONFIG_FILE)?).map_err(|_| "adapter_config.json is not text.")?;
        let files = AdapterFiles { config: text, weights: read(hf_adapter::MODEL_FILE)? };
        let (config, phi) = hf_adapter::import(&config()?, &files).map_err(|e| e.to_string())?;
        let mut session = session(config).await.map_err(|f| f.message)?;
        session.restore(phi);
        return Ok(Some(session));
    }
    Ok(None)
}

async fn evaluate_base(args: &ArgMatches) -> Result<(), Sentence> {
    let lambda: f64 = args.get_one("lambda").copied().unwrap_or(1.0);
    if !(0.0..=1.5).contains(&lambda) {
        return Err(format!("λ cannot be {lambda}: it runs from 0 to 1.5."));
    }
    let scores = match stored(args, || config(args)).await? {
        Some(session) => {
            if lambda != 1.0 {
                session.config().dial()?;
            }
            session.evaluate(lambda).await
        }
        None => {
            let session = session(config(args)?).await.map_err(|f| f.message)?;
            evaluate(session.theta(), &Phi::none(), session.data(), usize::MAX).await
        }
    };
    let scores = scores.map_err(|f| f.message)?;
    if args.get_flag("json") {
        println!("{}", json!({"loss": scores.loss, "accuracy": scores.accuracy, "n": scores.n}));
    } else {
        println!("held-out loss {:.4}  accuracy {:.3} of {}", scores.loss, scores.accuracy, scores.n);
    }
    Ok(())
}

async fn predict(args: &ArgMatches) -> Result<(), Sentence> {
    let text: &String = args.get_one("input").ok_or("--text is missing")?;
    let id: Option<&String> = args.get_one("base");
    let of_base = || -> Result<RunConfig, Sentence> {
        let id = id.ok_or("--base is missing: which base to read the text with")?;
        let (config, faults, _) = RunConfig::from_pairs(&[("base".to_string(), id.clone())]);
        faults.into_iter().next().map_or(Ok(config), |fault| Err(fault.message))
    };
    let session = stored(args, of_base).await?;
    let base = match &session {
        Some(session) => session.config().base,
        None => of_base()?.base,
    };
    let loaded = LoadedBase::load(base, &Disk::default(), &Device::flex()).await.map_err(|f| f.message)?;
    let tokens = loaded.tokenizer.encode(text);
    let in_front = session.as_ref().map_or(0, |s| s.config().methods().map(|m| m.method().positions()).sum::<usize>());
    let limit = loaded.theta.config.max_position_embeddings - in_front;
    if tokens.is_empty() || tokens.len() > limit {
        return Err(format!("The text has {} tokens; this base reads 1 to {limit}.", tokens.len()));
    }
    let batch = Tokens { ids: tokens.iter().map(|t| *t as i32).collect(), sequences: 1, length: tokens.len() };
    let rows: Vec<usize> = (0..tokens.len()).collect();
    let vocab = loaded.theta.config.vocab_size;
    let phi = session.as_ref().map_or_else(Phi::none, |s| s.phi().frozen());
    let logits = loaded.theta.logits(&phi, &batch, &rows).reshape([tokens.len() * vocab]);
    let logits = read(logits).await.map_err(|f| f.message)?;
    let logits: Vec<&[f32]> = logits.chunks(vocab).collect();
    let last = logits[tokens.len() - 1];
    let next = (0..vocab).fold(0, |best, i| if last[i] > last[best] { i } else { best });
    let mut answer = json!({"tokens": tokens, "next": next});
    if args.get_flag("logits") {
        answer["logits"] = json!(logits);
    }
    println!("{answer}");
    Ok(())
}

/// Writes files into a folder, which is made.
fn write_all(folder: &str, files: &[(&str, &[u8])]) -> Result<(), Sentence> {
    let failed = |e: std::io::Error| format!("{folder} cannot be written: {e}");
    std::fs::create_dir_all(folder).map_err(failed)?;
    for (name, bytes) in files {
        std::fs::write(PathBuf::from(folder).join(name), bytes).map_err(failed)?;
    }
    Ok(())
}

async fn export(args: &ArgMatches) -> Result<(), Sentence> {
    let missing = || Err("--run is missing".to_string());
    let session = stored(args, missing).await?.ok_or("--run is missing")?;
    let files = session.export().await.map_err(|f| f.message)?;
    let folder: &String = args.get_one("out").ok_or("--out is missing")?;
    write_all(folder, &[(hf_adapter::CONFIG_FILE, files.config.as_bytes()), (hf_adapter::MODEL_FILE, &files.weights)])?;
    println!("{folder}: {} for {}", session.config().label(), session.config().base.id);
    Ok(())
}

async fn merge(args: &ArgMatches) -> Result<(), Sentence> {
    let missing = || Err("--run is missing".to_string());
    let session = stored(args, missing).await?.ok_or("--run is missing")?;
    let merged = session.merged().map_err(|f| f.message)?;
    let weights = merged.to_safetensors().await.map_err(|f| f.message)?;
    let (disk, id) = (Disk::default(), session.config().base.id);
    let config = disk.read(&format!("models/{id}/config.json")).await?;
    let tokenizer = disk.read(&format!("models/{id}/tokenizer.json")).await?;
    let folder: &String = args.get_one("out").ok_or("--out is missing")?;
    let files = [("config.json", config.as_slice()), ("model.safetensors", &weights), ("tokenizer.json", &tokenizer)];
    write_all(folder, &files)?;
    println!("{folder}: {id} with {} folded in", session.config().label());
    Ok(())
}

/// Files under `www/`: of the working directory, or of the source tree this was built from.
pub struct Disk(PathBuf);

impl Default for Disk {
    fn default() -> Self {
        let here = PathBuf::from("www");
        Disk(if here.join("models").is_dir() { here } else { PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("www") })
    }
}

impl Files for Disk {
    async fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        if let Some(brought) = user_data::read(name) {
            return brought;
        }
        let path = self.0.join(name);
        std::fs::read(&path).map_err(|e| {
            let hint = if name.starts_with("data/own/") {
                " It is data of your own: name it by --data-file."
            } else if name.starts_with("data/") {
                " `cargo xtask bake` writes it."
            } else {
                ""
            };
            format!("{} cannot be read: {e}.{hint}", path.display())
        })
    }
}
