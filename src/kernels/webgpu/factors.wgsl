// Factors and results of products: c = s·a·b of each, [m, n], of a [m, k] and b [k, n] with any strides; plus a bias, or of
// the product ADD plus y. With MANY, PRODUCTS of them stand side by side in the grid. LEFTS of them have a left factor of
// their own, the others have the first. A workgroup of 8 × 8 makes a tile of 32 × 32 numbers.

//#each LEFTS
@group(0) @binding(#) var<storage, read> a%: array<f32>;
//#end
//#if PACKED
//#each PRODUCTS
@group(0) @binding(#) var<storage, read> words%: array<u32>;
//#end
//#else
//#each PRODUCTS
@group(0) @binding(#) var<storage, read> b%: array<f32>;
//#end
//#end
//#if BIAS
@group(0) @binding(#) var<storage, read> bias: array<f32>;
//#end
//#if ADD
@group(0) @binding(#) var<storage, read> y: array<f32>;
//#end
//#each PRODUCTS
@group(0) @binding(#) var<storage, read_write> c%: array<f32>;
//#end
//#if SUMS
// What the columns of b add up to.
@group(0) @binding(#) var<storage, read_write> sums: array<f32>;
//#end
// Of each product m, n, k, the strides of a and of b, and the bits of s.
@group(0) @binding(#) var<storage, read> info: array<u32>;

//#if MANY
// The product that an invocation works at.
var<private> which: u32;

fn a(at: u32) -> f32 {
    switch (which) {
//#each LEFTS
        case %u: { return a%[at]; }
//#end
        default: { return a0[at]; }
    }
}

//#if PACKED
fn word(at: u32) -> u32 {
    switch (which) {
//#each PRODUCTS
        case %u: { return words%[at]; }
//#end
        default: { return 0u; }
    }
}
//#else
fn b(at: u32) -> f32 {
    switch (which) {
//#each PRODUCTS
        case %u: { return b%[at]; }
//#end
        default: { return 0.0; }
    }
}
//#end

fn put(at: u32, value: f32) {
    switch (which) {
//#each PRODUCTS
        case %u: { c%[at] = value; }
//#end
        default: {}
    }
}

fn rows_of(product: u32) -> u32 {
    return (info[8u * product] + 31u) / 32u;
}

fn columns_of(product: u32) -> u32 {
    return (info[8u * product + 1u] + 31u) / 32u;
}

// A workgroup's tile, column and row, and its product: tiles are numbered row by row, product by product.
fn place_of(group: vec3u) -> vec3u {
    var tile = group.x;
    var product = 0u;
    while (product < PRODUCTS - 1u && tile >= columns_of(product) * rows_of(product)) {
        tile -= columns_of(product) * rows_of(product);
        product += 1u;
    }
    return vec3u(tile % columns_of(product), tile / columns_of(product), product);
}
//#else
const which = 0u;

fn a(at: u32) -> f32 {
    return a0[at];
}

//#if PACKED
fn word(at: u32) -> u32 {
    return words0[at];
}
//#else
fn b(at: u32) -> f32 {
    return b0[at];
}
//#end

fn put(at: u32, value: f32) {
    c0[at] = value;
}

fn place_of(group: vec3u) -> vec3u {
    return vec3u(group.xy, 0u);
}
//#end

