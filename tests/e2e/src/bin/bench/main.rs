//! Measures the built site in headless Chromium: training steps in a worker, the opening scene, the start. One JSON object a line.
//!
//! `PEFT_LAB_METHODS` names methods, `PEFT_LAB_PARTS` what is measured: `chromium`, `large`, `webgpu`. `PEFT_LAB_MODEL` names a
//! GGUF file that is brought to the page.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it unwraps")]

mod large;

use e2e::Lab;
use serde_json::{Value, json};

/// How often full fine-tuning and LoRA are measured in turns at each shape; the quietest round counts, as in `tools/bench/torch_step.py`.
const ROUNDS: usize = 7;
const IN_TURNS: [&str; 2] = ["full", "lora"];

/// Runs steps in a worker of their own, counting WebGPU's dispatches, submits, buffers and read-backs.
const WORKER: &str = r#"
const done = arguments[arguments.length - 1], [core, shape, method, warm, steps] = arguments;
const script = `
  const counts = {dispatches: 0, submits: 0, buffers: 0, reads: 0};
  const count = (type, names, what) => {
    if (!type) return;
    for (const name of names) {
      const original = type.prototype[name];
      if (original) type.prototype[name] = function (...a) { counts[what]++; return original.apply(this, a); };
    }
  };
  count(self.GPUComputePassEncoder, ["dispatchWorkgroups", "dispatchWorkgroupsIndirect"], "dispatches");
  count(self.GPUQueue, ["submit"], "submits");
  count(self.GPUDevice, ["createBuffer"], "buffers");
  count(self.GPUBuffer, ["mapAsync"], "reads");
  onmessage = async e => {
    try {
      const {default: init, bench} = await import(e.data.core);
      const {memory} = await init();
      await bench(e.data.shape, e.data.method, e.data.warm);
      for (const what in counts) counts[what] = 0;
      const measured = JSON.parse(await bench(e.data.shape, e.data.method, e.data.steps));
      for (const what in counts) if (counts[what]) measured[what] = counts[what] / e.data.steps;
      measured.memory = memory.buffer.byteLength;
      postMessage(measured);
    } catch (error) { postMessage({error: String(error)}); }
  };`;
const worker = new Worker(URL.createObjectURL(new Blob([script], {type: "text/javascript"})), {type: "module"});
worker.onmessage = e => { worker.terminate(); done(e.data); };
worker.postMessage({core: new URL(core, document.baseURI).href, shape, method, warm, steps});
"#;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let asked = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.into());
    let (methods, parts) = (asked("PEFT_LAB_METHODS", "full,lora"), asked("PEFT_LAB_PARTS", "chromium,webgpu"));
    let methods: Vec<&str> = methods.split(',').collect();
    if parts.contains("chromium") {
        chromium(&methods).await;
    }
    if parts.contains("large") {
        let lab = Lab::start(false).await;
        large::in_a_worker(&lab).await;
        if let Ok(file) = std::env::var("PEFT_LAB_MODEL") {
            large::on_the_page(&lab, &file).await;
        }
        lab.close().await;
    }
    if parts.contains("webgpu") {
        webgpu(&methods).await;
    }
}

async fn chromium(methods: &[&str]) {
    let lab = Lab::start(false).await;
    lab.open("device=cpu").await;
    for shape in ["S", "rules", "s"] {
        // In turns, so that what else the machine does meets both alike.
        let mut rounds = [const { Vec::new() }; 2];
        for _ in 0..ROUNDS {
            for (found, method) in rounds.iter_mut().zip(IN_TURNS) {
                found.push(measure(&lab, "worker-relaxed", shape, method, (3, 9)).await);
            }
        }
        for (found, method) in rounds.iter_mut().zip(IN_TURNS) {
            found.sort_by(|a, b| a["ms"].as_f64().unwrap_or(f64::NAN).total_cmp(&b["ms"].as_f64().unwrap_or(f64::NAN)));
            print("chromium-cpu", shape, method, found.swap_remove(0));
        }
        for method in methods.iter().filter(|m| !IN_TURNS.contains(m)) {
            print("chromium-cpu", shape, method, measure(&lab, "worker-relaxed", shape, method, (3, 7)).await);
        }
        // As a browser without relaxed SIMD has it.
        for method in IN_TURNS {
            print("chromium-cpu-plain", shape, method, measure(&lab, "worker-plain", shape, method, (3, 9)).await);
        }
    }
    // From the load of the page, in a browser that has been here, to the first step.
    let first_step = "window.first = null; addEventListener('peft-lab', e => { if (e.detail.event === 'step' && first === null) first = performance.now(); });";
    let mut starts = Vec::new();
    for _ in 0..3 {
        lab.open("device=cpu").await;
        lab.driver.execute(first_step, vec![]).await.unwrap();
        let ready = lab.eval("performance.now()").await.as_f64().unwrap_or_default();
        lab.press("Train").await;
        let pressed = lab.eval("performance.now()").await.as_f64().unwrap_or_default();
        // The time in which nobody but this bench hesitated.
        let first = lab.wait("first").await.as_f64().unwrap_or_default();
        let loaded = lab.eval("performance.timing.domContentLoadedEventEnd - performance.timeOrigin").await;
        let loaded = loaded.as_f64().unwrap_or(ready);
        starts.push(loaded.min(ready) + first - pressed);
    }
    starts.sort_by(f64::total_cmp);
    println!(
        "{}",
        json!({"where": "chromium-cpu", "scene": "page load, warm, and Train to the first step", "ms": starts[1]})
    );
    // The opening scene, from the click to 95 % exact match.
    lab.open("device=cpu").await;
    let start = lab.eval("performance.now()").await.as_f64().unwrap_or_default();
    lab.driver
        .execute("window.reached = null; addEventListener('peft-lab', e => { if (e.detail.event === 'evaluated' && e.detail.accuracy >= 0.95 && reached === null) reached = performance.now(); });", vec![])
        .await
        .unwrap();
    lab.press("Train").await;
    let reached = lab.wait("reached").await.as_f64().unwrap_or_default();
    println!("{}", json!({"where": "chromium-cpu", "scene": "Train to 95 % exact match", "ms": reached - start}));
    workers(&lab).await;
    lab.close().await;
}

/// Steps of a run, on one worker and on two, in turns, on the page and with nothing drawn. The quickest quarter counts: what else the machine
/// does only ever makes steps longer.
async fn workers(lab: &Lab) {
    for method in IN_TURNS {
        for drawn in [true, false] {
            let mut times = [Vec::new(), Vec::new()];
            for _ in 0..3 {
                for (workers, times) in [1, 2].into_iter().zip(&mut times) {
                    let hash =
                        format!("base=prose-micro&task=authors&method={method}&steps=24&device=cpu&workers={workers}");
                    lab.open(&hash).await;
                    lab.press("Train").await;
                    if !drawn {
                        lab.eval("document.documentElement.style.display = 'none'").await;
                    }
                    lab.event("finished").await;
                    let steps = "labEvents.filter(e => e.event === 'step' && (e.workers ?? 1) === ".to_string();
                    let found = lab.eval(&format!("{steps}{workers}).map(e => e.ms)")).await;
                    times.extend(found.as_array().into_iter().flatten().filter_map(Value::as_f64));
                }
            }
            for (workers, mut times) in [1, 2].into_iter().zip(times) {
                times.sort_by(f64::total_cmp);
                let drawn = if drawn { "" } else { ", nothing drawn" };
                let scene = format!("authors on prose-micro, {method}, {workers} workers{drawn}");
                println!("{}", json!({"where": "chromium-cpu", "scene": scene, "ms": times.get(times.len() / 4)}));
            }
        }
    }
}

async fn webgpu(methods: &[&str]) {
    let lab = Lab::start(true).await;
    if lab.server.has_no_gpu_trainer() {
        return;
    }
    lab.open("device=cpu").await;
    for method in methods {
        print("chromium-webgpu", "s", method, measure(&lab, "worker-gpu", "s", method, (3, 4)).await);
    }
    lab.close().await;
}

fn print(place: &str, shape: &str, method: &str, mut measured: Value) {
    measured["where"] = json!(place);
    measured["shape"] = json!(shape);
    measured["method"] = json!(method);
    println!("{measured}");
}

/// Milliseconds and counts of steps, after some that warm up.
async fn measure(lab: &Lab, worker: &str, shape: &str, method: &str, (warm, steps): (u32, u32)) -> Value {
    let core = lab.core_script(worker);
    let arguments = vec![json!(core), json!(shape), json!(method), json!(warm), json!(steps)];
    let found = lab.driver.execute_async(WORKER, arguments).await.unwrap();
    let found = found.json().clone();
    assert!(found["error"].is_null(), "{worker} {shape} {method}: {found}");
    found
}
