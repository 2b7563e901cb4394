// SiLU(gate)·x, number by number; with BACKWARD the gradients of both.

@group(0) @binding(#) var<storage, read> gate: array<f32>;
@group(0) @binding(#) var<storage, read> x: array<f32>;
//#if BACKWARD
@group(0) @binding(#) var<storage, read> gradient: array<f32>;
//#end
//#if BACKWARD
@group(0) @binding(#) var<storage, read_write> of_gate: array<f32>;
@group(0) @binding(#) var<storage, read_write> of_x: array<f32>;
//#else
@group(0) @binding(#) var<storage, read_write> y: array<f32>;
//#end
@group(0) @binding(#) var<storage, read> info: array<u32>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var i = id.x; i < info[0]; i += 256u * groups.x) {
        let open = 1.0 / (1.0 + exp(-gate[i]));
//#if BACKWARD
        of_gate[i] = gradient[i] * x[i] * (open + gate[i] * open * (1.0 - open));
        of_x[i] = gate[i] * open * gradient[i];
//#else
        y[i] = gate[i] * open * x[i];
//#end
    }
}
