//! Types of tensors, by their numbers in the file.

/// A type of tensors that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Single precision.
    F32,
    /// Half precision.
    F16,
    /// The upper half of single precision.
    BF16,
    /// 32 signed bytes times a scale.
    Q8_0,
    /// 32 numbers from −8 to 7 times a scale.
    Q4_0,
    /// 32 numbers from 0 to 15 times a scale, and a smallest value.
    Q4_1,
}

impl Kind {
    /// Every type that is read.
    pub const ALL: [Kind; 6] = [Kind::F32, Kind::F16, Kind::BF16, Kind::Q8_0, Kind::Q4_0, Kind::Q4_1];

    /// The type of a number in a file; else what ggml calls it.
    pub fn of(number: u32) -> Result<Kind, String> {
        let name = match number {
            0 => return Ok(Kind::F32),
            1 => return Ok(Kind::F16),
            2 => return Ok(Kind::Q4_0),
            3 => return Ok(Kind::Q4_1),
            8 => return Ok(Kind::Q8_0),
            30 => return Ok(Kind::BF16),
            6 => "Q5_0",
            7 => "Q5_1",
            9 => "Q8_1",
            10 => "Q2_K",
            11 => "Q3_K",
            12 => "Q4_K",
            13 => "Q5_K",
            14 => "Q6_K",
            15 => "Q8_K",
            16 => "IQ2_XXS",
            17 => "IQ2_XS",
            18 => "IQ3_XXS",
            19 => "IQ1_S",
            20 => "IQ4_NL",
            21 => "IQ3_S",
            22 => "IQ2_S",
            23 => "IQ4_XS",
            24 => "I8",
            25 => "I16",
            26 => "I32",
            27 => "I64",
            28 => "F64",
            29 => "IQ1_M",
            34 => "TQ1_0",
            35 => "TQ2_0",
            39 => "MXFP4",
            40 => "NVFP4",
            other => return Err(format!("type {other}")),
        };
        Err(name.into())
    }

    /// What ggml calls it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::F32 => "F32",
            Kind::F16 => "F16",
            Kind::BF16 => "BF16",
            Kind::Q8_0 => "Q8_0",
            Kind::Q4_0 => "Q4_0",
            Kind::Q4_1 => "Q4_1",
        }
    }

    /// How many neighbours of a row are packed together, and into how many bytes.
    pub fn block(self) -> (usize, usize) {
        match self {
            Kind::F32 => (1, 4),
            Kind::F16 | Kind::BF16 => (1, 2),
            Kind::Q8_0 => (32, 34),
            Kind::Q4_0 => (32, 18),
            Kind::Q4_1 => (32, 20),
        }
    }

    /// Bytes of so many rows of so many numbers; `None` where a row is no whole number of blocks, or there are too
    /// many.
    pub fn bytes(self, rows: u64, columns: u64) -> Option<u64> {
        let (numbers, bytes) = self.block();
        let blocks = columns.is_multiple_of(numbers as u64).then(|| columns / numbers as u64)?;
        blocks.checked_mul(bytes as u64)?.checked_mul(rows)
    }
}
