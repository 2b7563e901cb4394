//! Matrices side by side in one tensor.

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
