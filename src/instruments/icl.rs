//! The in-context learning score: how much cheaper late tokens are than early ones.
//!
//! Of the T − 1 positions that have a target, with a tenth of them w: mean loss over the last w, less
//! mean loss over the second w (Olsson et al. 2022 take token 500 less token 50 of 512). Nats; the more
//! negative, the more is learned from the context.

/// The score of mean losses by position, `[n_ctx]`; the last has no target.
#[must_use]
pub fn score(by_position: &[f32]) -> f64 {
    let targets = &by_position[..by_position.len().saturating_sub(1)];
    let n = targets.len();
    if n < 3 {
        return 0.0;
    }
    let w = ((n as f64 / 10.0).round() as usize).max(1);
    let mean = |x: &[f32]| x.iter().map(|&v| f64::from(v)).sum::<f64>() / x.len() as f64;
    mean(&targets[n - w..]) - mean(&targets[w..2 * w])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_tenth_less_the_second() {
        // 47 targets, w = 5: positions 42..47 less 5..10; the last position costs nothing.
        let mut losses: Vec<f32> = (0..48).map(|t| t as f32).collect();
        assert_eq!(score(&losses), 44.0 - 7.0);
        // Positions outside both windows, the first among them, do not count.
        for t in [0, 4, 10, 41, 47] {
            losses[t] = 1e6;
        }
        assert_eq!(score(&losses), 37.0);
        // Planted fault: a window one late is another number.
        assert_ne!(score(&losses[1..]), 37.0);
        assert_eq!(score(&[1.0, 2.0]), 0.0);
        assert_eq!(score(&[0.0, 3.0, 9.0, 1.0, 0.0]), -2.0);
    }
}
