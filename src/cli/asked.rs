//! What `run` does after a run where it was asked to: the studies of the page, and what comes of them in
//! `run.json`.

use super::refined::{Refined, curves};
use super::run::{Options, bar};
use crate::app::commitment::Size;
use crate::app::export::Column;
use crate::app::leading::{Leading, leading};
use crate::app::leads;
use crate::app::link::Link;
use crate::app::run::{Llc, Run};
use crate::app::{commitment, estimated, families, reference, refined, seeds, study, winners};
use crate::engine::report::{Curve, Report};
use crate::engine::studying::begin;
use crate::engine::{Session, Source};
use crate::experiments::{self, Card};
use crate::knobs::Value;
use crate::protocol::{Fault, Notice, RunId, StudySpec};
use indicatif::ProgressBar;
use serde::Serialize;
use std::collections::BTreeMap;
use std::rc::Rc;

/// λ̂ points of a model that "Who leads?" goes by, at most: as many as in the page.
const POINTS: usize = 64;

/// A checkpoint whose branches have ended.
#[derive(Clone, Debug, Serialize)]
pub struct Committed {
    /// Its step.
    pub step: u64,
    /// The share of the branches that ended like the run; null where the state of the optimiser is no
    /// longer kept.
    pub share: Option<f64>,
    /// Its 95 % interval (Wilson 1927).
    pub lo: Option<f64>,
    /// See `lo`.
    pub hi: Option<f64>,
    /// Branches, the one with the run's own data not among them.
    pub branches: u32,
    /// How they ended, in words.
    pub told: String,
}

/// The file: the report, and what was asked for besides.
#[derive(Debug, Serialize)]
pub struct Whole {
    /// The run.
    #[serde(flatten)]
    pub report: Report,
    /// When it was settled what the run becomes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commitment: Vec<Committed>,
    /// Groups of heads by their refined λ̂, and whether composing goes with it; the curves are series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refined: Option<Refined>,
    /// Who leads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub leads: Vec<Leading>,
}

/// What came of what was asked for.
#[derive(Debug, Default)]
pub struct Found {
    pub(super) reference: Option<reference::Reference>,
    pub(super) commitment: Vec<Committed>,
    pub(super) refined: Option<Refined>,
    pub(super) curves: BTreeMap<String, Curve>,
    pub(super) leads: Vec<Leading>,
}

/// A run as the page would see it, with its last study of each kind.
#[must_use]
pub fn seen(session: &Session, link: &Link) -> Run {
    let mut knobs = link.knobs.clone();
    knobs.put("member", Value::Int(session.follow() as i64));
    let mut run = Run::new(RunId(1), link.text(true), knobs, session.step());
    for (id, s) in &session.history.series {
        run.series.insert(id.clone(), Rc::new(s.clone()));
    }
    run.llc = Rc::new(Llc::of(session.history.llc.clone()));
    run.pca = Rc::new(session.history.pca.update());
    run.kept
        .extend(session.studies().map(|s| Rc::new(s.clone())));
    run
}

/// What was estimated of each model, and composition beside its null, by the names that the page's exports have.
#[must_use]
pub fn estimated(run: &Run) -> BTreeMap<String, Curve> {
    let of = |c: Column| {
        let (label, unit, points) = (c.label, c.unit, c.points);
        let curve = Curve {
            label,
            unit,
            points,
        };
        (c.id, curve)
    };
    let all = estimated::columns(run).into_iter();
    all.chain(families::columns(run)).map(of).collect()
}

/// A study of the session's run, to its end.
async fn studied(
    session: &mut Session,
    source: &Source,
    link: &Link,
    spec: StudySpec,
    name: &'static str,
) -> Result<(), Fault> {
    let bar = ProgressBar::new(spec.cells.len() as u64)
        .with_style(bar("{msg} {wide_bar} {pos}/{len} {eta} left")?)
        .with_message(name);
    session.begin_study(begin(source, link.clone(), spec).await?);
    while session.pump().await? {
        let done = session.study().map_or(0, |s| s.done.len());
        bar.set_position(done as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

/// Everything that was asked for, one after the other, into `found`; remarks go to `notices`.
///
/// # Errors
/// Device lost or out of memory; what was found before is kept.
pub async fn all(
    options: &Options,
    (session, source): (&mut Session, &Source),
    (link, card): (&Link, &'static Card),
    found: &mut Found,
    notices: &mut Vec<Notice>,
) -> Result<(), Fault> {
    let knobs = &link.knobs;
    let steps: Vec<u64> = session.history.llc.iter().map(|p| p.step).collect();
    if let Some(steps) = session.unchecked() {
        let spec = study::second(knobs, &steps);
        studied(session, source, link, spec, "second setting").await?;
    }
    if options.reference {
        let truth = experiments::truth_of(card.id, knobs);
        if truth.is_some_and(|t| t.value.is_none()) {
            let spec = reference::study(knobs);
            studied(session, source, link, spec, "reference").await?;
            found.reference = session.study().and_then(reference::found);
        } else {
            let why = "A reference is for a target of truth that has none, exact or on record.";
            notices.push(Notice::new(why));
        }
    }
    if options.commitment {
        let from = link.course.branch.as_ref().map_or(0, |b| b.from);
        let size = Size {
            branches: options.branches,
            checkpoints: options.checkpoints,
        };
        let spec = commitment::spec(&seen(session, link), from, size);
        if card.event.alike.is_empty() || spec.cells.len() < 2 {
            let why = "Commitment is for an experiment that says when two models end alike, and takes two checkpoints.";
            notices.push(Notice::new(why));
        } else {
            studied(session, source, link, spec, "commitment").await?;
            found.commitment = session
                .study()
                .map_or(Vec::new(), |s| committed(s, session.step()));
        }
    }
    if options.refined {
        match refined::spec(knobs, &steps).filter(|s| !s.cells.is_empty()) {
            Some(spec) => {
                studied(session, source, link, spec, "refined λ̂").await?;
                let run = seen(session, link);
                (found.curves, found.refined) = (curves(&run), Some(Refined::of(&run)));
            }
            None => notices.push(Notice::new(
                "Refined λ̂ is for a model with attention heads, and takes a run with λ̂ points.",
            )),
        }
    }
    if options.leads {
        if card.leads.is_empty() {
            let why = "This experiment has no indicators to ask who leads.";
            notices.push(Notice::new(why));
            return Ok(());
        }
        // Without others, the λ̂ of the run itself is all there is.
        if knobs.int("replicas") > 1 && !steps.is_empty() {
            let spec = study::members(knobs, &study::thinned(&steps, POINTS));
            studied(session, source, link, spec, "λ̂ of every model").await?;
        }
        let models = u32::try_from(knobs.size("replicas")).unwrap_or(1);
        if let Some(spec) = winners::spec(&seen(session, link), models) {
            studied(session, source, link, spec, "refined λ̂ of every winner").await?;
        }
        let run = seen(session, link);
        let near = leads::near(&run, card, leads::nulls());
        let apart = near.map_or(Vec::new(), |n| leads::apart(&run, card, n));
        if !apart.is_empty() {
            let which = apart.join(", ");
            let why = format!("The null runs behind the thresholds have other settings: {which}.");
            notices.push(Notice::new(why));
        }
        let members = seeds::members(&run, card);
        let rows = leads::rows(&run, card, &members, leads::nulls());
        found.leads = leading(&rows);
        let slow = leads::slow(&rows, card).map(Notice::new);
        notices.extend(slow);
    }
    Ok(())
}

fn committed(study: &crate::protocol::Study, end: u64) -> Vec<Committed> {
    let points = commitment::points(study, end).into_iter();
    let of = |p: commitment::Point| Committed {
        step: p.step,
        share: p.share.map(|s| s[0]),
        lo: p.share.map(|s| s[1]),
        hi: p.share.map(|s| s[2]),
        branches: study.spec.chains,
        told: p.told,
    };
    points.map(of).collect()
}
