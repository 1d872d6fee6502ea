//! A run as the page sees it: what the frames said so far.

use super::align::align;
use super::scrub::Album;
use crate::exec::Counters;
use crate::knobs::Knobs;
use crate::protocol::{
    ClassCurve, Completed, Figure, Frame, Gauged, Jump, LlcPoint, Notice, Paths, PcaUpdate,
    PerStep, Phase, Plane, RunId, Series, Stages, Study, StudyKind, Tokens, Told, TraceView,
};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Notices of one run that are kept.
const MAX_NOTICES: usize = 40;

/// λ̂ points, and the same as columns for the charts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Llc {
    /// The estimates.
    pub points: Vec<LlcPoint>,
    /// Checkpoint steps.
    pub x: Vec<f64>,
    /// λ̂.
    pub y: Vec<f64>,
    /// λ̂ − SE.
    pub lo: Vec<f64>,
    /// λ̂ + SE.
    pub hi: Vec<f64>,
    /// L(w*).
    pub at: Vec<f64>,
    /// Mean loss under the chains.
    pub under: Vec<f64>,
    /// λ̂ split over classes of positions, where it is.
    pub classes: Vec<ClassCurve>,
}

impl Llc {
    /// From the estimates, in order of step.
    #[must_use]
    pub fn of(points: Vec<LlcPoint>) -> Self {
        let column = |f: fn(&LlcPoint) -> f64| points.iter().map(f).collect();
        let known = |se: f64| if se.is_finite() { se } else { 0.0 };
        Self {
            x: column(|p| p.step as f64),
            y: column(|p| p.value),
            lo: points.iter().map(|p| p.value - known(p.se)).collect(),
            hi: points.iter().map(|p| p.value + known(p.se)).collect(),
            at: column(|p| p.init_loss),
            under: column(|p| p.mean_loss),
            classes: ClassCurve::of(&points),
            points,
        }
    }
}

/// A run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its name between page and worker.
    pub id: RunId,
    /// Its link.
    pub link: String,
    /// Its settings: the form's may have moved on.
    pub knobs: Knobs,
    /// Where it is.
    pub phase: Phase,
    /// Steps done.
    pub step: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// Training steps per second.
    pub rate: f64,
    /// Seconds left, if known.
    pub left_s: Option<f64>,
    /// Every series by its id.
    pub series: BTreeMap<String, Rc<Series>>,
    /// λ̂.
    pub llc: Rc<Llc>,
    /// Logit-PCA.
    pub pca: Rc<PcaUpdate>,
    /// The plane of this run and the one beside it.
    pub beside: Option<Rc<Plane>>,
    /// Traces of the estimate that is open, or under way where nothing is trained.
    pub trace: Option<Rc<TraceView>>,
    /// λ̂ at other settings.
    pub study: Option<Rc<Study>>,
    /// The last study of each kind, that one among them.
    pub kept: Vec<Rc<Study>>,
    /// Stages of λ̂.
    pub stages: Option<Rc<Stages>>,
    /// Checkpoints at which the heads of the model followed have yet to be measured.
    pub unprobed: usize,
    /// Mean seconds of a λ̂ point so far.
    pub point_s: Option<f64>,
    /// The figure of the model.
    pub figure: Option<Rc<Figure>>,
    /// Figures of stored checkpoints.
    pub album: Album,
    /// Steps of checkpoints that are still to be handed over as files, of so many.
    pub files: (Vec<u64>, usize),
    /// The head that was turned last.
    pub turned: Option<Gauged>,
    /// Paths of all models, if they were asked for.
    pub paths: Option<Rc<Paths>>,
    /// Paths of this run and of stored ones.
    pub stored: Option<Rc<Plane>>,
    /// What its logit-PCA looks at, in a word.
    pub looked: u32,
    /// The held-out tokens that were asked for last.
    pub tokens: Option<Rc<Tokens>>,
    /// What a checkpoint wrote last.
    pub written: Option<Rc<Completed>>,
    /// Who went from one k-gon to another, in order.
    pub jumps: Vec<Jump>,
    /// Counters of the engine.
    pub counters: Counters,
    /// Counters of training alone.
    pub per_step: PerStep,
    /// Remarks so far.
    pub notices: Vec<Notice>,
    /// Bytes that are kept of it for a reload; how many checkpoints, of how many, and how many of them can
    /// be trained on from.
    pub record: Option<(u64, [u64; 3])>,
    /// Checkpoints in memory that can be trained on from.
    pub whole: usize,
    /// Steps of checkpoints whose weights were thinned away.
    pub gone: Vec<u64>,
    /// A frame came that was not drawn yet.
    pub undrawn: bool,
}

impl Run {
    /// A run that was just asked for.
    #[must_use]
    pub fn new(id: RunId, link: String, knobs: Knobs, steps: u64) -> Self {
        Self {
            id,
            link,
            knobs,
            phase: Phase::Preparing,
            step: 0,
            steps,
            rate: 0.0,
            left_s: None,
            series: BTreeMap::new(),
            llc: Rc::default(),
            pca: Rc::default(),
            beside: None,
            trace: None,
            study: None,
            kept: Vec::new(),
            stages: None,
            unprobed: 0,
            point_s: None,
            figure: None,
            album: Album::default(),
            files: Default::default(),
            turned: None,
            paths: None,
            stored: None,
            looked: 0,
            tokens: None,
            written: None,
            jumps: Vec::new(),
            counters: Counters::default(),
            per_step: PerStep::default(),
            notices: Vec::new(),
            record: None,
            whole: 0,
            gone: Vec::new(),
            undrawn: false,
        }
    }

    /// Takes a frame in.
    pub fn take(&mut self, frame: Frame) {
        if frame.step < self.step {
            // A recovered run stands earlier: what came after will happen again.
            self.jumps.retain(|j| j.step <= frame.step);
        }
        self.phase = frame.phase;
        self.step = frame.step;
        if frame.steps > 0 {
            self.steps = frame.steps;
        }
        self.rate = frame.rate;
        self.left_s = frame.left_s;
        self.whole = frame.whole;
        for delta in &frame.series {
            let series = self.series.entry(delta.id.clone()).or_default();
            Rc::make_mut(series).apply(delta);
        }
        if let Some(points) = frame.llc {
            self.llc = Rc::new(Llc::of(points));
        }
        if let Some(mut pca) = frame.pca {
            let mut both = frame.beside;
            // A run that is over has the engine's own orientation, whatever frames were seen.
            if self.phase != Phase::Done {
                let mut path = [std::mem::take(&mut pca.pcs)];
                let before = (&self.pca.steps[..], &self.pca.pcs[..]);
                align(&pca.steps, &mut path, &mut pca.explained, before);
                [pca.pcs] = path;
                if let (Some(now), Some(was)) = (&mut both, &self.beside) {
                    let steps = now.at(0).to_vec();
                    let before = (was.at(0), &was.members[0][..]);
                    align(&steps, &mut now.members, &mut now.explained, before);
                }
            }
            self.pca = Rc::new(pca);
            self.beside = both.map(Rc::new);
            self.looked = frame.looked;
            self.gone = frame.gone;
        }
        if let Some(jumps) = frame.jumps {
            self.jumps = jumps;
        }
        if let Some(figure) = frame.figure {
            self.figure = Some(Rc::new(figure));
        }
        (self.counters, self.per_step) = (frame.counters, frame.per_step);
        if let Some(trace) = frame.trace {
            self.trace = Some(Rc::new(*trace));
        }
        if let Some(study) = frame.study {
            let study = Rc::new(study);
            self.kept.retain(|s| s.spec.kind != study.spec.kind);
            self.kept.push(study.clone());
            // The check of the types is shown with the stages, and keeps nobody from asking for more.
            if study.spec.kind != StudyKind::Second {
                self.study = Some(study);
            }
        }
        if let Some(stages) = frame.stages {
            self.stages = Some(Rc::new(stages));
        }
        self.point_s = frame.point_s.or(self.point_s);
        self.unprobed = frame.unprobed;
        for notice in frame.notices {
            if self.notices.len() < MAX_NOTICES && !self.notices.contains(&notice) {
                self.notices.push(notice);
            }
        }
        self.undrawn = true;
    }

    /// Forgets what was shown of the one model that was followed.
    pub fn leave(&mut self) {
        if self.figure.as_deref().is_some_and(|f| !f.of_all()) {
            (self.figure, self.album) = (None, Album::default());
        }
        (self.turned, self.tokens, self.written) = (None, None, None);
        self.stored = None;
    }

    /// Takes an answer in.
    pub fn answered(&mut self, told: Told) {
        match told {
            Told::Paths(paths) => self.paths = Some(Rc::new(paths)),
            Told::Stored(plane) => self.stored = Some(Rc::new(plane)),
            Told::Tokens(tokens) => self.tokens = Some(Rc::new(tokens)),
            Told::Completed(texts) => self.written = Some(Rc::new(texts)),
        }
    }

    /// Whether the engine is at work on it.
    #[must_use]
    pub fn active(&self) -> bool {
        matches!(
            self.phase,
            Phase::Preparing | Phase::Training | Phase::Sampling { .. }
        )
    }

    /// Whether it cannot go on.
    #[must_use]
    pub fn over(&self) -> bool {
        matches!(self.phase, Phase::Done | Phase::Failed)
    }

    /// A checksum over the bits of every curve and of λ̂: runs with the same one drew the same.
    #[must_use]
    pub fn fingerprint(&self) -> u32 {
        let mut crc = crc32fast::Hasher::new();
        let curves = self.series.iter().map(|(id, s)| (id.as_str(), &s.x, &s.y));
        for (id, x, y) in curves.chain([("llc", &self.llc.x, &self.llc.y)]) {
            crc.update(id.as_bytes());
            for value in x.iter().chain(y) {
                crc.update(&value.to_bits().to_le_bytes());
            }
        }
        crc.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::SeriesDelta;

    fn delta(from: usize, x: &[f64]) -> SeriesDelta {
        let y = x.iter().map(|x| x * 2.0).collect();
        SeriesDelta {
            id: "loss".into(),
            from,
            x: x.to_vec(),
            y,
            ..SeriesDelta::default()
        }
    }

    #[test]
    fn a_delta_replaces_what_comes_after_it() {
        let mut s = Series::default();
        s.apply(&delta(0, &[0.0, 1.0, 2.0, 3.0]));
        s.apply(&delta(2, &[2.5]));
        assert_eq!((s.x, s.y), (vec![0.0, 1.0, 2.5], vec![0.0, 2.0, 5.0]));
    }

    #[test]
    fn frames_add_up() {
        let knobs = Knobs::defaults(&[]);
        let mut run = Run::new(RunId(1), "#/tms?v=1".into(), knobs, 10);
        assert!(run.active() && !run.over());
        let mut frame = Frame {
            phase: Phase::Training,
            step: 3,
            steps: 10,
            ..Frame::default()
        };
        frame.series = vec![
            delta(0, &[0.0, 1.0]),
            SeriesDelta {
                id: "replicas/3/loss".into(),
                ..delta(0, &[0.0])
            },
        ];
        frame.notices = vec![Notice::new("once"), Notice::new("once")];
        run.take(frame.clone());
        frame.series = vec![delta(2, &[2.0])];
        frame.llc = Some(vec![LlcPoint {
            step: 2,
            value: -1.0,
            se: 0.5,
            ..LlcPoint::default()
        }]);
        run.take(frame);
        assert_eq!(run.series["loss"].x, [0.0, 1.0, 2.0]);
        assert_eq!(run.notices.len(), 1);
        assert_eq!((run.llc.lo[0], run.llc.hi[0]), (-1.5, -0.5));
        assert_eq!(run.series["replicas/3/loss"].x, [0.0]);
        // One bit of one value is another fingerprint.
        let (mut other, before) = (run.clone(), run.fingerprint());
        assert_eq!(other.fingerprint(), before);
        let loss = Rc::make_mut(other.series.entry("loss".into()).or_default());
        loss.y[1] = f64::from_bits(loss.y[1].to_bits() ^ 1);
        assert_ne!(other.fingerprint(), before);
    }

    #[test]
    fn a_recovered_run_forgets_later_jumps() {
        let mut run = Run::new(RunId(1), String::new(), Knobs::defaults(&[]), 10);
        let jump = |step| Jump {
            step,
            replica: 1,
            from: "4++".into(),
            to: "5+".into(),
        };
        run.take(Frame {
            step: 200,
            jumps: Some(vec![jump(50), jump(150)]),
            ..Frame::default()
        });
        assert_eq!(run.jumps.len(), 2);
        run.take(Frame {
            step: 100,
            ..Frame::default()
        });
        assert_eq!(run.jumps, [jump(50)]);
    }
}
