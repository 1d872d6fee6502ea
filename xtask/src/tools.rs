//! Programs that xtask starts, and what it installs when one is missing.

use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Debian packages of the tests: a browser, its driver, and a Vulkan that is a program.
pub const PACKAGES: &str = "chromium chromium-driver mesa-vulkan-drivers libvulkan1";

/// `cargo`, the one that runs us, in the root of the repository.
#[must_use]
pub fn cargo<A: AsRef<OsStr>>(args: &[A]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(args).current_dir(crate::root());
    command
}

/// Runs a command to its end.
///
/// # Errors
/// If it cannot be started or fails; the message holds the command.
pub fn run(command: &mut Command) -> Result<()> {
    let line = words(command);
    let status = command
        .status()
        .with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// A command as one would type it.
#[must_use]
pub fn words(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    let mut line = program.to_string_lossy().into_owned();
    for arg in command.get_args() {
        line.push(' ');
        line.push_str(&arg.to_string_lossy());
    }
    line
}

/// The first of these programs that is on the PATH.
#[must_use]
pub fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names.iter().find_map(|name| {
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        dirs.iter().map(|d| d.join(&file)).find(|p| p.is_file())
    })
}

/// Makes sure that rustc can build for wasm32.
///
/// # Errors
/// If the target is missing and rustup cannot add it; the message holds the command to run.
pub fn ensure_wasm_target() -> Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let out = Command::new(&rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(crate::root())
        .output()
        .context("cannot start rustc")?;
    let dir = PathBuf::from(String::from_utf8_lossy(&out.stdout).trim());
    if out.status.success() && dir.is_dir() {
        return Ok(());
    }
    println!("adding the target {TARGET}");
    run(Command::new("rustup")
        .args(["target", "add", TARGET])
        .current_dir(crate::root()))
    .with_context(|| format!("run `rustup target add {TARGET}` and try again"))
}

/// Makes sure that rustup has this component.
///
/// # Errors
/// If it is missing and rustup cannot add it.
pub fn ensure_component(program: &str, component: &str) -> Result<()> {
    let works = cargo(&[program, "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success());
    if works {
        return Ok(());
    }
    run(Command::new("rustup")
        .args(["component", "add", component])
        .current_dir(crate::root()))
    .with_context(|| format!("run `rustup component add {component}` and try again"))
}

/// Where the description of Mesa's software Vulkan lies, if it is installed.
#[must_use]
pub fn lavapipe() -> Option<PathBuf> {
    let folders = [
        "/usr/share/vulkan/icd.d",
        "/etc/vulkan/icd.d",
        "/usr/local/share/vulkan/icd.d",
    ];
    folders
        .iter()
        .filter_map(|f| std::fs::read_dir(f).ok())
        .flatten()
        .flatten()
        .map(|e| e.path())
        .find(|p| {
            p.file_name().is_some_and(|n| {
                let n = n.to_string_lossy();
                n.starts_with("lvp_icd") && n.ends_with(".json")
            })
        })
}

/// A Chromium or Chrome and its driver.
#[must_use]
pub fn chromium() -> Option<(PathBuf, PathBuf)> {
    let named = |key: &str| {
        std::env::var_os(key)
            .map(PathBuf::from)
            .filter(|p| p.is_file())
    };
    let browser = named("CHROME")
        .or_else(|| find(&["chromium", "google-chrome", "chromium-browser", "chrome"]))?;
    let driver =
        named("CHROMEDRIVER").or_else(|| find(&["chromedriver", "chromium.chromedriver"]))?;
    Some((browser, driver))
}

/// Installs Debian packages of [`PACKAGES`] when we may, else says what to run.
///
/// # Errors
/// If this is no Debian, if we are not root, or if apt fails.
pub fn install(what: &str) -> Result<()> {
    let by_hand = if cfg!(target_os = "linux") && find(&["apt-get"]).is_some() {
        format!("sudo apt-get update && sudo apt-get install -y {PACKAGES}")
    } else if cfg!(target_os = "macos") {
        "brew install --cask chromium chromedriver".to_owned()
    } else {
        "install Chromium and its chromedriver (or set CHROME and CHROMEDRIVER) and a Vulkan driver"
            .to_owned()
    };
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|o| o.stdout.trim_ascii() == b"0");
    if !root || find(&["apt-get"]).is_none() {
        bail!("{what} is missing. Run:\n  {by_hand}");
    }
    println!("{what} is missing: installing {PACKAGES}");
    let apt = |args: &[&str]| {
        run(Command::new("apt-get")
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive"))
    };
    let mut args = vec!["install", "-y", "--no-install-recommends"];
    args.extend(PACKAGES.split(' '));
    apt(&["update"])
        .and_then(|()| apt(&args))
        .with_context(|| format!("run:\n  {by_hand}"))
}
