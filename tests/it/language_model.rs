//! Tables and the picture of docs/results.md that are of the large language model.

use crate::results::{Row, ended, method, plain_rule, points, rate, same_method, sweep};
use crate::tables::read;
use peft_lab::base::grouped;
use peft_lab::interchange::RunFile;
use peft_lab::peft::MethodConfig;
use serde_json::Value;

const GROUP: &str = "sentiment/smollm2";
const PICTURE: &str = "docs/img/smollm2.svg";

fn run_of(group: &str, method: &MethodConfig) -> Option<RunFile> {
    let runs = RunFile::read_all(&read(&format!("www/runs/{group}.jsonl"))).unwrap();
    runs.into_iter().find(|run| run.config.method.info().name == method.info().name)
}

/// `9.2 kB`, `1.8 MB`
fn size(bytes: f64) -> String {
    let (value, unit) = if bytes < 1e6 { (bytes / 1e3, "kB") } else { (bytes / 1e6, "MB") };
    if value < 10.0 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

/// The columns of Hugging Face's comparison of methods: what is trained and kept, what it reaches and costs.
pub fn of_methods(row: &str, seeds: &[Value]) -> Row {
    let method = method(row);
    let run = run_of(GROUP, &method).unwrap_or_else(|| panic!("no run of “{row}”"));
    let (scores, told) = ended(GROUP, &method, seeds);
    let (seconds, peak) = (run.finished.unwrap().4, run.peak.map_or("–".into(), |peak| size(peak as f64)));
    let forgotten = match run.kept.as_slice() {
        [(_, first), .., (_, last)] => format!("{:+.2}", last.loss - first.loss),
        _ => "–".into(),
    };
    let stored = run.config.method.method().stored(&run.config.shape());
    let trained = told.map_or("0".into(), |(trained, _)| grouped(trained));
    let kept = told.map_or("0".into(), |_| size(4.0 * stored as f64));
    let rate = told.map_or("–".into(), |(_, of)| rate(of));
    vec![trained, kept, scores.long(), forgotten, peak, format!("{seconds:.0} s"), rate]
}

const EXTRACT: &str = "extract/all-smollm2";

/// One seed of the lecture's methods on the other tasks; what of an `extract` answer is right beside it.
pub fn of_tasks(header: &[String], row: &str, seeds: &[Value]) -> Row {
    let method = method(row);
    let score = |group: &str| ended(group, &method, seeds).0.long();
    let part = |name: &str| {
        let run = run_of(EXTRACT, &method).unwrap_or_else(|| panic!("no run of “{row}”"));
        let part = run.parts.iter().find(|part| part.name == name).unwrap_or_else(|| panic!("no part “{name}”"));
        format!("{:.3}", part.accuracy)
    };
    let cell = |cell: &String| match cell.as_str() {
        "`extract`" => score(EXTRACT),
        "known wording" | "new wording" | "fields" => part(cell),
        "`language`, sentence" => score("language-sentence/smollm2"),
        task => score(&format!("{}/smollm2", plain_rule(task))),
    };
    header[1..].iter().map(cell).collect()
}

/// Cells of the grids on the large base, by the first cell of a table's header.
pub fn of_grid(header: &[String], row: &str) -> Row {
    let cell = |place: &String| -> String {
        match header[0].as_str() {
            "method, times its rate" => {
                let all = sweep("words-rates");
                let mut rates: Vec<f64> = all
                    .iter()
                    .filter(|p| same_method(&p.config, &method(row)))
                    .map(|p| p.config.learning_rate())
                    .collect();
                rates.sort_by(f64::total_cmp);
                let at = ["0.1", "1", "10", "100"].iter().position(|times| times == place).unwrap();
                points(&all, |c| same_method(c, &method(row)) && c.learning_rate() == rates[at]).short()
            }
            "method, examples" => {
                points(&sweep("words-examples"), |c| same_method(c, &method(row)) && c.text("examples") == *place)
                    .short()
            }
            "a prefix's start, rate" => {
                let at: f64 = place.parse().unwrap();
                let start = if row.contains("words") { "text" } else { "random" };
                let fits = |c: &peft_lab::config::RunConfig| {
                    c.knob("init").as_deref() == Some(start) && c.learning_rate() == at
                };
                let there = sweep("words-prefix").iter().any(|p| fits(&p.config));
                if there { points(&sweep("words-prefix"), fits).short() } else { "–".into() }
            }
            "θ" => {
                let all = sweep("words-theta");
                let of = |c: &peft_lab::config::RunConfig| c.text("theta").eq_ignore_ascii_case(&plain_rule(row));
                let bytes = all.iter().find(|p| of(&p.config)).map_or(0, |p| p.config.theta_bytes());
                if place == "bytes" { size(bytes as f64) } else { points(&all, of).short() }
            }
            "labels, demonstrations" => {
                let labels = if row.starts_with("true") { "true" } else { "random" };
                let all = sweep("words-demonstrations");
                let fits = |c: &peft_lab::config::RunConfig| {
                    c.knob("demonstration_labels").as_deref() == Some(labels) && c.knob("shots").as_ref() == Some(place)
                };
                if all.iter().any(|p| fits(&p.config)) { points(&all, fits).short() } else { "–".into() }
            }
            "method, `sentiment`" => {
                let (all, base) = (sweep("words-scale"), place.split('`').nth(1).unwrap());
                let of = |method: &MethodConfig| points(&all, |c| same_method(c, method) && c.base.id == base).mean();
                let (ours, full) = (of(&method(row)), of(&MethodConfig::everything()));
                let share = if row == "full" { String::new() } else { format!(" ({:.0} %)", 100.0 * ours / full) };
                format!("{ours:.3}").trim_start_matches('0').to_string() + &share
            }
            other => panic!("no grid is known for the table “{other}”"),
        }
    };
    header[1..].iter().map(cell).collect()
}

/// A point of the picture: its name, what it trains, its accuracy, whether less trained gives less.
struct Place {
    name: &'static str,
    trained: f64,
    accuracy: f64,
    ahead: bool,
}

fn places(seeds: &[Value]) -> Vec<Place> {
    let place = |method: &MethodConfig| {
        let (scores, told) = ended(GROUP, method, seeds);
        Some(Place { name: method.info().title, trained: told?.0 as f64, accuracy: scores.mean(), ahead: false })
    };
    let mut all: Vec<Place> = MethodConfig::all().iter().filter_map(place).collect();
    all.sort_by(|a, b| a.trained.total_cmp(&b.trained).then(b.accuracy.total_cmp(&a.accuracy)));
    let mut best = 0.0;
    for place in &mut all {
        place.ahead = place.accuracy > best;
        best = place.accuracy.max(best);
    }
    all
}

/// Accuracy over trained parameters; what nothing smaller reaches is joined by a line.
fn picture(seeds: &[Value]) -> String {
    const WIDTH: f64 = 880.0;
    const HEIGHT: f64 = 460.0;
    const LEFT: f64 = 56.0;
    const TOP: f64 = 24.0;
    let (right, bottom) = (WIDTH - 120.0, HEIGHT - 48.0);
    let all = places(seeds);
    let best = all.iter().fold(0.0_f64, |best, p| best.max(p.accuracy));
    // What lies far below the others stands at the lower edge, with its number.
    let near = all.iter().map(|p| p.accuracy).filter(|accuracy| *accuracy > 0.85 * best);
    let low = (near.fold(1.0_f64, f64::min) * 20.0 - 0.1).floor() / 20.0;
    let high = (best * 20.0).ceil() / 20.0;
    let x = |n: f64| LEFT + (n.log10() - 2.0) / 6.5 * (right - LEFT);
    let y = |a: f64| bottom - (a.max(low) - low) / (high - low) * (bottom - TOP);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n\
         <title>Accuracy on film opinions over trained parameters, SmolLM2</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for power in 2..=8 {
        let at = x(10f64.powi(power));
        let told = ["100", "1,000", "10,000", "100,000", "1 M", "10 M", "100 M"][power as usize - 2];
        out += &format!(
            "<path d=\"M{at:.1} {TOP}V{bottom}\" stroke=\"#e4e4e7\"/><text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#52525b\">{told}</text>\n",
            bottom + 18.0
        );
    }
    for step in (0..=100).map(|i| f64::from(i) / 100.0).filter(|a| *a >= low - 1e-9 && *a <= high + 1e-9) {
        out += &format!(
            "<path d=\"M{LEFT} {:.1}H{right}\" stroke=\"#e4e4e7\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#52525b\">{step:.2}</text>\n",
            y(step),
            LEFT - 8.0,
            y(step) + 4.0
        );
    }
    let line: Vec<String> =
        all.iter().filter(|p| p.ahead).map(|p| format!("{:.1} {:.1}", x(p.trained), y(p.accuracy))).collect();
    out += &format!("<path d=\"M{}\" fill=\"none\" stroke=\"#ea580c\" stroke-width=\"2\"/>\n", line.join("L"));
    let wide = |name: &str| 7.0 * name.chars().count() as f64;
    let mut taken: Vec<(f64, f64, f64)> = all.iter().map(|p| (x(p.trained) - 6.0, y(p.accuracy) + 4.0, 12.0)).collect();
    for p in &all {
        let name = if p.accuracy < low { format!("{}: {:.2}", p.name, p.accuracy) } else { p.name.to_string() };
        let (px, py, wide) = (x(p.trained), y(p.accuracy), wide(&name));
        // A name that would stand on another one, or on a point, moves up or down.
        let is_free = |at: &f64| {
            taken.iter().all(|(tx, ty, of)| tx + of < px + 8.0 || *tx > px + 8.0 + wide || (ty - at).abs() >= 12.0)
        };
        let places = (0..20).flat_map(|i| [py + 4.0 - 6.5 * f64::from(i), py + 4.0 + 6.5 * f64::from(i)]);
        let at = places.filter(|at| *at < bottom).find(is_free).unwrap_or(py + 4.0);
        taken.push((px + 8.0, at, wide));
        let fill = if p.ahead { "#ea580c" } else { "#71717a" };
        out += &format!(
            "<circle cx=\"{px:.1}\" cy=\"{py:.1}\" r=\"4\" fill=\"{fill}\"/><text x=\"{:.1}\" y=\"{at:.1}\" fill=\"#18181b\">{name}</text>\n",
            px + 8.0
        );
    }
    out += &format!(
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#52525b\">trained parameters</text>\n</svg>\n",
        (LEFT + right) / 2.0,
        HEIGHT - 8.0
    );
    out
}

#[test]
fn the_picture_of_results_is_what_was_recorded() {
    let drawn = picture(&crate::tables::lines("docs/measured/seeds.jsonl"));
    if std::env::var_os("RECORD_RESULTS").is_some() {
        return std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/img/smollm2.svg"), drawn).unwrap();
    }
    assert!(read(PICTURE) == drawn, "RECORD_RESULTS=1 draws {PICTURE} anew");
}
