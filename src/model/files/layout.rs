//! Which tensors a checkpoint has, by the description of its family.

use crate::model::{Family, LinearModule, ModelConfig, ModulePath, ParamKind, Target, TensorInfo, within};

/// The tensors of a model's checkpoint: names, shapes, orientation.
pub struct Layout<'a> {
    config: &'a ModelConfig,
    /// Whose names these are.
    pub family: &'static Family,
    /// What the file calls the module around all others.
    decoder: &'static str,
    /// The token embedding stands under the name of the head, to which it is tied.
    under_head: bool,
}

impl<'a> Layout<'a> {
    /// The checkpoint of a model with its head.
    pub fn with_head(config: &'a ModelConfig) -> Layout<'a> {
        let family = config.family();
        Layout { config, family, decoder: family.decoder, under_head: false }
    }

    /// A checkpoint with or without a head, whose tied matrix stands under either name; `has` tells whether it
    /// has a tensor.
    pub fn of_file(config: &'a ModelConfig, has: impl Fn(&str) -> bool) -> Layout<'a> {
        let with_head = Layout::with_head(config);
        let headless = Layout { decoder: with_head.family.headless_decoder, ..Layout::with_head(config) };
        // The last norm tells the prefix where the embedding has the head's name.
        let inside = [(ModulePath::Tokens, ParamKind::Matrix), (ModulePath::FinalNorm, ParamKind::Scale)];
        let is_headless = inside.iter().any(|(path, kind)| has(&headless.tensor(*path, *kind).name));
        let layout = if is_headless { headless } else { with_head };
        let tokens = layout.tensor(ModulePath::Tokens, ParamKind::Matrix).name;
        let under_head = config.tied && !has(&tokens) && has(&layout.head().name);
        Layout { under_head, ..layout }
    }

    /// The model whose checkpoint it is.
    pub fn config(&self) -> &'a ModelConfig {
        self.config
    }

    /// A tensor of an embedding or a norm.
    pub fn tensor(&self, path: ModulePath, kind: ParamKind) -> TensorInfo {
        if path == ModulePath::Head || self.under_head && path == ModulePath::Tokens {
            return self.head();
        }
        let name = self.name(&self.family.path(path), kind);
        TensorInfo { name, ..TensorInfo::of_theta(path, kind, self.config) }
    }

    /// The head: where it is tied, a file may hold the same numbers under its name.
    pub fn head(&self) -> TensorInfo {
        let name = format!("{}.{}", self.family.head, ParamKind::Matrix.name());
        TensorInfo { name, ..TensorInfo::of_theta(ModulePath::Tokens, ParamKind::Matrix, self.config) }
    }

    /// Matrix of a linear module, and its bias where it has one.
    pub fn module(&self, block: usize, module: &LinearModule) -> (TensorInfo, Option<TensorInfo>) {
        let path = self.family.in_block(block, module.path);
        let [weight, bias] = [ParamKind::Matrix, ParamKind::Bias].map(|kind| self.name(&path, kind));
        let (inputs, outputs) = (self.inputs(module), self.widths(module).iter().sum());
        let weight = match self.family.fan_in_fan_out {
            true => TensorInfo::new(weight, [inputs, outputs]),
            false => TensorInfo::transposed(weight, outputs, inputs),
        };
        let biased = ModulePath::Linear(block, module.holds[0]).pieces(self.config).contains(&ParamKind::Bias);
        (weight, biased.then(|| TensorInfo::new(bias, [outputs])))
    }

    /// Every tensor that a checkpoint must have.
    pub fn tensors(&self) -> impl Iterator<Item = TensorInfo> {
        let blocks = self.config.num_hidden_layers;
        let plain = ModulePath::all(self.config).filter(|path| !matches!(path, ModulePath::Linear(..)));
        let pieces = move |path: ModulePath| path.pieces(self.config).iter().map(move |kind| self.tensor(path, *kind));
        let modules = move |block| {
            self.modules().flat_map(move |module| {
                let (weight, bias) = self.module(block, module);
                [weight].into_iter().chain(bias)
            })
        };
        plain.flat_map(pieces).chain((0..blocks).flat_map(modules))
    }

    /// The linear modules of a block of this model.
    pub fn modules(&self) -> impl Iterator<Item = &'static LinearModule> {
        let there = |module: &&LinearModule| module.holds.iter().all(|t| Target::of(self.config).contains(t));
        self.family.modules.iter().filter(there)
    }

    /// Inputs of a linear module.
    pub fn inputs(&self, module: &LinearModule) -> usize {
        module.holds[0].shape(self.config).0
    }

    /// Outputs of each matrix of a linear module.
    pub fn widths(&self, module: &LinearModule) -> Vec<usize> {
        module.holds.iter().map(|target| target.shape(self.config).1).collect()
    }

    fn name(&self, path: &str, kind: ParamKind) -> String {
        format!("{}.{}", within(self.decoder, path), kind.name())
    }
}
