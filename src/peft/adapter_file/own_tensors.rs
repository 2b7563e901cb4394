//! θ's own tensors that an adapter brings along: PEFT's `bias` and `modules_to_save`.

use super::error::{AdapterError, merge_it};
use super::pattern::pattern;
use super::settings::AdapterSettings;
use crate::model::files::{Reader, apart};
use crate::model::{ModelConfig, ModulePath, ParamKind, Site, TensorInfo};
use crate::peft::Method;
use serde_json::Value;

/// Values of φ's tensors in its order; `None` for one that stays as it starts.
pub type Values = Vec<Option<Vec<f32>>>;

/// PEFT's name of the head, which transformers ties to the token embedding.
const HEAD: &str = "lm_head";

/// Which of θ's tensors stand in an adapter's file.
#[derive(Debug, Default)]
pub struct OwnTensors {
    /// Tensors of modules.
    pub pieces: Vec<(ModulePath, ParamKind)>,
    /// Whether the head is one of its own: there it stands, or the embedding was trained apart from it.
    pub head: bool,
}

impl OwnTensors {
    /// Whether nothing of θ comes along.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty() && !self.head
    }

    /// Whether some tensor of this kind comes along.
    pub fn any(&self, wanted: impl Fn(ModulePath, ParamKind) -> bool) -> bool {
        self.pieces.iter().any(|(path, kind)| wanted(*path, *kind))
    }

    /// What the file has of θ. Refuses modules that are to be saved and are not there.
    pub fn found(settings: &AdapterSettings<'_>) -> Result<OwnTensors, AdapterError> {
        let model = settings.model;
        let all = ModulePath::all(model).flat_map(|path| path.pieces(model).iter().map(move |k| (path, *k)));
        let pieces: Vec<(ModulePath, ParamKind)> =
            all.filter(|(path, kind)| key(settings, *path, *kind).is_some()).collect();
        let mut head = settings.shape_of(&head_key()).is_some();
        let bias = settings.value("bias");
        if bias.as_str().is_some_and(|bias| bias != "none") && !pieces.iter().any(|(_, kind)| *kind == ParamKind::Bias)
        {
            let way = "Write the adapter again with save_pretrained.";
            return Err(AdapterError::refused("bias", bias, "no bias is in the file", way));
        }
        let saved = settings.value("modules_to_save");
        let names: Vec<&str> = match saved {
            Value::String(name) => vec![name],
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        for name in names {
            let fits = pattern(name, |name| format!(r"(^|^.*\.){name}($|\..*)"));
            let fits = |path: &str| fits.as_ref().is_ok_and(|pattern| pattern.is_match(path));
            let there = pieces.iter().any(|(path, _)| fits(&model.family().key(*path)));
            if !(there || head && fits(HEAD)) {
                let why = format!("what was trained of {name} would be lost, for which this lab has no place");
                return Err(AdapterError::refused("modules_to_save", saved, &why, merge_it()));
            }
            // A copy of the embedding is trained apart from the head, which stays as it was.
            head |= there && fits(&model.family().key(ModulePath::Tokens));
        }
        Ok(OwnTensors { pieces, head })
    }

    /// Refuses what none of these methods holds.
    pub fn check_held(&self, settings: &AdapterSettings<'_>, by: &[&dyn Method]) -> Result<(), AdapterError> {
        let model = settings.model;
        let held = |path, kind| by.iter().any(|method| method.copies(path, kind, model));
        match self.pieces.iter().find(|(path, kind)| !held(*path, *kind)) {
            Some((path, kind)) => Err(AdapterError::Elsewhere { key: key(settings, *path, *kind).unwrap_or_default() }),
            None => Ok(()),
        }
    }
}

fn head_key() -> String {
    format!("base_model.model.{HEAD}.weight")
}

/// The key of one of θ's tensors, if the file has it: PEFT moves a layer that it changes one step down.
fn key(settings: &AdapterSettings<'_>, path: ModulePath, kind: ParamKind) -> Option<String> {
    let module = settings.model.family().peft_key(path);
    let keys = [format!("{module}.{}", kind.name()), format!("{module}.base_layer.{}", kind.name())];
    keys.into_iter().find(|key| settings.shape_of(key).is_some())
}

/// The values of a method that holds copies of θ's tensors, as far as the file has them; the others stay θ's.
pub fn read_copies(
    method: &dyn Method,
    settings: &AdapterSettings<'_>,
    reader: &mut Reader<'_>,
) -> Result<Values, AdapterError> {
    let model = settings.model;
    let mut values = Values::new();
    if method.sites(model).contains(&Site::Head) {
        let there = settings.shape_of(&head_key()).is_some();
        let shape = [model.vocab_size, model.hidden_size];
        values.push(if there { Some(reader.floats(&head_key(), &shape)?) } else { None });
    }
    for path in ModulePath::all(model) {
        for kind in path.pieces(model).iter().filter(|kind| method.copies(path, **kind, model)) {
            values.push(match key(settings, path, *kind) {
                Some(key) => Some(read_own(&key, path, *kind, model, reader)?),
                None => None,
            });
        }
    }
    Ok(values)
}

/// One of θ's tensors. The bias of a module that holds several matrices is theirs, one after the other.
fn read_own(
    key: &str,
    path: ModulePath,
    kind: ParamKind,
    model: &ModelConfig,
    reader: &mut Reader<'_>,
) -> Result<Vec<f32>, AdapterError> {
    let info = TensorInfo::of_theta(path, kind, model);
    let ModulePath::Linear(_, target) = path else { return Ok(reader.tensor(key, &info)?) };
    let Some(module) = model.family().module(target).filter(|module| module.holds.len() > 1) else {
        return Ok(reader.tensor(key, &info)?);
    };
    let widths: Vec<usize> = module.holds.iter().map(|target| target.shape(model).1).collect();
    let all = reader.floats(key, &[widths.iter().sum()])?;
    let nth = module.holds.iter().position(|t| *t == target).unwrap_or_default();
    Ok(apart(all, &widths, module.turns(model)).swap_remove(nth))
}
