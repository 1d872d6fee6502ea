//! What is measured at checkpoints beside the evaluation: programs that only read, and values.

use crate::kernels::Replica;
use crate::plan::{Buf, Prog};
use std::ops::Range;

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

/// Read-only programs that run behind the evaluation of some checkpoints, in the same submission.
#[derive(Clone, Debug, Default)]
pub struct Probes {
    /// In order; each takes slot 0.
    pub programs: Vec<Prog>,
    /// The replica table of each of them.
    pub tables: Vec<Replica>,
    /// Read back for [`super::Lab::inspect`].
    pub reads: Vec<(Buf, Range<usize>)>,
    /// At which checkpoints, rising.
    pub at: Vec<u64>,
}
