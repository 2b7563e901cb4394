//! What a diagram is made of: parts with their shape and count, and the lines between them. Pixels of the drawing's own view box.

use crate::base::grouped;
use crate::ui::chart::label_placement::Rect;

/// The outline of a part. Data flows upwards where nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A rectangle.
    Box,
    /// A trapezoid, wide at its top: a matrix to more dimensions.
    Widening,
    /// A trapezoid, narrow at its top: a matrix to fewer dimensions.
    Narrowing,
    /// Wide at its right, where data flows to the right.
    WideningRight,
    /// Narrow at its right, likewise.
    NarrowingRight,
    /// A function without parameters.
    Pill,
    /// A sum.
    Plus,
    /// So many vectors side by side.
    Vectors(usize),
}

/// How often a part is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Once.
    Network,
    /// Once in each block.
    Block,
}

/// A part of the network, or of φ.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its outline.
    pub form: Form,
    /// The box around the outline.
    pub area: Rect,
    /// What is written on it, in [`super::formula`]'s marks; may be empty.
    pub label: String,
    /// Letters of the label, in pixels.
    pub letter: f64,
    /// What it is called (`W_Q`, `LoRA A of W_Q`).
    pub name: String,
    /// Its shape in words (`64 × 64 and bias 64`), or what it does where it has no parameters.
    pub shape: String,
    /// Parameters it holds.
    pub elements: u64,
    /// Whether any of its parameters is trained.
    pub trained: bool,
    /// How many of its parameters are trained: a pruned matrix trains what is left of it.
    pub trained_elements: u64,
    /// φ moves it, though it holds nothing of φ itself.
    pub moved: bool,
    /// Once, or once in each block.
    pub scope: Scope,
}

impl Part {
    /// A frozen part of one block, written in letters of 12 pixels.
    pub fn new(form: Form, area: Rect, label: impl Into<String>, name: impl Into<String>) -> Part {
        Part {
            form,
            area,
            label: label.into(),
            letter: 12.0,
            name: name.into(),
            shape: String::new(),
            elements: 0,
            trained: false,
            trained_elements: 0,
            moved: false,
            scope: Scope::Block,
        }
    }

    /// With this shape in words and so many parameters.
    pub fn shape(mut self, shape: impl Into<String>, elements: u64) -> Part {
        self.shape = shape.into();
        self.elements = elements;
        self
    }

    /// With all of its parameters trained, or none.
    pub fn trained(mut self, trained: bool) -> Part {
        self.trained = trained;
        self.trained_elements = if trained { self.elements } else { 0 };
        self
    }

    /// With so many of its parameters trained.
    pub fn partly(mut self, trained: u64) -> Part {
        self.trained = trained > 0;
        self.trained_elements = trained;
        self
    }

    /// Moved by a φ that stands elsewhere.
    pub fn moved(mut self, moved: bool) -> Part {
        self.moved = moved && !self.trained;
        self
    }

    /// Once, or once in each block.
    pub fn scope(mut self, scope: Scope) -> Part {
        self.scope = scope;
        self
    }

    /// Written in letters of so many pixels.
    pub fn letter(mut self, letter: f64) -> Part {
        self.letter = letter;
        self
    }

    /// With a longer label where there is room for it, in smaller letters if need be: else what is left out stands in
    /// what is said of the part.
    pub fn written(mut self, label: String) -> Part {
        /// Smaller ones nobody reads from a bench.
        const SMALLEST: f64 = 10.0;
        let longer = Part { label, ..self.clone() };
        let room = longer.room() / longer.text_width() * longer.letter;
        if room >= SMALLEST {
            self.letter = self.letter.min(room);
            self.label = longer.label;
        }
        self
    }

    /// Whether the label is a symbol, which stands in the maths face, or a word.
    pub fn is_symbol(&self) -> bool {
        self.label.contains(['_', 'σ', 'φ', 'ᵀ']) || self.label.chars().count() == 1
    }

    /// Letters of the label as they are drawn: symbols are larger than words.
    pub fn drawn_letter(&self) -> f64 {
        if self.is_symbol() { self.letter + 2.5 } else { self.letter }
    }

    /// About how wide the label is.
    pub fn text_width(&self) -> f64 {
        // Marks of the formula are not drawn, and what they lower is small: a symbol's letters are narrower. Words are
        // bold where they are trained.
        let letters = self.label.chars().filter(|c| !['_', '{', '}', '⟨', '⟩'].contains(c)).count() as f64;
        letters * self.drawn_letter() * if self.is_symbol() { 0.5 } else { 0.61 }
    }

    /// How wide the outline is at the label's height, with a margin.
    pub fn room(&self) -> f64 {
        let slant = 2.0 * (self.area.right() - self.side());
        // The lower half of the letters, where a trapezoid is narrower.
        self.area.w - slant - 0.5 * slant * self.letter / self.area.h.max(1.0) - 4.0
    }

    /// Where the middle of the right side is: a trapezoid's is slanted.
    pub fn side(&self) -> f64 {
        match self.form {
            Form::Widening | Form::Narrowing => self.area.right() - self.inset() / 2.0,
            _ => self.area.right(),
        }
    }

    /// How much narrower a trapezoid is at its narrow end, on either side.
    fn inset(&self) -> f64 {
        // A slant that one sees at every size.
        (0.22 * self.area.w).min(1.1 * self.area.h)
    }

    /// `W_Q, 64 × 64 and bias 64, frozen`
    pub fn spoken(&self) -> String {
        [self.name.as_str(), self.shape.as_str(), self.state()]
            .iter()
            .filter(|s| !s.is_empty())
            .copied()
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// What stands below the diagram while one looks at the part, after its name; `blocks` is how many there are.
    pub fn caption(&self, blocks: usize) -> String {
        let each = match self.scope {
            Scope::Block if self.elements > 0 && blocks > 1 => format!(" in each of {blocks} blocks"),
            _ => String::new(),
        };
        match self.elements {
            0 => [self.shape.as_str(), self.state()]
                .iter()
                .filter(|s| !s.is_empty())
                .copied()
                .collect::<Vec<_>>()
                .join(" · "),
            n if self.trained && self.trained_elements < n => {
                format!(
                    "{} · {} of {} parameters{each} · trained",
                    self.shape,
                    grouped(self.trained_elements),
                    grouped(n)
                )
            }
            n => format!("{} · {} parameters{each} · {}", self.shape, grouped(n), self.state()),
        }
    }

    fn state(&self) -> &'static str {
        match (self.trained, self.elements) {
            (true, _) => "trained",
            (false, 0) => "",
            (false, _) if self.moved => "moved by φ",
            (false, _) => "frozen",
        }
    }

    /// The corners of a box or trapezoid.
    pub fn corners(&self) -> [(f64, f64); 4] {
        let Rect { x, y, w, h } = self.area;
        let inset = self.inset();
        let (top, bottom) = match self.form {
            Form::Widening => (0.0, inset),
            Form::Narrowing => (inset, 0.0),
            _ => (0.0, 0.0),
        };
        let slant = 0.24 * h;
        let (left, right) = match self.form {
            Form::WideningRight => (slant, 0.0),
            Form::NarrowingRight => (0.0, slant),
            _ => (0.0, 0.0),
        };
        [(x + bottom, y + h - left), (x + top, y + left), (x + w - top, y + right), (x + w - bottom, y + h - right)]
    }
}

/// What a line carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The frozen network's data.
    Main,
    /// Through φ.
    Phi,
    /// Two parts that are one.
    Tie,
    /// From a block of the stack to the opened one.
    Zoom,
}

/// A line of straight pieces with rounded corners.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What it carries.
    pub flow: Flow,
    /// (x, y) of its corners, from start to end.
    pub points: Vec<(f64, f64)>,
    /// Whether it ends in an arrow's head.
    pub arrow: bool,
}

/// A text beside the parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// Its left end.
    pub x: f64,
    /// Its base line.
    pub y: f64,
    /// In [`super::formula`]'s marks.
    pub text: String,
}

/// Parts and lines on the way to a drawing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Canvas {
    /// Those drawn first lie below.
    pub parts: Vec<Part>,
    /// All of them lie below the parts.
    pub lines: Vec<Line>,
    /// Texts that belong to no part.
    pub notes: Vec<Note>,
}

impl Canvas {
    /// A line of the frozen network that ends in an arrow.
    pub fn arrow(&mut self, points: &[(f64, f64)]) {
        self.lines.push(Line { flow: Flow::Main, points: points.to_vec(), arrow: true });
    }

    /// A line without an arrow.
    pub fn line(&mut self, flow: Flow, points: &[(f64, f64)]) {
        self.lines.push(Line { flow, points: points.to_vec(), arrow: false });
    }

    /// A line through φ that ends where it joins the main one.
    pub fn bypass(&mut self, points: &[(f64, f64)]) {
        self.lines.push(Line { flow: Flow::Phi, points: points.to_vec(), arrow: false });
    }

    /// A text from a point on its base line to the right.
    pub fn note(&mut self, x: f64, y: f64, text: impl Into<String>) {
        self.notes.push(Note { x, y, text: text.into() });
    }

    /// A ⊕ around a point.
    pub fn plus(&mut self, (x, y): (f64, f64), name: &str) {
        let r = PLUS;
        let area = Rect { x: x - r, y: y - r, w: 2.0 * r, h: 2.0 * r };
        self.parts.push(Part::new(Form::Plus, area, "", name));
    }

    /// Moves everything.
    pub fn shift(&mut self, dx: f64, dy: f64) {
        for part in &mut self.parts {
            part.area.x += dx;
            part.area.y += dy;
        }
        for (x, y) in self.lines.iter_mut().flat_map(|l| l.points.iter_mut()) {
            *x += dx;
            *y += dy;
        }
        for note in &mut self.notes {
            note.x += dx;
            note.y += dy;
        }
    }

    /// Adds another canvas where it stands.
    pub fn append(&mut self, mut other: Canvas) {
        self.parts.append(&mut other.parts);
        self.lines.append(&mut other.lines);
        self.notes.append(&mut other.notes);
    }
}

/// Radius of a ⊕.
pub const PLUS: f64 = 7.0;

/// An SVG path along points, its corners rounded.
pub fn rounded(points: &[(f64, f64)]) -> String {
    const RADIUS: f64 = 7.0;
    let Some(((x, y), _)) = points.split_first() else { return String::new() };
    let mut out = format!("M{x:.1} {y:.1}");
    for window in points.windows(3) {
        let [from, corner, to] = [window[0], window[1], window[2]];
        // Half of a short piece at most, so that two corners on it do not meet.
        let toward = |end: (f64, f64)| {
            let length = (end.0 - corner.0).hypot(end.1 - corner.1).max(1e-6);
            let share = (RADIUS / length).min(0.5);
            (corner.0 + share * (end.0 - corner.0), corner.1 + share * (end.1 - corner.1))
        };
        let (a, b) = (toward(from), toward(to));
        out.push_str(&format!("L{:.1} {:.1}Q{:.1} {:.1} {:.1} {:.1}", a.0, a.1, corner.0, corner.1, b.0, b.1));
    }
    if let [.., (x, y)] = points {
        out.push_str(&format!("L{x:.1} {y:.1}"));
    }
    out
}

/// The head of an arrow that ends at the last of the points.
pub fn arrow_head(points: &[(f64, f64)]) -> Option<[(f64, f64); 3]> {
    let [.., from, tip] = points else { return None };
    let length = (tip.0 - from.0).hypot(tip.1 - from.1);
    if length < 1e-6 {
        return None;
    }
    let (ux, uy) = ((tip.0 - from.0) / length, (tip.1 - from.1) / length);
    let (long, half) = (5.5, 3.2);
    let base = (tip.0 - long * ux, tip.1 - long * uy);
    Some([*tip, (base.0 - half * uy, base.1 + half * ux), (base.0 + half * uy, base.1 - half * ux)])
}
