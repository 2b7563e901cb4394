// c = s·a·b, [m, n], of a [m, k] and b [k, n] with any strides; plus a bias, or plus y. A workgroup makes a tile of
// 32 × 32 numbers of c, each of its 8 × 8 invocations 4 × 4 of them. With PACKED, b is unpacked on the way.

@group(0) @binding(#) var<storage, read> a: array<f32>;
//#if PACKED
@group(0) @binding(#) var<storage, read> words: array<u32>;
//#else
@group(0) @binding(#) var<storage, read> b: array<f32>;
//#end
//#if BIAS
@group(0) @binding(#) var<storage, read> bias: array<f32>;
//#end
//#if ADD
@group(0) @binding(#) var<storage, read> y: array<f32>;
//#end
@group(0) @binding(#) var<storage, read_write> c: array<f32>;
//#if SUMS
// What the columns of b add up to.
@group(0) @binding(#) var<storage, read_write> sums: array<f32>;
//#end
@group(0) @binding(#) var<storage, read> info: array<u32>;

//#if PACKED
// A block of packed numbers, and four rows of four numbers for each invocation to unpack.
const DEPTH = 32u;
//#else
const DEPTH = 16u;
//#end
const ROWS = 4u;
const TILE = 8u * ROWS;

var<workgroup> left: array<f32, TILE * DEPTH>;
var<workgroup> right: array<vec4f, DEPTH * 8u>;

@compute @workgroup_size(8, 8)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(local_invocation_index) index: u32,
) {
    let m = info[0];
    let n = info[1];
    let k = info[2];
    let a_row = info[3];
    let a_column = info[4];
//#if PACKED
//#else
    let b_row = info[5];
    let b_column = info[6];
//#end
    let scale = bitcast<f32>(info[7]);
    let row = group.y * TILE;
    let column = group.x * 32u;

    var tile: array<vec4f, ROWS>;
//#if SUMS
    var sum = vec4f();
//#end
    for (var start = 0u; start < k; start += DEPTH) {
        // Neighbours read neighbours: along whichever side of the matrix lies together in memory.
        for (var i = index; i < TILE * DEPTH; i += 64u) {
            var at = vec2u(i / DEPTH, i % DEPTH);
            if (a_row == 1u) {
                at = vec2u(i % TILE, i / TILE);
            }
            let place = vec2u(row + at.x, start + at.y);
            var value = 0.0;
            if (place.x < m && place.y < k) {
                value = a[place.x * a_row + place.y * a_column];
            }
            left[at.y * TILE + at.x] = value;
        }
//#if PACKED
        // Neighbours unpack the same block.
        var at = vec2u(index / 8u, index % 8u);
        if (TURNED == 1u) {
            at = at.yx;
        }
        var unpacked = four_by_four(start + 4u * at.x, column + 4u * at.y, k, n);
        for (var i = 0u; i < 4u; i += 1u) {
            right[(4u * at.x + i) * 8u + at.y] = unpacked[i];
        }
//#else
        for (var i = index; i < DEPTH * 8u; i += 64u) {
            var at = vec2u(i / 8u, i % 8u);
            if (b_row == 1u) {
                at = vec2u(i % DEPTH, i / DEPTH);
            }
            let depth = start + at.x;
            let first = column + 4u * at.y;
            var value = vec4f();
            if (depth < k) {
                let from_ = depth * b_row + first * b_column;
                if (first < n) { value.x = b[from_]; }
                if (first + 1u < n) { value.y = b[from_ + b_column]; }
                if (first + 2u < n) { value.z = b[from_ + 2u * b_column]; }
                if (first + 3u < n) { value.w = b[from_ + 3u * b_column]; }
            }
            right[at.x * 8u + at.y] = value;
        }
//#end
        workgroupBarrier();
        for (var depth = 0u; depth < DEPTH; depth += 1u) {
            let r = right[depth * 8u + local.x];
            for (var i = 0u; i < ROWS; i += 1u) {
                tile[i] += left[depth * TILE + local.y * ROWS + i] * r;
            }
//#if SUMS
            sum += r;
//#end
        }
        workgroupBarrier();
    }

    for (var j = 0u; j < 4u; j += 1u) {
        let to = column + 4u * local.x + j;
        if (to >= n) {
            break;
        }
//#if SUMS
        if (group.y == 0u && local.y == 0u) {
            sums[to] = sum[j];
        }
//#end
        for (var i = 0u; i < ROWS; i += 1u) {
            let at = row + local.y * ROWS + i;
            if (at < m) {
                var value = scale * tile[i][j];
//#if BIAS
                value += bias[to];
//#end
//#if ADD
                value += y[at * n + to];
//#end
                c[at * n + to] = value;
            }
        }
    }
}
