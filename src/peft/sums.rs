//! Parts of a network written out as sums, for the counts of methods that copy them.

use crate::model::{ModelConfig, ModulePath, NormKind, ParamKind, Target};

/// A sum in factors, and its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// The products (`4 × (64 × 64 + 64)`), joined by `+`.
    pub written: String,
    /// Elements.
    pub value: u64,
}

impl Sum {
    /// Sums one after the other; empty ones are left out.
    pub fn of(sums: impl IntoIterator<Item = Sum>) -> Sum {
        let sums: Vec<Sum> = sums.into_iter().filter(|sum| sum.value > 0).collect();
        let written: Vec<&str> = sums.iter().map(|sum| sum.written.as_str()).collect();
        Sum { written: written.join(" + "), value: sums.iter().map(|sum| sum.value).sum() }
    }
}

/// Equal things together, with how many there are, in order of appearance.
pub fn grouped_by<T, K: PartialEq>(things: &[T], key: impl Fn(&T) -> K) -> Vec<(K, usize)> {
    let mut groups: Vec<(K, usize)> = Vec::new();
    for thing in things {
        let key = key(thing);
        match groups.iter_mut().find(|(of, _)| *of == key) {
            Some((_, n)) => *n += 1,
            None => groups.push((key, 1)),
        }
    }
    groups
}

/// Biases of some of a block's linear layers, those of one width together; none where the base has none.
/// `alone` writes a single one as its width, without `1 ×`.
pub fn biases(targets: &[Target], alone: bool, model: &ModelConfig) -> Sum {
    let groups = grouped_by(targets, |target| ModulePath::Linear(0, *target).elements(ParamKind::Bias, model));
    Sum::of(groups.into_iter().map(|(width, k)| {
        let written = if alone && k == 1 { width.to_string() } else { format!("{k} × {width}") };
        Sum { written, value: k as u64 * width }
    }))
}

/// Matrices of a block with their biases.
fn matrices(targets: &[Target], model: &ModelConfig) -> Sum {
    let layer = |target: &Target| {
        let bias = ModulePath::Linear(0, *target).elements(ParamKind::Bias, model) > 0;
        (target.shape(model), bias)
    };
    let written = |(((inputs, outputs), bias), n): (((usize, usize), bool), usize)| {
        let one = format!("{inputs} × {outputs}") + &if bias { format!(" + {outputs}") } else { String::new() };
        let elements = (inputs as u64 + u64::from(bias)) * outputs as u64;
        let written = match (n, bias) {
            (1, _) => one,
            (_, true) => format!("{n} × ({one})"),
            (_, false) => format!("{n} × {one}"),
        };
        Sum { written, value: n as u64 * elements }
    };
    Sum::of(grouped_by(targets, layer).into_iter().map(written))
}

/// The four projections of a block.
pub fn attention(model: &ModelConfig) -> Sum {
    matrices(&[Target::Q, Target::K, Target::V, Target::O], model)
}

/// The MLP of a block.
pub fn mlp(model: &ModelConfig) -> Sum {
    let targets: &[Target] = match model.gated {
        true => &[Target::Gate, Target::Fc1, Target::Fc2],
        false => &[Target::Fc1, Target::Fc2],
    };
    matrices(targets, model)
}

/// The norms of a block, those of its heads included.
pub fn norms(model: &ModelConfig) -> Sum {
    let d = model.hidden_size;
    let pieces = ModulePath::AttentionNorm(0).pieces(model).len();
    let own = if pieces == 1 { format!("2 × {d}") } else { format!("2 × {pieces} × {d}") };
    let own = Sum { written: own, value: 2 * (pieces * d) as u64 };
    let of_heads = if model.normed_heads { model.head_dim } else { 0 };
    Sum::of([own, Sum { written: format!("2 × {of_heads}"), value: 2 * of_heads as u64 }])
}

/// A whole block.
pub fn block(model: &ModelConfig) -> Sum {
    Sum::of([attention(model), norms(model), mlp(model)])
}

/// What a block holds, in words.
pub fn block_in_words(model: &ModelConfig) -> String {
    format!("four projections, two {}s, the MLP", model.norm.kind.title())
}

/// The norm behind all blocks.
pub fn final_norm(model: &ModelConfig) -> Sum {
    let d = model.hidden_size;
    match model.norm.kind {
        NormKind::Layer => Sum { written: format!("2 × {d}"), value: 2 * d as u64 },
        NormKind::Root => Sum { written: d.to_string(), value: d as u64 },
    }
}

/// Token and position embeddings, and a head of its own, in words.
pub fn embeddings_in_words(model: &ModelConfig) -> &'static str {
    match (model.position_rows() > 0, model.tied) {
        (true, true) => "token and position embeddings",
        (true, false) => "token and position embeddings, head",
        (false, true) => "token embedding",
        (false, false) => "token embedding and head",
    }
}

/// Token and position embeddings, and a head of its own.
pub fn embeddings(model: &ModelConfig) -> Sum {
    let (v, p, d) = (model.vocab_size, model.position_rows(), model.hidden_size as u64);
    let (heads, product) = (if model.tied { 1 } else { 2 }, if model.tied { "" } else { "2 × " });
    let written = match p {
        0 => format!("{product}{v} × {d}"),
        _ => format!("({product}{v} + {p}) × {d}"),
    };
    Sum { written, value: (heads * v + p) as u64 * d }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::families;

    #[test]
    fn sums_of_every_published_model_are_its_parameters() {
        for real in families::real_models() {
            let (m, n) = (&real.config, real.config.num_hidden_layers as u64);
            assert_eq!(block(m).value, m.block_parameters(), "{}", real.title);
            assert_eq!(
                embeddings(m).value + n * block(m).value + final_norm(m).value,
                m.parameters(),
                "{}",
                real.title
            );
        }
    }
}
