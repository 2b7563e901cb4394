//! Free text: what is typed goes to the trainer, what θ alone and θ ⊕ λφ write comes back token by token.

use crate::config::RunConfig;
use crate::protocol::{Around, Command, Event};
use crate::ui::state::{Column, Effect, FreeText, FreeTextField, FreeTexting, State, Trainer, WorkerPhase};

impl State {
    /// Whether the present base reads prose, so that free text means something to it.
    pub fn reads_prose(&self) -> bool {
        !self.config.task.is_strings()
    }

    /// What may be put around free text, and what each is called on the page.
    pub fn free_text_forms(&self) -> Vec<(Around, &'static str)> {
        let config = self.answering_config();
        let task = match () {
            () if config.task.is_written() => None,
            () if config.task.is_answered() => Some("the task's prompt"),
            () => Some("the task's question"),
        };
        let chat = config.base.knows_words().then_some((Around::Chat, "a chat message"));
        [(Around::Nothing, "plain text")].into_iter().chain(task.map(|t| (Around::Task, t))).chain(chat).collect()
    }

    /// What is put around it: what was chosen, where that may be, else what shows what the task trains.
    pub fn free_text_around(&self) -> Around {
        let forms = self.free_text_forms();
        let usual = if self.answering_config().task.is_answered() { Around::Task } else { Around::Nothing };
        self.free_text.around.filter(|chosen| forms.iter().any(|(form, _)| form == chosen)).unwrap_or(usual)
    }

    /// The configuration of the run whose φ would write.
    fn answering_config(&self) -> &RunConfig {
        let (id, _) = self.answering();
        self.runs.iter().find(|run| run.id == id).map_or(&self.config, |run| &run.config)
    }

    /// Whose φ would write now, in words.
    pub fn writes_by(&self) -> String {
        let (id, _) = self.answering();
        match self.runs.iter().find(|run| run.id == id) {
            Some(run) if run.imported => format!("{}, an adapter from a file", run.config.label()),
            Some(run) => format!("{}, step {}", run.config.label(), run.step),
            None => format!("{} at its start", self.config.label()),
        }
    }

    /// Why nothing can be written now.
    pub fn writing_waits(&self) -> Option<&'static str> {
        if self.waits_for_base(self.config.base) {
            return Some("The base has to be fetched first.");
        }
        match self.worker(self.answering().1) {
            WorkerPhase::Ready { .. } => None,
            _ => Some("The trainer is loading."),
        }
    }

    pub(super) fn free_texting(&mut self, what: FreeTexting) -> Vec<Effect> {
        match what {
            FreeTexting::Open(open) => {
                self.free_text.open = open && self.reads_prose();
                if self.free_text.open { Vec::new() } else { self.stop_writing() }
            }
            FreeTexting::Edit(field, text) => {
                let free = &mut self.free_text;
                free.fault = None;
                *match field {
                    FreeTextField::Text => &mut free.text,
                    FreeTextField::Temperature => &mut free.temperature,
                    FreeTextField::TopK => &mut free.top_k,
                    FreeTextField::Tokens => &mut free.tokens,
                } = text;
                Vec::new()
            }
            FreeTexting::Around(around) => {
                self.free_text.around = Some(around);
                self.free_text.fault = None;
                Vec::new()
            }
            FreeTexting::Write => self.write(),
            FreeTexting::Stop => self.stop_writing(),
        }
    }

    fn write(&mut self) -> Vec<Effect> {
        if self.free_text.writes() || self.writing_waits().is_some() {
            return Vec::new();
        }
        let (run, trainer) = self.answering();
        let writing = match self.free_text.writing(self.free_text_around(), self.lambda_of(run)) {
            Ok(writing) => writing,
            Err(fault) => {
                self.free_text.fault = Some(fault);
                return Vec::new();
            }
        };
        // φ is that run's, so the text goes with its configuration.
        let config = self.answering_config().clone();
        let by = self.writes_by();
        let free = &mut self.free_text;
        *free = FreeText {
            given: free.text.clone(),
            by,
            fault: None,
            columns: Default::default(),
            under_way: Some((run, trainer)),
            asked: free.asked + 1,
            ..free.clone()
        };
        vec![Effect::Send(trainer, Command::Write { run, config, writing })]
    }

    fn stop_writing(&mut self) -> Vec<Effect> {
        let holder = self.free_text.under_way.map(|(_, trainer)| trainer);
        holder.map(|trainer| Effect::Send(trainer, Command::StopWriting)).into_iter().collect()
    }

    /// Nothing is written any longer: the trainer failed, or ended. It may still write beside another run that did.
    pub(super) fn end_writing(&mut self, trainer: Trainer) -> Vec<Effect> {
        let ended = self.free_text.under_way.take_if(|(_, holder)| *holder == trainer);
        ended.map(|_| Effect::Send(trainer, Command::StopWriting)).into_iter().collect()
    }

    pub(super) fn wrote(&mut self, trainer: Trainer, event: Event) -> Vec<Effect> {
        let free = &mut self.free_text;
        let is_awaited = |run: u32| free.under_way == Some((run, trainer));
        match event {
            Event::Wrote { run, which, text, tokens, next, ms, ended } if is_awaited(run) => {
                let column = &mut free.columns[Column::place(which)];
                column.text += &text;
                (column.tokens, column.ms, column.ended) = (tokens, ms, ended);
                // At the end nothing comes next: what might have come stays.
                if !next.is_empty() {
                    column.next = next;
                }
                if free.columns.iter().all(|column| column.ended.is_some()) {
                    free.under_way = None;
                }
            }
            Event::Unwritten { run, message } if is_awaited(run) => {
                free.fault = Some(message);
                free.under_way = None;
            }
            _ => {}
        }
        Vec::new()
    }
}
