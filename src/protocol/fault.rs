//! What can go wrong, as types: each has its own words on screen.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why the CPU engine runs, when it does; each has its own words on screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WhyCpu {
    /// It was asked for.
    Asked,
    /// The page was served insecurely, so the browser hides WebGPU, storage and the clipboard.
    Insecure,
    /// This browser has no WebGPU.
    NoWebGpu,
    /// WebGPU is there, but no adapter.
    NoAdapter,
    /// The only adapter is a software one, which is slower than the CPU engine.
    SoftwareAdapter(String),
    /// The adapter refused a device, or it was lost and could not be had again.
    DeviceRefused(String),
}

/// A fault: what happened. The page says what is safe and what to press.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fault {
    /// A GPU was asked for by name and there is none.
    NoGpu(WhyCpu),
    /// More memory than the device or the budget gives.
    OutOfMemory {
        /// What the run would have needed, in bytes.
        needed: u64,
        /// What was allowed, in bytes.
        limit: u64,
    },
    /// The GPU went away.
    DeviceLost(String),
    /// Training left the finite numbers.
    Diverged {
        /// The first step whose loss was not finite.
        step: u64,
    },
    /// The link cannot be run at all.
    BadLink(String),
    /// The worker panicked.
    WorkerPanic(String),
    /// A mistake of the program.
    Internal(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NoGpu(why) => write!(f, "no GPU to run on: {why}"),
            Fault::OutOfMemory { needed, limit } => write!(
                f,
                "not enough memory: this run needs {} MB, the limit here is {} MB",
                needed.div_ceil(1_000_000),
                limit / 1_000_000
            ),
            Fault::DeviceLost(why) => write!(f, "the GPU was lost: {why}"),
            Fault::Diverged { step } => write!(
                f,
                "training diverged at step {step}: the loss is no longer a finite number"
            ),
            Fault::BadLink(why) => write!(f, "the link cannot be run: {why}"),
            Fault::WorkerPanic(why) => write!(f, "the engine stopped: {why}"),
            Fault::Internal(why) => write!(f, "a mistake in lambdahat: {why}"),
        }
    }
}

impl fmt::Display for WhyCpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WhyCpu::Asked => write!(f, "the CPU engine was asked for"),
            WhyCpu::Insecure => write!(
                f,
                "the page was opened over plain http from another machine, where browsers switch WebGPU off"
            ),
            WhyCpu::NoWebGpu => write!(f, "this browser has no WebGPU"),
            WhyCpu::NoAdapter => write!(f, "WebGPU is here, but it offers no graphics adapter"),
            WhyCpu::SoftwareAdapter(name) => write!(
                f,
                "the only adapter, {name}, is a software one and slower than the CPU engine"
            ),
            WhyCpu::DeviceRefused(why) => write!(f, "the graphics adapter refused to work: {why}"),
        }
    }
}

impl std::error::Error for Fault {}

impl From<crate::plan::PlanError> for Fault {
    fn from(e: crate::plan::PlanError) -> Self {
        Fault::Internal(e.to_string())
    }
}
