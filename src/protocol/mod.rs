//! The only thing page and worker share at run time: commands down, events up.
//! Every message about a run carries its [`RunId`], so that late ones can be dropped.

mod ask;
mod data;
mod estimate;
mod fault;
mod gauge;
mod series;
mod stage;
mod study;
mod versus;

pub use ask::{Ask, Completed, Paths, Plane, Prompt, Tokens, Told};
pub use data::{
    Checked, Estimate, Figure, Jump, PcaUpdate, PerStep, Stored, Truth, TruthKind, Upload,
};
pub use estimate::{ClassCurve, ClassLlc, Curved, LlcPoint, SamplerSettings, TraceView};
pub use fault::{Fault, WhyCpu};
pub use gauge::{Gauge, Gauged};
pub use series::{Series, SeriesDelta};
pub use stage::{Change, Moved, Stage, StageKind, Stages};
pub use study::{Cell, CellResult, SlopeFit, Study, StudyKind, StudySpec};
pub use versus::{
    At, Compared, Lacking, Scored, Side, TokenSet, VersusSpec, VersusStage, VersusView,
};

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
    /// One training step; one step of the chains where nothing is trained.
    Step(RunId),
    /// Throw the run away.
    Reset(RunId),
    /// λ̂ and PCA follow this replica from now on.
    Follow(RunId, u32),
    /// Show the traces of the estimate at this checkpoint: answered with [`Event::Trace`].
    Open(RunId, u64),
    /// Show the model as it was at this checkpoint: answered with [`Event::Look`].
    Look(RunId, u64),
    /// The checkpoint of this step as a file: answered with [`Event::File`].
    Save(RunId, u64),
    /// A run with the weights of a safetensors file: answered with [`Event::Imported`] or
    /// [`Event::Refused`].
    Import(Upload),
    /// A text that runs may ask for by its name.
    Text(#[serde(with = "serde_bytes")] Vec<u8>),
    /// Stages end at these steps from now on, set by hand; none: they are found again.
    Cut(RunId, Option<Vec<u64>>),
    /// Turn a head of a checkpoint along its flat directions: answered with [`Event::Gauged`]. The
    /// latest counts.
    Gauge(RunId, Gauge),
    /// A question that takes evaluations of stored checkpoints: answered with [`Event::Told`]. The latest
    /// of each kind counts.
    Ask(RunId, Ask),
    /// The page has drawn this frame; the next may be sent.
    Ack(RunId),
    /// Force a fault, for practice.
    Drill(RunId, Drill),
    /// Estimate λ̂ of checkpoints that are there at other settings; replaces the study before it.
    Study(RunId, StudySpec),
    /// End the study; what is done stays.
    StopStudy(RunId),
    /// Compare two models token by token: answered with [`Event::Versus`], more than once. Replaces the
    /// comparison before it.
    Versus(VersusSpec),
    /// End the comparison.
    StopVersus,
    /// Compare every kernel with its CPU twin on this device.
    Check,
    /// Bytes that the stored record may take: its oldest checkpoints are thinned for it.
    Budget(u64),
    /// Delete the stored record.
    Forget,
    /// Delete the run in this file of the shelf.
    Discard(u32),
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
    /// Checkpoints that can be trained on from.
    #[serde(default)]
    pub whole: usize,
    /// New points.
    pub series: Vec<SeriesDelta>,
    /// λ̂ points, all of them when they changed.
    pub llc: Option<Vec<LlcPoint>>,
    /// PCA, whole when it changed.
    pub pca: Option<PcaUpdate>,
    /// With it, the plane it shares with the run beside it, if there is one.
    #[serde(default)]
    pub beside: Option<Plane>,
    /// With it, what it looked at, in a word: rows of runs with the same can be joined.
    #[serde(default)]
    pub looked: u32,
    /// Steps in it whose weights are no longer there.
    #[serde(default)]
    pub gone: Vec<u64>,
    /// The figure, when it changed.
    pub figure: Option<Figure>,
    /// Jumps of replicas, all of them when there are new ones.
    pub jumps: Option<Vec<Jump>>,
    /// Traces of the estimate under way, where nothing is trained.
    pub trace: Option<Box<TraceView>>,
    /// Mean seconds of a λ̂ point so far, if there was one.
    pub point_s: Option<f64>,
    /// The study, when it changed.
    pub study: Option<Study>,
    /// Stages, when they changed.
    pub stages: Option<Stages>,
    /// Checkpoints at which the heads of the model followed have yet to be measured.
    pub unprobed: usize,
    /// Counters of the engine.
    pub counters: Counters,
    /// Counters of training alone.
    pub per_step: PerStep,
    /// Remarks since the last frame.
    pub notices: Vec<Notice>,
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
    /// Answer to [`Command::Open`]: the traces, or the numbers alone where they are no longer kept.
    Trace {
        /// Which run.
        run: RunId,
        /// The traces.
        trace: Box<TraceView>,
    },
    /// Answer to [`Command::Save`].
    File {
        /// Which run.
        run: RunId,
        /// The step.
        step: u64,
        /// Safetensors.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// The run was kept for a reload.
    Kept {
        /// Which run.
        run: RunId,
        /// Bytes of its record.
        bytes: u64,
        /// Checkpoints in it, of how many.
        checkpoints: [u64; 2],
        /// Of them, those that can be trained on from: the optimiser's state is there.
        #[serde(default)]
        whole: u64,
    },
    /// A run begins with the weights of a file.
    Imported {
        /// Which run.
        run: RunId,
        /// The settings it has.
        link: String,
        /// The step of the file.
        step: u64,
        /// Steps of the run.
        steps: u64,
    },
    /// The runs that are stored, the oldest first.
    Shelf(Vec<Stored>),
    /// A file that cannot be used: what is wrong, a sentence each.
    Refused(Vec<String>),
    /// Answer to [`Command::Gauge`].
    Gauged(RunId, Gauged),
    /// Answer to [`Command::Versus`]: how far it is, and in the end what was found.
    Versus(Box<VersusView>),
    /// Answer to [`Command::Ask`].
    Told(RunId, Box<Told>),
    /// Answer to [`Command::Look`].
    Look {
        /// Which run.
        run: RunId,
        /// The step asked for.
        step: u64,
        /// The figure; none of a step without a checkpoint, and of a model without a figure.
        figure: Option<Figure>,
    },
    /// The replica that is followed from here on: what was told before is of another. Where another was
    /// asked for in vain a notice says why.
    Follows {
        /// Which run.
        run: RunId,
        /// The replica λ̂ and PCA follow.
        replica: u32,
    },
    /// A fault. After `DeviceLost` the worker tries to go on by itself.
    Fault {
        /// Which run; none if it is about the engine.
        run: Option<RunId>,
        /// What happened.
        fault: Fault,
    },
}
