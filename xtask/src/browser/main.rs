//! The page in headless Chromium: the browser tests and ad-hoc pictures. Run through
//! `cargo xtask browser` and `cargo xtask shot`.

mod arrive;
mod branching;
mod calibration;
mod chains;
mod commitment;
mod driver;
mod heads;
mod instruments;
mod own;
mod page;
mod reading;
mod scenarios;
mod seeds;
mod shelf;
mod shot;
mod sitting;
mod text_gpu;
mod timeline;
mod versus;

use anyhow::{Context as _, Result, bail};
use scenarios::Places;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use xtask::flags::Flags;
use xtask::{build, serve};

fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let command = if args.is_empty() {
        String::new()
    } else {
        args.remove(0)
    };
    let done = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no async runtime")
        .and_then(|rt| rt.block_on(dispatch(&command, Flags::new(args))));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("xtask: {e:#}");
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(command: &str, flags: Flags) -> Result<()> {
    match command {
        "browser" => tests(flags).await,
        "shot" => shot::shot(flags).await,
        other => bail!("unknown command “{other}”"),
    }
}

/// The folder to look at, built first unless it is told not to.
fn built(flags: &mut Flags, dev: bool) -> Result<PathBuf> {
    let skip = flags.switch("--no-build");
    let default = if dev { "target/dist-dev" } else { "dist" };
    let out = xtask::root().join(flags.value("--dist")?.unwrap_or_else(|| default.to_owned()));
    if !skip {
        build::build(&build::Options {
            out: out.clone(),
            dev,
        })?;
    }
    if !out.join("index.html").is_file() {
        bail!("there is no built page in {}", out.display());
    }
    Ok(out)
}

/// A copy of the page whose program begins by hiding WebGPU, in the page and in its worker: there
/// is no switch of Chromium for that.
fn without_webgpu(dist: &Path) -> Result<PathBuf> {
    let copy = build::target_dir().join("xtask/no-webgpu");
    if copy.is_dir() {
        std::fs::remove_dir_all(&copy)?;
    }
    copy_folder(dist, &copy)?;
    let mut hidden = 0;
    for entry in std::fs::read_dir(&copy)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.starts_with("app-") && name.ends_with(".js") {
            let js = std::fs::read_to_string(&path)?;
            std::fs::write(
                &path,
                format!("delete Object.getPrototypeOf(navigator).gpu;\n{js}"),
            )?;
            hidden += 1;
        }
    }
    if hidden != 1 {
        bail!("the page has {hidden} programs");
    }
    Ok(copy)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let (path, to) = {
            let e = entry?;
            (e.path(), to.join(e.file_name()))
        };
        if path.is_dir() {
            copy_folder(&path, &to)?;
        } else {
            std::fs::copy(&path, &to)?;
        }
    }
    Ok(())
}

/// Runs the scenarios one after the other, each in a browser and a profile of its own.
async fn tests(mut flags: Flags) -> Result<()> {
    let list = flags.switch("--list");
    if list {
        for scenario in scenarios::ALL {
            println!("{}", scenario.name);
        }
        return flags.end();
    }
    let dev = flags.switch("--dev");
    let dist = built(&mut flags, dev)?;
    let filter = flags.word().unwrap_or_default();
    flags.end()?;
    // Under a sub-path, as on GitHub Pages.
    let at = Places {
        page: serve::start(&dist, "/some/where/", 0, false)?.url,
        no_webgpu: serve::start(&without_webgpu(&dist)?, "/some/where/", 0, false)?.url,
    };
    let (mut passed, mut failed, mut unsteady) = (0, Vec::new(), Vec::new());
    for scenario in scenarios::ALL.iter().filter(|s| s.name.contains(&filter)) {
        let mut result = played(scenario, &at).await;
        // A browser and a machine can fail where the page did not. One scenario may be played again,
        // and is named; a second that is unsteady is a fault.
        if result.is_err() && unsteady.len() < UNSTEADY {
            unsteady.push(scenario.name);
            result = played(scenario, &at).await;
        }
        match result {
            Ok(()) => passed += 1,
            Err(()) => {
                unsteady.retain(|name| *name != scenario.name);
                println!("test {} ... FAILED", scenario.name);
                failed.push(scenario.name);
            }
        }
    }
    let word = if failed.is_empty() { "ok" } else { "FAILED" };
    println!(
        "test result: {word}. {passed} passed; {} failed",
        failed.len()
    );
    if !unsteady.is_empty() {
        println!(
            "unsteady, passed when played again: {}",
            unsteady.join(", ")
        );
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    if passed == 0 {
        bail!("no browser test has “{filter}” in its name");
    }
    Ok(())
}

/// How many scenarios of a run may pass at the second try alone.
const UNSTEADY: usize = 1;

/// Plays a scenario and says how it went.
async fn played(scenario: &scenarios::Scenario, at: &Places) -> Result<(), ()> {
    let start = Instant::now();
    let result = scenarios::play(scenario, at).await;
    let took = start.elapsed().as_secs_f64();
    let name = scenario.name;
    match &result {
        Ok(()) => println!("test {name} ... ok ({took:.1} s)"),
        Err(e) => println!("test {name} ... not ok ({took:.1} s)\n  {e:#}"),
    }
    result.map_err(|_| ())
}
