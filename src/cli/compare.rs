//! `lambdahat compare A B`: two models token by token, headless. A and B are links, which are trained, or
//! folders of earlier runs.

use super::given::{code, engine, known, side, text, unreadable};
use super::out;
use crate::app::against::Against;
use crate::app::link::Link;
use crate::app::versus;
use crate::engine::Source;
use crate::engine::known::model;
use crate::engine::versus::Versus;
use crate::instruments::versus::{By, groups};
use crate::protocol::{At, EngineChoice, Fault, Side, VersusSpec, VersusStage};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;
use std::process::ExitCode;

/// What was asked for.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// A: a link, or the folder of a run. A link may hold B too: '#/induction?with=layers=1'.
    pub a: String,
    /// B: a link, or the folder of a run.
    pub b: Option<String>,
    /// Checkpoints of A and B: last, before, after (the run's transition), or a step each.
    #[arg(long, value_name = "A,B")]
    pub at: Option<String>,
    /// Log-probabilities below minus this are not told apart, nats.
    #[arg(long)]
    pub floor: Option<f64>,
    /// Seed of the sequences.
    #[arg(long)]
    pub set: Option<u32>,
    /// The file of the text that the link names (text=…).
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
    /// What to run on; auto takes a hardware GPU, else the CPU engine.
    #[arg(long, default_value = "auto", value_parser = engine)]
    pub device: EngineChoice,
    /// Folder to write to.
    #[arg(long, default_value = "runs/compare")]
    pub out: PathBuf,
}

/// Compares them; faults go to stderr.
pub async fn compare(options: &Options) -> ExitCode {
    match all(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            out::remark(format_args!("lambdahat: {fault}"));
            code(&fault)
        }
    }
}

async fn all(options: &Options) -> Result<(), Fault> {
    let (a, folder_a) = side(&options.a)?;
    if options.b.is_none() && options.at.is_none() && a.against.is_none() {
        let why = "there is nothing to compare it with: name a second link or folder, or two checkpoints with --at, or write into the link what B changes, such as with=layers=1";
        return Err(Fault::BadLink(why.into()));
    }
    let mut against = a.against.clone().unwrap_or_default();
    let (b, folder_b) = match &options.b {
        Some(b) => side(b)?,
        None => (against.other(&a), None),
    };
    text(options.text.as_ref(), &[&a, &b])?;
    if let Some(at) = &options.at {
        against.at = Against::checkpoints(at).ok_or_else(|| {
            Fault::BadLink(format!(
                "“{at}” names no two checkpoints; --at after,before does, or --at 400,1800"
            ))
        })?;
    }
    let floor = options.floor.unwrap_or(against.floor);
    let at = against.at;
    let one = |link: &Link, at: At| Side {
        link: link.text(true),
        at,
    };
    let spec = VersusSpec {
        sides: [one(&a, at[0]), one(&b, at[1])],
        set: options.set.unwrap_or(against.set),
    };
    let (source, _) = Source::find(options.device, true).await?;
    let mut versus = Versus::new(spec.clone())?;
    for (link, folder) in [(&a, folder_a), (&b, folder_b)] {
        if let Some((folder, run)) = folder {
            // Of several seeds `run` writes the one that was followed.
            let alone = model(link, link.knobs.int("member"));
            versus.take(&alone, &known(&alone, &folder, &run)?)?;
        }
    }
    let bar = ProgressBar::new(1);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} step {pos}/{len} {eta} left")
    {
        bar.set_style(style);
    }
    out::remark(format_args!(
        "{}\n{} on {}",
        spec.sides[0].link,
        spec.sides[1].link,
        source.info().name
    ));
    while versus.pump(&source).await? {
        if let VersusStage::Training { side, step, steps } = versus.view.stage {
            bar.set_message(["training A", "training B"][side.min(1)]);
            bar.set_length(steps);
            bar.set_position(step);
        }
    }
    bar.finish_and_clear();
    let Some(found) = &versus.view.found else {
        return Err(Fault::Internal("nothing was found".into()));
    };
    let path = options.out.join("compare.json");
    let text = serde_json::to_vec_pretty(&versus::json(found, &spec, floor))
        .map_err(|e| Fault::Internal(e.to_string()))?;
    let written = std::fs::create_dir_all(&options.out).and_then(|()| std::fs::write(&path, text));
    written.map_err(|e| unreadable(&path, e))?;
    let told = versus::Told::of(found, floor);
    out::line(format_args!(
        "mean Δ {:.4} ± {:.4} nats a token over {} targets; losses A {:.4}, B {:.4}",
        told.whole.mean, told.whole.se, told.whole.count, told.losses[0], told.losses[1]
    ));
    for g in groups(&told.targets, By::Kind, &found.set) {
        out::line(format_args!(
            "  {:<12} {:>6} targets, mean Δ {:>8.4} ± {:.4}, {:>6.1} % of the difference",
            g.name,
            g.count,
            g.mean,
            g.se,
            100.0 * g.share.unwrap_or(0.0)
        ));
    }
    if told.nearer().next().is_none() {
        out::line(format_args!("  without any head they are no nearer"));
    }
    if let Some(beyond) = told.beyond() {
        out::line(format_args!("  {beyond}"));
    }
    for r in told.nearer().take(5) {
        out::line(format_args!(
            "  without {} of {}: mean Δ {:.4}, {:.4} ± {:.4} of it gone ({:.1} %)",
            r.name,
            ["A", "B"][r.side.min(1)],
            r.left,
            r.removed,
            r.se,
            100.0 * r.share.unwrap_or(0.0)
        ));
    }
    out::remark(format_args!("wrote {}", path.display()));
    Ok(())
}
