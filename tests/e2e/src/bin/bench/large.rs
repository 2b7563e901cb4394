//! The large shape in a worker, and a visitor's model of its size on the page.

use super::{measure, print};
use e2e::Lab;
use serde_json::{Value, json};
use thirtyfour::By;

/// How often both forms of θ are measured in turns; the quietest round counts.
const ROUNDS: usize = 3;
/// Steps of a visitor's run: long enough for its evaluations to be a tenth.
const STEPS: usize = 60;

/// One worker, θ in single precision and in 5 bits a weight. Nothing of a browser draws meanwhile.
pub async fn in_a_worker(lab: &Lab) {
    lab.open("device=cpu").await;
    let shapes = ["L", "L-q4_1"];
    let mut rounds = [const { Vec::new() }; 2];
    for _ in 0..ROUNDS {
        for (found, shape) in rounds.iter_mut().zip(shapes) {
            found.push(measure(lab, "worker-relaxed", shape, "lora", (1, 4)).await);
        }
    }
    for (mut found, shape) in rounds.into_iter().zip(shapes) {
        found.sort_by(|a, b| a["ms"].as_f64().unwrap_or(f64::NAN).total_cmp(&b["ms"].as_f64().unwrap_or(f64::NAN)));
        print("chromium-cpu", shape, "lora", found.swap_remove(0));
    }
}

/// A GGUF file from the disk to its first step, and the steps and evaluations of its run, on one worker and on two in
/// turns.
pub async fn on_the_page(lab: &Lab, file: &str) {
    // When each event arrived.
    lab.before_scripts("window.labTimes = []; addEventListener('peft-lab', e => labTimes.push([performance.now(), e.detail]));").await;
    let mut times = [const { Vec::new() }; 2];
    for round in 0..2 {
        for (workers, times) in [1, 2].into_iter().zip(&mut times) {
            let hash = format!(
                "task=sentiment&method=lora&rank=8&target_modules=q_proj,v_proj&batch_size=8&steps={STEPS}&device=cpu&workers={workers}"
            );
            lab.open(&hash).await;
            lab.press("Bring your own").await;
            let chosen = now(lab).await;
            let input = lab.driver.find(By::Css("dialog[open] input[aria-label='Choose files …: files']")).await.unwrap();
            input.send_keys(file).await.unwrap();
            lab.press("Use this base").await;
            lab.wait("!document.querySelector('dialog[open]')").await;
            let there = lab.wait(&when("e.event === 'loading' && e.done === e.of && e.what.includes('base')")).await;
            let pressed = now(lab).await;
            lab.press("Train").await;
            let first = lab.wait(&when("e.event === 'step'")).await;
            let scene = |what: &str, ms: f64| {
                let scene = format!("{what}, {workers} workers");
                println!("{}", json!({"where": "chromium-cpu", "scene": scene, "ms": ms}));
            };
            let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
            if round == 0 {
                scene("a GGUF file until θ is loaded", number(&there) - chosen);
                scene("Train to the first step, θ loaded", number(&first) - pressed);
            } else {
                // Enough for the times of steps.
                lab.wait("labEvents.filter(e => e.event === 'step').length > 20").await;
            }
            if round == 0 && workers == 2 {
                lab.event("finished").await;
                let ended = lab.wait(&when("e.event === 'finished'")).await;
                let trained = "labEvents.filter(e => e.event === 'step').reduce((sum, e) => sum + e.ms, 0)";
                let trained = number(&lab.eval(trained).await);
                let whole = number(&ended) - pressed;
                println!(
                    "{}",
                    json!({"where": "chromium-cpu", "scene": "a run's share that is not steps, in per cent", "ms": 100.0 * (1.0 - trained / whole)})
                );
            } else {
                lab.wait("labEvents.filter(e => e.event === 'step').length > 12").await;
            }
            let found = format!("labEvents.filter(e => e.event === 'step' && (e.workers ?? 1) === {workers})");
            let found = lab.eval(&format!("{found}.map(e => e.ms / e.tokens)")).await;
            times.extend(found.as_array().into_iter().flatten().filter_map(Value::as_f64));
        }
    }
    for (workers, mut times) in [1, 2].into_iter().zip(times) {
        times.sort_by(f64::total_cmp);
        // The quickest quarter counts: what else the machine does only ever makes steps longer.
        let ms = times.get(times.len() / 4).map(|ms| 256.0 * ms);
        let scene = format!("256 tokens of sentiment on a visitor's GGUF, {workers} workers");
        println!("{}", json!({"where": "chromium-cpu", "scene": scene, "ms": ms}));
    }
}

async fn now(lab: &Lab) -> f64 {
    lab.eval("performance.now()").await.as_f64().unwrap_or(f64::NAN)
}

/// When the first event of a kind arrived.
fn when(is: &str) -> String {
    format!("labTimes.find(([, e]) => {is})?.[0]")
}
