//! `run.json`: everything a run has shown, for notebooks.

use super::session::Session;
use crate::app::link::Link;
use crate::experiments::heads::{self, Head};
use crate::experiments::{self, Card, Reading, SeriesSpec};
use crate::instruments::bends::{Bend, bends};
use crate::protocol::{
    ClassCurve, DeviceInfo, Jump, LlcPoint, Notice, PerStep, SamplerSettings, Series, Stage, Truth,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// A curve with its meaning.
#[derive(Clone, Debug, Serialize)]
pub struct Curve {
    /// Name.
    pub label: String,
    /// Unit of y; x is in steps.
    pub unit: String,
    /// Points.
    #[serde(flatten)]
    pub points: Series,
}

/// A λ̂ point with its settings.
#[derive(Clone, Debug, Serialize)]
pub struct Estimated {
    /// The point.
    #[serde(flatten)]
    pub point: LlcPoint,
    /// How it was made.
    pub settings: SamplerSettings,
}

/// An estimate beside what it should be.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// The estimate.
    #[serde(flatten)]
    pub estimated: Estimated,
    /// The target, λ, and why they differ.
    #[serde(flatten)]
    pub truth: Truth,
}

/// The file.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The link that replays the run.
    pub link: String,
    /// Its experiment.
    pub experiment: String,
    /// Every knob.
    pub knobs: BTreeMap<String, crate::knobs::Value>,
    /// The seed.
    pub seed: i64,
    /// lambdahat's version.
    pub version: String,
    /// What it ran on.
    pub device: DeviceInfo,
    /// Remarks.
    pub notices: Vec<Notice>,
    /// Curves by id.
    pub series: BTreeMap<String, Curve>,
    /// Every λ̂ point whole, with how it was made.
    pub estimates: Vec<Estimated>,
    /// The last of them beside its target, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Answer>,
    /// Attention heads of the model followed at the last step, by what the instruments say of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub heads: Vec<Head>,
    /// Stages of λ̂.
    pub stages: Vec<Stage>,
    /// Replicas that went from one k-gon to another.
    pub jumps: Vec<Jump>,
    /// Fractions of the variance on PC1..PC3.
    pub explained: [f64; 3],
    /// Steps where the path of the outputs has a kink.
    pub kinks: Vec<f64>,
    /// Degrees that the path of a random walk of as many checkpoints bends at most.
    pub arc: f64,
    /// Counters of training.
    pub counters: PerStep,
}

/// Puts a session's history into words and curves.
#[must_use]
pub fn report(link: &Link, card: &Card, session: &Session, notices: Vec<Notice>) -> Report {
    let mut series = BTreeMap::new();
    for (id, points) in &session.history.series {
        let base = id
            .strip_prefix("replicas/")
            .and_then(|r| r.split_once('/'))
            .map_or(id.as_str(), |(_, b)| b);
        let spec = card.losses.iter().find(|s: &&SeriesSpec| s.id == base);
        let (label, unit) = match (spec, base) {
            (Some(s), _) => (s.label.into(), s.unit),
            (None, "loss.train") => (
                "minibatch loss, mean since the last point".into(),
                card.losses.first().map_or("", |s| s.unit),
            ),
            (None, other) => heads::series(other).unwrap_or_else(|| (other.into(), "")),
        };
        series.insert(
            id.clone(),
            Curve {
                label,
                unit: unit.into(),
                points: points.clone(),
            },
        );
    }
    let llc = &session.history.llc;
    let column = |f: fn(&LlcPoint) -> f64| llc.iter().map(f).collect::<Vec<_>>();
    let steps = column(|p| p.step as f64);
    let mut add = |id: &str, label: &str, unit: &str, points: Series| {
        series.insert(
            id.into(),
            Curve {
                label: label.into(),
                unit: unit.into(),
                points,
            },
        );
    };
    add(
        "llc",
        "λ̂ at this nβ, γ, ε (± 1 SE)",
        "",
        Series {
            x: steps.clone(),
            y: column(|p| p.value),
            lo: column(|p| p.value - p.se),
            hi: column(|p| p.value + p.se),
        },
    );
    let plain = |y| Series {
        x: steps.clone(),
        y,
        ..Series::default()
    };
    add(
        "llc.mean_loss",
        "mean loss under the chains",
        "",
        plain(column(|p| p.mean_loss)),
    );
    add(
        "llc.distance",
        "‖w−w*‖/‖w*‖ at the end of the chains",
        "",
        plain(column(|p| p.distance)),
    );
    for class in ClassCurve::of(llc) {
        let (id, label) = (class.id(), class.label());
        let ClassCurve { x, y, lo, hi, .. } = class;
        add(&id, &label, "", Series { x, y, lo, hi });
    }
    let pca = session.history.pca.update();
    for k in 0..3 {
        let points = Series {
            x: pca.steps.clone(),
            y: pca.pcs.iter().map(|p| p[k]).collect(),
            ..Series::default()
        };
        add(
            &format!("logit_pca.pc{}", k + 1),
            &format!(
                "logit-PCA, component {}, checkpoints weighted by their spacing in steps",
                k + 1
            ),
            "",
            points,
        );
    }
    let bends = bends(&pca.steps, &pca.pcs);
    let bent = |f: fn(&Bend) -> f64| Series {
        x: bends.all.iter().map(|b| b.step).collect(),
        y: bends.all.iter().map(f).collect(),
        ..Series::default()
    };
    add(
        "logit_pca.bend",
        "angle by which the path of the outputs bends, in the plane of PC1 and PC2",
        "degrees",
        bent(|b| b.angle),
    );
    add(
        "logit_pca.bend_noise",
        "standard deviation that scatter gives that angle",
        "degrees",
        bent(|b| b.noise),
    );
    let settings = session.parts.chains.as_ref().map(|c| c.settings.told());
    let estimated = |point: &LlcPoint| Estimated {
        point: point.clone(),
        settings: settings.clone().unwrap_or_default(),
    };
    let estimates: Vec<Estimated> = llc.iter().map(estimated).collect();
    let truth = experiments::truth_of(card.id, &link.knobs);
    let estimate = estimates.last().zip(truth).map(|(last, truth)| Answer {
        estimated: last.clone(),
        truth,
    });
    Report {
        link: link.text(true),
        experiment: card.id.into(),
        knobs: link
            .knobs
            .schema()
            .iter()
            .filter_map(|k| Some((k.key.to_string(), link.knobs.get(k.key)?)))
            .collect(),
        seed: link.knobs.int("seed"),
        version: crate::VERSION.into(),
        device: session.exec.device(),
        notices,
        series,
        estimate,
        estimates,
        heads: heads::heads(|id| {
            let own = Reading::new(id.into(), 0.0).of(session.follow()).id;
            session.history.series.get(&own)?.y.last().copied()
        }),
        stages: session.staging.view.stages.clone(),
        jumps: session.history.jumps.clone(),
        explained: pca.explained,
        kinks: bends.kinks().map(|b| b.step).collect(),
        arc: bends.arc,
        counters: session.per_step(),
    }
}
