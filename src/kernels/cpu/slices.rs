//! The arithmetic, on slices. Loops are written so that the compiler turns them into SIMD: no branches, sums
//! in lanes.

use crate::kernels::{AdamConstants, Rotation};

/// 2√(2/π), inside [`gelu_new`]'s logistic function.
pub const GELU_SLOPE: f32 = 1.595_769;
/// Weight of the cube in [`gelu_new`].
pub const GELU_CUBIC: f32 = 0.044_715;

/// Sums are kept in so many lanes: two SIMD registers of a browser.
const LANES: usize = 8;

/// e^x to 2 units in the last place, 0 below −87: Cephes' `expf` without its branches.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Adding 1.5·2²³ rounds to an integer and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let clamped = x.clamp(-87.0, 88.0);
    let shifted = clamped * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    // ln 2 in two parts, so that the remainder is exact.
    let r = (clamped - n * 0.693_359_4) + n * 2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
        p = p * r + c;
    }
    let p = p * r * r + r + 1.0;
    let y = f32::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 23));
    if x < -87.0 { 0.0 } else { y }
}

/// Runs loops in the widest vectors that the processor has: natively the program itself is compiled for those that
/// every processor has. No sum changes its order, and nothing is fused: the numbers stay the same.
#[inline(always)]
pub(super) fn wide<T>(run: impl FnOnce() -> T) -> T {
    #[cfg(not(target_arch = "wasm32"))]
    return pulp::Arch::new().dispatch(run);
    #[cfg(target_arch = "wasm32")]
    run()
}

/// Σ f(x_i, y_i) in lanes.
#[inline(always)]
fn sum(x: &[f32], y: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let (xs, ys) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let rest: f32 = xs.remainder().iter().zip(ys.remainder()).map(|(x, y)| f(*x, *y)).sum();
    for (x, y) in xs.zip(ys) {
        for i in 0..LANES {
            lanes[i] += f(x[i], y[i]);
        }
    }
    lanes.iter().sum::<f32>() + rest
}

#[inline(always)]
fn maximum(x: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let chunks = x.chunks_exact(LANES);
    let rest = chunks.remainder().iter().fold(f32::NEG_INFINITY, |m, x| if *x > m { *x } else { m });
    for x in chunks {
        for i in 0..LANES {
            lanes[i] = if x[i] > lanes[i] { x[i] } else { lanes[i] };
        }
    }
    lanes.iter().fold(rest, |m, x| if *x > m { *x } else { m })
}

/// Σ e^(scale·(x − shift)), each term left in `x`.
#[inline(always)]
fn exponentials(x: &mut [f32], scale: f32, shift: f32) -> f32 {
    for x in x.iter_mut() {
        *x = exp(scale * (*x - shift));
    }
    sum(x, x, |x, _| x)
}

/// Adds all rows of `sum.len()` elements.
pub fn add_rows(x: &[f32], sum: &mut [f32]) {
    for x in x.chunks_exact(sum.len()) {
        for (sum, x) in sum.iter_mut().zip(x) {
            *sum += x;
        }
    }
}

/// Multiplies all elements.
pub fn scale(x: &mut [f32], factor: f32) {
    for x in x {
        *x *= factor;
    }
}

/// max(x, 0), in place.
pub fn relu(x: &mut [f32]) {
    for x in x {
        // This way round, what is not a number stays so.
        *x = if *x < 0.0 { 0.0 } else { *x };
    }
}

/// Turns the gradient of the output `y` into that of the input.
pub fn relu_backward(y: &[f32], gradient: &mut [f32]) {
    for (g, y) in gradient.iter_mut().zip(y) {
        *g = if *y > 0.0 { *g } else { 0.0 };
    }
}

/// What the backward pass of [`layer_norm`] needs of a row besides `x`.
#[derive(Clone, Copy, Debug)]
pub struct Moments {
    /// Of the row.
    pub mean: f32,
    /// 1/√(variance + ε)
    pub inverse: f32,
}

/// Normalises rows of `scale.len()` elements into `y`.
pub fn layer_norm(x: &[f32], scale: &[f32], bias: &[f32], epsilon: f32, y: &mut [f32]) -> Vec<Moments> {
    let d = scale.len();
    let rows = x.chunks_exact(d).zip(y.chunks_exact_mut(d));
    rows.map(|(x, y)| {
        let mean = sum(x, x, |x, _| x) / d as f32;
        let variance = sum(x, x, |x, _| (x - mean) * (x - mean)) / d as f32;
        let inverse = 1.0 / (variance + epsilon).sqrt();
        for ((y, x), (s, b)) in y.iter_mut().zip(x).zip(scale.iter().zip(bias)) {
            *y = (x - mean) * inverse * s + b;
        }
        Moments { mean, inverse }
    })
    .collect()
}

/// Turns the gradient of the output into that of `x`, row by row.
pub fn layer_norm_backward(x: &[f32], scale: &[f32], moments: &[Moments], gradient: &mut [f32]) {
    let d = scale.len();
    for ((x, g), m) in x.chunks_exact(d).zip(gradient.chunks_exact_mut(d)).zip(moments) {
        for (g, s) in g.iter_mut().zip(scale) {
            *g *= s;
        }
        let mean = sum(g, g, |g, _| g) / d as f32;
        let along = sum(g, x, |g, x| g * (x - m.mean)) * m.inverse * m.inverse / d as f32;
        for (g, x) in g.iter_mut().zip(x) {
            *g = m.inverse * (*g - mean - (x - m.mean) * along);
        }
    }
}

/// Adds the gradients of scale and bias, from that of the output.
pub fn layer_norm_parameters(x: &[f32], moments: &[Moments], gradient: &[f32], scale: &mut [f32], bias: &mut [f32]) {
    let d = scale.len();
    for ((x, g), m) in x.chunks_exact(d).zip(gradient.chunks_exact(d)).zip(moments) {
        for ((g, x), (s, b)) in g.iter().zip(x).zip(scale.iter_mut().zip(bias.iter_mut())) {
            *s += g * (x - m.mean) * m.inverse;
            *b += g;
        }
    }
}

/// RMS-normalises rows of `scale.len()` elements into `y`.
pub fn rms_norm(x: &[f32], scale: &[f32], epsilon: f32, y: &mut [f32]) -> Vec<Moments> {
    let d = scale.len();
    let rows = x.chunks_exact(d).zip(y.chunks_exact_mut(d));
    rows.map(|(x, y)| {
        let inverse = 1.0 / (sum(x, x, |x, _| x * x) / d as f32 + epsilon).sqrt();
        for ((y, x), s) in y.iter_mut().zip(x).zip(scale) {
            *y = x * inverse * s;
        }
        Moments { mean: 0.0, inverse }
    })
    .collect()
}

/// Turns the gradient of the output into that of `x`, row by row.
pub fn rms_norm_backward(x: &[f32], scale: &[f32], moments: &[Moments], gradient: &mut [f32]) {
    let d = scale.len();
    for ((x, g), m) in x.chunks_exact(d).zip(gradient.chunks_exact_mut(d)).zip(moments) {
        for (g, s) in g.iter_mut().zip(scale) {
            *g *= s;
        }
        let along = sum(g, x, |g, x| g * x) * m.inverse * m.inverse / d as f32;
        for (g, x) in g.iter_mut().zip(x) {
            *g = m.inverse * (*g - x * along);
        }
    }
}

/// Turns the heads of rows, `width` numbers each, in place; `angles` are those of `length` positions, again and
/// again. `back` turns the other way.
pub fn rotate(x: &mut [f32], width: usize, length: usize, rotation: Rotation, angles: &[[f32; 2]], back: bool) {
    let half = rotation.dims / 2;
    let sign = if back { -1.0 } else { 1.0 };
    for (row, x) in x.chunks_exact_mut(width).enumerate() {
        let angles = &angles[row % length * half..][..half];
        for head in x.chunks_exact_mut(rotation.head_dim) {
            let (first, second) = head[..rotation.dims].split_at_mut(half);
            for ((a, b), [cosine, sine]) in first.iter_mut().zip(second).zip(angles) {
                let sine = sign * sine;
                (*a, *b) = (*a * cosine - *b * sine, *b * cosine + *a * sine);
            }
        }
    }
}

/// 1/(1 + e^−x)
#[inline(always)]
fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// SiLU(gate)·x into `y`.
pub fn gated(gate: &[f32], x: &[f32], y: &mut [f32]) {
    wide(
        #[inline(always)]
        || {
            for ((y, gate), x) in y.iter_mut().zip(gate).zip(x) {
                *y = gate * logistic(*gate) * x;
            }
        },
    )
}

/// The gradient of the gate, from that of the output.
pub fn gated_backward(gate: &[f32], x: &[f32], gradient: &[f32], of_gate: &mut [f32]) {
    wide(
        #[inline(always)]
        || {
            for ((of_gate, gate), (x, g)) in of_gate.iter_mut().zip(gate).zip(x.iter().zip(gradient)) {
                let open = logistic(*gate);
                *of_gate = g * x * (open + gate * open * (1.0 - open));
            }
        },
    )
}

/// Softmax of `scale`·x over the first `prefix + query + 1` of `keys` elements of each row, 0 after them;
/// rows count queries from 0 to `queries`, again and again. Scale is positive.
pub fn causal_softmax(x: &mut [f32], scale: f32, prefix: usize, queries: usize) {
    wide(
        #[inline(always)]
        || {
            let keys = prefix + queries;
            for (row, x) in x.chunks_exact_mut(keys).enumerate() {
                let (seen, hidden) = x.split_at_mut(prefix + row % queries + 1);
                let total = exponentials(seen, scale, maximum(seen));
                let inverse = 1.0 / total;
                for x in seen {
                    *x *= inverse;
                }
                hidden.fill(0.0);
            }
        },
    )
}

/// Turns the gradient of the weights into that of the scores.
pub fn causal_softmax_backward(weights: &[f32], scale: f32, prefix: usize, queries: usize, gradient: &mut [f32]) {
    wide(
        #[inline(always)]
        || {
            let keys = prefix + queries;
            for (row, (w, g)) in weights.chunks_exact(keys).zip(gradient.chunks_exact_mut(keys)).enumerate() {
                let (seen, hidden) = g.split_at_mut(prefix + row % queries + 1);
                let w = &w[..seen.len()];
                let mean = sum(seen, w, |g, w| g * w);
                for (g, w) in seen.iter_mut().zip(w) {
                    *g = scale * w * (*g - mean);
                }
                hidden.fill(0.0);
            }
        },
    )
}

#[inline(always)]
fn gelu_gate(x: f32) -> f32 {
    1.0 / (1.0 + exp(-GELU_SLOPE * x * (1.0 + GELU_CUBIC * x * x)))
}

/// GELU by its tanh approximation, of `x` into `y`.
pub fn gelu_new(x: &[f32], y: &mut [f32]) {
    wide(
        #[inline(always)]
        || {
            for (y, x) in y.iter_mut().zip(x) {
                *y = x * gelu_gate(*x);
            }
        },
    )
}

/// Turns the gradient of the output into that of `x`.
pub fn gelu_new_backward(x: &[f32], gradient: &mut [f32]) {
    wide(
        #[inline(always)]
        || {
            for (g, &x) in gradient.iter_mut().zip(x) {
                let gate = gelu_gate(x);
                let slope = GELU_SLOPE * (1.0 + 3.0 * GELU_CUBIC * x * x);
                *g *= gate + x * gate * (1.0 - gate) * slope;
            }
        },
    )
}

/// Turns logits, a row for each target, into probabilities, and returns −log of the targets'.
pub fn cross_entropy(x: &mut [f32], targets: &[i32]) -> Vec<f32> {
    wide(
        #[inline(always)]
        || {
            let classes = x.len() / targets.len().max(1);
            let rows = x.chunks_exact_mut(classes.max(1)).zip(targets);
            rows.map(|(x, &target)| {
                let shift = maximum(x);
                let right = x[target as usize] - shift;
                let total = exponentials(x, 1.0, shift);
                let inverse = 1.0 / total;
                for x in x {
                    *x *= inverse;
                }
                total.ln() - right
            })
            .collect()
        },
    )
}

/// Turns probabilities into the gradient of the logits; `gradient` has an element for each row.
pub fn cross_entropy_backward(probabilities: &mut [f32], targets: &[i32], gradient: &[f32]) {
    let classes = probabilities.len() / targets.len().max(1);
    for ((p, &target), g) in probabilities.chunks_exact_mut(classes.max(1)).zip(targets).zip(gradient) {
        p[target as usize] -= 1.0;
        for p in p {
            *p *= g;
        }
    }
}

/// The sum of squares.
pub fn squares(x: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += x * x;
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(|x| x * x).sum::<f32>()
}

/// A step of Adam on φ and its moments.
pub fn adam(phi: &mut [f32], gradient: &[f32], mean: &mut [f32], square: &mut [f32], factor: f32, c: &AdamConstants) {
    wide(
        #[inline(always)]
        || {
            let ([beta1, beta2], [bias1, bias2]) = (c.betas, c.bias);
            for (((phi, g), m), v) in phi.iter_mut().zip(gradient).zip(mean).zip(square) {
                let g = factor * g;
                *m = beta1 * *m + (1.0 - beta1) * g;
                *v = beta2 * *v + (1.0 - beta2) * g * g;
                *phi -= c.rate * (*m / bias1) / ((*v / bias2).sqrt() + c.epsilon);
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_that_of_the_library() {
        for i in -8700..8800 {
            let x = i as f32 / 100.0 + 0.003;
            let (ours, theirs) = (exp(x), x.exp());
            assert!((ours - theirs).abs() <= 3e-7 * theirs, "{x}: {ours} {theirs}");
        }
        assert_eq!([exp(0.0), exp(-100.0), exp(f32::NEG_INFINITY)], [1.0, 0.0, 0.0]);
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn sums_and_maxima_are_those_of_a_loop() {
        for n in 0..20 {
            let x: Vec<f32> = (0..n).map(|i| ((i * 7) % 11) as f32 - 5.0).collect();
            assert_eq!(sum(&x, &x, |x, y| x * y), x.iter().map(|x| x * x).sum::<f32>());
            assert_eq!(maximum(&x), x.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        }
    }
}
