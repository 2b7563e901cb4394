//! Fused kernels for the CPU: each does in one pass, forward and backward, what Burn's autodiff composes of many.
//!
//! On other devices the same functions compose Burn's own operations, which is also what the tests compare with.

mod attention;
mod autodiff;
mod flex;
mod matrix;
mod rows;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, DispatchDevice, backend_extension};
use burn::tensor::{Device, Tensor, TensorData, activation};

/// Operations that the CPU backend computes in one pass.
#[backend_extension(Autodiff, Flex)]
pub(crate) trait Kernels: Backend {
    fn layer_norm_rows(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f32,
    ) -> FloatTensor<Self>;

    fn linear_rows(x: FloatTensor<Self>, weight: FloatTensor<Self>, bias: FloatTensor<Self>) -> FloatTensor<Self>;

    fn product_rows(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self>;

    fn add_low_rank_rows(
        y: FloatTensor<Self>,
        x: FloatTensor<Self>,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        scaling: f32,
    ) -> FloatTensor<Self>;

    fn relu_elements(x: FloatTensor<Self>) -> FloatTensor<Self>;

    fn attention_heads(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        heads: usize,
    ) -> FloatTensor<Self>;

    fn gelu_new_elements(x: FloatTensor<Self>) -> FloatTensor<Self>;

    fn cross_entropy_rows(logits: FloatTensor<Self>, targets: Vec<i32>) -> FloatTensor<Self>;
}

/// Whether a device runs [`Kernels`].
fn fused(device: &Device) -> bool {
    matches!(device.clone().without_autodiff().as_dispatch(), DispatchDevice::Flex(_))
}

/// Layer normalisation (Ba et al. 2016) of the last dimension: (x − mean)/√(variance + ε)·scale + bias.
pub fn layer_norm<const D: usize>(x: Tensor<D>, scale: Tensor<1>, bias: Tensor<1>, epsilon: f64) -> Tensor<D> {
    if !fused(&x.device()) {
        return composed::layer_norm(x, scale, bias, epsilon);
    }
    let [scale, bias] = [scale, bias].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::layer_norm_rows(x.into_dispatch(), scale, bias, epsilon as f32))
}

/// x·W + b; `x` is `[.., inputs]`, `weight` `[inputs, outputs]`.
pub fn linear<const D: usize>(x: Tensor<D>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<D> {
    if !fused(&x.device()) {
        return composed::linear(x, weight, bias);
    }
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(match bias {
        Some(bias) => Dispatch::linear_rows(x, weight, bias.into_dispatch()),
        None => Dispatch::product_rows(x, weight),
    })
}

/// y + s·(x·A)·B, through the narrow x·A and never through a dense A·B. `x` is `[.., inputs]`, `a` `[inputs, rank]`, `b`
/// `[rank, outputs]`, `y` `[.., outputs]`.
pub fn add_low_rank(y: Tensor<3>, x: Tensor<3>, a: Tensor<2>, b: Tensor<2>, scaling: f64) -> Tensor<3> {
    if !fused(&x.device()) {
        return composed::add_low_rank(y, x, a, b, scaling);
    }
    let ([y, x], [a, b]) = ([y, x].map(Tensor::into_dispatch), [a, b].map(Tensor::into_dispatch));
    Tensor::from_dispatch(Dispatch::add_low_rank_rows(y, x, a, b, scaling as f32))
}

/// max(x, 0)
pub fn relu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if !fused(&x.device()) {
        return activation::relu(x);
    }
    Tensor::from_dispatch(Dispatch::relu_elements(x.into_dispatch()))
}

/// Attention of every head: softmax(Q Kᵀ/√d_h + mask) V. `q` is `[sequences, queries, width]`, `k` and `v` are
/// `[sequences, keys, width]`, a head in each `width / heads` columns; `mask` is a [`causal_mask`].
pub fn attention(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>, heads: usize, mask: &Tensor<4>) -> Tensor<3> {
    if !fused(&q.device()) {
        return composed::attention(q, k, v, heads, mask);
    }
    let [q, k, v] = [q, k, v].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::attention_heads(q, k, v, heads))
}

/// GELU by its tanh approximation (Hendrycks & Gimpel 2016), as x·σ(2√(2/π)·(x + 0.044715 x³)): the same function, since
/// (1 + tanh z)/2 = σ(2z).
pub fn gelu_new<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if !fused(&x.device()) {
        return composed::gelu_new(x);
    }
    Tensor::from_dispatch(Dispatch::gelu_new_elements(x.into_dispatch()))
}

/// −log softmax(logits) at the targets, `[rows]` of `[rows, classes]`.
pub fn cross_entropy(logits: Tensor<2>, targets: &[i32]) -> Tensor<1> {
    if !fused(&logits.device()) {
        return composed::cross_entropy(logits, targets);
    }
    Tensor::from_dispatch(Dispatch::cross_entropy_rows(logits.into_dispatch(), targets.to_vec()))
}

/// 0 where a query may look, a large negative number where it may not: `[1, 1, queries, prefix + queries]`. The prefix is seen
/// from everywhere, and every query sees the keys up to its own.
pub fn causal_mask(queries: usize, prefix: usize, device: &Device) -> Tensor<4> {
    let keys = prefix + queries;
    let values: Vec<f32> =
        (0..queries * keys).map(|i| if i % keys <= prefix + i / keys { 0.0 } else { -1e9 }).collect();
    Tensor::from_data(TensorData::new(values, [1, 1, queries, keys]), device)
}

/// The same functions of Burn's operations.
mod composed {
    use super::rows::{GELU_CUBIC, GELU_SLOPE};
    use burn::tensor::{Int, Tensor, TensorData, activation, module};

    pub fn layer_norm<const D: usize>(x: Tensor<D>, scale: Tensor<1>, bias: Tensor<1>, epsilon: f64) -> Tensor<D> {
        module::layer_norm(x, scale, Some(bias), epsilon)
    }

    pub fn linear<const D: usize>(x: Tensor<D>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<D> {
        module::linear(x, weight, bias)
    }

    pub fn add_low_rank(y: Tensor<3>, x: Tensor<3>, a: Tensor<2>, b: Tensor<2>, scaling: f64) -> Tensor<3> {
        // The factor goes onto the narrow tensor: rank numbers per token instead of d.
        y + module::linear(module::linear(x, a, None).mul_scalar(scaling), b, None)
    }

    pub fn attention(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>, heads: usize, mask: &Tensor<4>) -> Tensor<3> {
        let [b, t, d] = q.dims();
        let split = |z: Tensor<3>| {
            let length = z.dims()[1];
            z.reshape([b, length, heads, d / heads]).swap_dims(1, 2)
        };
        let q = q.mul_scalar(1.0 / ((d / heads) as f32).sqrt());
        let scores = split(q).matmul(split(k).swap_dims(2, 3)) + mask.clone();
        activation::softmax(scores, 3).matmul(split(v)).swap_dims(1, 2).reshape([b, t, d])
    }

    pub fn gelu_new<const D: usize>(x: Tensor<D>) -> Tensor<D> {
        let square = x.clone() * x.clone();
        let inner = x.clone() * square.mul_scalar(GELU_CUBIC * GELU_SLOPE).add_scalar(GELU_SLOPE);
        x * activation::sigmoid(inner)
    }

    pub fn cross_entropy(logits: Tensor<2>, targets: &[i32]) -> Tensor<1> {
        let n = targets.len();
        let targets = Tensor::<2, Int>::from_data(TensorData::new(targets.to_vec(), [n, 1]), &logits.device());
        activation::log_softmax(logits, 1).gather(1, targets).neg().reshape([n])
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use crate::task::stream;
    use rand::RngExt;

    /// Tensors of given shapes with values around 0, tracked.
    fn random<const D: usize>(seed: u64, shape: [usize; D]) -> Tensor<D> {
        let mut rng = stream(seed, "kernels");
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| rng.random_range(-3.0..3.0)).collect();
        Tensor::from_data(TensorData::new(values, shape), &Device::flex().autodiff()).require_grad()
    }

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    fn close(a: &[f32], b: &[f32], what: &str) {
        assert_eq!(a.len(), b.len(), "{what}");
        for (a, b) in a.iter().zip(b) {
            // The same sums in another order: some ten terms of order ten, each rounded to 2⁻²⁴ of it.
            assert!((a - b).abs() <= 1e-5 * (1.0 + a.abs()), "{what}: {a} {b}");
        }
    }

    /// Outputs, and the gradients of a weighted sum of them with respect to `inputs`.
    macro_rules! same {
        ($fused:expr, $composed:expr, $($input:expr),+) => {{
            let run = |y: Tensor<_>| {
                let weights = random(99, y.dims());
                let gradients = (y.clone() * weights.inner().autodiff()).sum().backward();
                (values(y.inner()), vec![$(values($input.grad(&gradients).unwrap())),+])
            };
            let ((fused, fused_gradients), (composed, composed_gradients)) = (run($fused), run($composed));
            close(&fused, &composed, "output");
            for (a, b) in fused_gradients.iter().zip(&composed_gradients) {
                close(a, b, "gradient");
            }
        }};
    }

    #[test]
    fn layer_norm_is_burn_s() {
        let (x, s, b) = (random(1, [3, 5, 19]), random(2, [19]), random(3, [19]));
        same!(
            layer_norm(x.clone(), s.clone(), b.clone(), 1e-5),
            composed::layer_norm(x.clone(), s.clone(), b.clone(), 1e-5),
            x,
            s,
            b
        );
        // A view, as a transposition leaves it.
        let view = |x: &Tensor<3>| x.clone().swap_dims(0, 1);
        same!(
            layer_norm(view(&x), s.clone(), b.clone(), 1e-5),
            composed::layer_norm(view(&x), s.clone(), b.clone(), 1e-5),
            x,
            s,
            b
        );
    }

    #[test]
    fn linear_is_burn_s() {
        let (x, w, b) = (random(1, [3, 5, 7]), random(2, [7, 11]), random(3, [11]));
        let bias = || Some(b.clone());
        same!(linear(x.clone(), w.clone(), bias()), composed::linear(x.clone(), w.clone(), bias()), x, w, b);
        same!(linear(x.clone(), w.clone(), None), composed::linear(x.clone(), w.clone(), None), x, w);
        // A transposed weight, as the head has, and an input that is a view.
        let head = random(4, [11, 7]);
        let view = |x: &Tensor<3>| x.clone().swap_dims(0, 1);
        same!(
            linear(view(&x), head.clone().transpose(), None),
            composed::linear(view(&x), head.clone().transpose(), None),
            x,
            head
        );
    }

    #[test]
    fn a_low_rank_update_is_burn_s() {
        let (y, x, a, b) = (random(1, [2, 5, 11]), random(2, [2, 5, 7]), random(3, [7, 2]), random(4, [2, 11]));
        let fused = add_low_rank(y.clone(), x.clone(), a.clone(), b.clone(), 0.7);
        same!(fused, composed::add_low_rank(y.clone(), x.clone(), a.clone(), b.clone(), 0.7), y, x, a, b);
        // In a first block neither x nor y has a gradient.
        let (y, x) = (y.detach(), x.detach());
        let fused = add_low_rank(y.clone(), x.clone(), a.clone(), b.clone(), 0.7);
        same!(fused, composed::add_low_rank(y.clone(), x.clone(), a.clone(), b.clone(), 0.7), a, b);
    }

    #[test]
    fn relu_is_burn_s() {
        let x = random(5, [4, 21]);
        let shifted = || x.clone().add_scalar(0.5);
        same!(relu(shifted()), activation::relu(shifted()), x);
        let undefined = Tensor::<1>::from_data([f32::NAN, -1.0], &Device::flex());
        assert!(values(relu(undefined))[0].is_nan(), "a loss that is not a number must stay one");
    }

    #[test]
    fn attention_is_burn_s() {
        for prefix in [0, 3] {
            let (q, k, v) = (random(4, [2, 9, 12]), random(5, [2, 9 + prefix, 12]), random(6, [2, 9 + prefix, 12]));
            let mask = causal_mask(9, prefix, &q.device());
            let (a, b) = (q.clone(), k.clone());
            same!(
                attention(q.clone(), k.clone(), v.clone(), 3, &mask),
                composed::attention(q.clone(), k.clone(), v.clone(), 3, &mask),
                q,
                k,
                v
            );
            // Some inputs without gradients.
            let (q, k) = (q.detach(), k.detach());
            same!(
                attention(q.clone(), k.clone(), v.clone(), 3, &mask),
                composed::attention(q.clone(), k.clone(), v.clone(), 3, &mask),
                v
            );
            same!(
                attention(a.clone(), k.clone(), v.clone(), 3, &mask),
                composed::attention(a.clone(), k.clone(), v.clone(), 3, &mask),
                a,
                v
            );
            same!(
                attention(q.clone(), b.clone(), v.clone().detach(), 3, &mask),
                composed::attention(q.clone(), b.clone(), v.clone().detach(), 3, &mask),
                b
            );
        }
    }

    #[test]
    fn gelu_new_is_burn_s_tanh_approximation() {
        let x = random(5, [4, 21]);
        let wide = || x.clone().mul_scalar(4.0);
        same!(gelu_new(wide()), activation::gelu_approximate(wide()), x);
        same!(composed::gelu_new(wide()), activation::gelu_approximate(wide()), x);
    }

    #[test]
    fn cross_entropy_is_burn_s() {
        let x = random(6, [5, 13]);
        let targets = [0, 12, 3, 3, 7];
        same!(cross_entropy(x.clone(), &targets), composed::cross_entropy(x.clone(), &targets), x);
        // Rows of a larger tensor.
        let rows = |x: &Tensor<2>| x.clone().slice([1..3, 0..13]);
        same!(cross_entropy(rows(&x), &[4, 0]), composed::cross_entropy(rows(&x), &[4, 0]), x);
    }

    #[test]
    fn what_somebody_else_holds_stays_as_it_is() {
        let x = random(7, [4, 4]).inner();
        let before = values(x.clone());
        cross_entropy(x.clone(), &[0; 4]);
        let bias = x.clone().slice([0..1, 0..4]).reshape([4]);
        linear(x.clone(), x.clone(), Some(bias));
        assert_eq!(values(x), before);
    }
}
