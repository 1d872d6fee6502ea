//! What an evaluation finds, and what is measured at checkpoints beside it: programs that only read, and
//! values.

use super::{Job, Of, Parts};
use crate::exec::Batch;
use crate::kernels::Replica;
use crate::math::Stream;
use crate::math::philox::Draws;
use crate::plan::{Buf, Prog};
use crate::protocol::Figure;
use std::ops::Range;

/// Weights `[params]` of which two matrices of a head went along flat directions.
#[derive(Clone, Debug, PartialEq)]
pub struct Turned {
    /// ‖w‖ of the two matrices.
    pub norm: f64,
    /// How far they went.
    pub distance: f64,
    /// The weights.
    pub turned: Vec<f32>,
    /// As far away, in a random direction of the same matrices.
    pub random: Vec<f32>,
}

/// A value of a checkpoint, with an interval where there is one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The series it belongs to.
    pub id: String,
    /// The value.
    pub y: f64,
    /// Lower and upper end.
    pub range: Option<(f64, f64)>,
}

impl Reading {
    /// A value without an interval.
    #[must_use]
    pub fn new(id: String, y: f64) -> Self {
        Self { id, y, range: None }
    }
    /// The same, of that replica.
    #[must_use]
    pub fn of(mut self, replica: usize) -> Self {
        if replica > 0 {
            self.id = format!("replicas/{replica}/{}", self.id);
        }
        self
    }
}

/// Read-only programs that run behind the evaluation of some checkpoints, in the same submission, on the
/// model that stands in the first place.
#[derive(Clone, Debug, Default)]
pub struct Probes {
    /// In order; each takes slot 0.
    pub programs: Vec<Prog>,
    /// The replica table of the longest of them; others take its beginning.
    pub tables: Vec<Replica>,
    /// Read back for [`super::Lab::inspect`].
    pub reads: Vec<(Buf, Range<usize>)>,
    /// At which checkpoints, rising.
    pub at: Vec<u64>,
    /// A series that they always leave.
    pub mark: &'static str,
}

/// Where the evaluation's program reads a text and says what may come next.
#[derive(Clone, Copy, Debug)]
pub struct Writer {
    /// Rows of the data whose logits are read, `[rows]`.
    pub positions: Buf,
    /// `[replica][rows][vocab]`.
    pub logits: Buf,
    /// How many.
    pub rows: usize,
    /// Vocabulary.
    pub vocab: usize,
    /// Tokens of a sequence.
    pub ctx: usize,
    /// Sequences of the data.
    pub sequences: usize,
}

impl Default for Writer {
    /// Of nothing.
    fn default() -> Self {
        Self {
            positions: Buf(0),
            logits: Buf(0),
            rows: 0,
            vocab: 1,
            ctx: 1,
            sequences: 0,
        }
    }
}

/// Draws what logit-PCA looks at: inputs, or positions in the held-out data. The same for every seed, so
/// that a model among others has the path that its seed has alone.
#[must_use]
pub fn looks() -> Draws {
    Draws::new(1, Stream::Probe, 0)
}

/// What an evaluation found at one step.
#[derive(Clone, Debug, Default)]
pub struct Observation {
    /// Series values: `(id, y)`.
    pub values: Vec<(String, f64)>,
    /// The row of logit-PCA of the replica followed.
    pub pca_row: Vec<f32>,
    /// The figure of the model.
    pub figure: Option<Figure>,
}

/// Data of one slot appended to a batch.
pub fn feed_batch(batch: &mut Batch, parts: &Parts, job: &Job, of: Of, first: u64, n: u64) {
    let mut words = Vec::with_capacity(job.rows * job.feed_len * usize::try_from(n).unwrap_or(0));
    for s in first..first + n {
        parts.lab.feed(of, s, &mut words);
    }
    batch.words.push((job.feed, 0, words));
}
