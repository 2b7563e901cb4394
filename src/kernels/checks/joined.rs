//! Operations that compute in one pass what others compute in several.

use super::*;

/// A sum and its norm, both read further on, of views as well and where some inputs have no gradient.
pub async fn a_sum_and_its_norm_are_burn_s(device: &Device) {
    let (x, y) = (random(device, 1, [3, 5, 19]), random(device, 2, [3, 5, 19]));
    let (s, b) = (random(device, 3, [19]), random(device, 4, [19]));
    let both = |(sum, normed): (Tensor<3>, Tensor<3>)| Tensor::cat(vec![sum, normed], 2);
    let view = |x: &Tensor<3>| x.clone().swap_dims(0, 1);
    for seen in [|x: &Tensor<3>| x.clone(), view, |x: &Tensor<3>| x.clone().mul_scalar(0.5)] {
        let root = |x: Tensor<3>| (x.clone(), reference::rms_norm(x, s.clone(), 1e-5));
        let fused = both(sum_rms_norm(seen(&x), seen(&y), s.clone(), 1e-5));
        same!(fused, both(root(seen(&x) + seen(&y))), x, y, s);
        let layer = |x: Tensor<3>| (x.clone(), reference::layer_norm(x, s.clone(), b.clone(), 1e-5));
        let fused = both(sum_layer_norm(seen(&x), seen(&y), s.clone(), b.clone(), 1e-5));
        same!(fused, both(layer(seen(&x) + seen(&y))), x, y, s, b);
    }
    // A frozen norm, and a line on which nothing is trained so far.
    let (s, b, still) = (s.detach(), b.detach(), x.clone().detach());
    let fused = both(sum_rms_norm(still.clone(), y.clone(), s.clone(), 1e-5));
    let sum = || still.clone() + y.clone();
    same!(fused, both((sum(), reference::rms_norm(sum(), s.clone(), 1e-5))), y);
    // Where the sum alone is read, and the norm alone.
    same!(sum_layer_norm(x.clone(), y.clone(), s.clone(), b.clone(), 1e-5).0, x.clone() + y.clone(), x, y);
    let alone = sum_layer_norm(x.clone(), y.clone(), s.clone(), b.clone(), 1e-5).1;
    same!(alone, reference::layer_norm(x.clone() + y.clone(), s.clone(), b.clone(), 1e-5), x, y);
}

/// Attention whose queries and keys are turned first, with shared keys, where some inputs have no gradient too.
pub async fn turned_attention_is_burn_s(device: &Device) {
    for (keys, dims, first) in [(3, 8, 0), (1, 4, 3)] {
        let (q, k, v) =
            (random(device, 4, [2, 7, 24]), random(device, 5, [2, 7, 8 * keys]), random(device, 6, [2, 7, 8 * keys]));
        let (heads, rotation) = (Heads { queries: 3, keys }, Rotation { head_dim: 8, dims, base: 100.0, first });
        let composed = |q: Tensor<3>, k: Tensor<3>, v: Tensor<3>| {
            let [q, k] = [q, k].map(|x| reference::rotate(x, rotation));
            reference::attention(q, k, v, heads)
        };
        let fused = |q: &Tensor<3>, k: &Tensor<3>| turned_attention(q.clone(), k.clone(), v.clone(), heads, rotation);
        same!(fused(&q, &k), composed(q.clone(), k.clone(), v.clone()), q, k, v);
        let still = q.clone().detach();
        same!(fused(&still, &k), composed(still.clone(), k.clone(), v.clone()), k, v);
        let still = k.clone().detach();
        same!(fused(&q, &still), composed(q.clone(), still.clone(), v.clone()), q, v);
    }
}

/// Products of one input with two and three packed matrices, of unlike widths, and packed unlike.
pub async fn packed_matrices_of_one_input_are_burn_s(device: &Device) {
    for (inputs, rows) in [(64, 5), (288, 113)] {
        let x = random(device, 1, [2, rows, inputs]);
        let numbers = values(random(device, 2, [inputs, 640]).inner().mul_scalar(0.05)).await;
        let packed = |packing: Packing, outputs: usize, transposed: bool| {
            let [rows, columns] = if transposed { [outputs, inputs] } else { [inputs, outputs] };
            let layout = PackedLayout { packing, rows, columns, transposed };
            Packed::new(pack(packing, &numbers[..rows * columns]), layout, device)
        };
        for transposed in [true, false] {
            for (packings, widths) in [
                ([Packing::Q4_1; 3], [96, 32, 160]),
                ([Packing::F16; 3], [32, 320, 64]),
                ([Packing::Q8_0, Packing::Q4_1, Packing::Q8_0], [96, 32, 32]),
            ] {
                let matrices = [0, 1, 2].map(|i| packed(packings[i], widths[i], transposed));
                let [a, b, c] = matrices.each_ref();
                let dense = |w: &Packed| reference::linear(x.clone(), w.dense().autodiff(), None);
                let fused = Tensor::cat(Packed::triple(x.clone(), [a, b, c]).to_vec(), 2);
                same!(fused, Tensor::cat(vec![dense(a), dense(b), dense(c)], 2), x);
                let fused = Tensor::cat(Packed::pair(x.clone(), [b, c]).to_vec(), 2);
                same!(fused, Tensor::cat(vec![dense(b), dense(c)], 2), x);
            }
        }
    }
}

/// y + s·(xA)B so large that a GPU is filled by what comes back, with each set of gradients that a run asks for, and on
/// top of an earlier one.
pub async fn gradients_of_a_large_low_rank_update_are_burn_s(device: &Device) {
    let (y, x) = (random(device, 1, [2, 97, 263]), random(device, 2, [2, 97, 261]));
    let (a, b) = (random(device, 3, [261, 5]), random(device, 4, [5, 263]));
    let small = |x: &Tensor<2>| x.clone().mul_scalar(0.05);
    let fused = add_low_rank(y.clone(), x.clone(), small(&a), small(&b), 0.7);
    same!(fused, reference::add_low_rank(y.clone(), x.clone(), small(&a), small(&b), 0.7), y, x, a, b);
    for frozen in 0..3 {
        let still = |i: usize| i == frozen;
        let down = || if still(0) { small(&a).detach() } else { small(&a) };
        let up = || if still(1) { small(&b).detach() } else { small(&b) };
        let read = || if still(2) { x.clone().detach() } else { x.clone().mul_scalar(0.5) };
        let twice = |f: fn(Tensor<3>, Tensor<3>, Tensor<2>, Tensor<2>, f64) -> Tensor<3>| {
            let x = read();
            let line = sum(x.clone(), x.clone()).slice([0..2, 0..97, 0..1]);
            f(y.clone(), x, down(), up(), 0.7) + line.expand([2, 97, 263])
        };
        match frozen {
            0 => same!(twice(add_low_rank), twice(reference::add_low_rank), x, b),
            1 => same!(twice(add_low_rank), twice(reference::add_low_rank), x, a),
            _ => same!(twice(add_low_rank), twice(reference::add_low_rank), a, b),
        }
    }
}
