//! Whether the files of a checkpoint hold what its configuration describes, by their headers alone.

use super::{Header, Layout, ShardIndex, TensorFileError};
use crate::model::{ModelConfig, ModulePath, ParamKind};
use std::collections::BTreeMap;

/// Endings of tensors that quantisers leave beside a weight, and who does.
const QUANTISED: [(&str, &str); 12] = [
    (".SCB", "bitsandbytes"),
    (".absmax", "bitsandbytes"),
    (".quant_map", "bitsandbytes"),
    (".quant_state.bitsandbytes__nf4", "bitsandbytes"),
    (".quant_state.bitsandbytes__fp4", "bitsandbytes"),
    (".g_idx", "GPTQ"),
    (".qweight", "GPTQ or AWQ"),
    (".qzeros", "GPTQ or AWQ"),
    (".weight_packed", "compressed-tensors"),
    (".weight_scale", "compressed-tensors"),
    (".weight_scale_inv", "8-bit floats"),
    (".weight._data", "quanto"),
];

/// Checks headers against the configuration and, of several files, the index: every tensor once, in its shape,
/// of a type that is read. Tensors that the network does not have are left where they are.
pub fn survey(config: &ModelConfig, headers: &[Header], index: Option<&ShardIndex>) -> Result<(), TensorFileError> {
    let mut found = BTreeMap::new();
    for header in headers {
        for (key, described) in &header.tensors {
            if let Some((_, by)) = QUANTISED.iter().find(|(end, _)| key.ends_with(end)) {
                return Err(quantised(header, key, by));
            }
            if let Some((other, _)) = found.insert(key.as_str(), (header, described)) {
                let (one, other) = (other.file.clone(), header.file.clone());
                return Err(TensorFileError::Twice { key: key.clone(), one, other });
            }
        }
    }
    for (key, file) in index.iter().flat_map(|index| &index.weight_map) {
        if found.get(key.as_str()).is_none_or(|(header, _)| header.file != *file) {
            return Err(TensorFileError::Shards(format!(
                "puts “{key}” into {file}, which does not have it: are these shards of another checkpoint?"
            )));
        }
    }
    let layout = Layout::of_file(config, |key| found.contains_key(key));
    let head = Some(layout.head()).filter(|head| found.contains_key(head.name.as_str()));
    for info in layout.tensors().chain(head) {
        let Some((header, described)) = found.get(info.name.as_str()) else {
            let file = if let [header] = headers { header.file.clone() } else { "this checkpoint".into() };
            return Err(TensorFileError::Missing { file, key: info.name });
        };
        match described.dtype.as_str() {
            "F32" | "F16" | "BF16" => {}
            "F64" => return Err(TensorFileError::Type { key: info.name, found: described.dtype.clone() }),
            other => return Err(quantised(header, &info.name, other)),
        }
        if described.shape != info.shape {
            return Err(TensorFileError::Shape {
                key: info.name,
                found: described.shape.clone(),
                by: "config.json says",
                expected: info.shape,
            });
        }
    }
    Ok(())
}

/// Bytes of the matrices that θ may hold as they stand in files: positions are none of them.
pub fn matrix_bytes(config: &ModelConfig, headers: &[Header]) -> u64 {
    let has = |key: &str| headers.iter().find_map(|header| header.tensors.get(key));
    let layout = Layout::of_file(config, |key| has(key).is_some());
    let positions = layout.tensor(ModulePath::Positions, ParamKind::Matrix).name;
    let matrices = layout.tensors().filter(|info| info.shape.len() == 2 && info.name != positions);
    matrices.filter_map(|info| has(&info.name)?.bytes()).sum()
}

fn quantised(header: &Header, key: &str, by: &str) -> TensorFileError {
    TensorFileError::Quantised { file: header.file.clone(), key: key.into(), by: by.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::families;

    fn configs() -> Vec<ModelConfig> {
        families::tests::tiny()
    }

    fn header(config: &ModelConfig, change: impl Fn(&mut BTreeMap<String, (String, Vec<usize>)>)) -> Header {
        let layout = Layout::with_head(config);
        let mut tensors = layout.tensors().map(|info| (info.name, ("F16".to_string(), info.shape))).collect();
        change(&mut tensors);
        let bytes = Header::written(
            tensors.iter().map(|(name, (dtype, shape))| (name.as_str(), dtype.as_str(), shape.as_slice())),
        );
        Header::read("model.safetensors", &bytes, bytes.len() as u64).unwrap()
    }

    fn told(config: &ModelConfig, change: impl Fn(&mut BTreeMap<String, (String, Vec<usize>)>)) -> String {
        survey(config, &[header(config, change)], None).unwrap_err().to_string()
    }

    #[test]
    fn the_tied_matrix_stands_under_either_name_with_every_prefix() {
        for config in configs().into_iter().filter(|config| config.tied) {
            let family = config.family();
            let long = format!("{}.", family.decoder);
            let short = if family.headless_decoder.is_empty() {
                String::new()
            } else {
                format!("{}.", family.headless_decoder)
            };
            let tokens = |prefix: &str| format!("{prefix}{}.weight", family.tokens);
            for prefix in [&long, &short] {
                for (has_tokens, has_head) in [(true, false), (false, true), (true, true)] {
                    let header = header(&config, |tensors| {
                        let all = std::mem::take(tensors);
                        tensors.extend(all.into_iter().map(|(name, of)| (name.replacen(&long, prefix, 1), of)));
                        let matrix = tensors.remove(&tokens(prefix)).unwrap();
                        if has_tokens {
                            tensors.insert(tokens(prefix), matrix.clone());
                        }
                        if has_head {
                            tensors.insert(format!("{}.weight", family.head), matrix);
                        }
                    });
                    assert_eq!(survey(&config, &[header], None), Ok(()), "{} {prefix}", family.title);
                }
            }
            let neither = told(&config, |tensors| drop(tensors.remove(&tokens(&long))));
            assert_eq!(neither, format!("model.safetensors has no tensor “{}”", tokens(&long)));
        }
    }

    #[test]
    fn quantised_weights_are_told_by_names_or_types() {
        for config in configs() {
            let q = format!("{}.weight", config.family().key(crate::model::ModulePath::Tokens));
            let module = q.trim_end_matches(".weight");
            for (name, by) in [
                (format!("{module}.weight.absmax"), "bitsandbytes"),
                (format!("{module}.SCB"), "bitsandbytes"),
                (format!("{module}.qweight"), "GPTQ or AWQ"),
                (format!("{module}.g_idx"), "GPTQ"),
                (format!("{module}.weight_scale"), "compressed-tensors"),
            ] {
                let fault = told(&config, |tensors| drop(tensors.insert(name.clone(), ("F32".into(), vec![1]))));
                let expected = format!(
                    "model.safetensors holds quantised weights ({by}, by “{name}”), this loader knows weights in full"
                );
                assert!(fault.starts_with(&expected), "{fault}");
            }
            for dtype in ["I8", "U8", "F8_E4M3", "I32"] {
                let fault = told(&config, |tensors| tensors.get_mut(&q).unwrap().0 = dtype.into());
                assert!(fault.contains(&format!("quantised weights ({dtype}, by “{q}”)")), "{fault}");
            }
            let double = told(&config, |tensors| tensors.get_mut(&q).unwrap().0 = "F64".into());
            assert_eq!(double, format!("“{q}” holds F64; F32, F16 and BF16 are known"));
        }
    }

    #[test]
    fn shards_that_contradict_each_other_or_their_index_are_told() {
        for config in configs() {
            let whole = header(&config, |_| {});
            let half = whole.tensors.len() / 2;
            let part = |file: &str, from: usize, to: usize| Header {
                file: file.into(),
                tensors: whole.tensors.clone().into_iter().skip(from).take(to - from).collect(),
            };
            let all = whole.tensors.len();
            let (first, second) = (part("a.safetensors", 0, half), part("b.safetensors", half, all));
            let weight_map = |parts: &[&Header]| ShardIndex {
                weight_map: parts
                    .iter()
                    .flat_map(|part| part.tensors.keys().map(|key| (key.clone(), part.file.clone())))
                    .collect(),
            };
            let index = weight_map(&[&first, &second]);
            assert_eq!(survey(&config, &[first.clone(), second.clone()], Some(&index)), Ok(()));
            let told = |parts: &[Header]| survey(&config, parts, Some(&index)).unwrap_err().to_string();
            let last = first.tensors.keys().last().unwrap();
            let twice = told(&[first.clone(), part("b.safetensors", half - 1, all)]);
            assert_eq!(
                twice,
                format!("“{last}” is both in a.safetensors and in b.safetensors: are these shards of two checkpoints?")
            );
            let moved = told(&[part("a.safetensors", 0, half - 1), part("b.safetensors", half - 1, all)]);
            assert!(moved.contains(&format!("puts “{last}” into a.safetensors, which does not have it")), "{moved}");
            let absent = told(&[part("a.safetensors", 0, half - 1), second.clone()]);
            assert!(absent.contains(&format!("puts “{last}” into a.safetensors")), "{absent}");
            let missing = survey(&config, &[part("a.safetensors", 0, half - 1), second], None).unwrap_err().to_string();
            assert_eq!(missing, format!("this checkpoint has no tensor “{last}”"));
        }
    }
}
