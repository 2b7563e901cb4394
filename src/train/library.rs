//! Bases ready to train: read once, shared by every run.

use super::data::{TaskData, TaskFile};
use crate::base::{Failure, FailureReason, Fault, read_json};
use crate::bases::Base;
use crate::config::RunConfig;
use crate::model::files::gguf::Gguf;
use crate::model::files::{ShardIndex, TensorFileError};
use crate::model::{Model, ModelConfig, Storage};
use crate::task::tokenizer::Tokenizer;
use crate::task::{Answered, Labelled, TaskConfig, Wording, style};
use burn::tensor::Device;
use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

/// Where files come from: a disk natively, `fetch` in the browser.
pub trait Files {
    /// The whole of a file by its logical name (`models/rules/config.json`). The error is a sentence.
    fn read(&self, name: &str) -> impl Future<Output = Result<Vec<u8>, String>>;

    /// What is made of the files next, where somebody waits for it.
    fn next(&self, _part: &str) {}
}

/// A base with its tokenizer.
pub struct LoadedBase {
    /// Which it is.
    pub base: &'static Base,
    /// On the device that it was loaded onto, without autodiff.
    pub theta: Model,
    /// How θ's matrices are held.
    pub storage: Storage,
    /// Of its texts.
    pub tokenizer: Tokenizer,
}

impl LoadedBase {
    /// Reads the base of a run, θ in the form that the run asks for.
    ///
    /// # Errors
    /// A sentence that names the base, where a file does not arrive or does not fit the others.
    pub async fn of(config: &RunConfig, files: &impl Files, device: &Device) -> Result<LoadedBase, Failure> {
        LoadedBase::load(config.base, config.storage(), files, device).await
    }

    /// Reads configuration, weights and tokenizer and checks them against each other.
    ///
    /// # Errors
    /// A sentence that names the base, where a file does not arrive or does not fit the others.
    pub async fn load(
        base: &'static Base,
        storage: Storage,
        files: &impl Files,
        device: &Device,
    ) -> Result<LoadedBase, Failure> {
        let name = |file: &str| format!("models/{}/{file}", base.id);
        let broken = |e: String| load_failure(format!("The base {} cannot be used: {e}.", base.called()));
        if let Some(file) = base.one_file() {
            let bytes = files.read(&name(file)).await.map_err(load_failure)?;
            files.next("its tokenizer");
            let (config, tokenizer) = of_gguf(file, &bytes).map_err(broken)?;
            // φ is made for the shape that was known before.
            if base.config().is_ok_and(|known| known != config) {
                return Err(broken(format!("{file} is a model of another shape")));
            }
            tokenizer.fits(config.vocab_size, &base.tokenizer().join(", ")).map_err(broken)?;
            files.next("its weights");
            let theta = Model::load_files(config, &[(file, &bytes)], None, storage, device)
                .map_err(|e| unheld(&e, broken(e.to_string())))?;
            return Ok(LoadedBase { base, theta, storage, tokenizer });
        }
        let config = text(files, &name("config.json")).await?;
        let mut index = None;
        let mut weights = Vec::new();
        for file in base.weights() {
            match *file {
                ShardIndex::FILE => index = Some(text(files, &name(file)).await?),
                file => weights.push((file, files.read(&name(file)).await.map_err(load_failure)?)),
            }
        }
        let tokenizer = LoadedBase::tokenizer(base, files).await?;
        let config = ModelConfig::from_json(&config).map_err(|e| broken(e.to_string()))?;
        tokenizer.fits(config.vocab_size, &base.tokenizer().join(", ")).map_err(broken)?;
        let index = index.as_deref().map(ShardIndex::read).transpose().map_err(|e| broken(e.to_string()))?;
        let weights: Vec<(&str, &[u8])> = weights.iter().map(|(file, bytes)| (*file, bytes.as_slice())).collect();
        files.next("its weights");
        let theta = Model::load_files(config, &weights, index.as_ref(), storage, device);
        let theta = theta.map_err(|e| unheld(&e, broken(e.to_string())))?;
        Ok(LoadedBase { base, theta, storage, tokenizer })
    }

    /// Reads the tokenizer alone, from one file or from a vocabulary with its merges.
    ///
    /// # Errors
    /// A sentence that names the base, where a file does not arrive or is no tokenizer.
    pub async fn tokenizer(base: &Base, files: &impl Files) -> Result<Tokenizer, Failure> {
        let broken = |e: String| load_failure(format!("The base {} cannot be used: {e}.", base.called()));
        if let Some(file) = base.one_file() {
            let bytes = files.read(&format!("models/{}/{file}", base.id)).await.map_err(load_failure)?;
            return Ok(of_gguf(file, &bytes).map_err(broken)?.1);
        }
        let mut texts = Vec::new();
        for file in base.tokenizer() {
            texts.push((*file, text(files, &format!("models/{}/{file}", base.id)).await?));
        }
        Tokenizer::from_files(&texts).map_err(|e| broken(e.to_string()))
    }
}

/// Shape and tokenizer of one file that holds everything.
fn of_gguf(file: &str, bytes: &[u8]) -> Result<(ModelConfig, Tokenizer), String> {
    let told = |e: TensorFileError| e.to_string();
    let gguf = Gguf::read(file, bytes, bytes.len() as u64).map_err(told)?;
    let (config, _) = gguf.model().map_err(told)?;
    Ok((config, Tokenizer::of_gguf(&gguf)?))
}

/// What a run needs besides its base.
pub struct Materials {
    /// The task's.
    pub file: TaskFile,
    /// What no prose base was trained on, where forgetting is measured.
    pub prose: Option<String>,
    /// The task's examples as a base reads them, from the last time: a large vocabulary takes a second or two.
    examples: RefCell<Option<(Reading, Rc<TaskData>)>>,
}

/// What a task's examples follow from: task, base, words and seed.
type Reading = (TaskConfig, &'static str, Wording, u64);

impl Materials {
    /// Of a task that needs no file.
    pub fn none() -> Materials {
        Materials { file: TaskFile::None, prose: None, examples: RefCell::default() }
    }

    /// Reads what a run of `config` needs.
    ///
    /// # Errors
    /// A sentence, where a file does not arrive or is damaged.
    pub async fn load(config: &RunConfig, files: &impl Files) -> Result<Materials, Failure> {
        let prose = match config.forgetting && !config.task.is_strings() {
            true => Some(load_prose(files).await?),
            false => None,
        };
        Ok(Materials { file: load_task(&config.task, files).await?, prose, examples: RefCell::default() })
    }

    /// The task's examples for a run on a base, read once.
    ///
    /// # Errors
    /// Where the file is not the task's, a text is too short, or the tokenizer cannot tell the labels apart.
    pub fn examples(&self, config: &RunConfig, base: &LoadedBase) -> Result<Rc<TaskData>, Fault> {
        let reading: Reading = (config.task.clone(), base.base.id, config.wording(), config.seed);
        let mut examples = self.examples.borrow_mut();
        match &*examples {
            Some((of, data)) if *of == reading => Ok(data.clone()),
            _ => {
                let data = {
                    let context = base.theta.config.max_position_embeddings;
                    TaskData::on(context, &config.task, &self.file, &base.tokenizer, &reading.2, config.seed)?
                };
                let data = Rc::new(data);
                *examples = Some((reading, data.clone()));
                Ok(data)
            }
        }
    }

    /// Whether they serve a run of `config`, having been read for `other`.
    pub fn serve(&self, other: &RunConfig, config: &RunConfig) -> bool {
        let prose = self.prose.is_some() || !config.forgetting || config.task.is_strings();
        config.task.file() == other.task.file() && prose
    }
}

/// Reads the file of a task, where it has one.
///
/// # Errors
/// A sentence that names the task, where the file does not arrive or is damaged.
pub async fn load_task(task: &TaskConfig, files: &impl Files) -> Result<TaskFile, Failure> {
    let Some(name) = task.file() else { return Ok(TaskFile::None) };
    let json = text(files, &name).await?;
    let broken = |e: String| load_failure(format!("The examples of the task {} cannot be used: {e}.", task.name()));
    match task {
        task if task.is_answered() => Ok(TaskFile::Answered(Answered::from_json(&json).map_err(broken)?)),
        task if task.is_written() => Ok(TaskFile::Texts(style::Texts::from_json(&json).map_err(broken)?)),
        _ => Ok(TaskFile::Labelled(Labelled::from_json(&json).map_err(|e| broken(e.to_string()))?)),
    }
}

/// Reads the prose that no prose base was trained on.
///
/// # Errors
/// A sentence, where the file does not arrive or is damaged.
pub async fn load_prose(files: &impl Files) -> Result<String, Failure> {
    #[derive(serde::Deserialize)]
    struct Prose {
        held_out: String,
    }
    let json = text(files, "data/prose.json").await?;
    let prose: Prose = read_json(&json)
        .map_err(|e| load_failure(format!("The held-out prose cannot be used: prose.json is not readable: {e}.")))?;
    Ok(prose.held_out)
}

async fn text(files: &impl Files, name: &str) -> Result<String, Failure> {
    let bytes = files.read(name).await.map_err(load_failure)?;
    String::from_utf8(bytes).map_err(|_| load_failure(format!("{name} is not text.")))
}

/// The device is at fault, not the file, where a matrix is too large for it: the CPU holds it.
fn unheld(error: &TensorFileError, told: Failure) -> Failure {
    match error {
        TensorFileError::TooLarge { .. } => Failure { reason: FailureReason::Device, ..told },
        _ => told,
    }
}

fn load_failure(message: String) -> Failure {
    Failure { reason: FailureReason::Load, message }
}
