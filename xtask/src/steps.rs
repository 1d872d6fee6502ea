//! `cargo xtask test`: every check, the cheapest first; stops at the first that fails.

use crate::{build, tools};
use anyhow::{Context, Result, bail};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Tests counted over all steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
}

type Check = fn(&mut Tally) -> Result<()>;

const STEPS: &[(&str, Check)] = &[
    ("format", |_| {
        tools::ensure_component("fmt", "rustfmt")?;
        tools::run(&mut tools::cargo(&["fmt", "--all", "--check"]))
    }),
    ("tidy and shaders", quick),
    ("clippy, host", |_| {
        tools::ensure_component("clippy", "clippy")?;
        // xtask by itself: together they would unify features and compile dependencies anew.
        let own = OWN.iter().flat_map(|package| ["--package", package]);
        clippy(&own.chain(["--all-targets"]).collect::<Vec<_>>())?;
        clippy(&[
            "--package",
            "xtask",
            "--all-targets",
            "--features",
            "browser",
        ])
    }),
    ("clippy, wasm32", |_| {
        tools::ensure_wasm_target()?;
        clippy(&[
            "--package",
            "lambdahat",
            "--package",
            "lambdahat-web",
            "--target",
            "wasm32-unknown-unknown",
            "--lib",
            "--bins",
        ])
    }),
    ("native tests", native),
    ("wasm build and size budget", |_| {
        build::build(&page()).map(|_| ())
    }),
    ("browser tests", browser),
];

/// Runs every step.
///
/// # Errors
/// The first step that failed.
pub fn test() -> Result<()> {
    let began = Instant::now();
    let mut tally = Tally::default();
    let mut times = Vec::new();
    for (at, (name, check)) in STEPS.iter().enumerate() {
        println!("\n== {}/{} {name}", at + 1, STEPS.len());
        let start = Instant::now();
        let result = check(&mut tally);
        let took = start.elapsed().as_secs_f64();
        println!(
            "== {name}: {} in {took:.0} s",
            if result.is_ok() { "ok" } else { "FAILED" }
        );
        times.push(format!("{name} {took:.0} s"));
        if result.is_err() {
            println!("{} passed, {} failed", tally.passed, tally.failed.max(1));
        }
        result.with_context(|| format!("step “{name}”"))?;
    }
    println!(
        "\n{}\ntotal {:.0} s",
        times.join(", "),
        began.elapsed().as_secs_f64()
    );
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok(())
}

fn page() -> build::Options {
    build::Options {
        out: crate::root().join("dist"),
        dev: false,
    }
}

fn clippy(args: &[&str]) -> Result<()> {
    let mut command = tools::cargo(&["clippy", "--quiet"]);
    tools::run(command.args(args).args(["--", "-D", "warnings"]))
}

/// The tests that need no device and catch most slips.
fn quick(tally: &mut Tally) -> Result<()> {
    let mut command = tools::cargo(&["test", "--package", "lambdahat"]);
    for name in ["tidy", "shaders"] {
        let tests = crate::root().join("tests");
        if tests.join(name).is_dir() || tests.join(format!("{name}.rs")).is_file() {
            command.args(["--test", name]);
        }
    }
    // Counted in the native step, which runs them again with all the others.
    let _ = tally;
    tools::run(&mut command)
}

/// The packages that run natively.
const OWN: [&str; 3] = ["lambdahat", "lambdahat-kernels", "lambdahat-math"];

fn native(tally: &mut Tally) -> Result<()> {
    let mut command = tools::cargo(&["test", "--no-fail-fast"]);
    for package in OWN {
        command.args(["--package", package]);
    }
    if cfg!(target_os = "linux") {
        if tools::lavapipe().is_none() {
            tools::install("a software Vulkan (Mesa's lavapipe)")?;
        }
        let icd = tools::lavapipe().context("Mesa's lavapipe is still missing")?;
        // The first is read by current loaders, the second by older ones.
        command
            .env("VK_DRIVER_FILES", &icd)
            .env("VK_ICD_FILENAMES", &icd);
    }
    count(&mut command, tally)?;
    let mut own = tools::cargo(&["test", "--package", "xtask", "--features", "browser"]);
    count(&mut own, tally)
}

fn browser(tally: &mut Tally) -> Result<()> {
    if tools::chromium().is_none() {
        tools::install("Chromium or its driver")?;
    }
    let mut command = tools::cargo(&[
        "run",
        "--quiet",
        "--package",
        "xtask",
        "--features",
        "browser",
    ]);
    count(
        command.args(["--bin", "xtask-browser", "--", "browser", "--no-build"]),
        tally,
    )
}

/// Runs tests, shows what they print, and adds up their results.
fn count(command: &mut Command, tally: &mut Tally) -> Result<()> {
    let line = tools::words(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{line}`"))?;
    if let Some(out) = child.stdout.take() {
        for text in BufReader::new(out).lines() {
            let text = text?;
            println!("{text}");
            let (passed, failed) = results(&text);
            tally.passed += passed;
            tally.failed += failed;
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// What a line such as `test result: ok. 12 passed; 0 failed; …` counts: passed and failed.
fn results(line: &str) -> (u64, u64) {
    let Some(rest) = line.strip_prefix("test result: ") else {
        return (0, 0);
    };
    let before = |word: &str| {
        let at = rest.find(word)?;
        rest[..at]
            .trim_end()
            .rsplit([' ', '.'])
            .next()?
            .parse()
            .ok()
    };
    (before("passed").unwrap_or(0), before("failed").unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_are_counted_and_others_are_not() {
        assert_eq!(
            results("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured"),
            (12, 0)
        );
        assert_eq!(
            results("test result: FAILED. 3 passed; 2 failed; 0 ignored"),
            (3, 2)
        );
        assert_eq!(results("test a ... ok, 5 passed"), (0, 0));
    }
}
