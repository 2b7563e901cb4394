//! The page as a visitor meets it and uses it.

use e2e::Lab;
use serde_json::json;
use thirtyfour::prelude::*;

#[tokio::test]
async fn the_page_is_complete_before_any_click() {
    let lab = Lab::start(false).await;
    lab.open("").await;
    lab.wait("document.body.innerText.includes('recorded')").await;
    let text = lab.text().await;
    for part in [
        "never seen",
        "4,096",
        "of 209,664",
        "1.95 %",
        "4 blocks × 2 matrices × 4 × (64 + 64)",
        "Full fine-tuning",
        "BitFit",
        "Prompt tuning",
        "Prefix tuning",
        "Adapter",
        "Last layer",
        "rules · 0.2 M",
        "Pretrained on string rules",
        "trainable params: 4,096 || all params: 209,664 || trainable%: 1.9536",
        "base alone",
        "right answer",
    ] {
        assert!(text.contains(part), "“{part}” is not on the page:\n{text}");
    }
    assert_eq!(lab.eval("document.scrollingElement.scrollHeight <= 800").await, true, "1280 × 800 scrolls");
    assert_eq!(lab.eval("document.querySelectorAll('svg').length >= 2").await, true, "chart and drawing are there");
    let nameless = lab.eval("[...document.querySelectorAll('button, input, select')].filter(e => !(e.getAttribute('aria-label') || e.labels?.length || e.innerText.trim() || e.title)).map(e => e.outerHTML)").await;
    assert_eq!(nameless, json!([]), "controls without a name");
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn a_phone_gets_one_column_with_train_at_the_bottom() {
    let lab = Lab::start(false).await;
    lab.viewport(390, 844, true).await;
    lab.open("").await;
    assert_eq!(lab.eval("document.scrollingElement.scrollWidth").await, 390);
    let train = lab.eval("(() => { const b = [...document.querySelectorAll('button')].find(b => b.innerText.trim() === 'Train').getBoundingClientRect(); return b.top > 600 && b.bottom <= 844; })()").await;
    assert_eq!(train, true, "Train is not at the bottom");
    lab.close().await;
}

#[tokio::test]
async fn every_method_trains_on_the_cpu_from_its_address() {
    let lab = Lab::start(false).await;
    for (method, trainable) in [
        ("full", 205_568),
        ("last-layer", 1280),
        ("last-layer&rows=labels", 1024),
        ("bitfit", 2880),
        ("lora", 4096),
        ("prompt&num_virtual_tokens=10", 640),
        ("prefix", 5120),
        ("adapter", 8768),
    ] {
        lab.open(&format!("method={method}&steps=3&batch_size=8&device=cpu&run=1")).await;
        let started = lab.event("started").await;
        assert_eq!((&started["trainable"], &started["device"]), (&json!(trainable), &json!("cpu")), "{method}");
        let finished = lab.event("finished").await;
        assert_eq!((&finished["step"], &finished["n"]), (&json!(3), &json!(512)), "{method}");
        assert_eq!(lab.losses(&started["run"]).await.len(), 3, "{method}");
        lab.assert_clean().await;
    }
    lab.close().await;
}

#[tokio::test]
async fn a_run_pauses_steps_resumes_stops_and_rewinds_exactly() {
    let lab = Lab::start(false).await;
    lab.open("steps=2000&batch_size=4&device=cpu").await;
    lab.press("Train").await;
    lab.wait("labEvents.some(e => e.event === 'step' && e.step >= 3)").await;
    lab.press("Pause").await;
    let paused = lab.event("paused").await["step"].as_u64().unwrap();
    let count = "labEvents.filter(e => e.event === 'step').length";
    assert_eq!(lab.eval(count).await, paused, "steps went on after the pause");
    lab.press("Step").await;
    lab.wait("labEvents.filter(e => e.event === 'paused').length === 2").await;
    assert_eq!(lab.eval(count).await, paused + 1, "Step is one step");
    lab.press("Resume").await;
    lab.wait(&format!("labEvents.some(e => e.event === 'step' && e.step >= {})", paused + 3)).await;
    lab.press("Stop").await;
    lab.event("stopped").await;
    let run = lab.eval("labEvents.find(e => e.event === 'started').run").await;
    let first = lab.losses(&run).await;
    lab.press("Rewind").await;
    let again = lab
        .wait(
            "(() => { const s = labEvents.filter(e => e.event === 'started'); return s.length === 2 && s[1].run; })()",
        )
        .await;
    lab.wait(&format!("labEvents.filter(e => e.event === 'step' && e.run === {again}).length >= 5")).await;
    lab.press("Stop").await;
    let second = lab.losses(&again).await;
    assert_eq!(first[..5], second[..5], "the same run again");
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn a_second_method_is_drawn_over_the_first() {
    let lab = Lab::start(false).await;
    lab.open("method=lora&steps=5&batch_size=8&device=cpu&run=1").await;
    lab.event("finished").await;
    lab.driver.execute("[...document.querySelectorAll('input[type=radio]')].find(r => r.closest('label')?.innerText.includes('Adapter') || r.parentElement.innerText.includes('Adapter')).click()", vec![]).await.unwrap();
    lab.wait("location.hash.includes('method=adapter')").await;
    lab.press("Train").await;
    lab.wait("labEvents.filter(e => e.event === 'finished').length === 2").await;
    let rows =
        "[...document.querySelectorAll('tbody tr')].filter(r => r.innerText.includes('live')).map(r => r.innerText)";
    let rows = lab.wait(&format!("(() => {{ const r = {rows}; return r.length === 2 && r; }})()")).await;
    assert!(rows.to_string().contains("LoRA r 4") && rows.to_string().contains("adapter 8"), "{rows}");
    lab.close().await;
}

#[tokio::test]
async fn counts_and_address_follow_the_knobs_at_once() {
    let lab = Lab::start(false).await;
    lab.open("device=cpu").await;
    let events = lab.eval("labEvents.length").await;
    let rank =
        "document.querySelector('input[type=number][aria-label=Rank], input:not([type=range])[aria-label=Rank]')";
    let set = |value: &str| {
        format!(
            "const i = {rank} || [...document.querySelectorAll('input')].find(i => i.type !== 'range' && (i.labels?.[0]?.innerText || '').includes('Rank')); i.value = '{value}'; i.dispatchEvent(new InputEvent('input', {{bubbles: true}})); i.dispatchEvent(new Event('change', {{bubbles: true}}));"
        )
    };
    lab.driver.execute(set("16"), vec![]).await.unwrap();
    lab.wait("document.body.innerText.includes('16,384')").await;
    lab.wait("location.hash.includes('rank=16')").await;
    lab.driver
        .execute(
            "[...document.querySelectorAll('button[aria-pressed]')].find(b => b.innerText.trim() === 'fc1').click()",
            vec![],
        )
        .await
        .unwrap();
    // 16 × (64 + 256) more in each of four blocks.
    lab.wait("document.body.innerText.includes('36,864')").await;
    // An absurd value is named, and the last good one stays.
    lab.driver.execute(set("0"), vec![]).await.unwrap();
    lab.wait("[...document.querySelectorAll('[role=alert]')].some(a => a.innerText.includes('whole number'))").await;
    assert!(lab.text().await.contains("36,864"));
    assert_eq!(lab.eval("labEvents.filter(e => e.event === 'started').length").await, 0, "{events}");
    let hash = lab.eval("location.hash").await;
    lab.open(hash.as_str().unwrap().trim_start_matches('#')).await;
    assert!(lab.text().await.contains("36,864"), "{hash} does not restore the knobs");
    lab.close().await;
}

#[tokio::test]
async fn a_visitor_asks_and_uses_the_keyboard_and_hides_what_a_lecture_does_not_need() {
    let lab = Lab::start(false).await;
    lab.open("rule=reverse&steps=2000&batch_size=4&device=cpu&hide=optimizer").await;
    assert!(!lab.text().await.contains("Optimizer"));
    let input = lab.driver.find(By::Css("input[aria-label='Try your own']")).await.unwrap();
    input.send_keys("gkam").await.unwrap();
    lab.press("Ask").await;
    let item = lab.event("predicted").await["item"].clone();
    assert_eq!((&item["input"], &item["right"]), (&json!("gkam"), &json!("makg")));
    lab.driver.execute("const i = document.querySelector(\"input[aria-label='Try your own']\"); i.value = 'xyz!'; i.dispatchEvent(new InputEvent('input', {bubbles: true})); i.form.requestSubmit();", vec![]).await.unwrap();
    lab.wait("document.body.innerText.includes('letters from a to p')").await;
    lab.driver.execute("document.activeElement.blur(); document.body.dispatchEvent(new KeyboardEvent('keydown', {key: ' ', bubbles: true}))", vec![]).await.unwrap();
    lab.wait("labEvents.some(e => e.event === 'step')").await;
    lab.driver
        .execute("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: ' ', bubbles: true}))", vec![])
        .await
        .unwrap();
    lab.event("paused").await;
    lab.close().await;
}

#[tokio::test]
async fn authors_trains_on_real_sentences() {
    let lab = Lab::start(false).await;
    lab.open("task=authors&base=prose-nano&steps=2&batch_size=4&device=cpu&run=1").await;
    let finished = lab.event("finished").await;
    assert_eq!(finished["n"], 1050);
    let started = lab.event("started").await;
    assert!(started["baselines"]["bag_of_words"].as_f64().unwrap() > 0.5);
    lab.assert_clean().await;
    lab.close().await;
}
