//! Examples, batches, demonstrations and windows of small tasks.

use super::{Batch, TaskData, TaskFile};
use crate::base::stream;
use crate::peft::{DemonstrationLabels, Demonstrations};
use crate::protocol::CutText;
use crate::task::tokenizer::Tokenizer;
use crate::task::{Baselines, Example, Labelled, Rule, TaskConfig, Template, Verbalizer, Wording, rules, style};

fn tokenizer(base: &str) -> Tokenizer {
    let path = format!("{}/www/models/{base}/tokenizer.json", env!("CARGO_MANIFEST_DIR"));
    Tokenizer::from_json(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn strings(examples: &str, seed: u64) -> TaskData {
    let mut config = TaskConfig::named("rules").unwrap();
    if !examples.is_empty() {
        config.set("examples", examples).unwrap();
    }
    TaskData::on(128, &config, &TaskFile::None, &tokenizer("rules"), &Wording::default(), seed).unwrap()
}

fn words() -> (TaskConfig, TaskFile) {
    let mut config = TaskConfig::named("language").unwrap();
    config.set("unit", "word").unwrap();
    let label =
        |label: &str| crate::task::text::Label { label: label.into(), title: label.into(), about: String::new() };
    let items = |range: std::ops::Range<usize>| range.map(|i| (i % 2, format!("word{i}"))).collect();
    let baselines = Baselines { chance: 0.5, majority: 0.5, bag_of_words: 0.5 };
    let labels = vec![label("A"), label("B")];
    let data = Labelled {
        labels,
        training: items(0..60),
        held_out: items(60..70),
        baselines: Some(baselines),
        source: String::new(),
    };
    (config, TaskFile::Labelled(data))
}

#[test]
fn demonstrations_are_training_examples_in_the_tasks_form() {
    let data = strings("", 0);
    let shown = data.demonstrations(&Demonstrations { shots: 3, ..Demonstrations::default() }, 54).unwrap();
    let rule = Rule::default();
    assert_eq!(shown.len(), 30);
    for shot in shown.chunks(10) {
        let string: rules::Letters = std::array::from_fn(|i| shot[i] as u8);
        assert_eq!(shot, rules::shot(string, rule.apply(string)));
        assert!(!rules::held_out().contains(&string));
    }
    let reordered =
        data.demonstrations(&Demonstrations { shots: 3, order: 2, ..Demonstrations::default() }, 54).unwrap();
    let sorted = |tokens: &[u32]| {
        let mut shots: Vec<Vec<u32>> = tokens.chunks(10).map(<[u32]>::to_vec).collect();
        shots.sort();
        shots
    };
    assert_eq!(sorted(&shown), sorted(&reordered));
    assert_ne!(shown, reordered);
    let random = data
        .demonstrations(
            &Demonstrations { shots: 3, labels: DemonstrationLabels::Random, ..Demonstrations::default() },
            54,
        )
        .unwrap();
    for (a, b) in shown.chunks(10).zip(random.chunks(10)) {
        assert!(a[..5] == b[..5] && a[5..9] != b[5..9] && a[9] == b[9]);
    }
    assert_ne!(
        shown,
        data.demonstrations(&Demonstrations { shots: 3, drawn_by: 1, ..Demonstrations::default() }, 54).unwrap()
    );
}

#[test]
fn too_many_demonstrations_are_refused_with_the_number_that_fits() {
    let (config, file) = words();
    let data = TaskData::on(128, &config, &file, &tokenizer("prose-nano"), &Wording::default(), 0).unwrap();
    let fault = data.demonstrations(&Demonstrations { shots: 32, ..Demonstrations::default() }, 40).unwrap_err();
    assert!(fault.message.contains("fit in front of the longest example, not 32"), "{fault}");
}

#[test]
fn a_template_puts_question_and_demonstration_into_its_words() {
    let (config, file) = words();
    let tokenizer = tokenizer("prose-nano");
    let template = Template::parse("Word: {text} is {label}.\\n").unwrap();
    let wording = Wording { template: Some(template), ..Wording::default() };
    let data = TaskData::on(128, &config, &file, &tokenizer, &wording, 0).unwrap();
    // The blank in front of the label is the label's.
    assert_eq!(tokenizer.decode(&data.prompt(0)), "Word: word60 is");
    let shown =
        tokenizer.decode(&data.demonstrations(&Demonstrations { shots: 2, ..Demonstrations::default() }, 60).unwrap());
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines.iter().all(|l| l.starts_with("Word: word") && (l.ends_with("is A.") || l.ends_with("is B."))),
        "{shown}"
    );
}

#[test]
fn a_style_is_learnt_from_windows_and_judged_on_others() {
    let config = TaskConfig::named("style").unwrap();
    let text = |word: &str| format!("{word} said that it was so. ").repeat(40);
    let author = |i: usize| style::AuthorText { title: format!("{i}"), training: text("He"), held_out: text("She") };
    let file = TaskFile::Texts(style::Texts { authors: (0..7).map(author).collect(), source: String::new() });
    let data = TaskData::on(128, &config, &file, &tokenizer("prose-nano"), &Wording::default(), 0).unwrap();
    assert!(data.is_written());
    let drawn = data.draw(8, &mut stream(0, "test"));
    assert!(drawn.iter().all(|e| e.tokens.len() == style::WINDOW && e.answer == style::WINDOW - 1));
    let whole = tokenizer("prose-nano").decode(&data.held_out[0].tokens[..style::OPENING + style::SAMPLE]);
    assert_eq!(data.inputs[0].clone() + &data.right(0), whole);
    assert!(data.baselines.bag_of_words > 2.0 * data.baselines.majority);
    assert!(data.demonstrations(&Demonstrations::default(), 60).is_err());
}

#[test]
fn a_batch_predicts_the_tokens_after_its_rows() {
    let examples = [Example { tokens: vec![5, 6, 7, 8], answer: 2 }, Example { tokens: vec![9, 4, 3], answer: 1 }];
    let batch = Batch::new(&examples);
    assert_eq!(batch.tokens.ids, [5, 6, 7, 9, 4, 0]);
    assert_eq!(batch.rows, [1, 2, 4]);
    assert_eq!(batch.targets, [7, 8, 3]);
}

#[test]
fn training_never_draws_a_held_out_string() {
    let data = strings("", 3);
    let mut rng = stream(3, "test");
    let drawn = data.draw(20_000, &mut rng);
    assert!(drawn.iter().all(|e| !data.held_out.contains(e)));
}

#[test]
fn a_pool_of_sixteen_gives_sixteen() {
    let data = strings("16", 0);
    let mut rng = stream(0, "test");
    let drawn = data.draw(640, &mut rng);
    let distinct: std::collections::HashSet<_> = drawn.iter().map(|e| e.tokens.clone()).collect();
    assert_eq!(distinct.len(), 16);
}

#[test]
fn the_baseline_reads_what_the_network_reads() {
    let data = |first: &str, last: &str| {
        let filler = " and then the road went on".repeat(30);
        let text = |i: usize| (i % 2, format!("{} {i} {filler} {}", [first, "dull"][i % 2], [last, "grey"][i % 2]));
        let label =
            |label: &str| crate::task::text::Label { label: label.into(), title: label.into(), about: String::new() };
        Labelled {
            labels: vec![label("A"), label("B")],
            training: (0..60).map(text).collect(),
            held_out: (60..80).map(text).collect(),
            baselines: None,
            source: String::new(),
        }
    };
    let config = TaskConfig::UserData {
        data: crate::task::UserData { name: "own".into(), classes: Some(2), answers: false },
        examples: None,
    };
    let measured = |data: Labelled| {
        let file = TaskFile::Labelled(data);
        TaskData::on(128, &config, &file, &tokenizer("prose-nano"), &Wording::default(), 0)
            .unwrap()
            .baselines
            .bag_of_words
    };
    // Words at the beginning tell the label, and nobody reads them; words at the end are read.
    assert!(measured(data("bright", "grey")) < 0.7);
    assert_eq!(measured(data("dull", "bright")), 1.0);
}

#[test]
fn a_text_without_a_window_to_hold_out_is_refused_with_its_tokens() {
    let config = TaskConfig::UserData { data: crate::task::UserData::default(), examples: None };
    let author = style::AuthorText {
        title: String::new(),
        training: "It was so. ".repeat(100),
        held_out: "It was so. ".repeat(12),
    };
    let file = TaskFile::Texts(style::Texts { authors: vec![author], source: String::new() });
    let refused =
        TaskData::on(128, &config, &file, &tokenizer("prose-nano"), &Wording::default(), 0).err().unwrap().message;
    assert!(refused.starts_with("The text has ") && refused.contains(" tokens as the base reads it"), "{refused}");
}

#[test]
fn a_typed_text_says_how_much_of_it_is_read() {
    let (config, file) = words();
    let tokenizer = tokenizer("prose-nano");
    let data = TaskData::on(128, &config, &file, &tokenizer, &Wording::default(), 0).unwrap();
    let limit = config.longest_text(128).unwrap();
    for text in ["over the hills and far away ".repeat(9), "x".repeat(200)] {
        let typed = data.typed(&text, &tokenizer).unwrap();
        let tokens = tokenizer.encode(&typed.text);
        assert_eq!(typed.cut, Some(CutText { tokens: tokens.len(), read: limit }));
        // The last are read, up to what stands between a text and its label.
        let end = typed.prompt.len() - 1;
        assert_eq!(typed.prompt[end - limit..end], tokens[tokens.len() - limit..]);
    }
    assert_eq!(data.typed("far away", &tokenizer).unwrap().cut, None);
    let strings = strings("", 0);
    assert_eq!(strings.typed("gkam", &tokenizer).unwrap().cut, None);

    let text = "The rain fell on the hill. ".repeat(400);
    let (training, held_out) = crate::task::user_data::text_split(&text);
    let author = style::AuthorText { title: "hills".into(), training, held_out };
    let texts = TaskFile::Texts(style::Texts { authors: vec![author], source: String::new() });
    let written =
        TaskData::on(128, &TaskConfig::named("style").unwrap(), &texts, &tokenizer, &Wording::default(), 0).unwrap();
    let typed = written.typed(&text, &tokenizer).unwrap();
    let cut = typed.cut.unwrap();
    assert_eq!((cut.read, cut.read), (typed.prompt.len(), style::WINDOW - 1 - style::SAMPLE));
    assert!(cut.tokens > 1000, "{cut:?}");
}

/// Labelled texts of two labels with these titles.
fn labelled(titles: [&str; 2], texts: &[&str]) -> TaskFile {
    let label = |(letter, title): (&str, &str)| crate::task::text::Label {
        label: letter.into(),
        title: title.into(),
        about: String::new(),
    };
    let rows: Vec<(usize, String)> = texts.iter().enumerate().map(|(i, text)| (i % 2, text.to_string())).collect();
    TaskFile::Labelled(Labelled {
        labels: ["A", "B"].into_iter().zip(titles).map(label).collect(),
        training: rows.clone(),
        held_out: rows,
        baselines: Some(Baselines { chance: 0.5, majority: 0.5, bag_of_words: 0.5 }),
        source: String::new(),
    })
}

const TEXTS: [&str; 6] = [
    "A gem of a film.",
    "worse than \u{201c}Gigli\u{201d}, and (yes) 2 hours long!",
    "naïve … but not dull?",
    "1984",
    "It's the director's best",
    "x",
];

fn wording(template: &str, labels: &str) -> Wording {
    let labels = Verbalizer::parse(labels).unwrap();
    Wording { template: (!template.is_empty()).then(|| Template::parse(template).unwrap()), labels }
}

/// The families' tokenizers, by their names.
fn families() -> Vec<(String, Tokenizer)> {
    let folder = format!("{}/tests/fixtures/tokenizers", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let named = files.filter_map(|path| Some((path.file_stem()?.to_str()?.to_string(), path)));
    let read = |(name, path): (String, std::path::PathBuf)| {
        let tokenizer = Tokenizer::from_json(&std::fs::read_to_string(path).unwrap()).unwrap();
        (name, tokenizer)
    };
    named
        .filter(|(name, _)| name != "texts")
        .map(read)
        .chain([("prose-nano".into(), tokenizer("prose-nano"))])
        .collect()
}

#[test]
fn tokens_of_a_template_are_those_of_the_whole_string() {
    let config = TaskConfig::named("sentiment").unwrap();
    let mut checked = 0;
    for (name, tokenizer) in families() {
        for template in [
            "Review: {text}\\nSentiment: {label}\\n\\n",
            "{text}\\nSentiment: {label}",
            "{text} It was {label}.\\n",
            "{text}\\n\\n{label}\\n",
            "{text} =>{label}",
            "Text:\\n\\n{text}\\n{label}\\n",
        ] {
            for labels in ["positive,negative", "very good,bad", "good,good at times"] {
                let wording = wording(template, labels);
                let data = TaskData::on(128, &config, &labelled(["+", "-"], &TEXTS), &tokenizer, &wording, 0).unwrap();
                let Template { before, between, after } = wording.template.as_ref().unwrap();
                let Verbalizer::Words(words) = &wording.labels else { panic!() };
                for (i, text) in TEXTS.iter().enumerate() {
                    // SmolLM2 reads two line breaks in front of a digit as one token, in front of a letter as two.
                    if before.ends_with('\n') && text.starts_with(|c: char| c.is_ascii_digit()) {
                        continue;
                    }
                    let line = format!("{before}{text}{between}{}", words[i % 2]);
                    let whole = [tokenizer.begin(), &tokenizer.encode(&line)].concat();
                    let example = &data.held_out[i];
                    assert_eq!(example.tokens, whole, "{name}: {line:?}: {}", tokenizer.decode(&example.tokens));
                    let label = tokenizer.decode_on(&example.tokens[whole.len() - example.answer..]);
                    assert_eq!(label.trim_start(), words[i % 2], "{name}: {line:?}");
                    assert_eq!(data.right(i), words[i % 2]);
                    checked += 1;
                }
                // Two demonstrations and a question are one string, too.
                let shots = Demonstrations { shots: 2, ..Demonstrations::default() };
                let shown = data.demonstrations(&shots, 200).unwrap();
                let text = tokenizer.decode(&[shown.clone(), data.prompt(0)[data.begins()..].to_vec()].concat());
                if !after.is_empty() && !before.is_empty() {
                    let line = format!("{text}{}{}", if between.ends_with(' ') { " " } else { "" }, words[0]);
                    let whole = [shown, data.held_out[0].tokens[data.begins()..].to_vec()].concat();
                    assert_eq!(whole, tokenizer.encode(&line), "{name}: {line:?}");
                }
            }
        }
    }
    assert!(checked > 500, "{checked}");
}

#[test]
fn a_blank_in_front_of_a_word_is_the_word_s() {
    let (_, smollm2) = families().into_iter().find(|(name, _)| name == "smollm2").unwrap();
    let config = TaskConfig::named("sentiment").unwrap();
    let wording = wording("Review: {text}\\nSentiment: {label}", "titles");
    let data = TaskData::on(128, &config, &labelled(["the", "and"], &TEXTS), &smollm2, &wording, 0).unwrap();
    assert_eq!(data.labels, [smollm2.encode(" the")[0], smollm2.encode(" and")[0]]);
    assert_eq!((data.sequences(), data.answer(&[1])), (None, "and".to_string()));
    assert!(smollm2.decode_on(&data.prompt(0)).ends_with("\nSentiment:"));
}

#[test]
fn labels_of_several_tokens_are_sequences_and_texts_are_cut_alone() {
    let config = TaskConfig::named("sentiment").unwrap();
    let tokenizer = tokenizer("prose-nano");
    let wording = wording("Review: {text}\\nSentiment: {label}\\n\\n", "very good,very bad indeed");
    let long = "and so on and on ".repeat(60);
    let data = TaskData::on(
        128,
        &config,
        &labelled(["+", "-"], &[long.as_str(), "short", long.as_str(), "x"]),
        &tokenizer,
        &wording,
        0,
    );
    let data = data.unwrap();
    let labels = data.sequences().unwrap().to_vec();
    assert_eq!(labels.iter().map(|l| tokenizer.decode_on(l)).collect::<Vec<_>>(), [" very good", " very bad indeed"]);
    assert!(labels[0] != labels[1] && labels[0][0] == labels[1][0] && data.labels[0] != data.labels[1]);
    let example = &data.held_out[0];
    assert_eq!(example.answer, labels[0].len());
    assert!(tokenizer.decode(&example.tokens).starts_with("Review:"));
    let [front, behind] = ["Review:", "\nSentiment:"].map(|text| tokenizer.encode(text).len());
    assert_eq!(data.prompt(0).len(), data.begins() + front + 96 + behind);
    assert_eq!(data.most_tokens(), data.prompt(0).len() + labels[1].len() - 1);
    assert_eq!(data.longest(), data.most_tokens());
    // Random labels of demonstrations are whole ones.
    let random = Demonstrations { shots: 4, labels: DemonstrationLabels::Random, ..Demonstrations::default() };
    let mut drawn = std::collections::BTreeSet::new();
    for drawn_by in 0..8 {
        let shown = data.demonstrations(&Demonstrations { drawn_by, ..random.clone() }, 4000).unwrap();
        let shown = tokenizer.decode(&shown);
        let answers: Vec<&str> =
            shown.split("Sentiment:").skip(1).map(|rest| rest.split("\n\n").next().unwrap()).collect();
        assert_eq!(answers.len(), 4);
        drawn.extend(answers.into_iter().map(String::from));
    }
    assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [" very bad indeed", " very good"]);
    // What is typed is asked in the same words.
    let typed = data.typed("so so", &tokenizer).unwrap();
    assert_eq!(tokenizer.decode(&typed.prompt[data.begins()..]), "Review: so so\nSentiment:");
}

#[test]
fn words_that_a_base_cannot_tell_apart_are_refused() {
    let config = TaskConfig::named("sentiment").unwrap();
    let refused = |titles: [&str; 2], labels: &str| {
        let (file, tokenizer) = (labelled(titles, &TEXTS), tokenizer("prose-nano"));
        let fault = TaskData::on(128, &config, &file, &tokenizer, &wording("", labels), 0).err().unwrap();
        assert_eq!(fault.key, "labels");
        fault.message
    };
    assert!(refused(["+", "-"], "a,b,c").contains("has 2 labels: 3 words"));
    let long = "zq ".repeat(40);
    assert!(refused([long.as_str(), "-"], "titles").contains("32 are the most"));
    assert!(refused(["same", "same"], "titles").contains("alike"));
}

/// Where a label is chosen among some, they alone share the probability: two logits of three.
#[test]
fn a_loss_among_labels_is_that_of_their_logits_alone() {
    use crate::model::Tokens;
    use burn::tensor::{Device, Tensor};
    let tokens = Tokens { ids: vec![0, 1], sequences: 2, length: 1 };
    let batch = Batch::of(tokens, vec![0, 1], vec![4, 1]);
    let device = Device::flex().autodiff();
    let logits = || {
        let rows = [[0.1, 1.0, 9.0, 0.2, 2.0], [0.3, -1.0, 9.0, 0.4, 0.5]];
        Tensor::<2>::from_floats(rows, &device).require_grad()
    };
    let nats = |batch: &Batch, logits: Tensor<2>| batch.nats(logits).into_data().try_to_vec::<f32>().unwrap();
    let among = batch.clone().among(&[1, 4]);
    // −log σ(2 − 1), −log σ(−1 − .5): what the others say does not matter.
    let expected = [(1.0 + (-1.0_f32).exp()).ln(), (1.0 + 1.5_f32.exp()).ln()];
    for (ours, theirs) in nats(&among, logits()).iter().zip(expected) {
        assert!((ours - theirs).abs() < 1e-6, "{ours} {theirs}");
    }
    assert!(nats(&batch, logits()).iter().zip(expected).all(|(all, few)| *all > few + 1.0));
    // The gradient of the mean: half of the probability less what is right, nothing for the others.
    let logits = logits();
    let gradients = among.mean(among.nats(logits.clone())).backward();
    let gradient = logits.grad(&gradients).unwrap().into_data().try_to_vec::<f32>().unwrap();
    let wrong = [0.5 * (1.0 - (-expected[0]).exp()), 0.5 * (1.0 - (-expected[1]).exp())];
    let expected = [0.0, wrong[0], 0.0, 0.0, -wrong[0], 0.0, -wrong[1], 0.0, 0.0, wrong[1]];
    for (ours, theirs) in gradient.iter().zip(expected) {
        assert!((ours - theirs).abs() < 1e-6, "{gradient:?} {expected:?}");
    }
}
