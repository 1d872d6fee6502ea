//! Stages of a run: where the broken line through λ̂ bends, and what it does between.

use serde::{Deserialize, Serialize};

/// What λ̂ does in a stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StageKind {
    /// It rises.
    A,
    /// It falls.
    B,
    /// The data cannot tell.
    #[default]
    #[serde(rename = "unresolved")]
    Unresolved,
}

/// A change of λ̂ over a stage at another setting, and what it is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What λ̂ does.
    #[serde(rename = "type")]
    pub kind: StageKind,
    /// Change of the fitted λ̂.
    pub dllc: f64,
    /// Its standard error.
    pub se: f64,
}

/// A stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// First step.
    pub from: u64,
    /// Last step.
    pub to: u64,
    /// 90 % interval of `to`, between checkpoints rounded outwards; none at the end of the run, and
    /// of a boundary set by hand.
    pub end: Option<[u64; 2]>,
    /// `to` was set by hand.
    #[serde(default)]
    pub by_hand: bool,
    /// What λ̂ does at the setting of the run.
    #[serde(rename = "type")]
    pub kind: StageKind,
    /// Change of the fitted λ̂.
    pub dllc: f64,
    /// Its standard error.
    pub se: f64,
    /// λ̂ over it at a second setting of the sampler, if that was estimated.
    pub second: Option<Change>,
    /// Change of the loss, if it was evaluated on both sides.
    pub dloss: Option<f64>,
    /// The loss falls here by more than a fiftieth of its range.
    pub falling: bool,
    /// The series that change most in it.
    pub moved: Vec<Moved>,
}

/// A series that changes within a stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    /// Its id.
    pub id: String,
    /// Its value at the first step of the stage, and at the last.
    pub from: f64,
    /// See `from`.
    pub to: f64,
}

/// The stages of a run so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stages {
    /// In order; none where there are too few λ̂ points.
    pub stages: Vec<Stage>,
    /// λ̂ points they come from.
    pub points: usize,
    /// Boundaries were set or taken away by hand; the others keep the intervals they were found with.
    pub by_hand: bool,
    /// nβ, γ and ε of the second setting.
    pub second: Option<[f64; 3]>,
    /// The broken line they are read from: steps and values, its ends and knots among them.
    #[serde(default)]
    pub line: Vec<[f64; 2]>,
    /// A smooth through the same points, which decides nothing: step, value, standard deviation.
    #[serde(default)]
    pub smooth: Vec<[f64; 3]>,
}
