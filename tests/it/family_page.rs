//! The matrix of docs/families.md: what holds of each method on each family, from what the code answers.
//! `RECORD_RESULTS=1` writes it anew.

use crate::every_family::{answers, models, rounding, shape, trained};
use crate::families::folders;
use crate::fixtures::{folder, largest_difference};
use crate::peft::phi_of;
use crate::shared;
use crate::tables::{Table, check};
use burn::tensor::Device;
use peft_lab::interchange::hf_adapter::{AdapterFiles, CONFIG_FILE, MODEL_FILE, read_adapter, write_adapter};
use peft_lab::model::{Family, Model, families};
use peft_lab::peft::{AdapterError, MethodConfig, Phi};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const PAGE: &str = "docs/families.md";

/// Folders with adapters that PEFT wrote for a tiny model.
fn adapters(of: &str) -> Vec<PathBuf> {
    let all = folder();
    match of {
        "tiny" => [folders(&all.join("peft")), folders(&all.join("adapters/opt"))].concat(),
        "gpt2" => folders(&all.join("adapters/gpt2")),
        case => folders(&all.join("families").join(case)),
    }
}

/// The method of an adapter that PEFT wrote, where it is read as one alone.
fn read(path: &Path, theta: &Model) -> Option<&'static str> {
    let config = std::fs::read_to_string(path.join(CONFIG_FILE)).unwrap();
    let weights = std::fs::read(path.join(MODEL_FILE)).unwrap();
    let adapter = read_adapter(&AdapterFiles { config, weights }, &shape(theta)).unwrap();
    adapter.also.is_empty().then(|| adapter.method.info().name)
}

/// Whether φ in PEFT's form answers as φ itself once it is read again. `Ok(false)` where PEFT has no such file.
fn written(theta: &Model, method: &MethodConfig) -> Result<bool, String> {
    let mut phi = shared::stirred(&shared::phi(theta, method, &Device::flex()));
    phi.noise(None);
    let files = match pollster::block_on(write_adapter(method, (theta, &shape(theta)), "tiny", &phi)) {
        Ok(files) => files,
        Err(AdapterError::NotInPeft(why)) if why.ends_with('.') => return Ok(false),
        Err(other) => return Err(other.to_string()),
    };
    let again = read_adapter(&files, &shape(theta)).map_err(|e| e.to_string())?;
    let ours = answers(theta, &phi.frozen());
    let apart = largest_difference(&answers(theta, &phi_of(again, theta).frozen()), &ours);
    if apart < rounding(&ours) { Ok(true) } else { Err(format!("differs by {apart} once it is read again")) }
}

/// T, R, W and M of a method on a model; `None` where the method's `check` refuses the model.
fn letters(name: &str, theta: &Model, method: &MethodConfig, read: &[&str]) -> Option<String> {
    method.method().check(&shape(theta), 7).ok()?;
    let mut letters = String::new();
    let losses = pollster::block_on(shared::losses_on(theta, method, &Device::flex(), 2));
    if method.method().trains() && losses[0] != losses[1] && losses.iter().all(|loss| loss.is_finite()) {
        letters += "T";
    }
    if read.contains(&method.info().name) {
        letters += "R";
    }
    if written(theta, method).unwrap_or_else(|why| panic!("{name}: {method:?}: {why}")) {
        letters += "W";
    }
    if method.method().merges().is_ok() {
        let phi = trained(theta, method);
        let ours = answers(theta, &phi);
        let apart = largest_difference(&answers(&theta.merged(&phi), &Phi::none()), &ours);
        assert!(apart < rounding(&ours), "{name}: {method:?}: {apart}");
        letters += "M";
    }
    Some(letters)
}

/// What holds of a method at its first variant on the models of a family. In brackets: on some of them.
fn cell(models: &[&(String, Model)], method: &MethodConfig) -> String {
    // A family's file of PEFT is one of any of its models.
    let read: Vec<&str> = models
        .iter()
        .flat_map(|(name, theta)| adapters(name).into_iter().filter_map(|path| read(&path, theta)))
        .collect();
    let found: Vec<Option<String>> = models.iter().map(|(name, theta)| letters(name, theta, method, &read)).collect();
    let mut there: Vec<&String> = found.iter().flatten().collect();
    there.dedup();
    match (there.as_slice(), found.contains(&None)) {
        ([], _) => "–".into(),
        ([alike], false) => alike.chars().map(String::from).collect::<Vec<_>>().join(" "),
        ([alike], true) => format!("({})", alike.chars().map(String::from).collect::<Vec<_>>().join(" ")),
        (several, _) => panic!("{method:?} differs from model to model of a family: {several:?}"),
    }
}

#[test]
fn the_matrix_of_methods_and_families_is_what_the_code_answers() {
    let models = models();
    let families: Vec<&Family> = families::all().collect();
    let of = |family: &Family| -> Vec<&(String, Model)> {
        models.iter().filter(|(_, theta)| theta.config.model_type == family.model_type).collect()
    };
    check(PAGE, |table: &Table| {
        if table.header[0] != "method" {
            return None;
        }
        let titles: Vec<&str> = families.iter().map(|family| family.title).collect();
        assert_eq!(table.header[1..], titles, "a column for each family");
        let mut first: BTreeMap<&str, MethodConfig> = BTreeMap::new();
        for method in shared::methods() {
            first.entry(method.info().name).or_insert(method);
        }
        let trained = MethodConfig::all().into_iter().filter(|method| method.method().trains());
        let row = |method: MethodConfig| {
            let cells = families.iter().map(|family| cell(&of(family), &first[method.info().name]));
            std::iter::once(method.info().title.to_string()).chain(cells).collect()
        };
        Some(trained.map(row).collect())
    });
}

/// Knobs change which tensors there are: every choice that PEFT has a file for comes back from it.
#[test]
fn what_is_written_for_any_family_is_read_back_to_the_same_answers() {
    let mut faults = Vec::new();
    let mut there = 0;
    for (name, theta) in models() {
        for method in shared::methods().into_iter().filter(|m| m.method().check(&shape(&theta), 7).is_ok()) {
            match written(&theta, &method) {
                Ok(file) => there += usize::from(file),
                Err(why) => faults.push(format!("{name}: {method:?}: {why}")),
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(there > 100, "{there}");
}
