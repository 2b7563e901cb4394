//! What an interrupted run goes on from: weights, the optimizer's moments, the curve so far.

use super::recipe::Recipe;
use crate::base::read_json;
use crate::bases::Judged;
use crate::interchange::phi_file;
use crate::peft::Phi;
use crate::peft::{MethodConfig, Shape};
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::ModuleOptimizer;
use burn::tensor::{Bytes, Tensor};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A run under way.
#[derive(Default)]
pub struct Checkpoint {
    /// Steps done.
    pub step: usize,
    /// Seconds of training so far.
    pub seconds: f64,
    /// Judgements so far.
    pub curve: Vec<Judged>,
    /// φ's tensors, in their order.
    pub values: Option<Vec<Vec<f32>>>,
    /// Burn's record of the moments.
    pub optimizer: Option<Bytes>,
}

#[derive(Serialize, Deserialize)]
struct Progress {
    recipe: Recipe,
    step: usize,
    seconds: f64,
    curve: Vec<Judged>,
}

const FOLDER: &str = "checkpoint";

impl Checkpoint {
    /// The checkpoint in `out`; `None` where there is none. One of another recipe is refused.
    pub fn read(out: &Path, recipe: &Recipe) -> Result<Option<Checkpoint>, String> {
        let folder = out.join(FOLDER);
        if !folder.join("progress.json").exists() {
            return Ok(None);
        }
        let file = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).map_err(|e| format!("{} cannot be read: {e}", path.display()))
        };
        let broken = |what: String| format!("The checkpoint in {} {what}: remove it to start anew.", folder.display());
        let progress = String::from_utf8_lossy(&file("progress.json")?).into_owned();
        let progress: Progress =
            read_json(&progress).map_err(|e| broken(format!("is not readable: in progress.json, {e}")))?;
        if progress.recipe != *recipe {
            return Err(broken("belongs to another recipe".into()));
        }
        let weights = file("weights.safetensors")?;
        let infos = infos(recipe);
        let values =
            phi_file::read_tensors("weights.safetensors", &infos, &weights).map_err(|e| broken(e.to_string()))?;
        let optimizer = Some(Bytes::from_bytes_vec(file("optimizer.bpk")?));
        let Progress { step, seconds, curve, .. } = progress;
        Ok(Some(Checkpoint { step, seconds, curve, values: Some(values), optimizer }))
    }

    /// Written beside and moved, so that there is a whole one at any time.
    pub async fn write(
        &self,
        out: &Path,
        recipe: &Recipe,
        phi: &Phi,
        optimizer: &ModuleOptimizer,
    ) -> Result<(), String> {
        let (folder, partial) = (out.join(FOLDER), out.join("checkpoint.partial"));
        let progress =
            Progress { recipe: recipe.clone(), step: self.step, seconds: self.seconds, curve: self.curve.clone() };
        let progress = serde_json::to_string(&progress).map_err(|e| e.to_string())?;
        let weights = phi_file::write_tensors(&infos(recipe), phi).await.map_err(|f| f.message)?;
        let moments = optimizer.into_bytes().map_err(|e| format!("{e:?}"))?;
        let failed = |path: PathBuf| move |e: std::io::Error| format!("{} cannot be written: {e}", path.display());
        let _ = std::fs::remove_dir_all(&partial);
        std::fs::create_dir_all(&partial).map_err(failed(partial.clone()))?;
        let files: [(&str, &[u8]); 3] =
            [("weights.safetensors", &weights), ("optimizer.bpk", &moments), ("progress.json", progress.as_bytes())];
        for (name, bytes) in files {
            std::fs::write(partial.join(name), bytes).map_err(failed(partial.join(name)))?;
        }
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::rename(&partial, &folder).map_err(failed(folder))
    }

    /// Removes the checkpoint of a run that is done.
    pub fn remove(out: &Path) {
        let _ = std::fs::remove_dir_all(out.join(FOLDER));
    }
}

fn infos(recipe: &Recipe) -> Vec<crate::model::TensorInfo> {
    MethodConfig::everything().method().tensors(&Shape { model: recipe.model_config(), labels: 0 })
}

/// φ with ids counted from 0: the optimizer's record finds its tensors by them.
pub fn numbered(phi: Phi) -> Phi {
    phi.map(&mut Number(0))
}

struct Number(u64);

impl ModuleMapper for Number {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let id = ParamId::from(self.0);
        self.0 += 1;
        let (_, value, mapper) = param.consume();
        Param::from_mapped_value(id, value, mapper)
    }
}
