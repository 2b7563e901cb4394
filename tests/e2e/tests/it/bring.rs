//! Data and checkpoints of a visitor's own, on the built page.

use e2e::Lab;
use serde_json::json;
use std::path::Path;

pub fn fixture(name: &str) -> Vec<u8> {
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
    // Weights that are not what config.json says are found before they are read.
    let mut others = checkpoint("gpt2");
    others[1].1 = fixture("opt/model.safetensors");
    lab.drop_files(&others).await;
    lab.wait(
        "document.querySelector('dialog[open] .fault')?.innerText.includes('has no tensor “transformer.wte.weight”')",
    )
    .await;
    // Numbers that are none are found when they are read.
    let mut broken = checkpoint("gpt2");
    let end = broken[1].1.len() - 2;
    broken[1].1[end..].copy_from_slice(&0x7e00_u16.to_le_bytes());
    lab.drop_files(&broken).await;
    lab.press("Use this base").await;
    lab.alert("cannot be used").await;
    lab.select("Base", "rules").await;
    lab.press("Train").await;
    lab.wait("labEvents.filter(e => e.event === 'finished').length === 2").await;
    lab.close().await;
}

#[tokio::test]
async fn a_second_checkpoint_of_the_same_shape_and_size_shows_its_own_weights() {
    let lab = Lab::start(false).await;
    lab.open("task=authors&method=lora&steps=2&device=cpu").await;
    let mut second = checkpoint("gpt2");
    // Every number of the last tensor is another: as many bytes, the same configuration.
    let n = second[1].1.len();
    second[1].1[n - 64..].iter_mut().for_each(|byte| *byte ^= 1);
    let mut seen = Vec::new();
    for files in [checkpoint("gpt2"), second, checkpoint("gpt2")] {
        lab.drop_files(&files).await;
        lab.press("Use this base").await;
        lab.wait("!document.querySelector('dialog[open]')").await;
        lab.press("Train").await;
        lab.wait(&format!("labEvents.filter(e => e.event === 'finished').length === {}", seen.len() + 1)).await;
        let loss = lab.eval("labEvents.filter(e => e.event === 'evaluated' && e.step === 0).pop().loss").await;
        let base = lab.eval("labEvents.filter(e => e.event === 'started').pop().config.base").await;
        seen.push((base, loss));
    }
    assert_ne!(seen[0], seen[1]);
    assert!(seen[0].0 != seen[1].0 && seen[0].1 != seen[1].1, "{seen:?}");
    assert_eq!(seen[0], seen[2]);
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn shards_and_a_vocabulary_are_dropped_together_and_trained_on() {
    let lab = Lab::start(false).await;
    lab.open("task=authors&method=bitfit&steps=2&device=cpu").await;
    let whole = checkpoint("opt");
    let tokenizer: serde_json::Value = serde_json::from_slice(&whole[2].1).unwrap();
    let model = &tokenizer["model"];
    let pair = |merge: &serde_json::Value| format!("{} {}\n", merge[0].as_str().unwrap(), merge[1].as_str().unwrap());
    let merges: String = model["merges"].as_array().unwrap().iter().map(pair).collect();
    let length = u64::from_le_bytes(whole[1].1[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&whole[1].1[8..8 + length]).unwrap();
    let names = header.as_object().unwrap().keys().filter(|name| *name != "__metadata__");
    let shard = "model-00001-of-00001.safetensors";
    let map: serde_json::Map<_, _> = names.map(|name| (name.clone(), shard.into())).collect();
    let settings = json!({"bos_token": "</s>", "eos_token": "</s>", "unk_token": "</s>", "add_bos_token": true});
    let mut files = vec![
        ("config.json", whole[0].1.clone()),
        ("vocab.json", model["vocab"].to_string().into_bytes()),
        ("merges.txt", merges.into_bytes()),
        ("tokenizer_config.json", settings.to_string().into_bytes()),
        ("model.safetensors.index.json", json!({ "weight_map": map }).to_string().into_bytes()),
    ];
    lab.drop_files(&files).await;
    lab.wait("document.querySelector('dialog[open] .fault')?.innerText.includes('which is missing: choose all files')")
        .await;
    files.push((shard, whole[1].1.clone()));
    lab.drop_files(&files).await;
    lab.press("Use this base").await;
    lab.wait("location.hash.includes('base=own-opt-')").await;
    lab.press("Train").await;
    lab.event("finished").await;
    lab.assert_clean().await;
    lab.close().await;
}

/// Drops a folder as Chromium hands it over: entries that are asked for what is in them, 100 at a time, until they
/// have no more. Files by their paths; `more` empty ones beside them.
pub async fn drop_folder(lab: &Lab, name: &str, files: &[(&str, Vec<u8>)], more: usize) {
    let files: Vec<_> = files.iter().map(|(path, bytes)| json!({"path": path, "bytes": bytes})).collect();
    let script = "const [name, files, more] = arguments; \
        const file = (name, bytes) => ({name, isFile: true, isDirectory: false, \
            file: taken => setTimeout(() => taken(new File([new Uint8Array(bytes)], name)))}); \
        const folder = (name, entries) => ({name, isFile: false, isDirectory: true, createReader: () => { \
            let at = 0; \
            return {readEntries: taken => setTimeout(() => taken(entries.slice(at, at += 100)))}; }}); \
        const tree = new Map(); \
        for (const {path, bytes} of files) { \
            const parts = path.split('/'), last = parts.pop(); \
            let within = tree; \
            for (const part of parts) { if (!within.has(part)) within.set(part, new Map()); within = within.get(part); } \
            within.set(last, bytes); } \
        const entries = within => [...within].map(([name, of]) => of instanceof Map ? folder(name, entries(of)) : file(name, of)); \
        const all = [...Array.from({length: more}, (_, i) => file(`note-${i}.txt`, [])), ...entries(tree)]; \
        const items = [{kind: 'file', webkitGetAsEntry: () => folder(name, all)}]; \
        const drop = new DragEvent('drop', {bubbles: true, cancelable: true}); \
        Object.defineProperty(drop, 'dataTransfer', {value: {items, files: []}}); \
        window.dispatchEvent(drop); \
        return drop.defaultPrevented;";
    let taken = lab.driver.execute(script, vec![json!(name), json!(files), json!(more)]).await.unwrap();
    assert_eq!(taken.json(), &json!(true), "the browser would leave the page");
}

#[tokio::test]
async fn a_dropped_folder_is_walked_and_is_as_if_it_had_been_chosen() {
    let lab = Lab::start(false).await;
    lab.open("task=authors&method=bitfit&steps=2&device=cpu").await;
    // As the Hub's cache has it, behind more files than come at once.
    let files = checkpoint("opt");
    let paths: Vec<String> = files.iter().map(|(name, _)| format!("snapshots/4d7a/{name}")).collect();
    let nested: Vec<(&str, Vec<u8>)> =
        paths.iter().map(String::as_str).zip(files.iter().map(|(_, bytes)| bytes.clone())).collect();
    drop_folder(&lab, "opt-of-mine", &nested, 230).await;
    lab.wait("document.querySelector('dialog[open]')?.innerText.includes('memory to load')").await;
    lab.press("Use this base").await;
    lab.wait("location.hash.includes('base=own-opt-of-mine-')").await;
    lab.press("Train").await;
    lab.event("finished").await;

    // A folder that is no whole checkpoint, and one that holds far too much.
    drop_folder(&lab, "half", &files[..2], 0).await;
    lab.wait("document.querySelector('dialog[open] .fault')?.innerText.includes('tokenizer.json is missing')").await;
    drop_folder(&lab, "home", &files, 1200).await;
    lab.wait("document.querySelector('dialog[open] .fault')?.innerText.includes('“home” holds 1,203 files, and at most 1,000')")
        .await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn an_adapter_s_folder_is_dropped_and_a_long_text_of_ones_own_says_what_is_read() {
    let lab = Lab::start(false).await;
    lab.open("base=prose-nano&task=authors&method=lora&rank=2&steps=2&device=cpu").await;
    for (text, cut) in [("over the hills and far away ".repeat(20), true), ("far away".to_string(), false)] {
        lab.type_into("Try your own", &text).await;
        lab.press("Ask").await;
        lab.wait(&format!(
            "labEvents.some(e => e.event === 'predicted' && e.item.input.length === {})",
            text.trim().len()
        ))
        .await;
        lab.wait(&format!(
            "/has \\d+ tokens, of which the last 96 are read/.test(document.querySelector('.own').innerText) === {cut}"
        ))
        .await;
        lab.screenshot(if cut { "own-text-cut" } else { "own-text" }).await;
    }
    lab.press("Train").await;
    lab.event("finished").await;
    lab.press("Export adapter").await;
    let exported = lab.event("adapter").await;
    let weights = lab.eval("Array.from(new Uint8Array(labEvents.find(e => e.event === 'adapter').weights))").await;
    let weights: Vec<u8> = weights.as_array().unwrap().iter().map(|byte| byte.as_u64().unwrap() as u8).collect();
    // As trainers leave it: beside checkpoints of its own, and a tokenizer.
    let adapter = [
        ("README.md", b"# mine".to_vec()),
        ("tokenizer.json", fixture("opt/tokenizer.json")),
        ("checkpoint-2/optimizer.pt", vec![1; 9]),
        ("adapter_config.json", exported["config"].as_str().unwrap().as_bytes().to_vec()),
        ("adapter_model.safetensors", weights),
    ];
    drop_folder(&lab, "lora-of-mine", &adapter, 0).await;
    lab.wait("labEvents.filter(e => e.event === 'finished').length === 2").await;
    lab.assert_clean().await;
    lab.close().await;
}

/// A folder on the disk, dropped by the browser's own means.
async fn drop_path(lab: &Lab, folder: &Path) {
    let data = json!({"items": [], "files": [folder.display().to_string()], "dragOperationsMask": 1});
    for what in ["dragEnter", "dragOver", "drop"] {
        let event = json!({"type": what, "x": 40, "y": 40, "data": data});
        lab.driver.cdp().send_raw("Input.dispatchDragEvent", event).await.unwrap();
    }
}

#[tokio::test]
async fn a_folder_of_the_disk_is_dropped_and_trained_on() {
    let lab = Lab::start(false).await;
    lab.open("task=authors&method=bitfit&steps=2&device=cpu").await;
    let folder = std::env::temp_dir().join(format!("gpt2-of-mine-{}", std::process::id()));
    let within = folder.join("final");
    std::fs::create_dir_all(&within).unwrap();
    // Chromium hands over 100 entries at a time: the checkpoint's are among more.
    for i in 0..120 {
        std::fs::write(within.join(format!("a-note-{i}.txt")), "a note").unwrap();
    }
    for (name, bytes) in checkpoint("gpt2") {
        std::fs::write(within.join(name), bytes).unwrap();
    }
    drop_path(&lab, &folder).await;
    lab.wait("document.querySelector('dialog[open]')?.innerText.includes('memory to load')").await;
    lab.press("Use this base").await;
    lab.wait("location.hash.includes('base=own-gpt2-of-mine-')").await;
    lab.press("Train").await;
    lab.event("finished").await;
    std::fs::remove_dir_all(&folder).unwrap();
    lab.assert_clean().await;
    lab.close().await;
}
