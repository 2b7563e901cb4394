//! Matrices side by side in one tensor.

/// Rows of a matrix whose columns are cut apart into matrices of these widths. Their columns lie in so many
/// `turns`: a piece of each matrix, then the next of each.
pub fn apart(matrix: Vec<f32>, widths: &[usize], turns: usize) -> Vec<Vec<f32>> {
    if widths.len() == 1 {
        return vec![matrix];
    }
    let whole = widths.iter().sum::<usize>() / turns;
    let starts = widths.iter().scan(0, |next, width| Some(std::mem::replace(next, *next + width / turns)));
    let columns = |(start, width): (usize, &usize)| {
        matrix.chunks_exact(whole).flat_map(|turn| &turn[start..start + width / turns]).copied().collect()
    };
    starts.zip(widths).map(columns).collect()
}

/// The other way round: the columns of matrices of as many rows side by side.
pub fn side_by_side(mut matrices: Vec<Vec<f32>>, widths: &[usize], turns: usize) -> Vec<f32> {
    if matrices.len() == 1 {
        return matrices.remove(0);
    }
    let pieces = matrices.iter().zip(widths).map(|(matrix, width)| matrix.chunks_exact(width / turns));
    let mut rows: Vec<_> = pieces.collect();
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
        let parts = apart(matrix.clone(), &[1, 2], 1);
        assert_eq!(parts, [vec![1.0, 4.0], vec![2.0, 3.0, 5.0, 6.0]]);
        assert_eq!(side_by_side(parts, &[1, 2], 1), matrix);
    }

    #[test]
    fn columns_in_turns_are_cut_head_by_head() {
        // Two rows of two matrices of two heads of two: q₀ k₀ q₁ k₁.
        let matrix: Vec<f32> = (0..16).map(|i| i as f32).collect();
        let parts = apart(matrix.clone(), &[4, 4], 2);
        assert_eq!(parts[0], [0.0, 1.0, 4.0, 5.0, 8.0, 9.0, 12.0, 13.0]);
        assert_eq!(side_by_side(parts, &[4, 4], 2), matrix);
    }
}
