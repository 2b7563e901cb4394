//! Where the methods' φ stands in the network, read from their marks.

use crate::config::RunConfig;
use crate::model::{ModelConfig, ModulePath, ParamKind, Site, Target};
use crate::peft::{Blocks, Bottlenecks, Everywhere, Front, HeadCopy, Mark, MethodConfig, PrefixMark, Shape, Update};

/// The places where φ stands. Without methods it is the base alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The base and the number of labels.
    pub shape: Shape,
    methods: Vec<MethodConfig>,
    /// What is trained of an untied head; `None` where it is the token embedding.
    pub head: Option<HeadCopy>,
    updates: Vec<Update>,
    /// A factor for each dimension, at these matrices of these blocks.
    factors: Vec<(Vec<Target>, Blocks)>,
    /// What stands in front of the text.
    pub front: Option<Front>,
    prefix: Option<PrefixMark>,
    adapter: Option<Bottlenecks>,
    /// A φ that moves the whole network.
    pub everywhere: Option<Everywhere>,
    /// Sites of methods that move tensors from elsewhere.
    moved: Vec<Site>,
}

impl Plan {
    /// Reads the marks of every method of a run.
    pub fn new(config: &RunConfig) -> Plan {
        let mut plan = Plan {
            shape: config.shape(),
            methods: config.methods().cloned().collect(),
            head: None,
            updates: Vec::new(),
            factors: Vec::new(),
            front: None,
            prefix: None,
            adapter: None,
            everywhere: None,
            moved: Vec::new(),
        };
        for method in config.methods() {
            for mark in method.overlay().marks(&plan.shape) {
                match mark {
                    Mark::Head(copy) => plan.head = Some(copy),
                    Mark::Update(update) => plan.updates.push(update),
                    Mark::Factors { targets, blocks } => plan.factors.push((targets, blocks)),
                    Mark::Front(front) => plan.front = Some(front),
                    Mark::Prefix(prefix) => plan.prefix = Some(prefix),
                    Mark::Bottlenecks(bottlenecks) => plan.adapter = Some(bottlenecks),
                    Mark::Everywhere(everywhere) => {
                        if !everywhere.added {
                            plan.moved.extend(method.method().sites(&plan.shape.model));
                        }
                        plan.everywhere = Some(everywhere);
                    }
                }
            }
        }
        plan
    }

    /// The base's shape.
    pub fn model(&self) -> &ModelConfig {
        &self.shape.model
    }

    /// The low-rank update of a matrix.
    pub fn update_at(&self, layer: usize, target: Target) -> Option<&Update> {
        self.updates.iter().find(|u| u.blocks.contains(layer) && u.targets.contains(&target))
    }

    /// Low-rank updates of a block, in the order of its matrices.
    pub fn updates_of(&self, layer: usize) -> usize {
        Target::of(self.model()).iter().filter(|target| self.update_at(layer, **target).is_some()).count()
    }

    /// Whether φ has a factor at a layer.
    pub fn factor_at(&self, layer: usize, target: Target) -> bool {
        self.factors.iter().any(|(targets, blocks)| blocks.contains(layer) && targets.contains(&target))
    }

    /// The keys and values in front of those of a block.
    pub fn prefix_at(&self, layer: usize) -> Option<&PrefixMark> {
        self.prefix.as_ref().filter(|p| p.blocks.contains(layer))
    }

    /// The bottlenecks of a block.
    pub fn adapter_at(&self, layer: usize) -> Option<&Bottlenecks> {
        self.adapter.as_ref().filter(|a| a.blocks.contains(layer))
    }

    /// Whether φ holds a copy of a tensor of θ.
    pub fn copies(&self, place: ModulePath, piece: ParamKind) -> bool {
        self.methods.iter().any(|m| m.method().copies(place, piece, self.model()))
    }

    /// Trained numbers of a tensor of θ.
    pub fn trained(&self, place: ModulePath) -> u64 {
        let of = |piece: &ParamKind| {
            self.methods.iter().map(|m| m.method().trained(place, *piece, self.model())).sum::<u64>()
        };
        place.pieces(self.model()).iter().map(of).sum()
    }

    /// Whether a place's bias alone is trained, not what stands beside it.
    pub fn only_bias(&self, place: ModulePath) -> bool {
        self.copies(place, ParamKind::Bias)
            && place.pieces(self.model()).iter().all(|piece| self.copies(place, *piece) == (*piece == ParamKind::Bias))
    }

    /// Whether all tensors of a place are trained.
    pub fn whole(&self, place: ModulePath) -> bool {
        place.pieces(self.model()).iter().all(|piece| self.copies(place, *piece))
    }

    /// Whether any is.
    pub fn touches(&self, place: ModulePath) -> bool {
        place.pieces(self.model()).iter().any(|piece| self.copies(place, *piece))
    }

    /// Whether φ moves a place from elsewhere.
    pub fn moves(&self, place: ModulePath) -> bool {
        self.moved.iter().any(|site| matches!(site, Site::Weight(p, _) if *p == place))
    }

    /// Whether anything outside the blocks is trained.
    pub fn outside(&self) -> bool {
        ModulePath::outside_blocks(self.model()).any(|place| self.touches(place))
            || self.head.is_some()
            || self.front.is_some()
            || self.everywhere.is_some()
    }
}

/// The shapes of φ, in [`super::formula`]'s marks.
pub fn shapes(config: &RunConfig) -> String {
    let shape = config.shape();
    config.methods().map(|method| method.overlay().shapes(&shape)).collect::<Vec<_>>().join("; ")
}
