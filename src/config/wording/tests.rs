//! Words around texts and labels: what an address may say, what holds otherwise, and what earlier versions meant.

use super::super::RunConfig;
use crate::bases::{Base, OwnBase};
use crate::task::{Template, Verbalizer, Wording};
use std::collections::BTreeMap;

fn run(hash: &str) -> RunConfig {
    let (config, faults, unknown) = RunConfig::from_hash(hash);
    assert!(faults.is_empty() && unknown.is_empty(), "{hash}: {faults:?} {unknown:?}");
    config
}

/// The fault of an address, and what is left of it.
fn refused(hash: &str) -> (String, String, RunConfig) {
    let (config, faults, _) = RunConfig::from_hash(hash);
    assert_eq!(faults.len(), 1, "{hash}: {faults:?}");
    assert_eq!(config.check(), Ok(()));
    (faults[0].key.clone(), faults[0].message.clone(), config)
}

/// A visitor's GPT-2 of so many positions and blocks.
fn own(positions: usize, blocks: usize) -> &'static Base {
    let config = format!(
        "{{\"model_type\":\"gpt2\",\"vocab_size\":50257,\"n_positions\":{positions},\"n_embd\":768,\"n_layer\":{blocks},\"n_head\":12}}"
    );
    let id = format!("own-words-{positions:08x}{blocks:08x}");
    let (weights, tokenizer) = (Vec::new(), Vec::new());
    Base::register(&OwnBase { id, title: "words".into(), config, weights, tokenizer, matrices: 0 }).unwrap()
}

#[test]
fn small_shipped_bases_read_letters_and_those_that_know_words_read_words() {
    for hash in ["#task=sentiment", "#task=authors&base=prose-small", "", "#task=questions", "#task=style"] {
        assert_eq!(run(hash).wording(), Wording::default(), "{hash}");
    }
    let base = own(1024, 12);
    let on = |task: &str| run(&format!("#base={}&task={task}", base.id));
    let sentiment = on("sentiment");
    let template = Template::parse("Review: {text}\\nSentiment: {label}\\n\\n").unwrap();
    let labels = Verbalizer::Words(vec!["positive".into(), "negative".into()]);
    assert_eq!(sentiment.wording(), Wording { template: Some(template), labels });
    assert_eq!(on("own&classes=3").wording().labels, Verbalizer::Titles);
    assert_eq!(on("style").wording(), Wording::default());
    // Nothing of it stands in the address.
    assert!(!sentiment.to_hash().contains("template") && !sentiment.to_hash().contains("labels"));
    // They need room: a short base keeps letters.
    let short = run(&format!("#base={}&task=sentiment", own(200, 12).id));
    assert_eq!((short.wording(), short.max_tokens()), (Wording::default(), 98));
}

#[test]
fn a_large_base_has_a_pretrained_one_s_rates_short_batches_and_few_steps() {
    let of = |method: &str, base: &Base| run(&format!("#base={}&task=sentiment&method={method}", base.id));
    let (large, small) = (own(1024, 12), own(1024, 1));
    assert!(small.config().unwrap().is_large() && large.config().unwrap().is_large());
    for (method, rate) in [("lora", 1e-3), ("full", 2e-5), ("prompt", 3e-2), ("prefix", 1e-2), ("adapter", 3e-4)] {
        let config = of(method, large);
        assert_eq!((config.learning_rate(), config.batch_size(), config.steps), (rate, 8, 50), "{method}");
    }
    let moved = run("#task=sentiment&method=lora").on_base(large).unwrap().config;
    assert_eq!((moved.steps, moved.batch_size()), (50, 8));
    let asked = run("#task=sentiment&method=lora&steps=40").on_base(large).unwrap().config;
    assert_eq!(asked.steps, 40);
    assert_eq!(run(&format!("#base={}&task=style", large.id)).batch_size(), 4);
}

#[test]
fn words_go_through_address_flags_and_files() {
    let hash = "task=sentiment&template=It: {text}%5CnGood? {label}&labels=yes indeed,no&method=icl&demonstration_labels=random&shots=2";
    for base in ["prose-nano", own(1024, 12).id] {
        let config = run(&format!("#base={base}&{hash}"));
        assert_eq!(run(&config.to_hash()), config);
        let json = serde_json::to_string(&config).unwrap();
        assert!(
            json.contains(r#""template":"It: {text}\\nGood? {label}""#) && json.contains(r#""labels":"yes indeed,no""#)
        );
        assert_eq!(serde_json::from_str::<RunConfig>(&json).unwrap(), config);
        assert_eq!(
            config.with(&[("template", ""), ("labels", " ")]).unwrap().wording(),
            run(&format!("#base={base}&task=sentiment")).wording()
        );
    }
    let plain = run(&format!("#base={}&task=sentiment&template=plain&labels=letters", own(1024, 12).id));
    assert_eq!(plain.wording(), Wording::default());
    assert_eq!(run(&plain.to_hash()), plain);
}

#[test]
fn words_that_cannot_be_used_are_told_under_their_key() {
    for (hash, key, told) in [
        ("#task=sentiment&labels=good,bad,dull", "labels", "has 2 labels: 3 words"),
        ("#task=own&classes=3&labels=good,bad", "labels", "has 3 labels: 2 words"),
        ("#task=sentiment&labels=good", "labels", "is one alone"),
        ("#task=sentiment&labels=good,", "labels", "without words"),
        ("#task=sentiment&labels=bad,bad", "labels", "twice"),
        ("#task=sentiment&template={text}", "template", "once each"),
        ("#task=style&template={text}%5Cn{label}", "template", "no choice “template”"),
        ("#task=style&labels=a,b", "labels", "no choice “labels”"),
        ("#task=own&labels=a,b", "labels", "goes on with a text"),
        ("#task=rules&labels=a,b", "labels", "no choice “labels”"),
        (
            "#base=rules&template=a long way in front of the letters {text} and a longer one to its answer {label}",
            "template",
            "needs up to",
        ),
        ("#task=sentiment&labels=a word of very many letters indeed and then some,b", "labels", "at most 40"),
    ] {
        let (at, message, config) = refused(hash);
        assert!(at == key && message.contains(told), "{hash}: {at}: {message}");
        assert!(config.template.is_none() && config.labels.is_none(), "{hash}");
    }
    // They belong to a task: another one has its own.
    let config = run("#task=sentiment&labels=good,bad");
    let moved = config.on_task(crate::task::TaskConfig::named("authors").unwrap()).unwrap().config;
    assert_eq!((moved.labels.clone(), moved.check()), (None, Ok(())));
}

#[test]
fn addresses_of_in_context_learning_mean_what_they_did() {
    let config = run("#method=icl&shots=2&labels=random&template={text}%3B{label}>");
    assert_eq!(config.knob("demonstration_labels").as_deref(), Some("random"));
    assert_eq!(config.wording().template, Template::parse("{text};{label}>").ok());
    assert!(config.labels.is_none());
    assert_eq!(run(&config.to_hash()), config);
    let both = run("#task=sentiment&method=icl&labels=random&labels=good,bad");
    assert_eq!(both.knob("demonstration_labels").as_deref(), Some("random"));
    assert_eq!(both.wording().labels.to_string(), "good,bad");
    // How many fit in front of a string is known where its form is.
    let (_, faults, _) = RunConfig::from_hash("#method=icl&shots=6");
    assert!(faults[0].message.starts_with("5 demonstrations fit into the context of 64, not 6."), "{faults:?}");
    assert_eq!(run("#method=icl&shots=6&template={text}>{label}").knob("shots").as_deref(), Some("6"));
}

#[test]
fn a_file_of_an_earlier_version_keeps_letters_rate_and_batch() {
    let base = own(1024, 12);
    let read = |pairs: &[(&str, &str)]| {
        let pairs: BTreeMap<&str, &str> = pairs.iter().copied().chain([("base", base.id), ("steps", "300")]).collect();
        serde_json::from_str::<RunConfig>(&serde_json::to_string(&pairs).unwrap()).unwrap()
    };
    let earlier = read(&[("task", "sentiment"), ("method", "lora")]);
    assert_eq!(earlier.wording(), Wording::default());
    assert_eq!((earlier.learning_rate(), earlier.batch_size(), earlier.steps), (5e-3, 32, 300));
    // What it had set stays, and from now on it says what it is.
    let set = read(&[("task", "own"), ("classes", "2"), ("method", "full"), ("lr", "0.01"), ("batch_size", "4")]);
    assert_eq!((set.learning_rate(), set.batch_size(), set.wording()), (0.01, 4, Wording::default()));
    assert_eq!(run(&earlier.to_hash()), earlier);
    assert_eq!(serde_json::from_str::<RunConfig>(&serde_json::to_string(&earlier).unwrap()).unwrap(), earlier);
    let now = run(&format!("#base={}&task=sentiment", base.id));
    assert_eq!(serde_json::from_str::<RunConfig>(&serde_json::to_string(&now).unwrap()).unwrap(), now);
    assert_ne!(earlier.wording(), now.wording());
}
