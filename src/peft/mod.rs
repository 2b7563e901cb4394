//! φ: everything a method trains, and nothing else.
//!
//! One file per method. Its plain half (name, kind, paper, knobs, formula, exact count from shapes) compiles everywhere and is
//! what page, URL, command line and docs read; its trained half, behind `train`, holds the parameters and how they are applied.
//! Adding a method means adding a file and one line in the `methods!` list below.

mod adapter;
mod all_but_embeddings;
mod ask;
mod bitfit;
mod blocks;
#[cfg(feature = "train")]
mod copies;
pub mod count;
mod dora;
mod embeddings;
mod full;
mod ia3;
mod icl;
pub mod knob;
mod last_layer;
mod layers;
mod ln_tuning;
mod lora;
mod p_tuning;
mod place;
mod prefix;
mod prompt;
mod pruning;
mod sparse;
mod subspace;
mod target;
mod text_prompt;
mod vera;

#[cfg(feature = "train")]
pub mod phi;

pub use adapter::{Adapter, Placement};
pub use all_but_embeddings::AllButEmbeddings;
pub use ask::{Ask, At, Sublayer};
pub use bitfit::BitFit;
pub use blocks::Blocks;
pub use count::{Count, Shape, Term};
pub use dora::Dora;
pub use embeddings::Embeddings;
pub use full::Full;
pub use ia3::Ia3;
pub use icl::{DemonstrationLabels, Icl, Template};
pub use knob::{Fault, Knob, Range, Value};
pub use last_layer::{LastLayer, Rows};
pub use layers::Layers;
pub use ln_tuning::LnTuning;
pub use lora::Lora;
pub use p_tuning::PTuning;
pub use place::{Piece, Place, Spot};
pub use prefix::Prefix;
pub use prompt::{Prompt, PromptInit};
pub use pruning::Pruning;
pub use sparse::{Mask, Sparse};
pub use subspace::Subspace;
pub use target::Target;
pub use text_prompt::TextPrompt;
pub use vera::Vera;

use crate::ledger::tape::{Tape, Var};
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
    /// Whether θ ⊕ λφ has a meaning between λ = 0, θ alone, and λ = 1, θ with φ; and why not where it has none.
    pub dial: Result<(), &'static str>,
}

/// A tensor of φ as a file holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Hugging Face PEFT's key where it has the method, after `base_model.model.` where the tensor belongs to a module of θ.
    pub name: String,
    /// The file's shape.
    pub shape: Vec<usize>,
    /// A matrix that the file holds as `[outputs, inputs]` and φ as `[inputs, outputs]`.
    pub transposed: bool,
}

impl TensorInfo {
    pub fn new(name: impl Into<String>, shape: impl Into<Vec<usize>>) -> TensorInfo {
        TensorInfo { name: name.into(), shape: shape.into(), transposed: false }
    }

    /// A matrix `[outputs, inputs]` in the file.
    pub fn transposed(name: impl Into<String>, outputs: usize, inputs: usize) -> TensorInfo {
        TensorInfo { name: name.into(), shape: vec![outputs, inputs], transposed: true }
    }

    /// A copy of a tensor of θ, under its name in the checkpoint.
    pub fn of_theta(place: Place, piece: Piece, model: &ModelConfig) -> TensorInfo {
        let name = format!("{}.{}", place.key(), if piece == Piece::Bias { "bias" } else { "weight" });
        let d = model.hidden_size;
        match (place, piece) {
            (Place::Linear(_, target), Piece::Matrix) => {
                let (inputs, outputs) = target.shape(model);
                TensorInfo::transposed(name, outputs, inputs)
            }
            (_, Piece::Matrix) => TensorInfo::new(name, [place.elements(piece, model) / d, d]),
            _ => TensorInfo::new(name, [place.elements(piece, model)]),
        }
    }

    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }
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
    fn copies(&self, _place: Place, _piece: Piece, _model: &ModelConfig) -> bool {
        false
    }

    /// What the forward pass costs where this method steps in: the answer of the trained half's `Composition`, as shapes. `None` leaves
    /// the network as it is.
    fn trace(&self, ask: Ask, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        self.trace_copy(ask, model, tape)
    }

    /// The copies that stand in for tensors of θ.
    fn trace_copy(&self, ask: Ask, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
        match ask {
            Ask::Weight(place, piece, theta) if self.copies(place, piece, model) => {
                Some(tape.copy(&format!("{} {piece:?}", place.key()), theta))
            }
            _ => None,
        }
    }

    /// Everywhere φ steps in. Methods that share no spot can be trained together.
    fn spots(&self, model: &ModelConfig) -> Vec<Spot> {
        let pieces = |place: Place| place.pieces().iter().map(move |piece| (place, *piece));
        let copied = Place::all(model.num_hidden_layers).flat_map(pieces);
        let copied = copied.filter(|(place, piece)| self.copies(*place, *piece, model));
        copied.map(|(place, piece)| Spot::Weight(place, piece)).collect()
    }

    /// Positions of the context that φ takes.
    fn positions(&self) -> usize {
        0
    }

    /// φ's tensors in the order in which the trained half holds them, under the names of files.
    fn tensors(&self, shape: &Shape) -> Vec<TensorInfo> {
        let model = &shape.model;
        let pieces = |place: Place| place.pieces().iter().map(move |piece| (place, *piece));
        let copied = Place::all(model.num_hidden_layers).flat_map(pieces);
        let copied = copied.filter(|(place, piece)| self.copies(*place, *piece, model));
        copied.map(|(place, piece)| TensorInfo::of_theta(place, piece, model)).collect()
    }

    /// Trained numbers of a tensor of θ that φ copies.
    fn trained(&self, place: Place, piece: Piece, model: &ModelConfig) -> usize {
        if self.copies(place, piece, model) { place.elements(piece, model) } else { 0 }
    }

    /// Whether this configuration can be folded into θ; [`MethodInfo::merges`] unless a knob decides.
    fn merges(&self) -> Result<(), &'static str> {
        self.info().merges
    }

    /// Whether there is anything to train: without, the run is one evaluation.
    fn trains(&self) -> bool {
        true
    }

    /// What has to be known about θ's weights before φ can be made.
    fn scores(&self) -> Option<Mask> {
        None
    }

    /// Numbers to store once trained, where that is not φ itself: a reparameterisation folds away.
    fn stored(&self, shape: &Shape) -> usize {
        self.count(shape).total()
    }

    /// What a visitor should know about this configuration and no formula tells.
    fn note(&self, _shape: &Shape) -> Option<String> {
        None
    }

    /// Parameters that exist besides θ's: φ itself, unless φ stands in for tensors of θ.
    fn added(&self, shape: &Shape) -> usize {
        self.count(shape).total() - self.copied(&shape.model)
    }

    /// Elements of all [`copies`](Method::copies).
    fn copied(&self, model: &ModelConfig) -> usize {
        let pieces = |place: Place| place.pieces().iter().map(move |piece| (place, *piece));
        let copied = Place::all(model.num_hidden_layers).flat_map(pieces);
        let copied = copied.filter(|(place, piece)| self.copies(*place, *piece, model));
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

            pub fn composition_mut(&mut self) -> &mut dyn phi::Composition {
                match self { $(Part::$variant(p) => p),+ }
            }
        }
    };
}

methods! {
    Full in full,
    LastLayer in last_layer,
    Embeddings in embeddings,
    AllButEmbeddings in all_but_embeddings,
    Lora in lora,
    Dora in dora,
    Vera in vera,
    BitFit in bitfit,
    LnTuning in ln_tuning,
    Layers in layers,
    Sparse in sparse,
    Pruning in pruning,
    Subspace in subspace,
    Prompt in prompt,
    PTuning in p_tuning,
    Prefix in prefix,
    TextPrompt in text_prompt,
    Icl in icl,
    Adapter in adapter,
    Ia3 in ia3,
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
