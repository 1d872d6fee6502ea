//! The GPU executor: the only place that knows wgpu. It runs plans; it knows no models.
//!
//! Uniforms, buffers and bind groups are made once, when a plan is recorded, and the pipelines of a
//! program once, when it first runs; from then on a batch is host writes, launches and copies into
//! staging buffers that are used again.

mod compiled;
mod device;
mod pipelines;
mod readback;
mod replay;

pub use device::{Choice, Gpu};

use super::{Batch, Counters, Ticket};
use crate::kernels::{Elem, Replica};
use crate::plan::{Buf, BufDecl, Plan, Prog};
use crate::protocol::{DeviceInfo, Fault};
use pipelines::Recording;
use readback::{Flight, Staging};
use replay::Encoder;
use std::collections::BTreeMap;

/// Runs plans on a GPU.
#[derive(Debug)]
pub struct GpuExec {
    gpu: Gpu,
    recording: Recording,
    decls: Vec<BufDecl>,
    bytes: u64,
    staging: Staging,
    flights: BTreeMap<u64, Flight>,
    next: u64,
    counters: Counters,
}

impl GpuExec {
    /// Records a plan: makes its buffers (zeroed), uniforms and bind groups.
    ///
    /// # Errors
    /// `OutOfMemory` with what was needed and what there is; `DeviceLost`; `Internal` for a plan
    /// the device refuses.
    pub async fn new(gpu: &Gpu, plan: &Plan) -> Result<Self, Fault> {
        gpu.forgive();
        let recording = Recording::new(gpu, plan).await?;
        Ok(Self {
            gpu: gpu.clone(),
            counters: recording.counters,
            recording,
            decls: plan.buffers.clone(),
            bytes: plan.bytes(),
            staging: Staging::default(),
            flights: BTreeMap::new(),
            next: 0,
        })
    }

    /// Sets the replica table of a program; entries beyond its replicas are ignored.
    pub fn set_replicas(&mut self, program: Prog, table: &[Replica]) {
        if let Some(program) = self.recording.programs.get(program.0) {
            let table = &table[..table.len().min(program.count)];
            if !table.is_empty() {
                self.gpu
                    .queue
                    .write_buffer(&program.replicas, 0, bytemuck::cast_slice(table));
            }
        }
    }

    /// Makes staging buffers for that many reads of so many floats under way at once.
    pub fn reserve(&mut self, reads: usize, floats: usize) {
        let Self {
            gpu,
            staging,
            counters,
            ..
        } = self;
        staging.reserve(gpu, counters, reads, floats);
    }

    /// Makes the pipelines of a program and waits until the device has them; nothing runs. What the
    /// device refuses it reports when a batch is submitted.
    pub async fn warm(&mut self, program: Prog) {
        self.recording
            .ready(&self.gpu, program.0, &mut self.counters);
        // Answers come in the order of what was asked: an empty scope closes after the compiling.
        let scope = self
            .gpu
            .device
            .push_error_scope(wgpu::ErrorFilter::Validation);
        let _ = scope.pop().await;
    }

    /// Starts a batch. Batches run in the order submitted; several may be under way.
    ///
    /// # Errors
    /// Device lost or out of memory; `Internal` for a write, read or program the plan does not have,
    /// here or when the batch is waited for, for a shader the device refuses.
    pub fn submit(&mut self, batch: &Batch) -> Result<Ticket, Fault> {
        self.gpu.fault(self.bytes)?;
        self.inspect(batch)?;
        let Self {
            gpu,
            recording,
            staging,
            counters,
            ..
        } = self;
        for run in &batch.runs {
            recording.ready(gpu, run.program.0, counters);
        }
        let write = |b: &Buf, at: &usize, data: &[u8]| {
            gpu.queue
                .write_buffer(&recording.buffers[b.0], 4 * *at as u64, data);
        };
        for (b, at, data) in &batch.words {
            write(b, at, bytemuck::cast_slice(data));
        }
        for (b, at, data) in &batch.floats {
            write(b, at, bytemuck::cast_slice(data));
        }
        let lens = batch.reads.iter().map(|(_, range)| range.len()).collect();
        let mut flight = staging.take(gpu, counters, lens);
        let mut encoder = Encoder::new(&gpu.device, &gpu.queue, recording, counters);
        for run in &batch.runs {
            encoder.run(&recording.programs[run.program.0], &run.steps, batch.cuts);
        }
        let mut to = 0;
        for (b, range) in batch.reads.iter().filter(|(_, range)| !range.is_empty()) {
            let (at, bytes) = (4 * range.start as u64, 4 * range.len() as u64);
            encoder.copy(&recording.buffers[b.0], at, staging.of(&flight), to, bytes);
            to += bytes;
        }
        if to == 0 {
            // One word, so that the end of the batch can be waited for like any other.
            encoder.copy(&recording.steps, 0, staging.of(&flight), 0, 4);
        }
        let submission = encoder.finish();
        staging.map(&mut flight, submission);
        self.next += 1;
        self.flights.insert(self.next, flight);
        self.gpu.fault(self.bytes)?;
        Ok(Ticket(self.next))
    }

    /// Waits for a batch and returns its reads, in order. Each ticket can be waited for once.
    ///
    /// # Errors
    /// Device lost or out of memory; `Internal` for a ticket that is not under way.
    pub async fn wait(&mut self, ticket: Ticket) -> Result<Vec<Vec<f32>>, Fault> {
        let Some(flight) = self.flights.remove(&ticket.0) else {
            return Err(Fault::Internal(format!(
                "batch {} is not under way",
                ticket.0
            )));
        };
        let reads = self.staging.finish(&self.gpu, flight).await;
        // What the callbacks said is the better reason.
        self.gpu.fault(self.bytes)?;
        if let Err(Fault::DeviceLost(why)) = &reads {
            self.gpu.report_lost(why);
        }
        reads
    }

    /// Everything a batch names must be there: wgpu would panic or lose the batch.
    fn inspect(&self, batch: &Batch) -> Result<(), Fault> {
        let within = |b: &Buf, elem: Elem, at: usize, len: usize| {
            let decl = self.decls.get(b.0);
            let fits = decl.is_some_and(|d| {
                d.elem == elem && at.checked_add(len).is_some_and(|end| end <= d.len)
            });
            let name = decl.map_or("?", |d| d.name.as_str());
            let what = || format!("{len} elements at {at} are not in {elem:?} buffer `{name}`");
            if fits {
                Ok(())
            } else {
                Err(Fault::Internal(what()))
            }
        };
        for (b, at, data) in &batch.words {
            within(b, Elem::U32, *at, data.len())?;
        }
        for (b, at, data) in &batch.floats {
            within(b, Elem::F32, *at, data.len())?;
        }
        for (b, range) in &batch.reads {
            within(b, Elem::F32, range.start, range.len())?;
        }
        match batch
            .runs
            .iter()
            .find(|r| r.program.0 >= self.recording.programs.len())
        {
            Some(run) => Err(Fault::Internal(format!("no program {}", run.program.0))),
            None => Ok(()),
        }
    }

    /// Loses the device, as a driver would: a drill. The next submit or wait says so.
    pub fn destroy(&mut self) {
        self.gpu.destroy();
    }

    /// What runs.
    #[must_use]
    pub fn device(&self) -> DeviceInfo {
        self.gpu.info()
    }

    /// Counts so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }
}

impl Drop for GpuExec {
    fn drop(&mut self) {
        self.recording.destroy();
        self.staging.destroy();
    }
}
