//! Updates where several matrices are one module, as W_Q, W_K and W_V in some families: updates of k of them become
//! one of rank k·r. Its A holds theirs one below the other, and its B is zero outside their blocks, so that the
//! product is the same. Of LoHa's two products each is, row by row, and so is what they make together.

use crate::model::{LinearModule, ModelConfig, ModulePath, Target};
use crate::peft::Blocks;
use serde_json::{Map, Value, json};

/// A module of a block, and which of its matrices are chosen.
#[derive(Debug)]
pub struct Joined<'a> {
    model: &'a ModelConfig,
    block: usize,
    /// The module.
    pub module: &'static LinearModule,
    /// Of each chosen matrix its place in the module, and that of its update among all of φ's.
    pub parts: Vec<(usize, usize)>,
}

/// Every module of the chosen blocks that holds a chosen matrix.
pub fn modules<'a>(targets: &[Target], blocks: &Blocks, model: &'a ModelConfig) -> Vec<Joined<'a>> {
    let mut found = Vec::new();
    for (i, block) in blocks.list(model.num_hidden_layers).into_iter().enumerate() {
        for module in model.family().modules {
            let at = |target: &Target| Some(i * targets.len() + targets.iter().position(|t| t == target)?);
            let parts: Vec<(usize, usize)> =
                module.holds.iter().enumerate().filter_map(|(nth, target)| Some((nth, at(target)?))).collect();
            if !parts.is_empty() {
                found.push(Joined { model, block, module, parts });
            }
        }
    }
    found
}

/// Keys of `adapter_config.json` that differ from those for modules of their own. `root` says that updates are
/// scaled by α/√r, `alpha_key` what α is called.
pub fn keys(
    targets: &[Target],
    (rank, alpha, root): (usize, f64, bool),
    alpha_key: &str,
    model: &ModelConfig,
    mut json: Value,
) -> Value {
    let (mut names, mut ranks, mut alphas) = (Vec::new(), Map::new(), Map::new());
    for module in model.family().modules {
        let k = module.holds.iter().filter(|target| targets.contains(target)).count();
        if k > 0 {
            names.push(module.peft);
        }
        if k > 1 {
            ranks.insert(module.peft.into(), json!(k * rank));
            // The factor stays: α/r, or α/√r.
            let k = k as f64;
            alphas.insert(module.peft.into(), json!(alpha * if root { k.sqrt() } else { k }));
        }
    }
    json["target_modules"] = json!(names);
    json["rank_pattern"] = Value::Object(ranks);
    json["alpha_pattern"] = Value::Object(alphas);
    if alpha_key == "lora_alpha" {
        json["fan_in_fan_out"] = model.family().fan_in_fan_out.into();
    }
    json
}

impl Joined<'_> {
    /// A tensor's name in an adapter.
    pub fn key(&self, tensor: &str) -> String {
        format!("{}.{tensor}", self.model.family().peft_key(ModulePath::Linear(self.block, self.module.holds[0])))
    }

    /// Inputs and outputs of each of the module's matrices.
    pub fn shape(&self) -> (usize, usize) {
        self.module.holds[0].shape(self.model)
    }

    /// Outputs of the whole module.
    pub fn outputs(&self) -> usize {
        self.module.holds.len() * self.shape().1
    }

    /// The row of the module in which an output of one of its matrices stands.
    fn row(&self, nth: usize, output: usize) -> usize {
        let piece = self.shape().1 / self.module.turns(self.model);
        (output / piece * self.module.holds.len() + nth) * piece + output % piece
    }

    /// A of the module, `[k·r, inputs]`. `a` gives that of an update of φ, `[inputs, r]`.
    pub fn a<'v>(&self, r: usize, a: impl Fn(usize) -> &'v [f32]) -> (Vec<usize>, Vec<f32>) {
        let ((inputs, _), rank) = (self.shape(), self.parts.len() * r);
        let mut all = vec![0.0; rank * inputs];
        for (n, (_, at)) in self.parts.iter().enumerate() {
            for (i, value) in a(*at).iter().enumerate() {
                all[(n * r + i % r) * inputs + i / r] = *value;
            }
        }
        (vec![rank, inputs], all)
    }

    /// B of the module, `[outputs, k·r]`. `b` gives that of an update of φ, `[r, outputs of its matrix]`.
    pub fn b<'v>(&self, r: usize, b: impl Fn(usize) -> &'v [f32]) -> (Vec<usize>, Vec<f32>) {
        let ((_, outputs), rank) = (self.shape(), self.parts.len() * r);
        let mut all = vec![0.0; self.outputs() * rank];
        for (n, (nth, at)) in self.parts.iter().enumerate() {
            for (i, value) in b(*at).iter().enumerate() {
                all[self.row(*nth, i % outputs) * rank + n * r + i / outputs] = *value;
            }
        }
        (vec![self.outputs(), rank], all)
    }

    /// A number for each of the module's outputs, out of those for each of its matrices.
    pub fn outputs_of<'v>(&self, of: impl Fn(usize) -> &'v [f32]) -> Vec<f32> {
        let mut all = vec![0.0; self.outputs()];
        for nth in 0..self.module.holds.len() {
            of(nth).iter().enumerate().for_each(|(output, value)| all[self.row(nth, output)] = *value);
        }
        all
    }

    /// The place of a matrix's update among all of φ's; `None` where it is not chosen.
    pub fn update_of(&self, nth: usize) -> Option<usize> {
        self.parts.iter().find(|(of, _)| *of == nth).map(|(_, at)| *at)
    }

    /// The place of a matrix in the network.
    pub fn path(&self, nth: usize) -> ModulePath {
        ModulePath::Linear(self.block, self.module.holds[nth])
    }
}
