//! A head turned along its flat directions, and what that does to the loss.

use serde::{Deserialize, Serialize};

/// Which head of which checkpoint, and how far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gauge {
    /// Checkpoint.
    pub step: u64,
    /// Layer.
    pub layer: u32,
    /// Head.
    pub head: u32,
    /// Values and outputs are turned, else queries and keys.
    pub values: bool,
    /// t of M = exp(t·A).
    pub amount: f64,
}

/// What came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gauged {
    /// What was asked.
    pub of: Gauge,
    /// ‖w‖ of the two matrices that are turned.
    pub norm: f64,
    /// How far they moved, ‖w′ − w‖.
    pub distance: f64,
    /// Greatest change of a logit, over the held-out positions of logit-PCA.
    pub logit: f64,
    /// The same, as far away in a random direction.
    pub random_logit: f64,
    /// Held-out loss of the checkpoint.
    pub loss: f64,
    /// Of the turned one.
    pub turned: f64,
    /// As far away, in a random direction of the same weights.
    pub random: f64,
}
