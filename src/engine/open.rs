//! Which engine runs: the choice of the page's menu, of the hash, of `--device`.

use crate::exec::gpu::{Choice, Gpu, GpuExec};
use crate::exec::{Exec, cpu};
use crate::plan::Plan;
use crate::protocol::{Checked, DeviceInfo, EngineChoice, Fault, WhyCpu};

/// Where executors come from: kept for the life of the worker, so that a second run starts at once.
#[derive(Debug)]
pub enum Source {
    /// The twins.
    Cpu,
    /// An adapter and its device.
    Gpu(Box<Gpu>),
}

impl Source {
    /// Finds an engine. `secure` is false where the browser hides WebGPU because the page came over
    /// plain http from another machine.
    ///
    /// # Errors
    /// `NoGpu` when a GPU was asked for by name and there is none.
    pub async fn find(choice: EngineChoice, secure: bool) -> Result<(Self, Option<WhyCpu>), Fault> {
        if choice == EngineChoice::Cpu {
            return Ok((Source::Cpu, Some(WhyCpu::Asked)));
        }
        let adapters = if choice == EngineChoice::Gpu {
            Choice::Any
        } else {
            Choice::Hardware
        };
        let found = if secure {
            Gpu::open(adapters).await
        } else {
            Err(WhyCpu::Insecure)
        };
        match found {
            Ok(gpu) => Ok((Source::Gpu(Box::new(gpu)), None)),
            Err(why) if choice == EngineChoice::Gpu => Err(Fault::NoGpu(why)),
            Err(why) => Ok((Source::Cpu, Some(why))),
        }
    }

    /// What runs.
    #[must_use]
    pub fn info(&self) -> DeviceInfo {
        match self {
            Source::Cpu => cpu::device(),
            Source::Gpu(gpu) => gpu.info(),
        }
    }

    /// An executor for a plan.
    ///
    /// # Errors
    /// Out of memory, device lost.
    pub async fn exec(&self, plan: &Plan) -> Result<Exec, Fault> {
        Ok(match self {
            Source::Cpu => Exec::Cpu(Box::new(cpu::CpuExec::new(plan))),
            Source::Gpu(gpu) => Exec::Gpu(Box::new(GpuExec::new(gpu, plan).await?)),
        })
    }

    /// Compares every kernel with its twin on this device; nothing to compare on the CPU engine.
    pub async fn check(&self) -> Vec<Checked> {
        let Source::Gpu(gpu) = self else {
            return Vec::new();
        };
        let rows = crate::exec::check::check(gpu).await;
        let told = |r: crate::exec::check::CheckRow| Checked {
            margin: f64::from(r.margin),
            agrees: r.agrees(),
            kernel: r.kernel,
            case: r.case,
        };
        rows.into_iter().map(told).collect()
    }
}
