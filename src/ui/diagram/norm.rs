//! A norm, wherever it stands.

use super::phi_overlay::Plan;
use super::shapes::{Canvas, Form, Part};
use crate::model::{ModulePath, ParamKind};
use crate::ui::chart::label_placement::Rect;

/// Width of a bias that is a part of its own.
pub const BIAS: f64 = 13.0;

/// A norm in an area, its bias as a part of its own where only that is trained.
pub fn norm(canvas: &mut Canvas, plan: &Plan, place: ModulePath, area: Rect, name: &str) {
    let label = plan.model().norm.kind.title();
    let d = plan.model().hidden_size;
    if plan.only_bias(place) {
        let scale = Rect { w: area.w - BIAS - 3.0, ..area };
        let bias = Rect { x: area.right() - BIAS, w: BIAS, ..area };
        canvas.parts.push(Part::new(Form::Box, scale, label, name).shape(format!("scale {d}"), d as u64));
        let part = Part::new(Form::Box, bias, "b", format!("bias of the {name}")).shape(d.to_string(), d as u64);
        canvas.parts.push(part.trained(true));
    } else {
        let biased = place.elements(ParamKind::Bias, plan.model()) > 0;
        let shape = if biased { format!("scale {d} and bias {d}") } else { format!("scale {d}") };
        let part = Part::new(Form::Box, area, label, name).shape(shape, place.parameters(plan.model()));
        canvas.parts.push(part.trained(plan.whole(place)).moved(plan.moves(place)));
    }
}
