//! `lambdahat run LINK`: the page's run, headless.

use super::asked::{self, Found, Whole, estimated};
use super::given::{checkpoints, code, engine, linked, text};
use super::out;
use crate::app::commitment::Size;
use crate::engine::Source;
use crate::engine::branch::open;
use crate::engine::report::report;
use crate::experiments;
use crate::protocol::{EngineChoice, Fault, Notice, Phase};
use crate::store::native::write_checkpoint;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What was asked for.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The link, as the page copies it (a whole address works too).
    pub link: String,
    /// What to run on; auto takes a hardware GPU, else the CPU engine.
    #[arg(long, default_value = "auto", value_parser = engine)]
    pub device: EngineChoice,
    /// Folder to write to.
    #[arg(long, default_value = "runs/latest")]
    pub out: PathBuf,
    /// The file of the text that the link names (text=…).
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
    /// Also write the small trace and pictures the page shows before a run, into this folder.
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, default_missing_value = "www/traces")]
    pub record: Option<PathBuf>,
    /// Find the value λ̂ should have by long MALA chains, where `truth` has none exact or on record.
    #[arg(long)]
    pub reference: bool,
    /// Train branches with other data from stored checkpoints: when was it settled what the run becomes?
    #[arg(long)]
    pub commitment: bool,
    /// Branches from each checkpoint: of two that end alike the share is 0.34 to 1, of eight 0.68 to 1.
    #[arg(long, value_name = "N", default_value_t = Size::default().branches, requires = "commitment",
        value_parser = clap::value_parser!(u32).range(1..=64))]
    pub branches: u32,
    /// Checkpoints the branches begin at, at most: five or more, or all; the ends and the transition come
    /// first.
    #[arg(long, value_name = "N", default_value = "9", requires = "commitment", value_parser = checkpoints)]
    pub checkpoints: usize,
    /// Find λ̂ of every head and layer alone, and whether composing goes with it.
    #[arg(long)]
    pub refined: bool,
    /// Say which indicators give notice of the transition; with replicas, λ̂ of every model is found first.
    #[arg(long)]
    pub leads: bool,
    /// Treat every notice about the link as an error.
    #[arg(long)]
    pub strict: bool,
}

/// Runs it; faults and notices go to stderr.
pub async fn run(options: &Options) -> ExitCode {
    match all(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed::Fault(fault)) => {
            out::remark(format_args!("lambdahat: {fault}"));
            code(&fault)
        }
        Err(Failed::Write(path, e)) => {
            out::remark(format_args!(
                "lambdahat: cannot write {}: {e}",
                path.display()
            ));
            ExitCode::FAILURE
        }
    }
}

enum Failed {
    Fault(Fault),
    Write(PathBuf, std::io::Error),
}

impl From<Fault> for Failed {
    fn from(f: Fault) -> Self {
        Failed::Fault(f)
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failed> {
    std::fs::write(path, bytes).map_err(|e| Failed::Write(path.into(), e))
}

/// How a progress bar looks.
///
/// # Errors
/// A pattern that is none.
pub fn bar(pattern: &str) -> Result<ProgressStyle, Fault> {
    ProgressStyle::with_template(pattern).map_err(|e| Fault::Internal(e.to_string()))
}

async fn all(options: &Options) -> Result<(), Failed> {
    let link = linked(&options.link)?;
    text(options.text.as_ref(), &[&link])?;
    if options.strict && !link.notices.is_empty() {
        return Err(Fault::BadLink("see the notices above".into()).into());
    }
    let Some(card) = experiments::card(link.experiment) else {
        return Err(Fault::BadLink(format!("there is no experiment “{}”", link.experiment)).into());
    };
    let mut notices = link.notices.clone();
    let (source, why) = Source::find(options.device, true).await?;
    if let Some(why) = why
        && options.device == EngineChoice::Auto
    {
        notices.push(Notice::new(format!("Running on the CPU: {why}.")));
    }
    let mut session = open(&source, &link).await?;
    session.begin()?;

    std::fs::create_dir_all(&options.out).map_err(|e| Failed::Write(options.out.clone(), e))?;
    let bar = ProgressBar::new(session.steps()).with_style(bar(
        "{msg} {wide_bar} step {pos}/{len} {per_sec} {eta} left",
    )?);
    out::remark(format_args!(
        "{} on {}",
        link.text(true),
        source.info().name
    ));
    let mut written = 0;
    let end = loop {
        match session.pump().await {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(fault) => break Err(fault),
        }
        bar.set_position(session.step());
        bar.set_message(match session.phase() {
            Phase::Sampling { at } => format!("λ̂ at step {at}"),
            _ => "training".into(),
        });
        for c in &session.history.checkpoints[written..] {
            // As the page hands it out: with the optimiser's state, so that it can be trained on.
            let bytes = session.file(c.step, &link.text(true));
            let bytes =
                bytes.ok_or_else(|| Fault::Internal("a checkpoint that is no file".into()))?;
            write_checkpoint(&options.out, c.step, &bytes).map_err(|e| {
                Failed::Write(options.out.clone(), std::io::Error::other(e.to_string()))
            })?;
            written += 1;
        }
        notices.append(&mut session.notices);
    };
    bar.finish_and_clear();
    let mut found = Found::default();
    let end = match end {
        Ok(()) => {
            let at = (&mut session, &source);
            let done = asked::all(options, at, (&link, card), &mut found, &mut notices).await;
            notices.append(&mut session.notices);
            done
        }
        fault => fault,
    };
    session.stage();
    // What was seen before a fault is written too.
    let mut report = report(&link, card, &session, notices);
    if let (Some(found), Some(answer)) = (found.reference, &mut report.estimate) {
        let told = found.fill(&mut answer.truth);
        report.notices.push(Notice::new(told));
    }
    for n in report.notices.iter().skip(link.notices.len()) {
        out::remark(format_args!("notice: {}", n.text));
    }
    report.series.extend(found.curves);
    report
        .series
        .extend(estimated(&asked::seen(&session, &link)));
    let whole = Whole {
        report,
        commitment: found.commitment,
        refined: found.refined,
        leads: found.leads,
    };
    let json = serde_json::to_vec_pretty(&whole).map_err(|e| Fault::Internal(e.to_string()))?;
    write(&options.out.join("run.json"), &json)?;
    end?;
    if let Some(folder) = &options.record {
        super::record::record(folder, card, &link, &session)
            .map_err(|e| Failed::Write(folder.clone(), e))?;
    }
    out::remark(format_args!(
        "wrote {}",
        options.out.join("run.json").display()
    ));
    Ok(())
}
