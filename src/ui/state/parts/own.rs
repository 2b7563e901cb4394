//! A visitor's own data and checkpoints as the browser keeps them: once, however many runs use them.

use super::schema::SCHEMA;
use crate::bases::{Base, OwnBase};
use crate::config::RunConfig;
use crate::task::TaskConfig;
use crate::task::user_data::UserData;
use serde::{Deserialize, Serialize};

/// What is kept beside the files themselves. Exactly one of the two is there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OwnAbout {
    /// [`SCHEMA`], when it was written.
    pub schema: u32,
    /// What a configuration knows of data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<UserData>,
    /// What one knows of a checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<OwnBase>,
}

/// What came back from the store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnFiles {
    /// Its id, which follows from its contents.
    pub id: String,
    /// [`OwnAbout`] as JSON.
    pub about: String,
    /// Logical names, addresses of this page, bytes.
    pub files: Vec<(String, String, u64)>,
}

/// Why something is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unkept {
    /// It is larger than what is kept.
    TooLarge,
    /// The browser gives the page less room.
    NoRoom,
    /// Its files could not be read.
    Unread,
    /// The browser keeps no files of this kind.
    Refused,
}

/// Whether something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnKept {
    /// It is on its way.
    Asked,
    /// It is.
    Kept,
    /// It cannot be, or its visitor does not wish it.
    Not,
}

/// Data or a checkpoint, as the page knows of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Own {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Of its files.
    pub bytes: u64,
    /// Whether the browser keeps it.
    pub kept: OwnKept,
}

impl OwnAbout {
    /// Its id: what begins the logical names of its files.
    pub fn id(&self) -> Option<String> {
        let base = || self.base.as_ref().map(|base| format!("models/{}", base.id));
        self.data.as_ref().map(UserData::file).or_else(base)
    }

    /// What people call it.
    pub fn title(&self) -> String {
        let base = || self.base.as_ref().map(|base| base.title.clone()).unwrap_or_default();
        self.data.as_ref().map_or_else(base, |data| data.title().to_string())
    }

    /// Logical names of all its files.
    pub fn names(&self) -> Vec<String> {
        let base = self.base.iter().flat_map(|base| base.files().map(|file| format!("models/{}/{file}", base.id)));
        self.data.iter().map(UserData::file).chain(base).collect()
    }

    /// All of a visitor's own that a configuration needs.
    pub fn all_of(config: &RunConfig) -> Vec<OwnAbout> {
        let base = Some(config.base).filter(|base| base.is_own()).map(Base::to_own);
        let data = match &config.task {
            TaskConfig::UserData { data, .. } => Some(data.clone()),
            _ => None,
        };
        let base = base.map(|base| OwnAbout { schema: SCHEMA, data: None, base: Some(base) });
        data.map(|data| OwnAbout { schema: SCHEMA, data: Some(data), base: None }).into_iter().chain(base).collect()
    }
}
