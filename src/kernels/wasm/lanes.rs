//! Four numbers at a time: a register of WebAssembly's SIMD, and plain arrays where tests run natively.

#[cfg(target_arch = "wasm32")]
mod register {
    use std::arch::wasm32::*;

    /// Four numbers in a register.
    #[derive(Clone, Copy)]
    pub struct Lanes(v128);

    #[inline(always)]
    fn four(bytes: &[u8; 4]) -> v128 {
        // SAFETY: four bytes are there, and a load needs no alignment.
        unsafe { v128_load32_zero(bytes.as_ptr().cast()) }
    }

    #[inline(always)]
    fn unsigned(bytes: &[u8; 4]) -> v128 {
        u32x4_extend_low_u16x8(u16x8_extend_low_u8x16(four(bytes)))
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

        /// The lower halves of four bytes.
        #[inline(always)]
        pub fn low(bytes: &[u8; 4]) -> Lanes {
            Lanes(f32x4_convert_i32x4(v128_and(unsigned(bytes), i32x4_splat(15))))
        }

        /// Their upper halves.
        #[inline(always)]
        pub fn high(bytes: &[u8; 4]) -> Lanes {
            Lanes(f32x4_convert_i32x4(u32x4_shr(unsigned(bytes), 4)))
        }

        /// Four bytes from −128 to 127.
        #[inline(always)]
        pub fn signed(bytes: &[u8; 4]) -> Lanes {
            Lanes(f32x4_convert_i32x4(i32x4_extend_low_i16x8(i16x8_extend_low_i8x16(four(bytes)))))
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

        /// The lower halves of four bytes.
        pub fn low(bytes: &[u8; 4]) -> Lanes {
            Lanes(bytes.map(|byte| f32::from(byte & 15)))
        }

        /// Their upper halves.
        pub fn high(bytes: &[u8; 4]) -> Lanes {
            Lanes(bytes.map(|byte| f32::from(byte >> 4)))
        }

        /// Four bytes from −128 to 127.
        pub fn signed(bytes: &[u8; 4]) -> Lanes {
            Lanes(bytes.map(|byte| f32::from(byte as i8)))
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
