//! A checkpoint that a visitor brings: looked at, told from others by all of its bytes, and used.

use crate::base::grouped;
use crate::bases::{Base, Checkpoint, OwnBase, Part};
use crate::config::RunConfig;
use crate::model::files::gguf::Gguf;
use crate::protocol::{Command, Event};
use crate::task::tokenizer::Tokenizer;
use crate::ui::state::{Ask, Bringing, Effect, File, NoticeTone, Offer, OfferedBase, State, Trainer};

/// A base is refused where reading it takes more.
/// WebAssembly's memory ends at 4 GiB, and training needs some of it.
const MAX_MEMORY: u64 = 7 << 29;

impl State {
    /// Looks at a checkpoint: all that its files say at their beginnings is checked before they are read.
    pub(super) fn look_at_base(&mut self, files: &[File]) -> Vec<Effect> {
        let bring = &mut self.bring;
        (bring.open, bring.offer, bring.fault) = (true, None, None);
        bring.looked_at += 1;
        match offered_base(files, &self.config, bring.looked_at) {
            Ok(base) => bring.offer = Some(Offer::Base(Box::new(base))),
            Err(message) => bring.fault = Some(message),
        }
        self.identify()
    }

    /// Asks the trainer for the digest of a checkpoint that is looked at; once more where a new one has come up.
    pub(super) fn identify(&self) -> Vec<Effect> {
        match &self.bring.offer {
            Some(Offer::Base(base)) if base.own.is_none() && self.worker(Trainer::Cpu).is_ready() => {
                let command = Command::Identify { number: base.number, files: base.files.clone() };
                vec![Effect::Send(Trainer::Cpu, command)]
            }
            _ => Vec::new(),
        }
    }

    /// The trainer has read some of it, or all.
    pub(super) fn identified(&mut self, event: Event) -> Vec<Effect> {
        let Some(Offer::Base(base)) = &mut self.bring.offer else { return Vec::new() };
        match event {
            Event::Identifying { number, done, of } if number == base.number => base.read = (done, of),
            Event::Identified { number, digest } if number == base.number => {
                base.own = Some(OwnBase::new(&base.checkpoint, &digest));
                if base.used {
                    return self.use_base();
                }
            }
            Event::Unidentified { number, message } if number == base.number => {
                self.bring.offer = None;
                self.bring.fault = Some(message);
            }
            _ => {}
        }
        Vec::new()
    }

    /// Turns to the checkpoint, as soon as it has been told from others.
    pub(super) fn use_base(&mut self) -> Vec<Effect> {
        let Some(Offer::Base(offered)) = &mut self.bring.offer else { return Vec::new() };
        if offered.settled.is_err() {
            return Vec::new();
        }
        offered.used = true;
        let Some(own) = offered.own.clone() else { return Vec::new() };
        let base = match Base::register(&own) {
            Ok(base) => base,
            Err(e) => {
                self.bring.fault = Some(e.to_string());
                return Vec::new();
            }
        };
        let files = std::mem::take(&mut offered.files);
        let addresses = files.into_iter().map(|(name, address)| (format!("models/{}/{name}", base.id), address));
        self.manifest.files.extend(addresses);
        let mut effects = vec![Effect::Readdress];
        effects.extend(self.bringing(Bringing::Close));
        match self.bring.wanted_base.take() {
            Some((id, hash)) if Base::named(&id) == Some(base) => {
                self.notices.retain(|notice| !notice.text.contains(&id));
                effects.extend(self.read_hash(&hash));
                effects.push(Effect::ReplaceHash(self.hash()));
            }
            Some((id, _)) => {
                self.say(NoticeTone::Info, format!("The address asks for another base. {}", Base::absent(&id)), None);
                effects.extend(self.choose_base(base.id));
            }
            None => effects.extend(self.choose_base(base.id)),
        }
        // Kept runs on it could not be read without it.
        if self.keeping.open {
            self.keeping.aside.clear();
            effects.push(Effect::Store(Ask::List));
        }
        effects
    }
}

fn offered_base(files: &[File], config: &RunConfig, number: u32) -> Result<OfferedBase, String> {
    let parts = files.iter().map(|file| Part { name: &file.name, size: file.size() as u64, head: file.head() });
    let folder = files.iter().find(|file| file.name == "config.json").and_then(File::folder);
    let checkpoint = Checkpoint::of(folder, &parts.collect::<Vec<_>>())?;
    if let Some(file) = files.iter().find(|file| Gguf::claims(&file.name) && checkpoint.weights == [file.name.clone()])
    {
        check_tokenizer(file, &checkpoint)?;
    }
    let address = |name: &str| {
        let at = files.iter().find(|file| file.name == name).and_then(|file| file.at.as_ref());
        let at = at.ok_or_else(|| format!("{name} cannot be read: choose the files again"))?;
        Ok::<_, String>((name.to_string(), at.address.clone()))
    };
    let files = checkpoint.files().map(address).collect::<Result<_, _>>()?;
    // Its digest is not known yet; what would run on it does not depend on that.
    let base = Base::looked_at(&OwnBase::new(&checkpoint, "…")).map_err(|e| e.to_string())?;
    let settled = config.on_base(base).map_err(|fault| fault.message);
    let read = (0, checkpoint.bytes);
    let offered = OfferedBase { checkpoint, settled, number, read, own: None, used: false, files };
    if offered.loading() > MAX_MEMORY {
        return Err(format!(
            "This checkpoint has {} parameters: reading it takes {:.1} GB, and a page has no more than 4 GB in all. `peft-lab` on the command line has no such limit.",
            grouped(offered.checkpoint.model.parameters()),
            offered.loading() as f64 / 1e9
        ));
    }
    Ok(offered)
}

/// One file that holds everything has its tokens in its header: what would be refused with its numbers is refused
/// before them.
fn check_tokenizer(file: &File, checkpoint: &Checkpoint) -> Result<(), String> {
    let gguf = Gguf::read(&file.name, file.head(), file.size() as u64).map_err(|e| e.to_string())?;
    Tokenizer::of_gguf(&gguf)?.fits(checkpoint.model.vocab_size, &file.name)
}
