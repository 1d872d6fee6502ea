//! `cargo xtask build`: a static folder with relative paths and content-hashed names.

use crate::columns;
use crate::gather::gather;
use crate::page::{self, Names};
use crate::{licences, style, tools};
use anyhow::{Context, Result, bail};
use flate2::{Compression, write::GzEncoder};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use wasm_bindgen_cli_support::{Bindgen, Output};

/// The most bytes wasm and js may have together, gzipped: a megabyte, and what builds of the same source were
/// seen to differ by from folder to folder.
pub const BUDGET: usize = 1_005_000;

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
    let mut command = tools::cargo(&["build", "--package", "lambdahat-web", "--target", target]);
    tools::run(command.args(["--profile", profile]))?;

    let folder = if options.dev { "debug" } else { "web" };
    let wasm = target_dir().join(target).join(folder).join("web.wasm");
    let mut output = Bindgen::new()
        .input_path(&wasm)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(false)
        .out_name("app")
        .keep_debug(false)
        .remove_name_section(!options.dev)
        .remove_producers_section(true)
        .generate_output()
        .with_context(|| format!("wasm-bindgen on {}", wasm.display()))?;
    let wasm = columns::without(&output.wasm_mut().emit_wasm())?;
    let wasm = gather(&wasm, gzipped)?;
    let js = output.js().to_owned();

    if !js.contains("app_bg.wasm") {
        bail!("wasm-bindgen's module no longer names app_bg.wasm");
    }

    clear(&options.out)?;
    let mut files = Files {
        dir: options.out.clone(),
    };
    let snippets = files.put_snippets(&output)?;
    let wasm_name = files.put("app", "_bg.wasm", &wasm)?;
    let js = js.replace("app_bg.wasm", &wasm_name);
    let app = files.put("app", ".js", js.as_bytes())?;
    let worker = files.put("worker", ".js", page::worker(&app).as_bytes())?;
    let css = fs::read_to_string(root.join("www/style.css")).context("www/style.css")?;
    let css = style::everywhere(&css)?;
    let style = files.put("style", ".css", css.as_bytes())?;
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

    let template = fs::read_to_string(root.join("index.html")).context("index.html")?;
    let html = page::fill(
        &template,
        &names,
        &page::traces(&root.join("www/traces"))?,
        &page::data(&root)?,
    )?;
    fs::write(options.out.join("index.html"), html)?;
    fs::write(options.out.join("LICENSES.txt"), licences::text()?)?;

    let (wasm, js) = (gzipped(&wasm)?, gzipped(js.as_bytes())? + snippets);
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
    /// Writes the JavaScript that dependencies bring along, in folders that carry a hash already,
    /// and returns its gzipped size.
    fn put_snippets(&mut self, output: &Output) -> Result<usize> {
        let inline = output.snippets().iter().flat_map(|(folder, list)| {
            list.iter()
                .enumerate()
                .map(move |(i, js)| (format!("{folder}/inline{i}.js"), js))
        });
        let modules = output
            .local_modules()
            .iter()
            .map(|(path, js)| (path.clone(), js));
        let mut size = 0;
        for (path, js) in inline.chain(modules) {
            let file = self.dir.join("snippets").join(path);
            fs::create_dir_all(file.parent().unwrap_or(&self.dir))?;
            fs::write(&file, js)?;
            size += gzipped(js.as_bytes())?;
        }
        Ok(size)
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{}", path.display()))
}

/// Empties the folder, but only one that an earlier build wrote.
fn clear(dir: &Path) -> Result<()> {
    if dir.is_dir() && fs::read_dir(dir)?.next().is_some() {
        // The wasm is written first, so even a build that broke off left it.
        let ours = fs::read_dir(dir)?.flatten().any(|e| {
            let name = e.file_name().to_string_lossy().into_owned();
            name.starts_with("app-") && name.ends_with("_bg.wasm")
        });
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
        fs::write(dir.join("app-1_bg.wasm"), "").unwrap();
        clear(&dir).unwrap();
        assert!(!dir.join("thesis.tex").exists());
        fs::remove_dir_all(&dir).unwrap();
    }
}
