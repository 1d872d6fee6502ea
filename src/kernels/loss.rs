//! From per-position losses to the three means the page draws, and the gather of probe rows.

use super::rows::chunks;
use super::{Call, Kernel, read, read_u32, word, write};
use lambdahat_math::Real;

/// Partial sums of the reduction, in both engines.
const LANES: usize = 256;

/// Writes `stats [slot][replica][4]` at this step's slot: mean loss over all `targets`, mean over
/// class 2 (first period), mean over class 3 (repeat), 0; nats. A class without positions gives 0.
pub const LOSS: Kernel = Kernel {
    name: "nn/loss",
    source: crate::shader!("../../shaders/nn/loss.wgsl"),
    consts: &["rows", "targets"],
    params: &[word("feed_rows")],
    bindings: &[read("losses"), read_u32("feed"), write("stats")],
    grid: |_| [1, 1],
    needs: |c, p, r| vec![r * c[0] as usize, p[0] as usize * 2 * c[0] as usize, r * 4],
    tolerance: 1e-5,
    twin: crate::twin!(loss),
};

fn loss<T: Real>(mut call: Call<'_, T>) {
    let [rows, targets] = call.consts();
    let feed_rows = call.offset(0);
    let (slot, table) = (call.step.slot as usize, call.replicas);
    let [losses, feed, stats] = call.slots();
    let (losses, feed, stats) = (losses.f(), feed.u(), stats.out());
    for (r, replica) in table.iter().enumerate() {
        let at = (slot * feed_rows + replica.data_row as usize) * 2 * rows;
        let classes = &feed[at + rows..][..rows];
        // [all, first period, repeat], each in 256 interleaved sums that are added up in order.
        let mut sums = [[T::zero(); LANES]; 3];
        let mut counts = [0_u32; 3];
        for (n, (&loss, &class)) in losses[r * rows..].iter().zip(classes).enumerate() {
            let mut add = |which: usize| {
                sums[which][n % LANES] += loss;
                counts[which] += 1;
            };
            match class {
                0 => {}
                2 | 3 => {
                    add(0);
                    add(class as usize - 1);
                }
                _ => add(0),
            }
        }
        counts[0] = targets as u32;
        let out = &mut stats[(slot * table.len() + r) * 4..][..4];
        for (out, (sums, count)) in out.iter_mut().zip(sums.iter().zip(counts)) {
            let sum = sums.iter().fold(T::zero(), |a, &b| a + b);
            *out = sum / T::of(f64::from(count.max(1)));
        }
        out[3] = T::zero();
    }
}

/// `y [replica][count][width] = x [replica][rows][width]` at the row numbers `positions [count]`.
pub const ROWS: Kernel = Kernel {
    name: "probe/rows",
    source: crate::shader!("../../shaders/probe/rows.wgsl"),
    consts: &["rows", "width", "count"],
    params: &[],
    bindings: &[read("x"), read_u32("positions"), write("y")],
    grid: |c| [(c[1] * c[2]).div_ceil(64), 1],
    needs: |c, _, r| {
        let [rows, width, count] = [c[0], c[1], c[2]].map(|x| x as usize);
        vec![r * rows * width, count, r * count * width]
    },
    tolerance: 0.0,
    twin: crate::twin!(rows),
};

fn rows<T: Real>(mut call: Call<'_, T>) {
    let [rows, width, count] = call.consts();
    let [x, positions, y] = call.slots();
    let (x, positions) = (x.f(), positions.u());
    chunks(y.out(), count * width, |r, y| {
        for (y, &at) in y.chunks_exact_mut(width).zip(positions) {
            let n = r * rows + (at as usize).min(rows - 1);
            y.copy_from_slice(&x[n * width..][..width]);
        }
    });
}

/// Words for the `feed` of [`LOSS`]; of its tokens nothing is read.
#[must_use]
pub fn fill(consts: &[u32], _binding: &str, len: usize) -> Vec<u32> {
    super::embed::feed(consts[0] as usize, 5, len)
}

/// Words for the `positions` of [`ROWS`].
#[must_use]
pub fn fill_rows(consts: &[u32], _binding: &str, len: usize) -> Vec<u32> {
    (0..len as u32).map(|i| i * 7 % consts[0]).collect()
}

/// Cases of [`LOSS`].
#[must_use]
pub fn cases() -> Vec<(Vec<u32>, Vec<u32>, usize, &'static str)> {
    vec![
        (vec![12, 10], vec![2], 1, "fewer rows than lanes"),
        (vec![700, 690], vec![2], 3, "more rows than lanes, replicas"),
    ]
}

/// Cases of [`ROWS`].
#[must_use]
pub fn cases_rows() -> Vec<(Vec<u32>, Vec<u32>, usize, &'static str)> {
    vec![(vec![50, 6, 13], vec![], 2, "13 of 50 rows, replicas")]
}
