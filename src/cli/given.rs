//! What stands behind the words of a command line: links, folders of earlier runs, the text that a link
//! asks for.

use super::out;
use crate::app::link::{self, Link};
use crate::engine::known::{Known, turning};
use crate::experiments;
use crate::experiments::text::own;
use crate::knobs::Digest;
use crate::protocol::{EngineChoice, Fault, Series};
use safetensors::SafeTensors;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

/// What to run on, by its name.
pub(super) fn engine(text: &str) -> Result<EngineChoice, String> {
    EngineChoice::parse(text).ok_or_else(|| "auto, gpu or cpu".into())
}

/// How many checkpoints, at most.
pub(super) fn checkpoints(text: &str) -> Result<usize, String> {
    let wanted = match text {
        "all" => Some(usize::MAX),
        text => text.parse().ok().filter(|n| *n >= 5),
    };
    wanted.ok_or_else(|| "five or more, or all".into())
}

/// The exit code of a fault: 2 bad link, 3 no device, 4 diverged, 1 anything else.
pub(super) fn code(fault: &Fault) -> ExitCode {
    ExitCode::from(match fault {
        Fault::BadLink(_) => 2,
        Fault::NoGpu(_) | Fault::DeviceLost(_) => 3,
        Fault::Diverged { .. } => 4,
        _ => 1,
    })
}

/// A file that cannot be used, and why.
pub(super) fn unreadable(path: &Path, why: impl std::fmt::Display) -> Fault {
    Fault::BadLink(format!("{}: {why}", path.display()))
}

/// A link that can be run; what it asks for and cannot have is told.
pub(super) fn linked(text: &str) -> Result<Link, Fault> {
    let link = link::parse(text);
    if text.trim().is_empty() || !link.known {
        let all: Vec<&str> = experiments::CARDS.iter().map(|c| c.id).collect();
        let why = format!(
            "“{text}” names none of the experiments {}; a link is like '#/tms?seed=3', and `lambdahat list` says what there is",
            all.join(", ")
        );
        return Err(Fault::BadLink(why));
    }
    if link.file.is_some() {
        let why = "this run begins with a file, which a link does not hold: open it in the page";
        return Err(Fault::BadLink(why.into()));
    }
    for n in &link.notices {
        out::remark(format_args!("notice: {}", n.text));
    }
    Ok(link)
}

/// The link of a side, and the folder its checkpoints are in, if it is one.
pub(super) fn side(text: &str) -> Result<(Link, Option<(PathBuf, Value)>), Fault> {
    let folder = PathBuf::from(text);
    if !folder.is_dir() {
        if text.contains('/') && !text.contains('#') {
            let why = "there is no such folder, and it is no link, which begins with #/";
            return Err(unreadable(&folder, why));
        }
        return Ok((linked(text)?, None));
    }
    let path = folder.join("run.json");
    let run = std::fs::read(&path).map_err(|e| {
        let why = format!("{e}; the folder of a run is what `lambdahat run --out` has written");
        unreadable(&path, why)
    })?;
    let run: Value = serde_json::from_slice(&run).map_err(|e| unreadable(&path, e))?;
    let text = run["link"].as_str().unwrap_or_default();
    Ok((link::parse(text), Some((folder, run))))
}

/// The checkpoints of a folder, their tensors put back in the order of the arena.
pub(super) fn known(link: &Link, folder: &Path, run: &Value) -> Result<Known, Fault> {
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
        // What another run has left in the same folder is not of this one.
        let words = SafeTensors::read_metadata(&bytes).map_err(|e| unreadable(&path, e))?;
        let words = words.1.metadata().clone().unwrap_or_default();
        if words.get("link").is_some_and(|l| run["link"] != l.as_str()) {
            continue;
        }
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

/// Keeps the text of a file for the links, which ask for it; without a file they must not ask for one.
///
/// # Errors
/// `BadLink` for what is no text, for one that the links do not ask for, and for one that is not given.
pub(super) fn text(path: Option<&PathBuf>, links: &[&Link]) -> Result<(), Fault> {
    let all = links.iter().map(|l| l.knobs.digest("text"));
    let asked = all.into_iter().find(|d| *d != Digest(0));
    let Some(path) = path else {
        return asked.map_or(Ok(()), |name| {
            let why = format!("{}; give it with --text FILE", own::missing(name));
            Err(Fault::BadLink(why))
        });
    };
    let bytes = std::fs::read(path).map_err(|e| unreadable(path, e))?;
    let name = own::keep(&bytes).map_err(|e| unreadable(path, e))?;
    if asked == Some(name) {
        return Ok(());
    }
    let name = name.text();
    let why = match asked.map(Digest::text) {
        None => format!("the link names no text; for this one it is '#/text?text={name}'"),
        Some(asked) => format!("its SHA-256 begins with {name}, and the link has text={asked}"),
    };
    Err(unreadable(path, why))
}
