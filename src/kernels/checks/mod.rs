//! The fused kernels against compositions of Burn's own operations, gradients included; and the matrix kernel
//! against a loop. Tests run them natively and in Chromium, there on WebGPU too.

use super::*;
use crate::base::packing::{Packing, pack, unpack};
use crate::base::read;
use crate::base::stream;
use crate::kernels::cpu::packed::PackedView;
use crate::kernels::cpu::view::{View, Write};
use crate::kernels::wasm::gemm::Right;
use burn::tensor::{Device, Int, TensorData, activation};
use rand::RngExt;

/// Tensors of given shapes with values around 0, tracked.
fn random<const D: usize>(device: &Device, seed: u64, shape: [usize; D]) -> Tensor<D> {
    let mut rng = stream(seed, "kernels");
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| rng.random_range(-3.0..3.0)).collect();
    Tensor::from_data(TensorData::new(values, shape), &device.clone().autodiff()).require_grad()
}

#[expect(clippy::expect_used, reason = "a check fails where it cannot read")]
async fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let n = tensor.shape().num_elements();
    read(tensor.reshape([n])).await.expect("a tensor is read back")
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
        let run = async |y: Tensor<_>| {
            let weights = random(&y.device().without_autodiff(), 99, y.dims());
            let gradients = (y.clone() * weights.inner().autodiff()).sum().backward();
            (values(y.inner()).await, vec![$(values($input.grad(&gradients).unwrap()).await),+])
        };
        let ((fused, fused_gradients), (composed, composed_gradients)) = (run($fused).await, run($composed).await);
        close(&fused, &composed, "output");
        for (a, b) in fused_gradients.iter().zip(&composed_gradients) {
            close(a, b, "gradient");
        }
    }};
}

// The macro stands in front of what uses it.
mod joined;
pub use joined::*;

/// LayerNorm, of views as well.
pub async fn layer_norm_is_burn_s(device: &Device) {
    let (x, s, b) = (random(device, 1, [3, 5, 19]), random(device, 2, [19]), random(device, 3, [19]));
    same!(
        layer_norm(x.clone(), s.clone(), b.clone(), 1e-5),
        reference::layer_norm(x.clone(), s.clone(), b.clone(), 1e-5),
        x,
        s,
        b
    );
    // A view, as a transposition leaves it.
    let view = |x: &Tensor<3>| x.clone().swap_dims(0, 1);
    same!(
        layer_norm(view(&x), s.clone(), b.clone(), 1e-5),
        reference::layer_norm(view(&x), s.clone(), b.clone(), 1e-5),
        x,
        s,
        b
    );
}

/// RMSNorm, of views as well, and of heads alone.
pub async fn rms_norm_is_burn_s(device: &Device) {
    let (x, s) = (random(device, 1, [3, 5, 19]), random(device, 2, [19]));
    same!(rms_norm(x.clone(), s.clone(), 1e-5), reference::rms_norm(x.clone(), s.clone(), 1e-5), x, s);
    let view = |x: &Tensor<3>| x.clone().swap_dims(0, 1);
    same!(rms_norm(view(&x), s.clone(), 1e-5), reference::rms_norm(view(&x), s.clone(), 1e-5), x, s);
    let (x, s) = (random(device, 3, [2, 3, 4, 6]), random(device, 4, [6]));
    same!(rms_norm(x.clone(), s.clone(), 1e-2), reference::rms_norm(x.clone(), s.clone(), 1e-2), x, s);
    // A frozen scale, or a first block's input.
    let frozen = s.clone().detach();
    same!(rms_norm(x.clone(), frozen.clone(), 1e-2), reference::rms_norm(x.clone(), frozen.clone(), 1e-2), x);
    let x = x.detach();
    same!(rms_norm(x.clone(), s.clone(), 1e-2), reference::rms_norm(x.clone(), s.clone(), 1e-2), s);
}

/// Heads turned by their position, whole and in part.
pub async fn rotations_are_burn_s(device: &Device) {
    let x = random(device, 1, [2, 5, 24]);
    for (head_dim, dims, first) in [(8, 8, 0), (12, 4, 3), (6, 6, 100)] {
        let rotation = Rotation { head_dim, dims, base: 10_000.0, first };
        same!(rotate(x.clone(), rotation), reference::rotate(x.clone(), rotation), x);
        let view = || x.clone().swap_dims(0, 1);
        same!(rotate(view(), rotation), reference::rotate(view(), rotation), x);
    }
}

/// SiLU(gate) ⊙ x.
pub async fn a_gate_is_burn_s(device: &Device) {
    let (gate, x) = (random(device, 1, [2, 5, 33]), random(device, 2, [2, 5, 33]));
    let wide = || gate.clone().mul_scalar(4.0);
    same!(gated(wide(), x.clone()), reference::gated(wide(), x.clone()), gate, x);
    let still = x.clone().detach();
    same!(gated(gate.clone(), still.clone()), reference::gated(gate.clone(), still.clone()), gate);
}

/// Attention whose keys and values serve several heads of queries, with and without a prefix.
pub async fn shared_keys_are_burn_s(device: &Device) {
    for (prefix, keys) in [(0, 1), (3, 2)] {
        let heads = Heads { queries: 6, keys };
        let (q, k, v) = (
            random(device, 4, [2, 5, 24]),
            random(device, 5, [2, 5 + prefix, 4 * keys]),
            random(device, 6, [2, 5 + prefix, 4 * keys]),
        );
        same!(
            attention(q.clone(), k.clone(), v.clone(), heads),
            reference::attention(q.clone(), k.clone(), v.clone(), heads),
            q,
            k,
            v
        );
    }
}

/// x·W + b over the last dimension, and W as a view.
pub async fn linear_is_burn_s(device: &Device) {
    let (x, w, b) = (random(device, 1, [3, 5, 7]), random(device, 2, [7, 11]), random(device, 3, [11]));
    let bias = || Some(b.clone());
    same!(linear(x.clone(), w.clone(), bias()), reference::linear(x.clone(), w.clone(), bias()), x, w, b);
    same!(linear(x.clone(), w.clone(), None), reference::linear(x.clone(), w.clone(), None), x, w);
    // More than one tile along every side, and so many that a GPU is filled by them.
    for (rows, inputs, outputs) in [(45, 37, 71), (85, 261, 263)] {
        let (large, wide) = (random(device, 1, [3, rows, inputs]), random(device, 2, [inputs, outputs]));
        let b = random(device, 3, [outputs]);
        let small = || (large.clone().mul_scalar(0.1), wide.clone().mul_scalar(0.1), Some(b.clone()));
        let [fused, composed] = [linear, reference::linear].map(|f| {
            let (x, w, b) = small();
            f(x, w, b)
        });
        same!(fused, composed, large, wide, b);
    }
    // A transposed weight, as the head has, and an input that is a view.
    let head = random(device, 4, [11, 7]);
    let view = |x: &Tensor<3>| x.clone().swap_dims(0, 1);
    same!(
        linear(view(&x), head.clone().transpose(), None),
        reference::linear(view(&x), head.clone().transpose(), None),
        x,
        head
    );
}

/// Products with packed matrices, either way round, with and without a bias; and what is unpacked of them.
pub async fn a_packed_matrix_is_what_it_unpacks_to(device: &Device) {
    let (rows, columns) = (71, 96);
    let numbers = values(random(device, 1, [rows, columns]).inner().mul_scalar(0.1)).await;
    for packing in Packing::ALL {
        for transposed in [false, true] {
            let layout = PackedLayout { packing, rows, columns, transposed };
            let w = Packed::new(pack(packing, &numbers), layout, device);
            let dense = w.dense();
            let mut expected = vec![0.0; rows * columns];
            unpack(packing, &pack(packing, &numbers), &mut expected);
            let stored = if transposed { dense.clone().transpose() } else { dense.clone() };
            assert_eq!(values(stored.clone()).await, expected, "{layout:?}");
            let ids = || Tensor::<1, Int>::from_data([70, 0, 3, 3], device);
            assert_eq!(values(w.rows(ids())).await, values(stored.select(0, ids())).await, "{layout:?}");
            let [inputs, outputs] = layout.dims();
            let (x, b) = (random(device, 2, [2, 19, inputs]), random(device, 3, [outputs]));
            let dense = || dense.clone().autodiff();
            same!(w.linear(x.clone(), None), reference::linear(x.clone(), dense(), None), x);
            let bias = || Some(b.clone());
            same!(w.linear(x.clone(), bias()), reference::linear(x.clone(), dense(), bias()), x, b);
            // A view, a frozen bias, a bias alone, and a vector.
            let view = || x.clone().swap_dims(0, 1);
            let frozen = || Some(b.clone().inner());
            same!(w.linear(view(), frozen()), reference::linear(view(), dense(), Some(b.clone().detach())), x);
            let still = || x.clone().detach();
            same!(w.linear(still(), bias()), reference::linear(still(), dense(), bias()), b);
            let row = || x.clone().slice([0..1, 0..1, 0..inputs]);
            same!(w.linear(row(), None), reference::linear(row(), dense(), None), x);
        }
    }
    // So many tiles that a GPU is filled by them, either way round.
    let (rows, columns) = (259, 288);
    let numbers = values(random(device, 1, [rows, columns]).inner().mul_scalar(0.01)).await;
    for packing in Packing::ALL {
        for transposed in [false, true] {
            let layout = PackedLayout { packing, rows, columns, transposed };
            let w = Packed::new(pack(packing, &numbers), layout, device);
            let [inputs, outputs] = layout.dims();
            let (x, b) = (random(device, 2, [2, 113, inputs]), random(device, 3, [outputs]));
            let dense = w.dense().autodiff();
            let bias = || Some(b.clone());
            same!(w.linear(x.clone(), bias()), reference::linear(x.clone(), dense.clone(), bias()), x, b);
        }
    }
}

/// What several places read has the gradients of all, in whatever order they come back.
pub async fn gradients_of_one_input_add_up(device: &Device) {
    let (x, s, b) = (random(device, 1, [2, 5, 32]), random(device, 2, [32]), random(device, 3, [32]));
    let (v, w) = (random(device, 4, [32, 32]), random(device, 5, [32, 32]));
    let (down, up) = (random(device, 6, [32, 3]), random(device, 7, [3, 32]));
    let numbers = values(random(device, 8, [32, 32]).inner().mul_scalar(0.1)).await;
    let layout = PackedLayout { packing: Packing::Q8_0, rows: 32, columns: 32, transposed: true };
    let packed = Packed::new(pack(Packing::Q8_0, &numbers), layout, device);
    let dense = packed.dense().autodiff();
    // No leaf: Burn keeps what a leaf has.
    let read = || x.clone().mul_scalar(0.3);
    let fused = |x: Tensor<3>| {
        let y = add_low_rank(linear(x.clone(), v.clone(), None), x.clone(), down.clone(), up.clone(), 0.1);
        let z = gated(linear(x.clone(), w.clone(), Some(b.clone())), packed.linear(x.clone(), None));
        let norms = rms_norm(x.clone(), s.clone(), 1e-5) + layer_norm(x.clone(), s.clone(), b.clone(), 1e-5);
        sum(sum(x, sum(y, z)), norms)
    };
    let composed = |x: Tensor<3>| {
        let y = reference::linear(x.clone(), v.clone(), None);
        let y = reference::add_low_rank(y, x.clone(), down.clone(), up.clone(), 0.1);
        let gate = reference::linear(x.clone(), w.clone(), Some(b.clone()));
        let z = reference::gated(gate, reference::linear(x.clone(), dense.clone(), None));
        let norms = reference::rms_norm(x.clone(), s.clone(), 1e-5);
        x.clone() + y + z + norms + reference::layer_norm(x, s.clone(), b.clone(), 1e-5)
    };
    same!(fused(read()), composed(read()), x, s, b, v, w, down, up);
    // A view, and a line that ends at its beginning.
    let view = || read().swap_dims(0, 1);
    same!(fused(view()), composed(view()), x, s, b, v, w, down, up);
    same!(sum(x.clone(), x.clone()), x.clone() + x.clone(), x);
}

/// y + s·(xA)B in one kernel.
pub async fn a_low_rank_update_is_burn_s(device: &Device) {
    let (y, x, a, b) = (
        random(device, 1, [2, 5, 11]),
        random(device, 2, [2, 5, 7]),
        random(device, 3, [7, 2]),
        random(device, 4, [2, 11]),
    );
    let fused = add_low_rank(y.clone(), x.clone(), a.clone(), b.clone(), 0.7);
    same!(fused, reference::add_low_rank(y.clone(), x.clone(), a.clone(), b.clone(), 0.7), y, x, a, b);
    // In a first block neither x nor y has a gradient.
    let (y, x) = (y.detach(), x.detach());
    let fused = add_low_rank(y.clone(), x.clone(), a.clone(), b.clone(), 0.7);
    same!(fused, reference::add_low_rank(y.clone(), x.clone(), a.clone(), b.clone(), 0.7), a, b);
}

/// ReLU, which leaves a NaN what it is.
pub async fn relu_is_burn_s(device: &Device) {
    let x = random(device, 5, [4, 21]);
    let shifted = || x.clone().add_scalar(0.5);
    same!(relu(shifted()), activation::relu(shifted()), x);
    let undefined = Tensor::<1>::from_data([f32::NAN, -1.0], device);
    assert!(values(relu(undefined)).await[0].is_nan(), "a loss that is not a number must stay one");
}

/// Causal attention with and without keys in front, and of one query alone, where some inputs have no gradient too.
pub async fn attention_is_burn_s(device: &Device) {
    for (queries, front) in [(9, 0), (9, 3), (1, 70)] {
        let (q, k, v) = (
            random(device, 4, [2, queries, 12]),
            random(device, 5, [2, queries + front, 12]),
            random(device, 6, [2, queries + front, 12]),
        );
        let (a, b) = (q.clone(), k.clone());
        same!(
            attention(q.clone(), k.clone(), v.clone(), Heads::alike(3)),
            reference::attention(q.clone(), k.clone(), v.clone(), Heads::alike(3)),
            q,
            k,
            v
        );
        // Some inputs without gradients.
        let (q, k) = (q.detach(), k.detach());
        same!(
            attention(q.clone(), k.clone(), v.clone(), Heads::alike(3)),
            reference::attention(q.clone(), k.clone(), v.clone(), Heads::alike(3)),
            v
        );
        same!(
            attention(a.clone(), k.clone(), v.clone(), Heads::alike(3)),
            reference::attention(a.clone(), k.clone(), v.clone(), Heads::alike(3)),
            a,
            v
        );
        same!(
            attention(q.clone(), b.clone(), v.clone().detach(), Heads::alike(3)),
            reference::attention(q.clone(), b.clone(), v.clone().detach(), Heads::alike(3)),
            b
        );
    }
}

/// GELU as GPT-2 has it.
pub async fn gelu_new_is_burn_s_tanh_approximation(device: &Device) {
    let x = random(device, 5, [4, 21]);
    let wide = || x.clone().mul_scalar(4.0);
    same!(gelu_new(wide()), activation::gelu_approximate(wide()), x);
    same!(reference::gelu_new(wide()), activation::gelu_approximate(wide()), x);
}

/// The sum of cross-entropies, of rows of a larger tensor as well.
pub async fn cross_entropy_is_burn_s(device: &Device) {
    let x = random(device, 6, [5, 13]);
    let targets = [0, 12, 3, 3, 7];
    same!(cross_entropy(x.clone(), &targets), reference::cross_entropy(x.clone(), &targets), x);
    // Rows of a larger tensor.
    let rows = |x: &Tensor<2>| x.clone().slice([1..3, 0..13]);
    same!(cross_entropy(rows(&x), &[4, 0]), reference::cross_entropy(rows(&x), &[4, 0]), x);
}

/// Kernels that write in place leave alone what another tensor holds.
pub async fn what_somebody_else_holds_stays_as_it_is(device: &Device) {
    let x = random(device, 7, [4, 4]).inner();
    let before = values(x.clone()).await;
    cross_entropy(x.clone(), &[0; 4]);
    let bias = x.clone().slice([0..1, 0..4]).reshape([4]);
    linear(x.clone(), x.clone(), Some(bias));
    assert_eq!(values(x).await, before);
}

/// The products of [`wasm::gemm`] of odd and even shapes, of views, replacing and adding.
pub async fn panels_are_a_loop(_: &Device) {
    let mut rng = stream(0, "panels");
    let mut numbers = |n: usize| (0..n).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f32>>();
    for (m, n, k) in
        [(1, 1, 1), (4, 8, 4), (5, 9, 7), (97, 24, 33), (3, 130, 257), (200, 7, 300), (8, 16, 0), (64, 32, 64)]
            .into_iter()
            // More columns than are packed at once.
            .chain([(2, 2048, 3), (3, 4100, 258)])
    {
        // Rows with a gap behind them, and columns that are rows of something else.
        let (a, b) = (numbers(m * (k + 3) + k), numbers(k.max(1) * (n + 2) + n));
        let (c, d) = (numbers(k * (m + 1) + m), numbers(n * (k + 5) + k));
        let lefts = [View::spaced(&a, m, k, k + 3), View::spaced(&c, k, m, m + 1).transposed()];
        let rights = [View::spaced(&b, k, n, n + 2), View::spaced(&d, n, k, k + 5).transposed()];
        for (left, right) in lefts.into_iter().flat_map(|left| rights.map(|right| (left, right))) {
            for write in [Write::Replace, Write::Add] {
                let stride = n + 4;
                let before = numbers(m * stride);
                let mut out = before.clone();
                wasm::gemm::multiply(&mut out, stride, write, left, Right::Plain(right));
                for (i, (now, before)) in out.iter().zip(&before).enumerate() {
                    let (row, column) = (i / stride, i % stride);
                    let product: f64 = match column < n {
                        true => (0..k).map(|x| f64::from(left.at(row, x)) * f64::from(right.at(x, column))).sum(),
                        false => 0.0,
                    };
                    let start = if column < n && write == Write::Replace { 0.0 } else { f64::from(*before) };
                    // Sums of k products below 1, in single precision.
                    let error = (f64::from(*now) - start - product).abs();
                    assert!(error <= 1e-7 * (k + 8) as f64, "{m} × {k} × {n} at {row}, {column}: {error}");
                }
            }
        }
    }
}

/// The products of [`wasm::gemm`] with a packed factor are those with its numbers, to the bit.
pub async fn panels_are_unpacked_on_the_way(_: &Device) {
    let mut rng = stream(0, "packed panels");
    let mut numbers = |n: usize| (0..n).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f32>>();
    for (m, rows, columns) in [(1, 1, 32), (5, 9, 64), (7, 300, 96), (100, 65, 288)] {
        let w = numbers(rows * columns);
        for packing in Packing::ALL {
            let bytes = pack(packing, &w);
            let mut dense = vec![0.0; rows * columns];
            unpack(packing, &bytes, &mut dense);
            for transposed in [false, true] {
                let layout = PackedLayout { packing, rows, columns, transposed };
                let dense = View::new(&dense, rows, columns);
                let dense = if transposed { dense.transposed() } else { dense };
                let left = numbers(m * dense.rows());
                let left = View::new(&left, m, dense.rows());
                let n = dense.columns();
                let (mut a, mut b) = (vec![0.5; m * n], vec![0.5; m * n]);
                for write in [Write::Replace, Write::Add] {
                    wasm::gemm::multiply(&mut a, n, write, left, Right::Plain(dense));
                    wasm::gemm::multiply(&mut b, n, write, left, Right::Packed(PackedView::new(&bytes, layout)));
                    assert!(a == b, "{m} rows by {layout:?}");
                }
            }
        }
    }
}

/// Hands the names of all checks to a macro, which makes a test of each: so the one that fails is named.
#[macro_export]
macro_rules! each_kernel_check {
    ($macro:ident) => {
        $macro! {
            layer_norm_is_burn_s
            rms_norm_is_burn_s
            rotations_are_burn_s
            a_gate_is_burn_s
            shared_keys_are_burn_s
            linear_is_burn_s
            a_packed_matrix_is_what_it_unpacks_to
            gradients_of_one_input_add_up
            a_low_rank_update_is_burn_s
            relu_is_burn_s
            attention_is_burn_s
            gelu_new_is_burn_s_tanh_approximation
            cross_entropy_is_burn_s
            what_somebody_else_holds_stays_as_it_is
            panels_are_a_loop
            panels_are_unpacked_on_the_way
            a_sum_and_its_norm_are_burn_s
            turned_attention_is_burn_s
            packed_matrices_of_one_input_are_burn_s
            gradients_of_a_large_low_rank_update_are_burn_s
        }
    };
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    macro_rules! tests {
        ($($check:ident)*) => {
            mod on_the_cpu {
                use burn::tensor::Device;
                $(
                    #[test]
                    fn $check() {
                        pollster::block_on(crate::kernels::checks::$check(&Device::flex()));
                    }
                )*
            }

            /// Where the machine has Vulkan (software does): `cargo test --features webgpu -- --ignored`.
            #[cfg(feature = "webgpu")]
            mod on_a_gpu {
                use burn::tensor::Device;
                $(
                    #[test]
                    #[ignore = "needs a GPU, or a driver that is one"]
                    fn $check() {
                        pollster::block_on(crate::kernels::checks::$check(&Device::wgpu(Default::default())));
                    }
                )*
            }
        };
    }
    each_kernel_check!(tests);
}
