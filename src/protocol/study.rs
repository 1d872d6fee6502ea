//! Studies: λ̂ of checkpoints that are already there, at many settings of the sampler, as one job.

use super::Curved;
use serde::{Deserialize, Serialize};

/// What a study is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StudyKind {
    /// ε × nβ at one checkpoint: where λ̂ does not depend on ε.
    #[default]
    Sweep,
    /// γ × nβ at one checkpoint, ε following: where λ̂ does not depend on the spring.
    Spring,
    /// nβ and γ over decades at every checkpoint: from a mirror of the loss to a local quantity.
    Lens,
    /// One setting at every checkpoint: a curve estimated again without training again.
    Again,
    /// The run's own setting at every checkpoint of every replica.
    Members,
    /// λ̂ of parts of the model at every checkpoint, the rest frozen.
    Parts,
    /// λ̂ of every head and every layer over training, the rest frozen.
    Refined,
    /// λ̂ of the head that wins in each replica, at every checkpoint, the rest frozen.
    Winners,
    /// ε and ε/4 at a few checkpoints: Richardson's check of the step's bias.
    Richardson,
    /// Long MALA chains, whatever sampler the run has: the value to compare its λ̂ with.
    Reference,
    /// No λ̂: models trained on from checkpoints, each with other data. A cell's value is the share that
    /// ends like the run.
    Commitment,
    /// A third of the run's nβ at every checkpoint: whether stages have the same types there.
    Second,
}

impl StudyKind {
    /// It looks for a setting of the sampler, or at what another one says.
    #[must_use]
    pub fn calibrates(self) -> bool {
        use StudyKind::{Commitment, Members, Reference, Refined, Second, Winners};
        !matches!(
            self,
            Reference | Members | Refined | Winners | Commitment | Second
        )
    }
}

/// One estimate of a study.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Checkpoint.
    pub step: u64,
    /// nβ.
    pub nbeta: f64,
    /// γ.
    pub gamma: f64,
    /// ε.
    pub eps: f64,
    /// Whose checkpoint; none, that of the replica followed.
    pub replica: Option<u32>,
    /// Which parameters move: `all`, or a part's name such as `blocks.0.attn.head.3`.
    pub part: String,
}

/// What to estimate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StudySpec {
    /// Its purpose.
    pub kind: StudyKind,
    /// The estimates, in the order they are shown.
    pub cells: Vec<Cell>,
    /// Chains of each.
    pub chains: u32,
    /// Steps before the first draw.
    pub burnin: u64,
    /// Draws of each chain.
    pub draws: u64,
    /// What its chains have otherwise than the run's, as in a link: `sampler=mala&on=test`.
    pub query: String,
}

/// One estimate, done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CellResult {
    /// Which cell of the spec.
    pub cell: u32,
    /// λ̂; none if every chain ran away.
    pub value: Option<f64>,
    /// Its standard error.
    pub se: f64,
    /// Mean loss under the chains.
    pub mean_loss: f64,
    /// L(w*) on the same batches.
    pub init_loss: f64,
    /// R̂.
    pub rhat: Option<f64>,
    /// Mean MALA acceptance over the chains that stood.
    pub accept: Option<f64>,
    /// ε·a_max/4, where the curvature of the checkpoint is known.
    pub index: Option<f64>,
    /// Share of draws below L(w*).
    pub below: f64,
    /// Chains that ran away.
    pub failed_chains: u32,
    /// The curvature at w*, where the study measures it: at every checkpoint of every replica.
    #[serde(default)]
    pub curvature: Option<Curved>,
}

/// λ from the slope of the mean loss against 1/nβ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlopeFit {
    /// Checkpoint.
    pub step: u64,
    /// λ.
    pub lambda: f64,
    /// Its standard error.
    pub se: f64,
    /// Mean square left over, in errors of the points: about 1 where a line fits.
    pub misfit: f64,
}

/// A study so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Study {
    /// What was asked.
    pub spec: StudySpec,
    /// What is done, in order of cell.
    pub done: Vec<CellResult>,
    /// Cells on the plateau, by index into `done`.
    pub plateau: Vec<u32>,
    /// The cell to adopt, by index into `done`.
    pub recommended: Option<u32>,
    /// λ over temperatures, a checkpoint each, where there are three or more.
    pub slopes: Vec<SlopeFit>,
    /// What each of `done` came to, in words, where a number does not say it.
    #[serde(default)]
    pub told: Vec<String>,
    /// How much of it all is done, cells under way included, 0 to 1.
    #[serde(default)]
    pub share: f64,
    /// Seconds left, once something was measured.
    pub left_s: Option<f64>,
    /// Nothing more will come.
    pub over: bool,
}
