var<workgroup> shared_: array<vec2f, 32>;

// The sums of both numbers over a workgroup of 32. Every invocation adds all of them up: two barriers, where a tree of halves takes seven.
fn total(index: u32, value: vec2f) -> vec2f {
    shared_[index] = value;
    workgroupBarrier();
    var sum = vec2f();
    for (var i = 0u; i < 32u; i += 1u) {
        sum += shared_[i];
    }
    workgroupBarrier();
    return sum;
}

// The largest number of a workgroup of 32.
fn largest(index: u32, value: f32) -> f32 {
    shared_[index].x = value;
    workgroupBarrier();
    var most = shared_[0].x;
    for (var i = 1u; i < 32u; i += 1u) {
        most = max(most, shared_[i].x);
    }
    workgroupBarrier();
    return most;
}
