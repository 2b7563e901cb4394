//! Where a method's φ stands in the network, read from its configuration.

use crate::config::RunConfig;
use crate::model::ModelConfig;
use crate::peft::{Lora, MethodConfig, Piece, Place, Range, Shape};

/// What is trained at the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// Nothing of its own: it is the token embedding.
    Tied,
    /// A copy of the whole matrix.
    Copy,
    /// Copies of the labels' rows.
    Labels,
}

/// Bottlenecks of each block.
#[derive(Clone, Debug, PartialEq)]
pub struct Bottlenecks {
    pub width: usize,
    pub after_attention: bool,
    pub after_mlp: bool,
    /// The name of σ.
    pub sigma: &'static str,
}

/// The places where φ stands. The default is the base alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub shape: Shape,
    method: MethodConfig,
    pub head: Head,
    pub lora: Option<Lora>,
    /// Virtual tokens in front of the text.
    pub prompt: Option<usize>,
    /// Keys and values in front of those of each block.
    pub prefix: Option<usize>,
    pub adapter: Option<Bottlenecks>,
}

impl Plan {
    pub fn new(config: &RunConfig) -> Plan {
        let mut plan = Plan {
            shape: config.shape(),
            method: config.method.clone(),
            head: Head::Tied,
            lora: None,
            prompt: None,
            prefix: None,
            adapter: None,
        };
        match &config.method {
            // They train copies of θ's tensors, of which the drawing asks one by one.
            MethodConfig::Full(_) | MethodConfig::BitFit(_) => {}
            MethodConfig::LastLayer(_) => {
                let labels = config.method.get("rows").is_some_and(|rows| rows == "labels");
                plan.head = if labels { Head::Labels } else { Head::Copy };
            }
            MethodConfig::Lora(lora) => plan.lora = Some(lora.clone()),
            MethodConfig::Prompt(prompt) => plan.prompt = Some(prompt.num_virtual_tokens),
            MethodConfig::Prefix(prefix) => plan.prefix = Some(prefix.num_virtual_tokens),
            MethodConfig::Adapter(adapter) => {
                plan.adapter = Some(Bottlenecks {
                    width: adapter.bottleneck,
                    after_attention: adapter.placement.after_attention(),
                    after_mlp: adapter.placement.after_mlp(),
                    sigma: choice(&config.method, "non_linearity"),
                });
            }
            // A method of its own file is drawn as the base alone until it has a place here; a test asks for it.
            #[allow(unreachable_patterns)]
            _ => {}
        }
        plan
    }

    pub fn model(&self) -> &ModelConfig {
        &self.shape.model
    }

    /// Whether φ holds a copy of a tensor of θ.
    pub fn copies(&self, place: Place, piece: Piece) -> bool {
        self.method.method().copies(place, piece)
    }

    /// Whether a place's bias alone is trained, not what stands beside it.
    pub fn only_bias(&self, place: Place) -> bool {
        place.pieces().iter().all(|piece| self.copies(place, *piece) == (*piece == Piece::Bias))
    }

    /// Whether all tensors of a place are trained.
    pub fn whole(&self, place: Place) -> bool {
        place.pieces().iter().all(|piece| self.copies(place, *piece))
    }

    /// Whether any is.
    pub fn touches(&self, place: Place) -> bool {
        place.pieces().iter().any(|piece| self.copies(place, *piece))
    }

    /// Whether anything outside the blocks is trained.
    pub fn outside(&self) -> bool {
        [Place::Tokens, Place::Positions, Place::FinalNorm].into_iter().any(|place| self.touches(place))
            || self.head != Head::Tied
            || self.prompt.is_some()
    }
}

/// The label of a knob's chosen option.
fn choice(method: &MethodConfig, knob: &str) -> &'static str {
    let value = method.get(knob);
    let range = method.info().knobs.iter().find(|k| k.name == knob).map(|k| &k.range);
    match (range, value) {
        (Some(Range::Choice(options)), Some(value)) => {
            options.iter().find(|(v, _)| *v == value).map_or("σ", |(_, label)| label)
        }
        _ => "σ",
    }
}

/// The shapes of φ, in [`super::formula`]'s marks; empty for a method that has no place here yet.
pub fn shapes(config: &RunConfig) -> String {
    let plan = Plan::new(config);
    let m = plan.model();
    let (d, v) = (m.hidden_size, m.vocab_size);
    match &plan.method {
        MethodConfig::Full(_) => return format!("θ′ ∈ ℝ^{{{}}}", crate::peft::grouped(config.trainable())),
        MethodConfig::BitFit(_) => return format!("b ∈ ℝ^{{{d}}}, at fc1 ∈ ℝ^{{{}}}", m.ffn_dim),
        _ => {}
    }
    match plan.head {
        Head::Tied => {}
        Head::Copy => return format!("W_head ∈ ℝ^{{{v}×{d}}}"),
        Head::Labels => return format!("{0} rows of W_head ∈ ℝ^{{{0}×{d}}}", plan.shape.labels),
    }
    if let Some(lora) = &plan.lora {
        let r = lora.rank;
        // Matrices of one shape share A's and B's; those that differ are named.
        let mut groups: Vec<((usize, usize), Vec<&str>)> = Vec::new();
        for target in &lora.target_modules {
            let size = target.shape(m);
            let label = crate::peft::Target::OPTIONS[*target as usize].1;
            match groups.iter_mut().find(|(s, _)| *s == size) {
                Some((_, labels)) => labels.push(label),
                None => groups.push((size, vec![label])),
            }
        }
        let several = groups.len() > 1;
        let group = |((inputs, outputs), labels): &((usize, usize), Vec<&str>)| {
            let of = if several { format!("{}: ", labels.join(" ")) } else { String::new() };
            format!("{of}A ∈ ℝ^{{{r}×{inputs}}}, B ∈ ℝ^{{{outputs}×{r}}}")
        };
        return groups.iter().map(group).collect::<Vec<_>>().join("; ");
    }
    if let Some(n) = plan.prompt {
        return format!("φ ∈ ℝ^{{{n}×{d}}}");
    }
    if let Some(n) = plan.prefix {
        return format!("φ_K, φ_V ∈ ℝ^{{{n}×{d}}} in each block");
    }
    if let Some(Bottlenecks { width, sigma, .. }) = &plan.adapter {
        return format!("W_D ∈ ℝ^{{{width}×{d}}}, W_U ∈ ℝ^{{{d}×{width}}}, σ = {sigma}");
    }
    String::new()
}
