//! A visitor's own data and checkpoints stay with the browser, on the built page.

use e2e::Lab;
use serde_json::{Value, json};
use std::path::Path;

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/own").join(name)).unwrap()
}

fn checkpoint(name: &str) -> Vec<(&'static str, Vec<u8>)> {
    ["config.json", "model.safetensors", "tokenizer.json"]
        .map(|file| (file, fixture(&format!("{name}/{file}"))))
        .to_vec()
}

/// Steps that the page has heard of.
const HEARD: &str = "Math.max(0, ...labEvents.filter(e => e.event === 'step').map(e => e.step))";

/// Waits until the browser keeps so many of the visitor's own, and φ of every run.
async fn kept(lab: &Lab, own: usize) {
    let read = "(() => { if (window.inStore) return; window.inStore = {}; setInterval(() => { \
        const open = indexedDB.open('peft-lab'); open.onsuccess = () => { \
            const read = open.result.transaction(['own', 'heads']); \
            const own = read.objectStore('own').getAllKeys(), heads = read.objectStore('heads').getAll(); \
            read.oncomplete = () => { window.inStore = { own: own.result, heads: heads.result.map(h => JSON.parse(h)) }; open.result.close(); }; }; }, 50); })()";
    lab.eval(read).await;
    lab.wait(&format!("inStore.own?.length === {own} && inStore.heads.every(head => head.bytes)")).await;
}

/// Trains some steps and stops; at which one.
async fn train_a_part(lab: &Lab) -> u64 {
    lab.press("Train").await;
    lab.wait(&format!("{HEARD} >= 3")).await;
    lab.press("Stop").await;
    lab.event("stopped").await["step"].as_u64().unwrap()
}

/// Goes on with the run after a reload: to the end, without a word, from the step where it was.
async fn goes_on(lab: &Lab, from: u64) -> Value {
    let live = lab.wait("labLive()[0]").await;
    assert!(live.as_str().unwrap().contains("BitFit"), "{live}");
    assert_eq!(lab.eval("document.querySelectorAll('.notice').length").await, 0, "without a word");
    // Its φ answers, before anything is trained.
    lab.wait("!!document.getElementById('dial')").await;
    lab.press("Go on with BitFit").await;
    assert_eq!(lab.event("resumed").await["step"].as_u64(), Some(from));
    lab.event("finished").await
}

#[tokio::test]
async fn a_run_on_one_s_own_data_survives_a_reload_and_goes_on() {
    let lab = Lab::start(false).await;
    lab.open("method=bitfit&steps=600&batch_size=2&device=cpu").await;
    lab.drop_files(&[("reviews.csv", fixture("reviews.csv"))]).await;
    lab.press("Use this data").await;
    lab.wait("location.hash.includes('task=own&data=reviews-')").await;
    let hash = lab.eval("location.hash").await;
    let hash = hash.as_str().unwrap().trim_start_matches('#');
    let stopped = train_a_part(&lab).await;
    kept(&lab, 1).await;
    lab.kill_tab().await;
    lab.reopen(hash).await;
    assert_eq!(goes_on(&lab, stopped).await["n"], 16);
    assert!(lab.eval("location.hash").await.as_str().unwrap().ends_with(hash));
    // Without a word in its address the page turns to it, too.
    lab.reopen("").await;
    lab.wait("labControl('Task')?.value === 'own'").await;
    // What is kept is listed with its bytes, and goes when its visitor says so.
    lab.press("Bring your own").await;
    lab.wait("/reviews\\s+[\\d.]+ kB, 1 run/.test(document.querySelector('dialog[open] .kept').innerText)").await;
    lab.screenshot("kept-own").await;
    lab.press("Do not keep reviews").await;
    kept(&lab, 0).await;
    lab.reopen(hash).await;
    lab.alert("stays with its owner").await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn a_run_on_one_s_own_checkpoint_survives_a_reload_and_goes_on() {
    let lab = Lab::start(false).await;
    for name in ["gpt2", "opt"] {
        lab.open("task=authors&method=bitfit&steps=600&batch_size=2&device=cpu").await;
        lab.drop_files(&checkpoint(name)).await;
        lab.press("Use this base").await;
        lab.wait(&format!("location.hash.includes('base=own-{name}-')")).await;
        let stopped = train_a_part(&lab).await;
        kept(&lab, 1).await;
        lab.kill_tab().await;
        lab.reopen("").await;
        lab.wait(&format!("labControl('Base')?.value.startsWith('own-{name}-')")).await;
        let finished = goes_on(&lab, stopped).await;
        // The same run without a break, on the files as they were dropped and as they were kept.
        lab.press("Rewind").await;
        lab.wait("labEvents.filter(e => e.event === 'finished').length === 2").await;
        let again = lab.eval("labEvents.filter(e => e.event === 'finished')[1]").await;
        assert_eq!((&finished["loss"], &finished["accuracy"]), (&again["loss"], &again["accuracy"]), "{name}");
        lab.assert_clean().await;
    }
    lab.close().await;
}

#[tokio::test]
async fn what_does_not_fit_is_told_once_and_brought_again_as_before() {
    let lab = Lab::start(false).await;
    lab.before_scripts(
        "if (navigator.storage) navigator.storage.estimate = async () => ({usage: 70e3, quota: 100e3});",
    )
    .await;
    lab.open("task=authors&method=bitfit&steps=4&device=cpu").await;
    lab.drop_files(&checkpoint("opt")).await;
    lab.press("Use this base").await;
    lab.wait("document.querySelector('.notice')?.innerText.includes('this browser gives the page less room')").await;
    lab.press("Train").await;
    lab.event("finished").await;
    let hash = lab.eval("location.hash").await;
    lab.reopen(hash.as_str().unwrap().trim_start_matches('#')).await;
    lab.alert("which is not here: bring its files first").await;
    lab.drop_files(&checkpoint("opt")).await;
    lab.press("Use this base").await;
    lab.wait(&format!("location.hash === {}", json!(hash))).await;
    lab.wait("labLive().length === 1").await;
    lab.close().await;
}
