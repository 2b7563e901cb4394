//! Where labels stand: at their curve, clear of other labels and, where there is room, of other curves.

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// The left edge.
    pub x: f64,
    /// The upper edge.
    pub y: f64,
    /// Its width.
    pub w: f64,
    /// Its height.
    pub h: f64,
}

impl Rect {
    /// The right edge.
    pub fn right(&self) -> f64 {
        self.x + self.w
    }

    /// The lower edge.
    pub fn bottom(&self) -> f64 {
        self.y + self.h
    }

    /// The area shared with another.
    pub fn overlap(&self, other: &Rect) -> f64 {
        let w = self.right().min(other.right()) - self.x.max(other.x);
        let h = self.bottom().min(other.bottom()) - self.y.max(other.y);
        w.max(0.0) * h.max(0.0)
    }

    fn holds(&self, (x, y): (f64, f64)) -> bool {
        x > self.x && x < self.right() && y > self.y && y < self.bottom()
    }
}

/// A rough width of a text in a system sans, on the generous side: a label that is too short overlaps
/// nothing.
pub fn text_width(text: &str, size: f64) -> f64 {
    let ems: f64 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | '.' | ',' | '\'' | '|' | ':' | ';' => 0.31,
            ' ' | '\u{a0}' | 'f' | 't' | 'r' | '(' | ')' | '·' | '-' => 0.40,
            'm' | 'w' | 'M' | 'W' | '%' | '—' => 0.96,
            c if c.is_uppercase() => 0.70,
            _ => 0.62,
        })
        .sum();
    ems * size
}

/// What a label must keep clear of.
pub struct Obstacles<'a> {
    /// The plot; labels stay inside.
    pub plot: Rect,
    /// Labels and dots that are placed already.
    pub boxes: Vec<Rect>,
    /// Every curve in pixels.
    pub curves: &'a [Vec<(f64, f64)>],
    /// Heights of the reference lines.
    pub levels: &'a [f64],
}

/// A label's size and the order of its places, see [`candidates`].
#[derive(Clone, Copy, Debug)]
pub struct Label {
    /// In pixels.
    pub w: f64,
    /// In pixels.
    pub h: f64,
}

/// Shares of a curve at which a label may stand, best first. Near the start all curves are close together.
const ALONG: [f64; 6] = [1.0, 0.86, 0.72, 0.58, 0.44, 0.3];
const GAP: f64 = 5.0;

/// Places for a curve's label, best first: right of its head where the curve has not come to the end, then
/// above and below it. The list is as long for every curve, so that a place can be named by its number from
/// one drawing to the next.
fn candidates(label: Label, curve: &[(f64, f64)], plot: Rect) -> Vec<Rect> {
    let Some(&(head_x, head_y)) = curve.iter().rev().find(|p| p.1.is_finite()) else { return Vec::new() };
    let Label { w, h } = label;
    let floor = (plot.bottom() - h).max(plot.y);
    let beside = |dy: f64| Rect { x: head_x + 2.0 * GAP, y: (head_y - h / 2.0 + dy).clamp(plot.y, floor), w, h };
    let mut places = vec![beside(0.0), beside(h), beside(-h)];
    let start = curve[0].0;
    for share in ALONG {
        let x = start + share * (head_x - start);
        let x = (x - if share == 1.0 { w } else { w / 2.0 }).clamp(plot.x + 2.0, (plot.right() - w).max(plot.x + 2.0));
        let under = curve.iter().filter(|p| p.0 >= x - 2.0 && p.0 <= x + w + 2.0 && p.1.is_finite()).map(|p| p.1);
        let (top, bottom) = under.fold((f64::INFINITY, f64::NEG_INFINITY), |(t, b), y| (t.min(y), b.max(y)));
        // Between two points far apart the curve is near its head.
        let (top, bottom) = if top.is_finite() { (top, bottom) } else { (head_y, head_y) };
        // Further off where another curve or label lies next to this one.
        for gap in [GAP, GAP + 0.6 * h, GAP + 1.3 * h, GAP + 2.4 * h] {
            places.push(Rect { x, y: top - gap - h, w, h });
            places.push(Rect { x, y: bottom + gap, w, h });
        }
    }
    places
}

/// Chooses a place for the label of `curves[own]`; `before` is the place it had in the last drawing, which it
/// keeps while that is about as good: a label that jumps draws the eye to nothing. Gives the place and its
/// number.
pub fn place(label: Label, own: usize, obstacles: &Obstacles, before: Option<usize>) -> Option<(Rect, usize)> {
    let curve = &obstacles.curves[own];
    let places = candidates(label, curve, obstacles.plot);
    let costs = places.iter().enumerate().map(|(i, rect)| {
        let order = if i < 3 { i as f64 } else { 3.0 + 3.0 * ((i - 3) / 8) as f64 + 0.5 * ((i - 3) % 8) as f64 };
        let kept = if before == Some(i) { -14.0 } else { 0.0 };
        cost(rect, own, obstacles) + order + kept
    });
    let best = costs.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).map(|(i, _)| i)?;
    Some((places[best], best))
}

fn cost(rect: &Rect, own: usize, obstacles: &Obstacles) -> f64 {
    let plot = &obstacles.plot;
    let outside = (plot.x - rect.x).max(0.0)
        + (rect.right() - plot.right()).max(0.0)
        + (plot.y - rect.y).max(0.0)
        + (rect.bottom() - plot.bottom()).max(0.0);
    let labels: f64 = obstacles.boxes.iter().map(|b| rect.overlap(b)).sum();
    let crossed: f64 = obstacles.curves.iter().map(|curve| length_inside(curve, rect)).sum();
    let levels = obstacles.levels.iter().filter(|y| **y > rect.y + 1.0 && **y < rect.bottom() - 1.0).count() as f64;
    // A steep curve leaves its label far away from itself.
    let middle = (rect.x + rect.w / 2.0, rect.y + rect.h / 2.0);
    let away = obstacles.curves[own]
        .iter()
        .filter(|p| p.1.is_finite())
        .map(|p| (p.0.clamp(rect.x, rect.right()) - p.0).hypot(middle.1 - p.1))
        .fold(f64::INFINITY, f64::min);
    60.0 * outside + 8.0 * labels + 1.2 * crossed + 12.0 * levels + 0.5 * (away - rect.h).max(0.0)
}

/// Pixels of a curve inside a rectangle, measured along x and y.
fn length_inside(curve: &[(f64, f64)], rect: &Rect) -> f64 {
    const PIECE: f64 = 3.0;
    let mut inside = 0.0;
    for pair in curve.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        if x1 < rect.x || x0 > rect.right() || !y0.is_finite() || !y1.is_finite() {
            continue;
        }
        let length = (x1 - x0).hypot(y1 - y0);
        let pieces = (length / PIECE).ceil().clamp(1.0, 400.0);
        let hits = (0..pieces as usize)
            .filter(|i| {
                let t = (*i as f64 + 0.5) / pieces;
                rect.holds((x0 + t * (x1 - x0), y0 + t * (y1 - y0)))
            })
            .count();
        inside += hits as f64 * length / pieces;
    }
    inside
}

/// Moves labels that still overlap apart vertically, inside the plot; as many as fit.
pub fn push_apart(boxes: &mut [Rect], plot: Rect) {
    let mut order: Vec<usize> = (0..boxes.len()).collect();
    order.sort_by(|a, b| boxes[*a].y.total_cmp(&boxes[*b].y));
    let meets = |a: &Rect, b: &Rect| a.x < b.right() && b.x < a.right();
    // Down in order, then up again from the bottom: one pass each way keeps them inside.
    for i in 1..order.len() {
        for j in 0..i {
            let (upper, lower) = (boxes[order[j]], boxes[order[i]]);
            if meets(&upper, &lower) && lower.y < upper.bottom() && lower.bottom() > upper.y {
                boxes[order[i]].y = upper.bottom();
            }
        }
    }
    let mut floor = plot.bottom();
    for i in order.into_iter().rev() {
        if boxes[i].bottom() > floor {
            boxes[i].y = (floor - boxes[i].h).max(plot.y);
            floor = boxes[i].y;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLOT: Rect = Rect { x: 40.0, y: 10.0, w: 320.0, h: 200.0 };
    const LABEL: Label = Label { w: 70.0, h: 15.0 };

    fn level(y: f64, to: f64) -> Vec<(f64, f64)> {
        (0..=100).map(|i| (40.0 + (to - 40.0) * i as f64 / 100.0, y)).collect()
    }

    fn obstacles(curves: &[Vec<(f64, f64)>]) -> Obstacles<'_> {
        Obstacles { plot: PLOT, boxes: Vec::new(), curves, levels: &[] }
    }

    #[test]
    fn a_growing_curve_is_named_right_of_its_head() {
        let curves = [level(100.0, 200.0)];
        let (rect, place) = place(LABEL, 0, &obstacles(&curves), None).unwrap();
        assert_eq!(place, 0);
        assert!(rect.x > 200.0 && rect.y < 100.0 && rect.bottom() > 100.0);
    }

    #[test]
    fn labels_of_curves_at_the_top_stay_inside_and_apart() {
        let curves: Vec<_> = [10.0, 12.0, 15.0, 11.0].map(|y| level(y, 360.0)).into();
        let mut all = obstacles(&curves);
        let mut placed = Vec::new();
        for own in 0..4 {
            let (rect, _) = place(LABEL, own, &all, None).unwrap();
            all.boxes.push(rect);
            placed.push(rect);
        }
        for (i, a) in placed.iter().enumerate() {
            assert!(
                a.y >= PLOT.y && a.bottom() <= PLOT.bottom() && a.x >= PLOT.x && a.right() <= PLOT.right(),
                "{a:?}"
            );
            assert!(placed[..i].iter().all(|b| a.overlap(b) == 0.0), "{placed:?}");
            assert!(curves.iter().all(|c| length_inside(c, a) == 0.0), "{a:?}");
        }
    }

    #[test]
    fn a_label_keeps_its_place_while_that_is_about_as_good() {
        let curves = [level(100.0, 360.0)];
        let all = obstacles(&curves);
        let (_, first) = place(LABEL, 0, &all, None).unwrap();
        let (_, kept) = place(LABEL, 0, &all, Some(first + 2)).unwrap();
        assert_eq!(kept, first + 2);
    }

    #[test]
    fn labels_that_overlap_are_pushed_apart_inside_the_plot() {
        let mut boxes = [190.0, 195.0, 192.0].map(|y| Rect { x: 100.0, y, w: 70.0, h: 15.0 });
        push_apart(&mut boxes, PLOT);
        for (i, a) in boxes.iter().enumerate() {
            assert!(a.bottom() <= PLOT.bottom() + 1e-9);
            assert!(boxes[..i].iter().all(|b| a.overlap(b) < 1e-9), "{boxes:?}");
        }
    }

    #[test]
    fn a_curve_of_no_points_has_no_label() {
        assert_eq!(place(LABEL, 0, &obstacles(&[vec![]]), None), None);
    }
}
