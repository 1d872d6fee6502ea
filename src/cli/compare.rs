//! `lambdahat compare A B`: two models token by token, headless. A and B are links, which are trained, or
//! folders of earlier runs.

use crate::app::against::Against;
use crate::app::link::{self, Link};
use crate::app::versus;
use crate::engine::Source;
use crate::engine::history::Series;
use crate::engine::known::{Known, model, turning};
use crate::engine::versus::Versus;
use crate::experiments;
use crate::instruments::versus::{By, groups};
use crate::protocol::{At, EngineChoice, Fault, Side, VersusSpec, VersusStage};
use indicatif::{ProgressBar, ProgressStyle};
use safetensors::SafeTensors;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// A link or a folder of a run.
    pub a: String,
    /// The other; none where A's link says what B is.
    pub b: Option<String>,
    /// Checkpoints of both, instead of what the link says.
    pub at: Option<String>,
    /// The floor, instead of what the link says.
    pub floor: Option<f64>,
    /// Seed of the sequences, instead of what the link says.
    pub set: Option<u32>,
    /// What to run on.
    pub device: EngineChoice,
    /// Folder to write to.
    pub out: PathBuf,
}

/// Compares them; faults go to stderr.
pub async fn compare(options: &Options) -> ExitCode {
    match all(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("lambdahat: {fault}");
            ExitCode::from(if matches!(fault, Fault::BadLink(_)) {
                2
            } else {
                1
            })
        }
    }
}

fn unreadable(path: &Path, why: impl std::fmt::Display) -> Fault {
    Fault::BadLink(format!("{}: {why}", path.display()))
}

/// The link of a side, and the folder its checkpoints are in, if it is one.
fn side(text: &str) -> Result<(Link, Option<(PathBuf, Value)>), Fault> {
    let folder = PathBuf::from(text);
    if !folder.is_dir() {
        let link = link::parse(text);
        link.notices
            .iter()
            .for_each(|n| eprintln!("notice: {}", n.text));
        return Ok((link, None));
    }
    let path = folder.join("run.json");
    let run = std::fs::read(&path).map_err(|e| unreadable(&path, e))?;
    let run: Value = serde_json::from_slice(&run).map_err(|e| unreadable(&path, e))?;
    let text = run["link"].as_str().unwrap_or_default();
    Ok((link::parse(text), Some((folder, run))))
}

/// The checkpoints of a folder, their tensors put back in the order of the arena.
fn known(link: &Link, folder: &Path, run: &Value) -> Result<Known, Fault> {
    let arena = experiments::build(link.experiment, &link.knobs)?.arena;
    let place = folder.join("checkpoints");
    let mut out = Known {
        device: run["device"]["name"].as_str().unwrap_or_default().into(),
        ..Known::default()
    };
    for entry in std::fs::read_dir(&place).map_err(|e| unreadable(&place, e))? {
        let path = entry.map_err(|e| unreadable(&place, e))?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let step = name
            .strip_prefix("step-")
            .and_then(|n| n.strip_suffix(".safetensors"));
        let Some(step) = step.and_then(|s| s.parse().ok()) else {
            continue;
        };
        let bytes = std::fs::read(&path).map_err(|e| unreadable(&path, e))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|e| unreadable(&path, e))?;
        let mut weights = vec![0.0; arena.len()];
        for tensor in &arena.tensors {
            let found = file
                .tensor(&tensor.name)
                .map_err(|e| unreadable(&path, e))?;
            let floats = found
                .data()
                .as_chunks::<4>()
                .0
                .iter()
                .map(|b| f32::from_le_bytes(*b));
            if found.data().len() != 4 * tensor.range().len() {
                return Err(unreadable(
                    &path,
                    format!("{} has another shape", tensor.name),
                ));
            }
            weights[tensor.range()]
                .iter_mut()
                .zip(floats)
                .for_each(|(w, x)| *w = x);
        }
        out.checkpoints.push((step, Rc::new(weights)));
    }
    out.checkpoints.sort_by_key(|c| c.0);
    let numbers =
        |v: &Value| -> Option<Vec<f64>> { v.as_array()?.iter().map(Value::as_f64).collect() };
    out.curve = turning(link.experiment, |id| {
        let curve = &run["series"][id];
        Some(Series {
            x: numbers(&curve["x"])?,
            y: numbers(&curve["y"])?,
            ..Series::default()
        })
    });
    Ok(out)
}

async fn all(options: &Options) -> Result<(), Fault> {
    let (a, folder_a) = side(&options.a)?;
    let mut against = a.against.clone().unwrap_or_default();
    let (b, folder_b) = match &options.b {
        Some(b) => side(b)?,
        None => (against.other(&a), None),
    };
    if let Some(at) = &options.at {
        against.at = Against::checkpoints(at)
            .ok_or_else(|| Fault::BadLink(format!("“{at}” names no two checkpoints")))?;
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
    eprintln!(
        "{}\n{} on {}",
        spec.sides[0].link,
        spec.sides[1].link,
        source.info().name
    );
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
    println!(
        "mean Δ {:.4} ± {:.4} nats a token over {} targets; losses A {:.4}, B {:.4}",
        told.whole.mean, told.whole.se, told.whole.count, told.losses[0], told.losses[1]
    );
    for g in groups(&told.targets, By::Kind, &found.set) {
        println!(
            "  {:<12} {:>6} targets, mean Δ {:>8.4} ± {:.4}, {:>6.1} % of the difference",
            g.name,
            g.count,
            g.mean,
            g.se,
            100.0 * g.share.unwrap_or(0.0)
        );
    }
    for r in told.removed.iter().take(5) {
        println!(
            "  without {} of {}: mean Δ {:.4}, {:.1} % of it gone",
            r.name,
            ["A", "B"][r.side.min(1)],
            r.left,
            100.0 * r.share.unwrap_or(0.0)
        );
    }
    eprintln!("wrote {}", path.display());
    Ok(())
}
