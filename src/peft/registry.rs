//! The registry: the one list of all methods. Page, URL, command line, counts, documentation and tests read it.

use super::*;
use crate::base::Fault;

/// Makes the registry: [`MethodConfig`], and with `train` its trained counterpart `phi::Part`.
macro_rules! methods {
    ($($variant:ident in $folder:ident),+ $(,)?) => {
        /// A method and its knobs, one variant per folder.
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

        /// The trained half of a method: one variant per folder.
        #[cfg(feature = "train")]
        #[derive(burn::module::Module, Debug)]
        #[allow(clippy::large_enum_variant)] // A run has one part, or a few: nothing is gained by boxing them.
        pub enum Part { $($variant(super::$folder::phi::Phi)),+ }

        #[cfg(feature = "train")]
        impl Part {
            /// φ at its start, drawn from `rng` alone, on the device that trains.
            pub fn init(config: &MethodConfig, context: &mut super::InitContext<'_>) -> Part {
                match config { $(MethodConfig::$variant(m) => Part::$variant(super::$folder::phi::Phi::init(m, context))),+ }
            }

            /// How this part changes the forward pass.
            pub fn composition(&self) -> &dyn crate::model::Composition {
                match self { $(Part::$variant(p) => p),+ }
            }

            pub fn composition_mut(&mut self) -> &mut dyn crate::model::Composition {
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

    /// The method that the page opens with.
    pub fn opening() -> MethodConfig {
        MethodConfig::Lora(Lora::default())
    }

    /// The knobs that are not at their defaults. Knobs may follow each other (alpha stays twice the rank), so each is
    /// compared after those before it are set.
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

    /// The same method as its [`chosen`](Self::chosen) knobs make it: what is at its default follows the others again.
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
