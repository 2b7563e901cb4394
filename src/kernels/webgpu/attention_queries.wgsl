// Back through attention's weights. A workgroup takes a query of a head of a sequence: the gradients of its scores, and its own.

@group(0) @binding(#) var<storage, read> k: array<f32>;
@group(0) @binding(#) var<storage, read> v: array<f32>;
@group(0) @binding(#) var<storage, read> weights: array<f32>;
@group(0) @binding(#) var<storage, read> gradient: array<f32>;
@group(0) @binding(#) var<storage, read_write> of_scores: array<f32>;
@group(0) @binding(#) var<storage, read_write> of_q: array<f32>;
@group(0) @binding(#) var<storage, read> info: array<u32>;

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    let queries = info[0];
    let keys = info[1];
    let width = info[2];
    let heads = info[3];
    let scale = bitcast<f32>(info[4]);
    let key_heads = info[5];
    let size = width / heads;
    let key_width = key_heads * size;
    let query = group.x;
    let sequence = group.y / heads;
    let head = group.y % heads;
    let column = head * size;
    let seen = keys - queries + query + 1u;
    let own = (sequence * queries + query) * width + column;
    // Several heads of queries may look at the same keys.
    let others = sequence * keys * key_width + head / (heads / key_heads) * size;
    let row = (group.y * queries + query) * keys;

    var sum = 0.0;
    for (var key = index; key < seen; key += 32u) {
        var of_weight = 0.0;
        for (var i = 0u; i < size; i += 1u) {
            of_weight += gradient[own + i] * v[others + key * key_width + i];
        }
        of_scores[row + key] = of_weight;
        sum += of_weight * weights[row + key];
    }
    let mean = total(index, vec2f(sum, 0.0)).x;
    for (var key = index; key < seen; key += 32u) {
        of_scores[row + key] = weights[row + key] * (of_scores[row + key] - mean) * scale;
    }
    storageBarrier();
    workgroupBarrier();
    for (var i = index; i < size; i += 32u) {
        var value = 0.0;
        for (var key = 0u; key < seen; key += 1u) {
            value += of_scores[row + key] * k[others + key * key_width + i];
        }
        of_q[own + i] = value;
    }
}
