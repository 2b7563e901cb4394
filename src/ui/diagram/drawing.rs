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
    let learned = matches!(plan.model().positions, Positions::Learned { .. });
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
    let (bottom, top) = (if learned { plus_y - PLUS } else { vectors_y }, norm_area.bottom());
    // Space above each block for its arrow; deep networks get thin blocks.
    let pitch = (bottom - top - STEP) / layers as f64;
    let gap = (0.28 * pitch).min(20.0);
    let mut from = bottom;
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
        let w = if updates > 3 { 8.0 } else { 14.0 };
        return (0..updates).flat_map(|i| hourglass(column(i, updates, w, 2.5), w, middle)).collect();
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
    rows.arrow(&[(last, line), (plus.0 - PLUS, line)]);
    let table = Rect { x: panel.right() - 62.0, y: line - 10.0, w: 62.0, h: 20.0 };
    positions(&mut rows, plan, table);
    rows.arrow(&[(table.x, line), (plus.0 + PLUS, line)]);
    rows.plus(plus, "sum: vectors and positions");
    if let Some(sum) = rows.parts.last_mut() {
        sum.scope = Scope::Network;
    }
    let turn = panel.bottom() + 12.0;
    rows.arrow(&[(plus.0, line - PLUS), (plus.0, turn), (middle, turn), (middle, panel.bottom() - 1.0)]);
    canvas.append(rows);
    row.bottom()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Target;
    use crate::peft::MethodConfig;

    /// Every method at its defaults and with other knobs, on every base.
    fn configurations() -> Vec<RunConfig> {
        let mut hashes: Vec<String> = MethodConfig::all().iter().map(|m| format!("method={}", m.info().name)).collect();
        for knobs in [
            "method=lora&rank=1&target_modules=q_proj",
            "method=lora&rank=16&target_modules=q_proj,k_proj,v_proj,out_proj,fc1,fc2",
            "method=lora&target_modules=fc1",
            "method=last-layer&rows=labels",
            "method=prompt&num_virtual_tokens=1",
            "method=prompt&num_virtual_tokens=30",
            "method=prefix&num_virtual_tokens=1",
            "method=adapter&placement=attention",
            "method=adapter&placement=mlp&bottleneck=64&non_linearity=silu",
            "method=adapter&placement=parallel&scaling=4&layers=1,2",
            "method=lora&layers=3&target_modules=q_proj,fc1",
            "method=ia3&layers=0",
            "method=bitfit&biases=q_proj,fc1",
            "method=last-layer&rows=block",
            "method=embeddings&embeddings=both",
            "method=layers&layers=0,3&parts=mlp,norms",
            "method=pruning&sparsity=90",
            "method=pruning&schedule=dense-sparse-dense",
            "method=subspace&intrinsic_dimension=16&projection=dense",
            "method=prefix&layers=2",
            "method=prefix&prefix_projection=true",
            "method=text-prompt&text=abcd",
            "method=lora,prompt&num_virtual_tokens=5",
            "method=adapter,bitfit",
            "method=lora,ia3&ia3.target_modules=k_proj,fc2",
        ] {
            hashes.push(knobs.into());
        }
        let variants = include_str!("../../../tests/fixtures/variants.txt").lines();
        hashes.extend(variants.map(|line| format!("method={}", line.replace(' ', "&"))));
        let mut out = Vec::new();
        for base in ["base=rules", "base=prose-nano", "base=prose-micro&task=authors"] {
            for hash in &hashes {
                let (config, faults, _) = RunConfig::from_hash(&format!("{base}&{hash}"));
                assert!(faults.is_empty(), "{faults:?}");
                out.push(config);
            }
        }
        out
    }

    #[test]
    fn trained_parts_hold_as_many_parameters_as_the_method_counts() {
        for config in configurations() {
            let count = config.trainable();
            let (all, trained) = Drawing::new(&config, 0, false).counts();
            assert_eq!(trained, count, "{}", config.to_hash());
            // PEFT counts copies beside what they stand in for, where it keeps both; drawn is what computes.
            let shape = config.shape();
            let beside = |m: &MethodConfig| m.method().added(&shape).min(m.method().copied(&shape.model));
            let beside: u64 = config.methods().map(beside).sum();
            assert_eq!(all + beside, config.all_parameters(), "{}", config.to_hash());
        }
    }

    #[test]
    fn a_narrow_page_shows_all_of_phi() {
        for config in configurations() {
            let (_, trained) = Drawing::new(&config, 0, true).counts();
            assert_eq!(trained, config.trainable(), "{}", config.to_hash());
        }
    }

    #[test]
    fn parts_stay_in_the_picture_and_do_not_cover_each_other() {
        for config in configurations() {
            for compact in [false, true] {
                let drawing = Drawing::new(&config, 1, compact);
                let parts = &drawing.canvas.parts;
                let areas: Vec<Rect> =
                    parts.iter().map(|p| p.area).chain(drawing.blocks.iter().map(|b| b.area)).collect();
                for (i, a) in areas.iter().enumerate() {
                    assert!(
                        a.x >= 0.0 && a.y >= 0.0 && a.right() <= drawing.width && a.bottom() <= drawing.height,
                        "{:?}",
                        parts.get(i)
                    );
                    for (j, b) in areas[..i].iter().enumerate() {
                        assert!(a.overlap(b) < 0.5, "{}: {:?} {:?}", config.to_hash(), parts.get(i), parts.get(j));
                    }
                }
            }
        }
    }

    #[test]
    fn a_network_has_as_many_blocks_as_it_says_and_lora_a_pair_at_each_chosen_matrix() {
        let (config, ..) = RunConfig::from_hash("#method=lora&rank=8&target_modules=k_proj,out_proj,fc2");
        let drawing = Drawing::new(&config, 0, false);
        assert_eq!(drawing.blocks.len(), config.shape().model.num_hidden_layers);
        for target in Target::UNGATED {
            let label = Target::OPTIONS[target as usize].1;
            let pairs =
                drawing.canvas.parts.iter().filter(|p| p.name.starts_with("LoRA") && p.name.ends_with(label)).count();
            let chosen = [Target::K, Target::O, Target::Fc2].contains(&target);
            assert_eq!(pairs, if chosen { 2 } else { 0 }, "{label}");
        }
        let a = drawing.canvas.parts.iter().find(|p| p.name == "LoRA A of fc2").unwrap();
        assert_eq!(a.spoken(), "LoRA A of fc2, 8 × 256, trained");
    }

    #[test]
    fn every_shipped_method_has_shapes_to_write() {
        for method in MethodConfig::all() {
            let config = RunConfig { method, ..RunConfig::default() };
            assert!(!super::super::phi_overlay::shapes(&config).is_empty(), "{}", config.to_hash());
        }
    }
}
