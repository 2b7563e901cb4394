//! Updates of low rank as files hold them: each module may have a rank and an α of its own.

use super::error::{AdapterError, merge_it};
use super::pattern::{Unread, pattern};
use super::places::{Part, Places};
use super::settings::{AdapterSettings, alpha_of};
use crate::base::{Fault, shorten};
use crate::model::files::Reader;
use crate::model::{ModelConfig, ModulePath};
use serde_json::Value;

/// Ranks and factors of the modules of an adapter, and the one rank and α under which φ holds them all: the same
/// function.
#[derive(Debug)]
pub struct LowRank {
    /// The modules.
    pub places: Places,
    /// φ's rank: the highest of them, at most the base's width.
    pub rank: usize,
    /// φ's α.
    pub alpha: f64,
    /// Whether φ is scaled by α/√r.
    pub root: bool,
    /// Each module's rank in the file, and what its B is multiplied with on the way into φ.
    of: Vec<(usize, f64)>,
}

/// The values of α that the knob has.
const ALPHAS: std::ops::RangeInclusive<f64> = 0.01..=1024.0;

impl LowRank {
    fn read(
        settings: &AdapterSettings<'_>,
        places: Places,
        tensor: &str,
        alpha_key: &str,
        root: bool,
    ) -> Result<LowRank, AdapterError> {
        // PEFT's defaults are 8 and 8.
        let alpha = if settings.value(alpha_key).is_null() { 8.0 } else { settings.alpha(alpha_key)? };
        let r = settings.integer_or("r", 8)?;
        let family = settings.model.family();
        let mut of = Vec::new();
        for (block, module) in &places.list {
            let path = family.key(ModulePath::Linear(*block, module.holds[0]));
            let in_file =
                settings.shape_of(&format!("base_model.model.{path}.{tensor}")).and_then(|s| s.first().copied());
            let rank = match settings.of_pattern("rank_pattern", &path)? {
                Some(value) => value
                    .as_u64()
                    .map(|n| n as usize)
                    .ok_or_else(|| AdapterError::unsupported("rank_pattern", &value, "whole numbers"))?,
                // A pattern that cannot be read here: the tensor tells.
                None if settings.unread("rank_pattern").is_some() => in_file.unwrap_or(r),
                None => r,
            };
            if rank == 0 || rank > 1024 {
                return Err(AdapterError::Fault(Fault::new(
                    "rank",
                    format!("A rank of {rank} is not read: 1 to 1024 are."),
                )));
            }
            if let Some((name, form)) = settings.unread("alpha_pattern") {
                let why = format!("its pattern “{}” {form}, which is not read here", shorten(name));
                let found = settings.value("alpha_pattern");
                return Err(AdapterError::refused("alpha_pattern", found, &why, merge_it()));
            }
            let alpha = match settings.of_pattern("alpha_pattern", &path)? {
                Some(value) => alpha_of("alpha_pattern", &value)?,
                None => alpha,
            };
            of.push((rank, alpha));
        }
        let (rank, alpha) = of.iter().copied().max_by_key(|(rank, _)| *rank).unwrap_or((r, alpha));
        let width = settings.model.hidden_size;
        let same = rank <= width && ALPHAS.contains(&alpha) && of.iter().all(|other| *other == (rank, alpha));
        let scale = |(r, alpha): (usize, f64)| alpha / if root { (r as f64).sqrt() } else { r as f64 };
        let factors = of.iter().map(|own| (own.0, if same { 1.0 } else { scale(*own) })).collect();
        let rank = rank.min(width);
        Ok(match same {
            true => LowRank { places, rank, alpha, root, of: factors },
            // Each factor goes into B.
            false => LowRank { places, rank, alpha: rank as f64, root: false, of: factors },
        })
    }

    /// What is wrong with a rank above the base's width, where it cannot be brought down to it.
    pub fn above_width(&self) -> Option<Fault> {
        let highest = self.of.iter().map(|(rank, _)| *rank).max().filter(|rank| *rank > self.rank)?;
        let message =
            format!("Rank {highest} is more than the width {} of this base: no matrix has a higher rank.", self.rank);
        Some(Fault::new("rank", message))
    }

    /// The rank of a part's tensors in the file.
    pub fn rank_of(&self, part: &Part) -> usize {
        self.of[part.at].0
    }

    /// What a part's B is multiplied with.
    pub fn factor_of(&self, part: &Part) -> f64 {
        self.of[part.at].1
    }

    /// A `[rank, inputs]` of the file as φ holds it, `[inputs, rank]`, with zeros up to φ's rank.
    pub fn a(&self, part: &Part, values: &[f32]) -> Vec<f32> {
        let ((inputs, _), r, rank) = (part.shape, self.rank_of(part), self.rank);
        let mut ours = vec![0.0; inputs * rank];
        for x in 0..r {
            (0..inputs).for_each(|y| ours[y * rank + x] = values[x * inputs + y]);
        }
        ours
    }

    /// B `[outputs of the module, rank]` of the file as φ holds that of one matrix, `[rank, outputs]`, times a factor.
    pub fn b(&self, part: &Part, values: &[f32], factor: f64) -> Vec<f32> {
        let ((_, outputs), r) = (part.shape, self.rank_of(part));
        let values = part.rows(values, r);
        let mut ours = vec![0.0; self.rank * outputs];
        for x in 0..r {
            (0..outputs).for_each(|y| ours[x * outputs + y] = (factor * f64::from(values[y * r + x])) as f32);
        }
        ours
    }

    /// A and B of the file, `…{names[0]}` and `…{names[1]}`, as φ holds those of one matrix.
    pub fn pair(
        &self,
        part: &Part,
        names: [&str; 2],
        reader: &mut Reader<'_>,
        model: &ModelConfig,
    ) -> Result<[Vec<f32>; 2], AdapterError> {
        let (r, (inputs, outputs)) = (self.rank_of(part), part.shape);
        let a = reader.floats(&part.key(model, names[0]), &[r, inputs])?;
        let b = reader.floats(&part.key(model, names[1]), &[part.outputs(), r])?;
        if r <= self.rank {
            return Ok([self.a(part, &a), self.b(part, &b, self.factor_of(part))]);
        }
        // A rank above the width is none: the product stands in for one of the two, and the other is the identity.
        let b = part.rows(&b, r);
        let product = |i: usize, o: usize| {
            let sum: f64 = (0..r).map(|x| f64::from(b[o * r + x]) * f64::from(a[x * inputs + i])).sum();
            (self.factor_of(part) * sum) as f32
        };
        let one = |i: usize, j: usize| if i == j { 1.0 } else { 0.0 };
        let rank = self.rank;
        Ok(match inputs == rank {
            true => [
                (0..inputs * rank).map(|n| one(n / rank, n % rank)).collect(),
                (0..rank * outputs).map(|n| product(n / outputs, n % outputs)).collect(),
            ],
            false => [
                (0..inputs * rank).map(|n| product(n / rank, n % rank)).collect(),
                (0..rank * outputs).map(|n| one(n / outputs, n % outputs)).collect(),
            ],
        })
    }
}

impl AdapterSettings<'_> {
    /// The rank and α of each linear module that has this tensor, whose first number of rows is the rank.
    pub fn low_rank(&self, tensor: &str, alpha: &str, root: bool) -> Result<LowRank, AdapterError> {
        LowRank::read(self, self.places(tensor)?, tensor, alpha, root)
    }

    fn entries(&self, key: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.value(key).as_object().into_iter().flatten()
    }

    /// An entry of `rank_pattern` or `alpha_pattern` with a pattern that is not read here, and what the pattern does.
    fn unread(&self, key: &str) -> Option<(&String, &'static str)> {
        self.entries(key).find_map(|(name, _)| match pattern(name, str::to_string) {
            Err(Unread::Beyond(form)) => Some((name, form)),
            _ => None,
        })
    }

    /// What `rank_pattern` or `alpha_pattern` says of a module, by its path in the model that PEFT wraps. Refuses two
    /// entries that say different things: PEFT takes the first, and JSON's order is not kept here.
    fn of_pattern(&self, key: &str, path: &str) -> Result<Option<Value>, AdapterError> {
        let mut said: Option<&Value> = None;
        for (name, value) in self.entries(key) {
            let whole = pattern(name, |name| format!(r"^(?:.*\.)?(?:{name})$"));
            let fits = whole.is_ok_and(|pattern| pattern.is_match(path));
            match said {
                _ if !fits => {}
                Some(other) if other != value => {
                    let why = format!("two of its entries fit {path} and say {other} and {value}");
                    return Err(AdapterError::refused(key, self.value(key), &why, "Leave one of them out."));
                }
                _ => said = Some(value),
            }
        }
        Ok(said.cloned())
    }
}
