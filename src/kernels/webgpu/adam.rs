//! Adam over one flat φ: its gradients are gathered into one tensor, and one dispatch steps all of it.

use super::shader::{Shader, contiguous, empty};
use crate::kernels::AdamConstants;
use burn::backend::{BackendTensor, DispatchTensor, DispatchTensorKind};
use burn::tensor::{DType, Shape, Tensor};
use burn_wgpu::CubeTensor;

/// Numbers of a block: φ's tensors begin at multiples, so that each is a binding of its own too (WebGPU wants
/// multiples of 256 bytes).
const BLOCK: usize = 256;
/// Tensors that one dispatch gathers: with both outputs and the numbers, as many bindings as every WebGPU
/// device has.
const SOURCES: usize = 5;
const GATHER: [Shader; SOURCES] = {
    const fn of(constants: &'static [(&'static str, u32)]) -> Shader {
        Shader::new(include_str!("gather.wgsl"), [64, 1]).with(constants)
    }
    [of(&[("SOURCES", 1)]), of(&[("SOURCES", 2)]), of(&[("SOURCES", 3)]), of(&[("SOURCES", 4)]), of(&[("SOURCES", 5)])]
};
const ADAM: Shader = Shader::new(include_str!("adam.wgsl"), [64, 1]);
/// Steps whose losses are kept.
pub const KEPT: usize = 256;

/// φ and its moments on the device, and the losses and norms of steps that nobody has read yet.
#[derive(Debug)]
pub struct Gpu {
    phi: CubeTensor,
    /// First and second moment of each number.
    moments: CubeTensor,
    /// `[KEPT, 2]`: loss and norm.
    kept: CubeTensor,
    unread: usize,
    shapes: Vec<Shape>,
}

/// The primitive of a tensor on a GPU, without autodiff.
fn primitive<const D: usize>(tensor: Tensor<D>) -> CubeTensor {
    match tensor.into_dispatch().kind {
        DispatchTensorKind::Cube(tensor) => contiguous(tensor.float()),
        _ => unreachable!("the caller trains on a GPU"),
    }
}

/// Bytes that one binding may have, on the device of a tensor.
pub fn most_bytes(x: Tensor<1>) -> u64 {
    primitive(x).client.properties().memory.max_page_size
}

fn tensor<const D: usize>(primitive: CubeTensor) -> Tensor<D> {
    let kind = DispatchTensorKind::Cube(BackendTensor::Float(primitive));
    Tensor::from_dispatch(DispatchTensor { kind, autodiff: Default::default() })
}

fn blocks(shape: &Shape) -> usize {
    shape.num_elements().div_ceil(BLOCK)
}

/// All tensors, each from a block on, and what squares of each block add up to.
fn gather(sources: &[CubeTensor]) -> (CubeTensor, CubeTensor) {
    let total: usize = sources.iter().map(|source| blocks(source.meta.shape())).sum();
    let (all, squares) = (empty(&sources[0], [total * BLOCK]), empty(&sources[0], [total]));
    let mut first = 0;
    for some in sources.chunks(SOURCES) {
        let mut info = vec![first as u32];
        let mut end = 0;
        for source in some {
            end += blocks(source.meta.shape());
            info.extend([end as u32, source.meta.shape().num_elements() as u32]);
        }
        GATHER[some.len() - 1].launch(&some.iter().collect::<Vec<_>>(), &[&all, &squares], &info, [end, 1]);
        first += end;
    }
    (all, squares)
}

impl Gpu {
    /// For φ's tensors, all flat, with the moments of earlier steps; without any they are zero.
    pub fn new(phi: Vec<Tensor<1>>, moments: &[[Vec<f32>; 2]]) -> Gpu {
        let tensors: Vec<CubeTensor> = phi.into_iter().map(primitive).collect();
        let shapes: Vec<Shape> = tensors.iter().map(|tensor| tensor.meta.shape().clone()).collect();
        let (phi, _) = gather(&tensors);
        let device = tensors[0].device.clone();
        let n = phi.meta.shape().num_elements();
        let upload = |numbers: &[f32]| {
            let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
            let handle = phi.client.create_from_slice(&bytes);
            CubeTensor::new_contiguous(phi.client.clone(), device.clone(), [numbers.len()].into(), handle, DType::F32)
        };
        let mut pairs = vec![0.0; 2 * n];
        let mut start = 0;
        for (shape, [means, squares]) in shapes.iter().zip(moments) {
            for (pair, (mean, square)) in pairs[start..].chunks_exact_mut(2).zip(means.iter().zip(squares)) {
                pair.copy_from_slice(&[*mean, *square]);
            }
            start += 2 * BLOCK * blocks(shape);
        }
        Gpu { moments: upload(&pairs), kept: upload(&[0.0; 2 * KEPT]), unread: 0, shapes, phi }
    }

    /// Both moments of each number, as they lie on the device: for [`moments_of`](Self::moments_of).
    pub fn pairs(&self) -> Tensor<1> {
        tensor(self.moments.clone())
    }

    /// First and second moments of φ's tensors, from what [`pairs`](Self::pairs) holds.
    pub fn moments_of(&self, pairs: &[f32]) -> Vec<[Vec<f32>; 2]> {
        let mut start = 0;
        let of = |shape: &Shape| {
            let these = &pairs[start..start + 2 * shape.num_elements()];
            start += 2 * BLOCK * blocks(shape);
            [0, 1].map(|which| these.iter().skip(which).step_by(2).copied().collect())
        };
        self.shapes.iter().map(of).collect()
    }

    /// One step with the flat gradients of φ's tensors, and the step's loss, which is only kept.
    ///
    /// # Panics
    /// Where [`KEPT`] losses wait to be read.
    pub fn step(&mut self, gradients: Vec<Tensor<1>>, loss: Tensor<1>, constants: AdamConstants) {
        assert!(self.unread < KEPT, "losses are read at least every {KEPT} steps");
        let sources: Vec<CubeTensor> = gradients.into_iter().chain([loss]).map(primitive).collect();
        let (gradient, squares) = gather(&sources);
        let blocks = self.phi.meta.shape().num_elements() / BLOCK;
        let AdamConstants { rate, betas, bias, epsilon, max_norm } = constants;
        let numbers = [rate, betas[0], betas[1], epsilon, max_norm, bias[0], bias[1]];
        let mut info = vec![blocks as u32, self.unread as u32];
        info.extend(numbers.map(f32::to_bits));
        // What φ's tensors of before are views of stays as it is.
        let stepped = empty(&self.phi, self.phi.meta.shape().clone());
        let inputs = [&self.phi, &gradient, &squares];
        ADAM.launch(&inputs, &[&self.moments, &stepped, &self.kept], &info, [blocks, 1]);
        self.phi = stepped;
        self.unread += 1;
    }

    /// φ's tensors as they are now, flat: views of one.
    pub fn phi(&self) -> Vec<Tensor<1>> {
        let mut start = 0;
        let total = self.phi.handle.size();
        let view = |shape: &Shape| {
            let bytes = 4 * shape.num_elements() as u64;
            let handle = self.phi.handle.clone().offset_start(start).offset_end(total - start - bytes);
            start += (4 * BLOCK * blocks(shape)) as u64;
            let (client, device) = (self.phi.client.clone(), self.phi.device.clone());
            tensor(CubeTensor::new_contiguous(client, device, shape.clone(), handle, DType::F32))
        };
        self.shapes.iter().map(view).collect()
    }

    /// Steps whose losses nobody has read.
    pub fn unread(&self) -> usize {
        self.unread
    }

    /// Losses and norms of the steps since the last call, one after the other.
    pub fn kept(&mut self) -> Tensor<1> {
        let n = std::mem::take(&mut self.unread);
        let kept: Tensor<1> = tensor(self.kept.clone());
        kept.slice(0..2 * n)
    }
}
