//! A visitor's prompts with answers, and chats.

use super::bring::{file, use_it};
use super::*;
use crate::task::user_data::Columns;

#[test]
fn prompts_with_answers_are_known_by_their_names_or_chosen() {
    let mut state = ready("#task=authors");
    let rows =
        |head: &str| (0..30).fold(head.to_string(), |all, i| all + &format!("What is {i} and one?,It is {}\n", i + 1));
    for (head, known) in [("question,answer\n", true), ("this,that\n", false)] {
        state.reduce(Action::Open(vec![file("sums.csv", &rows(head))]));
        if !known {
            assert!(matches!(&state.bring.offer, Some(Offer::Table { read: Err(_), answers: false, .. })));
            state.reduce(Action::Bring(Bringing::Answers(true)));
        }
        let Some(Offer::Table { text: 0, label: 1, read: Ok(Columns::Answered(data)), .. }) = &state.bring.offer else {
            panic!("{:?}", state.bring)
        };
        assert_eq!((data.training.len(), data.held_out.len()), (24, 6));
        use_it(&mut state);
        assert!(state.config.task.is_answered() && state.config.task.metric() == "exact match");
        assert!(state.hash().contains("answers=free"), "{}", state.hash());
        assert!(!state.hash().contains("classes="));
    }
}

#[test]
fn chats_are_looked_at_and_used() {
    let mut state = ready("#task=authors");
    let row = |i: usize| {
        format!(
            "{{\"messages\": [{{\"role\": \"user\", \"content\": \"Count {i}\"}}, {{\"role\": \"assistant\", \"content\": \"{i}.\"}}]}}\n"
        )
    };
    state.reduce(Action::Open(vec![file("chat.jsonl", &(0..10).map(row).collect::<String>())]));
    assert!(matches!(&state.bring.offer, Some(Offer::Chats { split, .. }) if split.training.len() == 8));
    use_it(&mut state);
    assert!(state.config.task.is_answered() && state.config.task.title() == "chat");
    state.reduce(Action::Open(vec![file("chat.jsonl", "{\"messages\": [{\"role\": \"user\"}]}\n")]));
    assert!(state.bring.fault.clone().unwrap().contains("Line 1: a message has no role"), "{:?}", state.bring.fault);
}
