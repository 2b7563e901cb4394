//! Measures the built site in headless Chromium: training steps in a worker, and the opening scene. One JSON object a line.

use e2e::Lab;
use serde_json::{Value, json};

/// How often a shape's methods are measured in turns; the median counts.
const ROUNDS: usize = 7;

/// Runs steps in a worker of their own, counting WebGPU dispatches.
const WORKER: &str = r#"
const done = arguments[arguments.length - 1], [core, shape, method, steps] = arguments;
const script = `
  let dispatches = 0;
  if (self.GPUComputePassEncoder) {
    const p = GPUComputePassEncoder.prototype;
    for (const name of ["dispatchWorkgroups", "dispatchWorkgroupsIndirect"]) {
      const original = p[name]; p[name] = function (...a) { dispatches++; return original.apply(this, a); };
    }
  }
  onmessage = async e => {
    try {
      const {default: init, bench} = await import(e.data.core);
      await init();
      await bench(e.data.shape, e.data.method, 3);
      dispatches = 0;
      const ms = await bench(e.data.shape, e.data.method, e.data.steps);
      postMessage({ms, dispatches: dispatches / e.data.steps});
    } catch (error) { postMessage({error: String(error)}); }
  };`;
const worker = new Worker(URL.createObjectURL(new Blob([script], {type: "text/javascript"})), {type: "module"});
worker.onmessage = e => { worker.terminate(); done(e.data); };
worker.postMessage({core: new URL(core, document.baseURI).href, shape, method, steps});
"#;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let lab = Lab::start(false).await;
    lab.open("device=cpu").await;
    let methods = ["full", "lora"];
    for shape in ["S", "s"] {
        // In turns, so that what else the machine does meets both alike.
        let mut rounds = [const { Vec::new() }; 2];
        for _ in 0..ROUNDS {
            for (times, method) in rounds.iter_mut().zip(methods) {
                times.push(measure(&lab, "worker", shape, method, 9).await["ms"].as_f64().unwrap_or(f64::NAN));
            }
        }
        for (times, method) in rounds.iter_mut().zip(methods) {
            times.sort_by(f64::total_cmp);
            let ms = times[ROUNDS / 2];
            println!("{}", json!({"where": "chromium-cpu", "shape": shape, "method": method, "ms": ms}));
        }
    }
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
    lab.close().await;

    let lab = Lab::start(true).await;
    if lab.server.has_no_gpu_trainer() {
        return;
    }
    lab.open("device=cpu").await;
    for method in ["full", "lora"] {
        let found = measure(&lab, "worker-gpu", "s", method, 5).await;
        println!(
            "{}",
            json!({"where": "chromium-webgpu", "shape": "s", "method": method, "ms": found["ms"], "dispatches": found["dispatches"]})
        );
    }
    lab.close().await;
}

async fn measure(lab: &Lab, worker: &str, shape: &str, method: &str, steps: u32) -> Value {
    let core = lab.core_script(worker);
    let found =
        lab.driver.execute_async(WORKER, vec![json!(core), json!(shape), json!(method), json!(steps)]).await.unwrap();
    let found = found.json().clone();
    assert!(found["error"].is_null(), "{worker} {shape} {method}: {found}");
    found
}
