//! The whole drawing: the stack at the left and one block opened, or on a narrow page that block alone.

use super::block;
use super::block::MIDDLE;
use super::embeddings::{VECTOR, VECTOR_PITCH, VECTORS, embedding, everywhere, final_norm, head, positions, vectors};
use super::phi_overlay::Plan;
use super::shapes::{Canvas, Flow, PLUS, Scope};
use crate::config::RunConfig;
use crate::model::{ModulePath, Positions};
use crate::ui::chart::label_placement::Rect;

/// A block of the stack.
#[derive(Clone, Debug, PartialEq)]
pub struct StackBlock {
    /// From 0.
    pub layer: usize,
    /// Its outline.
    pub area: Rect,
    /// φ's marks, each a polygon.
    pub marks: Vec<Vec<(f64, f64)>>,
    /// Trained as a whole.
    pub trained: bool,
    /// Moved by a φ that stands elsewhere.
    pub moved: bool,
}

/// A diagram, laid out.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// Of the view box.
    pub width: f64,
    /// Of the view box.
    pub height: f64,
    /// Parts, lines and notes, but for the blocks of the stack.
    pub canvas: Canvas,
    /// The stack, from the first block. Empty on a narrow page.
    pub blocks: Vec<StackBlock>,
    /// The frame of the opened block.
    pub panel: Rect,
    /// How many blocks the network has.
    pub layers: usize,
    /// Of each block: parameters, and those of them that are trained.
    of_blocks: Vec<(u64, u64)>,
    /// The opened block.
    opened: usize,
}

const STACK: f64 = 136.0;
/// Between the stack and the opened block.
const BETWEEN: f64 = 44.0;
/// Left of the stack, for the line that ties head and embedding.
const TIE: f64 = 10.0;
/// The opened block's title.
const TITLE: f64 = 13.0;

impl Drawing {
    /// Draws a configuration with a block opened (0 is the first).
    pub fn new(config: &RunConfig, opened: usize, compact: bool) -> Drawing {
        let plan = Plan::new(config);
        if compact { narrow(&plan, opened) } else { wide(&plan, opened) }
    }

    /// The block that is open before anyone chooses one: of those with a φ the one nearest to the middle.
    pub fn first_opened(config: &RunConfig) -> usize {
        let plan = Plan::new(config);
        let layers = plan.model().num_hidden_layers;
        let middle = layers.saturating_sub(1) / 2;
        let mut order: Vec<usize> = (0..layers).collect();
        order.sort_by_key(|layer| layer.abs_diff(middle));
        order.into_iter().find(|layer| count(&block::block(&plan, *layer).0).1 > 0).unwrap_or(middle)
    }

    /// Parameters drawn in all and those of them that are trained, every block with its own.
    pub fn counts(&self) -> (u64, u64) {
        let outside = self.canvas.parts.iter().filter(|p| p.scope == Scope::Network);
        let outside = outside.fold((0, 0), |(all, trained), p| (all + p.elements, trained + p.trained_elements));
        self.of_blocks.iter().fold(outside, |sum, block| (sum.0 + block.0, sum.1 + block.1))
    }

    /// The same for one block.
    pub fn block_counts(&self, layer: usize) -> (u64, u64) {
        self.of_blocks.get(layer).copied().unwrap_or_default()
    }

    /// Blocks that are like the opened one.
    pub fn alike(&self) -> usize {
        self.of_blocks.iter().filter(|block| **block == self.block_counts(self.opened)).count()
    }
}

/// Parameters of a block's parts, and those of them that are trained.
fn count(block: &Canvas) -> (u64, u64) {
    block.parts.iter().fold((0, 0), |(all, trained), p| (all + p.elements, trained + p.trained_elements))
}

fn of_blocks(plan: &Plan) -> Vec<(u64, u64)> {
    (0..plan.model().num_hidden_layers).map(|layer| count(&block::block(plan, layer).0)).collect()
}

/// The opened block, shifted so that its frame's upper left corner is at (x, y).
fn opened(plan: &Plan, layer: usize, x: f64, y: f64) -> (Canvas, Rect) {
    let (mut canvas, height) = block::block(plan, layer);
    let frame = Rect { x, y, w: block::WIDTH, h: height + 6.0 };
    canvas.shift(x, y + height - 2.0);
    (canvas, frame)
}

fn wide(plan: &Plan, layer: usize) -> Drawing {
    let x = TIE + STACK + BETWEEN;
    let (mut canvas, panel) = opened(plan, layer, x, 4.0);
    let height = panel.bottom() + 2.0;
    let blocks = stack(&mut canvas, plan, height);
    if let Some(block) = blocks.get(layer) {
        let right = block.area.right();
        canvas.line(Flow::Zoom, &[(right, block.area.y), (panel.x, panel.y + 6.0)]);
        canvas.line(Flow::Zoom, &[(right, block.area.bottom()), (panel.x, panel.bottom() - 6.0)]);
    }
    canvas.note(panel.x + 10.0, panel.y + TITLE, format!("Block {}, opened", layer + 1));
    // Between the stack and the opened block, below the lines that join them.
    everywhere(&mut canvas, plan, Rect { x: TIE + STACK + 4.0, y: height - 27.0, w: BETWEEN - 8.0, h: 24.0 });
    let layers = plan.model().num_hidden_layers;
    let of_blocks = of_blocks(plan);
    Drawing { width: panel.right() + 2.0, height, canvas, blocks, panel, layers, of_blocks, opened: layer }
}

/// Embeddings at the bottom, the blocks, the last LayerNorm and the head at the top of a column of this height.
fn stack(canvas: &mut Canvas, plan: &Plan, height: f64) -> Vec<StackBlock> {
    let middle = TIE + STACK / 2.0;
    let row = |y: f64, h: f64| Rect { x: TIE, y, w: STACK, h };
    const STEP: f64 = 10.0;

    let embedding_area = row(height - 3.0 - 24.0, 24.0);
    embedding(canvas, plan, embedding_area);
    let vectors_y = embedding_area.y - STEP - VECTOR;
    let vectors_x = middle - (VECTORS as f64 * VECTOR_PITCH - (VECTOR_PITCH - VECTOR)) / 2.0;
    canvas.arrow(&[(middle, embedding_area.y), (middle, vectors_y + VECTOR + 1.0)]);
    vectors(canvas, plan, vectors_x, vectors_y);
    let plus_y = vectors_y - STEP - PLUS;
    if let Some(n) = plan.front.as_ref().and_then(|front| front.tokens) {
        canvas.note(vectors_x, vectors_y - 6.0, format!("{n} × ⟨φ⟩"));
    }
    let learned = learns_positions(plan);
    if learned {
        canvas.arrow(&[(middle, vectors_y), (middle, plus_y + PLUS)]);
        let table = Rect { x: TIE + STACK - 56.0, y: plus_y - 8.0, w: 56.0, h: 16.0 };
        positions(canvas, plan, table);
        canvas.arrow(&[(table.x, plus_y), (middle + PLUS, plus_y)]);
        let mut sum = Canvas::default();
        sum.plus((middle, plus_y), "sum: vectors and positions");
        sum.parts.iter_mut().for_each(|p| p.scope = Scope::Network);
        canvas.append(sum);
    }

    let head_area = row(15.0, 24.0);
    let norm_area = row(head_area.bottom() + STEP, 20.0);
    head(canvas, plan, head_area);
    final_norm(canvas, plan, norm_area);
    canvas.arrow(&[(middle, norm_area.y), (middle, head_area.bottom())]);
    canvas.arrow(&[(middle, head_area.y), (middle, head_area.y - 12.0)]);
    if plan.head.is_none() && plan.model().tied {
        let (top, bottom) = (head_area.y + 12.0, embedding_area.y + 12.0);
        canvas.line(Flow::Tie, &[(TIE, bottom), (1.0, bottom), (1.0, top), (TIE, top)]);
    }

    let layers = plan.model().num_hidden_layers;
    let (start, top) = (if learned { plus_y - PLUS } else { vectors_y }, norm_area.bottom());
    // Space above each block for its arrow; deep networks get thin blocks.
    let gap_of = |pitch: f64| (0.28 * pitch).min(20.0);
    let pitch_from = |bottom: f64| (bottom - top - STEP) / layers as f64;
    // What stands above the vectors is not touched either.
    let noted = !learned && plan.front.as_ref().is_some_and(|front| front.tokens.is_some());
    let room = if noted { 2.0 * STEP } else { STEP };
    let bottom = start - (room - gap_of(pitch_from(start))).max(0.0);
    let pitch = pitch_from(bottom);
    let gap = gap_of(pitch);
    let mut from = start;
    let blocks: Vec<StackBlock> = (0..layers)
        .map(|layer| {
            let area = row(bottom - gap - pitch * layer as f64 - (pitch - gap), pitch - gap);
            canvas.arrow(&[(middle, from), (middle, area.bottom())]);
            from = area.y;
            StackBlock {
                layer,
                area,
                marks: marks(plan, layer, area),
                trained: ModulePath::of_block(layer, plan.model()).all(|place| plan.whole(place)),
                moved: ModulePath::of_block(layer, plan.model()).any(|place| plan.moves(place)),
            }
        })
        .collect();
    canvas.arrow(&[(middle, from), (middle, top)]);
    blocks
}

/// Whether vectors of positions are added to those of the tokens.
fn learns_positions(plan: &Plan) -> bool {
    matches!(plan.model().positions, Positions::Learned { .. })
}

/// φ's marks in a block of the stack: as many as it has parts there, in the right half.
fn marks(plan: &Plan, layer: usize, block: Rect) -> Vec<Vec<(f64, f64)>> {
    let h = (0.56 * block.h).min(20.0);
    let (top, bottom) = (block.y + (block.h - h) / 2.0, block.y + (block.h + h) / 2.0);
    let end = block.right() - 10.0;
    // From the right, so that one mark and six end at the same margin.
    let column = |i: usize, n: usize, w: f64, gap: f64| end - (n - i) as f64 * (w + gap) + gap;
    let hourglass = |x: f64, w: f64, middle: f64| {
        let (waist, half) = (0.26 * w, 0.04 * h);
        [
            vec![(x, bottom), (x + waist, middle + half), (x + w - waist, middle + half), (x + w, bottom)],
            vec![(x + waist, middle - half), (x, top), (x + w, top), (x + w - waist, middle - half)],
        ]
    };
    let middle = (top + bottom) / 2.0;
    let rect = |x: f64, y: f64, w: f64, h: f64| vec![(x, y + h), (x, y), (x + w, y), (x + w, y + h)];
    let updates = plan.updates_of(layer);
    if updates > 0 {
        // Seven of a gated MLP's block leave room for its name, too.
        let (w, gap) = match updates {
            0..=3 => (14.0, 2.5),
            4..=6 => (8.0, 2.5),
            _ => (6.5, 2.0),
        };
        return (0..updates).flat_map(|i| hourglass(column(i, updates, w, gap), w, middle)).collect();
    }
    if let Some(adapter) = plan.adapter_at(layer) {
        let n = usize::from(adapter.at_attention) + usize::from(adapter.at_mlp);
        return (0..n).flat_map(|i| hourglass(column(i, n, 22.0, 5.0), 22.0, middle)).collect();
    }
    if plan.prefix_at(layer).is_some() {
        let half = h / 2.0 - 1.5;
        return (0..3)
            .flat_map(|i| {
                let x = column(i, 3, 8.0, 2.0);
                [rect(x, top, 8.0, half), rect(x, bottom - half, 8.0, half)]
            })
            .collect();
    }
    if ModulePath::of_block(layer, plan.model()).all(|place| plan.whole(place)) {
        // The whole block is in φ's colour.
        return Vec::new();
    }
    let factor = |place: &ModulePath| matches!(place, ModulePath::Linear(_, target) if plan.factor_at(layer, *target));
    let touched = ModulePath::of_block(layer, plan.model())
        .enumerate()
        .filter(|(_, place)| plan.touches(*place) || factor(place));
    touched
        .map(|(i, _)| rect(column(i, ModulePath::of_block(layer, plan.model()).count(), 3.0, 2.5), top, 3.0, h))
        .collect()
}

/// The opened block; what is trained outside the blocks stands above and below it, so that φ is never out of sight.
fn narrow(plan: &Plan, layer: usize) -> Drawing {
    let outside = plan.outside();
    let y = if outside { 60.0 } else { 4.0 };
    let (mut canvas, panel) = opened(plan, layer, 4.0, y);
    let mut bottom = panel.bottom();
    if outside {
        bottom = around(&mut canvas, plan, panel);
    }
    let layers = plan.model().num_hidden_layers;
    let of_blocks = of_blocks(plan);
    let title = match of_blocks.iter().all(|block| *block == of_blocks[layer]) {
        true => format!("One of {layers} blocks"),
        false => format!("Block {} of {layers}", layer + 1),
    };
    canvas.note(panel.x + 10.0, panel.y + TITLE, title);
    let (width, height) = (panel.right() + 4.0, bottom + 4.0);
    Drawing { width, height, canvas, blocks: Vec::new(), panel, layers, of_blocks, opened: layer }
}

/// What stands outside the blocks as a row above and a row below the frame; gives the lower row's bottom.
fn around(canvas: &mut Canvas, plan: &Plan, panel: Rect) -> f64 {
    let middle = panel.x + MIDDLE;
    let mut rows = Canvas::default();
    let norm_area = Rect { x: middle - 60.0, y: panel.y - 14.0 - 26.0, w: 120.0, h: 26.0 };
    let head_area = Rect { x: norm_area.right() + 14.0, w: panel.right() - norm_area.right() - 14.0, ..norm_area };
    final_norm(&mut rows, plan, norm_area);
    head(&mut rows, plan, head_area);
    everywhere(&mut rows, plan, Rect { x: panel.x, w: 60.0, ..norm_area });
    rows.arrow(&[(middle, panel.y + 8.0), (middle, norm_area.bottom())]);
    rows.arrow(&[(norm_area.right(), norm_area.y + 13.0), (head_area.x, norm_area.y + 13.0)]);
    let row = Rect { x: panel.x, y: panel.bottom() + 26.0, w: 84.0, h: 26.0 };
    let line = row.y + 13.0;
    embedding(&mut rows, plan, row);
    let first = row.right() + 13.0;
    vectors(&mut rows, plan, first, line - VECTOR / 2.0);
    let last = first + VECTORS as f64 * VECTOR_PITCH - (VECTOR_PITCH - VECTOR);
    let plus = (last + 14.0 + PLUS, line);
    rows.arrow(&[(row.right(), line), (first - 1.0, line)]);
    let turn = panel.bottom() + 12.0;
    let mut up = vec![(plus.0, line - PLUS), (plus.0, turn), (middle, turn), (middle, panel.bottom() - 1.0)];
    if learns_positions(plan) {
        let table = Rect { x: panel.right() - 62.0, y: line - 10.0, w: 62.0, h: 20.0 };
        positions(&mut rows, plan, table);
        rows.arrow(&[(last, line), (plus.0 - PLUS, line)]);
        rows.arrow(&[(table.x, line), (plus.0 + PLUS, line)]);
        rows.plus(plus, "sum: vectors and positions");
        if let Some(sum) = rows.parts.last_mut() {
            sum.scope = Scope::Network;
        }
    } else {
        up.splice(0..1, [(last, line), (plus.0, line)]);
    }
    rows.arrow(&up);
    canvas.append(rows);
    row.bottom()
}

#[cfg(test)]
mod tests;
