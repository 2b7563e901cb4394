//! Runs that several tabs want, that are stopped on their way, and whose φ is damaged.

use super::keeping::{asks, claimed, cut_off, kept, lines, listed};
use super::*;

const OTHER: &str = "0000000000001-aaaaaa";

/// A record as another tab has it while it trains the run, or after it has.
fn of_another(mut record: Record, live: bool) -> Record {
    let head = Head { schema: 1, tab: OTHER.into(), live, bytes: 100, ..Head::default() };
    record.head = serde_json::to_string(&head).unwrap();
    record
}

fn changed(records: Vec<Record>) -> Action {
    Action::Store(Said::Changed { records, own: Vec::new(), gone: Vec::new(), tabs: vec![OTHER.into()] })
}

#[test]
fn a_run_goes_on_only_where_the_store_gives_it() {
    for (run, steps) in [(1, 5), (7, 9)] {
        let (mut state, _) = kept("", &[cut_off(run, steps)], &[]);
        let id = state.runs[0].id;
        let effects = state.reduce(Action::GoOn(id));
        assert!(command(&effects).is_none(), "no trainer is told before: {effects:?}");
        // Another tab was first.
        let effects = state.reduce(Action::Store(Said::Claimed { run: id, granted: false }));
        assert!(command(&effects).is_none());
        assert_eq!(state.runs[0].phase, Phase::Elsewhere);
        assert!(state.notices.last().unwrap().text.contains("goes on in another tab"), "{:?}", state.notices);
        // That one has not reported anything yet: its head alone tells.
        let mut record = of_another(cut_off(run, steps), true);
        record.text += &lines(&[Event::Stopped { run, step: steps }]);
        state.reduce(changed(vec![record.clone()]));
        assert!(state.runs[0].phase == Phase::Elsewhere && !state.can_go_on(&state.runs[0]));
        // It rests there, and can go on here.
        state.reduce(changed(vec![of_another(record, false)]));
        assert!(state.can_go_on(&state.runs[0]));
    }
}

#[test]
fn a_run_that_another_tab_has_taken_stops_here() {
    let (mut state, _) = kept("", &[cut_off(1, 5)], &[]);
    state.reduce(Action::GoOn(1));
    claimed(&mut state, 1);
    let text = cut_off(1, 5).text;
    state.reduce(Action::Store(Said::Recalled { run: 1, text, tensors: Some(vec![1]) }));
    hear(&mut state, Trainer::Cpu, vec![Event::Resumed { run: 1, step: 5 }, step(1, 6)]);
    // What it wrote itself changes nothing.
    let own =
        Record { head: of_another(cut_off(1, 6), true).head.replace(OTHER, "0000000000002-bbbbbb"), ..cut_off(1, 6) };
    assert!(command(&state.reduce(changed(vec![own]))).is_none());
    let effects = state.reduce(changed(vec![of_another(cut_off(1, 8), true)]));
    assert_eq!(command(&effects), Some((Trainer::Cpu, &Command::Stop)));
    assert!(state.notices.last().unwrap().text.contains("goes on in another tab: here it was stopped"));
    state.reduce(changed(vec![of_another(cut_off(1, 9), true)]));
    assert_eq!((state.runs[0].phase.clone(), state.runs[0].step), (Phase::Elsewhere, 9));
}

#[test]
fn a_run_rests_when_it_ends_or_is_stopped_before_the_store_has_answered() {
    let rests = |effects: &[Effect]| asks(effects).iter().any(|ask| matches!(ask, Ask::Rest(_)));
    let (mut state, _) = kept("#method=ia3", &[], &[]);
    for run in [1, 2] {
        state.reduce(Action::Main);
        let config = state.config.clone();
        let began = hear(&mut state, Trainer::Cpu, vec![started(run, &config)]);
        assert!(matches!(asks(&began)[0], Ask::Begin { head, .. } if head.live) && !rests(&began));
        let end = if run == 1 { Event::Stopped { run, step: 0 } } else { finished(run, 300, 0.5) };
        assert!(rests(&hear(&mut state, Trainer::Cpu, vec![end])));
    }
    let (mut state, _) = kept("", &[cut_off(1, 5)], &[]);
    state.reduce(Action::GoOn(1));
    assert!(rests(&state.reduce(Action::Stop)));
    let effects = claimed(&mut state, 1);
    assert!(rests(&effects) && command(&effects).is_none(), "it was stopped meanwhile");
    assert_eq!((state.runs[0].phase.clone(), state.runs[0].step), (Phase::Stopped, 5));
}

#[test]
fn what_was_just_brought_back_is_not_taken_off_by_an_older_reading() {
    for n in [1, 3] {
        let (mut state, _) = kept("", &[cut_off(1, 5), cut_off(2, 6), cut_off(3, 7)], &[]);
        state.reduce(Action::Remove(n));
        // Read before the removal was written: it stays off.
        state.reduce(listed(&[cut_off(n, 5)], None, &[]));
        assert_eq!(state.runs.len(), 2);
        state.reduce(Action::Undo);
        let mut removed = of_another(cut_off(n, 5), false);
        removed.head =
            removed.head.replace(OTHER, "0000000000002-bbbbbb").replace("\"bytes\"", "\"removed\":true,\"bytes\"");
        state.reduce(listed(&[removed], None, &[]));
        assert_eq!(state.runs.len(), 3, "read before the way back was written: it stays on");
    }
}

#[test]
fn a_damaged_snapshot_offers_the_same_run_from_the_start_and_loses_nothing() {
    for steps in [5, 12] {
        let (mut state, _) = kept("", &[cut_off(1, steps), cut_off(2, 3)], &[]);
        state.notices.clear();
        state.reduce(Action::GoOn(1));
        claimed(&mut state, 1);
        let text = cut_off(1, steps).text;
        let effects = state.reduce(Action::Store(Said::Recalled { run: 1, text, tensors: Some(vec![1]) }));
        assert!(effects.iter().any(|e| matches!(e, Effect::Send(_, Command::GoOn { run: 1 }))));
        let damaged =
            Event::Failed { run: 1, reason: FailureReason::Damaged, message: "“lora.0” is cut short.".into() };
        let effects = hear(&mut state, Trainer::Cpu, vec![damaged, failed(1, FailureReason::Input)]);
        assert!(!asks(&effects).iter().any(|ask| matches!(ask, Ask::Lines { .. } | Ask::Erase(_))), "{effects:?}");
        assert!(asks(&effects).iter().any(|ask| matches!(ask, Ask::Rest(_))));
        // Said once, with what is at fault and the way on; the curve is there, and so is the other run.
        let [notice] = &state.notices.clone()[..] else { panic!("{:?}", state.notices) };
        assert!(notice.text.contains("“lora.0” is cut short. Its curve stays"), "{}", notice.text);
        assert_eq!((notice.tone, notice.remedy), (NoticeTone::Fault, Some(Remedy::Afresh(1))));
        assert_eq!((state.runs[0].phase.clone(), state.runs[0].training_loss.points().len()), (Phase::Stopped, steps));
        assert!(!state.can_go_on(&state.runs[0]));
        // It is not asked for again and again.
        assert!(!asks(&state.reduce(Action::LookAt(1))).iter().any(|ask| matches!(ask, Ask::Recall { .. })));
        let config = state.runs[0].config.clone();
        let (id, remedy) = (notice.id, notice.remedy.unwrap());
        let effects = state.reduce(Action::Remedy(id, remedy));
        assert_eq!(command(&effects), Some((Trainer::Cpu, &Command::Start { run: 3, config, paused: false })));
        assert_eq!(state.runs.len(), 3, "beside the one that is damaged");
    }
}
