//! Statistics of traces: means, standard errors, autocorrelation, effective sample size, R-hat.

/// Mean; NaN of nothing.
#[must_use]
pub fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

/// Unbiased variance; NaN of fewer than two.
#[must_use]
pub fn variance(x: &[f64]) -> f64 {
    let m = mean(x);
    x.iter().map(|x| (x - m).powi(2)).sum::<f64>() / (x.len() as f64 - 1.0)
}

/// Standard deviation, from the unbiased variance.
#[must_use]
pub fn sd(x: &[f64]) -> f64 {
    variance(x).sqrt()
}

/// The median; NaN of nothing.
#[must_use]
pub fn median(x: &[f64]) -> f64 {
    let mut x = x.to_vec();
    crate::order::ascending(&mut x);
    match x.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => x[n / 2],
        n => 0.5 * (x[n / 2 - 1] + x[n / 2]),
    }
}

/// Quantiles of finite numbers, interpolated between neighbours (definition 7 of Hyndman and Fan 1996);
/// NaN of nothing.
#[must_use]
pub fn quantiles_at<const N: usize>(mut x: Vec<f64>, at: [f64; N]) -> [f64; N] {
    crate::order::ascending(&mut x);
    at.map(|q| {
        let place = q.clamp(0.0, 1.0) * x.len().saturating_sub(1) as f64;
        let (low, share) = (place.floor() as usize, place.fract());
        match (x.get(low), x.get(low + 1)) {
            (Some(a), Some(b)) => a + share * (b - a),
            (Some(a), None) => *a,
            (None, _) => f64::NAN,
        }
    })
}

/// Integrated autocorrelation time 1 + 2 Σ ρ_t of one series, in steps, summed by Geyer's initial
/// monotone positive sequence (C. J. Geyer 1992, "Practical Markov chain Monte Carlo"): pairs
/// ρ_2k + ρ_2k+1 while they are positive, each at most the one before. At least 1, so that no
/// series counts for more than its length; 1 for a constant series.
#[must_use]
pub fn autocorrelation_time(x: &[f64]) -> f64 {
    let (n, m) = (x.len(), mean(x));
    let centred: Vec<f64> = x.iter().map(|x| x - m).collect();
    let autocovariance = |lag: usize| {
        centred
            .iter()
            .zip(&centred[lag..])
            .map(|(a, b)| a * b)
            .sum::<f64>()
            / n as f64
    };
    if n < 4 {
        return 1.0;
    }
    let zero = autocovariance(0);
    if zero.is_nan() || zero <= 0.0 {
        return 1.0;
    }
    let (mut sum, mut last) = (0.0, f64::INFINITY);
    for pair in 0..n / 2 {
        let next = (autocovariance(2 * pair) + autocovariance(2 * pair + 1)) / zero;
        if next <= 0.0 {
            break;
        }
        last = next.min(last);
        sum += last;
    }
    (2.0 * sum - 1.0).max(1.0)
}

/// Effective sample size of one series: its length over its autocorrelation time.
#[must_use]
pub fn effective_size(x: &[f64]) -> f64 {
    x.len() as f64 / autocorrelation_time(x)
}

/// Standard error of the mean of one autocorrelated series: sd/√ESS.
#[must_use]
pub fn standard_error(x: &[f64]) -> f64 {
    sd(x) / effective_size(x).sqrt()
}

/// 95 % interval of a share of `n` trials (Wilson 1927).
#[must_use]
pub fn wilson(share: f64, n: u32) -> (f64, f64) {
    let (n, z) = (f64::from(n.max(1)), 1.959_963_985);
    let (middle, whole) = (share + z * z / (2.0 * n), 1.0 + z * z / n);
    let half = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let end = |x: f64| (x / whole).clamp(0.0, 1.0);
    (end(middle - half), end(middle + half))
}

/// The quantile function of the standard normal, by P. J. Acklam's rational approximation
/// (relative error below 1.2e-9); `p` in (0, 1).
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 6] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 5] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
        1.0,
    ];
    let horner = |c: &[f64], x: f64| c.iter().fold(0.0, |sum, &a| sum * x + a);
    let tail = |p: f64| {
        let q = (-2.0 * p.ln()).sqrt();
        horner(&C, q) / horner(&D, q)
    };
    if p < 0.024_25 {
        tail(p)
    } else if p > 1.0 - 0.024_25 {
        -tail(1.0 - p)
    } else {
        let q = p - 0.5;
        horner(&A, q * q) * q / horner(&B, q * q)
    }
}

/// Split R̂, rank-normalised and folded (Vehtari, Gelman, Simpson, Carpenter & Bürkner 2021,
/// "Rank-normalization, folding, and localization"): the larger of the two, so that chains of
/// different location and chains of different scale both show. NaN under four draws a chain.
#[must_use]
pub fn rhat(chains: &[Vec<f64>]) -> f64 {
    let half = chains.iter().map(Vec::len).min().unwrap_or(0) / 2;
    if half < 2 {
        return f64::NAN;
    }
    let split: Vec<Vec<f64>> = chains
        .iter()
        .flat_map(|c| [c[..half].to_vec(), c[c.len() - half..].to_vec()])
        .collect();
    let centre = median(&split.concat());
    let folded: Vec<Vec<f64>> = split
        .iter()
        .map(|c| c.iter().map(|x| (x - centre).abs()).collect())
        .collect();
    plain_rhat(&rank_normal(&split)).max(plain_rhat(&rank_normal(&folded)))
}

/// The R̂ that `chains` chains of `draws` draws each reach by chance in about one of a hundred cases,
/// though all walk on the same distribution, where their autocorrelation time is `time` draws: the
/// means of the halves then scatter by time/half of the variance, and of the variance within a half
/// that share is missing. A time estimated from a series not much longer than it is too short; so
/// it is taken as time·(1 + 4·time/half) here, which on AR(1) series is what was missing.
#[must_use]
pub fn rhat_by_chance(chains: usize, draws: f64, time: f64) -> f64 {
    let (half, free) = (0.5 * draws, (2 * chains).saturating_sub(1).max(1) as f64);
    let share = (time * (1.0 + 4.0 * time / half) / half).clamp(0.0, 0.8);
    // χ²/free at 99 %, by Wilson and Hilferty 1931.
    let ninth = 2.0 / (9.0 * free);
    let far = (1.0 - ninth + normal_quantile(0.99) * ninth.sqrt()).powi(3);
    ((half - 1.0) / half + share / (1.0 - share) * far).sqrt()
}

/// Normal scores Φ⁻¹((rank − 3/8)/(n + 1/4)) over all chains, ties sharing their mean rank.
fn rank_normal(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let all = chains.concat();
    let mut order: Vec<usize> = (0..all.len()).collect();
    crate::order::sort_by(&mut order, |&i, &j| all[i].total_cmp(&all[j]));
    let mut scores = vec![0.0; all.len()];
    let mut first = 0;
    while first < order.len() {
        let ties = order[first..]
            .iter()
            .take_while(|&&i| all[i] == all[order[first]])
            .count()
            .max(1);
        let rank = first as f64 + 0.5 * (ties as f64 + 1.0);
        for &i in &order[first..first + ties] {
            scores[i] = normal_quantile((rank - 0.375) / (all.len() as f64 + 0.25));
        }
        first += ties;
    }
    let mut rest = scores.as_slice();
    chains
        .iter()
        .map(|c| {
            let (own, next) = rest.split_at(c.len());
            rest = next;
            own.to_vec()
        })
        .collect()
}

fn plain_rhat(chains: &[Vec<f64>]) -> f64 {
    let n = chains.first().map_or(0, Vec::len) as f64;
    let within = mean(&chains.iter().map(|c| variance(c)).collect::<Vec<_>>());
    let between = variance(&chains.iter().map(|c| mean(c)).collect::<Vec<_>>());
    ((n - 1.0) / n + between / within).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::philox::{Draws, Stream};

    #[test]
    fn quantiles_stand_between() {
        let x = vec![30.0, 10.0, 20.0, 50.0, 40.0];
        assert_eq!(
            quantiles_at(x, [0.0, 0.5, 0.625, 1.0]),
            [10.0, 30.0, 35.0, 50.0]
        );
        assert_eq!(quantiles_at(vec![7.0], [0.1, 0.9]), [7.0, 7.0]);
        assert!(quantiles_at(Vec::new(), [0.5])[0].is_nan());
    }

    /// x_t = φ x_{t−1} + √(1−φ²) z_t, which has variance 1 and time (1+φ)/(1−φ).
    fn ar1(seed: u32, phi: f64, n: usize) -> Vec<f64> {
        let mut draws = Draws::new(seed, Stream::Probe, 0);
        let mut x = draws.normal();
        (0..n)
            .map(|_| {
                x = phi * x + (1.0 - phi * phi).sqrt() * draws.normal();
                x
            })
            .collect()
    }

    #[test]
    fn autocorrelation_time_of_ar1() {
        for (phi, exact) in [(0.0, 1.0), (0.5, 3.0), (0.9, 19.0)] {
            let times: Vec<f64> = (0..20)
                .map(|s| autocorrelation_time(&ar1(s, phi, 5000)))
                .collect();
            assert!(
                (mean(&times) / exact - 1.0).abs() < 0.12,
                "φ {phi}: {}",
                mean(&times)
            );
        }
        // Planted: a series taken for independent would have time 1.
        assert!(autocorrelation_time(&ar1(1, 0.9, 5000)) > 10.0);
        assert_eq!(autocorrelation_time(&[2.0; 50]), 1.0);
    }

    #[test]
    fn the_standard_error_covers_the_truth() {
        let inside = (0..200).filter(|&s| {
            let x = ar1(s, 0.8, 1000);
            mean(&x).abs() < 2.0 * standard_error(&x)
        });
        assert!((180..=198).contains(&inside.count()));
    }

    #[test]
    fn quantiles() {
        for (p, z) in [
            (0.5, 0.0),
            (0.975, 1.959_963_985),
            (0.01, -2.326_347_874),
            (1e-6, -4.753_424_309),
        ] {
            assert!((normal_quantile(p) - z).abs() < 1e-8, "{p}");
        }
    }

    #[test]
    fn rhat_sees_shift_scale_and_drift() {
        let chains = || (0..4).map(|s| ar1(s, 0.3, 500)).collect::<Vec<_>>();
        assert!(rhat(&chains()) < 1.02, "{}", rhat(&chains()));
        let mut shifted = chains();
        shifted[0].iter_mut().for_each(|x| *x += 1.0);
        assert!(rhat(&shifted) > 1.05);
        let mut scaled = chains();
        scaled[0].iter_mut().for_each(|x| *x *= 3.0);
        assert!(rhat(&scaled) > 1.05);
        let mut drifting = chains();
        drifting.iter_mut().for_each(|c| {
            c.iter_mut()
                .enumerate()
                .for_each(|(t, x)| *x += t as f64 / 250.0)
        });
        assert!(rhat(&drifting) > 1.05);
        assert!(rhat(&[vec![1.0, 2.0]]).is_nan());
    }

    #[test]
    fn chance_explains_rhat_of_short_chains_and_not_of_chains_apart() {
        for (phi, n) in [(0.0, 30), (0.5, 30), (0.8, 30), (0.5, 100), (0.95, 100)] {
            let (mut over, mut apart, mut plain) = (0, 0, 0);
            for s in 0..100 {
                let mut chains: Vec<Vec<f64>> = (0..4).map(|c| ar1(1000 * s + c, phi, n)).collect();
                let limit = |chains: &[Vec<f64>]| {
                    let all: Vec<f64> = (0..n)
                        .map(|t| mean(&chains.iter().map(|c| c[t]).collect::<Vec<_>>()))
                        .collect();
                    rhat_by_chance(4, n as f64, autocorrelation_time(&all))
                };
                let found = rhat(&chains);
                over += u32::from(found > limit(&chains));
                plain += u32::from(found > 1.05);
                chains[0].iter_mut().for_each(|x| *x += 4.0);
                apart += u32::from(rhat(&chains) > limit(&chains));
            }
            assert!(over <= 15, "φ {phi}, {n} draws: {over} of 100 by chance");
            // Where the draws say anything, a chain that stands apart is seen.
            assert!(apart > 80 || phi > 0.7, "φ {phi}, {n} draws: {apart}");
            // Planted fault: the limit for long chains cries wolf at short ones.
            assert!(
                phi < 0.5 || n > 30 || plain > 30,
                "φ {phi}, {n} draws: {plain}"
            );
        }
        assert!(rhat_by_chance(4, 2000.0, 3.0) < 1.01);
    }
}
