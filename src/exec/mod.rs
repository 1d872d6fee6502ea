//! Executors run plans. They know kernels and buffers, never models.

pub mod check;
pub mod cpu;
pub mod gpu;

use crate::kernels::{Replica, Step};
use crate::plan::{Buf, Prog};
use crate::protocol::{DeviceInfo, Fault};
use std::ops::Range;

/// K steps of one program, with the data of each slot they use.
#[derive(Clone, Debug)]
pub struct Run {
    /// Which program.
    pub program: Prog,
    /// In order.
    pub steps: Vec<Step>,
}

/// One unit of work: writes from the host, then runs, then what is read back.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Words written at an element offset before anything runs (data of the steps).
    pub words: Vec<(Buf, usize, Vec<u32>)>,
    /// Floats written at an element offset before anything runs (weights).
    pub floats: Vec<(Buf, usize, Vec<f32>)>,
    /// What runs, in order.
    pub runs: Vec<Run>,
    /// Element ranges read back after everything ran (float buffers only).
    pub reads: Vec<(Buf, Range<usize>)>,
    /// Submissions each step is cut into, between nodes; 0 and 1 do not cut.
    pub cuts: usize,
}

/// A batch under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(pub u64);

/// Counts that must not rise unnoticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counters {
    /// Kernel launches.
    pub dispatches: u64,
    /// Queue submissions.
    pub submits: u64,
    /// Pipelines created, each when a program that needs it first ran.
    pub pipelines_created: u64,
    /// Bind groups created.
    pub bind_groups_created: u64,
    /// Buffers created.
    pub buffers_created: u64,
}

/// The engine of a run: the visitor's GPU or the twins.
#[derive(Debug)]
pub enum Exec {
    /// The CPU twins in f32.
    Cpu(Box<cpu::CpuExec<f32>>),
    /// WebGPU in the browser; Vulkan, Metal or DX12 natively.
    Gpu(Box<gpu::GpuExec>),
}

impl Exec {
    /// Sets the replica table of a program.
    pub fn set_replicas(&mut self, program: Prog, table: &[Replica]) {
        match self {
            Exec::Cpu(e) => e.set_replicas(program, table),
            Exec::Gpu(e) => e.set_replicas(program, table),
        }
    }
    /// Makes room for that many reads of so many floats under way at once, so that no later batch
    /// has to; nothing to do on the CPU.
    pub fn reserve(&mut self, reads: usize, floats: usize) {
        if let Exec::Gpu(e) = self {
            e.reserve(reads, floats);
        }
    }
    /// Makes ready what a program needs before it first runs; nothing runs.
    pub async fn warm(&mut self, program: Prog) {
        if let Exec::Gpu(e) = self {
            e.warm(program).await;
        }
    }
    /// Starts a batch. Batches run in the order submitted.
    ///
    /// # Errors
    /// Device lost or out of memory.
    pub fn submit(&mut self, batch: &Batch) -> Result<Ticket, Fault> {
        match self {
            Exec::Cpu(e) => Ok(e.submit(batch)),
            Exec::Gpu(e) => e.submit(batch),
        }
    }
    /// Waits for a batch and returns its reads, in order. Each ticket can be waited for once.
    ///
    /// # Errors
    /// Device lost or out of memory.
    pub async fn wait(&mut self, ticket: Ticket) -> Result<Vec<Vec<f32>>, Fault> {
        match self {
            Exec::Cpu(e) => Ok(e.wait(ticket)),
            Exec::Gpu(e) => e.wait(ticket).await,
        }
    }
    /// What runs.
    #[must_use]
    pub fn device(&self) -> DeviceInfo {
        match self {
            Exec::Cpu(_) => cpu::device(),
            Exec::Gpu(e) => e.device(),
        }
    }
    /// Counts so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        match self {
            Exec::Cpu(e) => e.counters,
            Exec::Gpu(e) => e.counters(),
        }
    }
}
