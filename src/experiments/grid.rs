//! Steps at which something is done.

/// Log-spaced steps and every `every`-th, from 0 to `steps`, both ends included, rising.
#[must_use]
pub fn grid(steps: u64, every: u64, per_decade: u64) -> Vec<u64> {
    let mut all = vec![0, steps];
    if every > 0 {
        all.extend((0..=steps).step_by(usize::try_from(every).unwrap_or(usize::MAX)));
    }
    if per_decade > 0 {
        let ratio = 10f64.powf(1.0 / per_decade as f64);
        let mut x = 1.0;
        while x < steps as f64 {
            all.push(x.round() as u64);
            x *= ratio;
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}
