//! A run as files for notebooks: every series as CSV or JSON, and names that say what is in them.

use super::bends::bends;
use super::run::Run;
use super::seeds::followed;
use super::state::State;
use super::{estimated, families, refined, spread};
use crate::experiments::{Card, heads};
use crate::json::object;
use crate::knobs::Knobs;
use crate::protocol::Series;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// One series with its meaning.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its id, as in `run.json`.
    pub id: String,
    /// Its name.
    pub label: String,
    /// Unit of y; x is in steps.
    pub unit: String,
    /// Its points.
    pub points: Series,
}

/// `lambdahat-tms-seed1-loss.svg`; a recorded chart says so, and four digits of a digest of its link tell
/// runs of other settings apart.
#[must_use]
pub fn file_name(state: &State, what: &str, ending: &str) -> String {
    // That of the model followed.
    let own = |knobs: &Knobs| knobs.int("seed") + knobs.int("member");
    let (seed, from) = match (&state.run, state.recorded()) {
        (Some(run), _) => {
            let seed = run.knobs.int("seed") + i64::from(state.follow());
            (seed, "")
        }
        (None, Some(r)) => (own(&super::link::parse(&r.link).knobs), "-recorded"),
        (None, None) => (own(&state.link.knobs), ""),
    };
    let id = &state.link.experiment;
    let plain = format!("#/{id}?v=1&seed={seed}");
    let other = state.run.as_ref().filter(|run| run.link != plain);
    let other = other.map_or_else(String::new, |run| format!("-{:04x}", digest(&run.link)));
    format!("lambdahat-{id}-seed{seed}{other}-{what}{from}.{ending}")
}

/// Sixteen bits of a text: FNV-1a.
fn digest(text: &str) -> u32 {
    let step = |h: u32, b: u8| (h ^ u32::from(b)).wrapping_mul(0x0100_0193);
    text.bytes().fold(0x811c_9dc5, step) >> 16
}

/// Every series of a run: the curves, their median and range over several models (`seeds/`), λ̂ with one
/// standard error up and down, what is measured beside it, refined λ̂, and the components of logit-PCA.
#[must_use]
pub fn columns(run: &Run, card: &Card) -> Vec<Column> {
    let mut out: Vec<Column> = run
        .series
        .iter()
        .map(|(id, s)| {
            let spec = card
                .losses
                .iter()
                .find(|l| *id == l.id || id.ends_with(&format!("/{}", l.id)));
            Column {
                id: id.clone(),
                label: spec.map_or(id.as_str(), |l| l.label).into(),
                unit: spec.map_or("", |l| l.unit).into(),
                points: (**s).clone(),
            }
        })
        .collect();
    out.extend(spread::bands(run));
    out.extend(estimated::columns(run));
    out.extend(families::columns(run));
    let mut add = |id: &str, label: &str, x: &[f64], y: Vec<f64>, band: [&[f64]; 2]| {
        out.push(Column {
            id: id.into(),
            label: label.into(),
            unit: String::new(),
            points: Series {
                x: x.to_vec(),
                y,
                lo: band[0].to_vec(),
                hi: band[1].to_vec(),
            },
        });
    };
    let (llc, pca) = (&run.llc, &run.pca);
    add(
        "llc",
        "λ̂ at this nβ, γ, ε (± 1 SE)",
        &llc.x,
        llc.y.clone(),
        [&llc.lo, &llc.hi],
    );
    add(
        "llc.init_loss",
        "loss at w*",
        &llc.x,
        llc.at.clone(),
        [&[], &[]],
    );
    add(
        "llc.mean_loss",
        "mean loss under the chains",
        &llc.x,
        llc.under.clone(),
        [&[], &[]],
    );
    let distance = llc.points.iter().map(|p| p.distance).collect();
    add(
        "llc.distance",
        "‖w−w*‖/‖w*‖ at the end of the chains",
        &llc.x,
        distance,
        [&[], &[]],
    );
    for class in &llc.classes {
        let (id, label, y) = (class.id(), class.label(), class.y.clone());
        add(&id, &label, &class.x, y, [&class.lo, &class.hi]);
    }
    for c in refined::of(run).map_or(Vec::new(), |s| refined::curves(s)) {
        add(&c.id(), &c.label(), &c.x, c.y.clone(), [&c.lo, &c.hi]);
    }
    for k in 0..3 {
        let y = pca.pcs.iter().map(|p| p[k]).collect();
        let (id, label) = (
            format!("logit_pca.pc{}", k + 1),
            format!("logit-PCA, component {}", k + 1),
        );
        add(&id, &label, &pca.steps, y, [&[], &[]]);
    }
    out
}

/// A CSV as a file: its first line is a comment that names the link and the version that made it.
#[must_use]
pub fn signed(link: &str, rows: &str) -> String {
    format!("# {link} · lambdahat {}\n{rows}", crate::VERSION)
}

/// One line a point: `series,step,value,lo,hi`; without a band the last two are empty.
#[must_use]
pub fn csv(run: &Run, card: &Card) -> String {
    let mut out = String::from("series,step,value,lo,hi\n");
    for c in columns(run, card) {
        let Series { x, y, lo, hi } = &c.points;
        for (i, (x, y)) in x.iter().zip(y).enumerate() {
            let end = |v: &[f64]| v.get(i).map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(out, "{},{x},{y},{},{}", c.id, end(lo), end(hi));
        }
    }
    out
}

/// What every file says of its run: link, experiment, knobs, seed, version, device.
#[must_use]
pub fn head(state: &State, run: &Run) -> Map<String, Value> {
    let schema = run.knobs.schema().iter();
    let mut knobs = schema.filter_map(|k| Some((k.key.to_string(), json!(run.knobs.get(k.key)?))));
    let knobs = object(&mut knobs);
    let mut members = [
        ("link", json!(run.link)),
        ("experiment", json!(state.card().id)),
        ("knobs", Value::Object(knobs)),
        ("seed", json!(run.knobs.int("seed"))),
        ("version", json!(crate::VERSION)),
        ("device", json!(state.device)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_string(), value));
    object(&mut members)
}

/// The names of `run.json`: link, experiment, knobs, seed, version, device, notices, series, estimates,
/// stages, heads, kinks.
#[must_use]
pub fn json(state: &State, run: &Run) -> String {
    let card = state.card();
    let mut series = columns(run, card).into_iter().map(|c| {
        let mut it = json!(c.points);
        it["label"] = json!(c.label);
        it["unit"] = json!(c.unit);
        (c.id, it)
    });
    let series = object(&mut series);
    let mut all = Value::Object(head(state, run));
    all["notices"] = json!(run.notices);
    all["series"] = Value::Object(series);
    all["estimates"] = json!(run.llc.points);
    all["jumps"] = json!(run.jumps);
    all["stages"] = json!(run.stages.as_ref().map_or(&[][..], |s| &s.stages));
    all["explained"] = json!(run.pca.explained);
    let last = |id: &str| followed(run, id)?.y.last().copied();
    all["heads"] = json!(heads::heads(last));
    let bends = bends(&run.pca.steps, &run.pca.pcs);
    all["kinks"] = json!(bends.kinks().map(|b| b.step).collect::<Vec<_>>());
    all["arc"] = json!(bends.arc);
    all.to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::app::run::Llc;
    use crate::protocol::{Frame, LlcPoint, RunId, SeriesDelta};

    #[test]
    fn every_point_is_in_both_files() {
        let mut state = State::new("#/tms?v=1&seed=7", true, Default::default());
        assert_eq!(
            file_name(&state, "loss", "svg"),
            "lambdahat-tms-seed1-loss-recorded.svg"
        );
        let mut run = Run::new(
            RunId(1),
            state.link.text(true),
            state.link.knobs.clone(),
            10,
        );
        run.take(Frame {
            series: vec![SeriesDelta {
                id: "replicas/3/loss".into(),
                x: vec![0.0, 5.0],
                y: vec![0.5, 0.25],
                ..SeriesDelta::default()
            }],
            ..Frame::default()
        });
        let point = LlcPoint {
            step: 5,
            value: 4.0,
            se: 0.5,
            ..LlcPoint::default()
        };
        run.llc = std::rc::Rc::new(Llc::of(vec![point]));
        let card = state.card();
        let text = csv(&run, card);
        assert!(
            text.contains("replicas/3/loss,5,0.25,,\n") && text.contains("llc,5,4,3.5,4.5\n"),
            "{text}"
        );
        let read: Value = serde_json::from_str(&json(&state, &run)).unwrap();
        assert_eq!(read["series"]["replicas/3/loss"]["y"], json!([0.5, 0.25]));
        assert_eq!(read["series"]["replicas/3/loss"]["unit"], "squared error");
        assert_eq!(
            (&read["seed"], &read["link"]),
            (&json!(7), &json!("#/tms?v=1&seed=7"))
        );
        // Every line of one is a point of the other; a lost point would be missed.
        let points: usize = columns(&run, card).iter().map(|c| c.points.x.len()).sum();
        assert_eq!(text.lines().count(), points + 1);
        state.run = Some(run);
        let name = |state: &State| file_name(state, "pca", "png");
        assert_eq!(name(&state), "lambdahat-tms-seed7-pca.png");
        // The name is of the seed that is followed.
        state.link.knobs.put("member", crate::knobs::Value::Int(4));
        assert!(name(&state).starts_with("lambdahat-tms-seed11-"));
        state.link.knobs.put("member", crate::knobs::Value::Int(0));
        // Other settings, another name.
        let mut other = |link: &str| {
            state.run.as_mut().unwrap().link = link.into();
            name(&state)
        };
        let (a, b) = (
            other("#/tms?v=1&seed=7&lr=0.01"),
            other("#/tms?v=1&seed=7&lr=0.02"),
        );
        assert!(
            a.starts_with("lambdahat-tms-seed7-") && a.ends_with("-pca.png") && a != b,
            "{a} {b}"
        );
    }
}
