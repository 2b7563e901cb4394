var<workgroup> shared_: array<vec2f, 64>;

// The sums of both numbers over a workgroup of 64.
fn total(index: u32, value: vec2f) -> vec2f {
    shared_[index] = value;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (index < half) {
            shared_[index] += shared_[index + half];
        }
    }
    workgroupBarrier();
    let sum = shared_[0];
    workgroupBarrier();
    return sum;
}

// The largest number of a workgroup of 64.
fn largest(index: u32, value: f32) -> f32 {
    shared_[index].x = value;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (index < half) {
            shared_[index].x = max(shared_[index].x, shared_[index + half].x);
        }
    }
    workgroupBarrier();
    let most = shared_[0].x;
    workgroupBarrier();
    return most;
}
