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
