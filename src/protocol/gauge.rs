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
    /// t of M = exp(t·A).
    pub amount: f64,
}

/// What came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gauged {
    /// What was asked.
    pub of: Gauge,
    /// How far the weights moved, ‖w′ − w‖.
    pub distance: f64,
    /// Held-out loss of the checkpoint.
    pub loss: f64,
    /// Of the turned one.
    pub turned: f64,
    /// As far away, in a random direction of the same weights.
    pub random: f64,
}
