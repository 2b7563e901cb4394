//! Runs on the built page, on the CPU: every method, every button, curves over each other.

use e2e::{Fault, Lab};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn every_method_trains_from_its_address() {
    let lab = Lab::start(false).await;
    for (method, trainable) in [
        ("full", 205_568),
        ("last-layer", 1280),
        ("last-layer&rows=labels", 1024),
        ("bitfit", 2880),
        ("lora", 4096),
        ("last-layer&rows=block", 49_984),
        ("embeddings", 1280),
        ("all-but-embeddings", 200_064),
        ("lora&use_rslora=true&lora_dropout=0.2&layers=1,3", 2048),
        ("dora", 4608),
        ("vera", 1024),
        ("ln-tuning", 1152),
        ("layers", 66_560),
        ("sparse&mask=magnitude", 4096),
        ("sparse", 4096),
        ("sparse&mask=change", 4096),
        ("pruning", 87_616),
        ("pruning&schedule=dense-sparse-dense", 205_568),
        ("subspace", 512),
        ("subspace&projection=dense&intrinsic_dimension=64", 64),
        ("prompt&num_virtual_tokens=10", 640),
        ("p-tuning", 13_760),
        ("prefix", 5120),
        ("prefix&prefix_projection=true", 38_080),
        ("adapter", 8768),
        ("adapter&placement=parallel&scaling=4", 4384),
        ("ia3", 1536),
        ("lora,prompt&num_virtual_tokens=10", 4736),
        ("adapter,bitfit&layers=0", 5072),
    ] {
        lab.open(&format!("method={method}&steps=3&batch_size=8&device=cpu&run=1")).await;
        let started = lab.event("started").await;
        assert_eq!((&started["trainable"], &started["device"]), (&json!(trainable), &json!("cpu")), "{method}");
        let finished = lab.event("finished").await;
        assert_eq!((&finished["step"], &finished["n"]), (&json!(3), &json!(512)), "{method}");
        let losses = lab.losses(&started["run"]).await;
        assert!(losses.len() == 3 && losses.iter().all(|l| l.is_finite()), "{method}: {losses:?}");
        let kinds = lab.eval("labEvents.filter(e => ['started', 'evaluated', 'step', 'finished'].includes(e.event)).map(e => e.event + (e.step ?? ''))").await;
        let expected =
            ["started", "evaluated0", "step1", "evaluated1", "step2", "evaluated2", "step3", "evaluated3", "finished3"];
        assert_eq!(kinds, json!(expected), "{method}");
        lab.assert_clean().await;
    }
    lab.close().await;
}

#[tokio::test]
async fn a_run_pauses_steps_resumes_stops_and_rewinds_exactly() {
    let lab = Lab::start(false).await;
    lab.open("steps=5000&batch_size=4&device=cpu").await;
    lab.press("Train").await;
    lab.wait("labEvents.some(e => e.event === 'step' && e.step >= 3)").await;
    lab.press("Pause").await;
    let paused = lab.event("paused").await["step"].as_u64().unwrap();
    lab.control("Resume").await;
    assert_eq!(lab.count("step").await, paused, "steps went on after the pause");
    lab.press("Step").await;
    lab.wait("labEvents.filter(e => e.event === 'paused').length === 2").await;
    assert_eq!(lab.count("step").await, paused + 1, "Step is one step");
    lab.press("Resume").await;
    lab.wait(&format!("labEvents.some(e => e.event === 'step' && e.step >= {})", paused + 3)).await;
    lab.press("Stop").await;
    let stopped = lab.event("stopped").await["step"].as_u64().unwrap();
    lab.control("Train").await;
    assert_eq!(lab.count("step").await, stopped, "steps went on after the stop");
    let first = lab.losses(&json!(1)).await;
    lab.press("Rewind").await;
    lab.wait("labEvents.filter(e => e.event === 'step' && e.run === 2).length >= 8").await;
    lab.press("Stop").await;
    lab.wait("labEvents.some(e => e.event === 'stopped' && e.run === 2)").await;
    let second = lab.losses(&json!(2)).await;
    let both = first.len().min(second.len());
    assert!(both >= 6, "too few steps to compare: {first:?} {second:?}");
    assert_eq!(first[..both], second[..both], "not the same run again, though it was paused in between");
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn a_single_step_begins_a_run_and_another_ends_it() {
    let lab = Lab::start(false).await;
    lab.open("steps=2&batch_size=4&device=cpu").await;
    lab.press("Step").await;
    lab.wait("labEvents.some(e => e.event === 'paused' && e.step === 1)").await;
    assert_eq!(lab.count("step").await, 1);
    lab.press("Step").await;
    lab.event("finished").await;
    lab.control("Train").await;
    assert_eq!(lab.count("step").await, 2);
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn a_second_method_is_drawn_over_the_first() {
    let lab = Lab::start(false).await;
    lab.open("method=lora&steps=5&batch_size=8&device=cpu&run=1").await;
    lab.event("finished").await;
    lab.choose("Adapter").await;
    lab.wait("location.hash.includes('method=adapter')").await;
    lab.press("Train").await;
    lab.wait("labEvents.filter(e => e.event === 'finished').length === 2").await;
    let rows = lab.wait("labLive().length === 2 && labLive()").await.to_string();
    for part in ["LoRA r 4", "4,096", "adapter 8", "8,768"] {
        assert!(rows.contains(part), "no {part} in {rows}");
    }
    let drawn = lab
        .eval("[...document.querySelectorAll('path.curve')].filter(p => p.getAttribute('d').includes('L')).length >= 2")
        .await;
    assert_eq!(drawn, true, "two curves");
    for tab in ["Loss", "Gradient norm", "Exact match"] {
        lab.press(tab).await;
        lab.wait("document.querySelectorAll('path.curve').length >= 2").await;
    }
    // Runs of another task make room, and come back with their task.
    lab.select("Rule", "cipher").await;
    lab.wait("labLive().length === 0").await;
    lab.select("Rule", "swap-ends.rotate-left").await;
    lab.wait("labLive().length === 2").await;
    lab.press("Remove LoRA r 4").await;
    lab.wait("labLive().length === 1").await;
    lab.screenshot("overlay").await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn settings_changed_while_a_run_goes_on_wait_for_the_next() {
    let lab = Lab::start(false).await;
    lab.open("steps=5000&batch_size=4&device=cpu&run=1").await;
    lab.event("step").await;
    lab.type_into("Rank", "2").await;
    lab.wait("document.body.innerText.includes('New settings apply to the next run')").await;
    lab.press("Pause").await;
    lab.event("paused").await;
    lab.press("Train").await;
    let started = lab.wait("labEvents.find(e => e.event === 'started' && e.run === 2)").await;
    assert_eq!(started["trainable"], 2048);
    lab.press("Stop").await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn the_authors_task_trains_on_real_sentences() {
    let lab = Lab::start(false).await;
    lab.open("task=authors&base=prose-nano&steps=2&batch_size=4&device=cpu&run=1").await;
    let started = lab.event("started").await;
    assert_eq!((&started["trainable"], &started["device"]), (&json!(4096), &json!("cpu")));
    assert!(started["baselines"]["bag_of_words"].as_f64().unwrap() > 0.5, "{started}");
    assert_eq!(lab.event("finished").await["n"], 1050);
    let items = lab.event("examples").await["items"].clone();
    assert!(items[0]["input"].as_str().unwrap().contains(' '), "{items}");
    lab.type_into("Try your own", "Call me a sentence about the sea.").await;
    lab.press("Ask").await;
    let label = lab.event("predicted").await["item"]["adapted"]["text"].clone();
    assert!(["A", "B", "C", "D", "E", "F", "G"].iter().any(|l| label == *l), "{label}");
    assert_eq!(lab.eval("document.scrollingElement.scrollHeight <= 800").await, true, "1280 × 800 scrolls");
    lab.screenshot("authors").await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn the_larger_prose_base_trains_too() {
    let lab = Lab::start(false).await;
    lab.open("base=prose-micro&steps=5000&batch_size=2&device=cpu&run=1").await;
    assert_eq!(lab.event("started").await["trainable"], 8192);
    lab.event("step").await;
    lab.press("Stop").await;
    lab.event("stopped").await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn workers_share_a_step_and_change_nothing_but_its_time() {
    let lab = Lab::start(false).await;
    let hash = "rule=count&method=lora&batch_size=256&steps=12&device=cpu";
    lab.open(&format!("{hash}&workers=1")).await;
    lab.press("Train").await;
    let finished = lab.event("finished").await;
    let alone = lab.losses(&finished["run"]).await;
    lab.open(&format!("{hash}&workers=3")).await;
    lab.press("Train").await;
    let finished = lab.event("finished").await;
    assert_eq!(lab.losses(&finished["run"]).await, alone, "the same curve, to the last bit");
    // They load while the first steps run alone; how many of the steps that is depends on the machine.
    lab.open(&format!("{hash}&workers=3&steps=4000")).await;
    lab.press("Train").await;
    lab.wait("labEvents.find(e => e.event === 'step' && e.workers === 3)").await;
    lab.wait("document.body.innerText.includes('3 workers')").await;
    lab.press("Stop").await;
    lab.event("stopped").await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn a_helper_that_does_not_start_is_done_without() {
    let lab = Lab::start(false).await;
    lab.open("rule=count&method=lora&batch_size=256&steps=6&device=cpu&workers=2").await;
    lab.wait("document.body.innerText.includes('CPU · ready')").await;
    // Whoever asks for the trainer's code from now on gets nothing: the helper, which is started with the run.
    lab.server.fail("worker-relaxed_bg-", Fault::NotFound);
    lab.press("Train").await;
    let finished = lab.event("finished").await;
    assert_eq!(finished["step"], 6, "{finished}");
    assert_eq!(lab.eval("labEvents.every(e => e.workers === undefined)").await, true);
    lab.close().await;
}

#[tokio::test]
async fn a_tab_in_the_background_goes_on_training() {
    let lab = Lab::start(false).await;
    lab.open("device=cpu&steps=120").await;
    // What the page hears while nobody sees it; the other tab shares its storage.
    let note = "addEventListener('peft-lab', e => {
        if (document.hidden && e.detail.event === 'step') localStorage.setItem('unseen', +(localStorage.getItem('unseen') || 0) + 1);
        if (e.detail.event === 'finished') localStorage.setItem('finished', String(document.hidden));
    });";
    lab.driver.execute(note, vec![]).await.unwrap();
    lab.press("Train").await;
    lab.event("step").await;
    let page = lab.driver.window().await.unwrap();
    let address = lab.eval("new URL('assets.json', document.baseURI).href").await;
    let other = lab.driver.new_tab().await.unwrap();
    lab.driver.switch_to_window(other).await.unwrap();
    lab.driver.goto(address.as_str().unwrap()).await.unwrap();
    assert_eq!(lab.wait("localStorage.getItem('finished')").await, "true", "the page was hidden when its run ended");
    let unseen: usize = lab.eval("localStorage.getItem('unseen')").await.as_str().unwrap().parse().unwrap();
    assert!(unseen > 60, "{unseen} steps while hidden");
    lab.driver.close_window().await.unwrap();
    lab.driver.switch_to_window(page).await.unwrap();
    lab.wait("document.querySelector('.controls').innerText.includes('step 120 of 120 · finished')").await;
    lab.close().await;
}

#[tokio::test]
async fn a_machine_that_sleeps_goes_on_when_it_wakes() {
    let lab = Lab::start(false).await;
    let train = || async {
        lab.open("device=cpu&steps=200&workers=2").await;
        let note = "window.longest = 0; let last; addEventListener('peft-lab', e => {
            if (e.detail.event !== 'step') return;
            const now = performance.now();
            if (last) longest = Math.max(longest, now - last);
            last = now;
        });";
        lab.driver.execute(note, vec![]).await.unwrap();
        lab.press("Train").await;
        lab.wait("labEvents.filter(e => e.event === 'step').length > 20").await;
    };
    train().await;
    let finished = lab.event("finished").await;
    let undisturbed = lab.losses(&finished["run"]).await;
    train().await;
    // `PEFT_LAB_SLEEP` (seconds) is for those who want a night.
    let wish = std::env::var("PEFT_LAB_SLEEP").ok().and_then(|text| text.parse().ok());
    let sleep = Duration::from_secs(wish.unwrap_or(3));
    let slept = lab.machine_sleeps(sleep).await;
    let woken = lab.event("finished").await;
    let longest = lab.eval("longest / 1e3").await.as_f64().unwrap();
    assert!(!slept || longest >= sleep.as_secs_f64(), "it slept between two steps, not for {longest} s");
    assert_eq!(lab.losses(&woken["run"]).await, undisturbed);
    assert_eq!(woken["loss"], finished["loss"]);
    eprintln!("{} s of work without sleep, {} with", finished["seconds"], woken["seconds"]);
    lab.assert_clean().await;
    lab.close().await;
}
