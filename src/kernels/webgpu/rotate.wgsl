// Heads of rows turned by their position; with PAIR those of two tensors that differ in their width alone. An invocation takes
// a number and its partner, or one that stays.

@group(0) @binding(#) var<storage, read> x: array<f32>;
//#if PAIR
@group(0) @binding(#) var<storage, read> other: array<f32>;
//#end
@group(0) @binding(#) var<storage, read> angles: array<vec2f>;
@group(0) @binding(#) var<storage, read_write> y: array<f32>;
//#if PAIR
@group(0) @binding(#) var<storage, read_write> turned: array<f32>;
//#end
@group(0) @binding(#) var<storage, read> info: array<u32>;

// What takes the place of a number: its own share and its partner's, where it has one.
struct Turn {
    partner: u32,
    own: f32,
    others: f32,
}

fn turn(i: u32, width: u32) -> Turn {
    let place = i % width % info[3];
    let half = info[4] / 2u;
    if (place >= 2u * half) {
        return Turn(i, 1.0, 0.0);
    }
    let angle = angles[i / width % info[2] * half + place % half];
    // Back is the other way round.
    let sine = select(angle.y, -angle.y, info[5] == 1u);
    if (place < half) {
        return Turn(i + half, angle.x, -sine);
    }
    return Turn(i - half, angle.x, sine);
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var i = id.x; i < info[0]; i += 256u * groups.x) {
        let t = turn(i, info[1]);
        y[i] = x[i] * t.own + x[t.partner] * t.others;
    }
//#if PAIR
    for (var i = id.x; i < info[6]; i += 256u * groups.x) {
        let t = turn(i, info[7]);
        turned[i] = other[i] * t.own + other[t.partner] * t.others;
    }
//#end
}
