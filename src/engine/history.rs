//! Everything a run has shown so far: series, λ̂ points, PCA rows, checkpoints.

use super::keeping::thinned;
use crate::estimate::trace::Trace;
use crate::instruments::pca::Pca;
use crate::protocol::{Figure, Jump, LlcPoint, Notice, Series, SeriesDelta};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Jumps kept: replicas on an edge between two k-gons go to and fro.
const MOST_JUMPS: usize = 1000;

/// Bytes of traces kept.
const TRACES: usize = 32 << 20;
/// Bytes of the optimiser's states kept.
const STATES: u64 = 96 << 20;
/// Steps of a trace below which it is dropped rather than thinned.
const FEW: u64 = 100;

/// A checkpoint in memory: enough to estimate λ̂ again and to redraw PCA for another replica.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    /// Its step.
    pub step: u64,
    /// `[replica][params]`, shared with the records that keep them.
    pub weights: Rc<Vec<f32>>,
    /// What the evaluation read back beside the weights.
    pub reads: Vec<Vec<f32>>,
    /// The optimiser's state, in the order of `Parts::moments`; empty where it is no longer kept.
    pub state: Vec<Rc<Vec<f32>>>,
}

/// What a run has shown so far.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Curves by id. `llc` and `logit_pca.*` are derived when a report is written.
    pub series: BTreeMap<String, Series>,
    /// λ̂ points, by step.
    pub llc: Vec<LlcPoint>,
    /// What the chains of the estimates left, in the order they were made; thinned to a budget.
    pub traces: Vec<Trace>,
    /// Logit-PCA over the checkpoints.
    pub pca: Pca,
    /// Checkpoints, by step.
    pub checkpoints: Vec<Checkpoint>,
    /// What is said of the file that the run begins with.
    pub origin: Vec<Notice>,
    /// The latest figure of the model.
    pub figure: Option<Figure>,
    /// Jumps of replicas from one k-gon to another, where the figure tells k-gons.
    pub jumps: Vec<Jump>,
    sent: BTreeMap<String, usize>,
}

impl History {
    /// Keeps a checkpoint, the latest. Where the states of the optimiser are too much, every other of the
    /// oldest goes; the first and the last stay.
    pub fn push_checkpoint(&mut self, checkpoint: Checkpoint) {
        // As if all were still there: so it is the same ones that go, whenever it is asked.
        let each = 4 * checkpoint.state.iter().map(|s| s.len() as u64).sum::<u64>();
        self.checkpoints.push(checkpoint);
        let bytes = vec![each; self.checkpoints.len()];
        let ends = |i| i == 0 || i + 1 == bytes.len();
        let fixed: Vec<bool> = (0..bytes.len()).map(ends).collect();
        let kept = thinned(&bytes, &fixed, STATES);
        let all = self.checkpoints.iter_mut().zip(kept);
        all.filter(|(_, kept)| !kept)
            .for_each(|(c, _)| c.state.clear());
    }

    /// How many checkpoints have all of their optimiser's state, which is so many tensors.
    #[must_use]
    pub fn whole(&self, tensors: usize) -> usize {
        let all = self.checkpoints.iter();
        all.filter(|c| c.state.len() == tensors).count()
    }

    /// Steps of checkpoints whose weights were left out of a record.
    #[must_use]
    pub fn gone(&self) -> Vec<u64> {
        let there = |step: u64| self.checkpoints.iter().any(|c| c.step == step);
        let mut gone = Vec::new();
        for (step, _) in self.pca.rows() {
            if !there(step) {
                gone.push(step);
            }
        }
        gone
    }

    /// Appends a point.
    pub fn push(&mut self, id: &str, step: u64, y: f64) {
        if !self.series.contains_key(id) {
            self.series.insert(id.to_string(), Series::default());
        }
        if let Some(s) = self.series.get_mut(id) {
            s.x.push(step as f64);
            s.y.push(y);
        }
    }

    /// Takes in a value that may have an interval at its place among the steps, instead of one that is
    /// there. One that is not finite is left out.
    pub fn read(&mut self, id: &str, step: u64, y: f64, range: Option<(f64, f64)>) {
        if !y.is_finite() {
            return;
        }
        if !self.series.contains_key(id) {
            self.series.insert(id.to_string(), Series::default());
        }
        let (Some(s), x) = (self.series.get_mut(id), step as f64) else {
            return;
        };
        // A curve has intervals everywhere or nowhere: those of a model that comes to be followed are
        // measured anew at all its checkpoints, those of one that is left go.
        if s.lo.len() != if range.is_some() { s.x.len() } else { 0 } {
            if range.is_some() {
                (s.x, s.y) = Default::default();
            }
            (s.lo, s.hi) = Default::default();
            self.sent.insert(id.to_string(), 0);
        }
        let at = s.x.partition_point(|&was| was < x);
        let again = s.x.get(at) == Some(&x);
        let put = |all: &mut Vec<f64>, y: f64| match all.get_mut(at) {
            Some(was) if again => *was = y,
            _ => all.insert(at.min(all.len()), y),
        };
        put(&mut s.y, y);
        if let Some((lo, hi)) = range {
            put(&mut s.lo, lo);
            put(&mut s.hi, hi);
        }
        put(&mut s.x, x);
        // What comes behind it goes to the page once more.
        if let Some(sent) = self.sent.get_mut(id) {
            *sent = at.min(*sent);
        }
    }

    /// Takes in the figure of an evaluation, and which replicas have changed their k-gon since the
    /// last one.
    pub fn push_figure(&mut self, step: u64, figure: Figure) {
        if let (
            Some(Figure::Superposition { gons: was, .. }),
            Figure::Superposition { gons: is, .. },
        ) = (&self.figure, &figure)
        {
            let moved = was.iter().zip(is).enumerate().filter(|(_, (a, b))| a != b);
            let room = MOST_JUMPS.saturating_sub(self.jumps.len());
            self.jumps
                .extend(moved.take(room).map(|(replica, (from, to))| Jump {
                    step,
                    replica,
                    from: from.clone(),
                    to: to.clone(),
                }));
        }
        self.figure = Some(figure);
    }

    /// Adds a λ̂ point, replacing one at the same step.
    pub fn push_llc(&mut self, point: LlcPoint) {
        let at = self.llc.partition_point(|p| p.step < point.step);
        if self.llc.get(at).is_some_and(|p| p.step == point.step) {
            self.llc[at] = point;
        } else {
            self.llc.insert(at, point);
        }
    }

    /// Keeps the trace of an estimate, replacing that of the same step. Where all are too much, the
    /// oldest of the least thinned loses every other step.
    pub fn push_trace(&mut self, trace: Trace) {
        self.traces.retain(|t| t.step != trace.step);
        self.traces.push(trace);
        while self.traces.iter().map(Trace::bytes).sum::<usize>() > TRACES {
            let thinnable = |t: &&mut Trace| t.steps() / t.every > FEW;
            let next = self
                .traces
                .iter_mut()
                .filter(thinnable)
                .min_by_key(|t| t.every);
            match next {
                Some(trace) => trace.thin(),
                None => drop(self.traces.remove(0)),
            }
        }
    }

    /// What the page has not seen yet.
    pub fn deltas(&mut self) -> Vec<SeriesDelta> {
        let mut out = Vec::new();
        for (id, s) in &self.series {
            let from = self.sent.get(id).copied().unwrap_or(0);
            // A first delta is sent even when empty, so that the page drops what it has.
            if from < s.x.len() || !self.sent.contains_key(id) {
                let tail = |v: &Vec<f64>| v.get(from..).map(<[f64]>::to_vec).unwrap_or_default();
                out.push(SeriesDelta {
                    id: id.clone(),
                    from,
                    x: tail(&s.x),
                    y: tail(&s.y),
                    lo: tail(&s.lo),
                    hi: tail(&s.hi),
                });
                self.sent.insert(id.clone(), s.x.len());
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deltas_are_sent_once() {
        let mut h = History::default();
        h.push("loss", 0, 1.0);
        h.push("loss", 5, 0.5);
        assert_eq!(h.deltas()[0].x, [0.0, 5.0]);
        assert!(h.deltas().is_empty());
        h.push("loss", 9, 0.4);
        assert_eq!((h.deltas()[0].from, h.deltas().len()), (2, 0));
    }

    #[test]
    fn what_is_read_later_stands_in_its_place() {
        let mut h = History::default();
        for (step, y) in [(0, 1.0), (9, 4.0)] {
            h.read("a", step, y, Some((y - 1.0, y + 1.0)));
        }
        assert_eq!(h.deltas()[0].from, 0);
        h.read("a", 5, 2.0, Some((1.5, 2.5)));
        h.read("a", 9, 3.0, Some((2.0, 4.0)));
        h.read("a", 7, f64::NAN, None);
        let s = &h.series["a"];
        assert_eq!(
            (&s.x[..], &s.y[..]),
            (&[0.0, 5.0, 9.0][..], &[1.0, 2.0, 3.0][..])
        );
        assert_eq!(
            (&s.lo[..], &s.hi[..]),
            (&[0.0, 1.5, 2.0][..], &[2.0, 2.5, 4.0][..])
        );
        // The page has what comes before.
        let told = &h.deltas()[0];
        assert_eq!((told.from, &told.y[..]), (1, &[2.0, 3.0][..]));
    }

    #[test]
    fn a_changed_gon_is_a_jump_and_the_same_one_is_not() {
        let at = |gons: &[&str]| Figure::Superposition {
            features: 6,
            weights: Vec::new(),
            gons: gons.iter().map(ToString::to_string).collect(),
        };
        let mut h = History::default();
        h.push_figure(0, at(&["4++", "4++"]));
        h.push_figure(30, at(&["4++", "5+"]));
        h.push_figure(60, at(&["4++", "5+"]));
        assert_eq!(h.jumps.len(), 1);
        assert_eq!((h.jumps[0].step, h.jumps[0].replica), (30, 1));
    }
}
