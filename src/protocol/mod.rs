//! The only thing page and worker share at run time: commands down, events up.
//! Every message about a run carries its [`RunId`], so that late ones can be dropped.

mod fault;

pub use fault::{Fault, WhyCpu};

use crate::exec::Counters;
use serde::{Deserialize, Serialize};

/// Names a run within one page; grows with every Start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunId(pub u32);

/// Which engine is asked for: the page's menu, `engine=` in the hash, `--device` natively.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineChoice {
    /// A hardware GPU if there is one, else the CPU engine.
    #[default]
    Auto,
    /// WebGPU, a software adapter included.
    Gpu,
    /// The CPU twins.
    Cpu,
}

impl EngineChoice {
    /// `auto`, `gpu` or `cpu`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Auto, Self::Gpu, Self::Cpu]
            .into_iter()
            .find(|c| c.as_str() == text)
    }
    /// As written in a link.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Gpu => "gpu",
            Self::Cpu => "cpu",
        }
    }
}

/// What runs the kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// The shaders.
    Gpu,
    /// The twins.
    Cpu,
}

/// A device, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// Shaders or twins.
    pub kind: DeviceKind,
    /// As the driver names it.
    pub name: String,
    /// A GPU that is a program on the CPU.
    pub software: bool,
}

/// A remark for the reader: what was ignored, clamped, replaced or lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The knob it is about, if it is about one.
    pub key: Option<String>,
    /// One sentence.
    pub text: String,
}

impl Notice {
    /// About no knob.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            key: None,
            text: text.into(),
        }
    }
    /// About a knob.
    pub fn about(key: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            key: Some(key.into()),
            text: text.into(),
        }
    }
}

/// Where a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Nothing started.
    #[default]
    Idle,
    /// Building the plan, making pipelines.
    Preparing,
    /// Training.
    Training,
    /// Waiting for the person.
    Paused,
    /// Chains run at a checkpoint; training waits.
    Sampling {
        /// The checkpoint's step.
        at: u64,
    },
    /// All steps done.
    Done,
    /// Stopped by a fault.
    Failed,
}

/// More points of a series. Points come in order of x; `from` replaces everything at and after it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SeriesDelta {
    /// Series id, such as `loss.first` or `replicas/3/loss.population`.
    pub id: String,
    /// Index of the first point given: what the page has at and after it is replaced.
    pub from: usize,
    /// Steps.
    pub x: Vec<f64>,
    /// Values.
    pub y: Vec<f64>,
    /// Lower end of the interval, where the series has one.
    pub lo: Vec<f64>,
    /// Upper end.
    pub hi: Vec<f64>,
}

/// One λ̂ estimate, with what a reader needs to judge it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LlcPoint {
    /// Checkpoint.
    pub step: u64,
    /// λ̂ = nβ(E[L] − L(w*)).
    pub value: f64,
    /// Standard error, nβ·sd/√ESS on the chain-mean series of differences.
    pub se: f64,
    /// L(w*) on the chains' batches.
    pub init_loss: f64,
    /// Mean loss under the chains.
    pub mean_loss: f64,
    /// Root mean square ‖w−w*‖ over ‖w*‖ at the end of the chains.
    pub distance: f64,
    /// λ̂ of each chain that stood.
    pub per_chain: Vec<f64>,
    /// Chains whose loss left the finite numbers.
    pub failed_chains: u32,
}

/// Logit-PCA over all checkpoints so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PcaUpdate {
    /// Checkpoint steps.
    pub steps: Vec<f64>,
    /// Coordinates of each checkpoint on PC1..PC3.
    pub pcs: Vec<[f64; 3]>,
    /// Explained variance, fractions of the whole.
    pub explained: [f64; 3],
}

/// The figure of the model itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Figure {
    /// Superposition: the weights of every replica.
    Superposition {
        /// Features c.
        features: usize,
        /// `[replica][W (hidden × features) then b (features)]`, hidden 2, W row-major.
        weights: Vec<f32>,
        /// The k of the k-gon each replica is at, by its population loss: such as `5+`.
        gons: Vec<String>,
    },
    /// Attention patterns on a fixed input.
    Attention {
        /// Layers.
        layers: usize,
        /// Heads a layer.
        heads: usize,
        /// Context length T.
        ctx: usize,
        /// `[layer][head][query][key]`, 0..=255 for 0..=1.
        #[serde(with = "serde_bytes")]
        patterns: Vec<u8>,
        /// The tokens of the input.
        tokens: Vec<u32>,
        /// Period of the input's repeat.
        period: usize,
    },
}

/// A replica went from one k-gon to another between two evaluations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jump {
    /// The evaluation that saw it.
    pub step: u64,
    /// Who.
    pub replica: usize,
    /// From which k-gon.
    pub from: String,
    /// To which.
    pub to: String,
}

/// What a run will cost here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Seconds for the whole run, λ̂ included.
    pub seconds: f64,
    /// Bytes on the device.
    pub bytes: u64,
    /// Measured training steps per second.
    pub steps_per_s: f64,
    /// Same for the preset named in the card as the light one, if there is one.
    pub light_seconds: Option<f64>,
}

/// A run kept in the browser's storage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    /// Its link.
    pub link: String,
    /// Step it can go on from.
    pub step: u64,
    /// Steps of the whole run.
    pub steps: u64,
}

/// From page to worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// First message: which engine, and whether the page is a secure context.
    Hello {
        /// Engine asked for.
        engine: EngineChoice,
        /// `window.isSecureContext`.
        secure: bool,
    },
    /// Measure what this link would cost here (about a second).
    Measure {
        /// The link.
        link: String,
    },
    /// Build and run a link from its beginning, or from its stored record.
    Start {
        /// Its name from now on.
        run: RunId,
        /// The link, as in the address bar.
        link: String,
        /// Go on from the stored record of this link.
        resume: bool,
        /// Begin paused: a single Step follows.
        paused: bool,
    },
    /// Stop after the batch under way.
    Pause(RunId),
    /// Go on.
    Resume(RunId),
    /// One training step.
    Step(RunId),
    /// Throw the run away.
    Reset(RunId),
    /// λ̂ and PCA follow this replica from now on.
    Follow(RunId, u32),
    /// The page has drawn this frame; the next may be sent.
    Ack(RunId),
    /// Force a fault, for practice.
    Drill(RunId, Drill),
    /// Compare every kernel with its CPU twin on this device.
    Check,
    /// Delete the stored record.
    Forget,
}

/// Faults that can be forced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Drill {
    /// Destroy the GPU device.
    LoseDevice,
    /// Panic in the worker.
    Panic,
    /// Put a NaN into the weights.
    Diverge,
    /// Report that memory is out.
    OutOfMemory,
}

/// What a run looks like now. At most one is unacknowledged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// Which run.
    pub run: RunId,
    /// Where it is.
    pub phase: Phase,
    /// Steps done.
    pub step: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// Training steps per second over the last seconds.
    pub rate: f64,
    /// Seconds left, λ̂ included, if known.
    pub left_s: Option<f64>,
    /// New points.
    pub series: Vec<SeriesDelta>,
    /// λ̂ points, all of them when they changed.
    pub llc: Option<Vec<LlcPoint>>,
    /// PCA, whole when it changed.
    pub pca: Option<PcaUpdate>,
    /// The figure, when it changed.
    pub figure: Option<Figure>,
    /// Jumps of replicas, all of them when there are new ones.
    pub jumps: Option<Vec<Jump>>,
    /// Counters of the engine.
    pub counters: Counters,
    /// Remarks since the last frame.
    pub notices: Vec<Notice>,
}

/// One kernel on one case, compared with its CPU twin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    /// The kernel.
    pub kernel: String,
    /// The case.
    pub case: String,
    /// Largest difference over the tolerance: at most 1 agrees.
    pub margin: f64,
    /// Whether it agrees in every respect.
    pub agrees: bool,
}

/// From worker to page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The engine is up.
    Ready {
        /// What runs.
        device: DeviceInfo,
        /// Why it is the CPU, if it is.
        why_cpu: Option<WhyCpu>,
        /// A run that can be resumed.
        stored: Option<Stored>,
        /// Whether runs are kept (storage is there).
        keeps: bool,
    },
    /// Answer to [`Command::Measure`].
    Cost {
        /// The link measured.
        link: String,
        /// Its cost.
        estimate: Estimate,
    },
    /// Answer to [`Command::Check`]: a row a case; none where the CPU engine runs, which has nothing
    /// to compare.
    Checked(Vec<Checked>),
    /// New picture of a run.
    Frame(Box<Frame>),
    /// A fault. After `DeviceLost` the worker tries to go on by itself.
    Fault {
        /// Which run; none if it is about the engine.
        run: Option<RunId>,
        /// What happened.
        fault: Fault,
    },
}
