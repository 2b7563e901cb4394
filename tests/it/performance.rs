//! Figures of speed, memory and sizes: the bench's baseline, and in `docs/measured/` what was measured once.

use crate::tables::{Table, check, check_sentences, duration, filled, lines, number};
use peft_lab::experiments::bench::SHAPES;
use serde_json::Value;

const PERFORMANCE: &str = "docs/performance.md";

/// What `cargo xtask bench --save` and others have written.
struct Measured {
    bench: Vec<Value>,
    once: Vec<Value>,
    times: Vec<Value>,
}

impl Measured {
    fn read() -> Measured {
        Measured {
            bench: lines("bench/baseline.jsonl"),
            once: lines("docs/measured/once.jsonl"),
            times: lines("docs/measured/times.jsonl"),
        }
    }

    fn step(&self, place: &str, shape: &str, method: &str) -> Option<&Value> {
        self.bench.iter().find(|row| row["where"] == place && row["shape"] == shape && row["method"] == method)
    }

    fn ms(&self, place: &str, shape: &str, method: &str, what: &str) -> Option<f64> {
        self.step(place, shape, method).and_then(|row| row[what].as_f64())
    }

    fn scene(&self, name: &str) -> f64 {
        self.bench.iter().find(|row| row["scene"] == name).unwrap_or_else(|| panic!("no scene {name}"))["ms"]
            .as_f64()
            .unwrap()
    }

    /// Bytes of what is downloaded: brotli or gzip.
    fn size(&self, file: &str, form: &str) -> f64 {
        let row = self.bench.iter().find(|row| row["where"] == "dist" && row["file"] == file);
        row.unwrap_or_else(|| panic!("no size of {file}"))[form].as_f64().unwrap()
    }

    /// Figures that were measured once.
    fn once(&self, about: &str, key: &str) -> Vec<String> {
        let row = self.once.iter().find(|row| row["about"] == about).unwrap_or_else(|| panic!("nothing about {about}"));
        row[key]
            .as_array()
            .unwrap_or_else(|| panic!("{about} has no {key}"))
            .iter()
            .map(|x| number(x.as_f64().unwrap()))
            .collect()
    }

    fn time(&self, what: &str) -> String {
        let row = self.times.iter().find(|row| row["what"] == what).unwrap_or_else(|| panic!("no time of {what}"));
        duration(row["seconds"].as_f64().unwrap())
    }
}

/// Milliseconds as a table has them.
fn ms(ms: f64) -> String {
    if ms < 9.5 { format!("{ms:.1}") } else { number(ms.round()) }
}

/// `508 kB`, `2.88 MB`
fn size(bytes: f64) -> String {
    if bytes < 1.5e6 { number((bytes / 1e3).round()) + " kB" } else { format!("{:.2} MB", bytes / 1e6) }
}

/// `S, LoRA in the first block alone (…)`: the shape's and the method's names in the bench.
fn step_of(row: &str) -> (&str, &'static str) {
    let (shape, method) = row.split_once(", ").unwrap();
    let names = [
        ("full fine-tuning", "full"),
        ("LoRA in the first block", "lora-first-block"),
        ("LoRA in the last block", "lora-last-block"),
        ("LoRA", "lora"),
    ];
    (shape, names.iter().find(|(start, _)| method.starts_with(start)).unwrap_or_else(|| panic!("“{row}”")).1)
}

fn of_a_step(measured: &Measured, row: &[String]) -> Vec<String> {
    let (shape, method) = step_of(&row[0]);
    let sizes = SHAPES.iter().find(|s| s.name == shape).unwrap();
    let name = match method {
        "full" => [sizes.d_model, sizes.layers, sizes.batch, sizes.tokens].map(|n| n.to_string()).to_vec(),
        "lora" => vec!["8".to_string()],
        _ => vec![ms(measured.ms("native", shape, method, "backward").unwrap())],
    };
    let mut cells = vec![filled(&row[0], &name)];
    let places = ["native", "chromium-cpu", "chromium-cpu-plain", "pytorch"];
    cells.extend(places.map(|place| measured.ms(place, shape, method, "ms").map(ms).unwrap_or_default()));
    cells.push(format!("{:.1} MB", measured.ms("chromium-cpu", shape, method, "peak").unwrap() / 1e6));
    cells
}

fn of_workers(measured: &Measured, row: &[String]) -> Vec<String> {
    let cell = |method: &str, cell: &String| {
        let of = |n: usize, end: &str| measured.scene(&format!("authors on prose-micro, {method}, {n} workers{end}"));
        let (two, end) = match row[0].as_str() {
            "nothing drawn" => (true, ", nothing drawn"),
            name => (name.starts_with("on the page"), ""),
        };
        let about = if row[0].contains("share nothing") {
            "workers that share nothing, at S"
        } else {
            "workers, on the command line"
        };
        match two {
            true => {
                let (one, two) = (of(1, end), of(2, end));
                filled(cell, &[ms(one), ms(two), format!("{:.2}", one / two)])
            }
            false => filled(cell, &measured.once(about, method)),
        }
    };
    vec![row[0].clone(), cell("lora", &row[1]), cell("full", &row[2])]
}

fn of_webgpu(measured: &Measured, row: &[String]) -> Vec<String> {
    let cell = |method: &str| {
        let of = |what: &str| measured.ms("chromium-webgpu", "s", method, what).unwrap();
        let once = |about: &str| measured.once(about, method).join(" ");
        match row[0].as_str() {
            "dispatches a step" => number(of("dispatches").round()),
            "milliseconds a step, in the benchmark" => ms(of("ms")),
            "preparing the dispatches takes of these" => ms(of("forward") + of("backward") + of("optimizer")),
            "of these products" => once("products"),
            "dispatches with Burn's fusion, before our own programs" => once("dispatches with Burn's fusion"),
            "milliseconds a step while constructors ran at every call" => {
                once("step while constructors ran at every call")
            }
            "the same once they ran only at the start" => once("step once constructors ran only at the start"),
            "wasm and WebGPU's calls take of these" => once("wasm and WebGPU's calls of such a step"),
            other => panic!("nothing is known for “{other}”"),
        }
    };
    vec![row[0].clone(), cell("full"), cell("lora")]
}

/// Times from nothing, on whatever page they stand.
fn of_times(measured: &Measured, row: &[String]) -> Vec<String> {
    let times: &[&str] = match row[0].as_str() {
        "`serve`, until the page is open" if row[1].contains("xtask") => &["serve", "serve: xtask", "serve: page"],
        "`serve`, until the page is open" | "`cargo xtask serve --no-gpu`" => &["serve"],
        "`cargo xtask serve`" => &["serve", "WebGPU trainer"],
        "the WebGPU trainer behind it" | "the WebGPU trainer, built behind it" => &["WebGPU trainer"],
        "`test`, with formatting and lints" => &[".ci/run", ".ci/run, earlier, from nothing"],
        "`test`, with formatting and lints (`.ci/run`), older code" => {
            &[".ci/run, earlier, from nothing", ".ci/run, earlier"]
        }
        "`cargo xtask test --only native`" => &["test --only native, earlier", "test --only native, earlier: building"],
        "`.ci/run`" => &[".ci/run", "tests", ".ci/run, earlier, from nothing"],
        "`cargo xtask pretrain`" => &["shortest base", "longest base"],
        // A dash, and what only words say.
        _ => &[],
    };
    let tests = || number(measured.times.iter().find_map(|row| row["tests"].as_f64()).unwrap());
    let minutes = |longest: bool| {
        let all = peft_lab::bases::BASES.iter().filter_map(|base| crate::bases::minutes(base.id));
        if longest { all.max() } else { all.min() }.unwrap().to_string()
    };
    let figure = |what: &&str| match *what {
        "tests" => tests(),
        "shortest base" => minutes(false),
        "longest base" => minutes(true),
        what => measured.time(what),
    };
    let mut cells = row.to_vec();
    let last = cells.last_mut().unwrap();
    *last = filled(last, &times.iter().map(figure).collect::<Vec<_>>());
    cells
}

/// Rows of a table, each from itself; a column of names comes first.
fn each(table: &Table, row: impl Fn(&[String]) -> Vec<String>) -> Option<Vec<Vec<String>>> {
    Some(table.rows.iter().map(|cells| row(cells)).collect())
}

#[test]
fn the_tables_of_speed_and_sizes_are_what_was_measured() {
    let measured = &Measured::read();
    check(PERFORMANCE, |table| match (table.header[0].as_str(), table.header[1].as_str()) {
        ("milliseconds a step", _) => each(table, |row| of_a_step(measured, row)),
        ("", "LoRA") => each(table, |row| of_workers(measured, row)),
        ("", "full fine-tuning") => each(table, |row| of_webgpu(measured, row)),
        ("", "brotli") => each(table, |row| {
            let file = if row[0] == "page" { "page".to_string() } else { row[0].clone() };
            vec![file.clone(), size(measured.size(&file, "brotli")), size(measured.size(&file, "gzip"))]
        }),
        ("", "time") => each(table, |row| of_times(measured, row)),
        (other, _) => panic!("no file is known for the table “{other}”"),
    });
}

#[test]
fn times_and_sizes_on_other_pages_are_the_same() {
    let measured = &Measured::read();
    let times = |table: &Table| match table.header.last().unwrap().as_str() {
        "how long" => each(table, |row| of_times(measured, row)),
        "" if table.header[0].starts_with("from nothing") => each(table, |row| of_times(measured, row)),
        _ => None,
    };
    check("README.md", times);
    check("CONTRIBUTING.md", times);
    check("docs/hosting.md", |table| match table.header[0].as_str() {
        "header" => each(table, |row| match row[0].starts_with("`Content-Encoding") {
            true => vec![row[0].clone(), filled(&row[1], &[size(measured.size("page", "brotli")).replace(" kB", "")])],
            false => row.to_vec(),
        }),
        _ => None,
    });
    check("docs/kernels.md", |table| match table.header[0].as_str() {
        "program" => each(table, |row| {
            let of = |i: usize, key: &str| filled(&row[i], &measured.once(&row[0], key));
            vec![row[0].clone(), of(1, "slow"), of(2, "fast")]
        }),
        _ => None,
    });
    check("docs/decisions/0036-what-the-page-weighs.md", |table| {
        let kb = |part: &str| {
            let part = part.split(" (").next().unwrap();
            measured.once(&format!("page's weight: {part}"), "kb").join(" ")
        };
        each(table, |row| vec![row[0].clone(), kb(&row[0]), row[2].clone(), kb(&row[2])])
    });
}

#[test]
fn sentences_repeat_the_figures_of_the_tables() {
    let measured = Measured::read();
    let of = |place: &str, method: &str, what: &str| measured.ms(place, "S", method, what).unwrap();
    let chromium = |method: &str| of("chromium-cpu", method, "ms");
    let operations = |method: &str| of("native", method, "gflops") * of("native", method, "ms");
    let backward = |method: &str| ms(of("native", method, "backward"));
    let webgpu = |method: &str| measured.ms("chromium-webgpu", "s", method, "dispatches").unwrap().round();
    let once = |about: &str, key: &str| measured.once(about, key).join(" ");
    let two = |x: f64| format!("{x:.2}");
    let operations = two(operations("lora") / operations("full"));
    let own = ["full", "lora", "dora", "subspace", "sparse"];
    let others = measured
        .bench
        .iter()
        .filter(|row| row["where"] == "chromium-webgpu" && !own.contains(&row["method"].as_str().unwrap()));
    let others: Vec<f64> = others.map(|row| row["dispatches"].as_f64().unwrap().round()).collect();
    let end = |of: fn(f64, f64) -> f64| number(others.iter().copied().reduce(of).unwrap());
    let date = |place: &str| {
        let row = measured.bench.iter().find(|row| row["where"] == place).unwrap();
        let (month, day) = row["date"].as_str().unwrap().split_at(8);
        let months = [("2026-11-", "November 2026"), ("2026-12-", "December 2026")];
        let month = months.iter().find(|(start, _)| *start == month).unwrap_or_else(|| panic!("{month} has no name")).1;
        format!("{} {month}", day.trim_start_matches('0'))
    };
    let seconds = |ms: f64| format!("{:.1}", ms / 1e3);
    let fused = |key: &str| {
        ["before fused kernels", "with fused kernels alone"].map(|when| once(&format!("native step at S {when}"), key))
    };
    let ([full_before, full_with], [lora_before, lora_with]) = (fused("full"), fused("lora"));
    let fused = vec![full_before, full_with, lora_before, lora_with];
    check_sentences(
        PERFORMANCE,
        &[
            ("measured these figures on {}, sizes on {}.", vec![date("baseline"), date("dist")]),
            (
                "S in Chromium takes {} × PyTorch's time.",
                vec![format!("{:.1}", chromium("full") / of("pytorch", "full", "ms"))],
            ),
            (
                "LoRA takes {} of full fine-tuning's time, of whose operations it has {}.",
                vec![two(chromium("lora") / chromium("full")), operations.clone()],
            ),
            (
                "goes from Train to 95 % exact match in {} s.",
                vec![seconds(measured.scene("Train to 95 % exact match"))],
            ),
            (
                "step it takes {} s on a warm cache.",
                vec![seconds(measured.scene("page load, warm, and Train to the first step"))],
            ),
            (
                "backward takes {} ms for full fine-tuning, {} for LoRA in all blocks or in the first, and {} in the last.",
                ["full", "lora-first-block", "lora-last-block"].map(backward).to_vec(),
            ),
            ("from {} to {} ms (full) and from {} to {} ms (LoRA).", fused.clone()),
            (
                "DoRA takes {} dispatches, a random subspace {} (Fastfood's blocks), a sparse mask {}, the others {} to {}.",
                vec![
                    number(webgpu("dora")),
                    number(webgpu("subspace")),
                    number(webgpu("sparse")),
                    end(f64::min),
                    end(f64::max),
                ],
            ),
        ],
    );
    assert_eq!(backward("lora"), backward("lora-first-block"), "the page gives one figure for both");
    let both = |about: &str| ["full", "lora"].map(|key| once(about, key));
    let ([full, lora], [full_products, lora_products]) =
        (["full", "lora"].map(|m| number(webgpu(m))), both("products"));
    let ([slow_full, slow_lora], [fast_full, fast_lora]) =
        (both("step while constructors ran at every call"), both("step once constructors ran only at the start"));
    check_sentences(
        "docs/kernels.md",
        &[
            ("S full went from {} to {} ms and LoRA from {} to {}.", fused),
            (
                "With Burn's fusion a step at s was {} dispatches for full fine-tuning and {} for LoRA.",
                both("dispatches with Burn's fusion").to_vec(),
            ),
            (
                "With our own programs it is {} and {}, of which {} and {} are products.",
                vec![full, lora, full_products, lora_products],
            ),
            ("full went from {} to {} ms and LoRA from {} to {}.", vec![slow_full, fast_full, slow_lora, fast_lora]),
            ("wasm and WebGPU's calls take {} and {} ms", both("wasm and WebGPU's calls of such a step").to_vec()),
            ("LoRA takes {} of full fine-tuning's operations at S", vec![operations]),
        ],
    );
}
