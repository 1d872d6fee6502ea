//! What heads attend to, and what each position costs: reductions of a forward pass that only read.

use super::{Call, Kernel, read, read_u32, word, write};
use lambdahat_math::Real;

/// Partial sums of the reduction, in both engines.
const LANES: usize = 256;
/// Scores of a head.
pub const SCORES: usize = 3;

/// Writes `scores [replica][heads][3]`, means over the queries of a batch of one layer's
/// `pattern [replica][batch][head][query][key]`:
///
/// 0. previous token, `A[t, t−1]` over `t ≥ 1`;
/// 1. prefix matching, `Σ A[t, s+1]` over the earlier copies `s` of token `t` (Olsson et al. 2022);
/// 2. duplicate token, `Σ A[t, s]` over the same copies.
///
/// Copies count from `s = t − 2` backwards, so that what follows one is not the query itself; 1 and
/// 2 are means over the queries that have such a copy, 0 where there is none. `only` is a class of
/// targets: copies then count for queries with a target of it alone; 0, for all.
pub const HEADS: Kernel = Kernel {
    name: "probe/heads",
    source: crate::shader!("../../shaders/probe/heads.wgsl"),
    consts: &["batch", "ctx", "heads", "only"],
    params: &[word("feed_rows")],
    bindings: &[read("pattern"), read_u32("feed"), write("scores")],
    grid: |c| [c[2], 1],
    needs: |c, p, r| {
        let [batch, ctx, heads] = [c[0], c[1], c[2]].map(|x| x as usize);
        vec![
            r * batch * heads * ctx * ctx,
            p[0] as usize * 2 * batch * ctx,
            r * heads * SCORES,
        ]
    },
    tolerance: 1e-5,
    twin: crate::twin!(heads),
};

fn heads<T: Real>(mut call: Call<'_, T>) {
    let [batch, ctx, heads, only] = call.consts();
    let (feed_rows, slot, table) = (call.offset(0), call.step.slot as usize, call.replicas);
    let [pattern, feed, scores] = call.slots();
    let (pattern, feed, scores) = (pattern.f(), feed.u(), scores.out());
    let rows = batch * ctx;
    for (r, replica) in table.iter().enumerate() {
        let words = &feed[(slot * feed_rows + replica.data_row as usize) * 2 * rows..][..2 * rows];
        let (tokens, classes) = words.split_at(rows);
        for h in 0..heads {
            let mut sums = [[T::zero(); LANES]; SCORES];
            let (mut queries, mut copied) = (0_u32, 0_u32);
            for n in (0..rows).filter(|n| n % ctx > 0) {
                let (b, t) = (n / ctx, n % ctx);
                let row = &pattern[((r * batch + b) * heads + h) * ctx * ctx + t * ctx..][..ctx];
                let mut found = [row[t - 1], T::zero(), T::zero()];
                let mut seen = false;
                let asked = only == 0 || classes[n] as usize == only;
                let copies = if asked { t - 1 } else { 0 };
                for s in (0..copies).filter(|s| tokens[b * ctx + s] == tokens[n]) {
                    found[1] += row[s + 1];
                    found[2] += row[s];
                    seen = true;
                }
                for (sums, x) in sums.iter_mut().zip(found) {
                    sums[n % LANES] += x;
                }
                queries += 1;
                copied += u32::from(seen);
            }
            let over = [queries, copied, copied].map(|n| T::of(f64::from(n.max(1))));
            let out = &mut scores[(r * heads + h) * SCORES..][..SCORES];
            for ((out, sums), over) in out.iter_mut().zip(&sums).zip(over) {
                *out = sums.iter().fold(T::zero(), |a, &b| a + b) / over;
            }
        }
    }
}

/// `means [replica][ctx]` of `values [replica][batch·ctx]` over the sequences of a batch: the loss
/// by position, where the values are losses.
pub const POSITIONS: Kernel = Kernel {
    name: "probe/positions",
    source: crate::shader!("../../shaders/probe/positions.wgsl"),
    consts: &["batch", "ctx"],
    params: &[],
    bindings: &[read("values"), write("means")],
    grid: |c| [c[1].div_ceil(64), 1],
    needs: |c, _, r| {
        let [batch, ctx] = [c[0], c[1]].map(|x| x as usize);
        vec![r * batch * ctx, r * ctx]
    },
    tolerance: 1e-5,
    twin: crate::twin!(positions),
};

fn positions<T: Real>(mut call: Call<'_, T>) {
    let [batch, ctx] = call.consts();
    let [values, means] = call.slots();
    let (values, means) = (values.f(), means.out());
    let over = T::of(batch as f64).recip();
    for (values, means) in values
        .chunks_exact(batch * ctx)
        .zip(means.chunks_exact_mut(ctx))
    {
        means.fill(T::zero());
        for row in values.chunks_exact(ctx) {
            means.iter_mut().zip(row).for_each(|(m, &v)| *m += v);
        }
        means.iter_mut().for_each(|m| *m *= over);
    }
}

/// Words for the `feed` of [`HEADS`]: few different tokens, so that there are copies.
#[must_use]
pub fn fill(consts: &[u32], _binding: &str, len: usize) -> Vec<u32> {
    super::embed::feed((consts[0] * consts[1]) as usize, 5, len)
}

/// Cases of [`HEADS`].
#[must_use]
pub fn cases() -> Vec<(Vec<u32>, Vec<u32>, usize, &'static str)> {
    vec![
        (
            vec![2, 9, 3, 0],
            vec![2],
            2,
            "fewer queries than lanes, replicas",
        ),
        (vec![30, 13, 2, 0], vec![1], 1, "more queries than lanes"),
        (vec![3, 11, 2, 2], vec![1], 2, "targets of one class"),
    ]
}

/// Cases of [`POSITIONS`].
#[must_use]
pub fn cases_positions() -> Vec<(Vec<u32>, Vec<u32>, usize, &'static str)> {
    vec![(vec![7, 70], vec![], 3, "two workgroups, replicas")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Replica, Slot, Step};

    const CTX: usize = 6;
    /// A token, its copy two places on, and a pair side by side, which is no copy.
    const TOKENS: [u32; CTX] = [7, 8, 7, 8, 8, 7];

    /// Scores of one head that attends from each query to one key alone.
    fn scores(key: impl Fn(usize) -> usize) -> [f64; SCORES] {
        asked(0, key)
    }

    /// As [`scores`], of the queries with a target of a class; those of 3 and 5 are of class 3.
    fn asked(only: u32, key: impl Fn(usize) -> usize) -> [f64; SCORES] {
        let mut pattern = vec![0.0; CTX * CTX];
        for t in 0..CTX {
            pattern[t * CTX + key(t)] = 1.0;
        }
        let words: Vec<u32> = TOKENS.iter().copied().chain([1, 1, 1, 3, 1, 3]).collect();
        let mut out = [f64::NAN; SCORES];
        heads(Call {
            consts: &[1, CTX as u32, 1, only],
            params: &[1],
            step: Step::default(),
            replicas: &[Replica::default()],
            slots: vec![Slot::F(&pattern), Slot::U(&words), Slot::FMut(&mut out)],
        });
        out
    }

    /// Queries with a copy are 2 (of 0), 3 (of 1), 4 (of 1) and 5 (of 0 and 2).
    #[test]
    fn heads_that_do_one_thing_score_one_and_others_do_not() {
        let previous = scores(|t| t.saturating_sub(1));
        // From 2 and from 3 the token before is also the one after the copy.
        assert_eq!(previous, [1.0, 0.5, 0.0]);
        let induction = scores(|t| [0, 0, 1, 2, 2, 3][t]);
        assert_eq!(induction[1], 1.0);
        assert_eq!(induction[0], 0.6);
        let duplicate = scores(|t| [0, 0, 0, 1, 1, 2][t]);
        assert_eq!((duplicate[1], duplicate[2]), (0.0, 1.0));
        // Of queries 3 and 5 alone; previous tokens count for all.
        let two = |t| [0, 0, 1, 2, 2, 0][t];
        assert_eq!(asked(3, two)[1], 0.5);
        assert_eq!(asked(3, two)[0], scores(two)[0]);
        assert_eq!(asked(2, two)[1], 0.0);
        assert_ne!(scores(two)[1], 0.5);
        // Planted fault: a head that looks at itself does none of the three.
        assert_eq!(scores(|t| t), [0.0; SCORES]);
    }
}
