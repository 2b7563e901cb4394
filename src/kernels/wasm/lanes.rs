//! Four numbers at a time: a register of WebAssembly's SIMD, and plain arrays where tests run natively.

#[cfg(target_arch = "wasm32")]
mod register {
    use std::arch::wasm32::*;

    /// Four numbers in a register.
    #[derive(Clone, Copy)]
    pub struct Lanes(v128);

    /// Four bytes of each of four rows, those of a column beside each other.
    #[inline(always)]
    fn turned(rows: [&[u8; 4]; 4]) -> v128 {
        let [a, b, c, d] = rows;
        // SAFETY: four bytes are there, and a load needs no alignment.
        let x = unsafe { v128_load32_lane::<1>(v128_load32_zero(a.as_ptr().cast()), b.as_ptr().cast()) };
        // SAFETY: as above.
        let x = unsafe { v128_load32_lane::<2>(x, c.as_ptr().cast()) };
        // SAFETY: as above.
        let x = unsafe { v128_load32_lane::<3>(x, d.as_ptr().cast()) };
        i8x16_shuffle::<0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15>(x, x)
    }

    #[inline(always)]
    fn lower(bytes: v128) -> v128 {
        v128_and(bytes, u8x16_splat(15))
    }

    #[inline(always)]
    fn upper(bytes: v128) -> v128 {
        lower(u16x8_shr(bytes, 4))
    }

    /// Sixteen bytes as numbers.
    #[inline(always)]
    fn unsigned(bytes: v128) -> [Lanes; 4] {
        let (low, high) = (u16x8_extend_low_u8x16(bytes), u16x8_extend_high_u8x16(bytes));
        // Spelled out: `map` over an array is a call for each number.
        [
            Lanes(f32x4_convert_i32x4(u32x4_extend_low_u16x8(low))),
            Lanes(f32x4_convert_i32x4(u32x4_extend_high_u16x8(low))),
            Lanes(f32x4_convert_i32x4(u32x4_extend_low_u16x8(high))),
            Lanes(f32x4_convert_i32x4(u32x4_extend_high_u16x8(high))),
        ]
    }

    /// The same of bytes from −128 to 127.
    #[inline(always)]
    fn signed(bytes: v128) -> [Lanes; 4] {
        let (low, high) = (i16x8_extend_low_i8x16(bytes), i16x8_extend_high_i8x16(bytes));
        [
            Lanes(f32x4_convert_i32x4(i32x4_extend_low_i16x8(low))),
            Lanes(f32x4_convert_i32x4(i32x4_extend_high_i16x8(low))),
            Lanes(f32x4_convert_i32x4(i32x4_extend_low_i16x8(high))),
            Lanes(f32x4_convert_i32x4(i32x4_extend_high_i16x8(high))),
        ]
    }

    impl Lanes {
        /// Four zeros.
        #[inline(always)]
        pub fn zero() -> Lanes {
            Lanes(f32x4_splat(0.0))
        }

        /// Four numbers of a slice.
        #[inline(always)]
        pub fn load(x: &[f32; 4]) -> Lanes {
            // SAFETY: sixteen bytes are there, and a load needs no alignment.
            Lanes(unsafe { v128_load(x.as_ptr().cast()) })
        }

        /// Puts them into a slice.
        #[inline(always)]
        pub fn store(self, x: &mut [f32; 4]) {
            // SAFETY: as above.
            unsafe { v128_store(x.as_mut_ptr().cast(), self.0) }
        }

        /// One number four times.
        #[inline(always)]
        pub fn splat(x: &f32) -> Lanes {
            // SAFETY: four bytes are there. Unlike `f32x4_splat` it is one instruction on x86.
            Lanes(unsafe { v128_load32_splat(std::ptr::from_ref(x).cast()) })
        }

        /// Four numbers.
        #[inline(always)]
        pub fn of([a, b, c, d]: [f32; 4]) -> Lanes {
            Lanes(f32x4(a, b, c, d))
        }

        /// The lower halves of sixteen bytes, or the upper ones.
        #[inline(always)]
        pub fn nibbles(bytes: &[u8; 16], are_upper: bool) -> [Lanes; 4] {
            // SAFETY: sixteen bytes are there, and a load needs no alignment.
            let bytes = unsafe { v128_load(bytes.as_ptr().cast()) };
            unsigned(if are_upper { upper(bytes) } else { lower(bytes) })
        }

        /// Sixteen bytes from −128 to 127.
        #[inline(always)]
        pub fn bytes(bytes: &[u8; 16]) -> [Lanes; 4] {
            // SAFETY: as above.
            signed(unsafe { v128_load(bytes.as_ptr().cast()) })
        }

        /// The columns of four rows of four bytes: of their lower halves, and of their upper ones.
        #[inline(always)]
        pub fn columns_of_nibbles(rows: [&[u8; 4]; 4]) -> [[Lanes; 4]; 2] {
            let bytes = turned(rows);
            [unsigned(lower(bytes)), unsigned(upper(bytes))]
        }

        /// The columns of four rows of four bytes from −128 to 127.
        #[inline(always)]
        pub fn columns_of_bytes(rows: [&[u8; 4]; 4]) -> [Lanes; 4] {
            signed(turned(rows))
        }

        /// Products, number by number.
        #[inline(always)]
        pub fn times(self, by: Lanes) -> Lanes {
            Lanes(f32x4_mul(self.0, by.0))
        }

        /// Sums, number by number.
        #[inline(always)]
        pub fn add(self, other: Lanes) -> Lanes {
            Lanes(f32x4_add(self.0, other.0))
        }

        /// self·by + sum, rounded once.
        #[cfg(feature = "relaxed-simd")]
        #[target_feature(enable = "relaxed-simd")]
        #[inline]
        pub fn times_plus(self, by: Lanes, sum: Lanes) -> Lanes {
            Lanes(f32x4_relaxed_madd(self.0, by.0, sum.0))
        }

        /// self·by + sum
        #[cfg(not(feature = "relaxed-simd"))]
        #[inline(always)]
        pub fn times_plus(self, by: Lanes, sum: Lanes) -> Lanes {
            Lanes(f32x4_add(f32x4_mul(self.0, by.0), sum.0))
        }

        /// Four rows as four columns.
        #[inline(always)]
        pub fn transpose([a, b, c, d]: [Lanes; 4]) -> [Lanes; 4] {
            let (ab_low, ab_high) = (i32x4_shuffle::<0, 4, 1, 5>(a.0, b.0), i32x4_shuffle::<2, 6, 3, 7>(a.0, b.0));
            let (cd_low, cd_high) = (i32x4_shuffle::<0, 4, 1, 5>(c.0, d.0), i32x4_shuffle::<2, 6, 3, 7>(c.0, d.0));
            [
                Lanes(i64x2_shuffle::<0, 2>(ab_low, cd_low)),
                Lanes(i64x2_shuffle::<1, 3>(ab_low, cd_low)),
                Lanes(i64x2_shuffle::<0, 2>(ab_high, cd_high)),
                Lanes(i64x2_shuffle::<1, 3>(ab_high, cd_high)),
            ]
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod register {
    /// The same as an array, for tests.
    #[derive(Clone, Copy)]
    pub struct Lanes([f32; 4]);

    impl Lanes {
        /// Four zeros.
        pub fn zero() -> Lanes {
            Lanes([0.0; 4])
        }

        /// Four numbers of a slice.
        pub fn load(x: &[f32; 4]) -> Lanes {
            Lanes(*x)
        }

        /// Puts them into a slice.
        pub fn store(self, x: &mut [f32; 4]) {
            *x = self.0;
        }

        /// One number four times.
        pub fn splat(x: &f32) -> Lanes {
            Lanes([*x; 4])
        }

        /// Four numbers.
        pub fn of(numbers: [f32; 4]) -> Lanes {
            Lanes(numbers)
        }

        /// The lower halves of sixteen bytes, or the upper ones.
        pub fn nibbles(bytes: &[u8; 16], are_upper: bool) -> [Lanes; 4] {
            let half = |byte: u8| f32::from(if are_upper { byte >> 4 } else { byte & 15 });
            std::array::from_fn(|i| Lanes(std::array::from_fn(|j| half(bytes[4 * i + j]))))
        }

        /// Sixteen bytes from −128 to 127.
        pub fn bytes(bytes: &[u8; 16]) -> [Lanes; 4] {
            std::array::from_fn(|i| Lanes(std::array::from_fn(|j| f32::from(bytes[4 * i + j] as i8))))
        }

        /// The columns of four rows of four bytes: of their lower halves, and of their upper ones.
        pub fn columns_of_nibbles(rows: [&[u8; 4]; 4]) -> [[Lanes; 4]; 2] {
            [false, true].map(|are_upper| {
                let half = |byte: u8| f32::from(if are_upper { byte >> 4 } else { byte & 15 });
                std::array::from_fn(|i| Lanes(rows.map(|row| half(row[i]))))
            })
        }

        /// The columns of four rows of four bytes from −128 to 127.
        pub fn columns_of_bytes(rows: [&[u8; 4]; 4]) -> [Lanes; 4] {
            std::array::from_fn(|i| Lanes(rows.map(|row| f32::from(row[i] as i8))))
        }

        /// Products, number by number.
        pub fn times(self, by: Lanes) -> Lanes {
            Lanes(std::array::from_fn(|i| self.0[i] * by.0[i]))
        }

        /// Sums, number by number.
        pub fn add(self, other: Lanes) -> Lanes {
            Lanes(std::array::from_fn(|i| self.0[i] + other.0[i]))
        }

        /// self·by + sum, rounded twice.
        pub fn times_plus(self, by: Lanes, sum: Lanes) -> Lanes {
            Lanes(std::array::from_fn(|i| self.0[i] * by.0[i] + sum.0[i]))
        }

        /// Rows as columns.
        pub fn transpose(rows: [Lanes; 4]) -> [Lanes; 4] {
            std::array::from_fn(|j| Lanes(std::array::from_fn(|i| rows[i].0[j])))
        }
    }
}

pub use register::Lanes;
