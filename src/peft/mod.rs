//! φ: everything a method trains, and nothing else.
//!
//! One file per method. Its plain half (name, kind, paper, knobs, formula, exact count from shapes) compiles everywhere and is
//! what page, URL, command line and docs read; its trained half, behind `train`, holds the parameters and how they are applied.
//! Adding a method means adding a file and one line in the `methods!` list below.

mod adapter;
mod bitfit;
#[cfg(feature = "train")]
mod copies;
pub mod count;
mod full;
pub mod knob;
mod last_layer;
mod lora;
mod place;
mod prefix;
mod prompt;
mod target;

#[cfg(feature = "train")]
pub mod phi;

pub use adapter::Adapter;
pub use bitfit::BitFit;
pub use count::{Count, Shape, Term};
pub use full::Full;
pub use knob::{Fault, Knob, Range, Value};
pub use last_layer::LastLayer;
pub use lora::Lora;
pub use place::{Piece, Place};
pub use prefix::Prefix;
pub use prompt::{Prompt, PromptInit};
pub use target::Target;

use crate::model::ModelConfig;

/// How a method's φ meets the frozen network f_θ, the lecture's grouping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What the lecture compares against: all of θ, or its last layer.
    Baseline,
    /// f_{θ⊕φ}(x)
    Parameter,
    /// f_θ([φ, x])
    Input,
    /// f_φ ∘ f_θ (x)
    Function,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Baseline, Kind::Parameter, Kind::Input, Kind::Function];

    pub fn title(self) -> &'static str {
        match self {
            Kind::Baseline => "Baselines",
            Kind::Parameter => "Parameter composition",
            Kind::Input => "Input composition",
            Kind::Function => "Function composition",
        }
    }

    /// The lecture's formula, in plain characters; empty for baselines.
    pub fn formula(self) -> &'static str {
        match self {
            Kind::Baseline => "",
            Kind::Parameter => "f_{θ⊕φ}(x)",
            Kind::Input => "f_θ([φ, x])",
            Kind::Function => "f_φ ∘ f_θ(x)",
        }
    }
}

/// What is fixed about a method.
#[derive(Debug)]
pub struct MethodInfo {
    /// Name in URL, flags and JSON (`last-layer`).
    pub name: &'static str,
    /// Name on the page (`Last layer`).
    pub title: &'static str,
    pub kind: Kind,
    /// Authors, title, year.
    pub paper: &'static str,
    /// What it computes; terms that φ holds stand between `⟨` and `⟩` so that the page can colour them.
    pub formula: &'static str,
    /// One sentence a student understands.
    pub summary: &'static str,
    pub knobs: &'static [Knob],
    /// Whether φ can be folded into a copy of θ after training, and why not where it cannot.
    pub merges: Result<(), &'static str>,
}

/// A method with its knobs set: the plain half.
pub trait Method: std::fmt::Debug {
    fn info(&self) -> &'static MethodInfo;

    /// The value of one of [`MethodInfo::knobs`], `None` for a name that is not among them.
    fn get(&self, knob: &str) -> Option<Value>;

    /// Sets a knob to a value that its [`Range`] has already admitted.
    fn set(&mut self, knob: &str, value: Value);

    /// Limits that depend on the base: a rank above the width, a prompt longer than the context.
    /// `task_tokens` is the length of the task's longest example.
    fn check(&self, _shape: &Shape, _task_tokens: usize) -> Result<(), Fault> {
        Ok(())
    }

    /// Elements of φ, exactly, as a sum that one can check by hand.
    fn count(&self, shape: &Shape) -> Count;

    /// Whether φ holds a trainable copy of a tensor of θ, which stands in for it.
    fn copies(&self, _place: Place, _piece: Piece) -> bool {
        false
    }

    /// Parameters that exist besides θ's: φ itself, unless φ stands in for tensors of θ.
    fn added(&self, shape: &Shape) -> usize {
        self.count(shape).total() - self.copied(&shape.model)
    }

    /// Elements of all [`copies`](Method::copies).
    fn copied(&self, model: &ModelConfig) -> usize {
        let pieces = |place: Place| place.pieces().iter().map(move |piece| (place, *piece));
        let copied =
            Place::all(model.num_hidden_layers).flat_map(pieces).filter(|(place, piece)| self.copies(*place, *piece));
        copied.map(|(place, piece)| place.elements(piece, model)).sum()
    }

    /// The tuned default of AdamW's peak rate, for a task and a base: the best of factors of 2 to 3 on `count`, `cipher` and a new
    /// composition (two seeds), and on `authors` with both prose bases.
    fn learning_rate(&self, task: &str, base: &str) -> f64;

    /// A short name with the knobs that matter (`LoRA r 4`), for curves and table rows.
    fn label(&self) -> String {
        self.info().title.to_string()
    }
}

/// Makes the registry: [`MethodConfig`], and with `train` its trained counterpart `phi::Part`.
macro_rules! methods {
    ($($variant:ident in $file:ident),+ $(,)?) => {
        /// A method and its knobs, one variant per file.
        #[derive(Clone, Debug, PartialEq)]
        pub enum MethodConfig { $($variant($variant)),+ }

        impl MethodConfig {
            /// Every method at its defaults, in the order the page lists them.
            pub fn all() -> Vec<MethodConfig> {
                vec![$(MethodConfig::$variant($variant::default())),+]
            }

            pub fn method(&self) -> &dyn Method {
                match self { $(MethodConfig::$variant(m) => m),+ }
            }

            pub fn method_mut(&mut self) -> &mut dyn Method {
                match self { $(MethodConfig::$variant(m) => m),+ }
            }
        }

        /// The trained half of a method: one variant per file.
        #[cfg(feature = "train")]
        #[derive(burn::module::Module, Debug)]
        #[allow(clippy::large_enum_variant)] // A run has one part, or a few: nothing is gained by boxing them.
        pub enum Part { $($variant($file::phi::Phi)),+ }

        #[cfg(feature = "train")]
        impl Part {
            /// φ at its start, drawn from `rng` alone, on the device that trains.
            pub fn init(config: &MethodConfig, context: &mut phi::InitContext<'_>) -> Part {
                match config { $(MethodConfig::$variant(m) => Part::$variant($file::phi::Phi::init(m, context))),+ }
            }

            /// How this part changes the forward pass.
            pub fn composition(&self) -> &dyn phi::Composition {
                match self { $(Part::$variant(p) => p),+ }
            }
        }
    };
}

methods! {
    Full in full,
    LastLayer in last_layer,
    Lora in lora,
    BitFit in bitfit,
    Prompt in prompt,
    Prefix in prefix,
    Adapter in adapter,
}

impl MethodConfig {
    /// The method of a contract name (`lora`) at its defaults.
    pub fn named(name: &str) -> Option<MethodConfig> {
        Self::all().into_iter().find(|m| m.info().name == name)
    }

    pub fn info(&self) -> &'static MethodInfo {
        self.method().info()
    }

    /// Sets a knob from text (URL, flag), checked against its range.
    pub fn set(&mut self, knob: &str, text: &str) -> Result<(), Fault> {
        let spec = self.info().knobs.iter().find(|k| k.name == knob);
        let spec = spec.ok_or_else(|| Fault::new(knob, format!("{} has no knob “{knob}”", self.info().title)))?;
        let value = spec.parse(text)?;
        self.method_mut().set(knob, value);
        Ok(())
    }

    /// A knob's value as URL and flags write it.
    pub fn get(&self, knob: &str) -> Option<String> {
        self.method().get(knob).map(|v| v.to_string())
    }
}

/// Hugging Face PEFT's line: `trainable params: 4,096 || all params: 209,664 || trainable%: 1.9536`.
pub fn trainable_line(trainable: usize, all: usize) -> String {
    let percent = 100.0 * trainable as f64 / all as f64;
    format!("trainable params: {} || all params: {} || trainable%: {percent:.4}", grouped(trainable), grouped(all))
}

/// A count with thousands separators: `205,568`.
pub fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}
