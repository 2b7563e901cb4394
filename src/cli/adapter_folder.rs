//! `--adapter DIR`: the two files of an adapter, out of a folder with whatever else.

use super::sentence::Sentence;
use crate::interchange::brought::{Brought, brought, no_adapter};
use crate::interchange::hf_adapter::AdapterFiles;
use std::path::PathBuf;

/// The two files of an adapter. A folder that holds none, or half of one, is told as the page tells it.
pub(super) fn read_folder(folder: &str) -> Result<AdapterFiles, Sentence> {
    let unreadable = |e: std::io::Error| format!("{folder} cannot be read: {e}");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        names.push(entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let told = |message: &str| format!("{folder}: {message}");
    let (config, weights) = match brought(&names).map_err(|message| told(&message))? {
        Brought::Adapter { config, weights } => (config, weights),
        Brought::Checkpoint => return Err(told("this is a checkpoint: name it by --base-folder.")),
        Brought::Other => return Err(told(&no_adapter())),
    };
    let read = |at: usize| {
        let path = PathBuf::from(folder).join(names[at]);
        std::fs::read(&path).map_err(|e| format!("{} cannot be read: {e}", path.display()))
    };
    let config = String::from_utf8(read(config)?).map_err(|_| format!("{} is not text.", names[config]))?;
    Ok(AdapterFiles { config, weights: read(weights)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own with these files in it, empty.
    fn folder(name: &str, files: &[&str]) -> String {
        let path = std::env::temp_dir().join(format!("peft-lab-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        files.iter().for_each(|file| std::fs::write(path.join(file), "{}").unwrap());
        path.display().to_string()
    }

    #[test]
    fn an_adapter_is_found_among_what_trainers_leave_and_half_of_one_is_told() {
        let whole =
            ["tokenizer.json", "config.json", "adapter_config.json", "training_args.bin", "adapter_model.safetensors"];
        assert_eq!(read_folder(&folder("whole", &whole)).unwrap().config, "{}");
        for (name, files, said) in [
            ("half", vec!["adapter_config.json", "README.md"], "adapter_model.safetensors is missing"),
            ("other-half", vec!["adapter_model.safetensors"], "adapter_config.json is missing"),
            ("pickle", vec!["adapter_config.json", "adapter_model.bin"], "adapter_model.bin is a Python pickle"),
            ("base", vec!["config.json", "model.safetensors"], "--base-folder"),
            ("nothing", vec!["notes.md"], "adapter_config.json is missing"),
        ] {
            let folder = folder(name, &files);
            let told = read_folder(&folder).unwrap_err();
            assert!(told.starts_with(&folder) && told.contains(said), "{told}");
        }
        assert!(read_folder("/no/such/folder").unwrap_err().contains("cannot be read"));
    }
}
