// Causal attention. A workgroup takes a query of a head of a sequence: its weights over the keys, and the mean of their values.

@group(0) @binding(#) var<storage, read> q: array<f32>;
@group(0) @binding(#) var<storage, read> k: array<f32>;
@group(0) @binding(#) var<storage, read> v: array<f32>;
@group(0) @binding(#) var<storage, read_write> weights: array<f32>;
@group(0) @binding(#) var<storage, read_write> out: array<f32>;
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

    var most = -3.4e38;
    for (var key = index; key < seen; key += 32u) {
        var score = 0.0;
        for (var i = 0u; i < size; i += 1u) {
            score += q[own + i] * k[others + key * key_width + i];
        }
        score *= scale;
        weights[row + key] = score;
        most = max(most, score);
    }
    most = largest(index, most);
    var sum = 0.0;
    for (var key = index; key < seen; key += 32u) {
        let weight = exp(weights[row + key] - most);
        weights[row + key] = weight;
        sum += weight;
    }
    sum = total(index, vec2f(sum, 0.0)).x;
    for (var key = index; key < keys; key += 32u) {
        if (key < seen) {
            weights[row + key] /= sum;
        } else {
            weights[row + key] = 0.0;
        }
    }
    storageBarrier();
    workgroupBarrier();
    for (var i = index; i < size; i += 32u) {
        var value = 0.0;
        for (var key = 0u; key < seen; key += 1u) {
            value += weights[row + key] * v[others + key * key_width + i];
        }
        out[own + i] = value;
    }
}
