//! In which form θ's matrices are held.

use super::{ModelConfig, ModulePath, ParamKind};
use crate::base::packing::Packing;

/// How θ's matrices are held while φ is trained. Biases, scales and positions are in single precision always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Storage {
    /// As the file has them.
    File,
    /// In single precision.
    #[default]
    F32,
    /// In half precision, made on loading.
    F16,
    /// 32 signed bytes and a scale, made on loading.
    Q8_0,
    /// 32 numbers of 4 bits, a scale and a smallest value, made on loading.
    Q4_1,
}

impl Storage {
    /// Every form.
    pub const ALL: [Storage; 5] = [Storage::File, Storage::F32, Storage::F16, Storage::Q8_0, Storage::Q4_1];
    /// Names in URL, flags and JSON, and what the page calls them.
    pub const OPTIONS: [(&'static str, &'static str); 5] = [
        ("file", "as the file has it"),
        ("f32", "F32, 4 bytes a weight"),
        ("f16", "F16, 2 bytes"),
        ("q8_0", "Q8_0, 8.5 bits"),
        ("q4_1", "Q4_1, 5 bits"),
    ];

    /// Name in URL, flags and JSON.
    pub fn name(self) -> &'static str {
        Self::OPTIONS[self as usize].0
    }

    /// What the page calls it in a sentence.
    pub fn title(self) -> &'static str {
        match self {
            Storage::File => "its file",
            Storage::F32 => "F32",
            Storage::F16 => "F16",
            Storage::Q8_0 => "Q8_0",
            Storage::Q4_1 => "Q4_1",
        }
    }

    /// The form of a name.
    pub fn named(name: &str) -> Option<Storage> {
        Self::ALL.into_iter().find(|storage| storage.name() == name)
    }

    /// The packing of every matrix; `None` where each has the file's.
    pub fn packing(self) -> Option<Packing> {
        match self {
            Storage::File => None,
            Storage::F32 => Some(Packing::F32),
            Storage::F16 => Some(Packing::F16),
            Storage::Q8_0 => Some(Packing::Q8_0),
            Storage::Q4_1 => Some(Packing::Q4_1),
        }
    }

    /// Why a model cannot be held so: a row of a matrix is no whole number of blocks.
    pub fn refusal(self, model: &ModelConfig) -> Option<String> {
        let block = self.packing()?.block().0;
        let widths = [model.hidden_size, model.ffn_dim, model.num_attention_heads * model.head_dim];
        let odd = widths.into_iter().find(|width| !width.is_multiple_of(block))?;
        let name = self.name();
        Some(format!(
            "{name} packs {block} neighbours of a row together, and a matrix of this base has rows of {odd}: take file, f32 or f16."
        ))
    }

    /// Bytes of θ in this form; `in_file` are those of all matrices as the file has them, by default of half
    /// precision.
    pub fn bytes(self, model: &ModelConfig, in_file: Option<u64>) -> u64 {
        let packed = |path: ModulePath| matches!(path, ModulePath::Tokens | ModulePath::Head | ModulePath::Linear(..));
        let (mut matrices, mut others) = (0, 0);
        for path in ModulePath::all(model) {
            for piece in path.pieces(model) {
                let n = path.elements(*piece, model);
                match *piece == ParamKind::Matrix && packed(path) {
                    true => matrices += n,
                    false => others += n,
                }
            }
        }
        let matrices = match self.packing() {
            None => in_file.unwrap_or(2 * matrices),
            Some(packing) => {
                let (numbers, bytes) = packing.block();
                matrices / numbers as u64 * bytes as u64
            }
        };
        matrices + 4 * others
    }
}
