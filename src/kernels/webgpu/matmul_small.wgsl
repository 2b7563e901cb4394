// A product too small to fill a GPU with tiles: each invocation makes 4 × 4 numbers from registers, without memory of the
// workgroup and without barriers.

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let place = place_of(group);
    let of_ = 8u * place.z;
//#if MANY
    which = place.z;
//#end
    let m = info[of_];
    let n = info[of_ + 1u];
    let k = info[of_ + 2u];
    let scale = bitcast<f32>(info[of_ + 7u]);
    let row = 32u * place.y + 4u * local.y;
    let column = 32u * place.x + 4u * local.x;
    if (row >= m || column >= n) {
        return;
    }
    // Beyond the edge, the last row and column are read again and nothing is written.
    let rows = min(vec4u(row, row + 1u, row + 2u, row + 3u), vec4u(m - 1u)) * info[of_ + 3u];
//#if PACKED
//#else
    let columns = min(vec4u(column, column + 1u, column + 2u, column + 3u), vec4u(n - 1u)) * info[of_ + 6u];
//#end

    var tile: array<vec4f, 4>;
//#if SUMS
    var sum = vec4f();
//#end
//#if PACKED
    for (var start = 0u; start < k; start += 4u) {
        var unpacked = four_by_four(start, column, k, n);
        for (var depth = start; depth < min(start + 4u, k); depth += 1u) {
            let left = rows + depth * info[of_ + 4u];
            let r = unpacked[depth - start];
            tile[0] += a(left.x) * r;
            tile[1] += a(left.y) * r;
            tile[2] += a(left.z) * r;
            tile[3] += a(left.w) * r;
        }
    }
//#else
    for (var depth = 0u; depth < k; depth += 1u) {
        let left = rows + depth * info[of_ + 4u];
        let right = columns + depth * info[of_ + 5u];
        let r = vec4f(b(right.x), b(right.y), b(right.z), b(right.w));
        tile[0] += a(left.x) * r;
        tile[1] += a(left.y) * r;
        tile[2] += a(left.z) * r;
        tile[3] += a(left.w) * r;
//#if SUMS
        sum += r;
//#end
    }
//#end

    for (var j = 0u; j < min(4u, n - column); j += 1u) {
        let to = column + j;
//#if SUMS
        if (row == 0u) {
            sums[to] = sum[j];
        }
//#end
        for (var i = 0u; i < min(4u, m - row); i += 1u) {
            let at = (row + i) * n + to;
            var value = scale * tile[i][j];
//#if BIAS
            value += bias[to];
//#end
//#if ADD
            if (which == ADD) { value += y[at]; }
//#end
            put(at, value);
        }
    }
}
