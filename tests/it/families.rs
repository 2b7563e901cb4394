//! Every family against transformers and PEFT, on tiny models that transformers wrote (`tools/fixtures/families.py`): logits, the
//! gradient of every tensor, a step of AdamW, and adapters of every method that PEFT has.

use crate::fixtures::{answers, folder, largest_difference, model, numbers};
use crate::peft::phi_of;
use crate::shared;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use peft_lab::base::read;
use peft_lab::interchange::hf_adapter::{AdapterFiles, CONFIG_FILE, MODEL_FILE, read_adapter};
use peft_lab::model::{Model, ModulePath, ParamKind, Tokens};
use peft_lab::peft::{MethodConfig, Phi, Shape};
use peft_lab::train::data::Batch;
use peft_lab::train::optimizer::Optimizer;
use peft_lab::train::step::{ClipAndStep, forward};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use std::path::{Path, PathBuf};

pub fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

pub fn cases() -> Vec<PathBuf> {
    let cases = folders(&folder().join("families"));
    assert!(cases.len() >= 10, "{cases:?}");
    cases
}

pub fn name(path: &Path) -> String {
    let names = path.iter().map(|part| part.to_string_lossy().into_owned()).collect::<Vec<_>>();
    names.into_iter().skip_while(|part| part != "families").skip(1).collect::<Vec<_>>().join("/")
}

/// What was computed there, by name.
struct Expected(Vec<u8>);

impl Expected {
    fn of(path: &Path) -> Expected {
        Expected(std::fs::read(path.join("expected.safetensors")).unwrap())
    }

    fn numbers(&self, name: &str) -> Vec<f32> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let view = file.tensor(name).unwrap();
        view.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
    }

    /// The tensors whose names begin so, under what is left of their names, as a file of their own.
    fn file(&self, prefix: &str) -> Vec<u8> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let named = file.tensors().into_iter();
        let tensors: Vec<(String, TensorView<'_>)> =
            named.filter_map(|(name, view)| Some((name.strip_prefix(prefix)?.to_string(), view))).collect();
        assert!(!tensors.is_empty(), "{prefix}");
        safetensors::serialize(tensors, None).unwrap()
    }
}

pub fn tokens(case: &Path) -> Tokens {
    let ids = Expected::of(case).numbers("ids").iter().map(|id| *id as i32).collect();
    Tokens { ids, sequences: 2, length: 7 }
}

pub fn logits(theta: &Model, phi: &Phi, tokens: &Tokens) -> Vec<f32> {
    let all: Vec<usize> = (0..tokens.sequences * tokens.length).collect();
    numbers(theta.logits(&phi.frozen(), tokens, &all))
}

struct Collect<'a>(Option<&'a GradientsParams>, Vec<Vec<f32>>);

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = match self.0 {
            Some(gradients) => gradients.get::<D>(param.id).unwrap(),
            None => param.val().inner(),
        };
        self.1.push(tensor.into_data().iter::<f32>().collect());
    }
}

fn collected(phi: &Phi, gradients: Option<&GradientsParams>) -> Vec<Vec<f32>> {
    let mut collect = Collect(gradients, Vec::new());
    phi.visit(&mut collect);
    collect.1
}

fn batch(tokens: &Tokens) -> Batch {
    let (rows, targets) = answers(tokens, 2);
    Batch::of(tokens.clone(), rows, targets)
}

#[test]
fn logits_of_every_family_are_transformers_to_1e_4() {
    for case in cases() {
        let (theta, expected) = (model(&case), Expected::of(&case));
        let apart = largest_difference(&logits(&theta, &Phi::none(), &tokens(&case)), &expected.numbers("logits"));
        println!("{}: {apart:.1e}", name(&case));
        assert!(apart < 1e-4, "{}: {apart}", name(&case));
    }
}

#[test]
fn the_gradient_of_every_tensor_is_pytorch_s_to_1e_4() {
    for case in cases() {
        let (theta, expected) = (model(&case), Expected::of(&case));
        // A checkpoint of gradients: what lies side by side in the file is cut apart as weights are.
        let theirs = Model::load(theta.config.clone(), &expected.file("gradient."), &Device::flex()).unwrap();
        let phi = shared::phi(&theta, &MethodConfig::everything(), &Device::flex());
        let loss = forward(&theta, &phi, &batch(&tokens(&case)));
        let value = pollster::block_on(read(loss.clone().inner())).unwrap()[0];
        assert!((value - expected.numbers("loss")[0]).abs() < 1e-4, "{}", name(&case));
        let gradients = GradientsParams::from_grads(loss.backward(), &phi);
        let mut ours = collected(&phi, Some(&gradients)).into_iter();
        for path in ModulePath::all(&theta.config) {
            for kind in path.pieces(&theta.config) {
                let of = theirs.weights.at(path);
                let theirs: Vec<f32> = match kind {
                    ParamKind::Matrix => of.matrix.unwrap().dense().into_data().iter::<f32>().collect(),
                    ParamKind::Bias => of.bias.unwrap().val().into_data().iter::<f32>().collect(),
                    ParamKind::Scale => of.scale.unwrap().val().into_data().iter::<f32>().collect(),
                };
                let apart = largest_difference(&ours.next().unwrap(), &theirs);
                assert!(apart < 1e-4, "{}: {} {kind:?} differs by {apart}", name(&case), path.title());
            }
        }
        assert!(ours.next().is_none());
    }
}

fn adapter(folder: &Path, weights: Vec<u8>, shape: &Shape) -> peft_lab::interchange::hf_adapter::Adapter {
    let config = std::fs::read_to_string(folder.join(CONFIG_FILE)).unwrap();
    read_adapter(&AdapterFiles { config, weights }, shape).unwrap_or_else(|e| panic!("{}: {e}", name(folder)))
}

#[test]
fn adapters_of_every_method_on_every_family_answer_as_in_peft_to_1e_4() {
    for case in cases() {
        let theta = model(&case);
        let shape = Shape { model: theta.config.clone(), labels: 3 };
        for folder in folders(&case) {
            let adapter = adapter(&folder, std::fs::read(folder.join(MODEL_FILE)).unwrap(), &shape);
            let expected = Expected::of(&folder);
            let phi = phi_of(adapter, &theta);
            let apart = largest_difference(&logits(&theta, &phi, &tokens(&case)), &expected.numbers("logits"));
            println!("{}: {apart:.1e}", name(&folder));
            assert!(apart < 1e-4, "{}: logits differ by {apart}", name(&folder));
        }
    }
}

#[test]
fn gradients_of_lora_and_a_step_of_adamw_are_pytorch_s() {
    for case in cases() {
        let theta = model(&case);
        // Where three matrices are one module, PEFT has one A for three of ours.
        if theta.config.family().joins_matrices() {
            continue;
        }
        let (shape, folder) = (Shape { model: theta.config.clone(), labels: 3 }, case.join("lora"));
        let expected = Expected::of(&folder);
        let read = |weights: Vec<u8>| phi_of(adapter(&folder, weights, &shape), &theta);
        let phi = read(std::fs::read(folder.join(MODEL_FILE)).unwrap());
        let loss = || forward(&theta, &phi, &batch(&tokens(&case)));
        let (gradients, again, loss) = (loss().backward(), loss().backward(), loss());
        let found = GradientsParams::from_grads(again, &phi);
        let theirs = collected(&read(expected.file("gradient.")), None);
        for (ours, theirs) in collected(&phi, Some(&found)).iter().zip(&theirs) {
            let apart = largest_difference(ours, theirs);
            assert!(apart < 1e-4, "{}: a gradient differs by {apart}", name(&case));
        }
        let stepped = Optimizer::new().clip_and_step(phi, gradients, loss, 1e-2);
        let after = collected(&read(expected.file("after.")), None);
        for ((ours, after), gradient) in collected(&stepped, None).iter().zip(&after).zip(&theirs) {
            for ((ours, after), gradient) in ours.iter().zip(after).zip(gradient) {
                // AdamW's first step has the gradient's sign: where that is rounding, so is the step.
                assert!((ours - after).abs() < 1e-4 || gradient.abs() < 1e-6, "{}: {ours} {after}", name(&case));
            }
        }
    }
}
