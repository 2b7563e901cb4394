// Packed rows in single precision: all of them, or with CHOSEN those of the ids. An invocation makes four neighbours.

@group(0) @binding(#) var<storage, read> words: array<u32>;
//#if CHOSEN
@group(0) @binding(#) var<storage, read> ids: array<u32>;
//#end
@group(0) @binding(#) var<storage, read_write> y: array<f32>;
// Rows of y, and numbers of a row.
@group(0) @binding(#) var<storage, read> info: array<u32>;

fn word(at: u32) -> u32 {
    return words[at];
}

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let columns = info[1];
    let fours = (columns + 3u) / 4u;
    for (var i = id.x; i < info[0] * fours; i += 256u * groups.x) {
        let row = i / fours;
        let column = 4u * (i % fours);
//#if CHOSEN
        let four = neighbours(ids[row], column, columns);
//#else
        let four = neighbours(row, column, columns);
//#end
        for (var j = 0u; j < min(4u, columns - column); j += 1u) {
            y[row * columns + column + j] = four[j];
        }
    }
}
