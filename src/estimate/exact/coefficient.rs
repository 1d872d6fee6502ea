//! Learning coefficients in closed form: λ and its multiplicity m, the two numbers of
//! F_n = nL_n + λ ln n − (m − 1) ln ln n (Watanabe 2009, "Algebraic Geometry and Statistical
//! Learning Theory").

/// λ and its multiplicity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coefficient {
    /// The learning coefficient (real log canonical threshold).
    pub lambda: f64,
    /// Order of the pole: above 1, estimates approach λ from below, like 1/ln n.
    pub multiplicity: u32,
}

impl Coefficient {
    const fn simple(lambda: f64) -> Self {
        Self {
            lambda,
            multiplicity: 1,
        }
    }
}

/// A regular model of `d` identifiable parameters: λ = d/2. Flat directions add nothing.
#[must_use]
pub fn regular(d: usize) -> Coefficient {
    Coefficient::simple(d as f64 / 2.0)
}

/// A normal crossing ∏ |w_i|^(e_i) with a flat prior: λ = min 1/e_i, m = how many attain it.
/// Exponents of 0 are flat directions; with no other there is nothing to learn and λ is 0.
#[must_use]
pub fn normal_crossing(exponents: &[u32]) -> Coefficient {
    let steepest = exponents.iter().copied().max().unwrap_or(0);
    if steepest == 0 {
        return Coefficient::simple(0.0);
    }
    Coefficient {
        lambda: 1.0 / f64::from(steepest),
        multiplicity: exponents.iter().filter(|&&e| e == steepest).count() as u32,
    }
}

/// A deep linear network of layer `widths` H_0 … H_L at a truth of rank `rank` (Aoyagi 2024,
/// "Consideration on the learning efficiency of multiple-layered neural networks with linear
/// units"); with two layers, reduced-rank regression (Aoyagi & Watanabe 2005). The rank is cut to
/// the narrowest width; fewer than two widths are no network, and λ is 0.
#[must_use]
pub fn deep_linear(widths: &[usize], rank: usize) -> Coefficient {
    let (Some(&first), Some(&last)) = (widths.first(), widths.last()) else {
        return Coefficient::simple(0.0);
    };
    if widths.len() < 2 {
        return Coefficient::simple(0.0);
    }
    let rank = widths.iter().copied().fold(rank, usize::min);
    let mut free: Vec<usize> = widths.iter().map(|h| h - rank).collect();
    free.sort_unstable();
    let r = rank as f64;
    let base = (r * (first + last) as f64 - r * r) / 2.0;
    // The ℓ + 1 smallest M, taken while the next is small enough to count.
    let fits = |ell: usize| {
        let sum: usize = free[..=ell].iter().sum();
        sum >= ell * free[ell] && free.get(ell + 1).is_none_or(|&next| sum < ell * next)
    };
    let ell = (1..free.len()).find(|&l| fits(l)).unwrap_or(free.len() - 1);
    let chosen = &free[..=ell];
    let sum: usize = chosen.iter().sum();
    let ceil = sum.div_ceil(ell);
    let a = sum + ell - ceil * ell;
    let pairs: usize = (0..chosen.len())
        .map(|i| chosen[i] * chosen[i + 1..].iter().sum::<usize>())
        .sum();
    // Over 4ℓ in whole numbers, so that nothing is rounded.
    let whole = |n: usize| n as i64;
    let over = whole(a * (ell - a)) - whole((ell - 1) * sum * sum) + whole(2 * ell * pairs);
    let rest = over as f64 / (4 * ell) as f64;
    Coefficient {
        lambda: base + rest,
        multiplicity: (a * (ell - a)) as u32 + 1,
    }
}

/// A net of one input, `hidden` tanh units and one output, without biases, when the truth is zero
/// (Aoyagi & Nagata 2012): λ = (H + i² + i)/(4i + 2) with i = ⌊√H⌋, m = 2 where i² = H.
#[must_use]
pub fn tanh_zero(hidden: usize) -> Coefficient {
    let i = hidden.isqrt();
    Coefficient {
        lambda: (hidden + i * i + i) as f64 / (4 * i + 2) as f64,
        multiplicity: if i * i == hidden && hidden > 0 { 2 } else { 1 },
    }
}

/// A table of logits for the next of `vocab` tokens, every context seen and every probability
/// positive: one direction of each row is flat, λ = V(V − 1)/2.
#[must_use]
pub fn bigram(vocab: usize) -> Coefficient {
    regular(vocab * vocab.saturating_sub(1))
}

/// A regular `gon`-gon of `features` features in the toy model of superposition, the others dead
/// with a bias above 0 (`plus`) or below (Chen et al. 2023, arXiv 2310.06301). From the pentagon on
/// the point is regular but for its rotation; at the square the loss is only C¹ but homogeneous of
/// degree 2 around it, and every parameter that it feels counts one half. For 4 to 8 corners.
#[must_use]
pub fn superposition(features: usize, gon: usize, plus: bool) -> Coefficient {
    let gon = gon.clamp(4, 8).min(features);
    let dead = features - gon;
    let each = match (plus, gon) {
        (true, _) => 3,
        (false, 4) => 2,
        (false, _) => 0,
    };
    regular(3 * gon - 1 + each * dead)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two-layer formula by its four cases (Aoyagi & Watanabe 2005).
    fn reduced_rank(m: i64, h: i64, n: i64, r: i64) -> (f64, u32) {
        if m + h < n + r {
            ((h * m - h * r + n * r) as f64 / 2.0, 1)
        } else if n + h < m + r {
            ((h * n - h * r + m * r) as f64 / 2.0, 1)
        } else if m + n < h + r {
            ((m * n) as f64 / 2.0, 1)
        } else {
            let s = -(h + r).pow(2) - m * m - n * n + 2 * (h + r) * (m + n) + 2 * m * n;
            let odd = (m + h + n + r) % 2;
            ((s + odd) as f64 / 8.0, 1 + odd as u32)
        }
    }

    #[test]
    fn two_layers_are_reduced_rank_regression() {
        let mut n = 0;
        for (m, h, k) in
            (1..=7).flat_map(|m| (1..=7).flat_map(move |h| (1..=7).map(move |k| (m, h, k))))
        {
            for r in 0..=m.min(h).min(k) {
                let got = deep_linear(&[m, h, k], r);
                let want = reduced_rank(m as i64, h as i64, k as i64, r as i64);
                assert_eq!((got.lambda, got.multiplicity), want, "{m} {h} {k} rank {r}");
                n += 1;
            }
        }
        assert!(n > 1000, "{n}");
    }

    #[test]
    fn the_tables() {
        let dln = |w: &[usize], r| {
            let c = deep_linear(w, r);
            (c.lambda, c.multiplicity)
        };
        assert_eq!(dln(&[5, 3, 5], 0), (6.5, 2));
        assert_eq!(dln(&[5, 4, 5], 0), (8.0, 1));
        assert_eq!(dln(&[4, 3, 8], 0), (6.0, 1));
        assert_eq!(dln(&[2, 2, 2], 1), (2.0, 2));
        assert_eq!(dln(&[10, 5, 10], 3), (32.0, 1));
        assert_eq!(dln(&[8, 8, 8], 2), (27.5, 1));
        assert_eq!(dln(&[5, 5, 5, 5], 0), (8.5, 3));
        assert_eq!(dln(&[5, 5, 5, 5], 2), (11.0, 1));
        assert_eq!(dln(&[4, 4, 4, 4], 1), (6.5, 1));
        assert_eq!(dln(&[4, 4, 4, 4, 4], 1), (6.5, 4));
        assert_eq!(dln(&[1, 1, 1, 1], 0), (0.5, 3));
        assert_eq!(dln(&[2, 3, 4, 3, 2], 1), (2.0, 1));
        assert_eq!(dln(&[455, 395, 125, 350, 277, 261, 297], 28), (20546.5, 3));
        let tanh = [1, 2, 3, 4, 9].map(|h| tanh_zero(h).lambda);
        let want = [0.5, 2.0 / 3.0, 5.0 / 6.0, 1.0, 1.5];
        assert!(tanh.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-12));
        assert_eq!((bigram(4).lambda, bigram(8).lambda), (6.0, 28.0));
        let tms = |c, k, plus| superposition(c, k, plus).lambda;
        assert_eq!(
            [5, 6, 7, 8].map(|c| tms(c, c, false)),
            [7.0, 8.5, 10.0, 11.5]
        );
        assert_eq!([tms(6, 5, false), tms(6, 5, true)], [7.0, 8.5]);
        assert_eq!(
            [tms(6, 4, true), tms(6, 4, false), tms(4, 4, true)],
            [8.5, 7.5, 5.5]
        );
    }

    #[test]
    fn crossings_and_degenerate_shapes() {
        let nc = |e: &[u32]| {
            let c = normal_crossing(e);
            (c.lambda, c.multiplicity)
        };
        assert_eq!(
            [nc(&[4]), nc(&[2, 2]), nc(&[2, 4])],
            [(0.25, 1), (0.5, 2), (0.25, 1)]
        );
        assert_eq!([nc(&[0, 0]), nc(&[])], [(0.0, 1), (0.0, 1)]);
        assert_eq!(
            deep_linear(&[], 1).lambda + deep_linear(&[3], 1).lambda,
            0.0
        );
        // One layer is a regular model of H_0 H_1 parameters; a rank too large is cut.
        assert_eq!(deep_linear(&[3, 4], 1).lambda, 6.0);
        assert_eq!(deep_linear(&[3, 4], 9), deep_linear(&[3, 4], 3));
        // A net of one unit is the crossing a²b².
        assert_eq!(tanh_zero(1), normal_crossing(&[2, 2]));
    }
}
