//! A checkpoint from the Hub, from its name to the dialog that shows what it is.

use super::*;

fn wish(state: &mut State, wish: HubWish) -> Vec<Effect> {
    state.reduce(Action::Hub(wish))
}

fn model() -> HubModel {
    HubModel { id: "a/b".into(), files: vec![("config.json".into(), 10), ("model.safetensors".into(), 90)] }
}

/// A page that has listed a model's files, and the number of the question.
fn listed() -> (State, u32) {
    let mut state = ready("#task=authors");
    state.reduce(Action::Bring(Bringing::Open));
    wish(&mut state, HubWish::Type("a/b".into()));
    let asked = wish(&mut state, HubWish::List);
    let [Effect::List(number, id, None)] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((id.as_str(), &state.bring.hub.phase), ("a/b", &HubPhase::Asked));
    let number = *number;
    state.reduce(Action::FromHub(number, HubSaid::Listed(Ok(model()))));
    (state, number)
}

#[test]
fn nothing_is_asked_before_the_button_and_nothing_fetched_before_the_second() {
    let mut state = ready("#task=authors");
    assert_eq!(wish(&mut state, HubWish::Type("a/b".into())), []);
    assert_eq!(wish(&mut state, HubWish::Fetch), []);
    let (mut state, number) = listed();
    assert_eq!(wish(&mut state, HubWish::Fetch), [Effect::FetchFromHub(number, model())]);
    state.reduce(Action::FromHub(number, HubSaid::Bytes(40)));
    assert_eq!(state.bring.hub.phase, HubPhase::Fetching(model(), 40));
    // Pressed twice it comes once.
    assert_eq!(wish(&mut state, HubWish::Fetch), []);
}

#[test]
fn what_was_left_is_not_heard_any_more() {
    let (mut state, number) = listed();
    wish(&mut state, HubWish::Fetch);
    assert_eq!(wish(&mut state, HubWish::Cancel), [Effect::LeaveHub]);
    state.reduce(Action::FromHub(number, HubSaid::Failed("It broke off.".into())));
    assert_eq!(state.bring.hub.phase, HubPhase::Idle);
    // So does closing the dialog: it must not open by itself.
    let (mut state, number) = listed();
    wish(&mut state, HubWish::Fetch);
    assert_eq!(state.reduce(Action::Bring(Bringing::Close)), [Effect::LeaveHub]);
    state.reduce(Action::FromHub(number, HubSaid::Files(vec![File::new("config.json", b"{}".to_vec())])));
    assert!(!state.bring.open);
    // Another name makes an answer to the one before useless.
    let (mut state, number) = listed();
    wish(&mut state, HubWish::Type("a/c".into()));
    state.reduce(Action::FromHub(number, HubSaid::Listed(Ok(model()))));
    assert_eq!(state.bring.hub.phase, HubPhase::Idle);
}

#[test]
fn what_goes_wrong_is_said_and_files_that_came_are_looked_at() {
    let (mut state, number) = listed();
    wish(&mut state, HubWish::Fetch);
    state.reduce(Action::FromHub(number, HubSaid::Failed("No network.".into())));
    assert_eq!(state.bring.hub.phase, HubPhase::Failed("No network.".into()));
    wish(&mut state, HubWish::Type("nothing at all".into()));
    assert_eq!(wish(&mut state, HubWish::List), []);
    assert!(matches!(&state.bring.hub.phase, HubPhase::Failed(why) if why.contains("owner/name")));

    let (mut state, number) = listed();
    wish(&mut state, HubWish::Fetch);
    let config = File::new("config.json", b"{}".to_vec());
    state.reduce(Action::FromHub(number, HubSaid::Files(vec![config])));
    assert_eq!(state.bring.hub.phase, HubPhase::Idle);
    assert!(state.bring.fault.is_some() || !state.notices.is_empty(), "an incomplete checkpoint is told");
}
