//! What the page says of what was measured: verdicts, names of runs, the dial, and runs that are out of sight.

use super::*;
use crate::peft::MethodConfig;

/// The verdict of a run that ended at an accuracy, its held-out losses on the way.
fn ended(hash: &str, accuracy: f64, losses: &[f32], reference: Option<f64>) -> Option<String> {
    let config = RunConfig::from_hash(hash).0;
    let mut run = Run::new(1, config.clone());
    run.apply(&started(1, &config));
    for (step, loss) in losses.iter().enumerate() {
        run.apply(&Event::Evaluated {
            run: 1,
            step,
            loss: *loss,
            accuracy: 0.0,
            n: 140,
            kept: None,
            parts: Vec::new(),
        });
    }
    run.apply(&finished(1, 300, accuracy));
    verdict(&run, reference)
}

fn says(hash: &str, accuracy: f64, reference: Option<f64>) -> String {
    ended(hash, accuracy, &[3.0, 2.0], reference).unwrap_or_default()
}

#[test]
fn a_curve_ends_at_what_the_table_says() {
    let config = RunConfig::from_hash("method=lora").0;
    let ends = |events: &[Event]| {
        let mut run = Run::new(1, config.clone());
        run.apply(&started(1, &config));
        events.iter().for_each(|event| run.apply(event));
        (run.accuracy.points().to_vec(), run.held_out_loss.points().len())
    };
    // The last live evaluation reads a part of what is scored at the end.
    let live = [evaluated(1, 0, 0.1), evaluated(1, 300, 1.0)];
    let (accuracy, losses) = ends(&[&live[..], &[finished(1, 300, 0.9)]].concat());
    assert_eq!((accuracy, losses), (vec![(0.0, 0.1), (300.0, 0.9)], 2));
    let (accuracy, _) = ends(&[&live[..1], &[finished(1, 300, 0.9)]].concat());
    assert_eq!(accuracy, [(0.0, 0.1), (300.0, 0.9)]);
}

#[test]
fn a_run_that_learnt_says_nothing() {
    assert_eq!(says("method=lora", 0.998, Some(1.0)), "");
    assert_eq!(says("method=lora", 0.6, None), "", "nobody knows what could be reached");
    // Noise around nine tenths is no finding.
    assert_eq!(says("method=lora", 0.89, Some(1.0)), "");
}

/// The verdict of a run of so many scored examples, where a share of the answers is the commonest.
fn against(majority: f64, accuracy: f64, n: usize) -> String {
    let config = RunConfig::from_hash("method=lora").0;
    let mut run = Run::new(1, config.clone());
    let Event::Started { run: id, config, device, trainable, total, steps, .. } = started(1, &config) else {
        panic!("another event")
    };
    let baselines = Baselines { majority, ..BASELINES };
    run.apply(&Event::Started { run: id, config, device, trainable, total, steps, baselines });
    let Event::Finished { run: id, step, loss, seconds, tokens, ms, peak, .. } = finished(1, 300, accuracy) else {
        panic!("another event")
    };
    run.apply(&Event::Finished { run: id, step, loss, accuracy, n, parts: Vec::new(), seconds, tokens, ms, peak });
    verdict(&run, None).unwrap_or_default()
}

#[test]
fn below_the_baseline_beside_it_and_too_few_to_tell_are_three_verdicts() {
    let begins = |said: String, with: &str| assert!(said.starts_with(with), "{said}");
    begins(
        against(0.14, 0.06, 16),
        "LoRA r 4 reached 6.0 % ± 13.5 %: 16 examples are too few to tell that from the 14.0 % of always guessing the commonest answer. Try",
    );
    begins(
        against(0.14, 0.25, 16),
        "LoRA r 4 reached 25.0 % ± 19.7 %: 16 examples are too few to tell that from the 14.0 %",
    );
    begins(
        against(0.5, 0.4, 1024),
        "LoRA r 4 ended below the majority baseline: 40.0 % ± 3.0 % where always guessing the commonest answer gets 50.0 %.",
    );
    begins(
        against(0.14, 0.12, 1024),
        "LoRA r 4 stayed at the majority baseline: 12.0 % ± 2.0 % where always guessing the commonest answer gets 14.0 %.",
    );
    assert_eq!(against(0.14, 0.6, 16), "");
}

#[test]
fn a_run_far_below_full_fine_tuning_says_so_and_what_to_try() {
    assert_eq!(
        says("method=prompt&rule=cipher", 0.31, Some(0.998)),
        "Prompt 20 reached 31.0 % ± 4.0 % where full fine-tuning, recorded, reached 99.8 %. Virtual tokens steer what the base can already do, and this rule is outside of it. Try LoRA or an adapter, or a rule it never saw but could compose."
    );
    let last = says("method=last-layer", 0.045, Some(1.0));
    assert!(last.contains("4.5 %") && last.contains("reached 100 %") && last.contains("re-read"), "{last}");
    // Beside itself full fine-tuning is no other method.
    let full = says("method=full&steps=20", 0.4, Some(1.0));
    assert!(full.starts_with("Full fine-tuning reached 40.0 % ± 4.2 %; its recorded run reached 100 %."), "{full}");
}

#[test]
fn what_trains_nothing_is_not_told_to_train_longer() {
    for method in MethodConfig::all().iter().filter(|m| !m.method().trains()) {
        for (rule, accuracy) in [("cipher", 0.0), ("sort", 0.0), ("cipher", 0.5), ("sort", 0.5)] {
            let said = says(&format!("method={}&rule={rule}", method.info().name), accuracy, Some(1.0));
            assert!(!said.is_empty() && !said.contains("steps") && !said.contains("rate"), "{said}");
        }
    }
}

#[test]
fn a_rate_that_was_too_high_is_told_once_and_nothing_against_it() {
    for method in MethodConfig::all().iter().filter(|m| m.method().trains()) {
        // The loss has come back from its height: the finding stays.
        let hash = format!("method={}&lr=3", method.info().name);
        let said = ended(&hash, 0.0, &[3.0, 200.0, 3.5], Some(1.0)).unwrap();
        assert!(said.contains("rose from 3.00 to 200: the rate of 3 is too high. Try a tenth of it."), "{said}");
        assert!(!said.contains("higher rate") && !said.contains("more steps"), "{said}");
    }
    // It may have been high and right.
    assert_eq!(ended("method=lora&lr=3", 1.0, &[3.0, 200.0, 0.1], Some(1.0)), None);
}

#[test]
fn another_rate_than_the_tuned_one_is_the_first_suspect() {
    let above = says("method=lora&lr=0.3", 0.01, None);
    assert!(above.ends_with("Its rate of 0.3 is above 0.02, which was found best for this method: try that first."));
    let below = says("method=lora&lr=0.0001", 0.01, None);
    assert!(below.ends_with("Its rate of 0.0001 is below 0.02, which was found best for this method: try that first."));
    assert!(
        says("method=lora&lr=0.02", 0.01, None)
            .ends_with("Try more steps, a higher rank, more matrices, or a higher rate.")
    );
}

/// Runs to their ends, one after the other.
fn ran(hashes: &[&str]) -> State {
    let mut state = ready(hashes[0]);
    for (i, hash) in hashes.iter().enumerate() {
        state.reduce(Action::Hash(hash.to_string()));
        state.reduce(Action::Main);
        let (run, config) = (i as u32 + 1, state.config.clone());
        hear(&mut state, Trainer::Cpu, vec![started(run, &config), step(run, 1), finished(run, 300, 0.9)]);
    }
    state
}

fn labels(state: &State) -> Vec<String> {
    let mut shown: Vec<(u32, String)> = state.visible_runs().into_iter().map(|s| (s.run.id, s.label)).collect();
    shown.sort();
    shown.into_iter().map(|(_, label)| label.replace('\u{a0}', " ")).collect()
}

#[test]
fn runs_that_would_read_the_same_name_what_differs() {
    let state = ran(&["#method=lora", "#method=lora&seed=1", "#method=ia3"]);
    assert_eq!(labels(&state), ["LoRA r 4, seed 0", "LoRA r 4, seed 1", "(IA)³"]);
    let state = ran(&["#method=full&lr=0.1", "#method=full&steps=20", "#method=full&lr=0.1"]);
    let names = ["Full fine-tuning, lr 0.1, steps 300", "Full fine-tuning, lr 0.005, steps 20"];
    assert_eq!(labels(&state), [names[0], names[1], names[0]], "a repetition is the same");
    let state = ran(&["#method=lora&target_modules=q_proj", "#method=lora&target_modules=v_proj"]);
    assert_eq!(labels(&state), ["LoRA r 4, target_modules q_proj", "LoRA r 4, target_modules v_proj"]);
}

#[test]
fn a_phi_that_is_swapped_in_brings_its_panel_drawing_and_count() {
    let mut state = ran(&["#method=lora&rank=2", "#method=icl&rule=swap-ends.rotate-left"]);
    assert_eq!(state.config.trainable(), 0);
    let effects = state.reduce(Action::LookAt(1));
    assert_eq!((state.config.label(), state.config.trainable()), ("LoRA r 2".into(), 2048));
    assert!(effects.contains(&Effect::ReplaceHash(state.hash())));
    assert_eq!(state.chosen_run().map(|r| r.id), Some(1));
}

fn dialled(run: u32, lambda: f64) -> Event {
    let answer = |text: &str| Answer { text: text.into(), probability: 0.5 };
    let item = Prediction {
        index: Some(0),
        input: "abcd".into(),
        base: answer("a"),
        adapted: answer("a"),
        right: None,
        cut: None,
    };
    Event::Dialled { run, lambda, loss: 1.0, accuracy: 0.5, n: 140, items: vec![item] }
}

#[test]
fn the_dial_holds_for_the_visitor_s_own_example() {
    let mut state = ran(&["#method=lora"]);
    state.reduce(Action::EditTryIt("gkam".into()));
    let asked = |effects: &[Effect]| match command(effects) {
        Some((_, Command::Predict { run, lambda, .. })) => Some((*run, *lambda)),
        _ => None,
    };
    assert_eq!(asked(&state.reduce(Action::AskTryIt)), Some((1, 1.0)));
    state.reduce(Action::Dial(0.0));
    // What was asked is answered anew at λ, as the examples are.
    let effects = hear(&mut state, Trainer::Cpu, vec![dialled(1, 0.0)]);
    assert_eq!(asked(&effects), Some((1, 0.0)));
    assert_eq!(state.dialled_examples().map(|(lambda, _)| lambda), Some(0.0));
    assert_eq!(asked(&state.reduce(Action::AskTryIt)), Some((1, 0.0)));
    state.reduce(Action::Dial(1.0));
    assert_eq!(asked(&hear(&mut state, Trainer::Cpu, vec![dialled(1, 1.0)])), Some((1, 1.0)));
    assert_eq!(state.dialled_examples(), None);
}

#[test]
fn a_run_whose_base_or_task_is_left_waits_and_is_found_again() {
    for (key, value) in [("task", "questions"), ("base", "prose-nano"), ("rule", "cipher")] {
        let mut state = training("#method=lora");
        let left = state.config.clone();
        let effects = set(&mut state, key, value);
        assert_eq!(command(&effects), Some((Trainer::Cpu, &Command::Pause)), "{key}={value}");
        assert!(state.notices[0].text.starts_with("LoRA r 4 on "), "{}", state.notices[0].text);
        assert!(state.notices[0].text.contains("is paused"), "{}", state.notices[0].text);
        hear(&mut state, Trainer::Cpu, vec![Event::Paused { run: 1, step: 2 }]);
        assert_eq!(state.main_button(), MainButton::Train, "no Pause of a run that nobody sees");
        let effects = state.reduce(Action::Remedy(0, Remedy::TurnBack(1)));
        assert_eq!(command(&effects), Some((Trainer::Cpu, &Command::Resume)));
        assert_eq!(state.config, left);
    }
    // One that is still loading is given up.
    let mut state = ready("#method=lora");
    state.reduce(Action::Main);
    let effects = set(&mut state, "task", "questions");
    assert_eq!(command(&effects), Some((Trainer::Cpu, &Command::Stop)));
    // Another method, rate or seed leaves the run in sight.
    let mut state = training("#method=lora");
    for (key, value) in [("method", "ia3"), ("seed", "3"), ("examples", "64")] {
        assert_eq!(command(&set(&mut state, key, value)), None, "{key}={value}");
    }
}

#[test]
fn answers_are_those_of_the_step_that_gave_them() {
    let mut state = training("");
    hear(&mut state, Trainer::Cpu, vec![Event::Examples { run: 1, step: 2, items: Vec::new() }]);
    hear(&mut state, Trainer::Cpu, vec![step(1, 3), step(1, 4)]);
    assert_eq!((state.runs[0].answered, state.runs[0].step), (2, 4));
}
