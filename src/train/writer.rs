//! A text that θ alone and θ ⊕ λφ go on with, in turns, a token at a time.

use super::library::LoadedBase;
use super::writing::arg_max;
use crate::base::{Failure, read, stream};
use crate::model::Cache;
use crate::peft::Phi;
use crate::protocol::{Ended, Event, NextToken, Voice, Writing};
use crate::task::tokenizer::Tokenizer;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::rc::Rc;

/// Tokens of a text that are read at once: between two pieces it can be stopped.
const PIECE: usize = 32;
/// Tokens that are told as what may come next.
const TOLD: usize = 5;
/// No character has more bytes, nor more tokens.
const CHARACTER: usize = 4;

/// What is being written. It is driven from outside, one [`advance`](Writer::advance) a token.
pub struct Writer {
    run: u32,
    base: Rc<LoadedBase>,
    writing: Writing,
    /// Tokens that end it.
    ends: Vec<u32>,
    voices: [Speaking; 2],
    /// Whose turn is next.
    turn: usize,
    /// Milliseconds from any origin.
    clock: fn() -> f64,
}

/// One of both.
struct Speaking {
    which: Voice,
    phi: Phi,
    cache: Cache,
    /// What is still to be read.
    unread: Vec<u32>,
    /// Logits behind what was read.
    logits: Option<Vec<f32>>,
    /// Tokens written.
    written: usize,
    /// The last of them, whose bytes are not whole characters yet.
    pending: Vec<u32>,
    random: ChaCha8Rng,
    ms: f64,
    ended: bool,
}

impl Speaking {
    fn new(which: Voice, phi: Phi, prompt: &[u32], seed: u64) -> Speaking {
        Speaking {
            which,
            phi,
            cache: Cache::default(),
            unread: prompt.to_vec(),
            logits: None,
            written: 0,
            pending: Vec::new(),
            random: stream(seed, "write"),
            ms: 0.0,
            ended: false,
        }
    }

    /// A token, or a piece of the text; what there is to tell of it.
    async fn advance(&mut self, base: &LoadedBase, writing: &Writing, ends: &[u32]) -> Result<Option<Told>, Failure> {
        let mut text = String::new();
        if let Some(logits) = self.logits.take() {
            let token = choose(&logits, writing, &mut self.random);
            if ends.contains(&token) {
                return Ok(Some(self.end(&base.tokenizer, Ended::End)));
            }
            self.written += 1;
            self.pending.push(token);
            let full = self.cache.positions().iter().any(|at| *at >= base.theta.config.max_position_embeddings);
            if self.written >= writing.tokens || full {
                return Ok(Some(self.end(&base.tokenizer, if full { Ended::Context } else { Ended::Tokens })));
            }
            text = self.whole(&base.tokenizer);
            self.unread.push(token);
        }
        let piece: Vec<u32> = self.unread.drain(..self.unread.len().min(PIECE)).collect();
        let logits = base.theta.go_on(&self.phi, &mut self.cache, &[piece]);
        if !self.unread.is_empty() {
            return Ok(None);
        }
        let logits = read(logits.flatten(0, 1)).await?;
        let next = likeliest(&logits, &base.tokenizer);
        self.logits = Some(logits);
        Ok(Some(Told { text, next, ended: None }))
    }

    /// What stands of whole characters in the tokens that were not told yet.
    fn whole(&mut self, tokenizer: &Tokenizer) -> String {
        let text = tokenizer.decode_on(&self.pending);
        if text.ends_with('\u{fffd}') && self.pending.len() < CHARACTER {
            return String::new();
        }
        self.pending.clear();
        text
    }

    fn end(&mut self, tokenizer: &Tokenizer, why: Ended) -> Told {
        self.ended = true;
        let text = tokenizer.decode_on(&std::mem::take(&mut self.pending));
        Told { text, next: Vec::new(), ended: Some(why) }
    }
}

/// What is told of a token.
struct Told {
    text: String,
    next: Vec<NextToken>,
    ended: Option<Ended>,
}

impl Writer {
    /// Both at the beginning of the tokens of a text, at least one. `ends` are tokens that end what is written, besides
    /// those that end every text of the base.
    pub fn new(
        run: u32,
        base: Rc<LoadedBase>,
        phi: Phi,
        prompt: &[u32],
        ends: &[u32],
        writing: Writing,
        clock: fn() -> f64,
    ) -> Writer {
        let voices = [(Voice::Base, Phi::none()), (Voice::Adapted, phi)]
            .map(|(which, phi)| Speaking::new(which, phi, prompt, writing.seed));
        let ends = [ends, base.tokenizer.ends()].concat();
        Writer { run, base, writing, ends, voices, turn: 0, clock }
    }

    /// Lets one write alone.
    pub fn only(mut self, which: Voice) -> Writer {
        self.voices.iter_mut().for_each(|voice| voice.ended |= voice.which != which);
        self
    }

    /// Whether both have ended.
    pub fn done(&self) -> bool {
        self.voices.iter().all(|voice| voice.ended)
    }

    /// A token of one of both.
    ///
    /// # Errors
    /// Where the device is lost.
    pub async fn advance(&mut self) -> Result<Option<Event>, Failure> {
        let turn = if self.voices[self.turn].ended { 1 - self.turn } else { self.turn };
        self.turn = 1 - turn;
        let voice = &mut self.voices[turn];
        if voice.ended {
            return Ok(None);
        }
        let start = (self.clock)();
        let told = voice.advance(&self.base, &self.writing, &self.ends).await?;
        voice.ms += (self.clock)() - start;
        Ok(told.map(|told| event(self.run, voice, told)))
    }

    /// Ends it.
    pub fn stop(mut self) -> Vec<Event> {
        let (run, tokenizer) = (self.run, &self.base.tokenizer);
        let stop = |voice: &mut Speaking| {
            let told = voice.end(tokenizer, Ended::Stopped);
            event(run, voice, told)
        };
        self.voices.iter_mut().filter(|voice| !voice.ended).map(stop).collect()
    }
}

fn event(run: u32, voice: &Speaking, Told { text, next, ended }: Told) -> Event {
    Event::Wrote { run, which: voice.which, text, tokens: voice.written, next, ms: voice.ms, ended }
}

/// The next token.
fn choose(logits: &[f32], writing: &Writing, random: &mut ChaCha8Rng) -> u32 {
    let best = arg_max(logits);
    if writing.temperature == 0.0 {
        return best as u32;
    }
    let mut tokens: Vec<usize> = (0..logits.len()).collect();
    if (1..tokens.len()).contains(&writing.top_k) {
        tokens.select_nth_unstable_by(writing.top_k - 1, |a, b| logits[*b].total_cmp(&logits[*a]));
        tokens.truncate(writing.top_k);
        tokens.sort_unstable();
    }
    let weight = |token: usize| (f64::from(logits[token] - logits[best]) / writing.temperature).exp();
    let sum: f64 = tokens.iter().map(|token| weight(*token)).sum();
    let mut left = random.random::<f64>() * sum;
    // Rounding may leave a little at the end: then it is the likeliest.
    let drawn = tokens.into_iter().find(|token| {
        left -= weight(*token);
        left < 0.0
    });
    drawn.unwrap_or(best) as u32
}

/// The likeliest tokens, and their probabilities among all.
fn likeliest(logits: &[f32], tokenizer: &Tokenizer) -> Vec<NextToken> {
    let mut found: Vec<usize> = Vec::with_capacity(TOLD + 1);
    for (token, logit) in logits.iter().enumerate() {
        let place = found.iter().position(|other| *logit > logits[*other]).unwrap_or(found.len());
        if place < TOLD {
            found.insert(place, token);
            found.truncate(TOLD);
        }
    }
    let largest = found.first().map_or(0.0, |best| logits[*best]);
    let sum: f32 = logits.iter().map(|logit| (logit - largest).exp()).sum();
    let told = |token: usize| NextToken {
        text: tokenizer.decode_on(&[token as u32]),
        probability: (logits[token] - largest).exp() / sum,
    };
    found.into_iter().map(told).collect()
}

#[cfg(all(test, not(target_arch = "wasm32")))]
#[expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]
mod tests {
    use super::*;
    use crate::config::RunConfig;
    use crate::model::{Model, Storage};
    use crate::protocol::Around;
    use crate::train::pass::{Pass, Passed};
    use burn::tensor::Device;

    /// A random base with the tokenizer of `prose-nano`.
    fn base() -> LoadedBase {
        let config = RunConfig::from_hash("#base=prose-nano&task=style").0;
        let theta = Model::random(config.shape().model, &mut stream(1, "θ"), &Device::flex());
        let path = format!("{}/www/models/prose-nano/tokenizer.json", env!("CARGO_MANIFEST_DIR"));
        let tokenizer = Tokenizer::from_json(&std::fs::read_to_string(path).unwrap()).unwrap();
        LoadedBase { base: config.base, theta, storage: Storage::F32, tokenizer }
    }

    fn asked(temperature: f64, tokens: usize) -> Writing {
        Writing { text: String::new(), around: Around::Nothing, lambda: 1.0, temperature, top_k: 0, tokens, seed: 3 }
    }

    fn writer(base: &Rc<LoadedBase>, prompt: &[u32], writing: Writing) -> Writer {
        Writer::new(7, base.clone(), Phi::none(), prompt, &[], writing, || 0.0)
    }

    /// What both wrote, how often they told of it, and why they ended.
    fn told(events: &[Event]) -> [(String, usize, Vec<Ended>); 2] {
        let mut both = [const { (String::new(), 0, Vec::new()) }; 2];
        for event in events {
            let Event::Wrote { run: 7, which, text, ended, .. } = event else { panic!("{event:?}") };
            let (all, n, ends) = &mut both[usize::from(*which == Voice::Adapted)];
            *all += text;
            *n += 1;
            ends.extend(ended);
        }
        both
    }

    fn finish(mut writer: Writer) -> Vec<Event> {
        let mut events = Vec::new();
        while !writer.done() {
            events.extend(pollster::block_on(writer.advance()).unwrap());
        }
        events
    }

    #[test]
    fn both_write_what_a_pass_writes_and_take_turns() {
        let base = Rc::new(base());
        // Longer than a piece.
        let prompt: Vec<u32> = (0..70).map(|i| 11 * i % 1000).collect();
        let events = finish(writer(&base, &prompt, asked(0.0, 12)));
        let pass = Pass::Writes { prompts: vec![prompt], most: 12, ends: base.tokenizer.ends().to_vec() };
        let passed = pollster::block_on(pass.run(&base.theta, &Phi::none())).unwrap();
        let Passed::Written(written) = passed else { panic!("{passed:?}") };
        let tokens: Vec<u32> = written[0].0.iter().map(|token| *token as u32).collect();
        assert!(tokens.len() > 2, "{tokens:?}");
        let whole = base.tokenizer.decode_on(&tokens);
        for (text, n, ended) in told(&events) {
            assert_eq!(text, whole);
            // Once when the text was read, and once for each token, or for the end.
            assert_eq!((n, ended.len()), (1 + tokens.len() + usize::from(tokens.len() < 12), 1));
        }
        let voice = |event: &Event| if let Event::Wrote { which, .. } = event { Some(*which) } else { None };
        let turns: Vec<Option<Voice>> = events.iter().map(voice).collect();
        assert!(turns.chunks(2).all(|turn| turn == [Some(Voice::Base), Some(Voice::Adapted)]), "{turns:?}");
        // What is likeliest next is what is written next.
        let Event::Wrote { next, .. } = &events[0] else { panic!("{:?}", events[0]) };
        assert_eq!((next.len(), &next[0].text), (TOLD, &base.tokenizer.decode_on(&tokens[..1])));
        assert!(next.is_sorted_by(|a, b| a.probability >= b.probability), "{next:?}");
        assert!((0.0..1.0).contains(&next.iter().map(|next| next.probability).sum::<f32>()));
    }

    #[test]
    fn it_ends_where_the_context_is_full_or_the_visitor_stops_it() {
        let mut base = base();
        base.tokenizer.ends.clear();
        let (context, base) = (base.theta.config.max_position_embeddings, Rc::new(base));
        for (_, n, ended) in told(&finish(writer(&base, &vec![5; context - 2], asked(1.0, 50)))) {
            // The text, and three tokens, the last of which is not read.
            assert_eq!((n, ended), (4, vec![Ended::Context]));
        }
        let mut under_way = writer(&base, &[1, 2, 3], asked(1.0, 50));
        let mut events: Vec<Event> = (0..5).filter_map(|_| pollster::block_on(under_way.advance()).unwrap()).collect();
        assert!(!under_way.done());
        events.extend(under_way.stop());
        let [base, adapted] = told(&events);
        assert_eq!((base.1, base.2), (4, vec![Ended::Stopped]));
        assert_eq!((adapted.1, adapted.2), (3, vec![Ended::Stopped]));
    }

    #[test]
    fn one_can_write_alone() {
        let base = Rc::new(base());
        let [alone, other] = told(&finish(writer(&base, &[1, 2, 3], asked(0.7, 4)).only(Voice::Base)));
        assert_eq!(other, (String::new(), 0, Vec::new()));
        // It draws what it draws beside the other.
        assert_eq!(alone, told(&finish(writer(&base, &[1, 2, 3], asked(0.7, 4))))[0]);
    }

    #[test]
    fn half_a_character_is_not_told() {
        let tokenizer = base().tokenizer;
        let mut voice = Speaking::new(Voice::Base, Phi::none(), &[1], 0);
        let mut told = String::new();
        for token in tokenizer.encode("né 東京") {
            voice.pending.push(token);
            let text = voice.whole(&tokenizer);
            assert!(!text.contains('\u{fffd}'), "{text:?}");
            told += &text;
        }
        assert_eq!(told, "né 東京");
        // What never becomes one shows at the end.
        voice.pending = tokenizer.encode("東")[..1].to_vec();
        assert_eq!(voice.end(&tokenizer, Ended::End).text, "\u{fffd}");
    }

    #[test]
    fn a_token_is_drawn_of_the_likeliest_by_their_probabilities() {
        let logits = [0.0, 2.0, 1.0, -1.0, 1.5];
        let of = |temperature: f64, top_k: usize| {
            let writing = Writing { top_k, ..asked(temperature, 1) };
            let mut random = stream(1, "write");
            let mut drawn = [0; 5];
            (0..4000).for_each(|_| drawn[choose(&logits, &writing, &mut random) as usize] += 1);
            drawn
        };
        assert_eq!(of(0.0, 0), [0, 4000, 0, 0, 0]);
        assert_eq!(of(1.0, 1), [0, 4000, 0, 0, 0]);
        let all = vec![0, 1, 2, 3, 4];
        for (temperature, top_k, tokens) in [(1.0, 0, all.clone()), (2.0, 3, vec![1, 2, 4]), (0.5, 9, all)] {
            let drawn = of(temperature, top_k);
            let weight = |i: usize| (f64::from(logits[i]) / temperature).exp();
            let sum: f64 = tokens.iter().map(|i| weight(*i)).sum();
            for (i, n) in drawn.into_iter().enumerate() {
                let expected = if tokens.contains(&i) { weight(i) / sum } else { 0.0 };
                assert!((f64::from(n) / 4000.0 - expected).abs() < 0.03, "{temperature} {top_k}: {drawn:?}");
            }
        }
    }
}
