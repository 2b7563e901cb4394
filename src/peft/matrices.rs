//! What methods on chosen matrices share: knobs, sites, groups of one shape, and the low-rank update.

use super::{Blocks, Knob, Range, Shape, Value, rates};
use crate::base::Fault;
use crate::model::{At, Hook, ModelConfig, ModulePath, ParamKind, Site, Target};
use crate::trace::{Tape, Var};

/// The knob of r, the inner dimension.
pub const RANK: Knob = Knob {
    name: "rank",
    label: "Rank",
    help: "r, the inner dimension of B·A.",
    range: Range::Integer { min: 1, max: 1024, steps: &[1, 2, 4, 8, 16, 32, 64] },
    ..Knob::PLAIN
};
/// The knob of α.
pub const ALPHA: Knob = Knob {
    name: "alpha",
    label: "Alpha",
    help: "The update is scaled by alpha / rank; left alone, alpha stays twice the rank.",
    range: Range::Number { min: 0.01, max: 1024.0 },
    advanced: true,
    optional: true,
    ..Knob::PLAIN
};
/// The knob of the matrices.
pub const TARGETS: Knob = Knob {
    name: "target_modules",
    label: "On",
    help: "Which matrices of each block get an update.",
    range: Range::Set(&Target::OPTIONS),
    ..Knob::PLAIN
};

/// A rank above the width is refused.
pub fn check_rank(rank: usize, shape: &Shape) -> Result<(), Fault> {
    let width = shape.model.hidden_size;
    if rank <= width {
        return Ok(());
    }
    let message = format!("Rank {rank} is more than the width {width} of this base: no matrix has a higher rank.");
    Err(Fault::new("rank", message))
}

/// A gate where the base has none is refused.
pub fn check_targets(targets: &[Target], shape: &Shape) -> Result<(), Fault> {
    if shape.model.gated || !targets.contains(&Target::Gate) {
        return Ok(());
    }
    let message = "This base's MLP has no gate: choose among its other matrices.";
    Err(Fault::new(TARGETS.name, message))
}

/// Names of modules, as [`TARGETS`] writes them.
pub fn modules(targets: &[Target]) -> Value {
    Value::Set(targets.iter().map(|t| t.module().to_string()).collect())
}

/// The modules of names.
pub fn targets(names: &[String]) -> Vec<Target> {
    names.iter().filter_map(|n| Target::from_module(n)).collect()
}

/// Matrices of one shape together: ((inputs, outputs), how many), in order of appearance.
pub fn by_shape(targets: &[Target], model: &ModelConfig) -> Vec<((usize, usize), usize)> {
    let mut groups: Vec<((usize, usize), usize)> = Vec::new();
    for target in targets {
        let size = target.shape(model);
        match groups.iter_mut().find(|(s, _)| *s == size) {
            Some((_, matrices)) => *matrices += 1,
            None => groups.push((size, 1)),
        }
    }
    groups
}

/// `2 blocks × 1 matrix`
pub fn blocks_and_matrices(n: usize, k: usize) -> String {
    let blocks = if n == 1 { "block" } else { "blocks" };
    let matrices = if k == 1 { "matrix" } else { "matrices" };
    format!("{n} {blocks} × {k} {matrices}")
}

/// The sites of methods that change matrices.
pub fn sites(layers: &Blocks, targets: &[Target], model: &ModelConfig) -> Vec<Site> {
    let layers = layers.list(model.num_hidden_layers).into_iter();
    let places = layers.flat_map(|layer| targets.iter().map(move |target| ModulePath::Linear(layer, *target)));
    places.map(|place| Site::Weight(place, ParamKind::Matrix)).collect()
}

/// α: twice the rank unless it was set.
pub fn alpha(alpha: Option<f64>, rank: usize) -> f64 {
    alpha.unwrap_or(2.0 * rank as f64)
}

/// The place of an update where one stands: its matrix is chosen, in a chosen block.
pub fn update_at(hook: Hook, blocks: &Blocks, targets: &[Target]) -> Option<(At, Var, Var)> {
    match hook {
        Hook::Update { at, x, y } if targets.contains(&at.target) && blocks.contains(at.block) => Some((at, x, y)),
        _ => None,
    }
}

/// y + s·B(Ax) of φ's own A and B.
pub fn trace_low_rank(at: At, x: Var, y: Var, rank: usize, tape: &mut Tape) -> Var {
    let (name, (inputs, outputs)) = (ModulePath::Linear(at.block, at.target).key(), at.shape);
    let a = tape.phi(&format!("{name} A"), (inputs * rank) as u64);
    let b = tape.phi(&format!("{name} B"), (rank * outputs) as u64);
    tape.add_low_rank(y, x, [a, b], at.rows, at.shape, rank)
}

/// The tuned rate of low-rank updates. α/r stays 2 by default, so the update of a step grows with rank and matrices: on `rules`
/// at 2e-2 rank 64 breaks.
pub fn low_rank_rate(task: &str, base: &str, rank: usize, matrices: usize) -> f64 {
    let strings = if rank.saturating_mul(matrices) <= 32 { 2e-2 } else { 1e-2 };
    // Of an answer many tokens tell the way.
    let pretrained = if task == "extract" { 3e-3 } else { 1e-3 };
    rates::of(task, base, [strings, 5e-3, pretrained])
}

/// `LoRA r 4`, or `LoRA r 4 in 0,2`.
pub fn low_rank_label(name: &str, rank: usize, blocks: &Blocks) -> String {
    if blocks.is_all() { format!("{name} r {rank}") } else { format!("{name} r {rank} in {blocks}") }
}
