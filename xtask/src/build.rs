//! `cargo xtask build`: a static folder with relative paths and content-hashed names.

use crate::page::{self, Names};
use crate::{licences, tools};
use anyhow::{Context, Result, bail};
use flate2::{Compression, write::GzEncoder};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use wasm_bindgen_cli_support::Bindgen;

/// The most bytes wasm and js may have together, gzipped.
pub const BUDGET: usize = 1_000_000;

/// What to build.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder to write.
    pub out: PathBuf,
    /// The dev profile: quicker to build, larger, and outside the budget.
    pub dev: bool,
}

/// Builds the page into its folder and returns the gzipped size of wasm and js, in bytes.
///
/// # Errors
/// If something does not compile, or if the size is over the budget.
pub fn build(options: &Options) -> Result<usize> {
    tools::ensure_wasm_target()?;
    let root = crate::root();
    let profile = if options.dev { "dev" } else { "web" };
    let target = "wasm32-unknown-unknown";
    let mut command = tools::cargo(&[
        "build",
        "--package",
        "lambdahat",
        "--bin",
        "web",
        "--target",
        target,
    ]);
    tools::run(command.args(["--profile", profile]))?;

    let folder = if options.dev { "debug" } else { "web" };
    let wasm = target_dir().join(target).join(folder).join("web.wasm");
    let mut output = Bindgen::new()
        .input_path(&wasm)
        .web(true)?
        .typescript(false)
        .out_name("app")
        .keep_debug(false)
        .remove_name_section(!options.dev)
        .remove_producers_section(true)
        .generate_output()
        .with_context(|| format!("wasm-bindgen on {}", wasm.display()))?;
    if !output.snippets().is_empty() || !output.local_modules().is_empty() {
        bail!("a dependency brings its own JavaScript, which this build does not copy");
    }
    let wasm = output.wasm_mut().emit_wasm();
    let js = output.js().to_owned();

    clear(&options.out)?;
    let mut files = Files {
        dir: options.out.clone(),
    };
    let wasm_name = files.put("app", "_bg.wasm", &wasm)?;
    if !js.contains("app_bg.wasm") {
        bail!("wasm-bindgen's module no longer names app_bg.wasm");
    }
    let js = js.replace("app_bg.wasm", &wasm_name);
    let app = files.put("app", ".js", js.as_bytes())?;
    let worker = files.put("worker", ".js", page::worker(&app).as_bytes())?;
    let style = files.put(
        "style",
        ".css",
        &fs::read(root.join("www/style.css")).unwrap_or_default(),
    )?;
    let icon = files.put("icon", ".svg", &read(&root.join("www/icon.svg"))?)?;
    let manifest =
        fs::read_to_string(root.join("www/manifest.webmanifest"))?.replace("icon.svg", &icon);
    let manifest = files.put("manifest", ".webmanifest", manifest.as_bytes())?;
    let names = Names {
        app,
        wasm: wasm_name,
        worker,
        style,
        icon,
        manifest,
    };

    let traces = root.join("www/traces");
    let template = fs::read_to_string(root.join("index.html")).context("index.html")?;
    let html = page::fill(&template, &names, &page::traces(&traces)?)?;
    fs::write(options.out.join("index.html"), html)?;
    copy_traces(&traces, &options.out.join("traces"))?;
    fs::write(options.out.join("LICENSES.txt"), licences::text()?)?;

    let (wasm, js) = (gzipped(&wasm)?, gzipped(js.as_bytes())?);
    println!(
        "{}: wasm {} kB + js {} kB gzipped = {} kB of {} kB",
        options
            .out
            .strip_prefix(&root)
            .unwrap_or(&options.out)
            .display(),
        wasm.div_ceil(1000),
        js.div_ceil(1000),
        (wasm + js).div_ceil(1000),
        BUDGET / 1000
    );
    if !options.dev {
        within_budget(wasm + js)?;
    }
    Ok(wasm + js)
}

/// # Errors
/// If a size is over the budget.
fn within_budget(size: usize) -> Result<()> {
    if size > BUDGET {
        bail!("wasm and js are {size} bytes gzipped, over the budget of {BUDGET}");
    }
    Ok(())
}

/// Where cargo puts what it builds.
#[must_use]
pub fn target_dir() -> PathBuf {
    let root = crate::root();
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir))
}

struct Files {
    dir: PathBuf,
}

impl Files {
    /// Writes a file under a name that holds its hash, and returns the name.
    fn put(&mut self, stem: &str, ending: &str, bytes: &[u8]) -> Result<String> {
        let name = format!("{stem}-{}{ending}", page::hash(bytes));
        fs::write(self.dir.join(&name), bytes).with_context(|| name.clone())?;
        Ok(name)
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{}", path.display()))
}

/// Empties the folder, but only one that an earlier build wrote.
fn clear(dir: &Path) -> Result<()> {
    if dir.is_dir() && fs::read_dir(dir)?.next().is_some() {
        let ours = fs::read_to_string(dir.join("index.html"))
            .is_ok_and(|t| t.contains("lambdahat-worker"));
        if !ours {
            bail!(
                "{} is not empty and was not written by this command",
                dir.display()
            );
        }
        fs::remove_dir_all(dir)?;
    }
    fs::create_dir_all(dir).with_context(|| format!("{}", dir.display()))
}

fn copy_traces(from: &Path, to: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(from) else {
        return Ok(());
    };
    fs::create_dir_all(to)?;
    for entry in entries {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Bytes after gzip at its best, as a static host would send them.
fn gzipped(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_page_over_the_budget_is_refused() {
        within_budget(BUDGET).unwrap();
        assert!(within_budget(BUDGET + 1).is_err());
    }

    #[test]
    fn a_folder_of_someone_else_is_left_alone() {
        let dir = std::env::temp_dir().join(format!("lambdahat-clear-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        clear(&dir).unwrap();
        fs::write(dir.join("thesis.tex"), "x").unwrap();
        assert!(clear(&dir).is_err() && dir.join("thesis.tex").exists());
        fs::write(dir.join("index.html"), "<meta name=\"lambdahat-worker\">").unwrap();
        clear(&dir).unwrap();
        assert!(!dir.join("thesis.tex").exists());
        fs::remove_dir_all(&dir).unwrap();
    }
}
