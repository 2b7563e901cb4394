//! Free text: asked for, heard token by token, stopped, refused.

use super::*;
use crate::protocol::{Around, Ended, NextToken, Voice, Writing};

fn edit(state: &mut State, field: FreeTextField, text: &str) {
    state.reduce(Action::FreeText(FreeTexting::Edit(field, text.into())));
}

/// The page on a base that reads prose, with the dialog open and a text typed.
fn typed() -> State {
    let mut state = ready("#base=prose-nano&task=style&method=lora&rank=2&device=cpu");
    state.reduce(Action::FreeText(FreeTexting::Open(true)));
    edit(&mut state, FreeTextField::Text, "It was");
    state
}

fn write(state: &mut State) -> Option<(u32, Writing)> {
    let effects = state.reduce(Action::FreeText(FreeTexting::Write));
    match command(&effects) {
        Some((Trainer::Cpu, Command::Write { run, writing, .. })) => Some((*run, writing.clone())),
        None => None,
        other => panic!("{other:?}"),
    }
}

fn token(which: Voice, text: &str, tokens: usize, ended: Option<Ended>) -> Event {
    let next = if ended.is_some() { Vec::new() } else { vec![NextToken { text: " a".into(), probability: 0.5 }] };
    Event::Wrote { run: 0, which, text: text.into(), tokens, next, ms: 250.0 * tokens as f64, ended }
}

fn stops(effects: &[Effect]) -> bool {
    matches!(command(effects), Some((Trainer::Cpu, Command::StopWriting)))
}

#[test]
fn a_text_is_gone_on_with_in_two_columns() {
    let mut state = typed();
    assert!(state.free_text.open && state.writes_by().ends_with("at its start"), "{}", state.writes_by());
    let (run, writing) = write(&mut state).unwrap();
    assert_eq!(
        (run, writing.text.as_str(), writing.temperature, writing.top_k, writing.tokens),
        (0, "It was", 0.8, 40, 60)
    );
    assert!(state.free_text.writes());
    assert_eq!(write(&mut state), None, "it writes already");
    // What is typed meanwhile belongs to the next one.
    edit(&mut state, FreeTextField::Text, "Then");
    hear(&mut state, Trainer::Gpu, vec![token(Voice::Base, "of another", 1, None)]);
    hear(&mut state, Trainer::Cpu, vec![token(Voice::Base, " a", 1, None), token(Voice::Adapted, " the", 1, None)]);
    hear(&mut state, Trainer::Cpu, vec![token(Voice::Base, " dog", 2, Some(Ended::End))]);
    let [base, adapted] = &state.free_text.columns;
    assert_eq!(
        (base.text.as_str(), adapted.text.as_str(), state.free_text.given.as_str()),
        (" a dog", " the", "It was")
    );
    assert_eq!(base.told().as_deref(), Some("2 tokens · 4.0 a second, ended by itself"));
    assert_eq!(adapted.told().as_deref(), Some("1 token · 4.0 a second"));
    assert_eq!(base.next.len(), 1, "what might have come next stays");
    assert!(state.free_text.writes(), "the other goes on");
    assert!(stops(&state.reduce(Action::FreeText(FreeTexting::Stop))));
    assert!(state.free_text.writes(), "till the trainer says so");
    hear(&mut state, Trainer::Cpu, vec![token(Voice::Adapted, "", 1, Some(Ended::Stopped))]);
    assert!(!state.free_text.writes());
    // Another text has other draws, and columns of its own.
    let (_, next) = write(&mut state).unwrap();
    assert_eq!((next.text.as_str(), next.seed), ("Then", writing.seed + 1));
    assert_eq!(
        state.free_text.columns,
        [const { Column { text: String::new(), tokens: 0, next: Vec::new(), ms: 0.0, ended: None } }; 2]
    );
}

#[test]
fn closing_the_dialog_ends_what_is_written() {
    let mut state = typed();
    let closed = state.reduce(Action::FreeText(FreeTexting::Open(false)));
    assert!(!stops(&closed), "nothing was");
    state.reduce(Action::FreeText(FreeTexting::Open(true)));
    write(&mut state).unwrap();
    assert!(stops(&state.reduce(Action::FreeText(FreeTexting::Open(false)))));
    assert!(!state.free_text.open);
}

#[test]
fn a_text_that_cannot_be_gone_on_with_says_why() {
    for (field, text, why) in [
        (FreeTextField::Temperature, "hot", "The temperature is"),
        (FreeTextField::Temperature, "NaN", "The temperature is"),
        (FreeTextField::TopK, "-1", "Top-k is"),
        (FreeTextField::Tokens, "0", "Tokens are"),
    ] {
        let mut state = typed();
        edit(&mut state, field, text);
        assert_eq!(write(&mut state), None);
        assert!(state.free_text.fault.as_ref().unwrap().starts_with(why), "{:?}", state.free_text.fault);
        edit(&mut state, field, "1");
        assert!(state.free_text.fault.is_none() && write(&mut state).is_some());
    }
    let mut state = typed();
    write(&mut state).unwrap();
    hear(&mut state, Trainer::Cpu, vec![Event::Unwritten { run: 0, message: "Too long.".into() }]);
    assert_eq!((state.free_text.fault.as_deref(), state.free_text.writes()), (Some("Too long."), false));
    assert!(state.notices.is_empty() && write(&mut state).is_some());
    // A file that does not arrive is told as of a run.
    let failed = Event::Failed { run: 0, reason: FailureReason::Load, message: "It did not arrive.".into() };
    hear(&mut state, Trainer::Cpu, vec![failed]);
    assert!(!state.free_text.writes() && state.notices.len() == 1);
    write(&mut state).unwrap();
    state.reduce(Action::WorkerDied(Trainer::Cpu, String::new()));
    assert!(!state.free_text.writes());
    assert!(state.writing_waits().is_some(), "another trainer is starting");
    assert_eq!(write(&mut state), None);
}

#[test]
fn strings_are_no_free_text_and_blanks_show() {
    let mut state = ready("#task=rules");
    state.reduce(Action::FreeText(FreeTexting::Open(true)));
    assert!(!state.free_text.open);
    assert_eq!(visible(" a\n\tb\u{0}"), "␣a⏎⇥b␦");
}

#[test]
fn it_is_read_as_its_visitor_says_where_that_may_be() {
    let of = |hash: &str, chosen: Option<Around>| {
        let mut state = ready(hash);
        chosen.into_iter().for_each(|around| {
            state.reduce(Action::FreeText(FreeTexting::Around(around)));
        });
        let forms: Vec<Around> = state.free_text_forms().into_iter().map(|(form, _)| form).collect();
        (state.free_text_around(), forms)
    };
    let (nothing, task, chat) = (Around::Nothing, Around::Task, Around::Chat);
    let all = vec![nothing, task, chat];
    // What is trained to answer freely is asked so.
    assert_eq!(of("#base=smollm2&task=extract", None), (task, all.clone()));
    assert_eq!(of("#base=smollm2&task=extract", Some(chat)), (chat, all.clone()));
    assert_eq!(of("#base=smollm2&task=sentiment", None), (nothing, all));
    // A style has no questions, and a small base has never seen a chat.
    assert_eq!(of("#base=smollm2&task=style", Some(task)), (nothing, vec![nothing, chat]));
    assert_eq!(of("#base=prose-nano&task=sentiment", Some(chat)), (nothing, vec![nothing, task]));
    let mut state = typed();
    state.reduce(Action::FreeText(FreeTexting::Around(chat)));
    assert_eq!(write(&mut state).unwrap().1.around, nothing);
    let mut state = ready("#base=prose-nano&task=sentiment&method=lora&device=cpu");
    state.reduce(Action::FreeText(FreeTexting::Around(task)));
    assert_eq!(write(&mut state).unwrap().1.around, task);
}

#[test]
fn a_run_s_own_phi_writes() {
    let mut state = ready("#base=prose-nano&task=style&method=lora&rank=2&device=cpu");
    state.reduce(Action::Main);
    let config = state.config.clone();
    hear(&mut state, Trainer::Cpu, vec![started(1, &config), step(1, 7)]);
    assert!(state.writes_by().ends_with(", step 7"), "{}", state.writes_by());
    state.reduce(Action::FreeText(FreeTexting::Open(true)));
    assert_eq!(write(&mut state).unwrap().0, 1);
}
