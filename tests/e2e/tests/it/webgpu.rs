//! WebGPU where there is none, where software computes it, where it is refused, where it is lost.

use e2e::{Fault, Lab};
use serde_json::json;

/// The worker is given no adapter, though the page was.
const REFUSED: &str = "GPU.prototype.requestAdapter = async () => null;\n";

/// The device is lost after the first step, as when a driver restarts.
const LOST_AT_STEP_1: &str = r#"
{ const request = GPUAdapter.prototype.requestDevice; let device;
  GPUAdapter.prototype.requestDevice = async function (...a) { return device = await request.apply(this, a); };
  const post = self.postMessage.bind(self);
  self.postMessage = m => { post(m); if (String(m).includes('"event":"step"')) device.destroy(); }; }
"#;

#[tokio::test]
async fn without_webgpu_the_page_says_so_and_trains_on_the_cpu() {
    let lab = Lab::start(false).await;
    lab.open("device=webgpu&steps=2&batch_size=4").await;
    lab.press("Train").await;
    lab.alert("WebGPU").await;
    assert_eq!(lab.count("started").await, 0);
    lab.press("Train on the CPU").await;
    assert_eq!(lab.event("started").await["device"], "cpu");
    lab.event("finished").await;
    lab.wait("location.hash.includes('device=cpu')").await;
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn webgpu_finds_the_losses_of_the_cpu() {
    let lab = Lab::start(true).await;
    if lab.server.has_no_gpu_trainer() {
        return println!("this site was built without the WebGPU trainer: skipped");
    }
    let mut found = Vec::new();
    for device in ["cpu", "webgpu"] {
        lab.open(&format!("device={device}&steps=2&batch_size=2&run=1")).await;
        // Software takes minutes for the 512 held-out examples of the end: both steps and what is evaluated before them do.
        let last = "labEvents.find(e => e.event === 'failed' || e.event === 'step' && e.step === 2)";
        let end = lab.wait(last).await;
        assert_eq!(end["event"], "step", "{end}");
        assert_eq!(lab.event("started").await["device"], device);
        let losses = "labEvents.filter(e => 'loss' in e && (e.event === 'step' || e.step < 2)).map(e => [e.event, e.step, e.loss])";
        found.push(lab.eval(losses).await.as_array().unwrap().clone());
        lab.assert_clean().await;
    }
    // Before training, a step, its evaluation, a step.
    assert!(found[0].len() == 4 && found[1].len() == 4, "{found:?}");
    for (cpu, gpu) in found[0].iter().zip(&found[1]) {
        assert_eq!([&cpu[0], &cpu[1]], [&gpu[0], &gpu[1]]);
        let apart = (cpu[2].as_f64().unwrap() - gpu[2].as_f64().unwrap()).abs();
        assert!(apart < 1e-3, "{cpu} on the CPU, {gpu} on WebGPU");
    }
    lab.screenshot("webgpu").await;
    lab.close().await;
}

/// Tells a channel of each program that is compiled.
const TELL_PROGRAMS: &str = r#"
{ const channel = new BroadcastChannel("programs"), create = GPUDevice.prototype.createComputePipeline;
  GPUDevice.prototype.createComputePipeline = function (...a) { channel.postMessage(1); return create.apply(this, a); }; }
"#;

#[tokio::test]
async fn programs_are_compiled_before_train() {
    let lab = Lab::start(true).await;
    if lab.server.has_no_gpu_trainer() {
        return println!("this site was built without the WebGPU trainer: skipped");
    }
    lab.server.fail("worker-gpu-core-", Fault::Before(TELL_PROGRAMS));
    lab.open("device=webgpu&steps=1&batch_size=2").await;
    let count = "window.programs = 0; new BroadcastChannel('programs').onmessage = () => window.programs++;";
    lab.driver.execute(count, vec![]).await.unwrap();
    lab.wait("labEvents.some(e => e.event === 'warming' && e.done === e.of)").await;
    assert_eq!(lab.eval("labEvents.filter(e => e.event === 'warming').map(e => e.done)").await, json!([0, 1, 2, 3]));
    lab.wait("document.body.innerText.includes('WebGPU · ready')").await;
    assert_eq!(lab.count("started").await, 0);
    lab.wait("window.programs > 10").await;
    let before = lab.eval("window.programs").await;
    lab.press("Train").await;
    lab.event("step").await;
    assert_eq!(lab.eval("window.programs").await, before, "the first step compiled something");
    lab.server.heal();
    lab.assert_clean().await;
    lab.close().await;
}

#[tokio::test]
async fn a_gpu_that_is_refused_or_does_not_load_leaves_the_cpu() {
    let lab = Lab::start(true).await;
    if lab.server.has_no_gpu_trainer() {
        return println!("this site was built without the WebGPU trainer: skipped");
    }
    for (file, fault) in [("worker-gpu-core-", Fault::Before(REFUSED)), ("worker-gpu_bg-", Fault::NotFound)] {
        lab.server.fail(file, fault);
        lab.open("device=webgpu&steps=2&batch_size=4&run=1").await;
        let failed = lab.event("failed").await;
        assert!(failed["message"].as_str().unwrap().len() > 20, "{failed}");
        lab.alert(failed["message"].as_str().unwrap()).await;
        lab.press("Train on the CPU").await;
        let started = lab.event("started").await;
        assert_eq!(started["device"], json!("cpu"));
        lab.event("finished").await;
        lab.server.heal();
    }
    lab.close().await;
}

#[tokio::test]
async fn a_gpu_that_is_lost_leaves_the_curve_and_the_cpu() {
    let lab = Lab::start(true).await;
    if lab.server.has_no_gpu_trainer() {
        return println!("this site was built without the WebGPU trainer: skipped");
    }
    lab.server.fail("worker-gpu-core-", Fault::Before(LOST_AT_STEP_1));
    lab.open("device=webgpu&steps=10&batch_size=2&run=1").await;
    lab.event("step").await;
    let failed = lab.event("failed").await;
    assert_eq!(failed["reason"], "device", "{failed}");
    let said = lab.alert(failed["message"].as_str().unwrap()).await;
    assert!(said.contains("Device was destroyed") && !said.contains("Backtrace"), "{said}");
    lab.wait("labLive().length === 1").await;
    lab.press("Train on the CPU").await;
    lab.wait("labEvents.some(e => e.event === 'finished' && e.run === 2)").await;
    lab.wait("labLive().length === 2").await;
    lab.close().await;
}
