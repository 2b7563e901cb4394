//! What every method tells about itself, without a tensor.

use crate::base::Fault;
use crate::model::{ModelConfig, ModulePath, ParamKind, Site, TensorInfo};
use crate::peft::{Cost, Count, Demonstrations, Knob, Mask, Shape, Value};

/// How a method's φ meets the frozen network f_θ, the lecture's grouping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MethodKind {
    /// What the lecture compares against: all of θ, or its last layer.
    Baseline,
    /// f_{θ⊕φ}(x)
    Parameter,
    /// f_θ([φ, x])
    Input,
    /// f_φ ∘ f_θ (x)
    Function,
}

impl MethodKind {
    /// In the order of the page.
    pub const ALL: [MethodKind; 4] =
        [MethodKind::Baseline, MethodKind::Parameter, MethodKind::Input, MethodKind::Function];

    /// What the page calls the group.
    pub fn title(self) -> &'static str {
        match self {
            MethodKind::Baseline => "Baselines",
            MethodKind::Parameter => "Parameter composition",
            MethodKind::Input => "Input composition",
            MethodKind::Function => "Function composition",
        }
    }

    /// The lecture's formula, in plain characters; empty for baselines.
    pub fn formula(self) -> &'static str {
        match self {
            MethodKind::Baseline => "",
            MethodKind::Parameter => "f_{θ⊕φ}(x)",
            MethodKind::Input => "f_θ([φ, x])",
            MethodKind::Function => "f_φ ∘ f_θ(x)",
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
    /// Its group on the page.
    pub kind: MethodKind,
    /// Authors, title, year.
    pub paper: &'static str,
    /// What it computes; terms that φ holds stand between `⟨` and `⟩` so that the page can colour them.
    pub formula: &'static str,
    /// One sentence a student understands.
    pub summary: &'static str,
    /// What a visitor may set, in the order of the page.
    pub knobs: &'static [Knob],
    /// Whether Hugging Face PEFT has the method, and a file for its φ.
    pub in_peft: bool,
    /// Whether φ can be folded into a copy of θ after training, and why not where it cannot.
    pub merges: Result<(), &'static str>,
    /// Whether θ ⊕ λφ has a meaning between λ = 0, θ alone, and λ = 1, θ with φ; and why not where it has none.
    pub dial: Result<(), &'static str>,
    /// What its gradients and logits are compared with (docs/testing.md says how).
    pub checked: &'static str,
}

/// What helps most methods.
pub const MORE: &str = "Try more steps, or a higher rate.";

/// A method with its knobs set: the plain half. What it costs, where it stands in the drawing and its Python are traits of
/// their own, which none can leave out: the registry asks for each.
pub trait Method: Cost + std::fmt::Debug {
    /// What is fixed about the method, whatever its knobs.
    fn info(&self) -> &'static MethodInfo;

    /// [`MethodInfo::formula`], or what stands in its place with these knobs on a model.
    fn formula(&self, _model: &ModelConfig) -> &'static str {
        self.info().formula
    }

    /// [`MethodInfo::summary`], or what stands in its place with these knobs on a model.
    fn summary(&self, _model: &ModelConfig) -> &'static str {
        self.info().summary
    }

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
    fn copies(&self, _place: ModulePath, _piece: ParamKind, _model: &ModelConfig) -> bool {
        false
    }

    /// Everywhere φ steps in. Methods that share no spot can be trained together.
    fn sites(&self, model: &ModelConfig) -> Vec<Site> {
        let mut sites = Vec::new();
        each_copied(model, &|place, piece| self.copies(place, piece, model), &mut |place, piece| {
            sites.push(Site::Weight(place, piece));
        });
        sites
    }

    /// Positions of the context that φ takes.
    fn positions(&self) -> usize {
        0
    }

    /// φ's tensors in the order in which the trained half holds them, under the names of files.
    fn tensors(&self, shape: &Shape) -> Vec<TensorInfo> {
        let (model, mut tensors) = (&shape.model, Vec::new());
        each_copied(model, &|place, piece| self.copies(place, piece, model), &mut |place, piece| {
            tensors.push(TensorInfo::of_theta(place, piece, model));
        });
        tensors
    }

    /// Trained numbers of a tensor of θ that φ copies.
    fn trained(&self, place: ModulePath, piece: ParamKind, model: &ModelConfig) -> u64 {
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
    fn stored(&self, shape: &Shape) -> u64 {
        self.count(shape).total()
    }

    /// What a visitor should know about this configuration and no formula tells.
    fn note(&self, _shape: &Shape) -> Option<String> {
        None
    }

    /// Parameters that exist besides θ's: φ itself, unless φ stands in for tensors of θ.
    fn added(&self, shape: &Shape) -> u64 {
        self.count(shape).total() - self.copied(&shape.model)
    }

    /// Elements of all [`copies`](Method::copies).
    fn copied(&self, model: &ModelConfig) -> u64 {
        let mut elements = 0;
        each_copied(model, &|place, piece| self.copies(place, piece, model), &mut |place, piece| {
            elements += place.elements(piece, model);
        });
        elements
    }

    /// The tuned default of AdamW's peak rate, for a task and a base: the best of factors of 2 to 3 on `count`, `cipher` and a new
    /// composition (two seeds), and on `authors` with both prose bases.
    fn learning_rate(&self, task: &str, base: &str) -> f64;

    /// What to try where a finished run learnt nothing; `outside` says that the task lies outside of what the base can do.
    fn advice(&self, outside: bool) -> &'static str;

    /// Whether φ is made of the task: of its examples, its labels' tokens or what begins its texts. Else the base and a
    /// file of φ are all that it needs.
    fn is_made_of_task(&self) -> bool {
        self.demonstrations().is_some()
    }

    /// Demonstrations in front of every question, where the method shows such.
    fn demonstrations(&self) -> Option<&Demonstrations> {
        None
    }

    /// The same with other demonstrations; as it is for a method that shows none.
    fn set_demonstrations(&mut self, _demonstrations: Demonstrations) {}

    /// Frozen random matrices A and B that all blocks share and that a file of φ holds: (inputs, outputs, rank).
    fn shared_pair(&self, _model: &ModelConfig) -> Option<(usize, usize, usize)> {
        None
    }

    /// How PEFT holds it where W_Q, W_K and W_V are one matrix, with both counts; `None` where nothing differs.
    fn fused(&self, _shape: &Shape) -> Option<String> {
        None
    }

    /// A short name with the knobs that matter (`LoRA r 4`), for curves and table rows.
    fn label(&self) -> String {
        self.info().title.to_string()
    }
}

/// Goes through the tensors of θ that a φ copies. Written once for all methods: the compiler makes a trait's own
/// bodies anew for each.
fn each_copied(
    model: &ModelConfig,
    copies: &dyn Fn(ModulePath, ParamKind) -> bool,
    take: &mut dyn FnMut(ModulePath, ParamKind),
) {
    for place in ModulePath::all(model) {
        for piece in place.pieces(model) {
            if copies(place, *piece) {
                take(place, *piece);
            }
        }
    }
}
