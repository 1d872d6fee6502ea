//! Curves that go together: agglomerative clustering with average linkage, cut where the groups stand
//! out most from each other. Deterministic, and blind to the curves' names.

/// Mean silhouette from which groups are said to be there: "a reasonable structure" (Kaufman and
/// Rousseeuw 1990).
pub const REASONABLE: f64 = 0.5;

/// Curves in groups.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Groups {
    /// By curve, its group, counted from 0 in the order the groups are met; all 0 where no grouping
    /// stands out.
    pub of: Vec<usize>,
    /// The curves, those that join first side by side.
    pub order: Vec<usize>,
    /// Mean silhouette of the best cut, 1 at best; none of fewer than three curves.
    pub silhouette: Option<f64>,
}

/// Root mean square distance of two curves over the places where both are finite; infinite without any.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    let apart = a.iter().zip(b).map(|(a, b)| (a - b).powi(2));
    let known: Vec<f64> = apart.filter(|d| d.is_finite()).collect();
    if known.is_empty() {
        return f64::INFINITY;
    }
    (known.iter().sum::<f64>() / known.len() as f64).sqrt()
}

/// Groups of curves that lie near each other, all at the same places; NaN where a curve has no value.
/// As many groups as make the mean silhouette greatest, from [`REASONABLE`] on; else one.
#[must_use]
pub fn groups(curves: &[Vec<f64>]) -> Groups {
    let n = curves.len();
    let apart = |i: usize, j: usize| distance(&curves[i], &curves[j]);
    let table: Vec<Vec<f64>> = (0..n)
        .map(|i| (0..n).map(|j| apart(i, j)).collect())
        .collect();
    let mut now: Vec<Vec<usize>> = (0..n).map(|i| vec![i]).collect();
    let mut best: Option<(f64, Vec<usize>)> = None;
    while now.len() > 1 {
        if now.len() < n {
            let of = labels(&now, n);
            let s = silhouette(&table, &of, now.len());
            if best.as_ref().is_none_or(|b| s > b.0) {
                best = Some((s, of));
            }
        }
        // The two that are nearest in mean; of equals, the first.
        let mut nearest = (f64::INFINITY, 0, 1);
        for i in 0..now.len() {
            for j in i + 1..now.len() {
                let pairs = now[i]
                    .iter()
                    .flat_map(|&a| now[j].iter().map(move |&b| (a, b)));
                let sum: f64 = pairs.map(|(a, b)| table[a][b]).sum();
                let mean = sum / (now[i].len() * now[j].len()) as f64;
                if mean < nearest.0 {
                    nearest = (mean, i, j);
                }
            }
        }
        let other = now.remove(nearest.2);
        now[nearest.1].extend(other);
    }
    let silhouette = best.as_ref().map(|b| b.0);
    let of = best.filter(|b| b.0 >= REASONABLE).map(|b| b.1);
    Groups {
        of: of.unwrap_or_else(|| vec![0; n]),
        order: now.into_iter().flatten().collect(),
        silhouette,
    }
}

/// By curve its group, numbered by the first curve of each.
fn labels(groups: &[Vec<usize>], n: usize) -> Vec<usize> {
    let mut of = vec![0; n];
    for (g, members) in groups.iter().enumerate() {
        members.iter().for_each(|&i| of[i] = g);
    }
    let mut met = Vec::new();
    for g in &mut of {
        let at = met.iter().position(|m| m == g).unwrap_or(met.len());
        if at == met.len() {
            met.push(*g);
        }
        *g = at;
    }
    of
}

/// Mean over curves of (b − a)/max(a, b): a, the mean distance to one's own group, b, to the nearest
/// other (Rousseeuw 1987). A curve alone counts 0.
fn silhouette(table: &[Vec<f64>], of: &[usize], groups: usize) -> f64 {
    let n = of.len();
    let one = |i: usize| {
        let to = |g: usize| {
            let others = (0..n).filter(|&j| j != i && of[j] == g);
            let (sum, count) = others.fold((0.0, 0), |(s, c), j| (s + table[i][j], c + 1));
            (count > 0).then(|| sum / f64::from(count))
        };
        let Some(own) = to(of[i]) else { return 0.0 };
        let other = (0..groups).filter(|&g| g != of[i]).filter_map(to);
        let other = other.fold(f64::INFINITY, f64::min);
        let most = own.max(other);
        if most > 0.0 && most.is_finite() {
            (other - own) / most
        } else {
            0.0
        }
    };
    (0..n).map(one).sum::<f64>() / n.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::philox::{Draws, Stream};

    /// `n` curves of 30 points around `height·t`, with noise.
    fn rising(n: usize, height: f64, noise: f64, seed: u32) -> Vec<Vec<f64>> {
        let mut draws = Draws::new(seed, Stream::Probe, 0);
        let mut at = |t: u32| height * f64::from(t) / 30.0 + noise * draws.normal();
        (0..n).map(|_| (0..30).map(&mut at).collect()).collect()
    }

    #[test]
    fn families_are_found_whatever_their_order() {
        for seed in 0..5 {
            let all = [
                rising(3, 0.0, 0.1, seed),
                rising(2, 2.0, 0.1, seed + 50),
                rising(3, 4.0, 0.1, seed + 90),
            ];
            let curves: Vec<Vec<f64>> = all.concat();
            let found = groups(&curves);
            assert_eq!(found.of, [0, 0, 0, 1, 1, 2, 2, 2], "seed {seed}");
            // Those of a family stand side by side.
            let kinds: Vec<usize> = found.order.iter().map(|&i| found.of[i]).collect();
            assert_eq!(kinds.windows(2).filter(|w| w[0] != w[1]).count(), 2);
            // Shuffled, the same families under other numbers.
            let shuffled: Vec<Vec<f64>> =
                [7, 3, 0, 4, 5, 1, 6, 2].map(|i| curves[i].clone()).into();
            assert_eq!(
                groups(&shuffled).of,
                [0, 1, 2, 1, 0, 2, 0, 2],
                "seed {seed}"
            );
        }
    }

    #[test]
    fn noise_has_no_groups() {
        // Planted fault: a cut without a threshold would split each of these.
        for seed in 0..20 {
            let found = groups(&rising(8, 1.0, 0.3, seed));
            assert!(
                found.silhouette.is_some_and(|s| s < REASONABLE),
                "{found:?}"
            );
            assert_eq!(found.of, [0; 8]);
        }
    }

    #[test]
    fn few_curves_and_gaps() {
        assert_eq!(groups(&[]), Groups::default());
        let two = groups(&rising(2, 1.0, 0.1, 1));
        assert_eq!((two.of, two.silhouette), (vec![0, 0], None));
        let mut curves = [rising(2, 0.0, 0.1, 1), rising(2, 9.0, 0.1, 2)].concat();
        curves[1][4] = f64::NAN;
        assert_eq!(groups(&curves).of, [0, 0, 1, 1]);
        curves[0].fill(f64::NAN);
        assert_eq!(groups(&curves).of.len(), 4);
    }
}
