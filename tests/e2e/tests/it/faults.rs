//! What goes wrong is said in a sentence, loses nothing, and leaves a way on.

use e2e::{Fault, Lab};

/// A trainer whose script throws beside its work at the third step, as a fault of the browser would.
const THROWS_AT_STEP_3: &str = r#"
{ const post = self.postMessage.bind(self);
  self.postMessage = m => { post(m); if (String(m).includes('"event":"step"') && JSON.parse(m).step === 3) setTimeout(() => { throw new Error("out of order"); }); }; }
"#;

/// A trainer that is trapped in the middle of its third step and cannot say so: memory that ran out, a stack that did.
const TRAPPED_AT_STEP_3: &str = r#"
{ const post = self.postMessage.bind(self);
  self.postMessage = m => { post(m); if (String(m).includes('"event":"step"') && JSON.parse(m).step === 3)
    Performance.prototype.now = () => { throw new RangeError("trapped"); }; }; }
"#;

#[tokio::test]
async fn absurd_addresses_are_explained_and_still_train() {
    let lab = Lab::start(false).await;
    for hash in [
        "method=lora&rank=0",
        "method=lora&rank=999",
        "method=lora&target_modules=",
        "method=prompt&num_virtual_tokens=63",
        "method=prompt&init=text",
        "method=adapter&bottleneck=-1",
        "lr=NaN",
        "lr=1e999",
        "steps=-1",
        "method=magic",
        "base=gpt-9",
        "task=world-peace",
        "rule=%F0%9F%92%A9.%00",
        "batch_size=1e99",
        "base=prose-nano&task=rules",
        "seed=abc&device=toaster",
        "colour=green",
    ] {
        lab.open(hash).await;
        let alert = lab.alert(".").await;
        assert!(alert.len() > 20, "{hash}: {alert}");
        let seen =
            lab.eval("[...document.querySelectorAll('[role=alert]')].every(e => e.getClientRects().length)").await;
        assert_eq!(seen, true, "{hash}: the sentence is not visible");
        lab.press("Step").await;
        lab.event("step").await;
        lab.assert_clean().await;
    }
    lab.close().await;
}

#[tokio::test]
async fn a_file_that_does_not_arrive_whole_can_be_asked_for_again() {
    let lab = Lab::start(false).await;
    for (file, hash) in [("models/rules/model-", ""), ("models/rules/config-", ""), ("data/authors-", "task=authors&")]
    {
        for fault in [Fault::NotFound, Fault::CutShort, Fault::Broken] {
            lab.server.fail(file, fault.clone());
            lab.open(&format!("{hash}steps=2&batch_size=4&device=cpu")).await;
            lab.press("Train").await;
            let failed = lab.event("failed").await;
            assert_eq!(failed["reason"], "load", "{file} {fault:?}: {failed}");
            lab.alert(failed["message"].as_str().unwrap()).await;
            lab.server.heal();
            lab.press("Try again").await;
            lab.event(if hash.is_empty() { "finished" } else { "step" }).await;
            lab.wait("labAlert() === ''").await;
        }
    }
    lab.close().await;
}

#[tokio::test]
async fn a_file_that_takes_its_time_is_waited_for_and_said() {
    let lab = Lab::start(false).await;
    lab.server.fail("models/rules/model-", Fault::Held);
    lab.open("steps=3000&batch_size=4&device=cpu").await;
    lab.press("Train").await;
    lab.wait("document.querySelector('.progress').innerText.includes('loading')").await;
    // Pause acts when all is there, and says so; until then it can be taken back.
    let line = |what: &str| format!("document.querySelector('.progress').innerText.includes('then paused') === {what}");
    lab.press("Pause").await;
    lab.control("Resume").await;
    lab.wait(&line("true")).await;
    lab.press("Resume").await;
    lab.wait(&line("false")).await;
    lab.press("Pause").await;
    lab.control("Resume").await;
    // Knobs stay alive while it loads.
    lab.type_into("Rank", "16").await;
    lab.wait("document.querySelector('.count .number').innerText === '16,384'").await;
    lab.server.heal();
    assert_eq!(lab.event("paused").await["step"], 0);
    lab.wait("document.querySelector('.progress').innerText.includes('step 0 of 3,000 · paused')").await;
    lab.press("Stop").await;
    lab.event("stopped").await;
    lab.control("Train").await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn a_wild_rate_ends_in_a_sentence_or_a_result_and_keeps_the_curve() {
    let lab = Lab::start(false).await;
    lab.open("method=full&lr=10&steps=40&batch_size=8&device=cpu&run=1").await;
    let end = lab.wait("labEvents.find(e => e.event === 'finished' || e.event === 'failed')").await;
    if end["event"] == "failed" {
        assert_eq!(end["reason"], "diverged");
    }
    lab.alert("rate").await;
    lab.wait("labLive().length === 1").await;
    lab.wait("document.querySelectorAll('path.curve').length >= 1").await;
    lab.press("Train with rate /10").await;
    let next = lab.wait("labEvents.find(e => e.event === 'started' && e.run === 2)").await;
    assert_eq!(next["config"]["lr"], "1", "{next}");
    lab.wait("labLive().length === 2").await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn a_trainer_that_does_not_arrive_is_asked_for_once_until_the_visitor_asks_again() {
    let lab = Lab::start(false).await;
    let boot = lab.server.manifest()["worker"].as_str().unwrap().to_string();
    let throws = Fault::Before("throw new Error('out of order');");
    for (file, fault) in [
        (boot.as_str(), Fault::NotFound),
        ("worker-relaxed-core-", Fault::NotFound),
        ("worker-relaxed-core-", throws),
        ("worker-relaxed_bg-", Fault::NotFound),
        ("worker-relaxed_bg-", Fault::CutShort),
        ("worker-relaxed_bg-", Fault::Broken),
    ] {
        lab.server.fail(file, fault.clone());
        let before = lab.server.count(&boot);
        lab.open("steps=2&batch_size=4&device=cpu").await;
        lab.alert("not start").await;
        // A page that tried again by itself would do it for ever.
        for _ in 0..20 {
            lab.eval("fetch('./assets.json').then(r => r.text())").await;
        }
        let tries = lab.server.count(&boot) - before;
        assert!(tries <= 2, "{file} {fault:?}: the trainer was started {tries} times");
        lab.server.heal();
        lab.press("Restart the trainer").await;
        lab.event("ready").await;
        lab.press("Train").await;
        lab.event("finished").await;
    }
    lab.close().await;
}

#[tokio::test]
async fn a_trainer_that_dies_leaves_its_curve_and_a_new_one_trains() {
    let lab = Lab::start(false).await;
    for script in [THROWS_AT_STEP_3, TRAPPED_AT_STEP_3] {
        lab.server.fail("worker-relaxed-core-", Fault::Before(script));
        lab.open("steps=5000&batch_size=4&device=cpu").await;
        lab.server.heal();
        lab.press("Train").await;
        let failed = lab.event("failed").await;
        assert_eq!(failed["reason"], "crash", "{failed}");
        assert!(lab.alert(".").await.len() > 20);
        lab.wait("labLive().length === 1").await;
        lab.press("Try again").await;
        lab.wait("labEvents.some(e => e.event === 'step' && e.run === 2 && e.step > 3)").await;
        lab.wait("labLive().length === 2").await;
        lab.press("Stop").await;
        lab.wait("labEvents.some(e => e.event === 'stopped' && e.run === 2)").await;
    }
    lab.close().await;
}
