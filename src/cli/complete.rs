//! `lambdahat complete LINK`: a checkpoint of a model of text writes, headless. The texts are those of the
//! page for the same link, step, beginning, temperature and seed, on the same engine.

use super::given::{code, engine, known, side, text};
use super::out;
use crate::app::link::Link;
use crate::engine::branch::open;
use crate::engine::importing::place;
use crate::engine::known::model;
use crate::engine::{Session, Source};
use crate::experiments::text::own;
use crate::protocol::{Ask, Completed, EngineChoice, Fault, Prompt, Told};
use crate::store::import::Taken;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::path::PathBuf;
use std::process::ExitCode;

/// What was asked for.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// A link, which is trained up to the step, or the folder of a run, whose checkpoints are read.
    pub run: String,
    /// The step of the checkpoint; the last unless told.
    #[arg(long)]
    pub step: Option<u64>,
    /// What it goes on from: "One day Anna" unless told, as stories begin, or the first words of what is
    /// held out of a text of your own.
    #[arg(long)]
    pub prompt: Option<String>,
    /// Texts to print: the page shows the three of a seed; more are those of the seeds after it.
    #[arg(long, value_name = "K", default_value_t = 3)]
    pub samples: usize,
    /// Tokens are drawn from softmax(logits/temperature); 0 takes the likeliest.
    #[arg(long, default_value_t = Prompt::default().temperature)]
    pub temperature: f64,
    /// Seed of the draws.
    #[arg(long, default_value_t = Prompt::default().seed)]
    pub seed: u32,
    /// Tokens of each text, at most 400.
    #[arg(long, value_name = "TOKENS", default_value_t = Prompt::default().length)]
    pub length: usize,
    /// The file of the text that the link names (text=…).
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
    /// What to run on; auto takes a hardware GPU, else the CPU engine.
    #[arg(long, default_value = "auto", value_parser = engine)]
    pub device: EngineChoice,
}

/// Prints the texts; faults go to stderr.
pub async fn complete(options: &Options) -> ExitCode {
    match all(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            out::remark(format_args!("lambdahat: {fault}"));
            code(&fault)
        }
    }
}

/// A session that stands at the checkpoint, and its step.
async fn standing(
    options: &Options,
    (link, folder): (Link, Option<(PathBuf, Value)>),
) -> Result<(Session, u64), Fault> {
    let alone = model(&link, link.knobs.int("member"));
    let (source, _) = Source::find(options.device, true).await?;
    let mut session = open(&source, &alone).await?;
    if session.parts.writer.is_none() {
        let why = format!(
            "{} has no text to go on from; '#/text' has",
            link.experiment
        );
        return Err(Fault::BadLink(why));
    }
    let last = session.steps();
    let step = options.step.unwrap_or(last);
    let beyond = format!("the run has {last} steps, and none numbered {step}");
    if !session.end_at(step) {
        return Err(Fault::BadLink(beyond));
    }
    out::remark(format_args!(
        "{} on {}",
        alone.text(true),
        source.info().name
    ));
    let Some((folder, run)) = folder else {
        session.begin()?;
        return Ok((session, step));
    };
    let there = known(&alone, &folder, &run)?.checkpoints;
    let Some((_, weights)) = there.iter().find(|c| c.0 == step) else {
        let steps: Vec<String> = there.iter().map(|c| c.0.to_string()).collect();
        let steps = steps.join(", ");
        let why = format!(
            "{} has no checkpoint of step {step}, but of {steps}",
            folder.display()
        );
        return Err(Fault::BadLink(why));
    };
    let taken = Taken {
        weights: weights.to_vec(),
        state: Vec::new(),
    };
    place(&mut session, taken, step)?;
    Ok((session, step))
}

async fn all(options: &Options) -> Result<(), Fault> {
    let side = side(&options.run)?;
    text(options.text.as_ref(), &[&side.0])?;
    let begins = options.prompt.clone();
    let begins = begins.or_else(|| own::beginning(side.0.knobs.digest("text")));
    let begins = begins.unwrap_or_else(|| Prompt::BEGINNING.into());
    let (mut session, step) = standing(options, side).await?;
    let bar = ProgressBar::new(session.steps());
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta} left") {
        bar.set_style(style);
    }
    bar.set_message("training, step");
    while session.pump().await? {
        bar.set_position(session.step());
    }
    bar.set_message("writing, token");
    let (mut texts, mut seed) = (Vec::new(), options.seed);
    while texts.len() < options.samples {
        let prompt = Prompt {
            step,
            text: begins.clone(),
            temperature: options.temperature,
            seed,
            length: options.length,
        };
        session.ask(Ask::Complete(prompt));
        let mut last = Completed::default();
        while session.pump().await? {
            for told in session.answers() {
                if let Told::Completed(told) = told {
                    bar.set_length(told.all as u64);
                    bar.set_position(told.done as u64);
                    last = told;
                }
            }
        }
        if last.texts.is_empty() {
            return Err(Fault::Internal("nothing was written".into()));
        }
        if last.outside > 0 && texts.is_empty() {
            out::remark(format_args!(
                "notice: {} characters of the beginning are no token of this model and were read as one for all others.",
                last.outside
            ));
        }
        texts.extend(last.texts.into_iter().map(|text| (seed, text)));
        seed = seed.wrapping_add(1);
    }
    bar.finish_and_clear();
    let temperature = options.temperature;
    for (i, (seed, text)) in texts.iter().take(options.samples).enumerate() {
        out::line(format_args!(
            "--- {} · step {step} · temperature {temperature} · seed {seed}\n{text}",
            i + 1
        ));
    }
    Ok(())
}
