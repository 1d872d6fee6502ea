//! Kernels that measure the device: its random numbers and its speed.

use super::{Call, Kernel, float, word, write};
use lambdahat_math::{Real, normal, philox4x32};

/// The Philox words, as two halves each, and the normals made of them:
/// `words [replica][4·blocks][2]`, `normals [replica][4·blocks]`.
///
/// The tolerance lets no half-word differ: two integers below 2^16 that are not equal are at least
/// 2^-16 apart on this scale.
pub const PHILOX: Kernel = Kernel {
    name: "probe/philox",
    source: crate::shader!("../../shaders/probe/philox.wgsl"),
    consts: &["blocks"],
    params: &[word("stream")],
    bindings: &[write("words"), write("normals")],
    grid: |c| [c[0].div_ceil(64), 1],
    needs: |c, _, r| vec![8 * r * c[0] as usize, 4 * r * c[0] as usize],
    tolerance: 2e-6,
    twin: crate::twin!(philox),
};

fn philox<T: Real>(mut call: Call<'_, T>) {
    let [blocks] = call.consts();
    let stream = call.params.first().copied().unwrap_or(0);
    let (step, table) = (call.step.index, call.replicas);
    let [words, normals] = call.slots();
    let words = words.out().chunks_exact_mut(8 * blocks);
    let normals = normals.out().chunks_exact_mut(4 * blocks);
    for ((replica, words), normals) in table.iter().zip(words).zip(normals) {
        let rows = words.chunks_exact_mut(8).zip(normals.chunks_exact_mut(4));
        for (block, (words, normals)) in (0..).zip(rows) {
            let lanes = philox4x32([block, step, 0, 0], [replica.seed, stream]);
            for (lane, w) in lanes.into_iter().enumerate() {
                words[2 * lane] = T::of(f64::from(w >> 16));
                words[2 * lane + 1] = T::of(f64::from(w & 0xFFFF));
                normals[lane] = normal(w);
            }
        }
    }
}

/// Chains of multiply-adds that touch no memory: `out [replica][64·groups]`, after 64 · `rounds`
/// floating-point operations an invocation. Its rate is the peak that shares are measured against.
pub const FMA: Kernel = Kernel {
    name: "probe/fma",
    source: crate::shader!("../../shaders/probe/fma.wgsl"),
    consts: &["groups", "rounds"],
    params: &[float("a"), float("b")],
    bindings: &[write("out")],
    grid: |c| [c[0], 1],
    needs: |c, _, r| vec![64 * r * c[0] as usize],
    tolerance: 1e-5,
    twin: crate::twin!(fma),
};

fn fma<T: Real>(mut call: Call<'_, T>) {
    let [_, rounds] = call.consts();
    let (a, b): (T, T) = (call.float(0), call.float(1));
    let [out] = call.slots();
    for (i, out) in out.out().iter_mut().enumerate() {
        let start = (i % 64) as f64 / 64.0;
        let mut x: [T; 32] = std::array::from_fn(|k| T::of(start + k as f64));
        for _ in 0..rounds {
            for x in &mut x {
                *x = *x * a + b;
            }
        }
        *out = x.into_iter().sum();
    }
}

/// Cases of [`PHILOX`].
#[must_use]
pub fn philox_cases() -> Vec<(Vec<u32>, Vec<u32>, usize, &'static str)> {
    vec![
        (vec![3], vec![5], 1, "one replica"),
        (vec![1000], vec![1], 3, "replicas"),
    ]
}

/// Cases of [`FMA`].
#[must_use]
pub fn fma_cases() -> Vec<(Vec<u32>, Vec<u32>, usize, &'static str)> {
    vec![(
        vec![2, 40],
        vec![0.875f32.to_bits(), 0.125f32.to_bits()],
        2,
        "replicas",
    )]
}
