// The gradient of the logits: (probability − 1 at the target)·the loss's gradient.

@group(0) @binding(#) var<storage, read> probabilities: array<f32>;
@group(0) @binding(#) var<storage, read> targets: array<i32>;
@group(0) @binding(#) var<storage, read> gradient: array<f32>;
@group(0) @binding(#) var<storage, read_write> of_logits: array<f32>;
@group(0) @binding(#) var<storage, read> info: array<u32>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let n = info[1];
    for (var i = id.x; i < info[0] * n; i += 256u * groups.x) {
        let row = i / n;
        let one = select(0.0, 1.0, i % n == u32(targets[row]));
        of_logits[i] = (probabilities[i] - one) * gradient[row];
    }
}
