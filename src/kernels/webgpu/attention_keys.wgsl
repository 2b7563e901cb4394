// The gradients of keys and values. A workgroup takes a key of a head of a sequence, its invocations the numbers of both.

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
    let size = width / heads;
    let key = group.x;
    let sequence = group.y / heads;
    let column = group.y % heads * size;
    let own = (sequence * keys + key) * width + column;
    let others = sequence * queries * width + column;
    let first = group.y * queries * keys + key;
    // The queries in front of it do not see it.
    let prefix = keys - queries;
    let start = select(key - prefix, 0u, key < prefix);

    for (var i = index; i < 2u * size; i += 64u) {
        var value = 0.0;
        if (i < size) {
            for (var query = start; query < queries; query += 1u) {
                value += of_scores[first + query * keys] * q[others + query * width + i];
            }
            of_k[own + i] = value;
        } else {
            for (var query = start; query < queries; query += 1u) {
                value += weights[first + query * keys] * gradient[others + query * width + i - size];
            }
            of_v[own + i - size] = value;
        }
    }
}
