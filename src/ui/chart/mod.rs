//! Curves over steps: labels at the lines, values on hover and by keyboard. The geometry is plain data that
//! compiles and is tested anywhere; only `view` and `size` touch the browser.
//!
//! `layout` puts everything together, from `axes`, `names` of curves and `label_placement`.

mod axes;
pub mod label_placement;
pub mod layout;
mod names;
pub mod sample;
pub mod scale;
mod series;
#[cfg(target_arch = "wasm32")]
mod size;
pub mod summary;
mod text;
#[cfg(target_arch = "wasm32")]
mod view;

pub use series::{Reference, Series, Tone, Unit};
#[cfg(target_arch = "wasm32")]
pub use view::{Chart, ChartProps};
