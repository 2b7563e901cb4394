//! The page: it draws a [`state`] and knows no tensor.
//!
//! The state and the geometry of chart and diagram compile anywhere, so that they are tested natively.
//! Everything that touches the browser is for wasm alone.

pub mod assets;
pub mod chart;
pub mod diagram;
pub mod state;
pub mod walk;

#[cfg(target_arch = "wasm32")]
mod app;
#[cfg(target_arch = "wasm32")]
mod dialogs;
#[cfg(target_arch = "wasm32")]
mod dom;
#[cfg(target_arch = "wasm32")]
mod dropped;
#[cfg(target_arch = "wasm32")]
mod fetcher;
#[cfg(target_arch = "wasm32")]
mod hub;
#[cfg(target_arch = "wasm32")]
mod indexed_db;
#[cfg(target_arch = "wasm32")]
mod opener;
#[cfg(target_arch = "wasm32")]
mod panels;
#[cfg(target_arch = "wasm32")]
pub mod store;
#[cfg(target_arch = "wasm32")]
mod tabs;
#[cfg(target_arch = "wasm32")]
mod trainer;

#[cfg(target_arch = "wasm32")]
pub use app::{App, start};
