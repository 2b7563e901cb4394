// Heads of rows turned by their position. An invocation takes a number and its partner, or one that stays.

@group(0) @binding(#) var<storage, read> x: array<f32>;
@group(0) @binding(#) var<storage, read> angles: array<vec2f>;
@group(0) @binding(#) var<storage, read_write> y: array<f32>;
@group(0) @binding(#) var<storage, read> info: array<u32>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let n = info[0];
    let width = info[1];
    let length = info[2];
    let head_dim = info[3];
    let half = info[4] / 2u;
    // Back is the other way round.
    let way = select(1.0, -1.0, info[5] == 1u);
    for (var i = id.x; i < n; i += 256u * groups.x) {
        let place = i % width % head_dim;
        let position = i / width % length;
        if (place >= 2u * half) {
            y[i] = x[i];
        } else if (place < half) {
            let angle = angles[position * half + place];
            y[i] = x[i] * angle.x - x[i + half] * way * angle.y;
        } else {
            let angle = angles[position * half + place - half];
            y[i] = x[i] * angle.x + x[i - half] * way * angle.y;
        }
    }
}
