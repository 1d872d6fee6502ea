//! Thinning a curve to what its pixels can show. A column of pixels keeps its first, lowest, highest
//! and last point, so no spike is lost and the line enters and leaves the column where it did.

/// Indices to draw, rising. `x` are pixels; points whose x or y is not finite are kept once per
/// gap, so that the gap stays visible.
#[must_use]
pub fn decimate(x: &[f64], y: &[f64]) -> Vec<usize> {
    let n = x.len().min(y.len());
    let mut kept = Vec::new();
    let mut i = 0;
    while i < n {
        if !x[i].is_finite() || !y[i].is_finite() {
            kept.push(i);
            while i < n && !(x[i].is_finite() && y[i].is_finite()) {
                i += 1;
            }
            continue;
        }
        let column = x[i].floor();
        let first = i;
        let (mut low, mut high) = (i, i);
        while i < n && x[i].floor() == column && y[i].is_finite() {
            if y[i] < y[low] {
                low = i;
            }
            if y[i] > y[high] {
                high = i;
            }
            i += 1;
        }
        let mut four = [first, low, high, i - 1];
        four.sort_unstable();
        for at in four {
            if kept.last() != Some(&at) {
                kept.push(at);
            }
        }
    }
    kept
}
