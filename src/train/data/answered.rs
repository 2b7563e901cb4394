//! Tasks whose answers are written freely: their examples, and what of a wrong answer is right.

use super::chat::behind_answers;
use super::form::{Form, Item};
use super::free::{Marked, Reader};
use super::source::{Source, shuffle};
use super::task_data::{Answers, Free, TaskData};
use super::words::without;
use crate::base::{Fault, stream};
use crate::protocol::PartScore;
use crate::task::extract::{self, Extracted, Subject};
use crate::task::tokenizer::Tokenizer;
use crate::task::{Answered, Baselines, Example, Pair, Prompt, TaskConfig, Wording};
use std::collections::HashMap;
use std::rc::Rc;

impl TaskData {
    /// Sentences whose answer is a line of JSON.
    pub(super) fn extract(
        config: &TaskConfig,
        subject: Subject,
        context: usize,
        tokenizer: &Tokenizer,
        wording: &Wording,
        seed: u64,
    ) -> Result<TaskData, Fault> {
        let reader = Rc::new(reader(config, context, false, tokenizer, wording)?);
        let held_out = extract::held_out(subject);
        let groups = held_out.iter().map(|s| if s.is_new_wording { "new wording" } else { "known wording" }).collect();
        let pair = |Extracted { text, answer, .. }: Extracted| Pair { prompt: Prompt::Text(text), answer };
        let held_out: Vec<Pair> = held_out.into_iter().map(pair).collect();
        let fresh = Source::Sentences { subject, reader: reader.clone() };
        let training = match config.examples() {
            Some(n) => {
                let mut rng = stream(seed, "training examples");
                Source::Pool((0..n).map(|_| fresh.draw(&mut rng)).collect())
            }
            None => fresh,
        };
        // No held-out value was ever seen.
        let baselines = Baselines { chance: 0.0, majority: 0.0, bag_of_words: 0.0 };
        Ok(TaskData::free(config, reader, training, &held_out, baselines)?.judged(groups, true))
    }

    /// A visitor's prompts with answers.
    pub(super) fn answered(
        config: &TaskConfig,
        data: &Answered,
        context: usize,
        tokenizer: &Tokenizer,
        wording: &Wording,
        seed: u64,
    ) -> Result<TaskData, Fault> {
        let reader = Rc::new(reader(config, context, data.is_chat(), tokenizer, wording)?);
        // A template may refuse a chat: one without a question, say. The others stay.
        let refused = |pair: &Pair| reader.item(&pair.prompt, &pair.answer).err();
        let readable = |pairs: &[Pair]| -> Result<Vec<Pair>, Fault> {
            let is_read = |pair: &&Pair| matches!(pair.prompt, Prompt::Text(_)) || refused(pair).is_none();
            let read: Vec<Pair> = pairs.iter().filter(is_read).cloned().collect();
            match pairs.first().filter(|_| read.is_empty()).and_then(refused) {
                Some(fault) => Err(fault),
                None => Ok(read),
            }
        };
        let data = &Answered {
            training: readable(&data.training)?,
            held_out: readable(&data.held_out)?,
            source: String::new(),
        };
        let mut pool: Vec<usize> = (0..data.training.len()).collect();
        if let Some(n) = config.examples() {
            shuffle(&mut pool, &mut stream(seed, "training examples"));
            pool.truncate(n);
        }
        let item = |i: usize| reader.item(&data.training[i].prompt, &data.training[i].answer);
        let training = Source::Pool(pool.into_iter().map(item).collect::<Result<_, Fault>>()?);
        TaskData::free(config, reader, training, &data.held_out, baselines(data))
    }

    fn free(
        config: &TaskConfig,
        reader: Rc<Reader>,
        training: Source,
        held_out: &[Pair],
        baselines: Baselines,
    ) -> Result<TaskData, Fault> {
        let items = held_out.iter().map(|pair| reader.item(&pair.prompt, &pair.answer));
        let items: Vec<Item> = items.collect::<Result<_, Fault>>()?;
        // As it is written where all of it is read.
        let right = |(item, pair): (&Item, &Pair)| match item.label.last() == Some(&reader.end) {
            true => pair.answer.trim().to_string(),
            false => reader.text(&item.label),
        };
        let right = items.iter().zip(held_out).map(right).collect();
        let answers = Answers::Free(Free { reader: reader.clone(), right, groups: Vec::new(), has_fields: false });
        Ok(TaskData {
            config: config.clone(),
            labels: (0..reader.tokenizer.vocab_size() as u32).collect(),
            sequences: None,
            chosen: false,
            places: Vec::new(),
            training,
            held_out: items.iter().map(|item| reader.form.example(item)).collect(),
            inputs: held_out.iter().map(|pair| pair.prompt.shown().to_string()).collect(),
            baselines,
            form: reader.form.clone(),
            longest_text: reader.longest_prompt,
            names: Vec::new(),
            answers,
        })
    }

    /// The same with kinds of held-out examples, and whether fields are judged.
    fn judged(mut self, groups: Vec<&'static str>, has_fields: bool) -> TaskData {
        if let Answers::Free(free) = &mut self.answers {
            (free.groups, free.has_fields) = (groups, has_fields);
        }
        self
    }

    /// Where a free answer ends: the token behind it, and what the tokenizer ends a text with.
    pub fn ends(&self) -> Vec<u32> {
        match &self.answers {
            Answers::Free(free) => {
                std::iter::once(free.reader.end).chain(free.reader.tokenizer.ends().iter().copied()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// What of free answers is right: tokens, each behind the right ones before it; fields; examples of each kind.
    pub fn parts<'m>(&self, marked: impl IntoIterator<Item = &'m Marked>) -> Vec<PartScore> {
        let Answers::Free(free) = &self.answers else { return Vec::new() };
        let mut sums: Vec<(&str, usize, usize)> = Vec::new();
        let mut count =
            |name: &'static str, right: usize, n: usize| match sums.iter_mut().find(|(other, ..)| *other == name) {
                Some(sum) => (sum.1, sum.2) = (sum.1 + right, sum.2 + n),
                None => sums.push((name, right, n)),
            };
        // However they were read: in the order of the examples.
        let mut marked: Vec<&Marked> = marked.into_iter().collect();
        marked.sort_by_key(|marked| marked.place);
        for Marked { place, predicted, .. } in marked {
            let Example { tokens, answer } = &self.held_out[*place];
            let right = predicted.iter().zip(&tokens[tokens.len() - answer..]).filter(|(a, b)| a == b).count();
            count("tokens", right, *answer);
            if free.has_fields {
                let (right, n) = extract::fields_right(&free.reader.text(predicted), &free.right[*place]);
                count("fields", right, n);
            }
            if let Some(group) = free.groups.get(*place) {
                count(group, usize::from(right == *answer), 1);
            }
        }
        let score = |(name, right, n): (&str, usize, usize)| PartScore {
            name: name.into(),
            accuracy: right as f64 / n.max(1) as f64,
            n,
        };
        sums.into_iter().map(score).collect()
    }
}

/// How a base's tokenizer reads prompts and answers in some words, or in the model's chat template. An answer ends with the
/// first token behind it there, else with what ends a text, or a line break.
fn reader(
    config: &TaskConfig,
    context: usize,
    is_chat: bool,
    tokenizer: &Tokenizer,
    wording: &Wording,
) -> Result<Reader, Fault> {
    let newline = tokenizer.encode("\n").pop().ok_or_else(|| without("\n"))?;
    let begin = tokenizer.begin().to_vec();
    let behind = tokenizer.chat().filter(|_| is_chat).map(behind_answers).unwrap_or_default();
    let behind = tokenizer.encode(&behind);
    let form = match &wording.template {
        _ if is_chat => Form::of_chat(begin, behind.get(1..).unwrap_or_default()),
        Some(template) => Form::of_template(begin, template, &[Form::LETTER.to_string()], tokenizer).0,
        None => Form::plain(begin, newline, newline),
    };
    let own = if is_chat { behind.first().copied().or(tokenizer.end()) } else { form.after.first().copied() };
    let end = own.unwrap_or(newline);
    let longest_prompt = config.longest_text(context).unwrap_or(context);
    let longest_answer = config.answer_tokens(wording, context);
    let ends_by_line = end == newline;
    Ok(Reader { tokenizer: tokenizer.clone(), form, end, is_chat, ends_by_line, longest_prompt, longest_answer })
}

/// What answers score without a network: the commonest, and that of the prompt with the most words in common.
fn baselines(data: &Answered) -> Baselines {
    /// Rows that are compared with each other at most.
    const ROWS: usize = 200;
    /// Words of a prompt that are compared.
    const WORDS: usize = 64;
    let mut counts: HashMap<&str, usize> = HashMap::new();
    data.training.iter().for_each(|pair| *counts.entry(&pair.answer).or_default() += 1);
    // Of equals the first by name, so that the figure is the same everywhere.
    let commonest =
        counts.iter().max_by_key(|(answer, n)| (**n, std::cmp::Reverse(**answer))).map(|(answer, _)| *answer);
    let words = |pair: &Pair| -> std::collections::HashSet<String> {
        pair.prompt.shown().split(|c: char| !c.is_alphanumeric()).take(WORDS).map(str::to_lowercase).collect()
    };
    let training: Vec<_> = data.training.iter().take(ROWS).map(|pair| (words(pair), &pair.answer)).collect();
    let nearest = |pair: &Pair| {
        let own = words(pair);
        let shared = |(i, (other, _)): &(usize, &(std::collections::HashSet<String>, &String))| {
            let both = own.intersection(other).count() as f64;
            let share = both / (own.len() + other.len()) as f64;
            ((share * 1e9) as u64, std::cmp::Reverse(*i))
        };
        training.iter().enumerate().max_by_key(shared).map(|(_, (_, answer))| *answer)
    };
    let held_out: Vec<&Pair> = data.held_out.iter().take(ROWS).collect();
    let share = |right: &dyn Fn(&Pair) -> bool| {
        held_out.iter().filter(|pair| right(pair)).count() as f64 / held_out.len().max(1) as f64
    };
    Baselines {
        chance: 0.0,
        majority: share(&|pair| Some(pair.answer.as_str()) == commonest),
        bag_of_words: share(&|pair| nearest(pair) == Some(&pair.answer)),
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
#[expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]
mod tests {
    use super::super::TaskFile;
    use super::*;
    use crate::task::tokenizer::ChatTemplate;
    use crate::task::{Message, UserData};

    fn tokenizer() -> Tokenizer {
        let path = format!("{}/www/models/prose-nano/tokenizer.json", env!("CARGO_MANIFEST_DIR"));
        Tokenizer::from_json(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    fn text(tokens: &[u32]) -> String {
        tokenizer().decode(tokens)
    }

    fn extract(wording: &Wording) -> TaskData {
        let task = TaskConfig::named("extract").unwrap();
        TaskData::on(128, &task, &TaskFile::None, &tokenizer(), wording, 0).unwrap()
    }

    #[test]
    fn an_answer_stands_behind_its_sentence_and_ends_with_a_line_break() {
        for (wording, front, between) in [
            (Wording::default(), "", "\n"),
            (TaskConfig::named("extract").unwrap().wording(), "Sentence: ", "\nJSON: "),
        ] {
            let data = extract(&wording);
            assert_eq!(data.held_out.len(), extract::HELD_OUT);
            for (i, example) in data.held_out.iter().enumerate().take(20) {
                let whole = format!("{front}{}{between}{}\n", data.inputs[i], data.right(i));
                assert_eq!(text(&example.tokens).trim_start(), whole);
                let prompt = data.prompt(i);
                assert_eq!(
                    text(&prompt).trim_start().trim_end(),
                    format!("{front}{}{between}", data.inputs[i]).trim_end()
                );
                assert_eq!(example.tokens.last(), Some(&data.ends()[0]));
            }
            // Every one fits as it is counted.
            let longest = |of: fn(&Example) -> usize| data.held_out.iter().map(of).max().unwrap();
            assert!(longest(|e| e.answer) <= extract::MAX_ANSWER, "{}", longest(|e| e.answer));
            let around = data.form.around();
            let texts = data.held_out.iter().map(|e| e.tokens.len() - e.answer - around).max().unwrap();
            assert!(texts <= extract::MAX_TEXT, "{texts}");
        }
    }

    #[test]
    fn training_sentences_are_drawn_without_end_or_as_many_as_asked() {
        let mut task = TaskConfig::named("extract").unwrap();
        let distinct = |task: &TaskConfig| {
            let data = TaskData::on(128, task, &TaskFile::None, &tokenizer(), &Wording::default(), 0).unwrap();
            let mut rng = stream(0, "test");
            let drawn: std::collections::HashSet<Vec<u32>> =
                (0..20).flat_map(|_| data.draw(8, &mut rng)).map(|example| example.tokens).collect();
            assert!(drawn.iter().all(|tokens| !data.held_out.iter().any(|held| held.tokens == *tokens)));
            drawn.len()
        };
        assert!(distinct(&task) > 150);
        task.set("examples", "16").unwrap();
        assert_eq!(distinct(&task), 16);
    }

    #[test]
    fn of_a_wrong_answer_tokens_and_fields_are_told() {
        let data = extract(&Wording::default());
        let right = |place: usize| {
            let Example { tokens, answer } = &data.held_out[place];
            tokens[tokens.len() - answer..].to_vec()
        };
        let mut wrong = right(1);
        // The last digit or letter of the last value.
        let at = wrong.len() - 3;
        wrong[at] = tokenizer().encode("0")[0];
        let marked = [
            Marked { place: 1, predicted: wrong, is_right: false },
            Marked { place: 0, predicted: right(0), is_right: true },
        ];
        let parts = data.parts(&marked);
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["tokens", "fields", "known wording", "new wording"]);
        let of = |name: &str| parts.iter().find(|part| part.name == name).map(|part| (part.accuracy, part.n)).unwrap();
        assert_eq!((of("known wording"), of("new wording")), ((1.0, 1), (0.0, 1)));
        let (fields, n) = of("fields");
        assert!(n == 8 && (0.5..1.0).contains(&fields), "{parts:?}");
        assert!(of("tokens").0 > 0.9 && of("tokens").0 < 1.0);
    }

    fn pair(prompt: &str, answer: &str) -> Pair {
        Pair { prompt: Prompt::Text(prompt.into()), answer: answer.into() }
    }

    fn own(pairs: Vec<Pair>, tokenizer: &Tokenizer) -> Result<TaskData, Fault> {
        let data = UserData { name: "own".into(), classes: None, answers: true };
        let task = TaskConfig::UserData { data, examples: None };
        let file = Answered { training: pairs.clone(), held_out: pairs, source: String::new() };
        TaskData::on(128, &task, &TaskFile::Answered(file), tokenizer, &Wording::default(), 0)
    }

    #[test]
    fn long_prompts_lose_their_beginning_and_long_answers_their_end() {
        let (prompt, answer) = Answered::room(128);
        let data =
            own(vec![pair(&"one two ".repeat(60), &"three four ".repeat(60)), pair("Hi", "Hello")], &tokenizer())
                .unwrap();
        let long = &data.held_out[0];
        assert_eq!((long.tokens.len(), long.answer), (data.form.around() + prompt + answer, answer));
        assert!(data.right(0).len() < 11 * 60 && data.right(0).starts_with("three four"));
        assert_ne!(long.tokens.last(), Some(&data.ends()[0]));
        assert_eq!((data.right(1).as_str(), data.inputs[1].as_str()), ("Hello", "Hi"));
        assert!(data.most_tokens() <= 128);
    }

    #[test]
    fn the_answer_of_the_nearest_prompt_is_a_baseline() {
        let of = |training: Vec<Pair>, held_out: Vec<Pair>| {
            baselines(&Answered { training, held_out, source: String::new() })
        };
        let training =
            vec![pair("capital of France", "Paris"), pair("capital of Italy", "Rome"), pair("a town", "Rome")];
        let measured =
            of(training, vec![pair("what is the capital of France", "Paris"), pair("of Italy the capital", "Rome")]);
        assert_eq!((measured.chance, measured.majority, measured.bag_of_words), (0.0, 0.5, 1.0));
    }

    #[test]
    fn a_chat_is_read_by_the_model_s_template_and_ends_where_that_ends_it() {
        let mut tokenizer = tokenizer();
        let said = |text: &str| Message { role: "user".into(), content: text.into() };
        let chats = || vec![Pair { prompt: Prompt::Messages(vec![said("Good day")]), answer: "Hello there".into() }];
        let plain = own(chats(), &tokenizer).unwrap();
        assert_eq!(text(&plain.held_out[0].tokens).trim_start(), "user: Good day\nassistant: Hello there<|endoftext|>");
        let jinja = "{% for m in messages %}<{{ m.role }}> {{ m.content }}|{% endfor %}{% if add_generation_prompt %}<assistant> {% endif %}";
        tokenizer.set_chat(ChatTemplate { jinja: jinja.into(), begin: String::new(), end: String::new() });
        let data = own(chats(), &tokenizer).unwrap();
        assert_eq!(text(&data.held_out[0].tokens).trim_start(), "<user> Good day|<assistant> Hello there|");
        assert_eq!(data.typed("Good day", &tokenizer).unwrap().prompt, data.prompt(0));
        tokenizer.set_chat(ChatTemplate {
            jinja: "{{ raise_exception('no') }}".into(),
            begin: String::new(),
            end: String::new(),
        });
        assert!(own(chats(), &tokenizer).err().unwrap().message.contains("chat template"));
        // One that refuses some leaves these out, and one that makes nothing of a chat is told.
        let picky =
            "{% if messages[0].content == 'no' %}{{ raise_exception('no') }}{% endif %}{{ messages[0].content }}:";
        tokenizer.set_chat(ChatTemplate { jinja: picky.into(), begin: String::new(), end: String::new() });
        let mut some = chats();
        some.push(Pair { prompt: Prompt::Messages(vec![said("no")]), answer: "x".into() });
        assert_eq!(own(some, &tokenizer).unwrap().held_out.len(), 1);
        tokenizer.set_chat(ChatTemplate { jinja: "{# #}".into(), begin: String::new(), end: String::new() });
        assert!(own(chats(), &tokenizer).err().unwrap().message.contains("makes nothing"));
    }

    #[test]
    fn a_demonstration_has_the_words_behind_its_answer_once() {
        let data = extract(&TaskConfig::named("extract").unwrap().wording());
        let mut rng = stream(4, "test");
        let shown = text(&data.form.demonstration(&data.training.draw(&mut rng)));
        assert!(
            shown.trim_start().starts_with("Sentence: ") && shown.ends_with("}\n") && !shown.ends_with("\n\n"),
            "{shown}"
        );
    }
}
