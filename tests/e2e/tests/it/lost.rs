//! Nothing is lost on the built page: tabs that are killed, reloaded, opened twice; runs that go on, come back, leave as files.

use e2e::Lab;
use serde_json::{Value, json};
use thirtyfour::Key;

/// Catches what the page gives the visitor to keep.
const CATCH: &str = "(() => { window.kept = []; \
    HTMLElement.prototype.click = (click => function () { \
        if (this.download) fetch(this.href).then(r => r.text()).then(text => window.kept.push({name: this.download, text})); \
        else click.call(this); \
    })(HTMLElement.prototype.click); })()";

/// Steps that the page has heard of.
const HEARD: &str = "Math.max(0, ...labEvents.filter(e => e.event === 'step').map(e => e.step))";

async fn wait_for_step(lab: &Lab, step: u64) {
    lab.wait(&format!("{HEARD} >= {step}")).await;
}

/// Waits for a row of a live run that contains a text.
async fn row(lab: &Lab, part: &str) -> String {
    let row = lab.wait(&format!("labLive().find(row => row.includes({}))", json!(part))).await;
    row.as_str().unwrap_or_default().to_string()
}

async fn rows(lab: &Lab, n: usize) {
    lab.wait(&format!("labLive().length === {n}")).await;
}

/// Waits until what the browser keeps beside the runs' events is so: an expression over a list of `heads`. A page that closes at
/// once takes with it what it has not written.
async fn written(lab: &Lab, expression: &str) {
    let read = "(() => { if (window.heads) return; window.heads = []; setInterval(() => { \
        const open = indexedDB.open('peft-lab'); open.onsuccess = () => { \
            const all = open.result.transaction('heads').objectStore('heads').getAll(); \
            all.onsuccess = () => { try { window.heads = all.result.map(head => JSON.parse(head)); } catch {} open.result.close(); }; }; }, 50); })()";
    lab.eval(read).await;
    lab.wait(expression).await;
}

/// The losses of a run's steps behind one.
async fn losses_behind(lab: &Lab, run: &Value, step: u64) -> Vec<Value> {
    let losses = lab
        .eval(&format!(
            "labEvents.filter(e => e.event === 'step' && e.run === {run} && e.step > {step}).map(e => [e.step, e.loss, e.grad_norm])"
        ))
        .await;
    losses.as_array().unwrap().clone()
}

#[tokio::test]
async fn a_killed_tab_opens_again_with_all_that_was_measured_until_a_second_before() {
    let lab = Lab::start(false).await;
    lab.open("steps=100000&batch_size=4&device=cpu").await;
    lab.press("Train").await;
    lab.event("snapshot").await;
    wait_for_step(&lab, 50).await;
    lab.eval(&format!("(() => {{ window.a_second_before = [performance.now(), {HEARD}]; }})()")).await;
    lab.wait("performance.now() - a_second_before[0] >= 1000").await;
    let measured = lab.eval("a_second_before[1]").await.as_u64().unwrap();
    lab.kill_tab().await;

    // Without a word in its address the page turns to what it showed.
    lab.reopen("").await;
    let said = lab.wait("document.querySelector('.notice')?.innerText").await;
    let said = said.as_str().unwrap();
    assert!(said.contains("LoRA r 4 was cut off at step") && said.contains("of 100,000"), "{said}");
    let step: u64 = said.split("at step ").nth(1).unwrap().split(' ').next().unwrap().replace(',', "").parse().unwrap();
    assert!(step >= measured, "step {measured} was measured a second before, and {step} came back");
    row(&lab, "LoRA r 4").await;
    lab.wait("document.body.innerText.includes('of 100,000 · stopped')").await;
    assert_eq!(lab.eval("document.querySelectorAll('path.curve').length > 0").await, true);
    lab.screenshot("cut-off").await;

    // It goes on, and a second killing loses no more than the first.
    lab.press("Go on").await;
    let from = lab.event("resumed").await["step"].as_u64().unwrap();
    assert!(from > 0 && from <= step, "{from} of {step}");
    wait_for_step(&lab, step + 10).await;
    lab.press("Stop").await;
    lab.event("stopped").await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn a_run_goes_on_in_another_tab_to_the_same_curve_bit_by_bit() {
    let lab = Lab::start(false).await;
    for method in ["lora&lora_dropout=0.2", "pruning&rounds=3"] {
        lab.open(&format!("method={method}&steps=60&batch_size=64&device=cpu")).await;
        lab.press("Train").await;
        wait_for_step(&lab, 25).await;
        lab.press("Pause").await;
        let paused = lab.event("paused").await["step"].as_u64().unwrap();
        lab.control("Resume").await;
        written(&lab, "heads.some(head => head.bytes)").await;
        lab.kill_tab().await;
        lab.reopen(&format!("method={method}&steps=60&batch_size=64&device=cpu")).await;
        lab.press("Go on").await;
        assert_eq!(lab.event("resumed").await["step"], paused, "{method}");
        let finished = lab.event("finished").await;
        lab.press("Rewind").await;
        lab.wait("labEvents.filter(e => e.event === 'finished').length === 2").await;
        let again = lab.eval("labEvents.filter(e => e.event === 'finished')[1]").await;
        assert_eq!((&finished["loss"], &finished["accuracy"]), (&again["loss"], &again["accuracy"]), "{method}");
        let (broken, whole) =
            (losses_behind(&lab, &finished["run"], paused).await, losses_behind(&lab, &again["run"], paused).await);
        assert_eq!(broken.len() as u64, 60 - paused, "{method}");
        assert_eq!(broken, whole, "{method}");
        lab.assert_clean().await;
    }
    lab.close().await;
}

#[tokio::test]
async fn a_stopped_run_goes_on_and_a_reloaded_one_answers() {
    let lab = Lab::start(false).await;
    lab.open("steps=5000&batch_size=4&device=cpu").await;
    lab.press("Train").await;
    wait_for_step(&lab, 5).await;
    lab.press("Stop").await;
    let stopped = lab.event("stopped").await["step"].as_u64().unwrap();
    lab.press("Go on with LoRA r 4").await;
    assert_eq!(lab.event("resumed").await["step"], stopped);
    wait_for_step(&lab, stopped + 5).await;
    lab.press("Stop").await;
    lab.wait("labEvents.filter(e => e.event === 'stopped').length === 2").await;
    lab.control("Go on with LoRA r 4").await;

    // After a reload its φ answers, is dialled and saved.
    lab.reopen("steps=5000&batch_size=4&device=cpu").await;
    row(&lab, "LoRA r 4").await;
    lab.wait("!!document.getElementById('dial')").await;
    let dial = "(v => { const d = document.getElementById('dial'); d.value = v; d.dispatchEvent(new Event('input', {bubbles: true})); })";
    lab.eval(&format!("{dial}(0)")).await;
    lab.event("dialled").await;
    lab.eval(CATCH).await;
    lab.press("Save run").await;
    let saved = lab.wait("kept[0]").await;
    assert_eq!(saved["name"], "rules-swap-ends.rotate-left-lora-r-4-batch_size-4-steps-5000-seed-0.jsonl");
    assert!(saved["text"].as_str().unwrap().contains("\"event\":\"phi\""));
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn what_was_removed_comes_back_by_keyboard_and_stays_away_otherwise() {
    let lab = Lab::start(false).await;
    lab.open("method=ia3&steps=3&batch_size=4&device=cpu&run=1").await;
    lab.event("finished").await;
    lab.wait("labEvents.some(e => e.event === 'snapshot')").await;
    let by_key = "(() => { labControl('Remove (IA)³').focus(); })()";
    lab.control("Remove (IA)³").await;
    lab.eval(by_key).await;
    lab.driver.action_chain().send_keys(Key::Enter).perform().await.unwrap();
    rows(&lab, 0).await;
    lab.wait("document.activeElement?.innerText === 'Undo'").await;
    lab.screenshot("undo").await;
    lab.driver.action_chain().send_keys(Key::Enter).perform().await.unwrap();
    rows(&lab, 1).await;
    // By the key that undoes everywhere.
    lab.press("Remove (IA)³").await;
    rows(&lab, 0).await;
    lab.eval("document.activeElement.blur()").await;
    lab.driver.action_chain().key_down(Key::Control).send_keys("z").key_up(Key::Control).perform().await.unwrap();
    rows(&lab, 1).await;
    written(&lab, "heads.some(head => head.bytes && !head.removed)").await;
    lab.reopen("method=ia3&steps=3&batch_size=4&device=cpu").await;
    rows(&lab, 1).await;
    lab.press("Remove (IA)³").await;
    rows(&lab, 0).await;
    lab.control("Undo").await;
    written(&lab, "heads.some(head => head.removed)").await;
    lab.reopen("method=ia3&steps=3&batch_size=4&device=cpu").await;
    // What was kept has been read where the page keeps what it shows.
    lab.press("Loss").await;
    lab.wait("labEvents.some(e => e.event === 'ready')").await;
    assert_eq!(lab.eval("labLive().length").await, 0);
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn two_tabs_show_each_other_s_runs_and_write_only_their_own() {
    let lab = Lab::start(false).await;
    let first = lab.driver.window().await.unwrap();
    lab.open("method=lora&steps=100000&batch_size=4&device=cpu").await;
    lab.press("Train").await;
    wait_for_step(&lab, 5).await;
    let second = lab.another_tab().await;
    lab.reopen("method=ia3&steps=3&batch_size=4&device=cpu").await;
    lab.wait("document.body.innerText.includes('in another tab')").await;
    assert_eq!(lab.eval("!!labControl('Remove LoRA r 4') || !!labControl('Go on with LoRA r 4')").await, false);
    // It draws on.
    let told = "document.querySelector('.progress').innerText";
    lab.wait(&format!("{told}.includes('in another tab')")).await;
    let before = lab.eval(told).await;
    lab.wait(&format!("{told} !== {before}")).await;
    lab.screenshot("another-tab").await;
    lab.press("Train").await;
    lab.event("finished").await;
    lab.turn_to(&first).await;
    row(&lab, "(IA)³").await;
    let step = lab.eval(HEARD).await.as_u64().unwrap();
    wait_for_step(&lab, step + 5).await;
    lab.driver.close_window().await.unwrap();
    lab.turn_to(&second).await;
    // Nobody trains it now: it can go on here.
    lab.press("Go on with LoRA r 4").await;
    let from = lab.event("resumed").await["step"].as_u64().unwrap();
    wait_for_step(&lab, from + 5).await;
    lab.press("Stop").await;
    lab.event("stopped").await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn all_runs_leave_in_one_file_and_several_files_open_at_once() {
    let lab = Lab::start(false).await;
    lab.open("method=lora&rank=1&steps=4&batch_size=4&device=cpu&run=1").await;
    lab.event("finished").await;
    lab.eval("location.hash = '#method=lora&rank=8&steps=4&batch_size=4&device=cpu&run=1'").await;
    lab.wait("labEvents.filter(e => e.event === 'finished').length === 2").await;
    lab.eval(CATCH).await;
    lab.press("Save all").await;
    let all = lab.wait("kept[0]").await;
    assert_eq!(all["name"], "peft-lab-2-runs.jsonl");
    lab.press("Save run").await;
    let one = lab.wait("kept[1]").await;
    assert_eq!(one["name"], "rules-swap-ends.rotate-left-lora-r-8-batch_size-4-steps-4-seed-0.jsonl");
    lab.press("Remove all").await;
    rows(&lab, 0).await;
    lab.press("Dismiss").await;
    let bytes = |file: &Value| file["text"].as_str().unwrap().as_bytes().to_vec();
    lab.drop_files(&[("all.jsonl", bytes(&all)), ("one.jsonl", bytes(&one))]).await;
    rows(&lab, 3).await;
    row(&lab, "LoRA r 1").await;
    lab.wait("!!document.getElementById('dial')").await;
    written(&lab, "heads.length === 3 && heads.every(head => head.bytes)").await;
    lab.reopen("method=lora&steps=4&batch_size=4&device=cpu").await;
    rows(&lab, 3).await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn where_nothing_can_be_kept_it_is_said_once_and_all_else_works() {
    let lab = Lab::start(false).await;
    lab.before_scripts("Object.defineProperty(window, 'indexedDB', {get() { return undefined; }});").await;
    lab.open("method=ia3&steps=3&batch_size=4&device=cpu").await;
    lab.press("Train").await;
    lab.event("finished").await;
    lab.wait("document.querySelector('.notice')?.innerText.includes('This browser keeps nothing for this page')").await;
    lab.press("Dismiss").await;
    lab.press("Train").await;
    lab.wait("labEvents.filter(e => e.event === 'finished').length === 2").await;
    assert_eq!(lab.eval("document.querySelectorAll('.notice').length").await, 0, "once");
    assert_eq!(lab.count("snapshot").await, 0, "nobody keeps them");
    lab.eval(CATCH).await;
    lab.press("Save run").await;
    lab.wait("kept.length === 1").await;
    assert_eq!(lab.eval("labErrors").await, json!([]));
    lab.close().await;
}

/// Changes what the browser keeps: `change` gets the object store of heads.
async fn meddle(lab: &Lab, change: &str) {
    let script = format!(
        "(() => {{ window.meddled = false; const open = indexedDB.open('peft-lab'); open.onsuccess = () => {{ \
            const write = open.result.transaction(['heads'], 'readwrite'); const heads = write.objectStore('heads'); \
            {change}; write.oncomplete = () => {{ open.result.close(); window.meddled = true; }}; }}; }})()"
    );
    lab.eval(&script).await;
    lab.wait("window.meddled").await;
}

#[tokio::test]
async fn what_cannot_be_read_is_left_aside_with_a_sentence() {
    let lab = Lab::start(false).await;
    lab.open("method=ia3&steps=3&batch_size=4&device=cpu&run=1").await;
    lab.event("snapshot").await;
    lab.wait("labEvents.some(e => e.event === 'finished')").await;
    written(&lab, "heads.some(head => head.bytes)").await;
    // Beside the run there are three that this page cannot know.
    meddle(
        &lab,
        "heads.put('{\"schema\":7,\"tab\":\"x\"}', 'from-tomorrow'); heads.put('no JSON', 'torn'); heads.put(3, 'odd')",
    )
    .await;
    lab.reopen("method=ia3&steps=3&batch_size=4&device=cpu").await;
    let said = lab.alert("3 runs that this browser keeps cannot be read").await;
    assert!(said.contains("left aside"), "{said}");
    row(&lab, "(IA)³").await;
    lab.press("Train").await;
    lab.event("finished").await;
    // Those that were left aside are still there.
    lab.reopen("method=ia3").await;
    lab.alert("3 runs that this browser keeps cannot be read").await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn a_store_that_fills_asks_before_the_oldest_go() {
    let lab = Lab::start(false).await;
    lab.before_scripts(
        "if (navigator.storage) navigator.storage.estimate = async () => ({usage: 95e6, quota: 100e6});",
    )
    .await;
    lab.open("method=ia3&steps=3&batch_size=4&device=cpu&run=1").await;
    lab.event("finished").await;
    lab.eval("location.hash = '#method=lora&steps=3&batch_size=4&device=cpu&run=1'").await;
    lab.wait("labEvents.filter(e => e.event === 'finished').length === 2").await;
    written(&lab, "heads.length === 2 && heads.every(head => head.bytes)").await;
    lab.reopen("method=lora&steps=3&batch_size=4&device=cpu&seed=5&run=1").await;
    lab.event("finished").await;
    let said = lab.alert("This browser gives the page 100 MB, and 95 MB of it are used").await;
    assert!(said.contains("(IA)³, LoRA r 4") && said.contains("cannot be undone"), "{said}");
    rows(&lab, 3).await;
    lab.screenshot("room").await;
    lab.press("Make room").await;
    rows(&lab, 1).await;
    written(&lab, "heads.length === 1 && heads[0].bytes").await;
    lab.reopen("method=lora&steps=3&batch_size=4&device=cpu").await;
    rows(&lab, 1).await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn undo_holds_even_where_the_tab_ends_in_the_same_moment() {
    let lab = Lab::start(false).await;
    lab.open("method=ia3&steps=3&batch_size=4&device=cpu&run=1").await;
    lab.event("finished").await;
    written(&lab, "heads.some(head => head.bytes)").await;
    for _ in 0..3 {
        lab.press("Remove (IA)³").await;
        rows(&lab, 0).await;
        written(&lab, "heads.some(head => head.removed)").await;
        // The page turns away in the turn after the press.
        lab.eval("(() => { labControl('Undo').click(); setTimeout(() => location.replace('about:blank'), 0); })()")
            .await;
        lab.wait("location.href === 'about:blank'").await;
        lab.reopen("method=ia3&steps=3&batch_size=4&device=cpu").await;
        rows(&lab, 1).await;
    }
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn a_damaged_snapshot_is_told_and_the_run_trained_again_by_one_press() {
    let lab = Lab::start(false).await;
    lab.open("method=ia3&steps=500&batch_size=4&device=cpu").await;
    lab.press("Train").await;
    wait_for_step(&lab, 5).await;
    lab.press("Stop").await;
    lab.event("stopped").await;
    written(&lab, "heads.some(head => head.bytes && !head.live)").await;
    let damage = "(() => { window.meddled = false; const open = indexedDB.open('peft-lab'); open.onsuccess = () => { \
        const write = open.result.transaction('states', 'readwrite'), states = write.objectStore('states'); \
        states.openCursor().onsuccess = e => { const c = e.target.result; if (c) { c.update(c.value.slice(0, c.value.length / 2)); c.continue(); } }; \
        write.oncomplete = () => { open.result.close(); window.meddled = true; }; }; })()";
    lab.eval(damage).await;
    lab.wait("window.meddled").await;
    lab.reopen("method=ia3&steps=500&batch_size=4&device=cpu").await;
    let said = lab.alert("What is kept of (IA)³ at step").await;
    assert!(said.contains("Its curve stays") && said.matches("cannot be used").count() == 1, "{said}");
    lab.press("Train it again").await;
    assert_eq!(lab.event("finished").await["step"], 500);
    rows(&lab, 2).await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn without_locks_a_run_of_another_tab_is_left_alone_until_that_is_closed() {
    let lab = Lab::start(false).await;
    let no_locks = "Object.defineProperty(Navigator.prototype, 'locks', {get() { return undefined; }});";
    let first = lab.driver.window().await.unwrap();
    lab.before_scripts(no_locks).await;
    lab.open("method=lora&steps=100000&batch_size=4&device=cpu").await;
    lab.press("Train").await;
    wait_for_step(&lab, 5).await;
    let second = lab.another_tab().await;
    lab.before_scripts(no_locks).await;
    lab.reopen("method=ia3&steps=3&batch_size=4&device=cpu").await;
    lab.wait("document.body.innerText.includes('in another tab')").await;
    assert_eq!(lab.eval("!!labControl('Remove LoRA r 4') || !!labControl('Go on with LoRA r 4')").await, false);
    lab.turn_to(&first).await;
    lab.driver.close_window().await.unwrap();
    lab.turn_to(&second).await;
    lab.press("Go on with LoRA r 4").await;
    let from = lab.event("resumed").await["step"].as_u64().unwrap();
    wait_for_step(&lab, from + 5).await;
    lab.press("Stop").await;
    lab.event("stopped").await;
    lab.assert_clean().await;
    lab.close().await;
}
