// Up to SOURCES tensors into one, each from a block of 256 numbers on, and the sum of squares of each block.

//#each SOURCES
@group(0) @binding(#) var<storage, read> source%: array<f32>;
//#end
@group(0) @binding(#) var<storage, read_write> all: array<f32>;
@group(0) @binding(#) var<storage, read_write> squares: array<f32>;
// The first block; then of each source the blocks up to its end, and its length.
@group(0) @binding(#) var<storage, read> info: array<u32>;

var<workgroup> shared_: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) index: u32,
) {
    for (var block = group.x; block < info[2u * SOURCES - 1u]; block += groups.x) {
        var squared = 0.0;
        for (var j = index; j < 256u; j += 64u) {
            var start = 0u;
            var value = 0.0;
//#each SOURCES
            if (block >= start && block < info[1u + 2u * %u]) {
                let i = (block - start) * 256u + j;
                if (i < info[2u + 2u * %u]) {
                    value = source%[i];
                }
            }
            start = info[1u + 2u * %u];
//#end
            all[(info[0] + block) * 256u + j] = value;
            squared += value * value;
        }
        shared_[index] = squared;
        workgroupBarrier();
        if (index == 0u) {
            var sum = 0.0;
            for (var i = 0u; i < 64u; i += 1u) {
                sum += shared_[i];
            }
            squares[info[0] + block] = sum;
        }
        workgroupBarrier();
    }
}
