//! SoLU (Elhage et al. 2022): `y = x·softmax(x)` over a row of the MLP's hidden layer; the LayerNorm that
//! belongs to it is a stage of the product that reads `y`.
//!
//! With p = softmax(x) and `dy` the gradient at y: `dxⱼ = pⱼ·(dyⱼ·(1 + xⱼ) − Σ dyᵢ·xᵢ·pᵢ)`.

use super::rows::{BLOCK, chunks, exp_row};
use super::{Call, Kernel, read, write};
use lambdahat_math::Real;

/// `y [replica][rows][inner]` from `x` of that shape; with `back`, the gradient of `x` from that of `y`,
/// `dy`.
pub const SOLU: Kernel = Kernel {
    name: "nn/solu",
    source: crate::shader!("../../shaders/nn/solu.wgsl"),
    consts: &["rows", "inner", "back"],
    params: &[],
    bindings: &[read("x"), read("dy"), write("y")],
    grid: |c| [c[0].div_ceil(4), 1],
    needs: |c, _, r| {
        let n = r * c[0] as usize * c[1] as usize;
        vec![n, n * c[2] as usize, n]
    },
    tolerance: 2e-5,
    twin: crate::twin!(solu),
};

fn solu<T: Real>(mut call: Call<'_, T>) {
    let [rows, inner, back] = call.consts();
    let n = call.replicas.len() * rows * inner;
    let [x, dy, y] = call.slots();
    let (x, dy) = (x.f(), dy.f());
    chunks(&mut y.out()[..n], BLOCK * inner, |block, y| {
        let mut p = vec![T::zero(); inner];
        for (i, y) in y.chunks_exact_mut(inner).enumerate() {
            let at = (block * BLOCK + i) * inner;
            let x = &x[at..][..inner];
            p.copy_from_slice(x);
            let (_, sum) = exp_row(&mut p, T::one());
            if back == 0 {
                for ((y, &x), &p) in y.iter_mut().zip(x).zip(&p) {
                    *y = x * (p / sum);
                }
                continue;
            }
            let dy = &dy[at..][..inner];
            let mut mean = T::zero();
            for ((&dy, &x), &p) in dy.iter().zip(x).zip(&p) {
                mean += dy * x * p;
            }
            mean /= sum;
            for (((y, &dy), &x), &p) in y.iter_mut().zip(dy).zip(x).zip(&p) {
                *y = p / sum * (dy * (T::one() + x) - mean);
            }
        }
    });
}

/// Cases of [`SOLU`].
#[must_use]
pub fn cases() -> Vec<(Vec<u32>, Vec<u32>, usize, &'static str)> {
    vec![
        (vec![33, 37, 0], vec![], 2, "odd sizes, replicas"),
        (vec![6, 512, 0], vec![], 1, "wide"),
        (vec![35, 40, 1], vec![], 2, "backward, replicas"),
        (vec![3, 9, 1], vec![], 1, "backward, fewer than sixteen"),
    ]
}
