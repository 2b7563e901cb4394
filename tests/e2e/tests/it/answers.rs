//! Answers that are written freely: sentences to JSON, prompts and chats of a visitor's own, on the built page.

use e2e::Lab;

/// The parts of an evaluation, by their names.
fn names(event: &serde_json::Value) -> Vec<&str> {
    event["parts"].as_array().unwrap().iter().map(|part| part["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn sentences_are_put_into_json_and_what_is_right_of_it_is_told() {
    let lab = Lab::start(false).await;
    lab.open("task=extract&base=prose-nano&steps=2&batch_size=2&scored=20&device=cpu").await;
    // Sentence and right answer stand there before anybody has trained.
    lab.wait("document.querySelector('.examples.answered .row:nth-child(2)').innerText.includes('{\"')").await;
    lab.press("Train").await;
    let finished = lab.event("finished").await;
    assert_eq!(names(&finished), ["tokens", "fields", "known wording", "new wording"]);
    assert_eq!(finished["n"], 20);
    lab.wait("/tokens [\\d.]+ %/.test(document.querySelector('.parts').innerText)").await;
    lab.wait("labControl('About').value === 'all'").await;
    lab.screenshot("extract").await;
    assert_eq!(lab.eval("document.scrollingElement.scrollHeight <= 800").await, true, "1280 × 800 scrolls");
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn prompts_with_answers_and_chats_of_one_s_own_are_trained_on() {
    let lab = Lab::start(false).await;
    lab.open("base=prose-nano&task=authors&steps=2&batch_size=2&device=cpu").await;
    let rows: String = (0..30).map(|i| format!("What is {i} and one?,It is {}\n", i + 1)).collect();
    lab.drop_files(&[("sums.csv", format!("question,answer\n{rows}").into_bytes())]).await;
    lab.wait("document.querySelector('dialog[open]').innerText.includes('24 to train on, 6 held out')").await;
    lab.screenshot("bring-answers").await;
    lab.press("Use this data").await;
    lab.wait("location.hash.includes('answers=free')").await;
    lab.press("Train").await;
    let finished = lab.event("finished").await;
    assert_eq!((names(&finished), &finished["n"]), (vec!["tokens"], &6.into()));
    let row = |i: usize| {
        format!(
            "{{\"messages\": [{{\"role\": \"user\", \"content\": \"Count {i}\"}}, {{\"role\": \"assistant\", \"content\": \"{i}.\"}}]}}\n"
        )
    };
    lab.drop_files(&[("chat.jsonl", (0..10).map(row).collect::<String>().into_bytes())]).await;
    lab.wait("document.querySelector('dialog[open]').innerText.includes('chats with 10 answers')").await;
    lab.press("Use this data").await;
    lab.wait("location.hash.includes('data=chat-')").await;
    lab.press("Train").await;
    lab.wait("labEvents.filter(e => e.event === 'finished').length === 2").await;
    lab.assert_clean().await;
    lab.close().await;
}
