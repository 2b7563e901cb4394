//! Where in the base an adapter stands.

use super::choice::Choice;
use super::error::{AdapterError, merge_it};
use super::settings::AdapterSettings;
use crate::model::{LinearModule, ModelConfig, ModulePath, Target};
use crate::peft::Blocks;
use serde_json::json;

/// Linear modules in which an adapter stands.
#[derive(Debug)]
pub struct Places {
    /// (block, module), in the order of the network.
    pub list: Vec<(usize, &'static LinearModule)>,
    /// The matrices that some of them hold, in [`Target`]'s order.
    pub targets: Vec<Target>,
    /// The blocks that some of them stand in.
    pub blocks: Blocks,
}

/// One matrix of a module that an adapter changes, as its tensors see it.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The module's place in [`Places::list`].
    pub at: usize,
    /// Its block.
    pub block: usize,
    /// The module.
    pub module: &'static LinearModule,
    /// Inputs and outputs of the matrix.
    pub shape: (usize, usize),
    /// Which of the module's matrices it is: their outputs lie one after the other, or in turns.
    pub nth: usize,
    /// [`LinearModule::turns`]
    pub turns: usize,
}

impl Part {
    /// Outputs of the whole module.
    pub fn outputs(&self) -> usize {
        self.module.holds.len() * self.shape.1
    }

    /// The rows of this matrix, out of those of its module, each of so many numbers.
    pub fn rows(&self, values: &[f32], columns: usize) -> Vec<f32> {
        let piece = self.shape.1 / self.turns * columns;
        let turns = values.chunks_exact(self.module.holds.len() * piece);
        turns.flat_map(|turn| &turn[self.nth * piece..][..piece]).copied().collect()
    }

    /// A tensor's key.
    pub fn key(&self, model: &ModelConfig, tensor: &str) -> String {
        format!("{}.{tensor}", peft_key(model, self.block, self.module))
    }
}

fn peft_key(model: &ModelConfig, block: usize, module: &LinearModule) -> String {
    model.family().peft_key(ModulePath::Linear(block, module.holds[0]))
}

impl Places {
    fn of(list: Vec<(usize, &'static LinearModule)>, model: &ModelConfig) -> Places {
        let held = |target: &Target| list.iter().any(|(_, module)| module.holds.contains(target));
        let mut blocks: Vec<usize> = list.iter().map(|(block, _)| *block).collect();
        blocks.dedup();
        Places {
            targets: Target::ALL.into_iter().filter(held).collect(),
            blocks: Blocks::of(blocks, model.num_hidden_layers),
            list,
        }
    }

    /// Every chosen matrix of every chosen block, in φ's order; `None` where the adapter has none there.
    pub fn parts(&self, model: &ModelConfig) -> Vec<Option<Part>> {
        let matrices = self
            .blocks
            .list(model.num_hidden_layers)
            .into_iter()
            .flat_map(|b| self.targets.iter().map(move |t| (b, *t)));
        let part = |(block, target): (usize, Target)| {
            let at = self.list.iter().position(|(b, module)| *b == block && module.holds.contains(&target))?;
            let module = self.list[at].1;
            let nth = module.holds.iter().position(|t| *t == target)?;
            Some(Part { at, block, module, shape: target.shape(model), nth, turns: module.turns(model) })
        };
        matrices.map(part).collect()
    }
}

impl AdapterSettings<'_> {
    /// Whether the adapter stands in the module of this path: the settings choose it, or, where a pattern cannot be read
    /// here, the file has its tensor. Refuses a tensor of a module that is not chosen: PEFT would leave it out.
    pub fn stands_in(&self, choice: &Choice, path: &str, tensor: &str, linear: bool) -> Result<bool, AdapterError> {
        let key = format!("base_model.model.{path}.{tensor}");
        let (in_file, chosen) = (self.shape_of(&key).is_some(), choice.has(path, linear));
        match chosen {
            _ if self.tensors.is_empty() => Ok(chosen == Some(Ok(()))),
            Some(Err(by)) if in_file => {
                let why = format!("it leaves out {path}, of which the file holds tensors, so PEFT would not load them");
                Err(AdapterError::refused(by, self.value(by), &why, "Write the adapter again with save_pretrained."))
            }
            Some(answer) => Ok(answer.is_ok()),
            None => Ok(in_file),
        }
    }

    /// The linear modules that have this tensor.
    pub fn places(&self, tensor: &str) -> Result<Places, AdapterError> {
        let (family, choice) = (self.model.family(), Choice::of(self));
        let mut list = Vec::new();
        for block in 0..self.model.num_hidden_layers {
            for module in family.modules {
                let path = family.key(ModulePath::Linear(block, module.holds[0]));
                if self.stands_in(&choice, &path, tensor, true)? {
                    list.push((block, module));
                }
            }
        }
        if list.is_empty() {
            return Err(self.nowhere());
        }
        Ok(Places::of(list, self.model))
    }

    /// What is said where nothing of the base is chosen.
    fn nowhere(&self) -> AdapterError {
        let family = self.model.family();
        let mut known: Vec<&str> = family.modules.iter().filter_map(|m| m.peft.rsplit('.').next()).collect();
        known.sort_unstable();
        known.dedup();
        let blocks = self.value("layers_to_transform");
        if !blocks.is_null() && blocks != &json!([]) {
            let why = format!("no module of this base's {} blocks is chosen", self.model.num_hidden_layers);
            return AdapterError::refused(
                "layers_to_transform",
                blocks,
                &why,
                "The adapter was made for another base.",
            );
        }
        let why = format!("nothing of it is among {}'s linear modules, {}", family.title, known.join(", "));
        AdapterError::refused("target_modules", self.value("target_modules"), &why, merge_it())
    }
}
