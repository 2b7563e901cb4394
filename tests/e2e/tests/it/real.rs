//! The real SmolLM2 in Chromium: `cargo xtask test --real` tries these. `PEFT_LAB_SMOLLM2` says that the site has it.

use e2e::{Fault, Lab};

const FILE: &str = "models/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";

#[tokio::test]
async fn smollm2_is_fetched_in_two_goes_and_tells_praise_from_blame_after_25_steps() {
    if std::env::var_os("PEFT_LAB_SMOLLM2").is_none() {
        println!("skipped: PEFT_LAB_SMOLLM2 names no file");
        return;
    }
    let lab = Lab::start(false).await;
    let manifest = lab.server.manifest();
    let parts = manifest["parts"][FILE].as_array().expect("a site with the base").clone();
    let address = |i: usize| parts[i]["file"].as_str().unwrap().to_string();
    let shown = |text: &str| format!("document.querySelector('.controls').innerText.includes('{text}')");
    let run =
        "base=smollm2&task=sentiment&method=lora&rank=8&target_modules=q_proj,v_proj&steps=25&batch_size=8&device=cpu";
    lab.open(run).await;
    lab.wait(&shown("SmolLM2 is fetched once: 98 MB")).await;
    lab.wait(&shown("25 steps take about")).await;

    // Broken off in the middle, and gone on with by another visit.
    lab.server.fail(&address(9), Fault::Held);
    lab.press("Fetch now").await;
    lab.wait(&shown("fetching SmolLM2: 37 of 98 MB")).await;
    lab.press("Cancel").await;
    lab.wait(&shown("37 of 98 MB of SmolLM2 are here")).await;
    lab.server.heal();
    lab.reopen(run).await;
    lab.wait(&shown("37 of 98 MB of SmolLM2 are here")).await;
    lab.press("Train").await;
    let before = lab.event("evaluated").await;
    let finished = lab.event("finished").await;
    let accuracy = |event: &serde_json::Value| event["accuracy"].as_f64().unwrap();
    println!("zero-shot {before}, after 25 steps {finished}");
    assert!(accuracy(&finished) >= 0.88, "{finished}");
    assert_eq!(lab.server.count(&address(0)), 1, "what was here was fetched again");
    lab.close().await;
}
