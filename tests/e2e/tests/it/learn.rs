//! In-context learning and its spread, writing like an author, forgetting, experiments and cards, on the built page.

use e2e::Lab;
use serde_json::json;

#[tokio::test]
async fn in_context_learning_is_scored_and_its_spread_measured() {
    let lab = Lab::start(false).await;
    lab.open("rule=sort&method=icl&shots=3&device=cpu&run=1").await;
    let started = lab.event("started").await;
    assert_eq!((&started["trainable"], &started["steps"]), (&json!(0), &json!(0)));
    let finished = lab.event("finished").await;
    assert!(finished["accuracy"].as_f64().unwrap() > 0.9, "{finished}");
    // Nine tokens of a string and three demonstrations of ten.
    assert_eq!(finished["tokens"], 39.0);
    lab.press("Measure how much the prompt matters").await;
    lab.wait("labEvents.find(e => e.event === 'spread' && e.done === e.of)").await;
    assert!(lab.text().await.contains("with random labels"), "{}", lab.text().await);
    assert_eq!(lab.count("spread").await, 44);
    lab.screenshot("spread").await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn a_style_is_learnt_and_samples_are_written() {
    let lab = Lab::start(false).await;
    lab.open("task=style&author=twain&base=prose-nano&steps=2&batch_size=2&forgetting=true&device=cpu&run=1").await;
    let evaluated = lab.event("evaluated").await;
    assert!(evaluated["kept"]["loss"].as_f64().unwrap() > 1.0, "{evaluated}");
    assert!(lab.event("finished").await["n"].as_u64().unwrap() > 1000);
    let items = lab.event("examples").await["items"].clone();
    assert!(items[0]["base"]["text"].as_str().unwrap().len() > 40, "{items}");
    lab.press("Forgetting").await;
    lab.screenshot("style").await;
    assert_eq!(lab.eval("document.scrollingElement.scrollHeight <= 800").await, true, "1280 × 800 scrolls");
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn experiments_and_cards_open_and_close() {
    let lab = Lab::start(false).await;
    lab.open("").await;
    lab.press("Experiments").await;
    lab.wait("document.querySelectorAll('.figure polyline').length > 2").await;
    lab.eval(
        "[...document.querySelectorAll('dialog[open] [role=tab]')].find(t => t.innerText === 'Learning rate').click()",
    )
    .await;
    lab.wait("document.querySelector('.figure')?.getAttribute('aria-label').includes('learning rate')").await;
    lab.screenshot("experiments").await;
    lab.eval("document.querySelector('dialog[open] .main').click()").await;
    lab.press("More about both").await;
    lab.wait("document.body.innerText.includes('compositions never seen')").await;
    lab.screenshot("card").await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn a_grid_of_ones_own_is_trained_and_drawn() {
    let lab = Lab::start(false).await;
    lab.open("rule=count&method=lora&steps=2&batch_size=4&device=cpu").await;
    lab.press("Experiments").await;
    lab.eval(
        "[...document.querySelectorAll('dialog[open] [role=tab]')].find(t => t.innerText === 'Your grid').click()",
    )
    .await;
    lab.type_into("Methods", "lora, bitfit").await;
    lab.type_into("Values", "0.01 much").await;
    lab.alert("“much” is not a number").await;
    lab.type_into("Values", "0.01 0.1").await;
    lab.press("Train 4 runs").await;
    lab.wait("labEvents.filter(e => e.event === 'finished').length === 4").await;
    lab.wait("document.querySelectorAll('dialog[open] .figure polyline').length === 2").await;
    lab.wait("document.querySelector('dialog[open]').innerText.includes('4 runs done')").await;
    lab.screenshot("grid").await;
    let rates = lab.eval("labEvents.filter(e => e.event === 'started').map(e => e.config.lr)").await;
    assert_eq!(rates, json!(["0.01", "0.01", "0.1", "0.1"]));
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn questions_and_words_are_answered() {
    let lab = Lab::start(false).await;
    lab.open("task=questions&question=vowel-first&method=lora&steps=40&device=cpu&run=1").await;
    assert!(lab.event("finished").await["accuracy"].as_f64().unwrap() > 0.8);
    assert!(lab.text().await.contains("Is the first letter a vowel?"));
    lab.open("task=language&unit=word&base=prose-nano&steps=2&batch_size=4&device=cpu&run=1").await;
    assert_eq!(lab.event("finished").await["n"], 900);
    lab.assert_clean().await;
    lab.close().await;
}
