// What the columns of x, [rows, n], add up to. A workgroup takes eight columns, eight invocations each.

@group(0) @binding(#) var<storage, read> x: array<f32>;
@group(0) @binding(#) var<storage, read_write> sums: array<f32>;
@group(0) @binding(#) var<storage, read> info: array<u32>;

var<workgroup> shared_: array<f32, 64>;

@compute @workgroup_size(8, 8)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(local_invocation_index) index: u32,
) {
    let rows = info[0];
    let n = info[1];
    let column = group.x * 8u + local.x;
    var sum = 0.0;
    if (column < n) {
        for (var row = local.y; row < rows; row += 8u) {
            sum += x[row * n + column];
        }
    }
    shared_[index] = sum;
    workgroupBarrier();
    if (local.y == 0u && column < n) {
        for (var i = 1u; i < 8u; i += 1u) {
            sum += shared_[i * 8u + local.x];
        }
        sums[column] = sum;
    }
}
