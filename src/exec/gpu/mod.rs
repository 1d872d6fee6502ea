//! The GPU executor: the only place that knows wgpu.

use super::{Batch, Counters, Ticket};
use crate::kernels::Replica;
use crate::plan::{Plan, Prog};
use crate::protocol::{DeviceInfo, DeviceKind, Fault, WhyCpu};

/// Runs plans on a GPU.
#[derive(Debug)]
pub struct GpuExec {}

impl GpuExec {
    /// Finds an adapter, makes pipelines, buffers and bind groups.
    ///
    /// # Errors
    /// No WebGPU, no adapter, refused, out of memory.
    pub async fn new(_plan: &Plan) -> Result<Self, Fault> {
        Err(Fault::NoGpu(WhyCpu::NoWebGpu))
    }
    /// Sets the replica table of a program.
    pub fn set_replicas(&mut self, _program: Prog, _table: &[Replica]) {}
    /// Starts a batch.
    ///
    /// # Errors
    /// Device lost or out of memory.
    pub fn submit(&mut self, _batch: &Batch) -> Result<Ticket, Fault> {
        Ok(Ticket(0))
    }
    /// Waits for a batch.
    ///
    /// # Errors
    /// Device lost or out of memory.
    pub async fn wait(&mut self, _ticket: Ticket) -> Result<Vec<Vec<f32>>, Fault> {
        Ok(Vec::new())
    }
    /// What runs.
    #[must_use]
    pub fn device(&self) -> DeviceInfo {
        DeviceInfo { kind: DeviceKind::Gpu, name: String::new(), software: false }
    }
    /// Counts so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters::default()
    }
}
