// The gradients of layer normalisation with respect to scale and bias; with ROOT there is no bias. A workgroup takes eight columns, eight invocations each.

@group(0) @binding(#) var<storage, read> x: array<f32>;
@group(0) @binding(#) var<storage, read> moments: array<vec2f>;
@group(0) @binding(#) var<storage, read> gradient: array<f32>;
@group(0) @binding(#) var<storage, read_write> of_scale: array<f32>;
//#if ROOT
//#else
@group(0) @binding(#) var<storage, read_write> of_bias: array<f32>;
//#end
@group(0) @binding(#) var<storage, read> info: array<u32>;

var<workgroup> shared_: array<vec2f, 64>;

@compute @workgroup_size(8, 8)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(local_invocation_index) index: u32,
) {
    let rows = info[0];
    let n = info[1];
    let column = group.x * 8u + local.x;
    var sum = vec2f();
    if (column < n) {
        for (var row = local.y; row < rows; row += 8u) {
            let g = gradient[row * n + column];
            sum += vec2f(g * (x[row * n + column] - moments[row].x) * moments[row].y, g);
        }
    }
    shared_[index] = sum;
    workgroupBarrier();
    if (local.y == 0u && column < n) {
        for (var i = 1u; i < 8u; i += 1u) {
            sum += shared_[i * 8u + local.x];
        }
        of_scale[column] = sum.x;
//#if ROOT
//#else
        of_bias[column] = sum.y;
//#end
    }
}
