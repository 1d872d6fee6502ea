//! Linear regression on one slope, in minibatches.

use super::put;
use crate::optim::Launch;
use crate::{Call, Kernel, read, read_u32, word, write};
use lambdahat_math::Real;

/// L = mean over the batch of ½(y − wx)², and its slope. `feed [slot][feed_rows][batch]` pairs (bits
/// of x, bits of y); `weights` and `grads [replica]`; `stats [slot][replica][4]`.
pub const LINREG: Kernel = Kernel {
    name: "truth/linreg",
    source: crate::shader!("../../../shaders/truth/linreg.wgsl"),
    consts: &["batch"],
    params: &[word("feed_rows")],
    bindings: &[
        read_u32("feed"),
        read("weights"),
        write("grads"),
        write("stats"),
    ],
    grid: |_| [1, 1],
    needs: |c, p, r| vec![(p[0] * 2 * c[0]) as usize, r, r, 4 * r],
    tolerance: 2e-5,
    twin: crate::twin!(linreg),
};

fn linreg<T: Real>(mut call: Call<'_, T>) {
    let [batch] = call.consts();
    let feed_rows = call.offset(0);
    let (slot, table) = (call.step.slot as usize, call.replicas);
    let [feed, weights, grads, stats] = call.slots();
    let (feed, weights, grads, stats) = (feed.u(), weights.f(), grads.out(), stats.out());
    let number = |bits: u32| T::of32(f32::from_bits(bits));
    let scale = T::of(batch as f64);
    for (r, (replica, &w)) in table.iter().zip(weights).enumerate() {
        let row = (replica.data_row as usize).min(feed_rows.saturating_sub(1));
        let data = &feed[(slot * feed_rows + row) * 2 * batch..][..2 * batch];
        let (mut loss, mut slope) = (T::zero(), T::zero());
        for pair in data.chunks_exact(2) {
            let x = number(pair[0]);
            let miss = w * x - number(pair[1]);
            loss += T::of(0.5) * miss * miss;
            slope += miss * x;
        }
        grads[r] = slope / scale;
        put(stats, slot * table.len() + r, loss / scale, &[w]);
    }
}

/// Launches that device checks run.
#[must_use]
pub fn cases() -> Vec<Launch> {
    vec![
        (vec![32], vec![3], 5, "a row a replica"),
        (vec![1000], vec![1], 3, "a thousand samples"),
        (vec![1], vec![1], 1, "one sample"),
    ]
}

/// Words for `feed`: the bits of numbers in −1..1.
#[must_use]
pub fn fill(_consts: &[u32], _binding: &str, len: usize) -> Vec<u32> {
    (0..len as u32)
        .map(|i| ((i.wrapping_mul(37) % 101) as f32 / 50.0 - 1.0).to_bits())
        .collect()
}
