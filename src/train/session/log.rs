//! What a run has reported, kept for its file.
//!
//! A worker keeps many runs, and a run may have a hundred thousand steps. So a step's numbers are kept
//! without the event around them, and of long runs only every second step, every fourth, and so on: what a
//! curve needs.

use crate::protocol::Event;

/// Steps that are kept at the most.
const MOST: usize = 8192;

/// The events of a run: all of a run of up to [`MOST`] steps, but of its answers the last.
#[derive(Default)]
pub(super) struct Log {
    entries: Vec<Entry>,
    /// Steps among the entries.
    steps: usize,
    /// How often the steps have been halved.
    halvings: u32,
}

enum Entry {
    Step(Numbers),
    Other(Box<Event>),
}

/// Of [`Event::Step`].
#[derive(Clone, Copy)]
struct Numbers {
    run: u32,
    step: usize,
    loss: f32,
    lr: f64,
    ms: f64,
    tokens: usize,
    grad_norm: f32,
    workers: usize,
}

impl Log {
    pub fn extend<'e>(&mut self, events: impl IntoIterator<Item = &'e Event>) {
        events.into_iter().for_each(|event| self.push(event));
    }

    /// A log as it was kept, with its steps halved so often.
    pub fn of<'e>(events: impl IntoIterator<Item = &'e Event>, halvings: u32) -> Log {
        let mut log = Log { halvings, ..Log::default() };
        log.extend(events);
        log
    }

    /// How often its steps have been halved.
    pub fn halvings(&self) -> u32 {
        self.halvings
    }

    fn push(&mut self, event: &Event) {
        match event {
            Event::Loading { .. } => return,
            Event::Step { run, step, loss, lr, ms, tokens, grad_norm, workers } => {
                let (run, step, loss, lr, ms) = (*run, *step, *loss, *lr, *ms);
                let (tokens, grad_norm, workers) = (*tokens, *grad_norm, *workers);
                return self.push_step(Numbers { run, step, loss, lr, ms, tokens, grad_norm, workers });
            }
            Event::Examples { .. } => self.entries.retain(|entry| !entry.is_answers()),
            _ => {}
        }
        self.entries.push(Entry::Other(Box::new(event.clone())));
    }

    fn push_step(&mut self, numbers: Numbers) {
        if !self.keeps(numbers.step) {
            return;
        }
        self.entries.push(Entry::Step(numbers));
        self.steps += 1;
        if self.steps > MOST {
            self.halvings += 1;
            let halvings = self.halvings;
            self.entries.retain(|entry| match entry {
                Entry::Step(numbers) => is_multiple(numbers.step, halvings),
                Entry::Other(_) => true,
            });
            self.steps = self.entries.iter().filter(|entry| matches!(entry, Entry::Step(_))).count();
        }
    }

    fn keeps(&self, step: usize) -> bool {
        is_multiple(step, self.halvings)
    }

    /// What a run file holds of them, in their order.
    pub fn events(&self) -> impl Iterator<Item = Event> {
        self.entries.iter().map(|entry| match entry {
            Entry::Other(event) => event.as_ref().clone(),
            Entry::Step(Numbers { run, step, loss, lr, ms, tokens, grad_norm, workers }) => {
                let (run, step, loss, lr, ms) = (*run, *step, *loss, *lr, *ms);
                let (tokens, grad_norm, workers) = (*tokens, *grad_norm, *workers);
                Event::Step { run, step, loss, lr, ms, tokens, grad_norm, workers }
            }
        })
    }
}

impl Entry {
    fn is_answers(&self) -> bool {
        matches!(self, Entry::Other(event) if matches!(event.as_ref(), Event::Examples { .. }))
    }
}

/// Whether a step's number is a multiple of 2 to the power of `halvings`.
fn is_multiple(step: usize, halvings: u32) -> bool {
    step.trailing_zeros() >= halvings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(step: usize) -> Event {
        Event::Step { run: 3, step, loss: 0.5, lr: 0.1, ms: 2.0, tokens: 64, grad_norm: 1.5, workers: 2 }
    }

    fn evaluated(step: usize) -> Event {
        Event::Evaluated { run: 3, step, loss: 0.5, accuracy: 0.25, n: 4, kept: None, parts: Vec::new() }
    }

    fn answers(step: usize) -> Event {
        Event::Examples { run: 3, step, items: Vec::new() }
    }

    fn log(events: &[Event]) -> Log {
        let mut log = Log::default();
        log.extend(events);
        log
    }

    #[test]
    fn a_run_of_some_thousand_steps_is_kept_as_it_was_reported() {
        let mut events: Vec<Event> = Vec::new();
        for i in 1..=MOST {
            events.push(step(i));
            if i.is_multiple_of(100) {
                events.push(evaluated(i));
            }
        }
        assert_eq!(log(&events).events().collect::<Vec<_>>(), events);
    }

    #[test]
    fn of_a_long_run_every_second_or_fourth_step_is_kept_and_all_else() {
        let n = 100_000;
        let mut events: Vec<Event> = (1..=n).map(step).collect();
        events.push(evaluated(n));
        let kept: Vec<Event> = log(&events).events().collect();
        let steps: Vec<usize> =
            kept.iter().filter_map(|e| if let Event::Step { step, .. } = e { Some(*step) } else { None }).collect();
        assert_eq!((steps[0], steps[1], steps.len()), (16, 32, n / 16));
        assert_eq!(kept.last(), Some(&evaluated(n)));
        assert!(steps.len() <= MOST && steps.len() > MOST / 2);
    }

    #[test]
    fn of_answers_the_last_are_kept_and_nothing_of_loading() {
        let loading = Event::Loading { run: 3, what: "the base".into(), done: 0, of: 0 };
        let log = log(&[loading, answers(0), step(1), answers(1)]);
        assert_eq!(log.events().collect::<Vec<_>>(), [step(1), answers(1)]);
    }

    #[test]
    fn a_step_takes_no_more_than_its_numbers() {
        assert!(size_of::<Entry>() <= 64, "{}", size_of::<Entry>());
    }
}
