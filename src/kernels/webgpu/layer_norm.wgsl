// Layer normalisation of each row of x, [rows, n], with its mean and 1/√(variance + ε); with ROOT by the root of the mean
// square alone. With SUM, of each row of x + added, which is kept. A workgroup takes a row at a time.

@group(0) @binding(#) var<storage, read> x: array<f32>;
//#if SUM
@group(0) @binding(#) var<storage, read> added: array<f32>;
//#end
@group(0) @binding(#) var<storage, read> scale: array<f32>;
//#if ROOT
//#else
@group(0) @binding(#) var<storage, read> bias: array<f32>;
//#end
@group(0) @binding(#) var<storage, read_write> y: array<f32>;
@group(0) @binding(#) var<storage, read_write> moments: array<vec2f>;
//#if SUM
@group(0) @binding(#) var<storage, read_write> sum_: array<f32>;
//#end
@group(0) @binding(#) var<storage, read> info: array<u32>;

fn number(at: u32) -> f32 {
//#if SUM
    return sum_[at];
//#else
    return x[at];
//#end
}

@compute @workgroup_size(32)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) index: u32,
) {
    let rows = info[0];
    let n = info[1];
    let epsilon = bitcast<f32>(info[2]);
    for (var row = group.x; row < rows; row += groups.x) {
        let first = row * n;
//#if SUM
        // An invocation reads what it wrote itself.
        for (var i = index; i < n; i += 32u) {
            sum_[first + i] = x[first + i] + added[first + i];
        }
//#end
//#if ROOT
        let mean = 0.0;
//#else
        var sum = 0.0;
        for (var i = index; i < n; i += 32u) {
            sum += number(first + i);
        }
        let mean = total(index, vec2f(sum, 0.0)).x / f32(n);
//#end
        var squares = 0.0;
        for (var i = index; i < n; i += 32u) {
            let difference = number(first + i) - mean;
            squares += difference * difference;
        }
        let inverse = inverseSqrt(total(index, vec2f(squares, 0.0)).x / f32(n) + epsilon);
        for (var i = index; i < n; i += 32u) {
//#if ROOT
            y[first + i] = number(first + i) * inverse * scale[i];
//#else
            y[first + i] = (number(first + i) - mean) * inverse * scale[i] + bias[i];
//#end
        }
        if (index == 0u) {
            moments[row] = vec2f(mean, inverse);
        }
    }
}
