//! The GPU executor on the device there is (a software Vulkan will do): how steps are grouped cannot
//! be seen, faults are faults and never panics, and a steady state makes nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::exec::cpu::CpuExec;
use lambdahat::exec::gpu::{Choice, Gpu, GpuExec};
use lambdahat::exec::{Batch, Run, Ticket};
use lambdahat::kernels::probe::PHILOX;
use lambdahat::kernels::twin;
use lambdahat::kernels::{Call, Kernel, Replica, Step, read, update};
use lambdahat::math::Real;
use lambdahat::plan::{Buf, Plan, Prog};
use lambdahat::protocol::Fault;
use pollster::block_on;

const REPLICAS: usize = 3;
const BLOCKS: usize = 20;
const SLOTS: usize = 8;

/// A walk: `x += lr · schedule · normal`, and `stats[slot][replica] = x[replica][0]`.
const WALK: Kernel = Kernel {
    name: "test/walk",
    source: "
#import lib/tables
override n: u32;
@group(0) @binding(1) var<storage, read> normals: array<f32>;
@group(0) @binding(2) var<storage, read_write> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> stats: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    if (id.x >= n) {
        return;
    }
    let i = id.z * n + id.x;
    let moved = x[i] + replicas[id.z].lr * step_now.schedule * normals[i];
    x[i] = moved;
    if (id.x == 0u) {
        stats[step_now.slot * groups.z + id.z] = moved;
    }
}
",
    consts: &["n"],
    params: &[],
    bindings: &[read("normals"), update("x"), update("stats")],
    grid: |c| [c[0].div_ceil(64), 1],
    needs: |c, _, r| vec![r * c[0] as usize, r * c[0] as usize, r],
    tolerance: 1e-6,
    twin: twin!(walk),
};

fn walk<T: Real>(mut call: Call<'_, T>) {
    let [n] = call.consts();
    let (step, table) = (call.step, call.replicas);
    let [normals, x, stats] = call.slots();
    let (normals, x, stats) = (normals.f(), x.out(), stats.out());
    for (r, replica) in table.iter().enumerate() {
        let rate = T::of32(replica.lr * step.schedule);
        for (x, &z) in x[r * n..(r + 1) * n].iter_mut().zip(&normals[r * n..]) {
            *x += rate * z;
        }
        stats[step.slot as usize * table.len() + r] = x[r * n];
    }
}

struct Walk {
    plan: Plan,
    program: Prog,
    x: Buf,
    stats: Buf,
}

impl Walk {
    fn new() -> Self {
        let mut plan = Plan::default();
        let n = 4 * BLOCKS;
        let words = plan.f32("words", 2 * REPLICAS * n);
        let normals = plan.f32("normals", REPLICAS * n);
        let x = plan.host_f32("x", REPLICAS * n);
        let stats = plan.host_f32("stats", SLOTS * REPLICAS);
        let program = plan.program("walk", REPLICAS);
        plan.push(program, &PHILOX, &[BLOCKS as u32], &[5], &[words, normals])
            .unwrap();
        plan.push(program, &WALK, &[n as u32], &[], &[normals, x, stats])
            .unwrap();
        Self {
            plan,
            program,
            x,
            stats,
        }
    }
    fn table() -> Vec<Replica> {
        let one = |r: u32| Replica {
            seed: 5 + r,
            lr: 0.1 + r as f32,
            ..Replica::default()
        };
        (0..REPLICAS as u32).map(one).collect()
    }
    /// Steps `from..from + n` and a read of everything.
    fn batch(&self, from: usize, n: usize, cuts: usize) -> Batch {
        let step = |i: usize| Step {
            index: i as u32,
            slot: (i % SLOTS) as u32,
            schedule: 1.0 / (1.0 + i as f32),
            ..Step::default()
        };
        let steps = (from..from + n).map(step).collect();
        Batch {
            runs: vec![Run {
                program: self.program,
                steps,
            }],
            reads: vec![
                (self.stats, 0..SLOTS * REPLICAS),
                (self.x, 0..4 * BLOCKS * REPLICAS),
                (self.x, 1..3),
            ],
            cuts,
            ..Batch::default()
        }
    }
    fn start(&self, gpu: &Gpu) -> GpuExec {
        let mut exec = block_on(GpuExec::new(gpu, &self.plan)).unwrap();
        exec.set_replicas(self.program, &Self::table());
        exec
    }
}

fn gpu() -> Gpu {
    block_on(Gpu::open(Choice::Any)).expect("a Vulkan, Metal or DX12 device, software will do")
}

fn bits(reads: &[Vec<f32>]) -> Vec<Vec<u32>> {
    reads
        .iter()
        .map(|r| r.iter().map(|x| x.to_bits()).collect())
        .collect()
}

fn finish(exec: &mut GpuExec, ticket: Ticket) -> Vec<Vec<f32>> {
    block_on(exec.wait(ticket)).unwrap()
}

#[test]
fn grouping_cannot_be_seen() {
    let gpu = gpu();
    let walk = Walk::new();
    let whole = {
        let mut exec = walk.start(&gpu);
        let ticket = exec.submit(&walk.batch(0, 8, 0)).unwrap();
        assert_eq!(exec.counters().submits, 1);
        assert_eq!(exec.counters().dispatches, 16);
        finish(&mut exec, ticket)
    };
    assert!(whole[0].iter().all(|&x| x != 0.0 && x.is_finite()));
    assert_eq!(whole[1][1..3], whole[2]);
    // One at a time, all in flight at once, waited for in order.
    let mut exec = walk.start(&gpu);
    let tickets: Vec<_> = (0..8)
        .map(|i| exec.submit(&walk.batch(i, 1, 0)).unwrap())
        .collect();
    let mut last = Vec::new();
    for (i, ticket) in tickets.into_iter().enumerate() {
        last = finish(&mut exec, ticket);
        let slot = i * REPLICAS..(i + 1) * REPLICAS;
        assert_eq!(last[0][slot.clone()], whole[0][slot.clone()]);
        assert!(
            last[0][slot.end..].iter().all(|&x| x == 0.0),
            "later steps had not run yet"
        );
    }
    assert_eq!(bits(&last), bits(&whole));
    // Cut between nodes.
    for cuts in [2, 5] {
        let mut exec = walk.start(&gpu);
        let ticket = exec.submit(&walk.batch(0, 8, cuts)).unwrap();
        assert!(exec.counters().submits >= 16);
        assert_eq!(bits(&finish(&mut exec, ticket)), bits(&whole));
    }
    // Planted: another order of steps must be seen.
    let mut exec = walk.start(&gpu);
    let mut batch = walk.batch(0, 8, 0);
    batch.runs[0].steps.reverse();
    let ticket = exec.submit(&batch).unwrap();
    assert_ne!(bits(&finish(&mut exec, ticket)), bits(&whole));
}

#[test]
fn more_steps_than_the_table_holds() {
    let gpu = gpu();
    let walk = Walk::new();
    let mut exec = walk.start(&gpu);
    let ticket = exec.submit(&walk.batch(0, 1200, 0)).unwrap();
    assert_eq!(exec.counters().submits, 3);
    let together = finish(&mut exec, ticket);
    let mut exec = walk.start(&gpu);
    let mut apart = Vec::new();
    for from in (0..1200).step_by(100) {
        let ticket = exec.submit(&walk.batch(from, 100, 0)).unwrap();
        apart = finish(&mut exec, ticket);
    }
    assert_eq!(bits(&apart), bits(&together));
}

#[test]
fn both_engines_agree() {
    let gpu = gpu();
    let walk = Walk::new();
    let mut batch = walk.batch(0, 8, 0);
    let start: Vec<f32> = (0..4 * BLOCKS * REPLICAS).map(|i| i as f32 / 7.0).collect();
    batch.floats.push((walk.x, 0, start));
    let mut exec = walk.start(&gpu);
    let ticket = exec.submit(&batch).unwrap();
    let device = finish(&mut exec, ticket);
    let mut cpu = CpuExec::<f32>::new(&walk.plan);
    cpu.set_replicas(walk.program, &Walk::table());
    let ticket = cpu.submit(&batch);
    let twin = cpu.wait(ticket);
    let mut compared = 0;
    for (d, t) in device.iter().flatten().zip(twin.iter().flatten()) {
        assert!((d - t).abs() / (1.0 + t.abs()) < 1e-5, "{d} and {t}");
        compared += 1;
    }
    assert_eq!(compared, device.iter().map(Vec::len).sum::<usize>());
    assert_eq!(exec.counters().dispatches, cpu.counters.dispatches);
}

#[test]
fn a_steady_state_makes_nothing() {
    let gpu = gpu();
    let walk = Walk::new();
    let mut exec = walk.start(&gpu);
    let mut turn = |from: usize| {
        let tickets: Vec<_> = (0..3)
            .map(|i| exec.submit(&walk.batch(from + i, 1, 0)).unwrap())
            .collect();
        // A batch without reads is waited for like any other.
        let silent = Batch {
            reads: vec![],
            ..walk.batch(from, 1, 0)
        };
        let silent = exec.submit(&silent).unwrap();
        for ticket in tickets {
            finish(&mut exec, ticket);
        }
        assert!(finish(&mut exec, silent).is_empty());
        exec.counters()
    };
    let first = turn(0);
    // Five plan buffers are words, normals, x, stats, and then steps, params, replicas, staging.
    assert_eq!((first.pipelines_created, first.bind_groups_created), (2, 3));
    let later = (1..6).map(|i| turn(4 * i)).last().unwrap();
    assert_eq!(later.buffers_created, first.buffers_created);
    assert_eq!(later.bind_groups_created, first.bind_groups_created);
    assert_eq!(later.pipelines_created, first.pipelines_created);
    assert!(later.submits > first.submits);
}

#[test]
fn equal_consts_share_a_pipeline() {
    let gpu = gpu();
    let mut walk = Walk::new();
    let again = walk.plan.program("again", 1);
    let n = 4 * BLOCKS;
    let words = walk.plan.f32("words 2", 2 * n);
    let normals = walk.plan.f32("normals 2", n);
    for _ in 0..2 {
        walk.plan
            .push(again, &PHILOX, &[BLOCKS as u32], &[6], &[words, normals])
            .unwrap();
    }
    walk.plan
        .push(
            again,
            &PHILOX,
            &[BLOCKS as u32 / 2],
            &[6],
            &[words, normals],
        )
        .unwrap();
    let mut exec = walk.start(&gpu);
    assert_eq!(exec.counters().pipelines_created, 0, "none runs yet");
    for (program, made) in [(walk.program, 2), (again, 3), (again, 3)] {
        let batch = Batch {
            runs: vec![Run {
                program,
                steps: vec![Step::default()],
            }],
            ..Batch::default()
        };
        let done = exec.submit(&batch).unwrap();
        finish(&mut exec, done);
        assert_eq!(exec.counters().pipelines_created, made);
    }
    assert_eq!(exec.counters().bind_groups_created, 2 + 5);
}

#[test]
fn a_lost_device_is_a_fault() {
    let gpu = gpu();
    let walk = Walk::new();
    let mut exec = walk.start(&gpu);
    let done = exec.submit(&walk.batch(0, 1, 0)).unwrap();
    finish(&mut exec, done);
    let pending = exec.submit(&walk.batch(1, 8, 0)).unwrap();
    exec.destroy();
    assert!(matches!(
        block_on(exec.wait(pending)),
        Err(Fault::DeviceLost(_))
    ));
    assert!(matches!(
        exec.submit(&walk.batch(9, 1, 0)),
        Err(Fault::DeviceLost(_))
    ));
    exec.set_replicas(walk.program, &Walk::table());
    assert!(matches!(
        block_on(GpuExec::new(&gpu, &walk.plan)),
        Err(Fault::DeviceLost(_))
    ));
    // A device opened afterwards works, and gives the same bits as one never lost.
    let fresh = self::gpu();
    let mut exec = walk.start(&fresh);
    let ticket = exec.submit(&walk.batch(0, 1, 0)).unwrap();
    assert!(finish(&mut exec, ticket)[0][0] != 0.0);
}

#[test]
fn what_does_not_fit_is_a_fault() {
    let gpu = gpu();
    let mut huge = Plan::default();
    huge.host_f32("huge", usize::MAX / 64);
    let fault = block_on(GpuExec::new(&gpu, &huge)).err();
    let Some(Fault::OutOfMemory { needed, limit }) = fault else {
        panic!("{fault:?}");
    };
    assert!(needed > limit && limit > 0);
    let walk = Walk::new();
    let mut exec = walk.start(&gpu);
    let mut beyond = walk.batch(0, 1, 0);
    beyond.reads.push((walk.x, 0..usize::MAX));
    assert!(matches!(exec.submit(&beyond), Err(Fault::Internal(_))));
    let mut words = walk.batch(0, 1, 0);
    words.words.push((walk.x, 0, vec![1]));
    assert!(matches!(exec.submit(&words), Err(Fault::Internal(_))));
    let mut program = walk.batch(0, 1, 0);
    program.runs[0].program = Prog(9);
    assert!(matches!(exec.submit(&program), Err(Fault::Internal(_))));
    assert!(matches!(
        block_on(exec.wait(Ticket(77))),
        Err(Fault::Internal(_))
    ));
    // None of it harms what follows.
    let ticket = exec.submit(&walk.batch(0, 1, 0)).unwrap();
    assert_eq!(finish(&mut exec, ticket).len(), 3);
}
