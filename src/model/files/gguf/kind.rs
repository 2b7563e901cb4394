//! Types of tensors, by their numbers in the file.

use crate::base::packing::Packing;

/// The type of a number in a file; else what ggml calls it.
pub fn numbered(number: u32) -> Result<Packing, String> {
    let name = match number {
        0 => return Ok(Packing::F32),
        1 => return Ok(Packing::F16),
        2 => return Ok(Packing::Q4_0),
        3 => return Ok(Packing::Q4_1),
        8 => return Ok(Packing::Q8_0),
        30 => return Ok(Packing::BF16),
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
