// What `matmul.wgsl` computes, for products too small to fill a GPU with its tiles: each invocation makes 4 × 4 numbers of c from registers,
// without memory of the workgroup and without barriers.

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

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let m = info[0];
    let n = info[1];
    let k = info[2];
    let scale = bitcast<f32>(info[7]);
    let row = 4u * id.y;
    let column = 4u * id.x;
    if (row >= m || column >= n) {
        return;
    }
    // Beyond the edge, the last row and column are read again and nothing is written.
    let rows = min(vec4u(row, row + 1u, row + 2u, row + 3u), vec4u(m - 1u)) * info[3];
//#if PACKED
//#else
    let columns = min(vec4u(column, column + 1u, column + 2u, column + 3u), vec4u(n - 1u)) * info[6];
//#end

    var tile: array<vec4f, 4>;
//#if SUMS
    var sum = vec4f();
//#end
//#if PACKED
    for (var start = 0u; start < k; start += 4u) {
        var unpacked = four_by_four(start, column, k, n);
        for (var depth = start; depth < min(start + 4u, k); depth += 1u) {
            let left = rows + depth * info[4];
            let r = unpacked[depth - start];
            tile[0] += a[left.x] * r;
            tile[1] += a[left.y] * r;
            tile[2] += a[left.z] * r;
            tile[3] += a[left.w] * r;
        }
    }
//#else
    for (var depth = 0u; depth < k; depth += 1u) {
        let left = rows + depth * info[4];
        let right = columns + depth * info[5];
        let r = vec4f(b[right.x], b[right.y], b[right.z], b[right.w]);
        tile[0] += a[left.x] * r;
        tile[1] += a[left.y] * r;
        tile[2] += a[left.z] * r;
        tile[3] += a[left.w] * r;
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
            value += y[at];
//#end
            c[at] = value;
        }
    }
}
