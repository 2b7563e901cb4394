//! What goes wrong is said in a sentence, loses nothing, and leaves a way on.

use e2e::{Fault, Lab};
use serde_json::json;

#[tokio::test]
async fn absurd_addresses_are_explained_and_still_train() {
    let lab = Lab::start(false).await;
    for hash in [
        "method=lora&rank=0",
        "method=lora&rank=999",
        "method=prompt&num_virtual_tokens=63",
        "lr=NaN",
        "steps=-1",
        "method=magic",
        "base=gpt-9",
        "rule=%F0%9F%92%A9.%00",
        "batch_size=1e99",
        "base=prose-nano&task=rules",
        "seed=abc&device=toaster",
    ] {
        lab.open(hash).await;
        let alert = lab.wait("[...document.querySelectorAll('[role=alert]')].map(a => a.innerText).join(' ')").await;
        assert!(alert.as_str().unwrap().len() > 20, "{hash}: {alert}");
        lab.press("Step").await;
        lab.event("step").await;
        lab.assert_clean().await;
    }
    lab.close().await;
}

#[tokio::test]
async fn a_model_file_that_does_not_arrive_or_is_cut_short_can_be_asked_for_again() {
    let lab = Lab::start(false).await;
    for fault in [Fault::NotFound, Fault::CutShort] {
        lab.server.fail("model-", fault);
        lab.open("steps=2&batch_size=4&device=cpu").await;
        lab.press("Train").await;
        let failed = lab.event("failed").await;
        assert_eq!(failed["reason"], "load", "{failed}");
        lab.wait("document.querySelector('[role=alert]')?.innerText.length > 20").await;
        lab.server.heal();
        lab.press("Try again").await;
        lab.event("finished").await;
    }
    lab.close().await;
}

#[tokio::test]
async fn a_wild_rate_ends_in_a_sentence_or_a_result_and_keeps_the_curve() {
    let lab = Lab::start(false).await;
    lab.open("method=full&lr=10&steps=40&batch_size=8&device=cpu&run=1").await;
    let end = lab.wait("labEvents.find(e => e.event === 'finished' || e.event === 'failed')").await;
    if end["event"] == "failed" {
        assert_eq!(end["reason"], "diverged");
        lab.wait("document.querySelector('[role=alert]')?.innerText.includes('ten times lower')").await;
    }
    lab.wait("[...document.querySelectorAll('tbody tr')].some(r => r.innerText.includes('live'))").await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn a_trainer_that_cannot_start_is_replaced_by_a_new_one() {
    let lab = Lab::start(false).await;
    lab.server.fail("worker-core-", Fault::Throws);
    lab.open("steps=2&batch_size=4&device=cpu").await;
    lab.wait("document.querySelector('[role=alert]')?.innerText.length > 20").await;
    lab.server.heal();
    lab.press("Train").await;
    lab.event("finished").await;
    lab.close().await;
}

#[tokio::test]
async fn without_webgpu_the_page_says_so_and_trains_on_the_cpu() {
    let lab = Lab::start(false).await;
    lab.open("device=webgpu&steps=2&batch_size=4").await;
    lab.press("Train").await;
    lab.wait("document.querySelector('[role=alert]')?.innerText.includes('WebGPU')").await;
    lab.press("Train on the CPU").await;
    let finished = lab.wait("labEvents.find(e => e.event === 'started')").await;
    assert_eq!(finished["device"], json!("cpu"));
    lab.event("finished").await;
    lab.close().await;
}

#[tokio::test]
async fn webgpu_finds_the_losses_of_the_cpu() {
    let lab = Lab::start(true).await;
    if lab.server.has_no_gpu_trainer() {
        println!("this site was built without the WebGPU trainer: skipped");
        return;
    }
    let mut losses = Vec::new();
    for device in ["cpu", "webgpu"] {
        lab.open(&format!("device={device}&steps=2&batch_size=2&run=1")).await;
        let end = lab.wait("labEvents.find(e => e.event === 'finished' || e.event === 'failed')").await;
        assert_eq!(end["event"], "finished", "{end}");
        assert_eq!(lab.event("started").await["device"], device);
        losses.push(end["loss"].as_f64().unwrap());
    }
    assert!((losses[0] - losses[1]).abs() < 1e-3, "{losses:?}");
    lab.close().await;
}
