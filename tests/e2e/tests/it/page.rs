//! The page before training: what it shows, how its controls, its address and its keys behave.

use e2e::Lab;
use serde_json::json;
use thirtyfour::prelude::*;

#[tokio::test]
async fn the_page_is_complete_before_any_click() {
    let lab = Lab::start(false).await;
    lab.open("").await;
    let recorded = lab.server.manifest()["files"].as_object().unwrap().keys().any(|name| name.starts_with("runs/"));
    if recorded {
        lab.wait("[...document.querySelectorAll('tbody tr')].some(r => r.innerText.includes('recorded'))").await;
        lab.wait("document.querySelectorAll('path.curve').length >= 1").await;
    }
    let text = lab.text().await;
    for part in [
        "never seen",
        "4,096",
        "of 209,664",
        "1.95 %",
        "4 blocks × 2 matrices × 4 × (64 + 64)",
        "Full fine-tuning",
        "BitFit",
        "DoRA",
        "Random subspace",
        "Baselines",
        "Input composition",
        "Function composition",
        "Export adapter",
        "rules · 0.2 M",
        "Pretrained on string rules",
        "trainable params: 4,096 || all params: 209,664 || trainable%: 1.9536",
        "base alone",
        "right answer",
    ] {
        assert!(text.contains(part), "“{part}” is not on the page:\n{text}");
    }
    let examples = "document.querySelectorAll('[aria-label=Examples] .row:not(.head):not(.own)').length";
    assert_eq!(lab.eval(examples).await, 3, "held-out examples");
    assert_eq!(lab.eval("document.scrollingElement.scrollHeight <= 800").await, true, "1280 × 800 scrolls");
    assert_eq!(lab.eval("document.querySelectorAll('svg').length >= 2").await, true, "chart and drawing are there");
    assert_eq!(lab.count("started").await + lab.count("step").await, 0, "something trains unasked");
    lab.screenshot("opened").await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn every_control_has_a_name_of_its_own_and_a_visible_focus() {
    let lab = Lab::start(false).await;
    for hash in ["", "method=prompt&init=text&init_text=answer:", "method=adapter", "task=authors&base=prose-nano"] {
        lab.open(hash).await;
        lab.press("Optimizer").await;
        // As the browser tells it to a screen reader.
        let tree = lab.driver.cdp().send_raw("Accessibility.getFullAXTree", json!({})).await.unwrap();
        let mut names = Vec::new();
        for node in tree["nodes"].as_array().unwrap() {
            let focusable = node["properties"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|p| p["name"] == "focusable" && p["value"]["value"] == true);
            let role = node["role"]["value"].as_str().unwrap_or_default();
            if focusable && node["ignored"] == false && !["RootWebArea", "MenuListPopup", "option"].contains(&role) {
                let name = node["name"]["value"].as_str().unwrap_or_default().to_string();
                assert!(!name.is_empty(), "{hash}: a control without a name: {node}");
                names.push(format!("{role} {name}"));
            }
        }
        let radio = if hash.contains("prompt") {
            "radio Prompt tuning"
        } else if hash.contains("adapter") {
            "radio Adapter"
        } else {
            "radio LoRA"
        };
        for name in ["button Train", "button Step", radio, "textbox Learning rate", "combobox Device"] {
            assert!(names.iter().any(|n| n == name), "{hash}: no {name} among {names:?}");
        }
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count, "{hash}: two controls share a name: {names:?}");
    }
    lab.open("").await;
    for _ in 0..12 {
        lab.driver.action_chain().send_keys(Key::Tab).perform().await.unwrap();
        let ring = "(() => { const e = document.activeElement, ring = n => n && (getComputedStyle(n).outlineStyle !== 'none' || getComputedStyle(n).boxShadow !== 'none'); return ring(e) || ring(e.closest('label')) || e.outerHTML; })()";
        assert_eq!(lab.eval(ring).await, true, "no visible focus");
    }
    lab.close().await;
}

#[tokio::test]
async fn a_phone_gets_one_column_with_the_chart_high_up_and_train_at_the_bottom() {
    let lab = Lab::start(false).await;
    lab.viewport(390, 844, true).await;
    for hash in ["", "task=authors&base=prose-nano&method=prefix", "method=adapter&lr=7&rank=3"] {
        lab.open(hash).await;
        assert_eq!(lab.eval("document.scrollingElement.scrollWidth").await, 390, "{hash} scrolls sideways");
        for (name, least) in [("Train", 44.0), ("Step", 40.0)] {
            let place = lab.eval(&format!("labControl('{name}').getBoundingClientRect()")).await;
            let side = |side: &str| place[side].as_f64().unwrap();
            assert!(side("top") > 600.0 && side("bottom") <= 844.0, "{name} is not at the bottom: {place}");
            assert!(side("height") >= least, "{name} is too low for a thumb: {place}");
        }
        lab.eval("scrollTo(0, 1e6)").await;
        let bottom = lab.eval("labControl('Train').getBoundingClientRect().bottom <= 844").await;
        assert_eq!(bottom, true, "Train scrolls away");
    }
    lab.open("").await;
    let chart = lab.eval("document.querySelector('.chart').getBoundingClientRect().top < 600").await;
    assert_eq!(chart, true, "the chart is far down");
    lab.screenshot("phone").await;
    lab.close().await;
}

#[tokio::test]
async fn on_a_projector_nothing_is_cut() {
    let lab = Lab::start(false).await;
    // Too few steps to learn anything: the page says so under the chart.
    for hash in ["rule=cipher&method=bitfit", "task=authors&base=prose-nano&method=prompt&lr=1e-7"] {
        lab.viewport(1280, 800, false).await;
        lab.open(&format!("{hash}&steps=2&device=cpu&run=1")).await;
        lab.wait("document.querySelector('.verdict')").await;
        lab.press("Present").await;
        for (width, height) in [(1920, 1080), (1280, 720), (1024, 768)] {
            lab.viewport(width, height, false).await;
            let seen = lab
                .wait(
                    "(() => { const at = s => document.querySelector(s).getBoundingClientRect(); \
                     const verdict = document.querySelector('.verdict'), box = at('.verdict'), runs = document.querySelector('.runs'); \
                     const corners = [[box.left + 4, box.top + 2], [box.left + 4, box.bottom - 2], [box.right - 2, box.bottom - 2]]; \
                     return innerWidth && { \
                       shown: corners.every(([x, y]) => document.elementFromPoint(x, y) === verdict), \
                       edges: [at('.chart').bottom, box.top, box.bottom, at('.runs').top, at('.runs').bottom, at('.band').top, \
                               at('.band').bottom, at('.controls').top, at('.controls').bottom, innerHeight], \
                       chart: at('.chart').height, hidden: runs.scrollHeight - runs.clientHeight, \
                       beyond: document.scrollingElement.scrollHeight - innerHeight, aside: document.scrollingElement.scrollWidth - innerWidth \
                     }; })()",
                )
                .await;
            let where_ = format!("{hash} at {width} × {height}: {seen}");
            let edges: Vec<f64> = seen["edges"].as_array().unwrap().iter().map(|edge| edge.as_f64().unwrap()).collect();
            assert!(edges.is_sorted_by(|above, below| *above <= *below + 1.0), "{where_}");
            assert_eq!(edges.last(), Some(&f64::from(height)), "{where_}");
            assert_eq!(seen["shown"], true, "something lies over the verdict, {where_}");
            assert!(seen["chart"].as_f64().unwrap() >= 150.0, "{where_}");
            for what in ["hidden", "beyond", "aside"] {
                assert!(seen[what].as_f64().unwrap() <= 1.0, "{what}, {where_}");
            }
            lab.screenshot(&format!("projector-{width}-{}", hash.len())).await;
        }
    }
    lab.close().await;
}

#[tokio::test]
async fn counts_and_address_follow_the_knobs_at_once() {
    let lab = Lab::start(false).await;
    lab.open("device=cpu").await;
    let count = |n: &str| format!("document.querySelector('.count .number').innerText === '{n}'");
    lab.type_into("Rank", "16").await;
    lab.wait(&count("16,384")).await;
    lab.wait("location.hash.includes('rank=16')").await;
    // 16 × (64 + 256) more in each of four blocks.
    lab.press("fc1").await;
    lab.wait(&count("36,864")).await;
    // An absurd value is named, and the last good one stays.
    lab.type_into("Rank", "0").await;
    lab.alert("whole number").await;
    assert_eq!(lab.eval(&count("36,864")).await, true);
    lab.type_into("Rank", "8").await;
    lab.wait(&count("18,432")).await;
    lab.wait("labAlert() === ''").await;
    lab.choose("Adapter").await;
    lab.wait(&count("8,768")).await;
    lab.choose("LoRA").await;
    lab.wait(&count("18,432")).await;
    assert_eq!(lab.count("started").await, 0, "a knob started a run");
    let loaded = lab.eval("labEvents.filter(e => e.event === 'loading' && e.of > 0 && e.done === e.of).length").await;
    assert_eq!(loaded, 1, "a knob loaded something: the one is the base, fetched ahead");
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn the_address_holds_every_setting_and_gives_it_back() {
    let lab = Lab::start(false).await;
    lab.open("").await;
    lab.choose("Adapter").await;
    lab.type_into("Bottleneck", "12").await;
    lab.select("Placement", "mlp").await;
    lab.press("Optimizer").await;
    for (name, text) in [("Learning rate", "0.007"), ("Batch size", "24"), ("Steps", "77"), ("Seed", "5")] {
        lab.type_into(name, text).await;
    }
    lab.select("Device", "cpu").await;
    lab.select("Rule", "cipher").await;
    lab.wait("location.hash.includes('rule=cipher')").await;
    let hash = lab.eval("location.hash").await.as_str().unwrap().to_string();
    for pair in [
        "method=adapter",
        "bottleneck=12",
        "placement=mlp",
        "lr=0.007",
        "batch_size=24",
        "steps=77",
        "seed=5",
        "device=cpu",
    ] {
        assert!(hash.contains(pair), "no {pair} in {hash}");
    }
    let read = "[...document.querySelectorAll('input:not([type=radio]), select')].map(e => [e.id, e.value]).concat([['count', document.querySelector('.count').innerText]])";
    let before = lab.eval(read).await;
    lab.driver.refresh().await.unwrap();
    lab.event("ready").await;
    assert_eq!(lab.eval("location.hash").await, json!(hash));
    assert_eq!(lab.eval(read).await, before, "a reload changed the settings");
    // An address that is edited by hand is read without a reload.
    lab.eval("location.hash = '#method=bitfit&seed=9'").await;
    lab.wait("document.querySelector('.count .number').innerText === '2,880'").await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn sections_named_by_hide_are_not_there() {
    let lab = Lab::start(false).await;
    lab.open("hide=optimizer,task,method,knobs,examples&device=cpu&steps=2&batch_size=4").await;
    let text = lab.text().await;
    for part in ["Optimizer", "Last layer", "Rank", "right answer", "Pretrained on"] {
        assert!(!text.contains(part), "“{part}” was to be hidden:\n{text}");
    }
    lab.press("Train").await;
    lab.event("finished").await;
    assert_eq!(
        lab.eval("location.hash.includes('hide=optimizer,task')").await,
        true,
        "the address forgot what it hides"
    );
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn a_string_of_ones_own_is_answered_and_a_bad_one_explained() {
    let lab = Lab::start(false).await;
    lab.open("rule=reverse&device=cpu").await;
    lab.type_into("Try your own", "gkam").await;
    lab.press("Ask").await;
    let item = lab.event("predicted").await["item"].clone();
    assert_eq!((&item["input"], &item["right"]), (&json!("gkam"), &json!("makg")));
    for bad in ["xyz!", "gka", ""] {
        lab.type_into("Try your own", bad).await;
        lab.driver.action_chain().send_keys(Key::Enter).perform().await.unwrap();
        lab.alert("letters from a to p").await;
    }
    assert_eq!(lab.count("predicted").await, 1);
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn keys_start_pause_step_rewind_and_help() {
    let lab = Lab::start(false).await;
    lab.open("steps=5000&batch_size=4&device=cpu").await;
    lab.key(" ").await;
    lab.event("step").await;
    // The page may still be a frame behind, and show a run on its way: the key pauses it all the same.
    lab.key(" ").await;
    let paused = lab.event("paused").await["step"].as_u64().unwrap();
    // A person presses a key when the page shows what it does; events are ahead of the page by a frame.
    lab.control("Resume").await;
    lab.key("s").await;
    lab.wait("labEvents.filter(e => e.event === 'paused').length === 2").await;
    assert_eq!(lab.count("step").await, paused + 1);
    lab.control("Resume").await;
    lab.key(" ").await;
    lab.event("resumed").await;
    lab.key("r").await;
    lab.wait("labEvents.filter(e => e.event === 'started').length === 2").await;
    // At once behind the first one, and on whatever its run does then.
    lab.key(" ").await;
    lab.wait("labEvents.filter(e => e.event === 'paused').length === 3").await;
    lab.key("?").await;
    lab.wait("document.querySelector('dialog[aria-label=Help]').open").await;
    lab.driver.action_chain().send_keys(Key::Escape).perform().await.unwrap();
    lab.wait("!document.querySelector('dialog[aria-label=Help]').open").await;
    // Keys typed into a field stay there.
    let started = lab.count("started").await;
    lab.type_into("Try your own", "rs r").await;
    assert_eq!(lab.eval("document.querySelector('.own input').value").await, "rs r");
    assert_eq!(lab.count("started").await, started);
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn what_is_unfolded_below_is_scrolled_to() {
    let lab = Lab::start(false).await;
    // “More” opens by itself for a setting in the address: the page stays where it is.
    lab.open("method=lora&lora_dropout=0.1&device=cpu").await;
    lab.wait("document.querySelector('details.more').open && document.querySelector('.settings').scrollHeight > 0")
        .await;
    lab.eval("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))").await;
    assert_eq!(lab.eval("[scrollY, document.querySelector('.settings').scrollTop]").await, json!([0, 0]));
    lab.open("method=sparse&device=cpu").await;
    lab.press("Optimizer").await;
    let seen = "(() => { const field = labControl('Learning rate'), at = field.getBoundingClientRect(); \
        return field.contains(document.elementFromPoint(at.x + 5, at.y + 5)); })()";
    lab.wait(seen).await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn the_cost_of_a_method_is_known_before_training_and_beside_what_was_counted() {
    let lab = Lab::start(false).await;
    lab.open("device=cpu&steps=5").await;
    let bars = lab.eval("document.querySelectorAll('.beside .stacked').length").await;
    assert_eq!(bars, 2, "LoRA and full fine-tuning");
    lab.driver.find(By::Css(".beside")).await.unwrap().click().await.unwrap();
    let text = lab.eval("document.querySelector('dialog.costs').innerText").await.to_string();
    for part in
        ["Memory to train", "AdamW’s two moments", "4.37 MB", "cached keys and values", "φ of 100 tasks", "1.64 MB"]
    {
        assert!(text.contains(part), "“{part}” is not in {text}");
    }
    lab.select("On", "opt-6.7b").await;
    lab.wait("document.querySelector('dialog.costs').innerText.includes('each model’s config.json')").await;
    let text = lab.eval("document.querySelector('dialog.costs').innerText").await.to_string();
    for part in ["26.6 GB", "30.5 GB at the most", "108 GB at the most", "80 GB"] {
        assert!(text.contains(part), "“{part}” is not in {text}");
    }
    // A method that has nothing to train on a model is told, and the other one is still shown.
    lab.select("Beside", "bitfit").await;
    lab.select("On", "llama-3.2-1b").await;
    lab.wait("document.querySelector('dialog.costs .fault')?.innerText.startsWith('BitFit: This base has no biases')")
        .await;
    let text = lab.eval("document.querySelector('dialog.costs').innerText").await.to_string();
    assert!(text.contains("4.94 GB"), "θ of 1.24 billion parameters is not in {text}");
    lab.select("On", "opt-6.7b").await;
    lab.select("Beside", "prompt").await;
    lab.wait("document.querySelector('dialog.costs').innerText.includes('what stands in front')").await;
    lab.select("On", "").await;
    lab.driver.action_chain().send_keys(Key::Escape).perform().await.unwrap();
    lab.wait("!document.querySelector('dialog.costs').open").await;

    lab.press("Train").await;
    let finished = lab.event("finished").await;
    // The same code on a 32-bit machine: what Burn keeps about tensors is smaller, the tensors are not.
    let peak = finished["peak"].as_f64().unwrap();
    assert!((peak / 4.37e6 - 1.0).abs() < 0.15, "{peak} bytes counted");
    lab.driver.find(By::Css(".beside")).await.unwrap().click().await.unwrap();
    lab.wait("document.querySelector('dialog.costs').innerText.includes('counted here')").await;
    lab.screenshot("costs").await;
    lab.assert_clean().await;
    lab.close().await;
}
