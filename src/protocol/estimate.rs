//! An estimate of λ̂ as it travels: its settings, its numbers, its traces.

use serde::{Deserialize, Serialize};

/// The settings of an estimate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SamplerSettings {
    /// nβ.
    pub nbeta: f64,
    /// γ.
    pub gamma: f64,
    /// ε.
    pub eps: f64,
    /// Chains, the anchor not counted.
    pub chains: usize,
    /// Steps before the first draw.
    pub burnin: u64,
    /// Draws: one a step.
    pub draws: u64,
    /// Samples of a chain step.
    pub mbatch: usize,
    /// `sgld`, `rmsprop` or `mala`.
    pub sampler: String,
    /// Which data the loss is a mean over, where there is a choice.
    pub on: String,
    /// Steps of descent from the checkpoint to w*.
    pub polish: u64,
    /// The losses of the draws are of batches apart from those of the gradient.
    #[serde(default)]
    pub apart: bool,
    /// Which weights move.
    pub part: String,
}

/// The curvature of the loss at a checkpoint, along the weights that move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Curved {
    /// Greatest eigenvalue of the Hessian.
    pub h_max: f64,
    /// Its trace.
    pub trace: f64,
    /// Standard error of the trace; 0 of fewer than two probes.
    pub trace_se: f64,
    /// ‖∇L(w*)‖², without the noise of the batches.
    pub gradient_sq: f64,
}

/// What a class of positions adds to λ̂.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassLlc {
    /// The class, as in `loss.first`.
    pub name: String,
    /// nβ times the mean of share·(L_c(w) − L_c(w*)), its share of the targets included: the values of
    /// all classes add up to λ̂.
    pub value: f64,
    /// Standard error.
    pub se: f64,
}

/// One λ̂ estimate, with what a reader needs to judge it. Every number is finite; what cannot be
/// told is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LlcPoint {
    /// Checkpoint.
    pub step: u64,
    /// λ̂ = nβ(E[L] − L(w*)).
    pub value: f64,
    /// Standard error, nβ·sd/√ESS on the chain-mean series of differences.
    pub se: f64,
    /// Standard error from the spread between chains, which misses the noise of the batches they
    /// share; none of one chain.
    pub between_se: Option<f64>,
    /// L(w*) on the chains' batches.
    pub init_loss: f64,
    /// Its standard error over batches.
    pub init_se: f64,
    /// Mean loss under the chains.
    pub mean_loss: f64,
    /// Root mean square ‖w−w*‖ over ‖w*‖ at the end of the chains.
    pub distance: f64,
    /// Root mean square ‖w−w*‖ over the draws.
    pub spread: f64,
    /// √(d/γ), the ‖w−w*‖ of the spring alone, d being the weights that move; none at γ 0.
    pub free: Option<f64>,
    /// λ̂ of each chain that stood.
    pub per_chain: Vec<f64>,
    /// Mean acceptance over the draws of each chain that stood: of MALA's proposals, or what MALA
    /// would have made of SGLD's steps.
    pub accept: Vec<f64>,
    /// Rank-normalised split R̂.
    pub rhat: Option<f64>,
    /// Effective sample size of the chain-mean series, in draws.
    pub ess: f64,
    /// Its autocorrelation time, in draws.
    pub time: f64,
    /// Fraction of draws below L(w*) on the same batch.
    pub below: f64,
    /// Discretisation index ε·a/4 at the greatest curvature a = nβ·h + γ, where h is known.
    pub index: Option<f64>,
    /// Root mean square over the draws of ‖(ε/2)nβ∇L‖, ‖(ε/2)γ(w−w*)‖ and √ε‖N‖: what a step is
    /// made of.
    pub forces: [f64; 3],
    /// Relaxation times of the softest direction the draws span: draws·εγ/2.
    pub relaxations: f64,
    /// The burn-in the trace suggests, in steps.
    pub burnin: u64,
    /// Chains whose loss left the finite numbers, counted from 0.
    pub failed: Vec<u32>,
    /// How many those are.
    pub failed_chains: u32,
    /// The curvature at w*, if it was measured.
    pub curvature: Option<Curved>,
    /// Where w* is the end of a descent from the checkpoint: how far that is, ‖w* − w‖, and by how much
    /// the loss has fallen on the descent's batch.
    pub polished: Option<[f64; 2]>,
    /// λ̂ split over classes of positions, where the loss is a mean over such.
    pub classes: Vec<ClassLlc>,
    /// What to look at, and what to do about it: a sentence each.
    pub warnings: Vec<String>,
}

/// What a class of positions adds to λ̂, over training.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassCurve {
    /// The class.
    pub name: String,
    /// Checkpoint steps.
    pub x: Vec<f64>,
    /// Its part of λ̂.
    pub y: Vec<f64>,
    /// One standard error below.
    pub lo: Vec<f64>,
    /// One standard error above.
    pub hi: Vec<f64>,
}

impl ClassCurve {
    /// The curves of all classes, over the points that are split.
    #[must_use]
    pub fn of(points: &[LlcPoint]) -> Vec<Self> {
        let mut out: Vec<Self> = Vec::new();
        for p in points {
            for class in &p.classes {
                let at = out.iter().position(|c| c.name == class.name);
                let at = at.unwrap_or_else(|| {
                    out.push(Self {
                        name: class.name.clone(),
                        ..Self::default()
                    });
                    out.len() - 1
                });
                let to = &mut out[at];
                to.x.push(p.step as f64);
                to.y.push(class.value);
                to.lo.push(class.value - class.se);
                to.hi.push(class.value + class.se);
            }
        }
        out
    }
    /// Its id among the series of a run.
    #[must_use]
    pub fn id(&self) -> String {
        format!("llc.{}", self.name)
    }
    /// Its meaning.
    #[must_use]
    pub fn label(&self) -> String {
        format!(
            "what the positions of class {} add to λ̂, their share included (± 1 SE)",
            self.name
        )
    }
}

/// The traces of one estimate, thinned for drawing: row k is the chain step `x[k]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceView {
    /// The checkpoint.
    pub step: u64,
    /// How it was made.
    pub settings: SamplerSettings,
    /// Chain steps, burn-in included.
    pub x: Vec<f64>,
    /// Loss of each chain, `[chain][row]`; a chain that failed ends where it did.
    pub losses: Vec<Vec<f64>>,
    /// L(w*) on the same batches.
    pub anchor: Vec<f64>,
    /// ‖w − w*‖ of each chain, `[chain][row]`.
    pub distance: Vec<Vec<f64>>,
    /// λ̂ over the draws up to each row, and its standard error; both begin behind burn-in, at row
    /// `x.len() − running.len()`.
    pub running: Vec<[f64; 2]>,
    /// Where each chain walks, `[chain][row]`, by two coordinates of the experiment; else empty.
    pub walk: Vec<Vec<[f64; 2]>>,
    /// The same at each of the last steps, none left out: what a step is made of can be told from it.
    pub tail: Vec<Vec<[f64; 2]>>,
    /// Chain steps taken so far, burn-in included.
    pub done: u64,
    /// The estimate, once it is done.
    pub point: Option<LlcPoint>,
}
