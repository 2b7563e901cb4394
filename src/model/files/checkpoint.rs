//! `model.safetensors` of a model, read and written by its family's description.

use super::columns::{apart, side_by_side};
use super::gguf::{Gguf, GgufReader};
use super::matrices::{Piece, StoredMatrix};
use super::{Layout, Reader, ShardIndex, TensorFileError, Writer};
use crate::base::{Failure, read};
use crate::kernels::most_bytes;
use crate::model::layers::NormTensors;
use crate::model::weights::HeadNorms;
use crate::model::{
    Block, Frozen, LinearModule, Matrix, Model, ModelConfig, ModulePath, ParamKind, Storage, Target, TensorInfo,
    Weights,
};
use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};

impl Model {
    /// θ from the bytes of `model.safetensors`, in single precision, on a device without autodiff.
    pub fn load(config: ModelConfig, weights: &[u8], device: &Device) -> Result<Model, TensorFileError> {
        Model::load_files(config, &[("model.safetensors", weights)], None, Storage::F32, device)
    }

    /// θ from one file or several, by names and bytes, with the index of several; or from one GGUF file. Tensors may stand with or
    /// without a head around them, the tied matrix under either of its names, numbers be F32, F16 or BF16.
    /// Tensors that the description does not name are left where they are.
    ///
    /// Matrices are held in the form that is asked for. Besides the files' bytes and θ only one tensor is in
    /// memory at a time.
    pub fn load_files(
        config: ModelConfig,
        files: &[(&str, &[u8])],
        index: Option<&ShardIndex>,
        storage: Storage,
        device: &Device,
    ) -> Result<Model, TensorFileError> {
        let source = match files {
            [(file, bytes)] if Gguf::claims(file) => Source::Gguf(GgufReader::new(&config, file, bytes)?),
            files => Source::Safetensors(Reader::of_checkpoint(&config, files, index)?),
        };
        let layout = Layout::of_file(&config, |name| source.has(name));
        let mut loader = Loader { source, layout, storage, device, most: most_bytes(device) };
        let blocks = (0..config.num_hidden_layers).map(|block| loader.block(block)).collect::<Result<_, _>>()?;
        let weights = Weights {
            blocks,
            tokens: loader.tokens()?,
            positions: loader.outside(ModulePath::Positions, Storage::F32)?.map(|table| table.dense()),
            final_norm: loader.norm(ModulePath::FinalNorm)?,
            head: loader.outside(ModulePath::Head, storage)?,
        };
        Ok(Model { config, weights })
    }

    /// `model.safetensors` of these weights at full precision, named as in a model with its head. The tied
    /// head is left out, as transformers does.
    pub async fn to_safetensors(&self) -> Result<Vec<u8>, Failure> {
        self.written(|writer, info, values| writer.push(&info.name, info, values)).await
    }

    /// The same at half precision.
    pub async fn to_half_safetensors(&self) -> Result<Vec<u8>, Failure> {
        self.written(|writer, info, values| writer.push_halves(info, values)).await
    }

    async fn written(&self, push: impl Fn(&mut Writer, &TensorInfo, &[f32])) -> Result<Vec<u8>, Failure> {
        let layout = Layout::with_head(&self.config);
        let mut writer = Writer::default();
        for path in ModulePath::all(&self.config) {
            if matches!(path, ModulePath::Linear(..)) {
                continue;
            }
            for kind in path.pieces(&self.config) {
                push(&mut writer, &layout.tensor(path, *kind), &self.values(path, *kind).await?);
            }
        }
        for block in 0..self.config.num_hidden_layers {
            for module in layout.modules() {
                let (mut matrices, mut biases) = (Vec::new(), Vec::new());
                for target in module.holds {
                    let path = ModulePath::Linear(block, *target);
                    matrices.push(self.values(path, ParamKind::Matrix).await?);
                    biases.push(self.values(path, ParamKind::Bias).await?);
                }
                let ((weight, bias), widths) = (layout.module(block, module), layout.widths(module));
                let turns = module.turns(&self.config);
                push(&mut writer, &weight, &side_by_side(matrices, &widths, turns));
                if let Some(bias) = bias {
                    push(&mut writer, &bias, &side_by_side(biases, &widths, turns));
                }
            }
        }
        Ok(writer.finish())
    }

    /// The values of one of θ's tensors, none for one that the module lacks.
    async fn values(&self, path: ModulePath, kind: ParamKind) -> Result<Vec<f32>, Failure> {
        let of = self.weights.at(path);
        let tensor = match kind {
            ParamKind::Matrix => of.matrix.map(|matrix| flat(matrix.dense())),
            ParamKind::Bias => of.bias.map(|bias| bias.val()),
            ParamKind::Scale => of.scale.map(|scale| scale.val()),
        };
        match tensor {
            Some(tensor) => read(tensor).await,
            None => Ok(Vec::new()),
        }
    }
}

/// Where the numbers of a checkpoint come from.
enum Source<'a> {
    /// One file or several that its family's own library wrote.
    Safetensors(Reader<'a>),
    /// One file of llama.cpp.
    Gguf(GgufReader<'a>),
}

impl Source<'_> {
    fn has(&self, key: &str) -> bool {
        match self {
            Source::Safetensors(reader) => reader.has(key),
            Source::Gguf(reader) => reader.has(key),
        }
    }

    /// Whether a linear layer's matrix lies as `[outputs, inputs]`.
    fn turned(&self, info: &TensorInfo) -> bool {
        match self {
            Source::Safetensors(_) => info.transposed,
            // In every family.
            Source::Gguf(_) => true,
        }
    }

    /// Into how many pieces the outputs of matrices are cut that share a module, which lie in turns.
    fn turns(&self, module: &LinearModule, config: &ModelConfig) -> usize {
        match self {
            Source::Safetensors(_) => module.turns(config),
            // One whole matrix after the other in every family.
            Source::Gguf(_) => 1,
        }
    }
}

/// A checkpoint being read.
struct Loader<'a> {
    source: Source<'a>,
    layout: Layout<'a>,
    storage: Storage,
    device: &'a Device,
    /// Bytes of the largest tensor that the device can use.
    most: Option<u64>,
}

impl Loader<'_> {
    fn block(&mut self, block: usize) -> Result<Block, TensorFileError> {
        let attention_norm = self.norm(ModulePath::AttentionNorm(block))?;
        let mut linears = Vec::new();
        for module in self.layout.modules().collect::<Vec<_>>() {
            linears.extend(module.holds.iter().zip(self.linears(block, module)?));
        }
        let mlp_norm = self.norm(ModulePath::MlpNorm(block))?;
        let mut taken = |target: Target| {
            let at = linears.iter().position(|(of, _)| **of == target)?;
            Some(linears.swap_remove(at).1)
        };
        #[expect(clippy::expect_used, reason = "a test sees that every family's modules hold every target")]
        let [q, k, v, out, fc1, fc2] =
            Target::UNGATED.map(|target| taken(target).expect("a family's modules hold every target"));
        let gate = taken(Target::Gate);
        let head_norms = match self.layout.config().normed_heads {
            true => Some(HeadNorms {
                queries: self.norm(ModulePath::QueryNorm(block))?,
                keys: self.norm(ModulePath::KeyNorm(block))?,
            }),
            false => None,
        };
        Ok(Block { attention_norm, q, k, v, out, mlp_norm, fc1, fc2, gate, head_norms })
    }

    /// The linear layers of a module, in its order.
    fn linears(&mut self, block: usize, module: &LinearModule) -> Result<Vec<Frozen>, TensorFileError> {
        let (weight, bias) = self.layout.module(block, module);
        let (inputs, widths) = (self.layout.inputs(module), self.layout.widths(module));
        let turns = self.source.turns(module, self.layout.config());
        let pieces = Piece::of_module(inputs, &widths, turns, self.source.turned(&weight));
        let matrices = self.matrices(&weight, &pieces, self.storage)?;
        let biases = match bias {
            Some(bias) => apart(self.values(&bias)?, &widths, turns).into_iter().map(Some).collect(),
            None => vec![None; widths.len()],
        };
        let linears = matrices.into_iter().zip(biases).zip(widths).map(|((weight, bias), outputs)| Frozen {
            weight,
            bias: bias.map(|bias| param(bias, [outputs], self.device)),
        });
        Ok(linears.collect())
    }

    fn norm(&mut self, path: ModulePath) -> Result<NormTensors, TensorFileError> {
        let biased = path.pieces(self.layout.config()).contains(&ParamKind::Bias);
        let mut vector = |kind| {
            let info = self.layout.tensor(path, kind);
            Ok::<_, TensorFileError>(param(self.values(&info)?, [info.shape[0]], self.device))
        };
        let scale = vector(ParamKind::Scale)?;
        Ok(NormTensors { scale, bias: biased.then(|| vector(ParamKind::Bias)).transpose()? })
    }

    /// The token embedding. A head beside it must hold the same numbers where it is tied.
    fn tokens(&mut self) -> Result<Matrix, TensorFileError> {
        let (tokens, head) = (self.layout.tensor(ModulePath::Tokens, ParamKind::Matrix), self.layout.head());
        let beside = self.layout.config().tied && head.name != tokens.name && self.source.has(&head.name);
        if beside && self.values(&head)? != self.values(&tokens)? {
            return Err(TensorFileError::Untied { head: head.name, tokens: tokens.name });
        }
        self.matrix(ModulePath::Tokens, self.storage)
    }

    /// A matrix outside the blocks that only some models have.
    fn outside(&mut self, path: ModulePath, storage: Storage) -> Result<Option<Matrix>, TensorFileError> {
        let there = ModulePath::outside_blocks(self.layout.config()).any(|of| of == path);
        there.then(|| self.matrix(path, storage)).transpose()
    }

    /// A matrix outside the blocks, `[rows, d_model]`.
    fn matrix(&mut self, path: ModulePath, storage: Storage) -> Result<Matrix, TensorFileError> {
        let info = self.layout.tensor(path, ParamKind::Matrix);
        let mut matrices = self.matrices(&info, &[Piece::whole(info.shape[0], false)], storage)?;
        Ok(matrices.remove(0))
    }

    /// Pieces of a stored matrix, each in memory.
    fn matrices(
        &mut self,
        info: &TensorInfo,
        pieces: &[Piece],
        storage: Storage,
    ) -> Result<Vec<Matrix>, TensorFileError> {
        let most = self.most;
        let load = |stored: StoredMatrix<'_>| pieces.iter().map(|p| stored.load(p, storage, self.device)).collect();
        match &mut self.source {
            Source::Safetensors(reader) => {
                let (packing, bytes) = reader.packed(&info.name, &info.shape)?;
                load(StoredMatrix { key: &info.name, packing, bytes, columns: info.shape[1], most, place: &|row| row })
            }
            Source::Gguf(reader) => {
                let (named, packing, bytes) = reader.raw(&info.name)?;
                let place = |row| named.rows.place(row, named.shape[0]);
                load(StoredMatrix { key: &named.name, packing, bytes, columns: named.shape[1], most, place: &place })
            }
        }
    }

    /// The values of a tensor, a matrix of a linear module as `[inputs, outputs]`: no step has to transpose
    /// it again.
    fn values(&mut self, info: &TensorInfo) -> Result<Vec<f32>, TensorFileError> {
        match &mut self.source {
            Source::Safetensors(reader) => reader.tensor(&info.name, info),
            Source::Gguf(reader) => reader.tensor(&info.name),
        }
    }
}

fn param<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device))
}

fn flat<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let n = tensor.shape().num_elements();
    tensor.reshape([n])
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests {
    use super::*;
    use crate::base::stream;
    use crate::model::{Activation, Sizes, families};
    use safetensors::SafeTensors;
    use safetensors::tensor::TensorView;

    const SIZES: Sizes = Sizes {
        vocab_size: 11,
        max_position_embeddings: 7,
        hidden_size: 4,
        ffn_dim: 6,
        num_hidden_layers: 2,
        num_attention_heads: 2,
    };

    /// A model of a family, with its file.
    fn made(config: ModelConfig) -> (Model, Vec<u8>) {
        let model = Model::random(config, &mut stream(0, "theta"), &Device::flex());
        let file = pollster::block_on(model.to_safetensors()).unwrap();
        (model, file)
    }

    /// The file under other names, without those that have none.
    fn renamed(file: &[u8], rename: impl Fn(&str) -> Option<String>) -> Vec<u8> {
        let file = SafeTensors::deserialize(file).unwrap();
        let tensors: Vec<(String, TensorView<'_>)> =
            file.tensors().into_iter().filter_map(|(name, view)| Some((rename(&name)?, view))).collect();
        safetensors::serialize(tensors, None).unwrap()
    }

    #[test]
    fn a_file_of_every_family_gives_its_model_with_or_without_the_head_s_prefix() {
        for config in families::tests::tiny() {
            let family = config.family();
            let (model, file) = made(config);
            let before = |name: &str| if name.is_empty() { String::new() } else { format!("{name}.") };
            let (long, short) = (before(family.decoder), before(family.headless_decoder));
            let headless = renamed(&file, |name| match name.strip_prefix(&long) {
                Some(inside) => Some(format!("{short}{inside}")),
                None => Some(name.to_string()),
            });
            assert_ne!(headless, file);
            for bytes in [&file, &headless] {
                let loaded = Model::load(model.config.clone(), bytes, &Device::flex()).unwrap();
                for path in ModulePath::all(&model.config) {
                    for kind in path.pieces(&model.config) {
                        let values = |model: &Model| pollster::block_on(model.values(path, *kind)).unwrap();
                        assert!(!values(&model).is_empty());
                        assert_eq!(values(&loaded), values(&model), "{}: {}", family.title, path.title());
                    }
                }
            }
        }
    }

    #[test]
    fn the_tied_matrix_is_read_under_the_head_s_name_and_must_be_one() {
        for config in families::tests::tiny().into_iter().filter(|config| config.tied) {
            let family = config.family();
            let (model, file) = made(config);
            let tokens = format!("{}.weight", family.key(ModulePath::Tokens));
            let head = "lm_head.weight";
            let values =
                |model: &Model| pollster::block_on(model.values(ModulePath::Tokens, ParamKind::Matrix)).unwrap();
            let only = renamed(&file, |name| Some(if name == tokens { head.into() } else { name.into() }));
            let loaded = Model::load(model.config.clone(), &only, &Device::flex()).unwrap();
            assert_eq!(values(&loaded), values(&model), "{}", family.title);
            // Beside each other, and in two shards: the same, or refused.
            let kept = renamed(&only, |name| (name == head).then(|| name.into()));
            let index = ShardIndex {
                weight_map: SafeTensors::deserialize(&file)
                    .unwrap()
                    .names()
                    .into_iter()
                    .map(|name| (name.to_string(), "a.safetensors".to_string()))
                    .chain([(head.to_string(), "b.safetensors".to_string())])
                    .collect(),
            };
            let load = |second: &[u8]| {
                let files = [("a.safetensors", file.as_slice()), ("b.safetensors", second)];
                Model::load_files(model.config.clone(), &files, Some(&index), Storage::F32, &Device::flex())
            };
            assert_eq!(values(&load(&kept).unwrap()), values(&model));
            let mut other = kept.clone();
            *other.last_mut().unwrap() ^= 1;
            let fault = load(&other).unwrap_err().to_string();
            assert!(fault.starts_with(&format!("“lm_head.weight” and “{tokens}” differ")), "{fault}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_by_the_tensor_s_name() {
        let (model, file) = made(ModelConfig::native(SIZES, Activation::Relu));
        let told = |config: ModelConfig, bytes: &[u8]| match Model::load(config, bytes, &Device::flex()) {
            Ok(_) => panic!("the file is broken"),
            Err(e) => e.to_string(),
        };
        let without = renamed(&file, |name| (!name.ends_with("embed_tokens.weight")).then(|| name.into()));
        assert_eq!(
            told(model.config.clone(), &without),
            "model.safetensors has no tensor “model.decoder.embed_tokens.weight”"
        );
        let larger = ModelConfig { vocab_size: 12, ..model.config.clone() };
        assert_eq!(
            told(larger, &file),
            "“model.decoder.embed_tokens.weight” has the shape [11, 4], config.json says [12, 4]"
        );
        assert!(
            told(model.config, &file[..20]).starts_with("model.safetensors is cut short or not a safetensors file: ")
        );
    }
}
