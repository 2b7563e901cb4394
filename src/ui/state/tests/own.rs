//! A visitor's own data and checkpoints, as the browser keeps them.

use super::bring::{GPT2, bring, file, reviews, use_it};
use super::keeping::{asks, kept, lines, listed as nothing_listed};
use super::*;
use crate::ui::state::parts::OwnAbout;

/// A page with data of the visitor's, and with the question to keep it.
fn with_data() -> (State, Ask) {
    let (mut state, _) = kept("#method=bitfit&device=cpu", &[], &[]);
    state.reduce(Action::Open(vec![file("Reviews.csv", &reviews())]));
    let effects = use_it(&mut state);
    let ask = asks(&effects).into_iter().find(|ask| matches!(ask, Ask::KeepOwn { .. })).unwrap().clone();
    (state, ask)
}

/// What the store gives back of what it was asked to keep.
fn back(ask: &Ask) -> OwnFiles {
    let Ask::KeepOwn { id, about, files, .. } = ask else { panic!("{ask:?}") };
    let files = files.iter().map(|(name, _)| (name.clone(), format!("blob:back/{name}"), 1000)).collect();
    OwnFiles { id: id.clone(), about: about.clone(), files }
}

fn opened(hash: &str, records: &[Record], own: Vec<OwnFiles>, page: Option<&str>) -> (State, Vec<Effect>) {
    let mut state = ready(hash);
    state.name_tab("0000000000002-bbbbbb");
    let page = page.map(String::from);
    let effects = state.reduce(Action::Store(Said::Listed { records: records.to_vec(), own, page, tabs: Vec::new() }));
    (state, effects)
}

fn run_on(config: &RunConfig) -> Record {
    let events = [started(1, config), step(1, 1), Event::Stopped { run: 1, step: 1 }];
    let head = Head { schema: 1, tab: "0000000000001-aaaaaa".into(), bytes: 3, ..Head::default() };
    let head = serde_json::to_string(&head).unwrap();
    Record { key: "0000000000001-aaaaaa-000001".into(), head, text: lines(&events) }
}

#[test]
fn data_that_is_used_is_kept_once_and_comes_back_without_a_word() {
    let (mut state, ask) = with_data();
    let Ask::KeepOwn { id, files, .. } = &ask else { panic!() };
    assert!(id.starts_with("data/own/reviews-") && files[0].0 == *id, "{ask:?}");
    let asked_again = |effects: &[Effect]| asks(effects).iter().any(|ask| matches!(ask, Ask::KeepOwn { .. }));
    assert!(!asked_again(&state.reduce(Action::Main)), "once, however many runs use it");
    state.reduce(Action::Store(Said::OwnKept { id: id.clone(), bytes: 4096, kept: Ok(()) }));
    let listed: Vec<_> = state.own_in_store().into_iter().map(|(own, n)| (own.title.clone(), own.bytes, n)).collect();
    assert_eq!(listed, [("reviews".to_string(), 4096, 1)]);
    assert!(state.notices.is_empty());

    // Another day: by its address, and by what the page showed.
    let (hash, record) = (state.hash(), run_on(&state.config));
    let shown = format!("{{\"schema\":1,\"hash\":\"{hash}\"}}");
    for (address, page) in [(format!("#{hash}"), None), (String::new(), Some(shown.as_str()))] {
        let (again, effects) = opened(&address, std::slice::from_ref(&record), vec![back(&ask)], page);
        assert!(again.notices.is_empty(), "{:?}", again.notices);
        assert_eq!((again.hash(), again.runs.len()), (hash.clone(), 1));
        assert!(effects.contains(&Effect::Readdress) && !asked_again(&effects));
        assert_eq!(again.manifest.files[id], format!("blob:back/{id}"));
        assert!(again.can_go_on(&again.runs[0]), "without bringing anything");
        assert!(asks(&effects).iter().any(|ask| matches!(ask, Ask::Recall { run: 1, .. })), "its φ answers");
    }
    // Where the store does not have it, the page says so once that is known.
    let mut without = ready(&format!("#{hash}&run=1"));
    without.name_tab("0000000000002-bbbbbb");
    assert!(without.notices.is_empty() && without.runs.is_empty(), "it does not train something else");
    without.reduce(nothing_listed(&[], None, &[]));
    assert_eq!(without.notices[0].remedy, Some(Remedy::Bring));
    let mut nowhere = ready(&format!("#{hash}"));
    nowhere.name_tab("0000000000002-bbbbbb");
    nowhere.reduce(Action::Store(Said::Nothing("a private window".into())));
    assert_eq!(nowhere.notices[0].remedy, Some(Remedy::Bring));
}

#[test]
fn a_slide_on_one_s_own_data_starts_by_itself_once_the_data_is_back() {
    let (state, ask) = with_data();
    let (again, effects) = opened(&format!("#{}&run=1", state.hash()), &[], vec![back(&ask)], None);
    assert!(matches!(command(&effects), Some((_, Command::Start { config, .. })) if *config == state.config));
    assert_eq!(again.runs.len(), 1);
}

#[test]
fn a_checkpoint_is_kept_with_all_its_files_and_runs_on_it_are_read() {
    for digest in ["00000000000000d1", "d2d2d2d2d2d2d2d2"] {
        let (mut state, _) = kept("#task=authors", &[], &[]);
        let effects = bring(&mut state, GPT2, digest);
        let ask = asks(&effects).into_iter().find(|ask| matches!(ask, Ask::KeepOwn { .. })).unwrap().clone();
        let Ask::KeepOwn { about, files, most, .. } = &ask else { panic!() };
        assert_eq!((files.len(), *most), (3, 1_000_000_000));
        let about: OwnAbout = serde_json::from_str(about).unwrap();
        assert!(about.base.unwrap().id.ends_with(digest));
        let (again, _) = opened("", &[run_on(&state.config)], vec![back(&ask)], None);
        assert_eq!(again.runs.len(), 1);
        assert!(again.notices.is_empty(), "{:?}", again.notices);
        // A part of it alone is no checkpoint: it is left where it is.
        let mut torn = back(&ask);
        torn.files.pop();
        let (torn, effects) = opened("", &[], vec![torn], None);
        assert!(torn.own_in_store().is_empty() && !effects.contains(&Effect::Readdress));
    }
}

#[test]
fn what_does_not_fit_is_told_in_one_sentence_and_can_be_brought_again() {
    for (kept, said) in [
        (Unkept::NoRoom, "this browser gives the page less room"),
        (Unkept::TooLarge, "1.0 GB are kept at most"),
        (Unkept::Refused, "this browser stores no such files"),
    ] {
        let (mut state, ask) = with_data();
        let id = back(&ask).id;
        let effects = state.reduce(Action::Store(Said::OwnKept { id, bytes: 2_500_000_000, kept: Err(kept) }));
        assert!(asks(&effects).is_empty(), "it is not tried again: {effects:?}");
        let [notice] = &state.notices[..] else { panic!("{:?}", state.notices) };
        assert!(notice.text.contains(said) && notice.text.contains("bring it again"), "{}", notice.text);
        assert!(state.own_in_store().is_empty() && state.config.task.name() == "own");
    }
}

#[test]
fn what_nothing_refers_to_goes_and_no_sooner() {
    let (state, ask) = with_data();
    let (own, record) = (back(&ask), run_on(&state.config));
    let id = own.id.clone();
    let forgets = |effects: &[Effect]| asks(effects).contains(&&Ask::ForgetOwn(vec![id.clone()]));
    let listed = |state: &mut State, records: &[Record], page: Option<String>, tabs: &[&str]| {
        let tabs = tabs.iter().map(|tab| tab.to_string()).collect();
        state.reduce(Action::Store(Said::Listed { records: records.to_vec(), own: vec![own.clone()], page, tabs }))
    };
    let mut unread = record.clone();
    unread.head = "{".into();
    let page = format!("{{\"schema\":1,\"hash\":\"{}\"}}", state.hash());
    for (records, page, tabs, goes) in [
        (vec![], None, &[][..], true),
        (vec![record.clone()], None, &[], false),
        (vec![], Some(page), &[], false),
        (vec![], None, &["another"], false),
        (vec![unread], None, &[], false),
    ] {
        let mut state = ready("#method=ia3");
        state.name_tab("0000000000002-bbbbbb");
        assert_eq!(forgets(&listed(&mut state, &records, page, tabs)), goes, "{records:?} {tabs:?}");
        assert_eq!(state.own_in_store().len(), usize::from(!goes));
    }
    // With its last run it goes, once that cannot come back.
    let (mut state, _) = opened("#method=ia3", &[record], vec![own.clone()], None);
    assert!(!forgets(&state.reduce(Action::Remove(1))));
    let notice = state.notices.iter().find(|notice| notice.remedy == Some(Remedy::Undo)).unwrap().id;
    assert!(forgets(&state.reduce(Action::Dismiss(notice))));
    // Who turns to it after all has it kept again.
    let name = state.bring.data[0].name.clone();
    let effects = set(&mut state, "data", &name);
    assert!(asks(&effects).iter().any(|ask| matches!(ask, Ask::KeepOwn { .. })), "{effects:?}");
}

#[test]
fn a_visitor_takes_it_out_and_goes_on_with_it_until_the_page_is_closed() {
    let (mut state, ask) = with_data();
    let id = back(&ask).id;
    state.reduce(Action::Store(Said::OwnKept { id: id.clone(), bytes: 10, kept: Ok(()) }));
    let effects = state.reduce(Action::Bring(Bringing::Forget(id.clone())));
    assert_eq!(asks(&effects), [&Ask::ForgetOwn(vec![id.clone()])]);
    assert!(state.own_in_store().is_empty());
    let effects = state.reduce(Action::Main);
    assert!(command(&effects).is_some() && !asks(&effects).iter().any(|ask| matches!(ask, Ask::KeepOwn { .. })));
    // Another tab has taken it out: what is in use here is kept again.
    let (mut state, _) = with_data();
    state.reduce(Action::Store(Said::OwnKept { id: id.clone(), bytes: 10, kept: Ok(()) }));
    let gone = vec![id.as_str().into()];
    let changed = Said::Changed { records: Vec::new(), own: Vec::new(), gone, tabs: Vec::new() };
    let effects = state.reduce(Action::Store(changed));
    assert!(asks(&effects).iter().any(|ask| matches!(ask, Ask::KeepOwn { .. })), "{effects:?}");
}
