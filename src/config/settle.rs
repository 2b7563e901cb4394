//! What a run becomes where base and task change under it.

use super::RunConfig;
use super::wording::default_steps;
use crate::base::Fault;
use crate::bases::Base;
use crate::peft::MethodConfig;
use crate::task::TaskConfig;

/// A configuration that trains, and what had to give way for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// It passes its own check.
    pub config: RunConfig,
    /// Sentences: which task, methods and knobs gave way, and to what.
    pub changes: Vec<String>,
}

impl RunConfig {
    /// The same run on another base. A task that the base does not read, or is too short for, gives way to the
    /// first that fits; knobs that do not fit go back to their defaults.
    ///
    /// # Errors
    /// The fault, where no task fits the base.
    pub fn on_base(&self, base: &'static Base) -> Result<Settled, Fault> {
        let mut moved = RunConfig { base, lr: None, ..self.clone() };
        if self.steps == default_steps(self.base) {
            moved.steps = default_steps(base);
        }
        let Err(fault) = moved.check_base() else { return moved.settled(Vec::new()) };
        // A base that Python could fetch came with these sentences, and knows best what they ask.
        let first = base.fetched().and_then(|_| TaskConfig::named("sentiment"));
        // Of these two nobody knows here whether their examples are there.
        let named = TaskConfig::NAMES.iter().filter(|name| !["own", "sentiment"].contains(name));
        let named = named.filter_map(|name| TaskConfig::named(name));
        // Single words are the shortest of all examples.
        let words = TaskConfig::named("language").and_then(|mut task| task.set("unit", "word").ok().map(|()| task));
        // A batch that was asked for stays: it says what a step may take on this base.
        let on = |task| RunConfig { task, template: None, labels: None, ..moved.clone() };
        let Some(config) =
            first.into_iter().chain(named).chain(words).map(on).find(|config| config.check_base().is_ok())
        else {
            return Err(Fault::new("base", format!("{} No other task is short enough for it.", fault.message)));
        };
        // That a shipped base reads other tasks than another is plain to see on the page.
        let is_told = base.is_own() || self.task.is_read_by(base);
        let change = format!("{} The task is now {}.", fault.message, config.task.title());
        config.settled(if is_told { vec![change] } else { Vec::new() })
    }

    /// The same run on another task, and on a base that reads it and is long enough for it.
    ///
    /// # Errors
    /// The fault, where there is no such base.
    pub fn on_task(&self, task: TaskConfig) -> Result<Settled, Fault> {
        let mut config = RunConfig { task, template: None, labels: None, lr: None, batch_size: None, ..self.clone() };
        let mut changes = Vec::new();
        if let Err(fault) = config.check_base() {
            let is_told = config.task.is_read_by(config.base);
            config.base = config.task.bases().iter().find_map(|id| Base::named(id)).ok_or_else(|| fault.clone())?;
            if is_told {
                changes.push(format!("{} The base is now {}.", fault.message, config.base.id));
            }
        }
        config.settled(changes)
    }

    /// Gives up methods and knobs that do not fit, one after the other, and says which.
    fn settled(mut self, mut changes: Vec<String>) -> Result<Settled, Fault> {
        let before = self.clone();
        let mut reasons = Vec::new();
        while let Err(fault) = self.check() {
            // Each round resets a knob, resets a method or leaves one out: there are not many of them.
            if reasons.len() > 64 || !self.give_way(&fault) {
                return Err(fault);
            }
            reasons.push(fault.message);
        }
        let mut gone: Vec<String> = Vec::new();
        for method in before.methods() {
            let title = method.info().title;
            let Some(now) = self.methods().find(|now| now.info().name == method.info().name) else {
                gone.push(format!("{title} is left out"));
                continue;
            };
            for knob in method.info().knobs {
                let (was, is) = (method.get(knob.name).unwrap_or_default(), now.get(knob.name).unwrap_or_default());
                if was != is {
                    gone.push(format!("{title}: {} is {} in place of {}", knob.label, shown(&is), shown(&was)));
                }
            }
        }
        for method in self.methods().filter(|now| before.methods().all(|was| was.info().name != now.info().name)) {
            gone.push(format!("the method is now {}", method.info().title));
        }
        if !gone.is_empty() {
            changes.push(format!("{} So {}.", reasons[0], gone.join("; ")));
        } else if let Some(reason) = reasons.first() {
            changes.push(reason.clone());
        }
        Ok(Settled { config: self, changes })
    }

    /// The least that a fault can be answered with; `false` where nothing is left to give up.
    fn give_way(&mut self, fault: &Fault) -> bool {
        if fault.key == "examples" {
            return self.task.set("examples", "all").is_ok();
        }
        match fault.key.as_str() {
            "template" if self.template.take().is_some() => return true,
            "labels" if self.labels.take().is_some() => return true,
            _ => {}
        }
        let before = self.clone();
        self.reset_knob(&fault.key);
        if *self != before {
            return true;
        }
        if self.also.pop().is_some() {
            return true;
        }
        let plain = MethodConfig::named(self.method.info().name);
        if let Some(plain) = plain.filter(|plain| *plain != self.method) {
            self.method = plain;
            return true;
        }
        match self.first_that_fits() {
            Some(other) => self.method = other,
            None => return false,
        }
        true
    }
}

/// A knob's value; an empty one follows from the others.
fn shown(value: &str) -> &str {
    if value.is_empty() { "by itself" } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bases::OwnBase;

    /// A visitor's OPT of so many positions and this width.
    fn short(positions: usize, width: usize) -> &'static Base {
        let config = format!(
            "{{\"model_type\":\"opt\",\"vocab_size\":300,\"max_position_embeddings\":{positions},\"hidden_size\":{width},\"ffn_dim\":32,\"num_hidden_layers\":2,\"num_attention_heads\":2}}"
        );
        let id = format!("own-short-{positions:08x}{width:08x}");
        Base::register(&OwnBase {
            id,
            title: "short".into(),
            config,
            weights: Vec::new(),
            tokenizer: Vec::new(),
            matrices: 0,
        })
        .unwrap()
    }

    fn run(hash: &str) -> RunConfig {
        let (config, faults, _) = RunConfig::from_hash(hash);
        assert!(faults.is_empty(), "{faults:?}");
        config
    }

    #[test]
    fn a_base_too_short_for_a_task_turns_to_one_that_fits_or_is_refused() {
        let run = run("#task=dialogue");
        for positions in [64, 40] {
            let settled = run.on_base(short(positions, 16)).unwrap();
            assert!(settled.config.check().is_ok());
            assert_ne!(settled.config.task.name(), "dialogue");
            let told = settled.changes.join(" ");
            assert!(told.contains(&format!("reads {positions} positions, the task dialogue needs 98.")), "{told}");
            assert!(told.contains("The task is now "), "{told}");
        }
        let fault = run.on_base(short(6, 16)).unwrap_err();
        assert!(fault.message.ends_with("No other task is short enough for it."), "{fault:?}");
        // One that is long enough changes nothing, and says nothing.
        let settled = run.on_base(short(128, 16)).unwrap();
        assert_eq!((settled.config.task, settled.changes), (run.task, Vec::<String>::new()));
    }

    #[test]
    fn a_batch_size_that_was_asked_for_stays_on_another_base_whatever_the_task_becomes() {
        for (hash, positions) in [("#rule=cipher&batch_size=8", 128), ("#task=dialogue&batch_size=3&steps=4", 64)] {
            let run = run(hash);
            let settled = run.on_base(short(positions, 16)).unwrap().config;
            assert_ne!(settled.task.name(), run.task.name());
            assert_eq!((settled.batch_size, settled.steps), (run.batch_size, run.steps), "{hash}");
        }
        // None that was asked for is the task's own.
        assert_eq!(run("#rule=cipher").on_base(short(128, 16)).unwrap().config.batch_size, None);
    }

    #[test]
    fn a_link_to_a_method_that_a_base_has_nothing_for_keeps_base_and_task_and_is_told_once() {
        let bare = r#"{"model_type":"llama","vocab_size":301,"max_position_embeddings":256,"hidden_size":32,
            "intermediate_size":64,"num_hidden_layers":2,"num_attention_heads":2}"#;
        let id = "own-bare-ba4e000000000001".to_string();
        let (weights, tokenizer) = (Vec::new(), Vec::new());
        let base = OwnBase { id, title: "bare".into(), config: bare.into(), weights, tokenizer, matrices: 0 };
        let base = Base::register(&base).unwrap();
        for (methods, becomes) in [("bitfit", "lora"), ("bitfit,prompt", "lora"), ("lora,bitfit", "lora")] {
            let hash = format!("#base={}&task=dialogue&method={methods}&steps=7", base.id);
            let (config, faults, _) = RunConfig::from_hash(&hash);
            assert_eq!((config.base.id, config.task.name(), config.steps), (base.id, "dialogue", 7), "{hash}");
            assert_eq!(config.method.info().name, becomes, "{hash}");
            assert!(faults.len() <= 2 && faults[0].message.starts_with("This base has no biases"), "{faults:?}");
            assert_eq!(config.check(), Ok(()));
        }
    }

    #[test]
    fn the_language_model_opens_on_what_it_knows() {
        let base = Base::named("smollm2").unwrap();
        let settled = RunConfig::default().on_base(base).unwrap();
        assert_eq!((settled.config.task.name(), settled.changes), ("sentiment", Vec::<String>::new()));
        assert_eq!((settled.config.steps, settled.config.batch_size()), (50, 8));
        // A task that it reads stays.
        assert_eq!(run("#task=dialogue").on_base(base).unwrap().config.task.name(), "dialogue");
    }

    #[test]
    fn a_task_too_long_for_a_base_turns_to_a_shipped_one() {
        let on_short = run("#task=authors").on_base(short(64, 16)).unwrap().config;
        let settled = on_short.on_task(TaskConfig::named("dialogue").unwrap()).unwrap();
        assert!(settled.config.check().is_ok() && !settled.config.base.is_own());
        assert!(settled.changes[0].ends_with("The base is now prose-nano."), "{:?}", settled.changes);
    }

    #[test]
    fn knobs_and_methods_that_give_way_are_named() {
        for (hash, positions, told) in [
            ("#task=authors&method=lora&rank=64", 128, "LoRA: Rank is 4 in place of 64"),
            ("#task=authors&method=lora,bitfit&rank=32", 128, "LoRA: Rank is 4 in place of 32"),
            ("#base=prose-small&task=authors&method=prompt&num_virtual_tokens=30", 120, "is 20 in place of 30"),
            ("#base=prose-small&task=authors&method=prompt", 100, "Prompt tuning is left out; the method is now LoRA"),
        ] {
            let settled = run(hash).on_base(short(positions, 16)).unwrap();
            assert!(settled.config.check().is_ok());
            let said = settled.changes.join(" ");
            assert!(said.contains(told), "{hash}: {said}");
        }
    }

    #[test]
    fn every_method_settles_on_every_width_and_length() {
        for method in MethodConfig::all() {
            for (positions, width) in [(98, 2), (99, 4), (100, 16), (130, 8)] {
                let config = RunConfig { method: method.clone(), ..run("#task=dialogue") };
                let settled = config.on_base(short(positions, width)).unwrap();
                assert_eq!(settled.config.check(), Ok(()), "{}", method.info().name);
                if settled.config.method != method {
                    assert!(!settled.changes.is_empty(), "{}", method.info().name);
                }
            }
        }
    }
}
