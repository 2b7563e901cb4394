//! Grids of runs, one after the other.

use super::*;

fn edit(state: &mut State, field: GridField, text: &str) {
    state.reduce(Action::EditGrid(field, text.into()));
}

/// Ends the run that was asked for last.
fn end(state: &mut State, accuracy: f64) -> Vec<Effect> {
    let (id, config) = state.latest().map(|r| (r.id, r.config.clone())).unwrap();
    hear(state, Trainer::Cpu, vec![started(id, &config), step(id, 1), finished(id, config.steps, accuracy)])
}

#[test]
fn a_grid_trains_one_run_after_the_other_and_becomes_a_figure() {
    let mut state = ready("#rule=count&method=lora&rank=8&steps=20");
    edit(&mut state, GridField::Values, "0.01, 0.1");
    edit(&mut state, GridField::Seeds, "2");
    let (sweep, runs) = state.grid_sweep().unwrap();
    assert_eq!((runs.len(), runs[0].label().as_str(), runs[3].seed), (4, "LoRA r 8", 1));
    assert_eq!((sweep.axis.as_str(), runs[0].steps, runs[0].lr), ("lr", 20, Some(0.01)));

    let effects = state.reduce(Action::RunGrid);
    assert!(matches!(command(&effects), Some((_, Command::Start { run: 1, config, .. })) if *config == runs[0]));
    assert_eq!((state.queue.done(), state.queue.of), (0, 4));
    let effects = end(&mut state, 0.5);
    assert!(effects.contains(&Effect::Send(Trainer::Cpu, Command::Forget { run: 1 })));
    assert!(matches!(command(&effects), Some((_, Command::Start { run: 2, .. }))));
    // A rate that is too high is a finding, not a fault of the page.
    let diverged = Event::Failed { run: 2, reason: FailureReason::Diverged, message: "NaN".into() };
    let effects = hear(&mut state, Trainer::Cpu, vec![diverged]);
    assert!(matches!(command(&effects), Some((_, Command::Start { run: 3, .. }))) && state.notices.is_empty());
    end(&mut state, 0.7);
    end(&mut state, 0.9);
    assert!(!state.queue.is_running() && state.queue.done() == 4 && state.queue.failed == 1);
    let measured = state.queue.measured.as_ref().unwrap();
    let lines = state.lines(measured);
    assert_eq!((measured.points.len(), lines.len()), (3, 1));
    assert_eq!(lines[0].points.iter().map(|p| p.0).collect::<Vec<_>>(), [0.01, 0.1]);
    // Chart and table show the last of them.
    assert_eq!(state.visible_runs().iter().filter(|s| !s.run.recorded).count(), 1);
}

#[test]
fn of_several_methods_each_keeps_its_own_rate() {
    let mut state = ready("#rule=count&method=lora&lr=0.5&steps=20");
    edit(&mut state, GridField::Methods, "lora, bitfit");
    edit(&mut state, GridField::Axis, "examples");
    edit(&mut state, GridField::Values, "16 64");
    let (_, runs) = state.grid_sweep().unwrap();
    assert_eq!(runs.len(), 4);
    assert!(runs.iter().all(|r| r.lr.is_none() && r.steps == 20 && r.task.same_questions(&state.config.task)));
}

#[test]
fn a_grid_that_cannot_be_run_is_told() {
    let mut state = ready("");
    for (field, text, said) in [
        (GridField::Values, "", "numbers with commas"),
        (GridField::Values, "0.1, much", "“much” is not a number"),
        (GridField::Values, "0.1, 1e9", "lr cannot be"),
        (GridField::Methods, "lora, magic", "There is no method"),
        (GridField::Seeds, "0", "Seeds"),
        (GridField::Axis, "rank", "rank"),
    ] {
        state.grid = Grid { values: "0.1".into(), ..Grid::default() };
        edit(&mut state, field, text);
        let told = state.grid_sweep().unwrap_err();
        assert!(told.contains(said), "{told}");
        assert!(state.reduce(Action::RunGrid).is_empty());
    }
    state.grid = Grid { values: "1,2,3,4,5".repeat(20), seeds: "10".into(), axis: "steps".into(), ..Grid::default() };
    assert!(state.grid_sweep().unwrap_err().contains("200"));
}

#[test]
fn what_the_visitor_starts_or_stops_ends_the_queue() {
    for action in [Action::Stop, Action::Rewind, Action::StopQueue] {
        let mut state = ready("#steps=20");
        edit(&mut state, GridField::Values, "0.01, 0.1");
        state.reduce(Action::RunGrid);
        let config = state.latest().unwrap().config.clone();
        hear(&mut state, Trainer::Cpu, vec![started(1, &config), step(1, 1)]);
        state.reduce(action.clone());
        if action == Action::Stop {
            hear(&mut state, Trainer::Cpu, vec![Event::Stopped { run: 1, step: 1 }]);
        }
        hear(&mut state, Trainer::Cpu, Vec::new());
        assert!(!state.queue.is_running(), "{action:?}");
        let effects = end(&mut state, 0.5);
        assert!(!effects.iter().any(|e| matches!(e, Effect::Send(_, Command::Start { .. }))), "{action:?}");
    }
}
