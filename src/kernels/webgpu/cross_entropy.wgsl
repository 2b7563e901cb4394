// −log softmax(logits) at the target of each row, and the probabilities. A workgroup takes a row at a time.

@group(0) @binding(#) var<storage, read> logits: array<f32>;
@group(0) @binding(#) var<storage, read> targets: array<i32>;
@group(0) @binding(#) var<storage, read_write> losses: array<f32>;
@group(0) @binding(#) var<storage, read_write> probabilities: array<f32>;
@group(0) @binding(#) var<storage, read> info: array<u32>;

@compute @workgroup_size(32)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) index: u32,
) {
    let rows = info[0];
    let n = info[1];
    for (var row = group.x; row < rows; row += groups.x) {
        let first = row * n;
        var most = -3.4e38;
        for (var i = index; i < n; i += 32u) {
            most = max(most, logits[first + i]);
        }
        most = largest(index, most);
        var sum = 0.0;
        for (var i = index; i < n; i += 32u) {
            sum += exp(logits[first + i] - most);
        }
        sum = total(index, vec2f(sum, 0.0)).x;
        for (var i = index; i < n; i += 32u) {
            probabilities[first + i] = exp(logits[first + i] - most) / sum;
        }
        if (index == 0u) {
            losses[row] = log(sum) + most - logits[first + u32(targets[row])];
        }
    }
}
