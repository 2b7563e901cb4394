//! The registry: the one list of all methods. Page, URL, command line, counts, documentation and tests read
//! it.
//!
//! A line of the list declares a method's folder as a module and puts it into every place that goes through
//! all methods.

#[cfg(feature = "train")]
use super::{AdapterError, AdapterFile, AdapterSettings, InitContext, adapter_file::OwnTensors};
use super::{Knob, Method, MethodInfo, Overlay, Python, Value};
use crate::base::Fault;
#[cfg(feature = "train")]
use crate::model::Composition;

/// Makes the registry: [`MethodConfig`], and with `train` its trained counterpart `phi::Part`.
macro_rules! methods {
    ($d:tt $($variant:ident in $folder:ident $path:tt),+ $(,)?) => {
        $(
            #[path = $path]
            pub mod $folder;
            pub use $folder::$variant;
        )+

        /// Hands the folders of all methods to a macro, which makes something of each: a test, say, so that
        /// the one that fails is named.
        #[macro_export]
        macro_rules! each_method {
            ($d macro:ident) => {
                $d macro! { $($folder)+ }
            };
        }

        /// A method and its knobs, one variant per folder.
        #[derive(Clone, Debug, PartialEq)]
        pub enum MethodConfig {
            $(
                #[doc = concat!("Of the folder `", stringify!($folder), "`.")]
                $variant($variant)
            ),+
        }

        impl MethodConfig {
            /// Every method at its defaults, in the order the page lists them.
            pub fn all() -> Vec<MethodConfig> {
                vec![$(MethodConfig::$variant($variant::default())),+]
            }

            /// The method behind its trait. In one place: where this is inlined, the compiler copies what small methods of
            /// the trait return, texts included, into each of a trainer's sixteen parts.
            #[inline(never)]
            pub fn method(&self) -> &dyn Method {
                match self { $(MethodConfig::$variant(m) => m),+ }
            }

            /// Its place in the drawing. Apart from [`MethodConfig::method`], so that a trainer, which draws nothing, does not
            /// carry it.
            pub fn overlay(&self) -> &dyn Overlay {
                match self { $(MethodConfig::$variant(m) => m),+ }
            }

            /// Its Python; apart for the same reason.
            pub fn python(&self) -> &dyn Python {
                match self { $(MethodConfig::$variant(m) => m),+ }
            }

            /// How PEFT holds it.
            #[cfg(feature = "train")]
            #[inline(never)]
            pub fn adapter_file(&self) -> &dyn AdapterFile {
                match self { $(MethodConfig::$variant(m) => m),+ }
            }

            /// The method that an adapter's configuration tells of; `None` for one that nobody here knows.
            #[cfg(feature = "train")]
            pub fn from_adapter(settings: &AdapterSettings<'_>) -> Option<Result<MethodConfig, AdapterError>> {
                None$(.or_else(|| <$variant as AdapterFile>::from_settings(settings).map(|m| m.map(MethodConfig::$variant))))+
            }

            /// The methods that hold tensors of θ which an adapter brings along.
            #[cfg(feature = "train")]
            pub fn beside(own: &OwnTensors) -> Vec<MethodConfig> {
                let each = [$(<$variant as AdapterFile>::beside(own).map(MethodConfig::$variant)),+];
                each.into_iter().flatten().collect()
            }

            /// The same, to set its knobs.
            #[inline(never)]
            pub fn method_mut(&mut self) -> &mut dyn Method {
                match self { $(MethodConfig::$variant(m) => m),+ }
            }
        }

        /// The trained half of a method: one variant per folder.
        #[cfg(feature = "train")]
        #[derive(burn::module::Module, Debug)]
        #[allow(clippy::large_enum_variant)] // A run has one part, or a few: nothing is gained by boxing them.
        pub enum Part {
            $(
                #[doc = concat!("φ of the folder `", stringify!($folder), "`.")]
                $variant($folder::phi::Phi)
            ),+
        }

        #[cfg(feature = "train")]
        impl Part {
            /// φ at its start, drawn from `rng` alone, on the device that trains.
            pub fn init(config: &MethodConfig, context: &mut InitContext<'_>) -> Part {
                match config { $(MethodConfig::$variant(m) => Part::$variant($folder::phi::Phi::init(m, context))),+ }
            }

            /// How this part changes the forward pass.
            #[inline(never)]
            pub fn composition(&self) -> &dyn Composition {
                match self { $(Part::$variant(p) => p),+ }
            }

            /// The same, for what changes between steps.
            #[inline(never)]
            pub fn composition_mut(&mut self) -> &mut dyn Composition {
                match self { $(Part::$variant(p) => p),+ }
            }
        }
    };
}

methods! { $
    Full in full "full/mod.rs",
    LastLayer in last_layer "last_layer/mod.rs",
    Embeddings in embeddings "embeddings/mod.rs",
    AllButEmbeddings in all_but_embeddings "all_but_embeddings/mod.rs",
    Lora in lora "lora/mod.rs",
    Dora in dora "dora/mod.rs",
    Loha in loha "loha/mod.rs",
    Vera in vera "vera/mod.rs",
    BitFit in bitfit "bitfit/mod.rs",
    LnTuning in ln_tuning "ln_tuning/mod.rs",
    Layers in layers "layers/mod.rs",
    Sparse in sparse "sparse/mod.rs",
    Pruning in pruning "pruning/mod.rs",
    Subspace in subspace "subspace/mod.rs",
    Prompt in prompt "prompt/mod.rs",
    PTuning in p_tuning "p_tuning/mod.rs",
    Prefix in prefix "prefix/mod.rs",
    TextPrompt in text_prompt "text_prompt/mod.rs",
    Icl in icl "icl/mod.rs",
    Adapter in adapter "adapter/mod.rs",
    Ia3 in ia3 "ia3/mod.rs",
}

impl MethodConfig {
    /// The method of the opening scene.
    pub fn opening() -> MethodConfig {
        MethodConfig::Lora(Lora::default())
    }

    /// All of θ, trained: the reference of every chart, and what pretraining steps.
    pub fn everything() -> MethodConfig {
        MethodConfig::Full(Full)
    }

    /// The method of a contract name (`lora`) at its defaults.
    pub fn named(name: &str) -> Option<MethodConfig> {
        Self::all().into_iter().find(|m| m.info().name == name)
    }

    /// What is fixed about the method.
    pub fn info(&self) -> &'static MethodInfo {
        self.method().info()
    }

    /// The knobs that are not at their defaults. Knobs may follow each other (alpha stays twice the rank), so
    /// each is compared after those before it are set.
    pub fn chosen(&self) -> Vec<(&'static Knob, Value)> {
        let Some(mut reference) = Self::named(self.info().name) else { return Vec::new() };
        let mut chosen = Vec::new();
        for knob in self.info().knobs {
            let Some(ours) = self.method().get(knob.name) else { continue };
            if reference.method().get(knob.name).is_some_and(|default| default != ours) {
                reference.method_mut().set(knob.name, ours.clone());
                chosen.push((knob, ours));
            }
        }
        chosen
    }

    /// The same method as its [`chosen`](Self::chosen) knobs make it: what is at its default follows the
    /// others again.
    pub fn canonical(&self) -> MethodConfig {
        self.without("")
    }

    /// The same method with a knob as if nobody had set it.
    pub fn without(&self, knob: &str) -> MethodConfig {
        let mut fresh = Self::named(self.info().name).unwrap_or_else(|| self.clone());
        for (chosen, value) in self.chosen() {
            if chosen.name != knob {
                fresh.method_mut().set(chosen.name, value);
            }
        }
        fresh
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
