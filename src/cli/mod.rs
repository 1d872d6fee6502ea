//! The native command line: the same links, headless.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod asked;
mod bench;
mod compare;
mod complete;
mod given;
pub mod list;
mod out;
pub mod record;
pub mod refined;
mod run;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    name = "lambdahat",
    version,
    about = "Train toy models, run SGLD around their checkpoints, write loss, λ̂ and logit-PCA curves"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a link, such as '#/induction?layers=1&seed=7', and write run.json and checkpoints.
    Run(run::Options),
    /// Compare two models token by token on the same held-out sequences, and write compare.json.
    Compare(compare::Options),
    /// Let a checkpoint of a model of text write, as the page does: the same words give the same texts.
    Complete(complete::Options),
    /// Print every experiment with its knobs.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Measure both engines on this machine.
    Bench {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command line. Exit codes: 0 done, 2 bad link, 3 no device, 4 diverged, 1 anything else.
#[must_use]
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(options) => pollster::block_on(run::run(&options)),
        Command::Compare(options) => pollster::block_on(compare::compare(&options)),
        Command::Complete(options) => pollster::block_on(complete::complete(&options)),
        Command::List { json } => {
            out::line(if json { list::json() } else { list::text() });
            ExitCode::SUCCESS
        }
        Command::Bench { json } => pollster::block_on(bench::bench(json)),
    }
}
