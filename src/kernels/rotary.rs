//! Rotary positions (Su et al. 2021; TransformerLens `rotary`): in every head of queries and keys the
//! pair (j, j + d_head/2) is turned by the angle t·θ^j at position t, θ = 10000^(−2/d_head), so that a
//! score depends on how far apart two tokens are and not on where they stand.
//!
//! Turning back is turning by the opposite angles: backward is the same kernel.

use crate::rows::chunks;
use crate::smear::{grid, len};
use crate::{Call, Kernel, float, read, write};
use lambdahat_math::Real;

/// `turned` like `qkv [replica][batch·ctx][3·heads·d_head]`: values as they are; `d_head` is even.
/// `inverse` turns back; `step` is θ.
pub const ROTARY: Kernel = Kernel {
    name: "nn/rotary",
    source: crate::shader!("../../shaders/nn/rotary.wgsl"),
    consts: &["batch", "ctx", "heads", "d_head", "inverse"],
    params: &[float("step")],
    bindings: &[read("qkv"), write("turned")],
    grid,
    needs: |c, _, r| vec![len(c, r), len(c, r)],
    tolerance: 5e-5,
    twin: crate::twin!(rotary),
};

/// The parameter of [`ROTARY`] for heads of that width.
#[must_use]
pub fn step(d_head: usize) -> u32 {
    (10_000_f64.powf(-2.0 / d_head as f64) as f32).to_bits()
}

/// Cosine and sine of t·θ^j, as the shader has them: within 3e-7 of those of the f32 angle.
fn turn<T: Real>(t: usize, j: usize, step: T) -> (T, T) {
    let mut turns = T::of(t as f64) * T::of32(0.5 * std::f32::consts::FRAC_1_PI);
    for _ in 0..j {
        turns *= step;
    }
    let x = T::of32(std::f32::consts::PI) * (turns - (turns + T::of(0.5)).floor());
    let y = x * x;
    let poly = |c: [f64; 7]| c.iter().rev().fold(T::zero(), |sum, &c| sum * y + T::of(c));
    let s = x * poly([
        1.0,
        -1.666_666_7e-1,
        8.333_333_3e-3,
        -1.984_127e-4,
        2.755_731_9e-6,
        -2.505_210_8e-8,
        0.0,
    ]);
    let c = poly([
        1.0,
        -0.5,
        4.166_666_7e-2,
        -1.388_888_9e-3,
        2.480_158_7e-5,
        -2.755_731_9e-7,
        2.087_675_7e-9,
    ]);
    let two = T::of(2.0);
    (T::one() - two * s * s, two * s * c)
}

fn rotary<T: Real>(mut call: Call<'_, T>) {
    let [_, ctx, heads, dh, inverse] = call.consts();
    let n = len(call.consts, call.replicas.len());
    let step = call.float(0);
    let [qkv, turned] = call.slots();
    let (qkv, turned) = (qkv.f(), turned.out());
    let (m, half) = (heads * dh, dh / 2);
    let sign = if inverse == 1 { -T::one() } else { T::one() };
    let turns: Vec<(T, T)> = (0..ctx * half)
        .map(|i| turn(i / half, i % half, step))
        .collect();
    chunks(&mut turned[..n], ctx * 3 * m, |b, out| {
        let x = &qkv[b * ctx * 3 * m..][..ctx * 3 * m];
        out.copy_from_slice(x);
        for (t, turns) in turns.chunks_exact(half.max(1)).enumerate() {
            for head in 0..2 * heads {
                let at = t * 3 * m + head * dh;
                for (i, &(cos, sin)) in (at..).zip(turns) {
                    out[i] = x[i] * cos - x[i + half] * (sign * sin);
                    out[i + half] = x[i + half] * cos + x[i] * (sign * sin);
                }
            }
        }
    });
}

/// Cases of [`ROTARY`].
#[must_use]
pub fn cases() -> Vec<(Vec<u32>, Vec<u32>, usize, &'static str)> {
    vec![
        (vec![2, 7, 3, 6, 0], vec![step(6)], 2, "odd sizes, replicas"),
        (vec![1, 128, 1, 16, 0], vec![step(16)], 1, "far positions"),
        (vec![1, 20, 2, 4, 1], vec![step(4)], 1, "back again"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_polynomials_are_cosine_and_sine() {
        for (t, j) in [
            (0, 0),
            (1, 0),
            (2, 0),
            (3, 1),
            (22, 0),
            (127, 0),
            (127, 7),
            (90, 3),
        ] {
            let theta = f64::from(f32::from_bits(step(16)));
            let angle = t as f64 * theta.powi(j as i32);
            let (cos, sin) = turn(t, j, f32::from_bits(step(16)));
            let off = (f64::from(cos) - angle.cos()).abs() + (f64::from(sin) - angle.sin()).abs();
            // The angle itself is known to about 127 roundings of an f32.
            assert!(off < 3e-5, "{t} {j}: {off}");
        }
    }
}
