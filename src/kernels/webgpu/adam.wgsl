// A step of Adam (Kingma & Ba 2015) over all of φ, behind a clip of the gradient's norm. Keeps loss and norm.

@group(0) @binding(#) var<storage, read> phi: array<f32>;
@group(0) @binding(#) var<storage, read> gradient: array<f32>;
// Of each block of the gradient.
@group(0) @binding(#) var<storage, read> squares: array<f32>;
@group(0) @binding(#) var<storage, read_write> moments: array<vec2f>;
@group(0) @binding(#) var<storage, read_write> stepped: array<f32>;
@group(0) @binding(#) var<storage, read_write> kept: array<vec2f>;
@group(0) @binding(#) var<storage, read> info: array<u32>;

var<workgroup> shared_: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) index: u32,
) {
    let blocks = info[0];
    let slot = info[1];
    let rate = bitcast<f32>(info[2]);
    let beta1 = bitcast<f32>(info[3]);
    let beta2 = bitcast<f32>(info[4]);
    let epsilon = bitcast<f32>(info[5]);
    let most = bitcast<f32>(info[6]);
    // 1 − βᵗ
    let bias1 = bitcast<f32>(info[7]);
    let bias2 = bitcast<f32>(info[8]);

    var sum = 0.0;
    for (var i = index; i < blocks; i += 64u) {
        sum += squares[i];
    }
    shared_[index] = sum;
    workgroupBarrier();
    var all = 0.0;
    for (var i = 0u; i < 64u; i += 1u) {
        all += shared_[i];
    }
    let length = sqrt(all);
    let factor = min(most / (length + 1e-6), 1.0);
    if (group.x == 0u && index == 0u) {
        // The loss stands behind the gradient.
        kept[slot] = vec2f(gradient[blocks * 256u], length);
    }
    let end = blocks * 256u;
    for (var i = group.x * 64u + index; i < end; i += 64u * groups.x) {
        let g = factor * gradient[i];
        let m = moments[i] * vec2f(beta1, beta2) + vec2f(g, g * g) * (1.0 - vec2f(beta1, beta2));
        moments[i] = m;
        stepped[i] = phi[i] - rate * (m.x / bias1) / (sqrt(m.y / bias2) + epsilon);
    }
}
