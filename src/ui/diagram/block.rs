//! One block, opened: from its input at the bottom to its output at the top.

use super::norm::{BIAS, norm};
use super::phi_overlay::Plan;
use super::shapes::{Canvas, Flow, Form, PLUS, Part};
use crate::model::{ModulePath, ParamKind, Positions, Target};
use crate::peft::{Beside, PrefixMark};
use crate::ui::chart::label_placement::Rect;
use std::cmp::Ordering;

/// Width of an opened block.
pub const WIDTH: f64 = 350.0;
/// The column of the main line.
pub const MIDDLE: f64 = 185.0;

const LEFT: f64 = 34.0;
const RIGHT: f64 = WIDTH - 14.0;
/// The column of the residual line.
const RESIDUAL: f64 = 17.0;
// The page has some 340 pixels for the whole height: letters of 12 pixels leave this much for what is between them.
const GAP: f64 = 10.0;
/// Room above and below a matrix that a bypass leaves and joins.
const BYPASS_GAP: f64 = 13.0;
const NORM: f64 = 20.0;
const MATRIX: f64 = 34.0;
const ROW: f64 = 22.0;
const PAIR: f64 = 36.0;
/// Width of what stands beside a narrower pair.
const BAR: f64 = 10.0;
/// How far left of the middle a row stands that an adapter follows.
const ASIDE: f64 = 42.0;
/// Where an adapter starts.
const BESIDE: f64 = MIDDLE - ASIDE + 86.0 + 14.0;

/// A block under construction: the cursor climbs from 0, so every y is negative until the whole is shifted.
struct Climb<'a> {
    plan: &'a Plan,
    /// Which block, from 0.
    layer: usize,
    canvas: Canvas,
    y: f64,
    /// Where attention's output waits at the right, on its way past the MLP.
    aside: Option<f64>,
}

/// Draws a block; `y` is negative, 0 is its bottom. Gives its height too.
pub fn block(plan: &Plan, layer: usize) -> (Canvas, f64) {
    let mut climb = Climb { plan, layer, canvas: Canvas::default(), y: 0.0, aside: None };
    let adapter = plan.adapter_at(layer);
    let (attention, mlp) = (adapter.is_some_and(|a| a.at_attention), adapter.is_some_and(|a| a.at_mlp));
    let parallel = adapter.is_some_and(|a| a.parallel);
    let (enters, branch) = (6.0, -5.0);
    climb.y = branch;
    let m = plan.model();
    let (kind, at_once) = (m.norm.kind.title(), m.parallel_residual);
    climb.norm(ModulePath::AttentionNorm(layer), &format!("{kind} before attention"), enters, RIGHT);
    climb.heads();
    // Sizes stand in it where it is not square.
    let joining = if m.query_width() == m.hidden_size { 110.0 } else { 160.0 };
    let joins = climb.matrix_row(Target::O, joining, if attention { ASIDE } else { 0.0 }, GAP + 1.0);
    let joins = if attention { climb.adapter(joins, "after attention", None) } else { joins };
    let (from, branch) = if at_once {
        climb.past(joins)
    } else {
        climb.sum(joins, branch, "sum: attention's output and the residual line");
        (climb.y, climb.y - 5.0)
    };
    climb.y = branch;
    // What stands beside the MLP reads what the MLP's norm reads: its line goes up at the right.
    climb.norm(
        ModulePath::MlpNorm(layer),
        &format!("{kind} before the MLP"),
        from,
        if parallel { BESIDE - 8.0 } else { RIGHT },
    );
    let aside = if mlp { ASIDE } else { 0.0 };
    if m.gated {
        climb.gated(aside);
    } else {
        climb.matrix_row(Target::Fc1, 172.0, aside, GAP);
    }
    climb.activation(aside);
    let joins = climb.matrix_row(Target::Fc2, 172.0, aside, 5.0);
    let joins = match (mlp, parallel) {
        (true, true) => climb.adapter(joins, "beside the MLP", Some(branch)),
        (true, false) => climb.adapter(joins, "after the MLP", None),
        _ => joins,
    };
    match at_once {
        true => climb.sum(joins, -5.0, "sum: the outputs of attention and of the MLP, and the residual line"),
        false => climb.sum(joins, branch, "sum: the MLP's output and the residual line"),
    }
    // The frame's title stands beside the way out.
    let top = climb.y - 18.0;
    climb.canvas.line(Flow::Main, &[(MIDDLE, climb.y), (MIDDLE, top)]);
    (climb.canvas, -top)
}

/// Where a sublayer's output leaves its last row.
#[derive(Clone, Copy)]
struct Out {
    area: Rect,
    /// Where the middle of its right side is: a trapezoid's is slanted.
    side: f64,
}

impl Climb<'_> {
    /// Attention's output goes up at the right to the sum at the top, where attention and MLP read the same: the
    /// MLP's branch leaves the residual line here. Gives where it does, twice.
    fn past(&mut self, out: Out) -> (f64, f64) {
        let x = RIGHT + 7.0;
        let from = self.y;
        self.y -= 8.0;
        let (start, height) = if out.area.w > 0.0 { (MIDDLE, from) } else { (out.side, out.area.y) };
        self.canvas.line(Flow::Main, &[(start, height), (start, self.y), (x, self.y)]);
        self.aside = Some(self.y);
        self.y -= 8.0;
        self.canvas.line(Flow::Main, &[(RESIDUAL, self.y), (MIDDLE, self.y)]);
        (self.y, self.y)
    }

    /// The two matrices of a gated MLP side by side.
    fn gated(&mut self, aside: f64) {
        let from = self.y;
        self.y -= BYPASS_GAP + MATRIX;
        let right = if aside > 0.0 { MIDDLE - aside + 86.0 } else { RIGHT };
        let cell = (right - LEFT) / 2.0;
        let top = self.y;
        let joined = top - 8.0;
        for (i, target) in [Target::Gate, Target::Fc1].into_iter().enumerate() {
            let middle = LEFT + cell * (i as f64 + 0.5);
            let paired = self.plan.update_at(self.layer, target).is_some();
            let (x, w) = if paired { (middle - 22.0, 52.0) } else { (middle, (cell - 10.0).min(141.0)) };
            let area = Rect { x: x - w / 2.0, y: top, w, h: MATRIX };
            self.canvas.arrow(&[(x, from), (x, area.bottom())]);
            self.matrix(target, area);
            self.canvas.line(Flow::Main, &[(x, top), (x, joined), (MIDDLE - aside, joined)]);
        }
        self.y = joined;
    }

    /// A norm over the whole width, fed from `from`.
    fn norm(&mut self, place: ModulePath, name: &str, from: f64, right: f64) {
        self.y -= GAP + NORM;
        let area = Rect { x: LEFT, y: self.y, w: right - LEFT, h: NORM };
        self.canvas.arrow(&[(MIDDLE, from), (MIDDLE, area.bottom())]);
        norm(&mut self.canvas, self.plan, place, area, name);
    }

    /// W_Q, W_K, W_V side by side, the prefix where there is one, and the softmax that joins them.
    fn heads(&mut self) {
        let norm_top = self.y;
        self.y -= BYPASS_GAP + MATRIX;
        let cell = (RIGHT - LEFT) / 3.0;
        let top = self.y;
        let mut columns = [0.0; 3];
        for (i, target) in [Target::Q, Target::K, Target::V].into_iter().enumerate() {
            let middle = LEFT + cell * (i as f64 + 0.5);
            let paired = self.plan.update_at(self.layer, target).is_some();
            let x = if paired { middle - 22.0 } else { middle };
            columns[i] = x;
            let area = Rect { x: x - 26.0, y: top, w: 52.0, h: MATRIX };
            self.canvas.arrow(&[(x, norm_top), (x, area.bottom())]);
            self.matrix(target, area);
        }
        let mut from = top;
        let m = self.plan.model();
        let turned = matches!(m.positions, Positions::Rotary { .. });
        // A bypass joins its column before whatever comes next.
        let paired = [Target::Q, Target::K].iter().any(|t| self.plan.update_at(self.layer, *t).is_some());
        if paired && (m.normed_heads || turned) {
            self.y -= 8.0;
        }
        let whose = |i: usize| ["queries", "keys"][i];
        if m.normed_heads {
            from = self.over(columns, from, |climb, i, area| {
                let place = [ModulePath::QueryNorm(climb.layer), ModulePath::KeyNorm(climb.layer)][i];
                let part = Part::new(Form::Box, area, "RMSNorm", format!("RMSNorm of every head of {}", whose(i)));
                let part = part.shape(format!("scale {}", m.head_dim), m.head_dim as u64);
                part.trained(climb.plan.whole(place)).moved(climb.plan.moves(place))
            });
        }
        if let Positions::Rotary { dims, .. } = m.positions {
            let share = if dims < m.head_dim { format!("{dims} numbers of each head") } else { "each head".into() };
            let shape = format!("{share} turned by its position, no parameters");
            from = self.over(columns, from, |_, i, area| {
                let name = format!("rotary positions of the {}", whose(i));
                Part::new(Form::Pill, area, "rotate", name).shape(shape.clone(), 0)
            });
        }
        let prefix = self.plan.prefix_at(self.layer);
        self.y -= if turned { GAP } else { BYPASS_GAP };
        if let Some(PrefixMark { shape, elements, .. }) = prefix {
            self.y -= 19.0;
            let d = m.key_value_width();
            for (x, letter, what) in [(columns[1], "K", "keys"), (columns[2], "V", "values")] {
                let y = self.y;
                self.canvas.arrow(&[(x, from), (x, y + 19.0)]);
                // The text's own keys stand where the line comes up, φ's in front of them.
                let own = Rect { x: x - 15.0, y, w: 30.0, h: 19.0 };
                let name = format!("{letter}, the text's {what}");
                self.canvas
                    .parts
                    .push(Part::new(Form::Box, own, letter, name).shape(format!("{d} numbers a token"), 0));
                let ours = Rect { x: x - 15.0 - 36.0, y, w: 34.0, h: 19.0 };
                let part =
                    Part::new(Form::Box, ours, format!("φ_{letter}"), format!("φ_{letter}, {what} of the prefix"));
                self.canvas.parts.push(part.shape(shape.clone(), *elements).trained(true));
            }
            self.canvas.line(Flow::Main, &[(columns[0], from), (columns[0], self.y)]);
            from = self.y;
            self.y -= GAP;
        }
        self.y -= ROW;
        let area = Rect { x: LEFT, y: self.y, w: RIGHT - LEFT, h: ROW };
        for (i, x) in columns.into_iter().enumerate() {
            self.canvas.arrow(&[(x, from), (x, area.bottom())]);
            if prefix.is_some() && i > 0 {
                self.canvas.arrow(&[(x - 34.0, from), (x - 34.0, area.bottom())]);
            }
        }
        let shared = match m.num_key_value_heads == m.num_attention_heads {
            true => String::new(),
            false => format!(", {} of keys and values", m.num_key_value_heads),
        };
        let heads =
            format!("{} heads of {} dimensions{shared}, causal, no parameters", m.num_attention_heads, m.head_dim);
        let label = match prefix {
            Some(_) => "softmax(Q[⟨φ_K⟩, K]ᵀ/√d_h) [⟨φ_V⟩, V]",
            None => "softmax(QKᵀ/√d_h) V",
        };
        self.canvas.parts.push(Part::new(Form::Box, area, label, "attention").shape(heads, 0).letter(13.0));
    }

    /// A row of what is done to queries and keys, in their columns; values go past it. Gives its top.
    fn over(&mut self, columns: [f64; 3], from: f64, part: impl Fn(&Self, usize, Rect) -> Part) -> f64 {
        self.y -= 5.0 + 15.0;
        for (i, x) in columns.into_iter().take(2).enumerate() {
            let area = Rect { x: x - 26.0, y: self.y, w: 52.0, h: 15.0 };
            self.canvas.line(Flow::Main, &[(x, from), (x, area.bottom())]);
            let part = part(self, i, area).letter(10.0);
            self.canvas.parts.push(part);
        }
        self.canvas.line(Flow::Main, &[(columns[2], from), (columns[2], self.y)]);
        self.y
    }

    /// A matrix in the middle, or left of it by `aside`, with φ's pair at its right where it has one.
    fn matrix_row(&mut self, target: Target, w: f64, aside: f64, gap: f64) -> Out {
        let paired = self.plan.update_at(self.layer, target).is_some();
        let h = if paired { MATRIX } else { ROW };
        let from = self.y;
        self.y -= if paired { BYPASS_GAP } else { gap } + h;
        let middle = MIDDLE - aside;
        // Beside an adapter a row leaves room for what else stands at its matrix.
        let bar =
            self.plan.only_bias(ModulePath::Linear(self.layer, target)) || self.plan.factor_at(self.layer, target);
        let room = match (paired, bar) {
            (true, _) => PAIR + 9.0,
            (false, true) => BIAS + 3.0,
            (false, false) => 0.0,
        };
        let w = if aside > 0.0 { w.min(172.0 - 2.0 * room) } else { w };
        let area = Rect { x: middle - w / 2.0, y: self.y, w, h };
        self.canvas.arrow(&[(middle, from), (middle, area.bottom())]);
        self.matrix(target, area);
        if paired {
            // The bypass joins the line before whatever comes next.
            let top = self.y;
            self.y -= 8.0;
            self.canvas.line(Flow::Main, &[(middle, top), (middle, self.y)]);
        }
        let side = Part::new(self.form(target), area, "", "").side();
        Out { area, side }
    }

    fn activation(&mut self, aside: f64) {
        let from = self.y;
        self.y -= 5.0 + 15.0;
        let middle = MIDDLE - aside;
        let w = if self.plan.model().gated { 112.0 } else { 84.0 };
        let area = Rect { x: middle - w / 2.0, y: self.y, w, h: 15.0 };
        self.canvas.line(Flow::Main, &[(middle, from), (middle, area.bottom())]);
        self.canvas.line(Flow::Main, &[(middle, area.y), (middle, area.y - 5.0)]);
        let (title, gated) = (self.plan.model().activation_function.title(), self.plan.model().gated);
        let (label, what) = match gated {
            true => (format!("{title}(gate) ⊙ up"), "the MLP's gate"),
            false => (title.to_string(), "the MLP's non-linearity"),
        };
        let part = Part::new(Form::Pill, area, label, format!("{title}, {what}")).shape("no parameters", 0);
        self.canvas.parts.push(part.letter(11.0));
    }

    /// x + W_U σ(W_D x), to the right of the row that it follows; `beside` is the height of what it reads where that is not
    /// the row's output.
    fn adapter(&mut self, row: Out, after: &str, beside: Option<f64>) -> Out {
        let Some(adapter) = self.plan.adapter_at(self.layer) else { return row };
        let (k, d) = (adapter.width, self.plan.model().hidden_size);
        const W: f64 = 34.0;
        const H: f64 = 30.0;
        const SIGMA: f64 = 16.0;
        let middle = row.area.y + row.area.h / 2.0;
        // The row's own box decides where the adapter starts, so that both stand in one column.
        let x = BESIDE;
        let rect = |x: f64| Rect { x, y: middle - H / 2.0, w: W, h: H };
        let sigma = Rect { x: x + W, y: middle - SIGMA / 2.0, w: SIGMA, h: SIGMA };
        let end = x + 2.0 * W + SIGMA;
        self.canvas.line(Flow::Main, &[(row.side, middle), (x - 8.0, middle)]);
        match beside {
            Some(y) => {
                self.canvas.bypass(&[(MIDDLE, y), (x - 4.0, y), (x - 4.0, middle + 3.0), (x + 3.0, middle)]);
                self.canvas.line(Flow::Phi, &[(x, middle), (end + 6.0, middle)]);
            }
            None => self.canvas.line(Flow::Phi, &[(x - 8.0, middle), (end + 6.0, middle)]),
        }
        let parts = [
            Part::new(Form::NarrowingRight, rect(x), "W_D", format!("adapter W_D {after}"))
                .shape(format!("{k} × {d} and bias {k}"), (k * d + k) as u64)
                .trained(true),
            Part::new(Form::Pill, sigma, "σ", format!("σ = {} of the adapter {after}", adapter.sigma))
                .shape("no parameters", 0)
                .letter(10.0),
            Part::new(Form::WideningRight, rect(x + W + SIGMA), "W_U", format!("adapter W_U {after}"))
                .shape(format!("{d} × {k} and bias {d}"), (d * k + d) as u64)
                .trained(true),
        ];
        self.canvas.parts.extend(parts);
        // Around it goes what it adds to.
        let (left, over) = (x - 8.0, middle - H / 2.0 - 5.0);
        self.canvas.bypass(&[(left, middle), (left, over), (end + 6.0, over), (end + 6.0, middle)]);
        self.y = over;
        Out { area: Rect { x: end + 6.0, y: middle, w: 0.0, h: 0.0 }, side: end + 6.0 }
    }

    /// ⊕ of a sublayer's output and the residual line that left the main one at `branch`.
    fn sum(&mut self, out: Out, branch: f64, name: &str) {
        let from = self.y;
        self.y -= 8.0 + 2.0 * PLUS;
        let middle = (MIDDLE, self.y + PLUS);
        if out.area.w > 0.0 {
            self.canvas.arrow(&[(MIDDLE, from), (MIDDLE, self.y + 2.0 * PLUS)]);
        } else {
            let (x, y) = (out.side, out.area.y);
            self.canvas.arrow(&[(x, y), (x + 7.0, y), (x + 7.0, middle.1), (MIDDLE + PLUS, middle.1)]);
        }
        self.canvas.arrow(&[(MIDDLE, branch), (RESIDUAL, branch), (RESIDUAL, middle.1), (MIDDLE - PLUS, middle.1)]);
        if let Some(y) = self.aside.take() {
            let x = RIGHT + 7.0;
            self.canvas.arrow(&[(x, y), (x, middle.1), (MIDDLE + PLUS, middle.1)]);
        }
        self.canvas.plus(middle, name);
    }

    /// A matrix to more dimensions is wide at its top, one to fewer narrow: so heads that share keys and values are
    /// seen.
    fn form(&self, target: Target) -> Form {
        let (inputs, outputs) = target.shape(self.plan.model());
        match inputs.cmp(&outputs) {
            Ordering::Less => Form::Widening,
            Ordering::Equal => Form::Box,
            Ordering::Greater => Form::Narrowing,
        }
    }

    /// A linear layer of θ, its bias as a part of its own where only that is trained, LoRA's A and B at its right.
    fn matrix(&mut self, target: Target, area: Rect) {
        let (inputs, outputs) = target.shape(self.plan.model());
        let label = target.label(self.plan.model());
        let part = Part::new(self.form(target), area, label, label);
        let part = match inputs == outputs {
            true => part,
            false => part.written(format!("{label} {inputs} → {outputs}")),
        };
        let place = ModulePath::Linear(self.layer, target);
        let bar = Rect { x: area.right() + 3.0, w: BIAS, ..area };
        let part = if self.plan.only_bias(place) {
            self.canvas.parts.push(part.shape(format!("{outputs} × {inputs}"), (inputs * outputs) as u64));
            Part::new(Form::Box, bar, "b", format!("bias of {label}"))
                .shape(outputs.to_string(), outputs as u64)
                .trained(true)
        } else {
            let (trained, biased) = (self.plan.trained(place), place.elements(ParamKind::Bias, self.plan.model()) > 0);
            let bias = if biased { format!(" and bias {outputs}") } else { String::new() };
            part.shape(format!("{outputs} × {inputs}{bias}"), place.parameters(self.plan.model()))
                .partly(trained)
                .moved(self.plan.moves(place))
        };
        self.canvas.parts.push(part);
        if self.plan.factor_at(self.layer, target) {
            let (n, what) = match target {
                Target::Fc2 => (inputs, "in front of"),
                _ => (outputs, "behind"),
            };
            let part = Part::new(Form::Box, bar, "l", format!("l, factors {what} {label}"));
            self.canvas.parts.push(part.shape(n.to_string(), n as u64).trained(true));
        }
        let Some(updates) = self.plan.update_at(self.layer, target) else { return };
        let (r, method, pairs) = (updates.rank, updates.method, updates.pairs);
        let x = area.right() + 9.0;
        // Beside the pairs stand vectors, where there are some.
        let room = if updates.bars.is_empty() { PAIR } else { PAIR - BAR - 2.0 };
        let between = 2.0;
        let pair = (room - between * (pairs.len() - 1) as f64) / pairs.len() as f64;
        let middle = x + room / 2.0;
        let column = area.x + area.w / 2.0;
        const H: f64 = 14.5;
        let (a, b) = (area.bottom() - H, area.y);
        // Below the matrix the input branches off, above it the update is added.
        self.canvas.bypass(&[(column, area.bottom() + 7.0), (middle, area.bottom() + 7.0), (middle, a)]);
        self.canvas.bypass(&[(middle, a), (middle, b + H)]);
        self.canvas.bypass(&[(middle, b), (middle, area.y - 7.0), (column, area.y - 7.0)]);
        for (i, [first, second]) in pairs.iter().enumerate() {
            let matrices = [
                (first, Form::Narrowing, a, format!("{r} × {inputs}"), r * inputs),
                (second, Form::Widening, b, format!("{outputs} × {r}"), outputs * r),
            ];
            for (letter, form, y, shape, elements) in matrices {
                let area = Rect { x: x + i as f64 * (pair + between), y, w: pair, h: H };
                let part = Part::new(form, area, *letter, format!("{method} {letter} of {label}"));
                let part = if pairs.len() > 1 { part.letter(9.0) } else { part };
                self.canvas.parts.push(match updates.trained {
                    true => part.shape(shape, elements as u64).trained(true),
                    // One pair for all blocks, random and never counted.
                    false => part.shape(format!("{shape}, random, shared by all blocks"), 0),
                });
            }
        }
        for bar in updates.bars {
            let (y, h, n) = match bar.beside {
                Beside::Both => (b, area.h, outputs),
                Beside::A => (a, H, r),
                Beside::B => (b, H, outputs),
            };
            let area = Rect { x: x + room + 2.0, y, w: BAR, h };
            let part = Part::new(Form::Box, area, bar.letter, format!("{method}'s {} of {label}", bar.name));
            self.canvas.parts.push(part.shape(n.to_string(), n as u64).trained(true).letter(10.0));
        }
    }
}
