//! What stands outside the blocks: embeddings, the row of vectors, the last LayerNorm, the head.

use super::norm::norm;
use super::phi_overlay::Plan;
use super::shapes::{Canvas, Form, Part, Scope};
use crate::model::ModulePath;
use crate::peft::HeadCopy;
use crate::ui::chart::label_placement::Rect;

/// Side of a vector's square.
pub const VECTOR: f64 = 11.0;
/// From one square's left edge to the next one's.
pub const VECTOR_PITCH: f64 = 14.0;
/// Squares in the row of vectors.
pub const VECTORS: usize = 8;

/// The token embedding.
pub fn embedding(canvas: &mut Canvas, plan: &Plan, area: Rect) {
    let (v, d) = (plan.model().vocab_size, plan.model().hidden_size);
    let part = Part::new(Form::Box, area, "Embedding", "token embedding").shape(format!("{v} × {d}"), (v * d) as u64);
    canvas
        .parts
        .push(part.trained(plan.whole(ModulePath::Tokens)).moved(plan.moves(ModulePath::Tokens)).scope(Scope::Network));
}

/// The table of positions; its count has OPT's two rows of offset.
pub fn positions(canvas: &mut Canvas, plan: &Plan, area: Rect) {
    let d = plan.model().hidden_size;
    let rows = plan.model().position_rows();
    let part =
        Part::new(Form::Box, area, "positions", "position embedding").shape(format!("{rows} × {d}"), (rows * d) as u64);
    canvas.parts.push(
        part.letter(10.0)
            .trained(plan.whole(ModulePath::Positions))
            .moved(plan.moves(ModulePath::Positions))
            .scope(Scope::Network),
    );
}

/// The vectors that enter the first block, φ's in front of the text's. `x` is the row's left end.
pub fn vectors(canvas: &mut Canvas, plan: &Plan, x: f64, y: f64) {
    let d = plan.model().hidden_size;
    let ours = plan.front.as_ref().map_or(0, |front| front.tokens.unwrap_or(3).min(4));
    let row = |from: usize, n: usize| Rect {
        x: x + from as f64 * VECTOR_PITCH,
        y,
        w: n as f64 * VECTOR_PITCH - (VECTOR_PITCH - VECTOR),
        h: VECTOR,
    };
    if let Some(front) = &plan.front {
        let part = Part::new(Form::Vectors(ours), row(0, ours), "", front.name);
        // Words that are given and not trained are drawn as what φ moves: they steer the network and hold nothing of it.
        let part =
            part.shape(front.shape.clone(), front.elements).trained(front.elements > 0).moved(front.elements == 0);
        canvas.parts.push(part.scope(Scope::Network));
    }
    let theirs = VECTORS - ours;
    let part = Part::new(Form::Vectors(theirs), row(ours, theirs), "", "vectors of the text's tokens");
    canvas.parts.push(part.shape(format!("{d} numbers each"), 0).scope(Scope::Network));
}

/// A φ that moves the whole network from one spot, in this area.
pub fn everywhere(canvas: &mut Canvas, plan: &Plan, area: Rect) {
    if let Some(e) = &plan.everywhere {
        let part =
            Part::new(Form::Box, area, e.label, e.name).shape(e.shape.clone(), if e.added { e.elements } else { 0 });
        let part = part.partly(e.elements);
        canvas.parts.push(part.scope(Scope::Network));
    }
}

/// The last norm.
pub fn final_norm(canvas: &mut Canvas, plan: &Plan, area: Rect) {
    let mut own = Canvas::default();
    norm(&mut own, plan, ModulePath::FinalNorm, area, &format!("last {}", plan.model().norm.kind.title()));
    for part in &mut own.parts {
        part.scope = Scope::Network;
    }
    canvas.append(own);
}

/// The head: the embedding once more, or φ's copy of it, or φ's copies of the labels' rows beside it.
pub fn head(canvas: &mut Canvas, plan: &Plan, area: Rect) {
    let (v, d) = (plan.model().vocab_size, plan.model().hidden_size);
    let own = !plan.model().tied;
    let (title, place) = if own { ("Head", ModulePath::Head) } else { ("Head (tied)", ModulePath::Tokens) };
    let frozen = |area: Rect, label: &'static str| {
        let part = Part::new(Form::Box, area, label, "head").scope(Scope::Network);
        match own {
            true => part.shape(format!("{v} × {d}"), (v * d) as u64),
            false => part.shape(format!("{v} × {d}, tied: the token embedding itself"), 0),
        }
    };
    match plan.head {
        None => canvas.parts.push(frozen(area, title).trained(plan.whole(place))),
        Some(HeadCopy::All) => {
            let name = if own { "head, a copy" } else { "head, an untied copy" };
            let part = Part::new(Form::Box, area, "Head", name).shape(format!("{v} × {d}"), (v * d) as u64);
            canvas.parts.push(part.trained(true).scope(Scope::Network));
        }
        Some(HeadCopy::Labels) => {
            // To scale, but never too thin to touch nor so wide that the rest is gone.
            let labels = plan.shape.labels;
            let w = (area.w * labels as f64 / v as f64).clamp(14.0, area.w - 24.0);
            let rest = Rect { x: area.x + w, w: area.w - w, ..area };
            let (ours, theirs) = if w > area.w / 2.0 { ("labels", "") } else { ("", title) };
            canvas.parts.push(frozen(rest, theirs));
            let part = Part::new(Form::Box, Rect { w, ..area }, ours, labels_rows(own));
            canvas
                .parts
                .push(part.shape(format!("{labels} × {d}"), (labels * d) as u64).trained(true).scope(Scope::Network));
        }
    }
}

fn labels_rows(own: bool) -> &'static str {
    if own { "the labels' rows of the head, copies" } else { "the labels' rows of the head, untied copies" }
}
