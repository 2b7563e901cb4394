//! How long a visitor's texts are in tokens of the base that will read them: whether a text is long enough, and
//! how many texts of a table are longer than what is read.

use crate::bases::Base;
use crate::task::text::MAX_TOKENS;
use crate::task::tokenizer::Tokenizer;
use crate::task::user_data::{Columns, check_text, cut_texts};
use crate::task::{Answered, TaskConfig};
use crate::ui::state::parts::BaseTokenizer;
use crate::ui::state::{Effect, Offer, State};
use std::rc::Rc;

impl State {
    /// Counts what is looked at, as soon as the tokenizer of the base is here on which it would be used.
    pub(super) fn count_offer(&mut self) -> Vec<Effect> {
        let task = TaskConfig::named("own").filter(|task| !task.is_read_by(self.config.base));
        let base = task.and_then(|task| Base::named(task.bases()[0])).unwrap_or(self.config.base);
        let context = base.config().map_or(0, |model| model.max_position_embeddings);
        if matches!(self.bring.offer, None | Some(Offer::Base(_) | Offer::Chats { .. })) {
            return Vec::new();
        }
        let (tokenizer, effects) = self.tokenizer(base.id);
        match (&mut self.bring.offer, tokenizer) {
            (Some(Offer::Text { text, check, .. }), Some(tokenizer)) => {
                let checked = tokenizer.and_then(|tokenizer| check_text(text, &tokenizer).map_err(|e| e.to_string()));
                *check = Some(checked);
            }
            (Some(Offer::Table { read: Ok(data), longer, .. }), Some(Ok(tokenizer))) => {
                let limit = match data {
                    Columns::Labelled(_) => MAX_TOKENS,
                    Columns::Answered(_) => Answered::room(context).0,
                };
                *longer = Some(tokenizer.longer(data.texts(), limit));
            }
            _ => {}
        }
        effects
    }

    /// Counts the present task's texts while its card is shown.
    pub(super) fn count_task(&mut self) -> Vec<Effect> {
        let Some((limit, key)) = self.cut_key().filter(|_| self.card) else { return Vec::new() };
        let Some(data) = self.data().cloned().filter(|_| !self.bring.cut.contains_key(&key)) else { return Vec::new() };
        let (tokenizer, effects) = self.tokenizer(self.config.base.id);
        if let Some(Ok(tokenizer)) = tokenizer {
            self.bring.cut.insert(key, tokenizer.longer(data.texts(), limit));
        }
        effects
    }

    /// How many texts of the present task the base reads only in part, as a sentence; `None` until they are
    /// counted, and where there are none.
    pub fn cut_of_task(&self) -> Option<String> {
        let (limit, key) = self.cut_key()?;
        cut_texts(self.data()?.texts().count(), *self.bring.cut.get(&key)?, limit)
    }

    fn cut_key(&self) -> Option<(usize, (String, String))> {
        Some((self.config.longest_text()?, (self.config.task.file()?, self.config.base.id.to_string())))
    }

    /// A base's tokenizer, or why it cannot be read; asks for it where it is not here.
    fn tokenizer(&mut self, id: &str) -> (Option<Result<Rc<Tokenizer>, String>>, Vec<Effect>) {
        match self.bring.tokenizers.get(id) {
            Some(BaseTokenizer::Loading) => (None, Vec::new()),
            Some(BaseTokenizer::Ready(tokenizer)) => (Some(Ok(tokenizer.clone())), Vec::new()),
            Some(BaseTokenizer::Unreadable(why)) => (Some(Err(why.clone())), Vec::new()),
            None if Base::named(id).is_some_and(|base| self.waits_for_base(base)) => {
                let name = Base::named(id).map_or(id, Base::called);
                (Some(Err(format!("{name} has to be fetched first: its tokenizer comes with it."))), Vec::new())
            }
            None => {
                self.bring.tokenizers.insert(id.into(), BaseTokenizer::Loading);
                (None, vec![Effect::FetchTokenizer(id.into())])
            }
        }
    }

    pub(super) fn tokenizer_arrived(&mut self, id: String, files: Option<&[(&'static str, String)]>) -> Vec<Effect> {
        let read = files.map(|files| Tokenizer::from_files(files).map_err(|e| e.to_string()));
        let tokenizer = match read {
            Some(Ok(tokenizer)) => BaseTokenizer::Ready(Rc::new(tokenizer)),
            Some(Err(why)) => BaseTokenizer::Unreadable(format!("The tokenizer of {id} cannot be used: {why}.")),
            None => BaseTokenizer::Unreadable(format!("The tokenizer of {id} cannot be read: is the site reachable?")),
        };
        let unreachable = files.is_none();
        self.bring.tokenizers.insert(id.clone(), tokenizer);
        let mut effects = self.count_offer();
        effects.extend(self.count_task());
        if unreachable {
            // The next look asks again.
            self.bring.tokenizers.remove(&id);
        }
        effects
    }
}
