//! Data and checkpoints of a visitor's own, on the built page.

use e2e::Lab;
use serde_json::json;
use std::path::Path;

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/own").join(name)).unwrap()
}

fn checkpoint(name: &str) -> Vec<(&'static str, Vec<u8>)> {
    ["config.json", "model.safetensors", "tokenizer.json"]
        .map(|file| (file, fixture(&format!("{name}/{file}"))))
        .to_vec()
}

#[tokio::test]
async fn a_table_and_a_checkpoint_are_dropped_and_trained_on() {
    let lab = Lab::start(false).await;
    lab.open("method=lora&steps=12&device=cpu").await;
    lab.drop_files(&[("reviews.csv", fixture("reviews.csv"))]).await;
    lab.wait(
        "document.querySelector('dialog[open]')?.innerText.includes('2 labels of 20 at most: bad (40), good (40)')",
    )
    .await;
    lab.screenshot("bring-data").await;
    // Another column for the label is told why it cannot be.
    lab.select("Label", "0").await;
    lab.wait("document.querySelector('dialog[open] .fault')?.innerText.includes('at most 20 labels')").await;
    lab.select("Label", "2").await;
    lab.press("Use this data").await;
    lab.wait("location.hash.includes('task=own&data=reviews-')").await;
    lab.press("Train").await;
    let finished = lab.event("finished").await;
    assert_eq!(finished["n"], 16, "{finished}");
    let own = lab.eval("location.hash").await;

    lab.drop_files(&checkpoint("opt")).await;
    lab.wait("document.querySelector('dialog[open]')?.innerText.includes('memory to load')").await;
    lab.screenshot("bring-base").await;
    lab.press("Use this base").await;
    lab.wait("location.hash.includes('base=own-opt-')").await;
    assert!(lab.text().await.contains("reviews"), "the data stays");
    lab.press("Train").await;
    lab.wait("labEvents.filter(e => e.event === 'finished').length === 2").await;
    assert_eq!(lab.eval("labEvents.filter(e => e.event === 'started')[1].trainable").await, json!(512));
    lab.assert_clean().await;

    // A fresh page has neither: it says so, and turns to the data when that is there.
    lab.open(own.as_str().unwrap().trim_start_matches('#')).await;
    lab.alert("stays with its owner").await;
    lab.press("Bring it").await;
    lab.drop_files(&[("reviews.csv", fixture("reviews.csv"))]).await;
    lab.press("Use this data").await;
    lab.wait("location.hash.includes('task=own&data=reviews-')").await;
    lab.close().await;
}

#[tokio::test]
async fn a_pasted_text_is_written_like_and_what_is_broken_is_told() {
    let lab = Lab::start(false).await;
    lab.open("method=bitfit&steps=2&batch_size=2&device=cpu").await;
    lab.press("Bring your own").await;
    let text = "The rain fell on the hill. ".repeat(120);
    lab.eval(&format!(
        "(t => {{ const a = document.querySelector('dialog[open] textarea'); a.value = t; a.dispatchEvent(new Event('input', {{bubbles: true}})); }})({})",
        json!(text)
    ))
    .await;
    lab.press("Read").await;
    lab.wait("document.querySelector('dialog[open]')?.innerText.includes('a text of 3,240 characters')").await;
    lab.press("Use this data").await;
    lab.press("Train").await;
    assert!(lab.event("finished").await["n"].as_u64().unwrap() > 90);
    assert!(lab.event("examples").await["items"][0]["adapted"]["text"].as_str().unwrap().len() > 10);

    for (files, said) in [
        (vec![("a.csv", b"text,label\none,a,b\n".to_vec())], "Line 2 has 3 cells"),
        (vec![("a.jsonl", b"{\"text\": 1".to_vec())], "Line 1"),
        (checkpoint("opt").into_iter().take(2).collect(), "tokenizer.json is missing"),
        (vec![("pytorch_model.bin", vec![0; 9]), ("config.json", fixture("opt/config.json"))], "Python pickle"),
    ] {
        lab.drop_files(&files).await;
        lab.wait(&format!("document.querySelector('dialog[open] .fault')?.innerText.includes({})", json!(said))).await;
    }
    // Weights that are not what config.json says are found when they are read.
    let mut broken = checkpoint("gpt2");
    broken[1].1 = fixture("opt/model.safetensors").into_iter().chain([0; 9000]).collect();
    lab.drop_files(&broken).await;
    lab.press("Use this base").await;
    lab.alert("cannot be used").await;
    lab.select("Base", "rules").await;
    lab.press("Train").await;
    lab.wait("labEvents.filter(e => e.event === 'finished').length === 2").await;
    lab.close().await;
}
