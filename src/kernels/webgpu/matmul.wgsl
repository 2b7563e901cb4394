// A product in tiles: each of a workgroup's invocations makes 4 × 4 numbers, of factors that the workgroup loads together.

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
    let place = place_of(group);
    let of_ = 8u * place.z;
//#if MANY
    which = place.z;
//#end
    let m = info[of_];
    let n = info[of_ + 1u];
    let k = info[of_ + 2u];
    let a_row = info[of_ + 3u];
    let a_column = info[of_ + 4u];
//#if PACKED
//#else
    let b_row = info[of_ + 5u];
    let b_column = info[of_ + 6u];
//#end
    let scale = bitcast<f32>(info[of_ + 7u]);
    let row = place.y * TILE;
    let column = place.x * 32u;

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
            let from_ = vec2u(row + at.x, start + at.y);
            var value = 0.0;
            if (from_.x < m && from_.y < k) {
                value = a(from_.x * a_row + from_.y * a_column);
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
                if (first < n) { value.x = b(from_); }
                if (first + 1u < n) { value.y = b(from_ + b_column); }
                if (first + 2u < n) { value.z = b(from_ + 2u * b_column); }
                if (first + 3u < n) { value.w = b(from_ + 3u * b_column); }
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
        if (row == 0u && local.y == 0u) {
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
                if (which == ADD) { value += y[at * n + to]; }
//#end
                put(at * n + to, value);
            }
        }
    }
}
