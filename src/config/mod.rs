//! What a run is, and the one grammar in which URL, flags and JSON write it.

use crate::base::{Fault, shorten};
use crate::bases::{Base, OwnBase};
use crate::model::ModelConfig;
use crate::peft::{Count, MethodConfig, Shape};
use crate::task::TaskConfig;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Everything that decides a run: the same configuration on the same kind of device gives the same curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct RunConfig {
    /// One of [`crate::bases::BASES`], or a visitor's own.
    pub base: &'static Base,
    pub task: TaskConfig,
    pub method: MethodConfig,
    /// Methods that train together with it, at other sites of the network.
    pub also: Vec<MethodConfig>,
    /// AdamW's peak rate; `None` is the method's tuned default.
    pub lr: Option<f64>,
    /// Sequences per step; `None` is the task's default.
    pub batch_size: Option<usize>,
    pub steps: usize,
    pub seed: u64,
    pub device: DeviceChoice,
    /// Workers that share a step on the CPU; by the processor's cores where the visitor does not choose. The curve does not depend on it.
    pub workers: Option<usize>,
    /// Whether evaluations also score what the base could do before.
    pub forgetting: bool,
}

/// Where a run trains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceChoice {
    /// WebGPU where the browser gives a device, else the CPU.
    #[default]
    Auto,
    Cpu,
    Webgpu,
}

impl DeviceChoice {
    pub const ALL: [(DeviceChoice, &'static str); 3] =
        [(DeviceChoice::Auto, "auto"), (DeviceChoice::Cpu, "cpu"), (DeviceChoice::Webgpu, "webgpu")];

    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

impl PartialEq for Base {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// The most parts of a batch: as many workers as a laptop has cores to spare.
pub const MOST_PARTS: usize = 4;

/// Limits of the optimizer's numbers.
pub mod limits {
    use std::ops::RangeInclusive;
    pub const LR: RangeInclusive<f64> = 1e-7..=10.0;
    pub const BATCH_SIZE: RangeInclusive<usize> = 1..=512;
    pub const STEPS: RangeInclusive<usize> = 1..=100_000;
    /// More would find no part of a batch to do.
    pub const WORKERS: RangeInclusive<usize> = 1..=super::MOST_PARTS;
}

impl Default for RunConfig {
    /// The opening scene: an unseen composition, LoRA r 4 on W_Q and W_V.
    fn default() -> Self {
        RunConfig {
            base: &crate::bases::BASES[0],
            task: TaskConfig::Rules { rule: Default::default(), examples: None },
            method: MethodConfig::opening(),
            also: Vec::new(),
            lr: None,
            batch_size: None,
            steps: 300,
            seed: 0,
            device: DeviceChoice::Auto,
            workers: None,
            forgetting: false,
        }
    }
}

impl RunConfig {
    /// The methods that train together, the first one first.
    pub fn methods(&self) -> impl Iterator<Item = &MethodConfig> {
        std::iter::once(&self.method).chain(&self.also)
    }

    /// A short name of the methods with the knobs that matter (`LoRA r 4 + prompt 20`).
    pub fn label(&self) -> String {
        self.methods().map(|m| m.method().label()).collect::<Vec<_>>().join(" + ")
    }

    /// AdamW's peak rate: of several methods' tuned rates the lowest, since one step moves them all.
    pub fn learning_rate(&self) -> f64 {
        let tuned = self.methods().map(|m| m.method().learning_rate(self.task.rates(), self.base.id));
        self.lr.unwrap_or_else(|| tuned.fold(f64::INFINITY, f64::min))
    }

    /// Whether there is anything to train.
    pub fn trains(&self) -> bool {
        self.methods().any(|m| m.method().trains())
    }

    pub fn batch_size(&self) -> usize {
        self.batch_size.unwrap_or_else(|| self.task.default_batch_size())
    }

    /// What the closed-form counts depend on.
    pub fn shape(&self) -> Shape {
        // Shipped configurations are parsed in this crate's tests: this cannot fail on a build that passed them.
        let model: ModelConfig = self.base.config().expect("a shipped config.json");
        let labels = self.task.labels(model.vocab_size);
        Shape { model, labels }
    }

    /// Elements of φ as a sum.
    pub fn count(&self) -> Count {
        let shape = self.shape();
        Count::new(self.methods().flat_map(|m| m.method().count(&shape).terms))
    }

    /// Elements of φ.
    pub fn trainable(&self) -> usize {
        self.count().total()
    }

    /// Parameters in all, as PEFT counts them: θ and what the methods add to it.
    pub fn all_parameters(&self) -> usize {
        let shape = self.shape();
        shape.model.parameters() + self.methods().map(|m| m.method().added(&shape)).sum::<usize>()
    }

    /// Whether φ can be folded into θ; the first method that cannot says why.
    pub fn merges(&self) -> Result<(), String> {
        let reason = |m: &MethodConfig| m.method().merges().err().map(|why| format!("{}: {why}", m.info().title));
        self.methods().find_map(reason).map_or(Ok(()), Err)
    }

    /// Whether θ ⊕ λφ has a meaning; the first method for which it has none says why.
    pub fn dial(&self) -> Result<(), String> {
        let reason = |m: &MethodConfig| m.info().dial.err().map(|why| format!("{}: {why}", m.info().title));
        self.methods().find_map(reason).map_or(Ok(()), Err)
    }

    /// Positions that the longest example needs; a visitor's base may begin every text with a token of its own.
    pub fn max_tokens(&self) -> usize {
        self.task.max_tokens() + usize::from(self.base.is_own())
    }

    /// What cannot be trained together: a task on a base that does not read it, a rank above the width …
    pub fn check(&self) -> Result<(), Fault> {
        if !self.task.is_read_by(self.base) {
            let message = format!(
                "The base {} does not read the task {}: it goes with {}.",
                self.base.id,
                self.task.name(),
                self.task.bases().join(" or ")
            );
            return Err(Fault::new("base", message));
        }
        if self.task.is_written() && self.task.examples().is_some() {
            return Err(Fault::new("examples", "A text is one example: it cannot be limited to a number of them."));
        }
        let (shape, tokens) = (self.shape(), self.max_tokens());
        let context = shape.model.max_position_embeddings;
        if tokens > context {
            let message = format!(
                "The base {} reads {context} positions, the task {} needs {tokens}.",
                self.base.id,
                self.task.name()
            );
            return Err(Fault::new("base", message));
        }
        for method in self.methods() {
            method.method().check(&shape, tokens).map_err(|fault| self.qualified(method, fault))?;
        }
        self.check_together(&shape, tokens)
    }

    /// Methods train together where no two step in at the same spot.
    fn check_together(&self, shape: &Shape, tokens: usize) -> Result<(), Fault> {
        let methods: Vec<&MethodConfig> = self.methods().collect();
        for (i, one) in methods.iter().enumerate() {
            for other in &methods[..i] {
                let (a, b) = (other.info(), one.info());
                if a.name == b.name {
                    return Err(Fault::new("method", format!("{} is named twice: once is enough.", a.title)));
                }
                let taken = other.method().sites(&shape.model);
                if let Some(spot) = one.method().sites(&shape.model).iter().find(|spot| taken.contains(spot)) {
                    let message = format!(
                        "{} and {} cannot be trained together: both change {}. Leave one out, or let them change different places.",
                        a.title,
                        b.title,
                        spot.title()
                    );
                    return Err(Fault::new("method", message));
                }
            }
        }
        let positions: usize = methods.iter().map(|m| m.method().positions()).sum();
        let room = shape.model.max_position_embeddings.saturating_sub(tokens);
        if positions > room {
            let message = format!(
                "Together they put {positions} positions in front of the text; this base has {room} left beside the task's {tokens}."
            );
            return Err(Fault::new("num_virtual_tokens", message));
        }
        Ok(())
    }

    /// The key that names a knob of one of the methods: with the method's name in front where an earlier one has it too.
    pub fn key_of(&self, method: &MethodConfig, knob: &str) -> String {
        let has = |m: &&MethodConfig| m.info().knobs.iter().any(|k| k.name == knob);
        match self.methods().find(has) {
            Some(first) if first.info().name != method.info().name => format!("{}.{knob}", method.info().name),
            _ => knob.to_string(),
        }
    }

    /// [`key_of`](Self::key_of) as a name that lasts: there are as many as methods times knobs.
    pub fn static_key(&self, method: &MethodConfig, knob: &'static str) -> &'static str {
        static KEYS: OnceLock<BTreeMap<(&str, &str), String>> = OnceLock::new();
        let key = self.key_of(method, knob);
        if key == knob {
            return knob;
        }
        let all = || {
            let knobs = |m: &MethodConfig| {
                let name = m.info().name;
                m.info().knobs.iter().map(move |k| ((name, k.name), format!("{name}.{}", k.name)))
            };
            MethodConfig::all().iter().flat_map(knobs).collect()
        };
        KEYS.get_or_init(all).get(&(method.info().name, knob)).map_or(knob, String::as_str)
    }

    /// The same run with one more method.
    pub fn with_also(&self, method: MethodConfig) -> RunConfig {
        let mut config = self.clone();
        config.also.push(method);
        config
    }

    fn qualified(&self, method: &MethodConfig, fault: Fault) -> Fault {
        Fault { key: self.key_of(method, &fault.key), ..fault }
    }

    /// The method and the knob that a key names.
    fn knob_of(&self, key: &str) -> Option<(usize, &'static str)> {
        let knob = |m: &MethodConfig, name: &str| m.info().knobs.iter().find(|k| k.name == name).map(|k| k.name);
        match key.split_once('.') {
            Some((method, name)) => {
                let (i, m) = self.methods().enumerate().find(|(_, m)| m.info().name == method)?;
                Some((i, knob(m, name)?))
            }
            None => self.methods().enumerate().find_map(|(i, m)| Some((i, knob(m, key)?))),
        }
    }

    /// A knob's value as the address writes it, by its key; `None` for a key that is no knob of these methods.
    pub fn knob(&self, key: &str) -> Option<String> {
        let (i, knob) = self.knob_of(key)?;
        self.methods().nth(i)?.get(knob)
    }

    fn set_knob(&mut self, key: &str, text: &str) -> Option<Result<(), Fault>> {
        let (i, knob) = self.knob_of(key)?;
        let method = if i == 0 { &mut self.method } else { &mut self.also[i - 1] };
        Some(method.set(knob, text).map_err(|fault| Fault { key: key.to_string(), ..fault }))
    }

    /// Key and value pairs, in a fixed order; what is at its default is left out but for base, task and method.
    pub fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs: Vec<(String, String)> =
            vec![("base".into(), self.base.id.into()), ("task".into(), self.task.name().into())];
        pairs.extend(self.task.pairs().into_iter().map(|(k, v)| (k.to_string(), v)));
        let names: Vec<&str> = self.methods().map(|m| m.info().name).collect();
        pairs.push(("method".into(), names.join(",")));
        for method in self.methods() {
            // Knobs may follow each other (alpha stays twice the rank), so each is compared after those before it are set.
            let mut reference = MethodConfig::named(method.info().name).unwrap_or_else(|| method.clone());
            for knob in method.info().knobs {
                if let (Some(ours), Some(default)) = (method.method().get(knob.name), reference.method().get(knob.name))
                    && ours != default
                {
                    pairs.push((self.key_of(method, knob.name), ours.to_string()));
                    reference.method_mut().set(knob.name, ours);
                }
            }
        }
        if let Some(lr) = self.lr {
            pairs.push(("lr".into(), lr.to_string()));
        }
        if let Some(n) = self.batch_size {
            pairs.push(("batch_size".into(), n.to_string()));
        }
        pairs.push(("steps".into(), self.steps.to_string()));
        pairs.push(("seed".into(), self.seed.to_string()));
        if self.device != DeviceChoice::Auto {
            pairs.push(("device".into(), self.device.name().into()));
        }
        if let Some(n) = self.workers {
            pairs.push(("workers".into(), n.to_string()));
        }
        if self.forgetting {
            pairs.push(("forgetting".into(), "true".into()));
        }
        pairs
    }

    /// Reads pairs in any order. A value that cannot be used leaves its default and gives a [`Fault`]; keys this grammar
    /// does not know come back as they are (the page keeps `run` and `hide` there).
    pub fn from_pairs(pairs: &[(String, String)]) -> (RunConfig, Vec<Fault>, Vec<(String, String)>) {
        let mut config = RunConfig::default();
        let (mut faults, mut unknown) = (Vec::new(), Vec::new());
        let find = |key: &str| pairs.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v.as_str());

        if let Some(name) = find("task") {
            match TaskConfig::named(name) {
                Some(task) => config.task = task,
                None => faults.push(no_such("task", name, &TaskConfig::NAMES)),
            }
        }
        config.base = Base::named(config.task.bases()[0]).unwrap_or(config.base);
        if let Some(id) = find("base") {
            match Base::named(id) {
                // A base alone chooses the task that it reads.
                Some(base) => {
                    config.base = base;
                    if find("task").is_none()
                        && let Some(task) =
                            TaskConfig::NAMES.iter().filter_map(|n| TaskConfig::named(n)).find(|t| t.is_read_by(base))
                    {
                        config.task = task;
                    }
                }
                None if id.starts_with(OwnBase::PREFIX) => {
                    let message = format!(
                        "“{}” is a base of its owner's, which is not here: bring its files first.",
                        shorten(id)
                    );
                    faults.push(Fault::new("base", message));
                }
                None => faults.push(no_such("base", id, &crate::bases::BASES.each_ref().map(|b| b.id))),
            }
        }
        if let Some(list) = find("method") {
            let mut methods = Vec::new();
            for name in list.split(',').take(MethodConfig::all().len()) {
                match MethodConfig::named(name.trim()) {
                    Some(method) => methods.push(method),
                    None => {
                        let names: Vec<&str> = MethodConfig::all().iter().map(|m| m.info().name).collect();
                        faults.push(no_such("method", name, &names));
                    }
                }
            }
            if !methods.is_empty() {
                config.method = methods.remove(0);
                config.also = methods;
            }
        }
        for (key, text) in pairs {
            let result = match key.as_str() {
                "base" | "task" | "method" => Ok(()),
                key if TaskConfig::KEYS.contains(&key) => config.task.set(key, text),
                "forgetting" => match text.trim() {
                    on @ ("true" | "1" | "false" | "0") => {
                        config.forgetting = matches!(on, "true" | "1");
                        Ok(())
                    }
                    _ => Err(no_such("forgetting", text, &["true", "false"])),
                },
                "lr" => number(key, text, &limits::LR).map(|x| config.lr = Some(x)),
                "batch_size" => integer(key, text, &limits::BATCH_SIZE).map(|n| config.batch_size = Some(n)),
                "steps" => integer(key, text, &limits::STEPS).map(|n| config.steps = n),
                "seed" => match text.parse() {
                    Ok(seed) => {
                        config.seed = seed;
                        Ok(())
                    }
                    Err(_) => {
                        Err(Fault::new(key, format!("seed cannot be “{}”: it takes a whole number.", shorten(text))))
                    }
                },
                "workers" if text == "auto" => {
                    config.workers = None;
                    Ok(())
                }
                "workers" => integer(key, text, &limits::WORKERS).map(|n| config.workers = Some(n)),
                "device" => match DeviceChoice::ALL.iter().find(|(_, name)| name == text) {
                    Some((device, _)) => {
                        config.device = *device;
                        Ok(())
                    }
                    None => Err(no_such("device", text, &DeviceChoice::ALL.map(|(_, name)| name))),
                },
                _ => config.set_knob(key, text).unwrap_or_else(|| {
                    unknown.push((key.clone(), text.clone()));
                    Ok(())
                }),
            };
            faults.extend(result.err());
        }
        // What does not go together falls back piece by piece, so that the page always has something it can train.
        while let Err(fault) = config.check() {
            match fault.key.as_str() {
                "examples" => drop(config.task.set("examples", "all")),
                "base" => config.base = Base::named(config.task.bases()[0]).unwrap_or(config.base),
                // Of methods that cannot be combined, or of knobs that do not fit, what was named last goes first.
                "method" if !config.also.is_empty() => drop(config.also.pop()),
                _ => {
                    let reset = |m: &MethodConfig| MethodConfig::named(m.info().name).unwrap_or_else(|| m.clone());
                    let (method, also) = (reset(&config.method), config.also.iter().map(reset).collect());
                    if config.method == method && config.also == also {
                        config.also.pop();
                    }
                    (config.method, config.also) = (method, also);
                }
            }
            faults.push(fault);
            // Defaults alone fit every base: a test says so.
            if faults.len() > 64 {
                config = RunConfig::default();
            }
        }
        (config, faults, unknown)
    }

    /// Reads a URL's hash (`#base=rules&method=lora&rank=8`).
    pub fn from_hash(hash: &str) -> (RunConfig, Vec<Fault>, Vec<(String, String)>) {
        let pairs: Vec<(String, String)> = hash
            .trim_start_matches('#')
            .split('&')
            .filter(|part| !part.is_empty())
            .map(|part| {
                let (key, value) = part.split_once('=').unwrap_or((part, ""));
                (decode(key), decode(value))
            })
            .collect();
        RunConfig::from_pairs(&pairs)
    }

    /// The hash that [`from_hash`](Self::from_hash) reads back, without its `#`.
    pub fn to_hash(&self) -> String {
        self.pairs().iter().map(|(k, v)| format!("{k}={}", encode(v))).collect::<Vec<_>>().join("&")
    }
}

impl From<RunConfig> for BTreeMap<String, String> {
    fn from(config: RunConfig) -> Self {
        config.pairs().into_iter().collect()
    }
}

impl TryFrom<BTreeMap<String, String>> for RunConfig {
    type Error = Fault;

    fn try_from(map: BTreeMap<String, String>) -> Result<Self, Fault> {
        let (config, faults, _) = RunConfig::from_pairs(&map.into_iter().collect::<Vec<_>>());
        match faults.into_iter().next() {
            Some(fault) => Err(fault),
            None => Ok(config),
        }
    }
}

fn no_such(key: &str, text: &str, known: &[&str]) -> Fault {
    Fault::new(key, format!("There is no {key} “{}”. There is: {}.", shorten(text), known.join(", ")))
}

fn number(key: &str, text: &str, range: &std::ops::RangeInclusive<f64>) -> Result<f64, Fault> {
    match text.trim().parse::<f64>() {
        Ok(x) if x.is_finite() && range.contains(&x) => Ok(x),
        _ => {
            let message = format!(
                "{key} cannot be “{}”: it takes a number from {} to {}.",
                shorten(text),
                range.start(),
                range.end()
            );
            Err(Fault::new(key, message))
        }
    }
}

fn integer(key: &str, text: &str, range: &std::ops::RangeInclusive<usize>) -> Result<usize, Fault> {
    match text.trim().parse::<usize>() {
        Ok(n) if range.contains(&n) => Ok(n),
        _ => {
            let message = format!(
                "{key} cannot be “{}”: it takes a whole number from {} to {}.",
                shorten(text),
                range.start(),
                range.end()
            );
            Err(Fault::new(key, message))
        }
    }
}

/// Percent-decodes a part of a URL; broken escapes stay as they are, broken UTF-8 becomes `�`.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let escape = (bytes[i] == b'%').then(|| bytes.get(i + 1..i + 3)).flatten();
        let byte =
            escape.and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte {
            Some(byte) => {
                out.push(byte);
                i += 3;
            }
            None => {
                out.push(if bytes[i] == b'+' { b' ' } else { bytes[i] });
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Percent-encodes what has a meaning in a URL's hash.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b',' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(hash: &str) -> (RunConfig, Vec<String>) {
        let (config, faults, _) = RunConfig::from_hash(hash);
        (config, faults.into_iter().map(|f| f.key).collect())
    }

    #[test]
    fn the_contract_url_is_read_whole() {
        let (config, faults, rest) = RunConfig::from_hash(
            "#base=rules&task=rules&rule=cipher&method=lora&rank=8&target_modules=q_proj,v_proj&steps=200&seed=0&device=cpu&run=1",
        );
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(rest, [("run".to_string(), "1".to_string())]);
        assert_eq!(config.task.title(), "cipher");
        assert_eq!((config.steps, config.device), (200, DeviceChoice::Cpu));
        assert_eq!(config.trainable(), 8192);
    }

    #[test]
    fn the_design_s_counts() {
        let (config, _) = read("base=prose-micro&task=authors&method=lora&rank=8");
        assert_eq!(
            crate::peft::trainable_line(config.trainable(), config.all_parameters()),
            "trainable params: 16,384 || all params: 957,440 || trainable%: 1.7112"
        );
        for (hash, count) in [
            ("method=lora", 4096),
            ("method=full", 205_568),
            ("method=last-layer", 1280),
            ("method=last-layer&rows=labels", 1024),
            ("method=bitfit", 2880),
            ("method=prompt", 1280),
            ("method=prefix", 5120),
            ("method=adapter", 8768),
        ] {
            assert_eq!(read(hash).0.trainable(), count, "{hash}");
        }
    }

    #[test]
    fn absurd_values_leave_a_config_that_trains_and_say_why() {
        for (hash, key) in [
            ("method=lora&rank=0", "rank"),
            ("method=lora&rank=100", "rank"),
            ("method=prompt&num_virtual_tokens=60", "num_virtual_tokens"),
            ("lr=NaN", "lr"),
            ("lr=-1", "lr"),
            ("lr=inf", "lr"),
            ("steps=0", "steps"),
            ("batch_size=1e9", "batch_size"),
            ("method=loraa", "method"),
            ("base=gpt-5", "base"),
            ("base=own-gpt-5-12345678", "base"),
            ("task=own&data=../x", "data"),
            ("task=own&classes=1", "classes"),
            ("task=own&data=a-1&examples=5", "examples"),
            ("task=world-peace", "task"),
            ("rule=%00%ff%zz", "rule"),
            ("seed=-3", "seed"),
            ("device=quantum", "device"),
            ("base=prose-nano&task=rules", "base"),
            ("method=prompt&init=text", "init_text"),
        ] {
            let (config, faults) = read(hash);
            assert_eq!(faults, [key], "{hash}");
            config.check().unwrap();
        }
    }

    #[test]
    fn alpha_follows_the_rank_until_it_is_set() {
        let (config, _) = read("method=lora&rank=16");
        assert!(!config.to_hash().contains("alpha"));
        let (config, _) = read("method=lora&rank=16&alpha=8");
        assert!(config.to_hash().contains("alpha=8"));
    }

    proptest! {
        #[test]
        fn any_hash_gives_a_config_that_trains_and_reads_back(hash in "\\PC{0,80}|([a-z_]{1,12}=[-a-z0-9.,%]{0,12}&){0,6}") {
            let (config, _, _) = RunConfig::from_hash(&hash);
            config.check().unwrap();
            let (again, faults, _) = RunConfig::from_hash(&config.to_hash());
            prop_assert!(faults.is_empty());
            prop_assert_eq!(config, again);
        }
    }
}
