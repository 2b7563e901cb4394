// Numbers one by one. Which function it is, the flag says.

@group(0) @binding(#) var<storage, read> x: array<f32>;
//#if BACKWARD
@group(0) @binding(#) var<storage, read> gradient: array<f32>;
//#end
@group(0) @binding(#) var<storage, read_write> y: array<f32>;
@group(0) @binding(#) var<storage, read> info: array<u32>;

//#if RELU
fn forward(x: f32) -> f32 {
    // This way round, what is not a number stays so.
    return select(x, 0.0, x < 0.0);
}

fn slope(y: f32) -> f32 {
    return select(0.0, 1.0, y > 0.0);
}
//#end
//#if GELU
const SLOPE = 1.595769;
const CUBIC = 0.044715;

fn gate(x: f32) -> f32 {
    return 1.0 / (1.0 + exp(-SLOPE * (x + CUBIC * x * x * x)));
}

fn forward(x: f32) -> f32 {
    return x * gate(x);
}

fn slope(x: f32) -> f32 {
    let g = gate(x);
    return g + x * g * (1.0 - g) * SLOPE * (1.0 + 3.0 * CUBIC * x * x);
}
//#end

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var i = id.x; i < info[0]; i += 256u * groups.x) {
//#if BACKWARD
        y[i] = gradient[i] * slope(x[i]);
//#else
        y[i] = forward(x[i]);
//#end
    }
}
