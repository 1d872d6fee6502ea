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
    x.sort_by(f64::total_cmp);
    match x.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => x[n / 2],
        n => 0.5 * (x[n / 2 - 1] + x[n / 2]),
    }
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

/// Normal scores Φ⁻¹((rank − 3/8)/(n + 1/4)) over all chains, ties sharing their mean rank.
fn rank_normal(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let all = chains.concat();
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by(|&i, &j| all[i].total_cmp(&all[j]));
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
    use crate::math::philox::{Draws, Stream};

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
}
