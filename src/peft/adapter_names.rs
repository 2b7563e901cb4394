//! What PEFT calls the files of an adapter.

/// The settings of an adapter.
pub const CONFIG_FILE: &str = "adapter_config.json";
/// The tensors of an adapter.
pub const MODEL_FILE: &str = "adapter_model.safetensors";
/// The tensors of an adapter as older versions write them: a Python pickle, which nobody should open.
pub const PICKLE_FILE: &str = "adapter_model.bin";
