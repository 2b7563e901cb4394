//! What methods share that train whole tensors of θ: copies, which stand in for them.

use super::Method;
use super::python::{Script, fill};
use crate::model::{Hook, ModelConfig, ModulePath, Target};
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

/// Python that trains the parameters which a method copies, by their names in transformers' model.
pub fn python(method: &dyn Method, script: &Script<'_>) -> String {
    let (model, family) = (script.model(), script.family());
    // Of every parameter the pieces in it that are trained, and those that are not: matrices may share a module.
    let mut parameters: Vec<(String, Vec<ModulePath>, Vec<ModulePath>)> = Vec::new();
    let all = ModulePath::all(model).flat_map(|path| path.pieces(model).iter().map(move |kind| (path, *kind)));
    for (path, kind) in all {
        let name = format!("{}.{}", family.key(path), kind.name());
        let at = parameters.iter().position(|(of, ..)| *of == name).unwrap_or_else(|| {
            parameters.push((name, Vec::new(), Vec::new()));
            parameters.len() - 1
        });
        let (_, inside, outside) = &mut parameters[at];
        if method.copies(path, kind, model) { inside } else { outside }.push(path);
    }
    let shared: Vec<String> = parameters.iter().filter_map(|parameter| some_outputs(parameter, script)).collect();
    let named = |wanted: bool| {
        let names = parameters.iter().filter(move |(_, inside, _)| inside.is_empty() != wanted);
        names.map(|(name, ..)| as_in_python(name, script)).collect::<Vec<_>>()
    };
    let (inside, outside) = (named(true), named(false));
    if outside.is_empty() && shared.is_empty() {
        return include_str!("python/all_parameters.py").into();
    }
    let (list, template) = match inside.len() <= outside.len() {
        true => (inside, include_str!("python/these_parameters.py")),
        false => (outside, include_str!("python/other_parameters.py")),
    };
    let text = fill(template, &[("NAMES", list.join(", "))]);
    match shared.is_empty() {
        true => text,
        false => text + &fill(include_str!("python/some_outputs.py"), &[("PARTS", shared.join(", "))]),
    }
}

/// A parameter's name in Python. transformers 5 calls every head `lm_head`, whatever files and older versions
/// do: both names are listed.
fn as_in_python(name: &str, script: &Script<'_>) -> String {
    let head = format!("{}.weight", script.family().head);
    match name == head && name != "lm_head.weight" {
        true => format!("{name:?}, \"lm_head.weight\""),
        false => format!("{name:?}"),
    }
}

/// Of a parameter that is trained in part: its name, and where its trained outputs lie.
fn some_outputs(
    (name, inside, outside): &(String, Vec<ModulePath>, Vec<ModulePath>),
    script: &Script<'_>,
) -> Option<String> {
    let [ModulePath::Linear(_, first), ..] = inside[..] else { return None };
    let module = script.family().module(first).filter(|_| !outside.is_empty())?;
    let held = |target: &Target| inside.iter().any(|path| matches!(path, ModulePath::Linear(_, t) if t == target));
    let nth: Vec<usize> = (0..module.holds.len()).filter(|nth| held(&module.holds[*nth])).collect();
    Some(format!("{name:?}: ({}, {}, {nth:?})", module.turns(script.model()), module.holds.len()))
}
