//! Files of the site.

use super::browser::{describe, scope};
use super::parts::{Parts, open};
use super::post::post;
use crate::bases::{BASES, OwnBase};
use crate::protocol::{AssetUrls, Event};
use crate::train::library::Files;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

/// Files by `fetch`, under the addresses the page gave.
pub struct Fetch {
    /// The addresses, by logical names.
    pub assets: AssetUrls,
    /// The run for which something is being loaded, and what it is; `None` where nobody waits.
    told: RefCell<Option<(u32, String)>>,
}

impl Fetch {
    /// Files at these addresses. Nothing of their reading is told.
    pub fn new(assets: AssetUrls) -> Fetch {
        Fetch { assets, told: RefCell::default() }
    }

    /// From now on it is told how far this is.
    pub fn begin(&self, run: u32, what: String) {
        self.told.replace(Some((run, what)));
        self.tell("", 0, 0);
    }

    /// It is there, or will not come.
    pub fn end(&self) {
        self.tell("", 1, 1);
        self.told.replace(None);
    }

    fn tell(&self, part: &str, done: u64, of: u64) {
        if let Some((run, what)) = &*self.told.borrow() {
            let what = if part.is_empty() { what.clone() } else { format!("{what}: {part}") };
            post(&Event::Loading { run: *run, what, done, of });
        }
    }

    /// A file that the page holds, a part at a time.
    async fn held(&self, url: &str) -> Result<Vec<u8>, String> {
        let blob = open(url).await.map_err(|e| describe(&e))?;
        let size = blob.size() as usize;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(size).map_err(|_| "the tab has no memory left for it".to_string())?;
        let mut parts = Parts::of(&blob).map_err(|e| describe(&e))?;
        while let Some(part) = parts.next().await.map_err(|e| describe(&e))? {
            let at = bytes.len();
            bytes.resize(at + part.length() as usize, 0);
            part.copy_to(&mut bytes[at..]);
            // What is not there whole is not told to be.
            self.tell("", bytes.len().min(size - 1) as u64, size as u64);
        }
        if bytes.len() < size {
            return Err("it has become shorter".into());
        }
        Ok(bytes)
    }
}

impl Files for Fetch {
    async fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        let own = name.starts_with("data/own/") || name.starts_with(&format!("models/{}", OwnBase::PREFIX));
        let fetched = BASES.iter().find(|base| base.fetched().as_deref() == Some(name));
        let url = self.assets.files.get(name).ok_or_else(|| match fetched {
            _ if own => "What you brought is no longer on this page: bring the file again.".to_string(),
            Some(base) => format!("The base {} has not been fetched yet.", base.called()),
            None => format!("This site has no file {name}."),
        })?;
        if own {
            let missing = |why| format!("What you brought cannot be read any more ({why}): bring the file again.");
            return self.held(url).await.map_err(missing);
        }
        if let Some(base) = fetched {
            let missing = |why| format!("The base {} cannot be read ({why}): load the page again.", base.called());
            return self.held(url).await.map_err(missing);
        }
        let missing =
            |why: String| format!("The file {name} did not arrive ({why}). Check the connection and try again.");
        let response = JsFuture::from(scope().fetch_with_str(url)).await.map_err(|e| missing(describe(&e)))?;
        let response: Response = response.dyn_into().map_err(|e| missing(describe(&e)))?;
        if !response.ok() {
            return Err(missing(format!("the server answered {}", response.status())));
        }
        let body = response.array_buffer().map_err(|e| missing(describe(&e)))?;
        let buffer = JsFuture::from(body).await.map_err(|e| missing(describe(&e)))?;
        Ok(js_sys::Uint8Array::new(&buffer).to_vec())
    }

    fn next(&self, part: &str) {
        self.tell(part, 0, 0);
    }
}
