//! `model.safetensors.index.json`: which tensor is in which of several files.

use super::TensorFileError;
use crate::base::{read_json, shorten};
use serde_json::Value;
use std::collections::BTreeMap;

/// The list that stands beside weights in several files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardIndex {
    /// From a tensor's name to its file's.
    pub weight_map: BTreeMap<String, String>,
}

impl ShardIndex {
    /// Its name in a checkpoint.
    pub const FILE: &str = "model.safetensors.index.json";

    /// Reads the file's text. Shards stand beside it: a name with folders in it is refused.
    pub fn read(text: &str) -> Result<ShardIndex, TensorFileError> {
        let broken = |told: String| TensorFileError::Shards(told);
        let json: Value = read_json(text).map_err(|e| broken(format!("is not readable: {e}")))?;
        let Some(map) = json["weight_map"].as_object().filter(|map| !map.is_empty()) else {
            return Err(broken("has no “weight_map”, which says which tensor is in which file".into()));
        };
        let mut weight_map = BTreeMap::new();
        for (tensor, file) in map {
            let name = file.as_str().filter(|name| name.ends_with(".safetensors") && !name.contains(['/', '\\', ':']));
            let Some(name) = name else {
                let (tensor, file) = (shorten(tensor), shorten(&file.to_string()));
                return Err(broken(format!("puts “{tensor}” into {file}, which is no safetensors file beside it")));
            };
            weight_map.insert(tensor.clone(), name.to_string());
        }
        Ok(ShardIndex { weight_map })
    }

    /// The files, each once, in the order of their names.
    pub fn files(&self) -> Vec<String> {
        let mut files: Vec<String> = self.weight_map.values().cloned().collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// What a file that is not there is told.
    pub fn missing(&self, file: &str) -> TensorFileError {
        let n = self.weight_map.values().filter(|name| *name == file).count();
        let tensors = if n == 1 { "a tensor".to_string() } else { format!("{n} tensors") };
        TensorFileError::Shards(format!(
            "puts {tensors} into {file}, which is missing: choose all files of the checkpoint together"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_names_each_file_once() {
        let text = r#"{"metadata":{"total_size":9},"weight_map":{"c":"m-2.safetensors","a":"m-1.safetensors","b":"m-2.safetensors"}}"#;
        let index = ShardIndex::read(text).unwrap();
        assert_eq!(index.files(), ["m-1.safetensors", "m-2.safetensors"]);
        assert!(index.missing("m-2.safetensors").to_string().contains("puts 2 tensors into m-2.safetensors"));
        assert!(index.missing("m-1.safetensors").to_string().contains("puts a tensor into"));
    }

    #[test]
    fn an_index_that_says_nothing_or_leads_elsewhere_is_refused() {
        for (text, told) in [
            ("", "is not readable: it is empty"),
            ("[1", "is not readable: it ends in line 1"),
            ("{}", "has no “weight_map”"),
            (r#"{"weight_map":[]}"#, "has no “weight_map”"),
            (r#"{"weight_map":{}}"#, "has no “weight_map”"),
            (r#"{"weight_map":{"a":7}}"#, "puts “a” into 7, which is no"),
            (r#"{"weight_map":{"a":"../../secret.safetensors"}}"#, "which is no safetensors file beside it"),
            (r#"{"weight_map":{"a":"C:\\w.safetensors"}}"#, "which is no safetensors file beside it"),
            (r#"{"weight_map":{"a":"pytorch_model.bin"}}"#, "which is no safetensors file beside it"),
        ] {
            let fault = ShardIndex::read(text).unwrap_err().to_string();
            assert!(fault.starts_with("model.safetensors.index.json ") && fault.contains(told), "{text}: {fault}");
        }
    }
}
