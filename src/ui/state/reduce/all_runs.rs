//! All runs of the page in one file.

use super::unfinished::with_phi;
use crate::protocol::Command;
use crate::ui::state::parts::Gathered;
use crate::ui::state::{Ask, Effect, File, NoticeTone, Run, State};

impl State {
    /// How many runs “Save all” would write.
    pub fn runs_to_save(&self) -> usize {
        let has_phi = |run: &&Run| run.kept > 0 || run.trainer.is_some() && run.phase.has_begun();
        self.runs.iter().filter(has_phi).count()
    }

    /// Asks trainers and the store for all runs.
    pub(super) fn save_all(&mut self) -> Vec<Effect> {
        let mut gathered = Gathered::default();
        let mut effects = Vec::new();
        for run in &self.runs {
            let held = run.trainer.filter(|trainer| self.worker(*trainer).is_ready());
            match held {
                Some(trainer) if run.phase.has_begun() => {
                    effects.push(Effect::Send(trainer, Command::Save { run: run.id }));
                }
                _ if run.kept > 0 => {
                    effects.push(Effect::Store(Ask::Recall { key: self.key_of(run), run: run.id }));
                }
                _ => {
                    gathered.missing += 1;
                    continue;
                }
            }
            gathered.parts.push((run.id, None));
        }
        self.keeping.gathered = (!gathered.parts.is_empty()).then_some(gathered);
        effects
    }

    /// Whether a run is on its way into the file.
    pub(super) fn gathers(&self, id: u32) -> bool {
        let parts = self.keeping.gathered.as_ref().map(|gathered| &gathered.parts);
        parts.is_some_and(|parts| parts.iter().any(|(run, text)| *run == id && text.is_none()))
    }

    /// A run as a trainer wrote it.
    pub(super) fn gather_written(&mut self, id: u32, text: &str, tensors: &[u8]) -> Vec<Effect> {
        self.gather(id, Some(with_phi(text, id, tensors)))
    }

    /// Takes in a run's lines, or that nobody has them. With the last the file is written.
    pub(super) fn gather(&mut self, id: u32, text: Option<String>) -> Vec<Effect> {
        let Some(gathered) = &mut self.keeping.gathered else { return Vec::new() };
        match text {
            Some(text) => {
                gathered.parts.iter_mut().filter(|(run, _)| *run == id).for_each(|part| part.1 = Some(text.clone()));
            }
            None => {
                gathered.parts.retain(|(run, _)| *run != id);
                gathered.missing += 1;
            }
        }
        if gathered.parts.iter().any(|(_, text)| text.is_none()) {
            return Vec::new();
        }
        let Some(Gathered { parts, missing }) = self.keeping.gathered.take() else { return Vec::new() };
        let n = parts.len();
        if missing > 0 {
            let text = format!("{missing} of {} runs are not in the file: nobody holds their φ any more.", n + missing);
            self.say(NoticeTone::Info, text, None);
        }
        if n == 0 {
            return Vec::new();
        }
        let text: String = parts.into_iter().filter_map(|(_, text)| text).collect();
        vec![Effect::Download(vec![File::new(format!("peft-lab-{n}-runs.jsonl"), text.into_bytes())])]
    }
}
