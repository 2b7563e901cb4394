//! A store that is full, that is not there, or that holds what cannot be read.

use super::keeping::{asks, cut_off, kept, listed};
use super::*;

#[test]
fn a_record_that_cannot_be_read_is_left_aside_with_a_sentence() {
    let mut newer = cut_off(1, 5);
    newer.head = newer.head.replace("\"schema\":1", "\"schema\":9");
    let mut torn = cut_off(2, 5);
    torn.text.truncate(torn.text.len() / 2);
    let headless = Record { head: "{".into(), ..cut_off(3, 5) };
    let with_head = |head: &str| Record { head: head.into(), ..cut_off(5, 5) };
    for (records, n, said) in [
        (vec![newer.clone()], 0, "another version of this page (schema 9)"),
        (vec![torn.clone(), cut_off(4, 5)], 1, "line 3 of the run file is not an event"),
        (vec![headless.clone()], 0, "its first part is damaged"),
        (vec![with_head(r#"{"schema":"1","tab":"a"}"#)], 0, "“schema” is \"1\", and a whole number is expected"),
        (vec![with_head(r#"{"schema":1,"bytes":3}"#)], 0, "its first part is damaged: “tab” is missing"),
        (vec![newer, torn, headless], 0, "3 runs that this browser keeps cannot be read"),
    ] {
        let (mut state, effects) = kept("", &records, &[]);
        assert_eq!(state.runs.len(), n);
        let notice = state.notices.iter().find(|notice| notice.remedy == Some(Remedy::SaveAside)).unwrap().clone();
        assert!(notice.text.contains(said) && notice.text.contains("left aside"), "{}", notice.text);
        assert!(!asks(&effects).iter().any(|ask| matches!(ask, Ask::Erase(_) | Ask::Remove(_))), "nothing is deleted");
        // Told once, and a way on.
        let told = state.notices.len();
        state.reduce(listed(&records, None, &[]));
        assert_eq!(state.notices.len(), told);
        let effects = state.reduce(Action::Remedy(notice.id, Remedy::SaveAside));
        let unread = records.len() - n;
        assert!(matches!(&effects[0], Effect::Download(files) if files.len() == unread && files[0].size() > 10));
    }
    // What the page showed is passed over where it cannot be read.
    let mut state = ready("");
    state.reduce(listed(&[], Some("{\"schema\":2".into()), &[]));
    assert!(state.notices.is_empty());
}

#[test]
fn where_nothing_can_be_kept_it_is_said_once_and_the_rest_works() {
    let mut state = ready("");
    assert!(state.reduce(Action::Store(Said::Nothing("a private window".into()))).is_empty());
    assert!(state.notices.is_empty(), "there is nothing to lose yet");
    for run in 1..3 {
        let effects = state.reduce(Action::Main);
        assert!(command(&effects).is_some() && asks(&effects).is_empty());
        let config = state.config.clone();
        let effects =
            hear(&mut state, Trainer::Cpu, vec![started(run, &config), step(run, 1), finished(run, 300, 0.5)]);
        assert!(asks(&effects).is_empty());
        assert_eq!(state.notices.len(), 1, "{:?}", state.notices);
    }
    assert!(state.notices[0].text.starts_with("This browser keeps nothing for this page (a private window)"));
    state.reduce(Action::Remove(1));
    state.reduce(Action::Undo);
    assert_eq!(state.runs.len(), 2, "a removal can be undone all the same");
}

#[test]
fn the_oldest_runs_go_first_and_only_when_the_visitor_says_so() {
    let records = [cut_off(1, 5), cut_off(2, 6), cut_off(3, 7)];
    let (mut state, _) = kept("", &records, &[]);
    state.notices.clear();
    state.reduce(Action::Store(Said::Room { used: 70e6, of: 100e6 }));
    assert!(state.notices.is_empty(), "there is room");
    let effects = state.reduce(Action::Store(Said::Room { used: 50.05e6, of: 60e6 }));
    assert!(asks(&effects).is_empty() && state.runs.len() == 3, "nothing goes by itself");
    let notice = state.notices[0].clone();
    assert!(
        notice.text.contains("60 MB, and 50 MB of it are used") && notice.text.contains("cannot be undone"),
        "{}",
        notice.text
    );
    assert_eq!(notice.remedy, Some(Remedy::MakeRoom(2)), "the latest stays");
    state.reduce(Action::Store(Said::Full));
    assert_eq!(state.notices.len(), 1, "one offer at a time");
    let effects = state.reduce(Action::Remedy(notice.id, notice.remedy.unwrap()));
    assert!(asks(&effects).contains(&&Ask::Erase(vec![records[0].key.clone(), records[1].key.clone()])));
    assert_eq!(state.runs.len(), 1);
    state.reduce(Action::Store(Said::Full));
    assert_eq!(state.notices[0].remedy, None);
    assert!(state.notices[0].text.contains("Save the runs as files"), "{}", state.notices[0].text);
}

#[test]
fn a_run_of_which_nothing_was_written_is_no_fault_and_goes_when_its_tab_is_gone() {
    for tabs in [&[][..], &["another"]] {
        let blank = Record { text: "\n".into(), ..cut_off(1, 5) };
        let mut state = ready("");
        let effects = state.reduce(listed(&[blank.clone(), cut_off(2, 5)], None, tabs));
        assert_eq!(state.runs.len(), 1);
        assert!(!state.notices.iter().any(|notice| notice.text.contains("cannot be read")), "{:?}", state.notices);
        assert!(asks(&effects).iter().any(|ask| **ask == Ask::Erase(vec![blank.key.clone()])), "{effects:?}");
    }
}
