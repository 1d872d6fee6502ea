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

use crate::protocol::{EngineChoice, Prompt};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
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
    Run {
        /// The link, as the page copies it (a whole address works too).
        link: String,
        /// What to run on; auto takes a hardware GPU, else the CPU engine.
        #[arg(long, default_value = "auto", value_parser = engine)]
        device: EngineChoice,
        /// Folder to write to.
        #[arg(long, default_value = "runs/latest")]
        out: PathBuf,
        /// The text that the link asks for.
        #[arg(long, value_name = "FILE")]
        text: Option<PathBuf>,
        /// Also write the small trace and pictures the page shows before a run, into this folder.
        #[arg(long, value_name = "FOLDER", num_args = 0..=1, default_missing_value = "www/traces")]
        record: Option<PathBuf>,
        /// Type the stages at a second sampler setting too: a third of the link's nβ.
        #[arg(long)]
        second: bool,
        /// Find the value λ̂ should have by long MALA chains, where `truth` has none exact or on record.
        #[arg(long)]
        reference: bool,
        /// Train branches with other data from stored checkpoints: when was it settled what the run becomes?
        #[arg(long)]
        commitment: bool,
        /// Find λ̂ of every head and layer alone, and whether composing goes with it.
        #[arg(long)]
        refined: bool,
        /// Say which indicators give notice of the transition; with replicas, λ̂ of every model is found first.
        #[arg(long)]
        leads: bool,
        /// Treat every notice about the link as an error.
        #[arg(long)]
        strict: bool,
    },
    /// Compare two models token by token on the same held-out sequences, and write compare.json.
    Compare {
        /// A: a link, or the folder of a run. A link may hold B too: '#/induction?with=layers=1'.
        a: String,
        /// B: a link, or the folder of a run.
        b: Option<String>,
        /// Checkpoints of A and B: last, before, after (the run's transition), or a step each.
        #[arg(long, value_name = "A,B")]
        at: Option<String>,
        /// Log-probabilities below minus this are not told apart, nats.
        #[arg(long)]
        floor: Option<f64>,
        /// Seed of the sequences.
        #[arg(long)]
        set: Option<u32>,
        /// The text that both links ask for.
        #[arg(long, value_name = "FILE")]
        text: Option<PathBuf>,
        /// What to run on; auto takes a hardware GPU, else the CPU engine.
        #[arg(long, default_value = "auto", value_parser = engine)]
        device: EngineChoice,
        /// Folder to write to.
        #[arg(long, default_value = "runs/compare")]
        out: PathBuf,
    },
    /// Let a checkpoint of a model of text write, as the page does: the same words give the same texts.
    Complete {
        /// A link, which is trained up to the step, or the folder of a run, whose checkpoints are read.
        run: String,
        /// The step of the checkpoint; the last unless told.
        #[arg(long)]
        step: Option<u64>,
        /// What it goes on from.
        #[arg(long, default_value = Prompt::BEGINNING)]
        prompt: String,
        /// Texts to print: the page shows the three of a seed; more are those of the seeds after it.
        #[arg(long, value_name = "K", default_value_t = 3)]
        samples: usize,
        /// Tokens are drawn from softmax(logits/temperature); 0 takes the likeliest.
        #[arg(long, default_value_t = prompt().temperature)]
        temperature: f64,
        /// Of the draws.
        #[arg(long, default_value_t = prompt().seed)]
        seed: u32,
        /// Tokens of each text, at most 400.
        #[arg(long, value_name = "TOKENS", default_value_t = prompt().length)]
        length: usize,
        /// The text that the link asks for.
        #[arg(long, value_name = "FILE")]
        text: Option<PathBuf>,
        /// What to run on; auto takes a hardware GPU, else the CPU engine.
        #[arg(long, default_value = "auto", value_parser = engine)]
        device: EngineChoice,
    },
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

/// What the page asks for before anything is changed there.
fn prompt() -> Prompt {
    Prompt::default()
}

fn engine(text: &str) -> Result<EngineChoice, String> {
    EngineChoice::parse(text).ok_or_else(|| "auto, gpu or cpu".into())
}

/// Runs the command line. Exit codes: 0 done, 2 bad link, 3 no device, 4 diverged, 1 anything else.
#[must_use]
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run {
            link,
            device,
            out,
            text,
            record,
            second,
            reference,
            commitment,
            refined,
            leads,
            strict,
        } => pollster::block_on(run::run(&run::Options {
            link,
            device,
            out,
            text,
            record,
            second,
            reference,
            commitment,
            refined,
            leads,
            strict,
        })),
        Command::Compare {
            a,
            b,
            at,
            floor,
            set,
            text,
            device,
            out,
        } => pollster::block_on(compare::compare(&compare::Options {
            a,
            b,
            at,
            floor,
            set,
            text,
            device,
            out,
        })),
        Command::Complete {
            run,
            step,
            prompt,
            samples,
            temperature,
            seed,
            length,
            text,
            device,
        } => pollster::block_on(complete::complete(&complete::Options {
            run,
            prompt: Prompt {
                step: step.unwrap_or(u64::MAX),
                text: prompt,
                temperature,
                seed,
                length,
            },
            samples,
            text,
            device,
        })),
        Command::List { json } => {
            out::line(if json { list::json() } else { list::text() });
            ExitCode::SUCCESS
        }
        Command::Bench { json } => pollster::block_on(bench::bench(json)),
    }
}
