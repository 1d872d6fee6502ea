//! Compares every kernel with its twin on a device: natively in tests, and in the page's worker,
//! where a visitor can ask whether this device computes what it should.

use super::gpu::{Gpu, GpuExec};
use super::{Batch, Run};
use crate::kernels::cases::{Case, Input, POISON, cases};
use crate::kernels::{Access, Call, Elem, Slot};
use crate::plan::Plan;
use crate::protocol::Fault;
use serde::{Deserialize, Serialize};

/// Elements behind each written buffer that a kernel must leave alone.
const GUARD: usize = 64;

/// One case on one device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckRow {
    /// The kernel.
    pub kernel: String,
    /// What is special about the case.
    pub case: String,
    /// Worst |gpu − twin| / (1 + |twin|) over the tolerance: up to 1 is agreement; infinite where
    /// one of the two is NaN.
    pub margin: f32,
    /// Elements compared.
    pub count: usize,
    /// Elements the twin wrote and the device did not.
    pub poisoned_left: usize,
    /// Elements the device wrote and the twin did not, behind the buffer's end included.
    pub stray: usize,
    /// What kept the case from running.
    pub fault: Option<String>,
}

impl CheckRow {
    /// Whether device and twin agree.
    #[must_use]
    pub fn agrees(&self) -> bool {
        let whole = self.poisoned_left == 0 && self.stray == 0 && self.count > 0;
        whole && self.margin <= 1.0 && self.fault.is_none()
    }
}

/// Runs every case of every kernel.
pub async fn check(gpu: &Gpu) -> Vec<CheckRow> {
    check_cases(gpu, &cases()).await
}

/// Runs these cases. A case that cannot run is a row with its fault; a lost device ends the check.
pub async fn check_cases(gpu: &Gpu, cases: &[Case]) -> Vec<CheckRow> {
    let mut rows = Vec::with_capacity(cases.len());
    for case in cases {
        let mut row = CheckRow {
            kernel: case.kernel.name.to_owned(),
            case: case.label.clone(),
            margin: 0.0,
            count: 0,
            poisoned_left: 0,
            stray: 0,
            fault: None,
        };
        let inputs = case.inputs();
        let lost = match on_device(gpu, case, &inputs).await {
            Ok(device) => {
                compare(
                    &mut row,
                    case.kernel.tolerance,
                    &device,
                    &on_twin(case, &inputs),
                );
                false
            }
            Err(fault) => {
                row.fault = Some(fault.to_string());
                matches!(fault, Fault::DeviceLost(_))
            }
        };
        rows.push(row);
        if lost {
            break;
        }
    }
    rows
}

/// Whether a binding is compared afterwards.
fn written(input: &Input) -> bool {
    input.access != Access::Read && input.elem == Elem::F32
}

fn floats(bits: &[u32]) -> Vec<f32> {
    bits.iter().copied().map(f32::from_bits).collect()
}

/// The written buffers after the launch, each with its guard.
async fn on_device(gpu: &Gpu, case: &Case, inputs: &[Input]) -> Result<Vec<Vec<f32>>, Fault> {
    let mut plan = Plan::default();
    let mut batch = Batch::default();
    let mut buffers = Vec::new();
    for (binding, input) in case.kernel.bindings.iter().zip(inputs) {
        let len = input.bits.len();
        let buffer = match input.elem {
            Elem::U32 => {
                let buffer = plan.host_u32(binding.name, len);
                batch.words.push((buffer, 0, input.bits.clone()));
                buffer
            }
            Elem::F32 => {
                let guard = if written(input) { GUARD } else { 0 };
                let buffer = plan.host_f32(binding.name, len + guard);
                let mut values = floats(&input.bits);
                values.resize(len + guard, f32::from_bits(POISON));
                batch.floats.push((buffer, 0, values));
                if written(input) {
                    batch.reads.push((buffer, 0..len + guard));
                }
                buffer
            }
        };
        buffers.push(buffer);
    }
    let program = plan.program("check", case.replicas);
    plan.push(program, case.kernel, &case.consts, &case.params, &buffers)?;
    batch.runs.push(Run {
        program,
        steps: vec![case.step()],
    });
    let mut exec = GpuExec::new(gpu, &plan).await?;
    exec.set_replicas(program, &case.table());
    let ticket = exec.submit(&batch)?;
    exec.wait(ticket).await
}

/// The written buffers after the twin's call.
fn on_twin(case: &Case, inputs: &[Input]) -> Vec<Vec<f32>> {
    let table = case.table();
    let mut values: Vec<Vec<f32>> = inputs
        .iter()
        .map(|i| {
            if i.elem == Elem::F32 {
                floats(&i.bits)
            } else {
                vec![]
            }
        })
        .collect();
    let slots = values
        .iter_mut()
        .zip(inputs)
        .map(|(values, input)| match (input.elem, input.access) {
            (Elem::U32, _) => Slot::U(&input.bits),
            (Elem::F32, Access::Read) => Slot::F(values.as_slice()),
            (Elem::F32, _) => Slot::FMut(values.as_mut_slice()),
        })
        .collect();
    (case.kernel.twin.f32)(Call {
        consts: &case.consts,
        params: &case.params,
        step: case.step(),
        replicas: &table,
        slots,
    });
    values
        .into_iter()
        .zip(inputs)
        .filter(|(_, i)| written(i))
        .map(|(v, _)| v)
        .collect()
}

/// Bits tell a NaN where a compiler may assume that there is none.
fn is_nan(bits: u32) -> bool {
    bits & 0x7fff_ffff > 0x7f80_0000
}

fn compare(row: &mut CheckRow, tolerance: f32, device: &[Vec<f32>], twin: &[Vec<f32>]) {
    for (device, twin) in device.iter().zip(twin) {
        let guard = std::iter::repeat(f32::from_bits(POISON));
        for (d, t) in device.iter().zip(twin.iter().copied().chain(guard)) {
            match (d.to_bits() == POISON, t.to_bits() == POISON) {
                (true, true) => continue,
                (true, false) => row.poisoned_left += 1,
                (false, true) => row.stray += 1,
                (false, false) => {
                    row.count += 1;
                    let margin = if d.to_bits() == t.to_bits() && !is_nan(d.to_bits()) {
                        0.0
                    } else if is_nan(d.to_bits()) || is_nan(t.to_bits()) {
                        f32::INFINITY
                    } else {
                        (d - t).abs() / (1.0 + t.abs()) / tolerance
                    };
                    row.margin = row.margin.max(margin);
                }
            }
        }
    }
}
