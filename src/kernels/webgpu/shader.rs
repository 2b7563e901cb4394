//! Programs in WGSL, and how they are launched.

use burn::tensor::{DType, Shape};
use burn_cubecl::cubecl::prelude::{CubeCount, CubeDim, KernelId};
use burn_cubecl::cubecl::server::{KernelArguments, MetadataBindingInfo};
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_wgpu::{CubeTensor, KernelSource, SourceKernel, SourceTemplate, into_contiguous};
use std::fmt::Write;
use std::hash::{Hash, Hasher};

/// A grid has at most so many workgroups along a side: programs of one dimension take what is left in turns.
pub const MOST_GROUPS: usize = 65_535;

/// A program of this folder with its constants. A text is WGSL with three additions: `@binding(#)` counts the
/// bindings, the lines between `//#if NAME` (or `//#else`) and `//#end` stay where the constant is given, and
/// those after `//#each NAME` are repeated as often as the constant says, or once, `%` counting.
#[derive(Clone, Copy, Debug)]
pub struct Shader {
    /// A digest of all that follows, by which a program is found again at every launch.
    id: u64,
    /// WGSL with the additions above.
    pub text: &'static str,
    /// Functions that it calls.
    pub functions: &'static str,
    /// Names and values that the text is completed with.
    pub constants: &'static [(&'static str, u32)],
    /// Invocations of a workgroup along x and y.
    pub size: [u32; 2],
}

impl PartialEq for Shader {
    fn eq(&self, other: &Shader) -> bool {
        self.id == other.id
    }
}

impl Eq for Shader {}

impl Hash for Shader {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

/// A digest of bytes behind what it is of already (FNV-1a); lengths count, too.
const fn digest(of: u64, bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x100_0000_01b3;
    let mut digest = (of ^ 0xcbf2_9ce4_8422_2325 ^ bytes.len() as u64).wrapping_mul(PRIME);
    let mut i = 0;
    while i < bytes.len() {
        digest = (digest ^ bytes[i] as u64).wrapping_mul(PRIME);
        i += 1;
    }
    digest
}

impl Shader {
    /// One without constants.
    pub const fn new(text: &'static str, size: [u32; 2]) -> Shader {
        let id = digest(digest(0, text.as_bytes()), &[size[0] as u8, size[1] as u8]);
        Shader { id, text, functions: "", constants: &[], size }
    }

    /// One whose workgroups of 32 reduce.
    pub const fn reducing(text: &'static str) -> Shader {
        Shader::new(text, [32, 1]).calling(include_str!("reduce.wgsl"))
    }

    /// The same with functions that it calls.
    pub const fn calling(self, functions: &'static str) -> Shader {
        Shader { id: digest(self.id, functions.as_bytes()), functions, ..self }
    }

    /// The same with constants, where it had none.
    pub const fn with(self, constants: &'static [(&'static str, u32)]) -> Shader {
        let (mut id, mut i) = (self.id, 0);
        while i < constants.len() {
            id = digest(digest(id, constants[i].0.as_bytes()), &constants[i].1.to_le_bytes());
            i += 1;
        }
        Shader { id, constants, ..self }
    }

    fn dim(&self) -> CubeDim {
        CubeDim::new_2d(self.size[0], self.size[1])
    }

    fn constant(&self, name: &str) -> Option<u32> {
        self.constants.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
    }

    /// The program as WGSL.
    pub fn wgsl(&self) -> String {
        let mut out = String::new();
        for (name, value) in self.constants {
            let _ = writeln!(out, "const {name} = {value}u;");
        }
        out += self.functions;
        let mut bindings = 0;
        let mut lines = self.text.lines();
        // Whether lines are kept by each condition that they stand under.
        let (mut kept, mut repeated) = (Vec::new(), None);
        while let Some(line) = lines.next() {
            if let Some(name) = line.strip_prefix("//#if ") {
                kept.push(self.constant(name).is_some());
            } else if line == "//#else" {
                kept.iter_mut().last().into_iter().for_each(|kept: &mut bool| *kept = !*kept);
            } else if line == "//#end" {
                kept.pop();
            } else if let Some(name) = line.strip_prefix("//#each ") {
                repeated = Some(self.constant(name).unwrap_or(1));
            } else if kept.iter().all(|kept| *kept) && repeated.is_none() {
                push(&mut out, line, &mut bindings);
            }
            if let Some(times) = repeated.take() {
                let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "//#end").collect();
                let times = if kept.iter().all(|kept| *kept) { times } else { 0 };
                for i in 0..times {
                    body.iter().for_each(|line| push(&mut out, &line.replace('%', &i.to_string()), &mut bindings));
                }
            }
        }
        out
    }

    /// Runs it on a grid of workgroups: bindings are `inputs`, `outputs`, then the numbers of `info`.
    pub fn launch(self, inputs: &[&CubeTensor], outputs: &[&CubeTensor], info: &[u32], [x, y]: [usize; 2]) {
        let mut arguments = KernelArguments::new();
        for tensor in inputs.iter().chain(outputs) {
            arguments = arguments.with_buffer(tensor.handle.clone().binding());
        }
        let words = info.chunks(2).map(|pair| u64::from(pair[0]) | u64::from(*pair.get(1).unwrap_or(&0)) << 32);
        let arguments = arguments.with_info(MetadataBindingInfo::custom(words.collect()));
        let count = CubeCount::Static(x.min(MOST_GROUPS) as u32, y as u32, 1);
        let kernel = SourceKernel::new(self, self.dim());
        inputs[0].client.launch(Box::new(kernel), count, arguments);
    }
}

fn push(out: &mut String, line: &str, bindings: &mut usize) {
    let mut line = line.to_string();
    if line.contains("@binding(#)") {
        line = line.replace("@binding(#)", &format!("@binding({bindings})"));
        *bindings += 1;
        // Natively, tensors share buffers, and a buffer that is written anywhere cannot be bound for reading
        // alone.
        if cfg!(not(target_arch = "wasm32")) && !line.contains("> info:") {
            line = line.replace("<storage, read>", "<storage, read_write>");
        }
    }
    out.push_str(&line);
    out.push('\n');
}

impl KernelSource for Shader {
    fn source(&self) -> SourceTemplate {
        SourceTemplate::new(self.wgsl())
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Shader>().info(*self).cube_dim(self.dim().into())
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

/// A tensor on the device of another, its numbers not set.
pub fn empty(like: &CubeTensor, shape: impl Into<Shape>) -> CubeTensor {
    empty_device_contiguous_dtype(like.client.clone(), like.device.clone(), shape.into(), DType::F32)
}

/// The numbers in the order of their places.
pub fn contiguous(x: CubeTensor) -> CubeTensor {
    debug_assert_eq!(x.dtype, DType::F32);
    into_contiguous(x)
}
