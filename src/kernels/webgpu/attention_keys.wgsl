// The gradients of keys and values. A workgroup takes a key of a head of keys of a sequence, its invocations the numbers of
// both. Heads of queries that look at the same keys add theirs.

@group(0) @binding(#) var<storage, read> q: array<f32>;
@group(0) @binding(#) var<storage, read> weights: array<f32>;
@group(0) @binding(#) var<storage, read> of_scores: array<f32>;
@group(0) @binding(#) var<storage, read> gradient: array<f32>;
@group(0) @binding(#) var<storage, read_write> of_k: array<f32>;
@group(0) @binding(#) var<storage, read_write> of_v: array<f32>;
@group(0) @binding(#) var<storage, read> info: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    let queries = info[0];
    let keys = info[1];
    let width = info[2];
    let heads = info[3];
    let key_heads = info[5];
    let size = width / heads;
    let key = group.x;
    let sequence = group.y / key_heads;
    let head = group.y % key_heads;
    let own = (sequence * keys + key) * key_heads * size + head * size;
    let shared_by = heads / key_heads;
    // The queries in front of it do not see it.
    let prefix = keys - queries;
    let start = select(key - prefix, 0u, key < prefix);

    for (var i = index; i < 2u * size; i += 64u) {
        var value = 0.0;
        for (var asking = head * shared_by; asking < (head + 1u) * shared_by; asking += 1u) {
            let others = sequence * queries * width + asking * size;
            let first = (sequence * heads + asking) * queries * keys + key;
            if (i < size) {
                for (var query = start; query < queries; query += 1u) {
                    value += of_scores[first + query * keys] * q[others + query * width + i];
                }
            } else {
                for (var query = start; query < queries; query += 1u) {
                    value += weights[first + query * keys] * gradient[others + query * width + i - size];
                }
            }
        }
        if (i < size) {
            of_k[own + i] = value;
        } else {
            of_v[own + i - size] = value;
        }
    }
}
