//! Files of the site.

use super::browser::{describe, scope};
use crate::bases::OwnBase;
use crate::protocol::AssetUrls;
use crate::train::library::Files;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

/// Files by `fetch`, under the addresses the page gave.
pub struct Fetch(pub AssetUrls);

impl Files for Fetch {
    async fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        let own = name.starts_with("data/own/") || name.starts_with(&format!("models/{}", OwnBase::PREFIX));
        let url = self.0.files.get(name).ok_or_else(|| match own {
            true => "What you brought is no longer on this page: bring the file again.".to_string(),
            false => format!("This site has no file {name}."),
        })?;
        let missing = |why: String| match own {
            true => format!("What you brought cannot be read any more ({why}): bring the file again."),
            false => format!("The file {name} did not arrive ({why}). Check the connection and try again."),
        };
        let response = JsFuture::from(scope().fetch_with_str(url)).await.map_err(|e| missing(describe(&e)))?;
        let response: Response = response.dyn_into().map_err(|e| missing(describe(&e)))?;
        if !response.ok() {
            return Err(missing(format!("the server answered {}", response.status())));
        }
        let body = response.array_buffer().map_err(|e| missing(describe(&e)))?;
        let buffer = JsFuture::from(body).await.map_err(|e| missing(describe(&e)))?;
        Ok(js_sys::Uint8Array::new(&buffer).to_vec())
    }
}
