//! Methods that train together; φ dialled, swapped, kept and opened.

use super::*;
use crate::interchange::RunFile;
use crate::peft::MethodConfig;
use std::rc::Rc;

/// A page with a finished run 1.
fn trained(hash: &str) -> State {
    let mut state = training(hash);
    let steps = state.config.steps;
    hear(&mut state, Trainer::Cpu, vec![finished(1, steps, 1.0)]);
    state
}

fn dialled(run: u32, lambda: f64, accuracy: f64) -> Event {
    Event::Dialled { run, lambda, loss: 0.5, accuracy, n: 140, items: Vec::new() }
}

#[test]
fn methods_join_leave_and_keep_their_knobs() {
    let mut state = ready("#method=lora&rank=8");
    let effects = state.reduce(Action::Combine("prompt"));
    assert_eq!(state.config.label(), "LoRA r 8 + prompt 20");
    assert!(matches!(effects.as_slice(), [Effect::ReplaceHash(hash)] if hash.contains("method=lora,prompt")));
    set(&mut state, "num_virtual_tokens", "5");
    assert_eq!(state.config.trainable(), 8192 + 5 * 64);
    state.reduce(Action::Combine("prompt"));
    state.reduce(Action::Combine("prompt"));
    assert_eq!(state.text_of("num_virtual_tokens"), "5", "a second look finds the knobs again");

    // Another method in front keeps what it can be combined with, and drops what it cannot.
    set(&mut state, "method", "adapter");
    assert_eq!(state.config.label(), "adapter 8 + prompt 5");
    set(&mut state, "method", "p-tuning");
    assert!(state.config.also.is_empty());
}

#[test]
fn a_knob_that_two_methods_have_is_named_by_its_method() {
    let mut state = ready("#method=lora,ia3&ia3.target_modules=k_proj,fc2");
    assert!(state.notices.is_empty(), "{:?}", state.notices);
    assert_eq!(state.config.trainable(), 4096 + 4 * (64 + 256));
    set(&mut state, "target_modules", "q_proj");
    assert_eq!(state.text_of("ia3.target_modules"), "k_proj,fc2");
    assert_eq!(state.text_of("target_modules"), "q_proj");
    let (again, faults, rest) = RunConfig::from_hash(&state.hash());
    assert!(faults.is_empty() && rest.is_empty());
    assert_eq!(again, state.config);
}

#[test]
fn what_cannot_be_combined_is_said_and_leaves_the_settings() {
    let mut state = ready("#method=lora");
    state.reduce(Action::Combine("dora"));
    assert_eq!(state.config.label(), "LoRA r 4");
    assert!(state.notices[0].text.contains("both change W_Q of block 1"), "{}", state.notices[0].text);
    let state = ready("#method=prompt,p-tuning,bitfit");
    assert_eq!(state.config.label(), "prompt 20", "an address drops what does not fit");
    assert!(state.notices[0].text.contains("both change the front of the text"), "{}", state.notices[0].text);
    let state = ready("#method=prompt,prefix&num_virtual_tokens=40&prefix.num_virtual_tokens=40");
    assert!(state.notices[0].text.contains("positions"), "{}", state.notices[0].text);
    let text = "a".repeat(50);
    let state = ready(&format!("#method=text-prompt,prefix&text={text}&num_virtual_tokens=40"));
    assert!(state.notices[0].text.contains("positions"), "{}", state.notices[0].text);
}

#[test]
fn the_dial_asks_once_at_a_time_and_ends_where_it_was_left() {
    // Its ends are live scores, as what the dial measures is.
    let mut state = training("#method=lora");
    hear(&mut state, Trainer::Cpu, vec![evaluated(1, 300, 0.9), finished(1, 300, 1.0)]);
    let asked = |effects: &[Effect]| match command(effects) {
        Some((_, Command::Dial { run, lambda })) => Some((*run, *lambda)),
        _ => None,
    };
    assert_eq!(asked(&state.reduce(Action::Dial(0.5))), Some((1, 0.5)));
    assert_eq!(asked(&state.reduce(Action::Dial(0.25))), None, "an answer is under way");
    assert_eq!(asked(&state.reduce(Action::Dial(9.0))), None);
    let effects = hear(&mut state, Trainer::Cpu, vec![dialled(1, 0.5, 0.8)]);
    assert_eq!(asked(&effects), Some((1, 1.5)), "where it was left, within its ends");
    hear(&mut state, Trainer::Cpu, vec![dialled(1, 1.5, 0.7)]);
    let run = state.kept_run().unwrap().0;
    assert_eq!(state.dial_of(run).points, [(0.0, 0.0), (0.5, 0.8), (1.0, 0.9), (1.5, 0.7)]);
    // A question that failed does not block the next.
    state.reduce(Action::Dial(0.0));
    hear(&mut state, Trainer::Cpu, vec![failed(1, FailureReason::Input)]);
    assert_eq!(asked(&state.reduce(Action::Dial(0.1))), Some((1, 0.1)));
    assert_eq!(state.runs[0].phase, Phase::Finished, "the run stays what it was");
}

#[test]
fn an_earlier_phi_is_swapped_in_and_a_new_run_comes_to_the_front() {
    let mut state = trained("#method=lora");
    state.config.method = MethodConfig::named("ia3").unwrap();
    state.reduce(Action::Main);
    let config = state.config.clone();
    hear(&mut state, Trainer::Cpu, vec![started(2, &config), step(2, 1), finished(2, 300, 0.9)]);
    assert_eq!(state.visible_runs()[0].run.id, 2);
    let (n, phi, theta) = state.bytes_of_tasks().unwrap();
    assert_eq!((n, phi, theta), (2, 4 * (4096 + 1536), 2 * 4 * 205_568));

    state.reduce(Action::LookAt(1));
    assert_eq!((state.visible_runs()[0].run.id, state.visible_runs()[0].role), (1, Role::Chosen));
    state.reduce(Action::EditTryIt("abcd".into()));
    let effects = state.reduce(Action::AskTryIt);
    assert!(matches!(command(&effects), Some((_, Command::Predict { run: 1, .. }))));

    state.reduce(Action::Main);
    assert_eq!(state.visible_runs()[0].run.id, 3, "what begins now is what one looks at");
    state.reduce(Action::Remove(1));
    let effects = state.reduce(Action::Dismiss(state.notices.last().unwrap().id));
    assert_eq!(command(&effects), Some((Trainer::Cpu, &Command::Forget { run: 1 })));
}

#[test]
fn why_a_dropped_folder_is_refused_stands_where_the_visitor_looks() {
    let mut state = ready("");
    state.reduce(Action::Refuse("“home” holds 1,203 files.".into()));
    assert_eq!(state.notices.last().map(|notice| notice.text.as_str()), Some("“home” holds 1,203 files."));
    state.reduce(Action::Bring(Bringing::Open));
    for why in ["“home” holds 1,204 files.", "“work” holds more than 20,000 files."] {
        state.reduce(Action::Refuse(why.into()));
        assert_eq!(state.bring.fault.as_deref(), Some(why));
    }
    assert_eq!(state.notices.len(), 1, "the dialog is in front of them");
}

#[test]
fn files_are_taken_whole_or_refused_with_their_name() {
    let mut state = ready("#method=bitfit");
    let file = |name: &str, text: &str| File::new(name, text.as_bytes().to_vec());
    for (files, said) in [
        (vec![file("run.jsonl", r#"{"event":"begun"}"#)], "run.jsonl cannot be opened: line 1"),
        (vec![file("run.jsonl", r#"{"event":"made","version":"1","burn":"1","hardware":""}"#)], "no “started”"),
        (vec![file("adapter_model.safetensors", "x")], "adapter_config.json is missing"),
        (vec![file("adapter_config.json", "{}"), file("tokenizer.json", "{}")], "adapter_model.safetensors is missing"),
        (
            vec![file("adapter_config.json", "{}"), file("adapter_model.bin", "x")],
            "adapter_model.bin is a Python pickle",
        ),
        (vec![file("some.safetensors", "x")], "the two files of an adapter (adapter"),
        (Vec::new(), "Nothing could be read: choose or drop files"),
    ] {
        assert!(state.reduce(Action::Open(files)).is_empty());
        let text = &state.notices.last().unwrap().text;
        assert!(text.contains(said), "{text}");
    }
    assert!(state.runs.is_empty());

    let config = RunConfig { steps: 2, ..RunConfig::default() };
    let mut events = vec![started(7, &config), evaluated(7, 0, 0.0), step(7, 1), step(7, 2), finished(7, 2, 0.5)];
    events.push(RunFile::phi_event(7, b"phi"));
    let text: String = events.iter().map(|e| serde_json::to_string(e).unwrap() + "\n").collect();
    let effects = state.reduce(Action::Open(vec![file("run.jsonl", &text)]));
    let Some((_, Command::Restore { run: 1, config: restored, events, tensors })) = command(&effects) else {
        panic!("{effects:?}")
    };
    assert_eq!((restored, events.len(), tensors.as_slice()), (&config, 5, b"phi".as_slice()));
    assert_eq!(state.config, config, "the page shows what the run trained");
    assert_eq!(state.runs[0].phase, Phase::Finished);

    // A φ that is no base64 is told of; its curve is drawn all the same.
    let damaged = text.replace("cGhp", "φ");
    let effects = state.reduce(Action::Open(vec![file("run.jsonl", &damaged)]));
    assert!(command(&effects).is_none() && state.runs.len() == 2);
    let said = &state.notices.last().unwrap().text;
    assert!(said.starts_with("φ in the run file is not base64"), "{said}");

    // An adapter that cannot be used leaves no run behind.
    let adapter = vec![file("adapter_config.json", "{}"), file("adapter_model.safetensors", "x")];
    let effects = state.reduce(Action::Open(adapter));
    assert!(matches!(command(&effects), Some((_, Command::Import { run: 3, .. }))));
    hear(&mut state, Trainer::Cpu, vec![failed(3, FailureReason::Input)]);
    assert_eq!(state.runs.len(), 2);
}

#[test]
fn an_adapter_is_one_whatever_lies_beside_it() {
    let mut state = ready("");
    let held = |name: &str, text: &str| File::new(name, text.as_bytes().to_vec());
    let in_folder = |name: &str| {
        let at = At { address: format!("blob:{name}"), size: 1, folder: "sft".into(), head: Rc::default() };
        File { at: Some(at), ..File::new(name, b"{}".to_vec()) }
    };
    let trainers = ["README.md", "tokenizer.json", "config.json", "adapter_model.safetensors", "adapter_config.json"];
    for files in [
        vec![held("tokenizer.json", "{}"), held("adapter_config.json", "{}"), held("adapter_model.safetensors", "{}")],
        ["adapter_config.json", "adapter_model.safetensors"].map(in_folder).to_vec(),
        trainers.map(in_folder).to_vec(),
    ] {
        let effects = state.reduce(Action::Open(files));
        let Some((_, Command::Import { adapter_config, weights, .. })) = command(&effects) else {
            panic!("{effects:?}")
        };
        assert_eq!((adapter_config.as_str(), weights.as_slice()), ("{}", b"{}".as_slice()));
        assert!(!state.bring.open && state.notices.is_empty());
        // From the dialog the same, and what is wrong is told in it.
        state.reduce(Action::Bring(Bringing::Open));
        state.reduce(Action::Open(vec![in_folder("adapter_config.json")]));
        assert!(
            state.bring.open && state.bring.fault.as_ref().unwrap().contains("adapter_model.safetensors is missing")
        );
        state.reduce(Action::Open(vec![in_folder("adapter_config.json"), in_folder("adapter_model.safetensors")]));
        assert!(!state.bring.open);
    }
}

#[test]
fn an_adapter_that_names_another_base_is_told_with_both_names() {
    let mut state = ready("");
    for (name, said) in
        [("someone/prose-nano", Some("the lab ships prose-nano")), ("gpt2", Some("bring it")), ("rules", None)]
    {
        state.notices.clear();
        let config = format!("{{\"base_model_name_or_path\": \"{name}\"}}");
        let file = |name: &str, text: &str| File::new(name, text.as_bytes().to_vec());
        let files = vec![file("adapter_config.json", &config), file("adapter_model.safetensors", "x")];
        assert!(matches!(command(&state.reduce(Action::Open(files))), Some((_, Command::Import { .. }))));
        let told = state.notices.last().map(|notice| notice.text.as_str());
        match said {
            Some(said) => {
                let told = told.unwrap();
                assert!(
                    told.contains(&format!("“{name}”")) && told.contains("“rules”") && told.contains(said),
                    "{told}"
                );
            }
            None => assert_eq!(told, None),
        }
    }
}

#[test]
fn what_the_trainer_wrote_goes_to_the_visitor() {
    let mut state = trained("#method=lora&rule=cipher");
    assert_eq!(command(&state.reduce(Action::SaveRun)), Some((Trainer::Cpu, &Command::Save { run: 1 })));
    let run_file = Event::RunFile { run: 1, text: "{}\n".into(), tensors: b"phi".to_vec() };
    let effects = hear(&mut state, Trainer::Cpu, vec![run_file]);
    let Some(Effect::Download(files)) = effects.first() else { panic!("{effects:?}") };
    assert_eq!(files[0].name, "rules-cipher-lora-r-4-seed-0.jsonl");
    let text = "{}\n{\"event\":\"phi\",\"run\":1,\"tensors\":\"cGhp\"}\n";
    assert_eq!(String::from_utf8_lossy(&files[0].bytes), text, "the last line holds φ in base64");
    assert_eq!(command(&state.reduce(Action::ExportAdapter)), Some((Trainer::Cpu, &Command::Export { run: 1 })));
    let adapter = Event::Adapter { run: 1, config: "{}".into(), weights: b"tensors".to_vec() };
    let effects = hear(&mut state, Trainer::Cpu, vec![adapter]);
    let Some(Effect::Download(files)) = effects.first() else { panic!("{effects:?}") };
    assert_eq!((files.len(), files[1].bytes.as_slice()), (2, b"tensors".as_slice()));
}

#[test]
fn a_file_s_name_tells_runs_apart() {
    let name = |hash: &str| {
        let mut state = trained(hash);
        let file = Event::RunFile { run: 1, text: String::new(), tensors: Vec::new() };
        match hear(&mut state, Trainer::Cpu, vec![file]).remove(0) {
            Effect::Download(files) => files[0].name.clone(),
            other => panic!("{other:?}"),
        }
    };
    for (hash, expected) in [
        ("#method=lora&rank=1", "rules-swap-ends.rotate-left-lora-r-1-seed-0.jsonl"),
        ("#method=lora&rank=8&seed=3", "rules-swap-ends.rotate-left-lora-r-8-seed-3.jsonl"),
        ("#method=lora&rank=8&alpha=8", "rules-swap-ends.rotate-left-lora-r-8-alpha-8-seed-0.jsonl"),
        ("#rule=cipher&method=lora,prompt", "rules-cipher-lora-r-4+prompt-20-seed-0.jsonl"),
        ("#rule=cipher&method=ia3&lr=0.5&steps=20", "rules-cipher-ia3-lr-0.5-steps-20-seed-0.jsonl"),
        ("#base=prose-nano&task=authors&method=bitfit", "prose-nano-bitfit-seed-0.jsonl"),
    ] {
        assert_eq!(name(hash), expected);
    }
    let long = |end: &str| name(&format!("#method=text-prompt&text={}{end}", "a".repeat(40)));
    assert!(long("b") != long("c") && long("b").len() < 130, "{}", long("b"));
}
