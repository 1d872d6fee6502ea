//! What a head would score that attends to every token it sees alike: where few symbols come again and
//! again, no small share.

/// Attention scores in the order of [`crate::kernels::heads::HEADS`]: previous token, prefix matching,
/// duplicate token. `tokens [sequences][ctx]`; copies
/// count for the queries whose row is `asked` alone.
#[must_use]
pub fn scores(tokens: &[u32], ctx: usize, asked: impl Fn(usize) -> bool) -> [f64; 3] {
    let (mut previous, mut matching) = (0.0, 0.0);
    let (mut queries, mut copied) = (0_u32, 0_u32);
    for (sequence, row) in tokens.chunks_exact(ctx.max(1)).enumerate() {
        for t in 1..ctx {
            // Copies count from t − 2 backwards, so that what follows one is not the query itself.
            let before = if asked(sequence * ctx + t) { t - 1 } else { 0 };
            let copies = row[..before].iter().filter(|&&s| s == row[t]).count();
            previous += 1.0 / (t + 1) as f64;
            matching += copies as f64 / (t + 1) as f64;
            queries += 1;
            copied += u32::from(copies > 0);
        }
    }
    let matching = matching / f64::from(copied.max(1));
    [previous / f64::from(queries.max(1)), matching, matching]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_even_attention() {
        // 0 1 0 0: copies of the query at 2 one in three, at 3 (the one at 2 is too near) one in four.
        let [previous, matching, duplicate] = scores(&[0, 1, 0, 0], 4, |_| true);
        assert!((previous - (1.0 / 2.0 + 1.0 / 3.0 + 1.0 / 4.0) / 3.0).abs() < 1e-12);
        assert!((matching - (1.0 / 3.0 + 1.0 / 4.0) / 2.0).abs() < 1e-12);
        assert_eq!(matching, duplicate);
        assert_eq!(scores(&[0, 1, 2, 3], 4, |_| true)[1], 0.0);
        // The last query alone.
        assert_eq!(scores(&[0, 1, 0, 0], 4, |row| row == 3)[1], 1.0 / 4.0);
    }
}
