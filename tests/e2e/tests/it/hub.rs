//! A checkpoint from the Hub. The server of the test stands in for it: addresses of the Hub lead there.

use crate::bring::fixture;
use crate::families::llama;
use e2e::{Fault, Lab};
use serde_json::json;

/// Leads what is asked of the Hub to the test's own server, and keeps which addresses these were.
const LEAD: &str = r#"
window.labHub = [];
{ const fetch = window.fetch.bind(window);
  window.fetch = (what, ...rest) => {
    const address = String(what.url ?? what);
    if (!address.startsWith("https://huggingface.co/")) return fetch(what, ...rest);
    window.labHub.push(address);
    const url = new URL(address);
    return fetch(new URL("hub" + url.pathname, document.baseURI), ...rest);
  }; }
"#;

#[tokio::test]
async fn a_model_of_the_hub_is_listed_then_fetched_then_trained() {
    let lab = Lab::start(false).await;
    lab.before_scripts(LEAD).await;
    let opt: serde_json::Value = serde_json::from_slice(&fixture("opt/config.json")).unwrap();
    let files = llama(opt["vocab_size"].as_u64().unwrap());
    let mut siblings =
        vec![json!({"rfilename": "README.md", "size": 10}), json!({"rfilename": "model.onnx", "size": 7})];
    for (name, contents) in &files {
        lab.server.give(&format!("hub/someone/tiny-llama/resolve/main/{name}"), contents);
        siblings.push(json!({"rfilename": name, "size": contents.len()}));
    }
    let list = |gated: serde_json::Value| {
        json!({"id": "someone/tiny-llama", "private": false, "gated": gated, "siblings": siblings}).to_string()
    };
    lab.server.give("hub/api/models/someone/tiny-llama", list(json!(false)).as_bytes());
    lab.server.give("hub/api/models/someone/gated", list(json!("manual")).as_bytes());
    lab.open("task=authors&device=cpu&steps=2&batch_size=2").await;
    lab.press("Bring your own").await;
    let said = |text: &str| format!("document.querySelector('.hub [role=status]').innerText.includes('{text}')");
    const LIST: &str = "List its files at huggingface.co";
    for (name, told) in [
        ("a/b/c", "is called owner/name"),
        ("nobody/nothing", "shows no public model nobody/nothing"),
        ("someone/gated", "someone/gated is gated"),
    ] {
        lab.type_into("From the Hub", name).await;
        lab.press(LIST).await;
        lab.wait(&said(told)).await;
    }
    lab.type_into("From the Hub", "someone/tiny-llama").await;
    assert_eq!(lab.eval("labHub.length").await, 2, "typing a name calls nobody");
    lab.press(LIST).await;
    lab.wait(&said("config.json (1 kB), model.safetensors")).await;
    assert_eq!(lab.eval("labHub.some(address => address.includes('/resolve/'))").await, false, "fetched unasked");
    let fetch = "[...document.querySelectorAll('.hub button')].find(e => e.innerText.startsWith('Fetch'))?.innerText";
    let fetch = lab.wait(fetch).await.as_str().unwrap().to_string();
    assert!(fetch.ends_with("kB from huggingface.co"), "{fetch}");

    // Broken on its way, then whole.
    lab.server.fail("resolve/main/model.safetensors", Fault::Broken);
    lab.press(&fetch).await;
    lab.wait(&said("cannot be reached")).await;
    lab.server.heal();
    lab.press(LIST).await;
    lab.press(&fetch).await;
    lab.press("Use this base").await;
    lab.wait("location.hash.includes('base=own-tiny-llama-')").await;
    lab.press("Train").await;
    lab.event("finished").await;
    let asked = lab.eval("labHub.map(address => address.replace('https://huggingface.co', ''))").await;
    assert!(!asked.to_string().contains("onnx") && !asked.to_string().contains("README"), "{asked}");
    lab.close().await;
}
