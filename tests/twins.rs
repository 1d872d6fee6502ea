//! Every kernel against its twin, on the device there is (a software Vulkan will do). The same
//! source runs in the page's worker.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::exec::check::{check, check_cases};
use lambdahat::exec::gpu::{Choice, Gpu};
use lambdahat::kernels::cases::{Case, cases};
use lambdahat::kernels::probe::PHILOX;
use lambdahat::kernels::twin;
use lambdahat::kernels::{Call, KERNELS, Kernel};
use lambdahat::math::{Real, normal, philox4x32};
use pollster::block_on;

/// Fewest elements compared over all cases: a check that compares nothing has shown nothing.
const FLOOR: usize = 20_000;

fn gpu() -> Gpu {
    block_on(Gpu::open(Choice::Any)).expect("a Vulkan, Metal or DX12 device, software will do")
}

#[test]
fn every_kernel_has_cases() {
    let all = cases();
    for kernel in KERNELS {
        let its = all.iter().filter(|c| c.kernel == *kernel).count();
        assert!(its > 0, "{} has no case", kernel.name);
    }
    for case in &all {
        assert!(
            KERNELS.contains(&case.kernel),
            "{} is not listed",
            case.kernel.name
        );
        assert_eq!(
            case.consts.len(),
            case.kernel.consts.len(),
            "{}",
            case.kernel.name
        );
        assert_eq!(
            case.params.len(),
            case.kernel.params.len(),
            "{}",
            case.kernel.name
        );
    }
}

#[test]
fn kernels_agree_with_their_twins() {
    let gpu = gpu();
    println!("{}", gpu.info().name);
    let rows = block_on(check(&gpu));
    for r in &rows {
        println!(
            "{:<20} {:<40} margin {:<10.3e} {:>8} compared {}",
            r.kernel,
            r.case,
            r.margin,
            r.count,
            r.fault.as_deref().unwrap_or("")
        );
    }
    let wrong: Vec<_> = rows.iter().filter(|r| !r.agrees()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(rows.len(), cases().len());
    assert!(rows.iter().map(|r| r.count).sum::<usize>() >= FLOOR);
}

/// Philox with one bit of one word changed.
fn one_bit<T: Real>(call: Call<'_, T>) {
    planted(call, |i, w| if i == 5 { w ^ 1 } else { w }, usize::MAX);
}
/// Philox that leaves one normal unwritten.
fn one_missing<T: Real>(call: Call<'_, T>) {
    planted(call, |_, w| w, 7);
}
/// Philox that draws from the wrong step.
fn stale_step<T: Real>(mut call: Call<'_, T>) {
    call.step.index += 1;
    planted(call, |_, w| w, usize::MAX);
}
/// Philox as it should be.
fn faithful<T: Real>(call: Call<'_, T>) {
    planted(call, |_, w| w, usize::MAX);
}

fn planted<T: Real>(mut call: Call<'_, T>, change: fn(usize, u32) -> u32, skip: usize) {
    let (step, stream, seed) = (call.step.index, call.params[0], call.replicas[0].seed);
    let [words, normals] = call.slots();
    let (words, normals) = (words.out(), normals.out());
    for i in 0..normals.len() {
        let block = philox4x32([(i / 4) as u32, step, 0, 0], [seed, stream]);
        let w = change(i, block[i % 4]);
        words[2 * i] = T::of(f64::from(w >> 16));
        words[2 * i + 1] = T::of(f64::from(w & 0xFFFF));
        if i != skip {
            normals[i] = normal(w);
        }
    }
}

#[test]
fn planted_faults_are_found() {
    const FAITHFUL: Kernel = Kernel {
        twin: twin!(faithful),
        ..PHILOX
    };
    const BIT: Kernel = Kernel {
        twin: twin!(one_bit),
        ..PHILOX
    };
    const MISSING: Kernel = Kernel {
        twin: twin!(one_missing),
        ..PHILOX
    };
    const STALE: Kernel = Kernel {
        twin: twin!(stale_step),
        ..PHILOX
    };
    const REFUSED: Kernel = Kernel {
        source: "fn main() { nonsense }",
        ..PHILOX
    };
    let of = |kernel: &'static Kernel| {
        let case = cases()
            .into_iter()
            .find(|c| c.kernel.name == PHILOX.name && c.replicas == 1);
        Case {
            kernel,
            ..case.unwrap()
        }
    };
    // A refused shader first: its error must not stick to the device.
    let faulty = [
        of(&BIT),
        of(&MISSING),
        of(&STALE),
        of(&REFUSED),
        of(&FAITHFUL),
    ];
    let rows = block_on(check_cases(&gpu(), &faulty));
    let agrees: Vec<bool> = rows.iter().map(|r| r.agrees()).collect();
    assert_eq!(agrees, [false, false, false, false, true], "{rows:#?}");
    assert_eq!(rows[1].stray, 1);
    assert!(
        rows[3]
            .fault
            .as_ref()
            .is_some_and(|f| f.contains("nonsense")),
        "{:?}",
        rows[3]
    );
}
