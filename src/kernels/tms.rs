//! The toy model of superposition (Elhage et al. 2022; Chen et al. 2023, arXiv 2310.06301):
//! y = ReLU(WᵀWx + b), hidden size 2, x = u·e_i with one active feature.

use super::optim::Launch;
use super::{Call, Kernel, read, read_u32, word, write};
use lambdahat_math::Real;

/// Loss and gradient in one launch: mean over the batch of Σ_j (x_j − y_j)², without a ½.
///
/// `feed [slot][feed_rows][batch]` pairs (feature, bits of u as f32), `weights [replica][W (2×c,
/// row-major), b (c)]`, `grads [replica][1][3c]`, `stats [slot][replica][4]` = (mean loss, 0, 0, 0).
/// A feature out of range is read as the last, a data row out of range as the last row.
pub const TMS: Kernel = Kernel {
    name: "nn/tms",
    source: crate::shader!("../../shaders/nn/tms.wgsl"),
    consts: &["features", "batch"],
    params: &[word("feed_rows")],
    bindings: &[
        read_u32("feed"),
        read("weights"),
        write("grads"),
        write("stats"),
    ],
    grid: |_| [1, 1],
    needs: |c, p, r| {
        let count = r * 3 * c[0] as usize;
        vec![p[0] as usize * 2 * c[1] as usize, count, count, 4 * r]
    },
    tolerance: 2e-5,
    twin: crate::twin!(tms),
};

fn tms<T: Real>(mut call: Call<'_, T>) {
    let [c, batch] = call.consts();
    let feed_rows = call.offset(0);
    let (slot, table) = (call.step.slot as usize, call.replicas);
    let [feed, weights, grads, stats] = call.slots();
    let (feed, weights, grads, stats) = (feed.u(), weights.f(), grads.out(), stats.out());
    let (zero, two) = (T::zero(), T::of(2.0));
    for (r, replica) in table.iter().enumerate() {
        let row = (replica.data_row as usize).min(feed_rows.saturating_sub(1));
        let data = &feed[(slot * feed_rows + row) * 2 * batch..][..2 * batch];
        let (wx, rest) = weights[r * 3 * c..][..3 * c].split_at(c);
        let (wy, b) = rest.split_at(c);
        let grads = &mut grads[r * 3 * c..][..3 * c];
        grads.fill(zero);
        let (gx, rest) = grads.split_at_mut(c);
        let (gy, gb) = rest.split_at_mut(c);
        let mut total = zero;
        for sample in data.chunks_exact(2) {
            let i = (sample[0] as usize).min(c - 1);
            let u = T::of32(f32::from_bits(sample[1]));
            let (hx, hy) = (u * wx[i], u * wy[i]);
            let (mut dx, mut dy, mut loss) = (zero, zero, zero);
            for j in 0..c {
                let pre = wx[j] * hx + wy[j] * hy + b[j];
                // Not max(pre, 0), which turns NaN into 0 and hides that training diverged.
                let y = if pre < zero { zero } else { pre };
                let diff = y - if j == i { u } else { zero };
                loss += diff * diff;
                if pre > zero {
                    let d = two * diff;
                    dx += d * wx[j];
                    dy += d * wy[j];
                    gx[j] += d * hx;
                    gy[j] += d * hy;
                    gb[j] += d;
                }
            }
            gx[i] += u * dx;
            gy[i] += u * dy;
            total += loss;
        }
        let scale = T::one() / T::of(batch as f64);
        for g in grads.iter_mut() {
            *g *= scale;
        }
        let at = (slot * table.len() + r) * 4;
        stats[at..at + 4].copy_from_slice(&[total * scale, zero, zero, zero]);
    }
}

/// Launches that device checks run.
#[must_use]
pub fn cases() -> Vec<Launch> {
    vec![
        (vec![6, 20], vec![5], 5, "a row a replica"),
        (vec![10, 1000], vec![1], 3, "ten features, one row"),
        (vec![3, 1], vec![2], 2, "one sample"),
    ]
}

/// Words for `feed`: pairs of a feature below c and the bits of a number in (0, 1).
#[must_use]
pub fn fill(consts: &[u32], _binding: &str, len: usize) -> Vec<u32> {
    let features = consts.first().copied().unwrap_or(1).max(1);
    (0..len as u32)
        .map(|i| match i % 2 {
            0 => (i / 2).wrapping_mul(2_654_435_761) % features,
            _ => (((i / 2) % 97) as f32 / 97.0 + 0.004).to_bits(),
        })
        .collect()
}
