//! What stands behind the words of a command line: links, folders of earlier runs, the text that a link
//! asks for.

use super::out;
use crate::app::link::{self, Link};
use crate::engine::history::Series;
use crate::engine::known::{Known, turning};
use crate::experiments;
use crate::experiments::text::own;
use crate::knobs::Digest;
use crate::protocol::{EngineChoice, Fault};
use safetensors::SafeTensors;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

/// What to run on, by its name.
pub(super) fn engine(text: &str) -> Result<EngineChoice, String> {
    EngineChoice::parse(text).ok_or_else(|| "auto, gpu or cpu".into())
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

/// The link of a side, and the folder its checkpoints are in, if it is one.
pub(super) fn side(text: &str) -> Result<(Link, Option<(PathBuf, Value)>), Fault> {
    let folder = PathBuf::from(text);
    if !folder.is_dir() {
        let link = link::parse(text);
        link.notices
            .iter()
            .for_each(|n| out::remark(format_args!("notice: {}", n.text)));
        return Ok((link, None));
    }
    let path = folder.join("run.json");
    let run = std::fs::read(&path).map_err(|e| unreadable(&path, e))?;
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

/// Keeps the text of a file for the links that ask for it.
///
/// # Errors
/// `BadLink` for what is no text, and for one that the link does not ask for.
pub(super) fn read(path: &Path, asked: Digest) -> Result<(), Fault> {
    let bytes = std::fs::read(path).map_err(|e| unreadable(path, e))?;
    let name = own::keep(&bytes).map_err(|e| unreadable(path, e))?;
    if name == asked {
        return Ok(());
    }
    let names = [name, asked].map(Digest::text);
    let why = format!(
        "its SHA-256 begins with {}, and the link has text={}",
        names[0], names[1]
    );
    Err(unreadable(path, why))
}
