//! Formulas in plain characters: `_x`, `_{xy}`, `^{xy}` are sub- and superscripts, what φ holds stands between `⟨` and `⟩`.

use yew::prelude::*;

/// A piece of a formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Plain characters.
    Text(String),
    /// What φ holds.
    Phi(Vec<Piece>),
    /// A subscript.
    Sub(Vec<Piece>),
    /// A superscript.
    Super(Vec<Piece>),
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Reads a formula. Brackets that are not closed end with the text.
pub fn parse(text: &str) -> Vec<Piece> {
    parse_until(&mut text.chars().peekable(), None)
}

fn parse_until(rest: &mut Chars, end: Option<char>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    while let Some(c) = rest.next() {
        let piece = match c {
            c if Some(c) == end => break,
            '⟨' => Piece::Phi(parse_until(rest, Some('⟩'))),
            '_' => Piece::Sub(argument(rest)),
            '^' => Piece::Super(argument(rest)),
            c => {
                plain.push(c);
                continue;
            }
        };
        flush(&mut plain, &mut pieces);
        pieces.push(piece);
    }
    flush(&mut plain, &mut pieces);
    pieces
}

fn flush(plain: &mut String, pieces: &mut Vec<Piece>) {
    if !plain.is_empty() {
        pieces.push(Piece::Text(std::mem::take(plain)));
    }
}

/// What follows `_` or `^`: a group in braces, or a run of letters and digits (`W_head`).
fn argument(rest: &mut Chars) -> Vec<Piece> {
    if rest.next_if_eq(&'{').is_some() {
        return parse_until(rest, Some('}'));
    }
    let mut run = String::new();
    while let Some(c) = rest.next_if(|c| c.is_alphanumeric()) {
        run.push(c);
    }
    vec![Piece::Text(run)]
}

/// The formula's characters alone, for names that are read aloud.
pub fn plain(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Phi(inner) | Piece::Sub(inner) | Piece::Super(inner) => plain(inner),
        })
        .collect()
}

/// A formula as tspans inside a `<text>`; sub- and superscripts are shifted by `size`'s share, because browsers disagree about
/// `baseline-shift`.
pub fn tspans(pieces: &[Piece], size: f64) -> Html {
    let mut out = Vec::new();
    let mut shift = 0.0;
    spans(pieces, size, false, &mut shift, 0.0, &mut out);
    out.into_iter().collect()
}

fn spans(pieces: &[Piece], size: f64, phi: bool, shift: &mut f64, level: f64, out: &mut Vec<Html>) {
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                let dy = (level - *shift) * size;
                *shift = level;
                let small = (level != 0.0).then(|| format!("font-size:{:.1}px", 0.72 * size));
                out.push(html! { <tspan dy={format!("{dy:.2}")} style={small} class={phi.then_some("phi")}>{ text }</tspan> });
            }
            Piece::Phi(inner) => spans(inner, size, true, shift, level, out),
            Piece::Sub(inner) => spans(inner, size, phi, shift, 0.22, out),
            Piece::Super(inner) => spans(inner, size, phi, shift, -0.36, out),
        }
    }
}

/// What [`Formula`] shows.
#[derive(Properties, PartialEq)]
pub struct FormulaProps {
    /// In the marks of this module.
    pub text: AttrValue,
}

/// A formula in a serif maths face, φ's terms in φ's colour.
#[component]
pub fn Formula(props: &FormulaProps) -> Html {
    html! { <span class="formula">{ spans_of(&parse(&props.text)) }</span> }
}

fn spans_of(pieces: &[Piece]) -> Html {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => html! { { text } },
            Piece::Phi(inner) => html! { <span class="phi">{ spans_of(inner) }</span> },
            Piece::Sub(inner) => html! { <sub>{ spans_of(inner) }</sub> },
            Piece::Super(inner) => html! { <sup>{ spans_of(inner) }</sup> },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(s: &str) -> Piece {
        Piece::Text(s.into())
    }

    #[test]
    fn brackets_of_phi_and_scripts_become_pieces() {
        assert_eq!(
            parse("x + ⟨W_U σ(W_D x)⟩"),
            [
                text("x + "),
                Piece::Phi(vec![
                    text("W"),
                    Piece::Sub(vec![text("U")]),
                    text(" σ(W"),
                    Piece::Sub(vec![text("D")]),
                    text(" x)")
                ])
            ]
        );
        assert_eq!(parse("ℝ^{4×64}"), [text("ℝ"), Piece::Super(vec![text("4×64")])]);
        assert_eq!(parse("W_head"), [text("W"), Piece::Sub(vec![text("head")])]);
        assert_eq!(parse("f_{⟨θ′⟩}"), [text("f"), Piece::Sub(vec![Piece::Phi(vec![text("θ′")])])]);
    }

    #[test]
    fn no_mark_is_left_in_any_method_s_formula() {
        let models = || crate::model::families::real_models().map(|real| real.config.clone());
        for method in crate::peft::MethodConfig::all() {
            let formulas = models().map(|model| method.method().formula(&model));
            for formula in formulas.chain([method.info().formula]) {
                let drawn = plain(&parse(formula));
                assert!(!drawn.contains(['⟨', '⟩', '_', '^', '{', '}']), "{drawn}");
            }
        }
    }
}
