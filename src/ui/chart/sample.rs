//! Curves of many points, drawn and read with few.

/// At most about `limit` points that look the same: in each bucket of neighbours the lowest and the highest
/// stay, in their order; so do the first, the last, and one gap for values that are not finite.
pub fn thin(points: &[(f64, f64)], limit: usize) -> Vec<(f64, f64)> {
    if points.len() <= limit || limit < 4 {
        return points.to_vec();
    }
    let (first, last) = (points[0], points[points.len() - 1]);
    let inner = &points[1..points.len() - 1];
    let size = inner.len().div_ceil((limit - 2) / 2);
    let mut out = vec![first];
    for bucket in inner.chunks(size) {
        let finite = || bucket.iter().enumerate().filter(|(_, p)| p.1.is_finite());
        let low = finite().min_by(|a, b| a.1.1.total_cmp(&b.1.1));
        let high = finite().max_by(|a, b| a.1.1.total_cmp(&b.1.1));
        match (low, high) {
            (Some((i, low)), Some((j, high))) => {
                out.push(*if i <= j { low } else { high });
                if i != j {
                    out.push(*if i <= j { high } else { low });
                }
            }
            _ => out.push(bucket[0]),
        }
    }
    out.push(last);
    out
}

/// The measured point nearest to a step; `None` outside the steps that were measured.
pub fn nearest(points: &[(f64, f64)], step: f64) -> Option<(f64, f64)> {
    let (first, last) = (points.first()?, points.last()?);
    if step < first.0 || step > last.0 {
        return None;
    }
    let after = points.partition_point(|p| p.0 < step);
    let before = after.saturating_sub(1);
    [before, after.min(points.len() - 1)]
        .map(|i| points[i])
        .into_iter()
        .min_by(|a, b| (a.0 - step).abs().total_cmp(&(b.0 - step).abs()))
}

/// All steps at which any of the curves was measured, ascending: where the crosshair can stand.
pub fn stops<'a>(curves: impl Iterator<Item = &'a [(f64, f64)]>) -> Vec<f64> {
    let mut steps: Vec<f64> = curves.flatten().map(|p| p.0).filter(|s| s.is_finite()).collect();
    steps.sort_by(f64::total_cmp);
    steps.dedup();
    steps
}

/// The stop nearest to a step.
pub fn stop_at(stops: &[f64], step: f64) -> Option<f64> {
    stops.iter().copied().min_by(|a, b| (a - step).abs().total_cmp(&(b - step).abs()))
}

/// The stop `by` places further on, held at the ends.
pub fn stop_beside(stops: &[f64], step: f64, by: isize) -> Option<f64> {
    let here = stops.iter().position(|s| *s >= step).unwrap_or(stops.len().checked_sub(1)?);
    let there = here.saturating_add_signed(by).min(stops.len() - 1);
    Some(stops[there])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_ends_and_extremes() {
        let mut points: Vec<(f64, f64)> = (0..10_000).map(|i| (i as f64, (i as f64 / 50.0).sin())).collect();
        points[5_123].1 = 40.0;
        points[5_124].1 = -40.0;
        let thinned = thin(&points, 400);
        assert!(thinned.len() <= 400, "{}", thinned.len());
        assert_eq!((thinned[0], thinned[thinned.len() - 1]), (points[0], points[9_999]));
        assert!(thinned.contains(&points[5_123]) && thinned.contains(&points[5_124]));
        assert!(thinned.windows(2).all(|w| w[0].0 < w[1].0));
    }

    #[test]
    fn a_stretch_without_numbers_stays_a_gap() {
        let points: Vec<(f64, f64)> = (0..5000).map(|i| (i as f64, if i > 2500 { f64::NAN } else { 1.0 })).collect();
        assert!(thin(&points, 100).iter().any(|p| p.1.is_nan()));
    }

    #[test]
    fn values_are_read_where_they_were_measured() {
        let points = [(0.0, 1.0), (10.0, 2.0), (20.0, 3.0)];
        assert_eq!(nearest(&points, 13.0), Some((10.0, 2.0)));
        assert_eq!(nearest(&points, 16.0), Some((20.0, 3.0)));
        assert_eq!(nearest(&points, 21.0), None);
        assert_eq!(nearest(&[], 0.0), None);
    }

    #[test]
    fn the_crosshair_walks_over_all_measured_steps() {
        let (a, b) = ([(0.0, 0.0), (10.0, 0.0)], [(0.0, 0.0), (4.0, 0.0)]);
        let stops = stops([&a[..], &b[..]].into_iter());
        assert_eq!(stops, [0.0, 4.0, 10.0]);
        assert_eq!(stop_beside(&stops, 4.0, 1), Some(10.0));
        assert_eq!(stop_beside(&stops, 0.0, -5), Some(0.0));
        assert_eq!(stop_beside(&stops, 10.0, 5), Some(10.0));
        assert_eq!(stop_at(&stops, 6.0), Some(4.0));
        assert_eq!(stop_beside(&[], 0.0, 1), None);
    }
}
