//! Where the methods' φ stands in the network, read from their configuration.

use crate::config::RunConfig;
use crate::model::ModelConfig;
use crate::model::{ModulePath, ParamKind, Site, Target};
use crate::peft::{Blocks, MethodConfig, Placement, Range, Rows, Shape};

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

/// Bottlenecks of the chosen blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct Bottlenecks {
    pub width: usize,
    pub placement: Placement,
    /// The name of σ.
    pub sigma: &'static str,
    layers: Blocks,
}

/// What stands beside a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    Lora,
    Dora,
    Vera,
}

/// Low-rank updates of chosen matrices.
#[derive(Clone, Debug, PartialEq)]
pub struct Updates {
    pub kind: Update,
    pub rank: usize,
    pub targets: Vec<Target>,
    layers: Blocks,
}

/// What stands in front of the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Front {
    /// Virtual tokens; of a text nobody has counted.
    pub tokens: Option<usize>,
    pub name: &'static str,
    pub shape: String,
    pub elements: usize,
    pub trained: bool,
}

/// Keys and values in front of those of the chosen blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct PrefixPlan {
    pub tokens: usize,
    pub shape: String,
    /// Trained numbers of the keys of a block, and as many of the values.
    pub elements: usize,
    layers: Blocks,
}

/// A φ that moves the whole network from one spot.
#[derive(Clone, Debug, PartialEq)]
pub struct Everywhere {
    pub label: &'static str,
    pub name: &'static str,
    pub shape: String,
    pub elements: usize,
    /// Whether they exist besides θ's.
    pub added: bool,
}

/// The places where φ stands. Without methods it is the base alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub shape: Shape,
    methods: Vec<MethodConfig>,
    pub head: Head,
    updates: Vec<Updates>,
    /// (IA)³'s factors.
    factors: Vec<Site>,
    pub front: Option<Front>,
    prefix: Option<PrefixPlan>,
    adapter: Option<Bottlenecks>,
    pub everywhere: Option<Everywhere>,
}

impl Plan {
    pub fn new(config: &RunConfig) -> Plan {
        let shape = config.shape();
        let d = shape.model.hidden_size;
        let mut plan = Plan {
            shape: shape.clone(),
            methods: config.methods().cloned().collect(),
            head: Head::Tied,
            updates: Vec::new(),
            factors: Vec::new(),
            front: None,
            prefix: None,
            adapter: None,
            everywhere: None,
        };
        for method in config.methods() {
            let count = method.method().count(&shape).total();
            match method {
                // They train copies of θ's tensors, of which the drawing asks one by one.
                MethodConfig::Full(_)
                | MethodConfig::Embeddings(_)
                | MethodConfig::AllButEmbeddings(_)
                | MethodConfig::BitFit(_)
                | MethodConfig::LnTuning(_)
                | MethodConfig::Layers(_)
                | MethodConfig::Pruning(_) => {}
                MethodConfig::LastLayer(last) => {
                    plan.head = match last.rows {
                        Rows::All => Head::Copy,
                        Rows::Labels => Head::Labels,
                        Rows::Block => Head::Tied,
                    }
                }
                MethodConfig::Lora(m) => plan.update(Update::Lora, m.rank, &m.target_modules, &m.layers),
                MethodConfig::Dora(m) => plan.update(Update::Dora, m.rank, &m.target_modules, &m.layers),
                MethodConfig::Vera(m) => plan.update(Update::Vera, m.rank, &m.target_modules, &m.layers),
                MethodConfig::Ia3(m) => {
                    let matrices = m.layers.list(shape.model.num_hidden_layers).into_iter();
                    let places =
                        matrices.flat_map(|layer| m.target_modules.iter().map(move |t| ModulePath::Linear(layer, *t)));
                    plan.factors.extend(places.map(|place| Site::Weight(place, ParamKind::Matrix)));
                }
                MethodConfig::Sparse(m) => {
                    plan.everywhere = Some(Everywhere {
                        label: "Δ",
                        name: "Δ, the change of chosen weights in all matrices",
                        shape: format!("{} weights", m.num_weights),
                        elements: count,
                        added: false,
                    });
                }
                MethodConfig::Subspace(m) => {
                    plan.everywhere = Some(Everywhere {
                        label: "φ",
                        name: "φ, which moves every tensor through P",
                        shape: format!("{} dimensions", m.intrinsic_dimension),
                        elements: count,
                        added: false,
                    });
                }
                MethodConfig::Prompt(m) => {
                    let n = m.num_virtual_tokens;
                    plan.stand_in_front(Some(n), "φ, virtual tokens in front of the text", format!("{n} × {d}"), count);
                }
                MethodConfig::PTuning(m) => {
                    let (n, h) = (m.num_virtual_tokens, m.encoder_hidden_size);
                    let shape = format!("E {n} × {d} and an MLP {d} → {h} → {h} → {d}");
                    plan.stand_in_front(Some(n), "φ, virtual tokens out of an MLP", shape, count);
                }
                MethodConfig::TextPrompt(m) if m.text.is_empty() => {}
                MethodConfig::TextPrompt(_) => {
                    plan.stand_in_front(None, "the prompt's tokens", "words, nothing trained".into(), 0);
                }
                MethodConfig::Icl(m) if m.shots == 0 => {}
                MethodConfig::Icl(m) => {
                    let shape = format!("{} questions with their answers as words, nothing trained", m.shots);
                    plan.stand_in_front(None, "demonstrations", shape, 0);
                }
                MethodConfig::Prefix(m) => {
                    let (n, h) = (m.num_virtual_tokens, m.encoder_hidden_size);
                    let (shape, elements) = match m.prefix_projection {
                        false => (format!("{n} × {d}"), n * d),
                        true => (format!("{n} × {d}, of W₂ and its bias {h} × {d} + {d}"), (h + 1) * d),
                    };
                    plan.prefix = Some(PrefixPlan { tokens: n, shape, elements, layers: m.layers.clone() });
                    if m.prefix_projection {
                        let shape = format!("E {n} × {d}, W₁ {h} × {d} and bias {h}");
                        plan.everywhere = Some(Everywhere {
                            label: "E, W_1",
                            name: "E and W₁ of the MLP that writes the prefix",
                            shape,
                            elements: n * d + d * h + h,
                            added: true,
                        });
                    }
                }
                MethodConfig::Adapter(m) => {
                    plan.adapter = Some(Bottlenecks {
                        width: m.bottleneck,
                        placement: m.placement,
                        sigma: choice(method, "non_linearity"),
                        layers: m.layers.clone(),
                    });
                }
                // A method of its own file is drawn as the base alone until it has a place here; a test asks for it.
                #[allow(unreachable_patterns)]
                _ => {}
            }
        }
        plan
    }

    fn update(&mut self, kind: Update, rank: usize, targets: &[Target], layers: &Blocks) {
        self.updates.push(Updates { kind, rank, targets: targets.to_vec(), layers: layers.clone() });
    }

    fn stand_in_front(&mut self, tokens: Option<usize>, name: &'static str, shape: String, elements: usize) {
        self.front = Some(Front { tokens, name, shape, elements, trained: elements > 0 });
    }

    pub fn model(&self) -> &ModelConfig {
        &self.shape.model
    }

    /// The low-rank update of a matrix.
    pub fn update_at(&self, layer: usize, target: Target) -> Option<&Updates> {
        self.updates.iter().find(|u| u.layers.contains(layer) && u.targets.contains(&target))
    }

    /// Low-rank updates of a block, in the order of its matrices.
    pub fn updates_of(&self, layer: usize) -> usize {
        Target::ALL.iter().filter(|target| self.update_at(layer, **target).is_some()).count()
    }

    /// Whether (IA)³ has a factor at a layer.
    pub fn factor_at(&self, layer: usize, target: Target) -> bool {
        self.factors.contains(&Site::Weight(ModulePath::Linear(layer, target), ParamKind::Matrix))
    }

    pub fn prefix_at(&self, layer: usize) -> Option<&PrefixPlan> {
        self.prefix.as_ref().filter(|p| p.layers.contains(layer))
    }

    pub fn adapter_at(&self, layer: usize) -> Option<&Bottlenecks> {
        self.adapter.as_ref().filter(|a| a.layers.contains(layer))
    }

    /// Whether φ holds a copy of a tensor of θ.
    pub fn copies(&self, place: ModulePath, piece: ParamKind) -> bool {
        self.methods.iter().any(|m| m.method().copies(place, piece, self.model()))
    }

    /// Trained numbers of a tensor of θ.
    pub fn trained(&self, place: ModulePath) -> usize {
        let of = |piece: &ParamKind| {
            self.methods.iter().map(|m| m.method().trained(place, *piece, self.model())).sum::<usize>()
        };
        place.pieces().iter().map(of).sum()
    }

    /// Whether a place's bias alone is trained, not what stands beside it.
    pub fn only_bias(&self, place: ModulePath) -> bool {
        place.pieces().iter().all(|piece| self.copies(place, *piece) == (*piece == ParamKind::Bias))
    }

    /// Whether all tensors of a place are trained.
    pub fn whole(&self, place: ModulePath) -> bool {
        place.pieces().iter().all(|piece| self.copies(place, *piece))
    }

    /// Whether any is.
    pub fn touches(&self, place: ModulePath) -> bool {
        place.pieces().iter().any(|piece| self.copies(place, *piece))
    }

    /// Whether φ moves a place from elsewhere.
    pub fn moves(&self, place: ModulePath) -> bool {
        let moving = |m: &&MethodConfig| matches!(m, MethodConfig::Sparse(_) | MethodConfig::Subspace(_));
        let sites = self.methods.iter().filter(moving).flat_map(|m| m.method().sites(self.model()));
        sites.into_iter().any(|spot| matches!(spot, Site::Weight(p, _) if p == place))
    }

    /// Whether anything outside the blocks is trained.
    pub fn outside(&self) -> bool {
        [ModulePath::Tokens, ModulePath::Positions, ModulePath::FinalNorm].into_iter().any(|place| self.touches(place))
            || self.head != Head::Tied
            || self.front.is_some()
            || self.everywhere.is_some()
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
    let shape = config.shape();
    config.methods().map(|method| shapes_of(method, &shape)).collect::<Vec<_>>().join("; ")
}

fn shapes_of(method: &MethodConfig, shape: &Shape) -> String {
    let m = &shape.model;
    let (d, v) = (m.hidden_size, m.vocab_size);
    let count = crate::base::grouped(method.method().count(shape).total());
    match method {
        MethodConfig::Full(_)
        | MethodConfig::AllButEmbeddings(_)
        | MethodConfig::Layers(_)
        | MethodConfig::Pruning(_) => format!("θ′ ∈ ℝ^{{{count}}}"),
        MethodConfig::BitFit(_) => format!("b ∈ ℝ^{{{d}}}, at fc1 ∈ ℝ^{{{}}}", m.ffn_dim),
        MethodConfig::LnTuning(_) => format!("γ, β ∈ ℝ^{{{d}}}"),
        MethodConfig::Embeddings(_) => format!("E ∈ ℝ^{{{v}×{d}}}"),
        MethodConfig::LastLayer(last) => match last.rows {
            Rows::All => format!("W_head ∈ ℝ^{{{v}×{d}}}"),
            Rows::Labels => format!("{0} rows of W_head ∈ ℝ^{{{0}×{d}}}", shape.labels),
            Rows::Block => format!("θ′ ∈ ℝ^{{{count}}} of the last block"),
        },
        MethodConfig::Lora(lora) => {
            of_matrices(&lora.target_modules, m, |i, o| format!("A ∈ ℝ^{{{0}×{i}}}, B ∈ ℝ^{{{o}×{0}}}", lora.rank))
        }
        MethodConfig::Dora(dora) => of_matrices(&dora.target_modules, m, |i, o| {
            format!("A ∈ ℝ^{{{0}×{i}}}, B ∈ ℝ^{{{o}×{0}}}, m ∈ ℝ^{{{o}}}", dora.rank)
        }),
        MethodConfig::Vera(vera) => {
            of_matrices(&vera.target_modules, m, |_, o| format!("Λ_d ∈ ℝ^{{{}}}, Λ_b ∈ ℝ^{{{o}}}", vera.rank))
        }
        MethodConfig::Ia3(ia3) => {
            let wide = ia3.target_modules.iter().any(|t| matches!(t, Target::Fc1 | Target::Fc2));
            let ff = if wide { format!(", at the MLP ∈ ℝ^{{{}}}", m.ffn_dim) } else { String::new() };
            format!("l ∈ ℝ^{{{d}}}{ff}")
        }
        MethodConfig::Sparse(_) => format!("Δ ∈ ℝ^{{{count}}}"),
        MethodConfig::Subspace(s) => {
            format!("φ ∈ ℝ^{{{}}}, D = {}", s.intrinsic_dimension, crate::base::grouped(m.parameters()))
        }
        MethodConfig::Prompt(p) => format!("φ ∈ ℝ^{{{}×{d}}}", p.num_virtual_tokens),
        MethodConfig::PTuning(p) => {
            format!("E ∈ ℝ^{{{}×{d}}}, MLP {d} → {1} → {1} → {d}", p.num_virtual_tokens, p.encoder_hidden_size)
        }
        MethodConfig::TextPrompt(_) | MethodConfig::Icl(_) => "nothing is trained".into(),
        MethodConfig::Prefix(p) => {
            let each = if p.layers.is_all() { "each block".to_string() } else { format!("blocks {}", p.layers) };
            format!("φ_K, φ_V ∈ ℝ^{{{}×{d}}} in {each}", p.num_virtual_tokens)
        }
        MethodConfig::Adapter(a) => {
            let s = if a.scaling == 1.0 { String::new() } else { format!(", s = {}", a.scaling) };
            format!(
                "W_D ∈ ℝ^{{{0}×{d}}}, W_U ∈ ℝ^{{{d}×{0}}}, σ = {1}{s}",
                a.bottleneck,
                choice(method, "non_linearity")
            )
        }
        #[allow(unreachable_patterns)]
        _ => String::new(),
    }
}

/// The shapes for chosen matrices: those of one shape share theirs, those that differ are named.
fn of_matrices(targets: &[Target], model: &ModelConfig, shapes: impl Fn(usize, usize) -> String) -> String {
    let mut groups: Vec<((usize, usize), Vec<&str>)> = Vec::new();
    for target in targets {
        let size = target.shape(model);
        let label = Target::OPTIONS[*target as usize].1;
        match groups.iter_mut().find(|(s, _)| *s == size) {
            Some((_, labels)) => labels.push(label),
            None => groups.push((size, vec![label])),
        }
    }
    let several = groups.len() > 1;
    let group = |((inputs, outputs), labels): &((usize, usize), Vec<&str>)| {
        let of = if several { format!("{}: ", labels.join(" ")) } else { String::new() };
        format!("{of}{}", shapes(*inputs, *outputs))
    };
    groups.iter().map(group).collect::<Vec<_>>().join("; ")
}
