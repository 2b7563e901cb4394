//! What cannot be used, does not arrive or breaks: the page keeps what it has, says so and offers a way on.

use super::*;

#[test]
fn absurd_texts_keep_the_last_good_configuration_and_say_why_at_the_control() {
    let mut state = ready("");
    for (key, text) in [
        ("rank", "0"),
        ("rank", "100"),
        ("rank", ""),
        ("lr", "NaN"),
        ("steps", "-1"),
        ("batch_size", "1e9"),
        ("seed", "x"),
        ("target_modules", ""),
        ("examples", "0"),
    ] {
        let before = state.config.clone();
        set(&mut state, key, text);
        assert_eq!(state.config, before, "{key}={text}");
        let draft = &state.drafts[key];
        assert_eq!((draft.text.as_str(), draft.fault.is_some()), (text, true), "{key}={text}");
        state.drafts.clear();
    }
    assert!(state.notices.is_empty());
}

#[test]
fn a_corrected_text_is_taken_and_settles() {
    let mut state = ready("");
    set(&mut state, "alpha", "0");
    assert!(state.drafts["alpha"].fault.is_some());
    set(&mut state, "alpha", "1.");
    assert_eq!(state.config.method.get("alpha").as_deref(), Some("1"));
    assert_eq!(state.text_of("alpha"), "1.", "the cursor's text stays while it is typed");
    state.reduce(Action::Settle("alpha"));
    assert_eq!(state.text_of("alpha"), "1");
}

#[test]
fn words_for_labels_wait_until_there_is_one_for_each() {
    let mut state = ready("#task=dialogue");
    for (text, fault) in [("said", true), ("said,", true), ("said,told", false), ("said,told,sung", true)] {
        set(&mut state, "labels", text);
        assert_eq!(state.text_of("labels"), text);
        let told = state.drafts.get("labels").is_some_and(|draft| draft.fault.is_some());
        assert_eq!(told, fault, "{text}");
    }
    assert!(state.hash().contains("labels=said,told&"), "{}", state.hash());
    set(&mut state, "template", "{text} It is {label}");
    assert!(state.hash().contains("template=%7Btext%7D%20It%20is%20%7Blabel%7D&"), "{}", state.hash());
    set(&mut state, "labels", "");
    set(&mut state, "template", "");
    assert_eq!(state.config, ready("#task=dialogue").config);
    // Another task has labels of its own.
    set(&mut state, "labels", "said,told");
    set(&mut state, "task", "authors");
    assert!(state.config.labels.is_none() && state.drafts.is_empty());
}

#[test]
fn a_prompt_from_a_text_waits_for_the_text() {
    let mut state = ready("#method=prompt");
    set(&mut state, "init", "text");
    assert_eq!(state.config.method.get("init").as_deref(), Some("vocab"));
    assert_eq!(state.text_of("init"), "text", "the control shows what was chosen");
    assert!(state.drafts["init_text"].fault.is_some());
    set(&mut state, "init_text", "sort");
    assert_eq!(state.config.method.get("init").as_deref(), Some("text"));
    assert!(state.drafts.values().all(|d| d.fault.is_none()));
}

#[test]
fn faults_of_the_address_are_said_once_each() {
    let state = open("#rank=0&lr=NaN&foo=1&bar=2");
    assert_eq!(state.notices.len(), 3, "{:?}", state.notices);
    assert!(state.notices[2].text.contains("foo, bar"));
}

#[test]
fn hidden_sections_cannot_smuggle_keys_into_the_address() {
    let state = open("#hide=task,%26run%3D1,%23");
    assert_eq!(state.hidden, ["task"]);
}

#[test]
fn webgpu_that_is_not_there_gives_a_sentence_and_the_cpu_in_one_click() {
    let mut state = open("#device=webgpu");
    state.reduce(Action::GpuProbed(GpuProbe::NoApi));
    hear(&mut state, Trainer::Cpu, vec![Event::Ready { device: "cpu".into() }]);
    state.reduce(Action::Main);
    let notice = state.notices[0].clone();
    assert_eq!(notice.remedy, Some(Remedy::TrainOnCpu));
    let effects = state.reduce(Action::Remedy(notice.id, Remedy::TrainOnCpu));
    assert!(matches!(command(&effects), Some((Trainer::Cpu, Command::Start { .. }))));
    assert!(state.notices.is_empty());
    assert_eq!(state.config.device, DeviceChoice::Cpu);
}

#[test]
fn a_gpu_that_refuses_hands_an_auto_run_to_the_cpu() {
    let mut state = ready("#base=prose-micro");
    state.reduce(Action::Main);
    let effects = hear(&mut state, Trainer::Gpu, vec![failed(0, FailureReason::Device)]);
    assert!(effects.contains(&Effect::Kill(Trainer::Gpu)));
    assert!(matches!(command(&effects), Some((Trainer::Cpu, Command::Start { run: 1, .. }))));
    assert_eq!((state.notices.len(), state.notices[0].tone), (1, NoticeTone::Info));
}

#[test]
fn a_lost_gpu_keeps_what_was_measured() {
    let mut state = ready("#base=prose-micro&device=webgpu");
    state.reduce(Action::Main);
    hear(&mut state, Trainer::Gpu, vec![Event::Ready { device: "webgpu".into() }]);
    let config = state.config.clone();
    hear(
        &mut state,
        Trainer::Gpu,
        vec![started(1, &config), evaluated(1, 0, 0.1), step(1, 1), failed(0, FailureReason::Device)],
    );
    assert_eq!(state.runs[0].phase, Phase::Failed(FailureReason::Device));
    assert_eq!(state.runs[0].accuracy.points().len(), 1);
    assert_eq!(state.notices[0].remedy, Some(Remedy::TrainOnCpu));
}

#[test]
fn compiling_for_the_gpu_is_told_until_it_is_done_or_a_run_starts() {
    // It starts before Train, where the next run is its.
    let mut state = open("#base=prose-micro");
    assert!(state.reduce(Action::GpuProbed(GpuProbe::Hardware)).contains(&Effect::Boot(Trainer::Gpu)));
    assert!(!open("#base=rules").reduce(Action::GpuProbed(GpuProbe::Hardware)).contains(&Effect::Boot(Trainer::Gpu)));
    let effects = hear(&mut state, Trainer::Gpu, vec![Event::Ready { device: "webgpu".into() }]);
    assert!(matches!(effects[..], [Effect::Send(Trainer::Gpu, Command::Prefetch { .. })]), "{effects:?}");
    hear(&mut state, Trainer::Gpu, vec![Event::Warming { done: 1, of: 3 }]);
    assert_eq!(state.warming(), Some((1, 3)));
    // Another method has other programs; another rank of the same has not.
    let prefetches = |effects: Vec<Effect>| {
        let method = |e| match e {
            Effect::Send(Trainer::Gpu, Command::Prefetch { config }) => Some(config.method.info().name),
            _ => None,
        };
        effects.into_iter().filter_map(method).collect::<Vec<_>>()
    };
    assert_eq!(prefetches(state.reduce(Action::Set("method", "prefix".into()))), ["prefix"]);
    assert_eq!(prefetches(state.reduce(Action::Set("length", "7".into()))), [""; 0]);
    state.reduce(Action::Main);
    assert_eq!(state.warming(), None, "the run says what it waits for");
    hear(&mut state, Trainer::Gpu, vec![failed(1, FailureReason::Device)]);
    assert_eq!(state.warming(), None, "a trainer that is gone compiles nothing");
    let mut state = ready("#base=prose-micro&device=webgpu");
    // Refused before anything was asked of it: the choice was the page's, and it makes another.
    let mut refused = open("#base=prose-micro");
    refused.reduce(Action::GpuProbed(GpuProbe::Hardware));
    hear(&mut refused, Trainer::Gpu, vec![failed(0, FailureReason::Device)]);
    assert_eq!((refused.trainer(), refused.notices[0].tone), (Some(Trainer::Cpu), NoticeTone::Info));
    hear(&mut state, Trainer::Gpu, vec![Event::Warming { done: 3, of: 3 }]);
    assert_eq!(state.warming(), None);
}

#[test]
fn a_dead_worker_is_replaced_and_its_curve_stays() {
    let mut state = training("");
    let effects = state.reduce(Action::WorkerDied(Trainer::Cpu, "unreachable".into()));
    assert_eq!(effects, [Effect::Boot(Trainer::Cpu)]);
    assert_eq!(state.runs[0].phase, Phase::Failed(FailureReason::Crash));
    assert_eq!(state.runs[0].training_loss.points().len(), 2);
    assert_eq!(state.notices[0].remedy, Some(Remedy::TryAgain));
    assert_eq!(state.main_button(), MainButton::Train);
}

#[test]
fn a_worker_that_never_came_up_is_not_restarted_for_ever() {
    let mut state = open("#run=1");
    let effects = state.reduce(Action::WorkerDied(Trainer::Cpu, String::new()));
    assert_eq!(effects, [Effect::Kill(Trainer::Cpu)]);
    let notice = state.notices[0].clone();
    assert_eq!(notice.remedy, Some(Remedy::RestartTrainer));
    assert_eq!(state.reduce(Action::Remedy(notice.id, Remedy::RestartTrainer)), [Effect::Boot(Trainer::Cpu)]);
    // Its script may be there and say that the rest of it is not.
    let effects = hear(&mut state, Trainer::Cpu, vec![failed(0, FailureReason::Crash)]);
    assert_eq!(effects, [Effect::Kill(Trainer::Cpu)]);
    assert_eq!(state.notices.last().and_then(|n| n.remedy), Some(Remedy::RestartTrainer));
}

#[test]
fn a_gpu_trainer_that_does_not_load_is_not_restarted_for_ever_either() {
    let mut state = ready("#base=prose-micro&device=webgpu");
    state.reduce(Action::Main);
    let effects = hear(&mut state, Trainer::Gpu, vec![failed(0, FailureReason::Crash)]);
    assert_eq!(effects, [Effect::Kill(Trainer::Gpu)]);
    assert_eq!(state.notices[0].remedy, Some(Remedy::TrainOnCpu));
    assert_eq!(state.runs[0].phase, Phase::Failed(FailureReason::Device));
}

#[test]
fn a_diverged_loss_offers_a_tenth_of_the_rate() {
    let mut state = training("#lr=5");
    hear(&mut state, Trainer::Cpu, vec![failed(1, FailureReason::Diverged)]);
    let notice = state.notices[0].clone();
    assert_eq!(notice.remedy, Some(Remedy::LowerRate));
    state.reduce(Action::Remedy(notice.id, Remedy::LowerRate));
    assert_eq!(state.config.lr, Some(0.5));
    assert_eq!(state.runs.len(), 2, "what was measured stays beside the new run");
}

#[test]
fn a_file_that_did_not_arrive_can_be_asked_for_again() {
    let mut state = ready("");
    state.reduce(Action::Main);
    hear(&mut state, Trainer::Cpu, vec![failed(1, FailureReason::Load)]);
    let notice = state.notices[0].clone();
    assert_eq!(notice.remedy, Some(Remedy::TryAgain));
    let effects = state.reduce(Action::Remedy(notice.id, Remedy::TryAgain));
    assert!(matches!(command(&effects), Some((_, Command::Start { run: 2, .. }))));
}

#[test]
fn a_run_at_the_majority_says_so_and_what_to_try() {
    let mut state = training("#method=last-layer");
    hear(&mut state, Trainer::Cpu, vec![finished(1, 300, 0.01)]);
    assert!(verdict(&state.runs[0], None).is_some_and(|v| v.contains("majority") && v.contains("LoRA")));
    hear(&mut state, Trainer::Cpu, vec![finished(1, 300, 0.4)]);
    assert_eq!(verdict(&state.runs[0], None), None);
}

#[test]
fn a_loss_that_only_grows_is_told_once_with_a_lower_rate() {
    let mut state = training("#method=full&lr=10");
    let worse =
        |step| Event::Evaluated { run: 1, step, loss: 1743.0, accuracy: 0.0, n: 140, kept: None, parts: Vec::new() };
    hear(&mut state, Trainer::Cpu, vec![worse(5), worse(10)]);
    assert_eq!(state.notices.len(), 1);
    assert_eq!(state.notices[0].remedy, Some(Remedy::LowerRate));
    assert_eq!(state.runs[0].phase, Phase::Running);
    let end = Event::Finished {
        run: 1,
        step: 300,
        loss: 1743.0,
        accuracy: 0.0,
        n: 512,
        parts: Vec::new(),
        seconds: 6.0,
        tokens: 9.0,
        ms: 0.5,
        peak: None,
    };
    hear(&mut state, Trainer::Cpu, vec![end]);
    assert!(verdict(&state.runs[0], None).is_some_and(|v| v.contains("a tenth") && !v.contains("higher rate")));
}
