// Numbers of packed rows, which follow each other without a gap. All blocks are of whole half-words; PACKING counts as
// `Packing` does.

fn half_word(at: u32) -> u32 {
    return (word(at / 2u) >> (16u * (at % 2u))) & 0xffffu;
}

// Half precision, the smallest numbers included, which a device may take for zero.
fn half_precision(bits: u32) -> f32 {
    let small = f32(bits & 0x3ffu) * 5.9604645e-8;
    let other = bitcast<f32>(((bits & 0x7fffu) << 13u) + (112u << 23u));
    let size = select(other, small, (bits & 0x7c00u) == 0u);
    return select(size, -size, (bits & 0x8000u) != 0u);
}

fn single(at: u32) -> f32 {
    if (PACKING == 0u) {
        return bitcast<f32>(word(at));
    }
    let bits = half_word(at);
    if (PACKING == 1u) {
        return half_precision(bits);
    }
    return bitcast<f32>(bits << 16u);
}

// Four neighbours of a row, from a column on that four divides; zeros beyond its end.
fn neighbours(row: u32, column: u32, columns: u32) -> vec4f {
    if (PACKING < 3u) {
        let at = row * columns + column;
        var four = vec4f();
        for (var i = 0u; i < min(4u, columns - column); i += 1u) {
            four[i] = single(at + i);
        }
        return four;
    }
    // Half-words of a block, and of its scales.
    const SIZE = select(select(10u, 9u, PACKING == 4u), 17u, PACKING == 3u);
    const SCALES = select(1u, 2u, PACKING == 5u);
    let block = (row * (columns / 32u) + column / 32u) * SIZE;
    let scale = half_precision(half_word(block));
    let place = column % 32u;
    // Two bytes to a half-word; or the first sixteen numbers in the lower halves of the bytes, the others in the upper ones.
    let bytes = block + SCALES + select(place % 16u, place, PACKING == 3u) / 2u;
    let four = vec4u(half_word(bytes), half_word(bytes), half_word(bytes + 1u), half_word(bytes + 1u))
        >> vec4u(0u, 8u, 0u, 8u);
    if (PACKING == 3u) {
        return scale * vec4f(vec4i(four << vec4u(24u)) >> vec4u(24u));
    }
    let numbers = vec4f((four >> vec4u(place / 16u * 4u)) & vec4u(15u));
    if (PACKING == 4u) {
        return scale * (numbers - 8.0);
    }
    return scale * numbers + half_precision(half_word(block + 1u));
}

// Numbers from a row and a column on of the matrix, [k, n], which is what is stored or that TURNED: four rows of four, zeros
// beyond its edges. Four divides both places.
fn four_by_four(row: u32, column: u32, k: u32, n: u32) -> mat4x4f {
    let place = select(vec2u(row, column), vec2u(column, row), TURNED == 1u);
    let size = select(vec2u(k, n), vec2u(n, k), TURNED == 1u);
    var four = mat4x4f();
    if (place.y < size.y) {
        for (var i = 0u; i < min(4u, size.x - min(place.x, size.x)); i += 1u) {
            four[i] = neighbours(place.x + i, place.y, size.y);
        }
    }
    if (TURNED == 1u) {
        return transpose(four);
    }
    return four;
}
