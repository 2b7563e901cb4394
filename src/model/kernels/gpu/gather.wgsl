// Up to SOURCES tensors into one, each from a block of 256 numbers on, and the sum of squares of each block.

//#each SOURCES
@group(0) @binding(#) var<storage, read> source%: array<f32>;
//#end
@group(0) @binding(#) var<storage, read_write> all: array<f32>;
@group(0) @binding(#) var<storage, read_write> squares: array<f32>;
// The first block; then of each source the blocks up to its end, and its length.
@group(0) @binding(#) var<storage, read> info: array<u32>;

var<workgroup> shared_: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
    let block = group.x;
    var start = 0u;
    var value = 0.0;
//#each SOURCES
    if (block >= start && block < info[1u + 2u * %u]) {
        let i = (block - start) * 256u + index;
        if (i < info[2u + 2u * %u]) {
            value = source%[i];
        }
    }
    start = info[1u + 2u * %u];
//#end
    all[(info[0] + block) * 256u + index] = value;
    shared_[index] = value * value;
    for (var half = 128u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (index < half) {
            shared_[index] += shared_[index + half];
        }
    }
    if (index == 0u) {
        squares[info[0] + block] = shared_[0];
    }
}
