//! The interpreter over the twins: the reference in f64, the engine of visitors without WebGPU in f32.

use super::{Batch, Counters, Ticket};
use crate::kernels::{Access, Call, Elem, Replica, Slot, Step, Twin};
use crate::math::Real;
use crate::plan::{Buf, Plan, Prog};
use crate::protocol::{DeviceInfo, DeviceKind};
use std::collections::BTreeMap;

/// A precision the interpreter runs in: picks that precision of a twin.
pub trait Precision: Real {
    /// Runs the twin in this precision.
    fn call(twin: &Twin, call: Call<'_, Self>);
}
impl Precision for f32 {
    fn call(twin: &Twin, call: Call<'_, Self>) {
        (twin.f32)(call);
    }
}
#[cfg(not(target_arch = "wasm32"))]
impl Precision for f64 {
    fn call(twin: &Twin, call: Call<'_, Self>) {
        (twin.f64)(call);
    }
}

/// Runs plans on the CPU.
#[derive(Debug)]
pub struct CpuExec<T> {
    plan: Plan,
    floats: Vec<Vec<T>>,
    words: Vec<Vec<u32>>,
    replicas: Vec<Vec<Replica>>,
    done: BTreeMap<u64, Vec<Vec<f32>>>,
    next: u64,
    /// Twin calls and batches, under the names of the GPU's.
    pub counters: Counters,
}

impl<T: Precision> CpuExec<T> {
    /// Allocates every buffer, zeroed.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let of = |elem| move |b: &crate::plan::BufDecl| if b.elem == elem { b.len } else { 0 };
        Self {
            floats: plan
                .buffers
                .iter()
                .map(of(Elem::F32))
                .map(|n| vec![T::zero(); n])
                .collect(),
            words: plan
                .buffers
                .iter()
                .map(of(Elem::U32))
                .map(|n| vec![0; n])
                .collect(),
            replicas: plan
                .programs
                .iter()
                .map(|p| vec![Replica::default(); p.replicas])
                .collect(),
            plan: plan.clone(),
            done: BTreeMap::new(),
            next: 0,
            counters: Counters::default(),
        }
    }
    /// Sets the replica table of a program.
    pub fn set_replicas(&mut self, program: Prog, table: &[Replica]) {
        self.replicas[program.0] = table.to_vec();
    }
    /// A float buffer, to read.
    #[must_use]
    pub fn floats(&self, buf: Buf) -> &[T] {
        &self.floats[buf.0]
    }
    /// A float buffer, to fill.
    pub fn floats_mut(&mut self, buf: Buf) -> &mut [T] {
        &mut self.floats[buf.0]
    }
    /// A word buffer, to fill.
    pub fn words_mut(&mut self, buf: Buf) -> &mut [u32] {
        &mut self.words[buf.0]
    }
    /// Runs one step of a program.
    pub fn step(&mut self, program: Prog, step: Step) {
        let Self {
            plan,
            floats,
            words,
            replicas,
            counters,
            ..
        } = self;
        for node in &plan.programs[program.0].nodes {
            counters.dispatches += 1;
            // Written buffers are taken out, so that the others can be borrowed: the plan has
            // checked that none is bound twice when one binding writes it.
            let mut taken: Vec<(usize, Vec<T>)> = Vec::new();
            for (b, k) in node.buffers.iter().zip(node.kernel.bindings) {
                if k.access != Access::Read {
                    taken.push((b.0, std::mem::take(&mut floats[b.0])));
                }
            }
            let mut written = taken.iter_mut();
            let slots = node
                .buffers
                .iter()
                .zip(node.kernel.bindings)
                .map(|(b, k)| match (k.access, k.elem) {
                    (Access::Read, Elem::F32) => Slot::F(floats[b.0].as_slice()),
                    (Access::Read, Elem::U32) => Slot::U(words[b.0].as_slice()),
                    _ => Slot::FMut(
                        written
                            .next()
                            .map_or(&mut [][..], |(_, v)| v.as_mut_slice()),
                    ),
                })
                .collect();
            T::call(
                &node.kernel.twin,
                Call {
                    consts: &node.consts,
                    params: &node.params,
                    step,
                    replicas: &replicas[program.0],
                    slots,
                },
            );
            for (i, v) in taken {
                floats[i] = v;
            }
        }
    }
    /// Runs a batch to its end.
    pub fn submit(&mut self, batch: &Batch) -> Ticket {
        for (b, at, data) in &batch.words {
            self.words[b.0][*at..at + data.len()].copy_from_slice(data);
        }
        for (b, at, data) in &batch.floats {
            for (to, &from) in self.floats[b.0][*at..at + data.len()].iter_mut().zip(data) {
                *to = T::of32(from);
            }
        }
        for run in &batch.runs {
            for &step in &run.steps {
                self.step(run.program, step);
            }
        }
        let reads = batch
            .reads
            .iter()
            .map(|(b, range)| {
                self.floats[b.0][range.clone()]
                    .iter()
                    .map(|x| x.f32())
                    .collect()
            })
            .collect();
        self.counters.submits += 1;
        self.next += 1;
        self.done.insert(self.next, reads);
        Ticket(self.next)
    }
    /// The reads of a batch that has run.
    pub fn wait(&mut self, ticket: Ticket) -> Vec<Vec<f32>> {
        self.done.remove(&ticket.0).unwrap_or_default()
    }
}

/// What the CPU engine calls itself.
#[must_use]
pub fn device() -> DeviceInfo {
    let name = if cfg!(target_arch = "wasm32") {
        "CPU (WebAssembly SIMD, one worker)"
    } else {
        "CPU"
    };
    DeviceInfo {
        kind: DeviceKind::Cpu,
        name: name.into(),
        software: false,
    }
}
