//! A base that is fetched when it is chosen: looked for, fetched, waited for, broken off, kept and deleted.

use super::*;
use crate::ui::assets::Part;

const FILE: &str = "models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";

/// A site that has the base in three parts.
fn with_base() -> Manifest {
    let part = |n: u64| Part { file: format!("{FILE}-{n}.part"), bytes: n * 1_000_000, integrity: String::new() };
    let parts = BTreeMap::from([(FILE.to_string(), vec![part(4), part(4), part(2)])]);
    Manifest { parts, base_status: BuildStatus::Ready, ..manifest(BuildStatus::Ready) }
}

fn opened(manifest: Manifest, hash: &str) -> (State, Vec<Effect>) {
    let (mut state, mut effects) = State::open(manifest, hash);
    effects.extend(state.reduce(Action::GpuProbed(GpuProbe::NoApi)));
    effects.extend(hear(&mut state, Trainer::Cpu, vec![Event::Ready { device: "cpu".into() }]));
    (state, effects)
}

fn said(state: &mut State, said: FetchSaid) -> Vec<Effect> {
    state.reduce(Action::Fetched(FILE.into(), said))
}

fn asks(effects: &[Effect]) -> Vec<FetchAsk> {
    let ask = |effect: &Effect| if let Effect::Fetch(ask) = effect { Some(ask.clone()) } else { None };
    effects.iter().filter_map(ask).collect()
}

fn prefetches(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Send(_, Command::Prefetch { .. })))
}

const CHOSEN: &str = "#base=smollm2&task=authors";

#[test]
fn nothing_is_looked_for_or_fetched_before_it_is_chosen() {
    let (mut state, effects) = opened(with_base(), "");
    assert_eq!(asks(&effects), []);
    set(&mut state, "task", "authors");
    let chosen = set(&mut state, "base", "smollm2");
    assert_eq!(asks(&chosen), [FetchAsk::Look(FILE.into())]);
    assert!(!prefetches(&chosen), "{chosen:?}");
    let found = said(&mut state, FetchSaid::Bytes(0));
    assert_eq!((asks(&found), state.fetched()), (vec![], Some(&Fetched::Partly { bytes: 0, why: None })));
    // Chosen once more it is known.
    set(&mut state, "base", "prose-nano");
    assert_eq!(asks(&set(&mut state, "base", "smollm2")), []);
    assert_eq!(state.bytes_of(state.config.base), Some(10_000_000));
}

#[test]
fn what_the_browser_keeps_is_taken_and_read_ahead() {
    let (mut state, effects) = opened(with_base(), CHOSEN);
    assert_eq!(asks(&effects), [FetchAsk::Look(FILE.into())]);
    let effects = said(&mut state, FetchSaid::Here("blob:1".into(), true));
    assert_eq!(effects[0], Effect::Readdress);
    assert!(prefetches(&effects), "{effects:?}");
    assert_eq!(state.manifest.files[FILE], "blob:1");
    assert_eq!(state.fetched(), Some(&Fetched::Here { kept: true }));
}

#[test]
fn a_link_that_starts_by_itself_fetches_nothing_and_begins_where_the_base_is_here() {
    let link = format!("{CHOSEN}&method=lora&run=1");
    let (mut state, effects) = opened(with_base(), &link);
    assert_eq!((asks(&effects), state.runs.len()), (vec![FetchAsk::Look(FILE.into())], 0));
    let effects = said(&mut state, FetchSaid::Here("blob:1".into(), true));
    assert!(matches!(command(&effects), Some((Trainer::Cpu, Command::Start { .. }))), "{effects:?}");

    let (mut state, _) = opened(with_base(), &link);
    let found = said(&mut state, FetchSaid::Bytes(4_000_000));
    assert_eq!((asks(&found), state.runs.len()), (vec![], 0));
    // Fetched for another purpose, it does not begin behind its visitor's back.
    state.reduce(Action::Fetch(FetchWish::Begin));
    assert!(!matches!(
        command(&said(&mut state, FetchSaid::Here("blob:1".into(), true))),
        Some((_, Command::Start { .. }))
    ));
}

#[test]
fn train_fetches_says_how_far_it_is_and_begins_when_all_is_there() {
    let (mut state, _) = opened(with_base(), CHOSEN);
    // Before the browser has looked, Train waits for that.
    assert_eq!(asks(&state.reduce(Action::Main)), []);
    assert_eq!(asks(&said(&mut state, FetchSaid::Bytes(4_000_000))), [FetchAsk::Begin(FILE.into())]);
    let loading = |state: &State| match &state.active().unwrap().phase {
        Phase::Loading(loading) => loading.line(),
        other => panic!("{other:?}"),
    };
    assert_eq!(loading(&state), "loading the base SmolLM2: 4 of 10 MB");
    said(&mut state, FetchSaid::Bytes(8_000_000));
    assert_eq!(loading(&state), "loading the base SmolLM2: 8 of 10 MB");
    let effects = said(&mut state, FetchSaid::Here("blob:1".into(), true));
    let (_, started) = command(&effects).unwrap();
    assert!(matches!(started, Command::Start { run: 1, paused: false, .. }), "{started:?}");
}

#[test]
fn stop_ends_the_fetch_that_a_run_waits_for_and_what_came_stays() {
    let (mut state, _) = opened(with_base(), CHOSEN);
    said(&mut state, FetchSaid::Bytes(0));
    state.reduce(Action::Main);
    assert_eq!(asks(&state.reduce(Action::Stop)), [FetchAsk::Cancel]);
    assert!(state.runs.is_empty());
    said(&mut state, FetchSaid::BrokenOff(4_000_000, None));
    assert_eq!(state.fetched(), Some(&Fetched::Partly { bytes: 4_000_000, why: None }));
    assert!(state.notices.is_empty());
    // The same by the button beside the bar, without a run.
    assert_eq!(asks(&state.reduce(Action::Fetch(FetchWish::Begin))), [FetchAsk::Begin(FILE.into())]);
    assert_eq!(asks(&state.reduce(Action::Fetch(FetchWish::Begin))), []);
    assert_eq!(asks(&state.reduce(Action::Fetch(FetchWish::Cancel))), [FetchAsk::Cancel]);
}

#[test]
fn a_connection_that_breaks_ends_the_run_with_a_way_on() {
    let (mut state, _) = opened(with_base(), CHOSEN);
    said(&mut state, FetchSaid::Bytes(0));
    state.reduce(Action::Main);
    said(&mut state, FetchSaid::BrokenOff(8_000_000, Some("Part 3 of 3 did not arrive.".into())));
    assert_eq!(state.runs[0].phase, Phase::Failed(FailureReason::Load));
    let notice = state.notices.last().unwrap().clone();
    assert_eq!((notice.text.as_str(), notice.remedy), ("Part 3 of 3 did not arrive.", Some(Remedy::TryAgain)));
    let again = state.reduce(Action::Remedy(notice.id, Remedy::TryAgain));
    assert_eq!(asks(&again), [FetchAsk::Begin(FILE.into())]);
    // Without a run it stands beside the button.
    state.reduce(Action::Stop);
    said(&mut state, FetchSaid::BrokenOff(8_000_000, Some("No network.".into())));
    assert_eq!(state.fetched(), Some(&Fetched::Partly { bytes: 8_000_000, why: Some("No network.".into()) }));
    assert!(state.notices.is_empty());
}

#[test]
fn what_is_deleted_stays_for_this_visit() {
    let (mut state, _) = opened(with_base(), CHOSEN);
    said(&mut state, FetchSaid::Here("blob:1".into(), true));
    assert_eq!(asks(&state.reduce(Action::Fetch(FetchWish::Forget))), [FetchAsk::Forget(FILE.into())]);
    said(&mut state, FetchSaid::Forgotten);
    assert_eq!(state.fetched(), Some(&Fetched::Here { kept: false }));
    assert!(matches!(command(&state.reduce(Action::Main)), Some((_, Command::Start { .. }))));
}

#[test]
fn a_site_without_the_base_says_how_to_get_it() {
    let (mut state, effects) = opened(manifest(BuildStatus::Ready), CHOSEN);
    assert_eq!(asks(&effects), []);
    assert!(state.lacks_base().unwrap().contains("`cargo xtask bake`"));
    state.reduce(Action::Main);
    assert_eq!(state.runs[0].phase, Phase::Failed(FailureReason::Load));
    assert!(state.notices.last().unwrap().text.contains("built without SmolLM2"));
    // While it is on its way there the page asks again, and looks as soon as it has come.
    let (mut state, effects) =
        opened(Manifest { base_status: BuildStatus::Building, ..manifest(BuildStatus::Ready) }, CHOSEN);
    assert!(effects.contains(&Effect::PollManifest) && state.lacks_base().unwrap().contains("by itself"));
    let effects = state.reduce(Action::Manifest(with_base()));
    assert_eq!((asks(&effects), state.lacks_base()), (vec![FetchAsk::Look(FILE.into())], None));
    assert!(state.notices.last().unwrap().text.contains("on the site now"));
}

#[test]
fn a_run_on_a_base_that_is_not_shown_is_looked_for_and_fetched_too() {
    let (mut state, _) = opened(with_base(), "#task=authors");
    let config = RunConfig::from_hash(CHOSEN).0;
    state.runs.push(Run { phase: Phase::Finished, ..Run::new(1, config) });
    state.next_run = 2;
    assert_eq!(asks(&state.reduce(Action::Rewind)), [FetchAsk::Look(FILE.into())]);
    assert_eq!(asks(&said(&mut state, FetchSaid::Bytes(0))), [FetchAsk::Begin(FILE.into())]);
    let effects = said(&mut state, FetchSaid::Here("blob:1".into(), true));
    assert!(matches!(command(&effects), Some((_, Command::Start { run: 2, .. }))), "{effects:?}");
}

#[test]
fn train_pressed_before_the_fetch_has_stopped_goes_on_with_it() {
    let (mut state, _) = opened(with_base(), CHOSEN);
    said(&mut state, FetchSaid::Bytes(0));
    state.reduce(Action::Main);
    state.reduce(Action::Stop);
    assert_eq!(asks(&state.reduce(Action::Main)), []);
    assert_eq!(asks(&said(&mut state, FetchSaid::BrokenOff(4_000_000, None))), [FetchAsk::Begin(FILE.into())]);
    assert!(matches!(state.active().unwrap().phase, Phase::Loading(_)));
}

/// A page with a kept run on the base, which is to go on, and what the store gave of it led to.
fn going_on(manifest: Manifest) -> (State, u32, Vec<Effect>) {
    use crate::ui::state::tests::keeping::{claimed, cut_off, lines, listed};
    let (mut state, _) = opened(manifest, "#task=authors");
    state.name_tab("0000000000002-bbbbbb");
    let config = RunConfig { steps: 40, ..RunConfig::from_hash(CHOSEN).0 };
    let events = vec![started(1, &config), evaluated(1, 0, 0.0), step(1, 1)];
    let mut record = cut_off(1, 1);
    record.text = lines(&events);
    state.reduce(listed(&[record], None, &[]));
    let id = state.runs[0].id;
    state.reduce(Action::GoOn(id));
    claimed(&mut state, id);
    let recalled = Said::Recalled { run: id, text: lines(&events), tensors: Some(b"phi".to_vec()) };
    let effects = state.reduce(Action::Store(recalled));
    (state, id, effects)
}

#[test]
fn a_kept_run_that_is_to_go_on_waits_for_its_base() {
    let (mut state, _, effects) = going_on(with_base());
    assert_eq!((asks(&effects), command(&effects), state.fetched()), (vec![], None, Some(&Fetched::Looking)));
    assert_eq!(asks(&said(&mut state, FetchSaid::Bytes(0))), [FetchAsk::Begin(FILE.into())]);
    let effects = said(&mut state, FetchSaid::Here("blob:1".into(), true));
    let sent: Vec<&Command> =
        effects.iter().filter_map(|e| if let Effect::Send(_, command) = e { Some(command) } else { None }).collect();
    assert!(matches!(sent[..], [.., Command::Restore { .. }, Command::GoOn { .. }]), "{sent:?}");
}

#[test]
fn a_kept_run_whose_base_the_site_lacks_stays_as_it_was_and_is_told() {
    let (state, id, effects) = going_on(manifest(BuildStatus::Ready));
    assert!(!effects.iter().any(|e| matches!(e, Effect::Send(_, Command::Restore { .. } | Command::GoOn { .. }))));
    let run = state.runs.iter().find(|run| run.id == id).unwrap();
    assert_eq!((&run.phase, run.step), (&Phase::Stopped, 1));
    assert!(state.notices.iter().any(|notice| notice.text.contains("built without SmolLM2")), "{:?}", state.notices);
}

#[test]
fn a_text_brought_before_the_base_is_there_waits_for_its_tokenizer() {
    let (mut state, _) = opened(with_base(), CHOSEN);
    said(&mut state, FetchSaid::Bytes(0));
    let text = File::new("novel.txt", "It was the best of times. ".repeat(400).into_bytes());
    let effects = state.reduce(Action::Open(vec![text]));
    assert!(!effects.iter().any(|e| matches!(e, Effect::FetchTokenizer(_))), "{effects:?}");
    let Some(Offer::Text { check: Some(Err(why)), .. }) = &state.bring.offer else { panic!("{:?}", state.bring.offer) };
    assert!(why.contains("SmolLM2 has to be fetched first"), "{why}");
    let effects = said(&mut state, FetchSaid::Here("blob:1".into(), true));
    assert!(effects.contains(&Effect::FetchTokenizer("smollm2".into())), "{effects:?}");
}

#[test]
fn a_grid_whose_base_does_not_come_ends() {
    let (mut state, _) = opened(with_base(), CHOSEN);
    said(&mut state, FetchSaid::Bytes(0));
    state.reduce(Action::EditGrid(GridField::Values, "0.01, 0.1".into()));
    let effects = state.reduce(Action::RunGrid);
    assert!(state.queue.is_running() && !asks(&effects).is_empty(), "{effects:?}");
    said(&mut state, FetchSaid::BrokenOff(0, Some("No network.".into())));
    assert!(!state.queue.is_running(), "{:?}", state.queue);
}
