//! What the browser keeps: written while runs go on, back after a reload, shared by tabs.

use super::*;
use crate::interchange::RunFile;
use crate::ui::state::parts::Shown;

const TAB: &str = "0000000000002-bbbbbb";

/// A page whose store is open and holds these runs.
pub(super) fn kept(hash: &str, records: &[Record], tabs: &[&str]) -> (State, Vec<Effect>) {
    let mut state = ready(hash);
    state.name_tab(TAB);
    let effects = state.reduce(listed(records, None, tabs));
    (state, effects)
}

pub(super) fn listed(records: &[Record], page: Option<String>, tabs: &[&str]) -> Action {
    let tabs = tabs.iter().map(|tab| tab.to_string()).collect();
    Action::Store(Said::Listed { records: records.to_vec(), own: Vec::new(), page, tabs })
}

pub(super) fn asks(effects: &[Effect]) -> Vec<&Ask> {
    effects.iter().filter_map(|e| if let Effect::Store(ask) = e { Some(ask) } else { None }).collect()
}

pub(super) fn lines(events: &[Event]) -> String {
    events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect()
}

/// A record of a tab that was opened before.
fn record(number: u32, events: &[Event], bytes: u64) -> Record {
    let tab = "0000000000001-aaaaaa";
    let head = Head { schema: 1, tab: tab.into(), bytes, ..Head::default() };
    let head = serde_json::to_string(&head).unwrap();
    Record { key: format!("{tab}-{number:06}").into(), head, text: lines(events) }
}

/// A run that was cut off after so many steps.
pub(super) fn cut_off(number: u32, steps: usize) -> Record {
    let config = RunConfig { steps: 40, ..RunConfig::default() };
    let mut events = vec![started(number, &config), evaluated(number, 0, 0.0)];
    events.extend((1..=steps).map(|i| step(number, i)));
    record(number, &events, 100)
}

/// The store gives a run to this tab.
pub(super) fn claimed(state: &mut State, run: u32) -> Vec<Effect> {
    state.reduce(Action::Store(Said::Claimed { run, granted: true }))
}

fn snapshot(run: u32, step: usize, text: &str) -> Event {
    Event::Snapshot { run, step, text: text.into(), tensors: b"phi".to_vec() }
}

#[test]
fn all_that_a_run_reports_is_kept_in_its_order() {
    let (mut state, effects) = kept("#method=ia3", &[], &[]);
    assert_eq!(command(&effects), Some((Trainer::Cpu, &Command::Keep { on: true })));
    state.reduce(Action::Main);
    let config = state.config.clone();
    let key: std::rc::Rc<str> = format!("{TAB}-000001").into();
    let effects =
        hear(&mut state, Trainer::Cpu, vec![started(1, &config), step(1, 1), snapshot(1, 1, "so far"), step(1, 2)]);
    let asked = asks(&effects);
    assert!(matches!(asked[0], Ask::Begin { head, goes_on: false, .. } if head.tab == TAB && head.bytes == 0));
    let line = |ask: &Ask, event: &Event| matches!(ask, Ask::Lines { key: k, text } if *k == key && *text == lines(std::slice::from_ref(event)));
    assert!(line(asked[1], &started(1, &config)) && line(asked[2], &step(1, 1)), "{asked:?}");
    assert!(
        matches!(asked[3], Ask::Whole { head, text, tensors, .. } if head.bytes == 3 && text == "so far" && ***tensors == *b"phi")
    );
    assert!(line(asked[4], &step(1, 2)), "a step behind the snapshot is not in it");
    // What was asked beside training is no part of the run.
    let dialled = Event::Dialled { run: 1, lambda: 0.5, loss: 0.5, accuracy: 0.5, n: 4, items: Vec::new() };
    assert!(asks(&hear(&mut state, Trainer::Cpu, vec![dialled])).is_empty());
    // A trainer that comes up later is told, too.
    let effects = hear(&mut state, Trainer::Gpu, vec![Event::Ready { device: "webgpu".into() }]);
    assert!(effects.contains(&Effect::Send(Trainer::Gpu, Command::Keep { on: true })));
}

#[test]
fn a_page_opens_with_the_runs_that_were_kept_and_with_what_it_showed() {
    let config = RunConfig { steps: 2, ..RunConfig::default() };
    let done = [started(7, &config), evaluated(7, 0, 0.0), step(7, 1), step(7, 2), finished(7, 2, 0.5)];
    let records = [record(1, &done, 3), cut_off(2, 5), record(3, &done, 3)];
    let mut state = ready("");
    state.name_tab(TAB);
    let shown = Shown {
        schema: 1,
        hash: "base=rules&task=rules&rule=swap-ends.rotate-left&method=ia3&steps=300&seed=4".into(),
        looked_at: Some(records[0].key.to_string()),
        tab: "loss".into(),
        against: "ia3".into(),
        model: Some("opt-6.7b".into()),
    };
    let effects = state.reduce(listed(&records, Some(serde_json::to_string(&shown).unwrap()), &[]));
    let found: Vec<_> = state.runs.iter().map(|r| (r.phase.clone(), r.step, r.kept)).collect();
    assert_eq!(found, [(Phase::Finished, 2, 3), (Phase::Stopped, 5, 100), (Phase::Finished, 2, 3)]);
    assert_eq!((state.config.seed, state.config.method.info().name), (4, "ia3"));
    assert_eq!((state.tab, state.costs.against.as_str()), (Tab::Loss, "ia3"));
    assert_eq!(state.costs.model.map(|model| model.id), Some("opt-6.7b"));
    assert_eq!(state.chosen_run().map(|run| run.id), Some(1), "the one that was looked at");
    assert_eq!(state.notices.len(), 1);
    assert_eq!(state.notices[0].text, "LoRA r 4 was cut off at step 5 of 40: it can go on.");
    // φ of the one that is looked at comes from the store, and goes to the trainer.
    assert!(asks(&effects).contains(&&Ask::Recall { key: records[0].key.clone(), run: 1 }), "{effects:?}");
    let tensors = Some(b"phi".to_vec());
    let effects = state.reduce(Action::Store(Said::Recalled { run: 1, text: lines(&done), tensors }));
    assert!(
        matches!(command(&effects), Some((Trainer::Cpu, Command::Restore { run: 1, tensors, .. })) if tensors == b"phi")
    );
    assert!(state.kept_run().is_some(), "it can be dialled, saved, exported");
    // New runs stand behind the kept ones, under keys of their own.
    state.reduce(Action::Main);
    assert_eq!(state.latest().unwrap().id, 4);
}

#[test]
fn an_address_that_says_something_is_not_overruled() {
    let (mut state, _) = kept("#method=adapter", &[], &[]);
    let shown = Shown { schema: 1, hash: "method=ia3".into(), ..Shown::default() };
    state.keeping.open = false;
    state.reduce(listed(&[], Some(serde_json::to_string(&shown).unwrap()), &[]));
    assert_eq!(state.config.method.info().name, "adapter");
    // What the page shows now is what it keeps.
    let effects = state.reduce(Action::Tab(Tab::Gradient));
    assert!(matches!(asks(&effects)[..], [Ask::Page(text)] if text.contains("adapter") && text.contains("gradient")));
    assert!(asks(&state.reduce(Action::Tab(Tab::Gradient))).is_empty(), "it has not changed");
}

#[test]
fn a_run_that_was_cut_off_goes_on_from_its_snapshot() {
    let (mut state, _) = kept("", &[cut_off(1, 5), cut_off(2, 9)], &[]);
    let remedy = state.notices[0].remedy.unwrap();
    assert_eq!(remedy, Remedy::GoOn(2));
    // It is this tab's first; then its φ is asked for.
    let effects = state.reduce(Action::Remedy(state.notices[0].id, remedy));
    assert!(matches!(asks(&effects)[0], Ask::Claim { run: 2, .. }), "{effects:?}");
    let effects = claimed(&mut state, 2);
    assert!(asks(&effects).iter().any(|ask| matches!(ask, Ask::Recall { run: 2, .. })), "{effects:?}");
    assert_eq!(state.main_button(), MainButton::Pause);
    let text = cut_off(2, 7).text;
    let effects = state.reduce(Action::Store(Said::Recalled { run: 2, text, tensors: Some(vec![1]) }));
    let commands: Vec<_> = effects.iter().filter(|e| matches!(e, Effect::Send(..))).collect();
    assert!(matches!(
        commands[..],
        [Effect::Send(_, Command::Restore { run: 2, .. }), Effect::Send(_, Command::GoOn { run: 2 })]
    ));
    // The snapshot was of step 7: steps 8 and 9 come again, and the curve has each once.
    let effects = hear(&mut state, Trainer::Cpu, vec![Event::Resumed { run: 2, step: 7 }, step(2, 8)]);
    assert!(
        matches!(asks(&effects)[0], Ask::Begin { head, goes_on: true, .. } if head.tab == TAB),
        "it is this tab's now"
    );
    let run = state.runs.iter().find(|r| r.id == 2).unwrap();
    let steps: Vec<f64> = run.training_loss.points().iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
    assert_eq!((run.step, run.phase.clone()), (8, Phase::Running));
    // A run file says the same of it.
    let all = lines(
        &[
            &[started(2, &run.config)][..],
            &(1..=9).map(|i| step(2, i)).collect::<Vec<_>>(),
            &[Event::Resumed { run: 2, step: 7 }, step(2, 8)],
        ]
        .concat(),
    );
    assert_eq!(RunFile::read_all(&all).unwrap()[0].losses.len(), 8);
}

#[test]
fn a_run_that_is_stopped_on_its_way_back_stays_where_it_was() {
    let (mut state, _) = kept("", &[cut_off(1, 5)], &[]);
    state.reduce(Action::GoOn(1));
    state.reduce(Action::Stop);
    assert_eq!((state.runs[0].phase.clone(), state.runs[0].step), (Phase::Stopped, 5));
    let tensors = Some(vec![1]);
    let effects = state.reduce(Action::Store(Said::Recalled { run: 1, text: cut_off(1, 5).text, tensors }));
    assert!(matches!(command(&effects), Some((_, Command::Restore { .. }))), "its φ answers");
    assert!(!effects.iter().any(|e| matches!(e, Effect::Send(_, Command::GoOn { .. }))));
}

#[test]
fn a_run_without_phi_begins_anew_under_its_key() {
    let config = RunConfig { steps: 40, seed: 3, ..RunConfig::default() };
    let early = record(1, &[started(1, &config), step(1, 1)], 0);
    let (mut state, _) = kept("", std::slice::from_ref(&early), &[]);
    state.reduce(Action::GoOn(1));
    let effects = claimed(&mut state, 1);
    let start = Command::Start { run: 1, config: config.clone(), paused: false };
    assert_eq!(command(&effects), Some((Trainer::Cpu, &start)));
    let effects = hear(&mut state, Trainer::Cpu, vec![started(1, &config)]);
    assert!(matches!(asks(&effects)[0], Ask::Begin { key, goes_on: false, .. } if *key == early.key));
    // So does one whose φ the store has lost.
    let (mut state, _) = kept("", &[cut_off(1, 5)], &[]);
    state.reduce(Action::GoOn(1));
    claimed(&mut state, 1);
    let effects = state.reduce(Action::Store(Said::Recalled { run: 1, text: String::new(), tensors: None }));
    assert!(matches!(command(&effects), Some((_, Command::Start { run: 1, .. }))));
}

#[test]
fn a_stopped_run_goes_on_in_the_trainer_that_holds_it() {
    let mut state = training("#method=lora");
    hear(&mut state, Trainer::Cpu, vec![Event::Stopped { run: 1, step: 2 }]);
    assert!(state.can_go_on(&state.runs[0]));
    let effects = state.reduce(Action::GoOn(1));
    assert_eq!(command(&effects), Some((Trainer::Cpu, &Command::GoOn { run: 1 })));
    // It did not: it is where it was.
    hear(&mut state, Trainer::Cpu, vec![failed(1, FailureReason::Input)]);
    assert_eq!(state.runs[0].phase, Phase::Stopped);
    // A finished run has nothing to go on with, and a diverged one would diverge again.
    state.reduce(Action::GoOn(1));
    hear(&mut state, Trainer::Cpu, vec![Event::Resumed { run: 1, step: 2 }, failed(1, FailureReason::Diverged)]);
    assert!(!state.can_go_on(&state.runs[0]));
}

#[test]
fn a_trainer_that_crashes_takes_nothing_with_it() {
    let (mut state, _) = kept("#method=lora", &[], &[]);
    state.reduce(Action::Main);
    let config = state.config.clone();
    hear(&mut state, Trainer::Cpu, vec![started(1, &config), step(1, 1), snapshot(1, 1, "")]);
    state.reduce(Action::WorkerDied(Trainer::Cpu, "out of memory".into()));
    let notice = state.notices.last().unwrap();
    assert_eq!(notice.remedy, Some(Remedy::GoOn(1)));
    hear(&mut state, Trainer::Cpu, vec![Event::Ready { device: "cpu".into() }]);
    state.reduce(Action::GoOn(1));
    let effects = claimed(&mut state, 1);
    assert!(asks(&effects).iter().any(|ask| matches!(ask, Ask::Recall { run: 1, .. })), "{effects:?}");
}

#[test]
fn of_many_runs_the_oldest_are_with_the_store_alone_until_one_looks_at_them() {
    let (mut state, _) = kept("#method=ia3&steps=1", &[], &[]);
    let config = state.config.clone();
    let mut forgotten = Vec::new();
    for run in 1..=23 {
        state.reduce(Action::Main);
        let effects =
            hear(&mut state, Trainer::Cpu, vec![started(run, &config), finished(run, 1, 0.5), snapshot(run, 1, "")]);
        forgotten.extend(effects.into_iter().filter_map(|e| match e {
            Effect::Send(_, Command::Forget { run }) => Some(run),
            _ => None,
        }));
    }
    assert_eq!(forgotten, [1, 2, 3]);
    let effects = state.reduce(Action::LookAt(2));
    assert!(asks(&effects).iter().any(|ask| matches!(ask, Ask::Recall { run: 2, .. })));
}

#[test]
fn what_was_removed_comes_back_to_its_place() {
    let (mut state, _) = kept("", &[cut_off(1, 5), cut_off(2, 6), cut_off(3, 7)], &[]);
    state.notices.clear();
    let before: Vec<u32> = state.runs.iter().map(|r| r.id).collect();
    let effects = state.reduce(Action::Remove(2));
    assert!(matches!(asks(&effects)[0], Ask::Remove(keys) if keys.len() == 1));
    assert_eq!(
        (state.notices[0].text.as_str(), state.notices[0].remedy),
        ("LoRA r 4 is off the page.", Some(Remedy::Undo))
    );
    let effects = state.reduce(Action::RemoveAll { elsewhere: false });
    assert!(state.runs.is_empty() && matches!(asks(&effects)[0], Ask::Remove(keys) if keys.len() == 2));
    // The key brings back the last, its button the first.
    state.reduce(Action::Undo);
    assert_eq!(state.runs.iter().map(|r| r.id).collect::<Vec<_>>(), [1, 3]);
    let effects = state.reduce(Action::Remedy(state.notices[0].id, Remedy::Undo));
    assert_eq!(state.runs.iter().map(|r| r.id).collect::<Vec<_>>(), before);
    // It holds all that the store has to know, so that nothing has to be read first.
    assert!(asks(&effects).iter().any(|ask| {
        matches!(ask, Ask::Back(heads) if matches!(&heads[..], [(_, head)] if head.tab == TAB && head.bytes == 100 && !head.removed))
    }));
    assert!(state.notices.is_empty());
    // What its trainer says of it meanwhile is not lost.
    state.reduce(Action::Remove(2));
    let effects = hear(&mut state, Trainer::Cpu, vec![snapshot(2, 6, "")]);
    assert!(matches!(asks(&effects)[0], Ask::Whole { .. }));
    state.reduce(Action::Undo);
    assert_eq!(state.runs[1].kept, 3);
    // Once its notice is gone a removal is final.
    state.reduce(Action::Remove(3));
    let effects = state.reduce(Action::Dismiss(state.notices[0].id));
    assert!(matches!(asks(&effects)[0], Ask::Erase(keys) if keys.len() == 1));
    assert!(state.reduce(Action::Undo).is_empty() && state.runs.len() == 2);
}

#[test]
fn what_was_removed_in_a_tab_that_is_gone_is_taken_out() {
    let removed = |tab: &str| {
        let mut record = cut_off(1, 5);
        let head = Head { schema: 1, tab: tab.into(), removed: true, ..Head::default() };
        record.head = serde_json::to_string(&head).unwrap();
        record
    };
    let (state, effects) = kept("", &[removed("gone")], &["open"]);
    assert!(state.runs.is_empty() && matches!(asks(&effects)[0], Ask::Erase(_)));
    let (state, effects) = kept("", &[removed("open")], &["open"]);
    assert!(state.runs.is_empty() && !asks(&effects).iter().any(|ask| matches!(ask, Ask::Erase(_))));
}

#[test]
fn a_run_of_another_tab_is_shown_and_left_alone() {
    let mut running = cut_off(1, 5);
    let (mut state, _) = kept("", std::slice::from_ref(&running), &["0000000000001-aaaaaa"]);
    assert_eq!(state.runs[0].phase, Phase::Elsewhere);
    assert!(state.notices.is_empty() && !state.can_go_on(&state.runs[0]));
    state.reduce(Action::Remove(1));
    state.reduce(Action::GoOn(1));
    assert_eq!(state.runs.len(), 1);
    // Rewind repeats it beside, and takes nothing away from the other tab.
    let effects = state.reduce(Action::Rewind);
    assert!(state.runs.len() == 2 && !asks(&effects).iter().any(|ask| matches!(ask, Ask::Erase(_))));
    let (mut state, _) = kept("", std::slice::from_ref(&running), &["0000000000001-aaaaaa"]);
    // It draws on as that tab trains, and is this one's to go on with once that is gone.
    running.text += &lines(&[step(1, 6), step(1, 7)]);
    let changed = |record: &Record, tabs: &[&str]| {
        let tabs = tabs.iter().map(|tab| tab.to_string()).collect();
        Action::Store(Said::Changed { records: vec![record.clone()], own: Vec::new(), gone: Vec::new(), tabs })
    };
    state.reduce(changed(&running, &["0000000000001-aaaaaa"]));
    assert_eq!((state.runs[0].step, state.runs[0].phase.clone()), (7, Phase::Elsewhere));
    state.reduce(listed(std::slice::from_ref(&running), None, &[]));
    assert_eq!(state.runs[0].phase, Phase::Stopped);
    assert!(state.can_go_on(&state.runs[0]));
    // What this tab trains is not read from the store, whatever that says.
    state.reduce(Action::Main);
    let config = state.config.clone();
    hear(&mut state, Trainer::Cpu, vec![started(2, &config), step(2, 1)]);
    let own = Record { key: format!("{TAB}-000002").into(), ..cut_off(2, 30) };
    state.reduce(changed(&own, &[]));
    assert_eq!(state.runs[1].step, 1);
    // What another tab removes goes here, too.
    let gone = vec![running.key.clone()];
    state.reduce(Action::Store(Said::Changed { records: Vec::new(), gone, own: Vec::new(), tabs: Vec::new() }));
    assert_eq!(state.runs.iter().map(|r| r.id).collect::<Vec<_>>(), [2]);
}

#[test]
fn all_runs_go_into_one_file_and_come_out_of_it() {
    let config = RunConfig { steps: 2, ..RunConfig::default() };
    let done = [started(7, &config), evaluated(7, 0, 0.0), step(7, 1), step(7, 2), finished(7, 2, 0.5)];
    let (mut state, _) = kept("", &[record(1, &done, 3), cut_off(2, 5)], &[]);
    state.reduce(Action::Store(Said::Recalled { run: 2, text: lines(&done), tensors: Some(b"two".to_vec()) }));
    assert_eq!(state.runs_to_save(), 2);
    // The trainer holds the second, the store the first.
    let effects = state.reduce(Action::SaveAll);
    assert!(asks(&effects).iter().any(|ask| matches!(ask, Ask::Recall { run: 1, .. })));
    assert_eq!(command(&effects), Some((Trainer::Cpu, &Command::Save { run: 2 })));
    let second = Event::RunFile { run: 2, text: cut_off(2, 5).text, tensors: b"two".to_vec() };
    assert!(!hear(&mut state, Trainer::Cpu, vec![second]).iter().any(|e| matches!(e, Effect::Download(_))));
    let first = Said::Recalled { run: 1, text: lines(&done), tensors: Some(b"one".to_vec()) };
    let effects = state.reduce(Action::Store(first));
    let Some(Effect::Download(files)) = effects.first() else { panic!("{effects:?}") };
    assert_eq!((files.len(), files[0].name.as_str()), (1, "peft-lab-2-runs.jsonl"));

    // Opened with another file at once, every run is there.
    let (mut state, _) = kept("", &[], &[]);
    let other = File::new("third.jsonl", lines(&done).into_bytes());
    let effects = state.reduce(Action::Open(vec![files[0].clone(), other]));
    let found: Vec<_> = state.runs.iter().map(|r| (r.phase.clone(), r.step)).collect();
    assert_eq!(found, [(Phase::Finished, 2), (Phase::Stopped, 5), (Phase::Finished, 2)]);
    let kept: Vec<_> =
        asks(&effects).into_iter().filter(|ask| matches!(ask, Ask::Whole { .. } | Ask::Begin { .. })).collect();
    assert_eq!(kept.len(), 3, "and kept");
    assert!(matches!(kept[1], Ask::Whole { tensors, .. } if ***tensors == *b"two"));
    assert!(state.can_go_on(&state.runs[1]));
}

#[test]
fn a_run_that_nobody_holds_is_missing_from_the_file_and_it_says_so() {
    let mut state = training("#method=lora");
    hear(&mut state, Trainer::Cpu, vec![failed(1, FailureReason::Diverged)]);
    assert_eq!(state.runs_to_save(), 0, "a run whose loss is no number has no φ");
    let mut state = trained("#method=lora");
    assert_eq!(state.runs_to_save(), 1);
    state.reduce(Action::SaveAll);
    let effects = hear(&mut state, Trainer::Cpu, vec![failed(1, FailureReason::Input)]);
    assert!(!effects.iter().any(|e| matches!(e, Effect::Download(_))));
    assert!(state.notices[0].text.starts_with("1 of 1 runs are not in the file"), "{:?}", state.notices);
}

/// A page with a finished run 1.
fn trained(hash: &str) -> State {
    let mut state = training(hash);
    hear(&mut state, Trainer::Cpu, vec![finished(1, 300, 1.0)]);
    state
}
