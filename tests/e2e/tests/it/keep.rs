//! The φ of a run on the built page: swapped, dialled, saved, exported, opened again; methods that train together.

use e2e::Lab;
use serde_json::json;

/// Catches what the page gives the visitor to keep.
const CATCH: &str = "(() => { window.kept = []; \
    HTMLElement.prototype.click = (click => function () { \
        if (this.download) fetch(this.href).then(r => r.arrayBuffer()).then(b => window.kept.push({name: this.download, bytes: Array.from(new Uint8Array(b))})); \
        else click.call(this); \
    })(HTMLElement.prototype.click); })()";

/// Chooses files that were caught, by name, in the page's file input; `cut` of their bytes.
fn choose(names: &[&str], cut: &str) -> String {
    format!(
        "(() => {{ const data = new DataTransfer(); \
            for (const name of {names:?}) {{ \
                const k = window.kept.find(k => k.name.endsWith(name)); \
                data.items.add(new File([new Uint8Array(k.bytes){cut}], k.name)); \
            }} \
            const input = document.querySelector('input[type=file]'); input.files = data.files; \
            input.dispatchEvent(new Event('change', {{bubbles: true}})); }})()"
    )
}

#[tokio::test]
async fn a_trained_phi_is_dialled_saved_exported_and_opened_again() {
    let lab = Lab::start(false).await;
    lab.open("method=lora&steps=25&device=cpu").await;
    lab.eval(CATCH).await;
    lab.press("Train").await;
    let finished = lab.event("finished").await;

    // λ = 0 is the base alone, λ = 1 the run.
    let dial = "(v => { const d = document.getElementById('dial'); d.value = v; d.dispatchEvent(new Event('input', {bubbles: true})); })";
    lab.wait("!!document.getElementById('dial')").await;
    lab.eval(&format!("{dial}(0)")).await;
    lab.wait("labEvents.some(e => e.event === 'dialled' && e.lambda === 0)").await;
    lab.eval(&format!("{dial}(20)")).await;
    lab.wait("labEvents.some(e => e.event === 'dialled' && e.lambda === 1)").await;
    let ends = lab
        .eval("['0', '1'].map(l => labEvents.find(e => e.event === 'dialled' && String(e.lambda) === l).accuracy)")
        .await;
    let live = lab.eval("labEvents.filter(e => e.event === 'evaluated').map(e => e.accuracy)").await;
    let live = live.as_array().unwrap();
    assert_eq!(ends, json!([live[0], live[live.len() - 1]]), "{finished}");

    lab.press("Save run").await;
    lab.wait("kept.some(k => k.name.endsWith('.jsonl'))").await;
    lab.press("Export adapter").await;
    lab.wait("kept.some(k => k.name.endsWith('.safetensors'))").await;

    lab.press("Merge").await;
    lab.wait("kept.some(k => k.name === 'model.safetensors')").await;
    lab.wait("document.body.innerText.includes('is folded into θ')").await;
    assert_eq!(lab.eval("labEvents.find(e => e.event === 'merged').difference < 1e-4").await, json!(true));

    // A file that is cut short says so and leaves the runs as they were.
    lab.eval(&choose(&["adapter_config.json", "adapter_model.safetensors"], ".slice(0, 300)")).await;
    lab.wait("document.body.innerText.includes('not readable') || document.body.innerText.includes('cut short')").await;
    assert_eq!(lab.eval("document.querySelectorAll('.runs .badge.live').length").await, json!(1));
    lab.eval(&choose(&[".jsonl"], ".slice(0, 100)")).await;
    lab.wait("document.body.innerText.includes('cannot be opened')").await;

    // Whole, the adapter is scored on all held-out examples as the run was, and the run comes back with its curve.
    lab.eval(&choose(&["adapter_config.json", "adapter_model.safetensors"], "")).await;
    lab.wait("labEvents.filter(e => e.event === 'finished').length === 2").await;
    let both = lab.eval("labEvents.filter(e => e.event === 'finished').map(e => e.accuracy)").await;
    assert_eq!(both[0], both[1]);
    lab.eval(&choose(&[".jsonl"], "")).await;
    lab.wait("document.querySelectorAll('.runs .badge.live').length === 3").await;
    lab.close().await;
}

#[tokio::test]
async fn several_phi_answer_on_one_theta() {
    let lab = Lab::start(false).await;
    lab.open("method=lora&steps=25&device=cpu&run=1").await;
    lab.event("finished").await;
    lab.eval("location.hash = '#rule=reverse&method=ia3&steps=25&device=cpu&run=1'").await;
    lab.wait("labEvents.filter(e => e.event === 'finished').length === 2").await;
    lab.wait("document.body.innerText.includes('2 φ on one θ')").await;
    let ask = |n: usize| format!("labEvents.filter(e => e.event === 'predicted').length === {n}");
    lab.type_into("Try your own", "abcd").await;
    lab.press("Ask").await;
    lab.wait(&ask(1)).await;
    // Back to the first task: its φ answers, and nothing is loaded or trained again.
    let loads = lab.count("loading").await;
    lab.eval("location.hash = '#method=lora&steps=25&device=cpu'").await;
    lab.wait("location.hash.includes('method=lora')").await;
    lab.type_into("Try your own", "abcd").await;
    lab.press("Ask").await;
    lab.wait(&ask(2)).await;
    let runs = lab.eval("labEvents.filter(e => e.event === 'predicted').map(e => e.run)").await;
    assert_eq!(runs, json!([2, 1]));
    assert_eq!(lab.count("loading").await, loads);
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn methods_join_and_what_cannot_join_says_why() {
    let lab = Lab::start(false).await;
    lab.open("method=lora&steps=3&batch_size=8&device=cpu").await;
    lab.press("Combine with BitFit").await;
    lab.wait("location.hash.includes('method=lora,bitfit')").await;
    let refused = lab.eval("document.querySelector('[aria-label=\"Combine with DoRA\"]').title").await;
    assert!(refused.as_str().unwrap().contains("both change W_Q of block 1"), "{refused}");
    lab.press("Train").await;
    let started = lab.event("started").await;
    assert_eq!(started["trainable"], json!(4096 + 2880));
    lab.event("finished").await;
    lab.press("Python").await;
    lab.wait("document.querySelector('dialog.python[open] pre').innerText.includes('LoraConfig')").await;
    // The base has OPT's layout: what GPT-2's would change is not said.
    let said = lab.eval("document.querySelector('dialog.python[open]').innerText").await;
    assert!(!said.as_str().unwrap().contains("GPT-2"), "{said}");
    lab.assert_clean().await;
    lab.close().await;
}
