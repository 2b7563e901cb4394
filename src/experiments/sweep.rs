//! Grids of runs: `peft-lab sweep sweeps/learning-rate.json --out www/sweeps/learning-rate.json`.
//!
//! A [`Sweep`] fixes some keys of a configuration and varies others; every combination is trained and scored
//! on all held-out examples. What comes out is a list of [`Point`]s, which the page draws against one of the
//! varied keys, and to which a visitor adds live ones.

use crate::base::{measured, read_json, shorten};
use crate::config::RunConfig;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A grid, as a small file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// What the page calls it.
    pub title: String,
    /// What to look for in it, one sentence.
    pub question: String,
    /// What was found, beside what the paper says; empty before it is measured.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub found: String,
    /// The varied key that the horizontal axis shows; numbers.
    pub axis: String,
    /// Keys that are the same in every run, as the address writes them.
    #[serde(default)]
    pub fixed: BTreeMap<String, String>,
    /// Several grids of one figure: for each, the values of varied keys. Every combination is a run.
    pub grids: Vec<BTreeMap<String, Vec<String>>>,
}

/// What one run of a grid gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// What was trained.
    pub config: RunConfig,
    /// Trained parameters.
    pub trainable: u64,
    /// Of the last evaluation, nats a predicted token.
    #[serde(deserialize_with = "measured")]
    pub loss: f32,
    /// Share of held-out examples that are right, 0 to 1.
    pub accuracy: f64,
    /// Held-out examples.
    pub n: usize,
    /// Spent training and evaluating.
    pub seconds: f64,
}

/// A sweep with what was measured: the file that the page ships.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The grid.
    #[serde(flatten)]
    pub sweep: Sweep,
    /// A run each, in the order of [`Sweep::runs`].
    pub points: Vec<Point>,
}

impl Measured {
    /// As JSON with a point on each line, so that a change shows what changed.
    pub fn to_lines(&self) -> Result<String, String> {
        let head = serde_json::to_string(&self.sweep).map_err(|e| e.to_string())?;
        let points = self.points.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>();
        let points = points.map_err(|e| e.to_string())?.join(",\n");
        // The sweep's object goes on with its points.
        Ok(format!("{},\"points\":[\n{points}\n]}}\n", &head[..head.len() - 1]))
    }
}

/// A part of a grid's runs: every `of`-th, so that long and short ones are shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    pub number: usize,
    /// Parts in all.
    pub of: usize,
}

impl Shard {
    /// All runs.
    pub const WHOLE: Shard = Shard { number: 1, of: 1 };

    /// Reads `2/8`.
    ///
    /// # Errors
    /// A sentence, where it is no part of so many.
    pub fn parse(text: &str) -> Result<Shard, String> {
        let read =
            text.split_once('/').and_then(|(number, of)| Some((number.trim().parse().ok()?, of.trim().parse().ok()?)));
        match read {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Shard { number, of }),
            _ => Err(format!("A shard is I/N, such as 2/8, with I from 1 to N: “{}” is not.", shorten(text))),
        }
    }

    /// Whether a run is its own, by the run's place in the grid.
    pub fn holds(&self, place: usize) -> bool {
        place % self.of == self.number - 1
    }
}

impl Measured {
    /// What several machines measured of one grid, in the order of its runs; of a run that stands in more than one, the
    /// first. Beside it how many runs nobody measured.
    ///
    /// # Errors
    /// A sentence, where a part is of another grid.
    pub fn merged(sweep: &Sweep, parts: &[Measured]) -> Result<(Measured, usize), String> {
        if let Some(i) = parts.iter().position(|part| part.sweep != *sweep) {
            return Err(format!("part {} was measured of another grid", i + 1));
        }
        let runs = sweep.runs()?;
        let all = || parts.iter().flat_map(|part| &part.points);
        let points: Vec<Point> =
            runs.iter().filter_map(|run| all().find(|point| point.config == *run).cloned()).collect();
        let missing = runs.len() - points.len();
        Ok((Measured { sweep: sweep.clone(), points }, missing))
    }
}

impl Sweep {
    /// Reads a sweep and every run in it; the error is a sentence that names the key.
    pub fn from_json(text: &str) -> Result<Sweep, String> {
        let sweep: Sweep = read_json(text)?;
        sweep.runs()?;
        Ok(sweep)
    }

    /// Every run, the last key of a grid varying fastest.
    pub fn runs(&self) -> Result<Vec<RunConfig>, String> {
        let mut runs = Vec::new();
        for grid in &self.grids {
            let mut combinations: Vec<Vec<(String, String)>> = vec![Vec::new()];
            for (key, values) in grid {
                let with = |run: &Vec<(String, String)>, value: &String| {
                    run.iter().cloned().chain([(key.clone(), value.clone())]).collect()
                };
                combinations = combinations.iter().flat_map(|run| values.iter().map(move |v| with(run, v))).collect();
            }
            for varied in combinations {
                let mut pairs: Vec<(String, String)> = self.fixed.clone().into_iter().collect();
                pairs.retain(|(key, _)| !varied.iter().any(|(k, _)| k == key));
                pairs.extend(varied);
                let (config, faults, unknown) = RunConfig::from_pairs(&pairs);
                if let Some(fault) = faults.first() {
                    return Err(format!("{}: {}", fault.key, fault.message));
                }
                if let Some((key, _)) = unknown.first() {
                    return Err(format!("{} has no setting “{key}”", config.label()));
                }
                runs.push(config);
            }
        }
        match runs.is_empty() {
            true => Err("there is no run in it".into()),
            false => Ok(runs),
        }
    }

    /// Where a run stands on the axis; `None` where it has no such number.
    pub fn place(&self, config: &RunConfig) -> Option<f64> {
        place(config, &self.axis)
    }
}

/// The number of a configuration under a key.
fn place(config: &RunConfig, key: &str) -> Option<f64> {
    match key {
        "lr" => Some(config.learning_rate()),
        "examples" => config.task.examples().map(|n| n as f64),
        "steps" => Some(config.steps as f64),
        "parameters" => Some(config.shape().model.parameters() as f64),
        "trainable" => Some(config.trainable() as f64),
        // By the room that its form takes.
        "theta" => Some(config.theta_bytes() as f64),
        key => config.knob(key)?.parse().ok(),
    }
}

#[cfg(all(feature = "train", not(target_arch = "wasm32")))]
mod native {
    use super::{Measured, Point, Shard, Sweep};
    use crate::base::Failure;
    use crate::config::RunConfig;
    use crate::protocol::Event;
    use crate::train::Session;
    use crate::train::library::{Files, LoadedBase, Materials};
    use burn::tensor::Device;
    use std::collections::HashMap;
    use std::rc::Rc;
    use std::sync::Mutex;

    impl Sweep {
        /// Trains every run of a shard that `known` does not hold, so many at a time. `say` hears of each; what is
        /// measured so far goes to `keep` after each, so that an interrupted sweep goes on.
        pub fn measure(
            &self,
            known: Vec<Point>,
            shard: Shard,
            jobs: usize,
            files: &(impl Files + Sync),
            say: impl Fn(String) + Sync,
            keep: impl Fn(&Measured) + Sync,
        ) -> Result<Measured, String> {
            let runs = self.runs()?;
            let points: Vec<Option<Point>> =
                runs.iter().map(|run| known.iter().find(|p| p.config == *run).cloned()).collect();
            let own = (0..runs.len()).filter(|i| shard.holds(*i)).count();
            let open: Vec<usize> = (0..runs.len()).filter(|i| shard.holds(*i) && points[*i].is_none()).collect();
            let (points, queue, failures) = (Mutex::new(points), Mutex::new(open.iter()), Mutex::new(Vec::new()));
            let measured = |points: &[Option<Point>]| Measured {
                sweep: self.clone(),
                points: points.iter().flatten().cloned().collect(),
            };
            let work = || {
                let mut bases: HashMap<&str, Rc<LoadedBase>> = HashMap::new();
                while let Some(i) = queue.lock().ok().and_then(|mut q| q.next()) {
                    match pollster::block_on(run(&runs[*i], files, &mut bases)) {
                        Ok(point) => {
                            let done = points.lock().map_or(0, |mut points| {
                                points[*i] = Some(point.clone());
                                keep(&measured(&points));
                                (0..runs.len()).filter(|i| shard.holds(*i) && points[*i].is_some()).count()
                            });
                            say(format!("{done} of {own}: {} → {:.3}", point.config.to_hash(), point.accuracy));
                        }
                        Err(failure) => {
                            let sentence = format!("{}: {}", runs[*i].to_hash(), failure.message);
                            let _ = failures.lock().map(|mut f| f.push(sentence));
                        }
                    }
                }
            };
            std::thread::scope(|scope| (0..jobs.max(1)).for_each(|_| drop(scope.spawn(work))));
            // A rate that is too high is a finding, not a failure of the sweep: its run has no point.
            failures.into_inner().unwrap_or_default().into_iter().for_each(&say);
            points.into_inner().map(|points| measured(&points)).map_err(|_| "a run ended by a fault of ours".into())
        }
    }

    async fn run(
        config: &RunConfig,
        files: &impl Files,
        bases: &mut HashMap<&str, Rc<LoadedBase>>,
    ) -> Result<Point, Failure> {
        let device = Device::flex();
        let base = match bases.get(config.base.id) {
            Some(base) if base.storage == config.storage() => base.clone(),
            _ => {
                let base = Rc::new(LoadedBase::of(config, files, &device).await?);
                bases.insert(config.base.id, base.clone());
                base
            }
        };
        let materials = Materials::load(config, files).await?;
        let session = Session::new(0, config.clone(), base, &materials, &device, "cpu", crate::base::clock)?;
        let mut session = session.for_its_end();
        let mut events = session.begin().await?;
        while !session.done() {
            events = session.advance(false).await?;
        }
        match events.pop() {
            Some(Event::Finished { loss, accuracy, n, seconds, .. }) => {
                Ok(Point { config: config.clone(), trainable: config.trainable(), loss, accuracy, n, seconds })
            }
            _ => unreachable!("a run ends with its score"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"title": "t", "question": "q", "axis": "lr", "fixed": {"rule": "count", "steps": "200"},
        "grids": [{"method": ["full", "lora"], "lr": ["0.001", "0.01"], "seed": ["0", "1"]}]}"#;

    #[test]
    fn every_combination_is_a_run() {
        let sweep = Sweep::from_json(TEXT).unwrap();
        let runs = sweep.runs().unwrap();
        assert_eq!(runs.len(), 8);
        assert!(runs.iter().all(|r| r.steps == 200));
        let distinct: std::collections::HashSet<String> = runs.iter().map(RunConfig::to_hash).collect();
        assert_eq!(distinct.len(), 8);
        assert_eq!(sweep.place(&runs[0]), Some(0.001));
    }

    #[test]
    fn a_wrong_sweep_names_the_key() {
        let error = |from: &str, to: &str| Sweep::from_json(&TEXT.replace(from, to)).unwrap_err();
        assert!(error("0.001", "much").contains("lr"));
        assert!(error("\"lora\"", "\"lara\"").contains("lara"));
        assert!(error("\"seed\":", "\"sead\":").contains("sead"));
        assert!(error("\"grids\": [{", "\"grids\": [], \"x\": [{").contains("x"));
    }

    #[test]
    fn shards_are_all_of_a_grid_and_merge_to_the_same_file() {
        let sweep = Sweep::from_json(TEXT).unwrap();
        let point = |(i, config): (usize, RunConfig)| Point {
            trainable: config.trainable(),
            config,
            loss: 0.5,
            accuracy: i as f64 / 8.0,
            n: 512,
            seconds: 1.5,
        };
        let points: Vec<Point> = sweep.runs().unwrap().into_iter().enumerate().map(point).collect();
        let whole = Measured { sweep: sweep.clone(), points: points.clone() };
        let part = |text: &str| {
            let shard = Shard::parse(text).unwrap();
            let own = points.iter().enumerate().filter(|(i, _)| shard.holds(*i)).map(|(_, point)| point.clone());
            Measured { sweep: sweep.clone(), points: own.collect() }
        };
        let parts = ["3/3", "1/3", "2/3"].map(part);
        assert_eq!(parts.each_ref().map(|part| part.points.len()), [2, 3, 3]);
        let (merged, missing) = Measured::merged(&sweep, &parts).unwrap();
        assert_eq!((merged.to_lines(), missing), (whole.to_lines(), 0));
        assert_eq!(Measured::merged(&sweep, &parts[..2]).unwrap().1, 3);
        let other = Measured { sweep: Sweep { axis: "steps".into(), ..sweep.clone() }, points: Vec::new() };
        assert!(Measured::merged(&sweep, &[whole, other]).unwrap_err().contains("part 2"));
        for bad in ["0/3", "4/3", "3", "a/b", "1/0", ""] {
            assert!(Shard::parse(bad).is_err(), "{bad}");
        }
    }

    /// What ships is what the files under `sweeps/` say.
    #[cfg(not(target_arch = "wasm32"))]
    #[test]
    fn shipped_sweeps_are_those_of_the_repository() {
        let root = env!("CARGO_MANIFEST_DIR");
        let mut files = 0;
        for entry in std::fs::read_dir(format!("{root}/sweeps")).unwrap() {
            let path = entry.unwrap().path();
            let sweep = Sweep::from_json(&std::fs::read_to_string(&path).unwrap()).unwrap();
            let shipped = format!("{root}/www/sweeps/{}", path.file_name().unwrap().to_string_lossy());
            let measured: Measured = serde_json::from_str(&std::fs::read_to_string(&shipped).unwrap()).unwrap();
            assert_eq!(measured.sweep, sweep, "{shipped}");
            assert!(measured.points.len() * 10 >= sweep.runs().unwrap().len() * 9, "{shipped}");
            files += 1;
        }
        assert!(files >= 4);
    }
}
