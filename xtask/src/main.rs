//! `cargo xtask`: see [`HELP`].

use anyhow::{Result, bail};
use std::process::ExitCode;
use xtask::flags::Flags;
use xtask::{build, serve, steps, tools};

const HELP: &str = "\
cargo xtask serve [--port 8080] [--no-open] [--lan] [--dev]
    Build the page, serve it on this machine (with --lan: on the network) and open the browser.
cargo xtask build [--out dist] [--dev]
    Build the page into a static folder; --dev builds faster and larger.
cargo xtask test
    Run every check: format, tidy and shaders, clippy, native tests, size budget, browser tests.
cargo xtask browser [FILTER] [--no-build] [--dev] [--list]
    Run the browser tests whose name contains FILTER.
cargo xtask shot '#/tms?run=1' [--out shots/shot.png] [--size 1440x900] [--dark] [--wait-s 3]
                 [--click run] [--wait-s-after 0] [--eval JS] [--full] [--no-gpu] [--no-build] [--release]
    Take a picture of the page at a link; prints the console and what JS returns.
";

fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let command = if args.is_empty() {
        "help".to_owned()
    } else {
        args.remove(0)
    };
    match dispatch(&command, args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("xtask: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: &str, args: Vec<String>) -> Result<()> {
    if args.iter().any(|a| a == "--help" || a == "-h") {
        print!("{HELP}");
        return Ok(());
    }
    match command {
        "build" => {
            let options = build_options(Flags::new(args))?;
            build::build(&options).map(|_| ())
        }
        "serve" => {
            let mut flags = Flags::new(args);
            let port = flags.number("--port")?.unwrap_or(8080);
            let (lan, open) = (flags.switch("--lan"), !flags.switch("--no-open"));
            let options = build_options(flags)?;
            build::build(&options)?;
            serve::forever(&options.out, port, lan, open)
        }
        "test" => {
            Flags::new(args).end()?;
            steps::test()
        }
        // Told apart from `test` so that these two compile their WebDriver client only when asked.
        "browser" | "shot" => {
            let mut all = vec![
                "run",
                "--quiet",
                "--package",
                "xtask",
                "--features",
                "browser",
            ];
            all.extend(["--bin", "xtask-browser", "--", command]);
            tools::run(tools::cargo(&all).args(args))
        }
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => bail!("unknown command “{other}”\n{HELP}"),
    }
}

/// The options of a build; every other flag must have been taken before.
fn build_options(mut flags: Flags) -> Result<build::Options> {
    let dev = flags.switch("--dev");
    let out = xtask::root().join(flags.value("--out")?.unwrap_or_else(|| "dist".to_owned()));
    flags.end()?;
    Ok(build::Options { out, dev })
}
