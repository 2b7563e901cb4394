//! Which tensors a checkpoint has, by the description of its family.

use crate::model::{Family, LinearModule, ModelConfig, ModulePath, ParamKind, TensorInfo, within};

/// The tensors of a model's checkpoint: names, shapes, orientation.
pub struct Layout<'a> {
    config: &'a ModelConfig,
    /// Whose names these are.
    pub family: &'static Family,
    /// What the file calls the module around all others.
    decoder: &'static str,
}

impl<'a> Layout<'a> {
    /// The checkpoint of a model with its head.
    pub fn with_head(config: &'a ModelConfig) -> Layout<'a> {
        let family = config.family();
        Layout { config, family, decoder: family.decoder }
    }

    /// A checkpoint with or without a head; `has` tells whether it has a tensor.
    pub fn of_file(config: &'a ModelConfig, has: impl Fn(&str) -> bool) -> Layout<'a> {
        let with_head = Layout::with_head(config);
        let headless = Layout { decoder: with_head.family.headless_decoder, ..with_head };
        if has(&headless.tensor(ModulePath::Tokens, ParamKind::Matrix).name) {
            return headless;
        }
        Layout::with_head(config)
    }

    /// A tensor of an embedding or a norm.
    pub fn tensor(&self, path: ModulePath, kind: ParamKind) -> TensorInfo {
        let name = self.name(&self.family.path(path), kind);
        TensorInfo { name, ..TensorInfo::of_theta(path, kind, self.config) }
    }

    /// Matrix and bias of a linear module.
    pub fn module(&self, block: usize, module: &LinearModule) -> [TensorInfo; 2] {
        let path = self.family.in_block(block, module.path);
        let [weight, bias] = [ParamKind::Matrix, ParamKind::Bias].map(|kind| self.name(&path, kind));
        let (inputs, outputs) = (self.inputs(module), self.widths(module).iter().sum());
        let weight = match self.family.fan_in_fan_out {
            true => TensorInfo::new(weight, [inputs, outputs]),
            false => TensorInfo::transposed(weight, outputs, inputs),
        };
        [weight, TensorInfo::new(bias, [outputs])]
    }

    /// Inputs of a linear module.
    pub fn inputs(&self, module: &LinearModule) -> usize {
        module.holds[0].shape(self.config).0
    }

    /// Outputs of each matrix of a linear module.
    pub fn widths(&self, module: &LinearModule) -> Vec<usize> {
        module.holds.iter().map(|target| target.shape(self.config).1).collect()
    }

    fn name(&self, path: &str, kind: ParamKind) -> String {
        format!("{}.{}", within(self.decoder, path), kind.name())
    }
}

/// Rows of a matrix whose columns are cut apart at these widths.
pub fn apart(matrix: Vec<f32>, widths: &[usize]) -> Vec<Vec<f32>> {
    if widths.len() == 1 {
        return vec![matrix];
    }
    let whole = widths.iter().sum();
    let starts = widths.iter().scan(0, |next, width| Some(std::mem::replace(next, *next + width)));
    let columns = |(start, width): (usize, &usize)| {
        matrix.chunks_exact(whole).flat_map(|row| &row[start..start + width]).copied().collect()
    };
    starts.zip(widths).map(columns).collect()
}

/// The other way round: the columns of matrices of as many rows side by side.
pub fn side_by_side(mut matrices: Vec<Vec<f32>>, widths: &[usize]) -> Vec<f32> {
    if matrices.len() == 1 {
        return matrices.remove(0);
    }
    let mut rows: Vec<_> = matrices.iter().zip(widths).map(|(matrix, width)| matrix.chunks_exact(*width)).collect();
    let mut joined = Vec::with_capacity(matrices.iter().map(Vec::len).sum());
    while let Some(row) = rows.iter_mut().map(Iterator::next).collect::<Option<Vec<_>>>() {
        row.into_iter().for_each(|part| joined.extend_from_slice(part));
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_cut_apart_are_the_same_side_by_side() {
        let matrix = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let parts = apart(matrix.clone(), &[1, 2]);
        assert_eq!(parts, [vec![1.0, 4.0], vec![2.0, 3.0, 5.0, 6.0]]);
        assert_eq!(side_by_side(parts, &[1, 2]), matrix);
    }
}
