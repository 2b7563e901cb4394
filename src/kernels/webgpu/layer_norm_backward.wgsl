// The gradient of layer normalisation with respect to x, with ROOT that of the root of the mean square; with ADD on top of
// an earlier one. A workgroup takes a row at a time.

@group(0) @binding(#) var<storage, read> x: array<f32>;
@group(0) @binding(#) var<storage, read> scale: array<f32>;
@group(0) @binding(#) var<storage, read> moments: array<vec2f>;
@group(0) @binding(#) var<storage, read> gradient: array<f32>;
//#if ADD
@group(0) @binding(#) var<storage, read> earlier: array<f32>;
//#end
@group(0) @binding(#) var<storage, read_write> of_x: array<f32>;
@group(0) @binding(#) var<storage, read> info: array<u32>;

@compute @workgroup_size(32)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) index: u32,
) {
    let rows = info[0];
    let n = info[1];
    for (var row = group.x; row < rows; row += groups.x) {
        let first = row * n;
        let mean = moments[row].x;
        let inverse = moments[row].y;
        var sums = vec2f();
        for (var i = index; i < n; i += 32u) {
            let g = gradient[first + i] * scale[i];
            sums += vec2f(g, g * (x[first + i] - mean) * inverse);
        }
//#if ROOT
        let means = vec2f(0.0, total(index, sums).y / f32(n));
//#else
        let means = total(index, sums) / f32(n);
//#end
        for (var i = index; i < n; i += 32u) {
            let g = gradient[first + i] * scale[i];
            let normal = (x[first + i] - mean) * inverse;
            let found = inverse * (g - means.x - normal * means.y);
//#if ADD
            of_x[first + i] = earlier[first + i] + found;
//#else
            of_x[first + i] = found;
//#end
        }
    }
}
