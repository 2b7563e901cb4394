//! What methods share that train whole tensors of θ: copies, which stand in for them.

use super::Method;
use super::python::{Script, fill};
use crate::model::{Hook, ModelConfig, ModulePath, ParamKind};
use crate::trace::{Tape, Var};

/// The answer of a method that trains copies of θ's tensors: each copy stands in for its tensor.
pub fn trace(method: &dyn Method, hook: Hook, model: &ModelConfig, tape: &mut Tape) -> Option<Var> {
    match hook {
        Hook::Weight(path, kind, theta) if method.copies(path, kind, model) => {
            Some(tape.copy(&format!("{} {kind:?}", path.key()), theta))
        }
        _ => None,
    }
}

/// Python that trains the parameters which a method copies, by their names.
pub fn python(method: &dyn Method, script: &Script<'_>) -> String {
    let model = script.model();
    let kinds = |path: ModulePath| path.pieces(model).iter().map(move |kind| (path, *kind));
    let name = |(path, kind): (ModulePath, ParamKind)| {
        format!("{}.{}", path.key(), if kind == ParamKind::Bias { "bias" } else { "weight" })
    };
    let all = ModulePath::all(model).flat_map(kinds);
    let (inside, outside): (Vec<_>, Vec<_>) = all.partition(|(path, kind)| method.copies(*path, *kind, model));
    if outside.is_empty() {
        return include_str!("python/all_parameters.py").into();
    }
    let (list, template) = match inside.len() <= outside.len() {
        true => (inside, include_str!("python/these_parameters.py")),
        false => (outside, include_str!("python/other_parameters.py")),
    };
    let names: Vec<String> = list.into_iter().map(|x| format!("\"{}\"", name(x))).collect();
    fill(template, &[("NAMES", names.join(", "))])
}
