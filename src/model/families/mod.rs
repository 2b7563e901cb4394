//! Families of models: what Hugging Face's configuration, tensors and modules of each are called.

#[cfg(feature = "train")]
pub(crate) mod gpt2;
