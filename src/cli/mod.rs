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

use crate::experiments::CARDS;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    name = "lambdahat",
    version,
    about = "Train toy models, run SGLD around their checkpoints, write loss, λ̂ and logit-PCA curves",
    after_help = "A link is what the page copies: '#/tms?seed=3' names an experiment and what differs from its defaults.\nBegin with: lambdahat run '#/tms', then look into runs/latest/run.json.\nExit codes: 0 done, 2 bad link, 3 no device, 4 diverged, 1 anything else."
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
    /// Print what the experiments are, their settings and presets.
    List {
        /// One of them, such as tms; all unless told.
        #[arg(value_parser = clap::builder::PossibleValuesParser::new(CARDS.iter().map(|c| c.id)))]
        experiment: Option<String>,
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
        Command::List { experiment, json } => {
            let cards = list::chosen(experiment.as_deref());
            out::line(if json {
                list::json(&cards)
            } else {
                list::text(&cards)
            });
            ExitCode::SUCCESS
        }
        Command::Bench { json } => pollster::block_on(bench::bench(json)),
    }
}
