//! λ̂ by class of positions. The loss is a mean over positions, L = Σ share_c·L_c, and λ̂ is linear in
//! it: the part of a class is nβ times the mean of share_c·(L_c(w) − L_c(w*)), with the class's share
//! of each batch's own targets, so that the parts add up to λ̂.

use super::trace::Trace;
use crate::math::stats;
use crate::protocol::ClassLlc;

/// The parts of the chains that `stood`, in the order of the trace's classes, the last of which is
/// whatever the others leave. None where the losses of classes are not held apart.
#[must_use]
pub fn by_class(trace: &Trace, stood: &[usize]) -> Vec<ClassLlc> {
    let s = &trace.settings;
    let Some((_, held)) = trace.classes.split_last().filter(|_| !stood.is_empty()) else {
        return Vec::new();
    };
    let first = s.burnin.div_ceil(trace.every.max(1)) as usize;
    let mut series = vec![Vec::new(); trace.classes.len()];
    for (row, shares) in trace.each().zip(&trace.shares).skip(first) {
        let anchor = &row[s.chains];
        let mean = |f: &dyn Fn(usize) -> f64| {
            stood.iter().map(|&c| f(c)).sum::<f64>() / stood.len() as f64
        };
        let mut rest = mean(&|c| f64::from(row[c].loss) - f64::from(anchor.loss));
        for k in 0..held.len() {
            let part = mean(&|c| f64::from(row[c].at[k]) - f64::from(anchor.at[k]));
            let part = f64::from(shares[k]) * part;
            series[k].push(part);
            rest -= part;
        }
        series[held.len()].push(rest);
    }
    let named = trace.classes.iter().zip(series);
    named
        .map(|(name, series)| {
            let se = s.nbeta * stats::standard_error(&series);
            ClassLlc {
                name: (*name).into(),
                value: s.nbeta * stats::mean(&series),
                se: if se.is_finite() { se } else { 0.0 },
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::philox::{Draws, Stream};
    use crate::protocol::SamplerSettings;

    const CLASSES: &[&str] = &["first", "repeat", "start"];

    /// A trace of three chains, the last of which is lost, with another number of positions in each
    /// class at every step; and λ̂ of each class from the losses of the positions themselves.
    fn made() -> (Trace, [f64; 3]) {
        let settings = SamplerSettings {
            nbeta: 20.0,
            chains: 3,
            burnin: 4,
            draws: 36,
            ..SamplerSettings::default()
        };
        let mut trace = Trace::new(0, settings, 1, 1.0, false);
        trace.classes = CLASSES;
        let mut draws = Draws::new(5, Stream::Probe, 0);
        let mut sums = [0.0; 3];
        for t in 0..40 {
            let counts = [3 + draws.index(5), 2 + draws.index(7), 1 + draws.index(2)];
            let all = f64::from(counts.iter().sum::<u32>());
            let mut stats = Vec::new();
            let mut totals = [[0.0; 3]; 4];
            for (r, totals) in totals.iter_mut().enumerate() {
                for (total, n) in totals.iter_mut().zip(counts) {
                    *total = (0..n).map(|_| (4 - r) as f64 + draws.unit()).sum();
                }
                let mean = |c: usize| (totals[c] / f64::from(counts[c])) as f32;
                let loss = if r == 2 && t == 20 {
                    f64::NAN
                } else {
                    totals.iter().sum::<f64>() / all
                };
                stats.extend([loss as f32, mean(0), mean(1), 0.0]);
            }
            trace.push(&stats, &[0.0; 32]);
            trace
                .shares
                .push([0, 1].map(|c| (f64::from(counts[c]) / all) as f32));
            for (c, sum) in sums.iter_mut().enumerate().filter(|_| t >= 4) {
                *sum += ((totals[0][c] + totals[1][c]) / 2.0 - totals[3][c]) / all;
            }
        }
        (trace, sums.map(|s| 20.0 * s / 36.0))
    }

    #[test]
    fn the_parts_are_those_of_the_positions_and_add_up() {
        let (trace, exact) = made();
        let off = |parts: &[ClassLlc]| {
            let gaps = parts.iter().zip(exact).map(|(p, e)| (p.value - e).abs());
            gaps.fold(0.0, f64::max)
        };
        let parts = by_class(&trace, &[0, 1]);
        assert!(off(&parts) < 1e-4, "{parts:?} {exact:?}");
        assert!(parts.iter().all(|p| p.se > 0.0 && p.se < 3.0));
        let whole = super::super::llc::llc(&trace.draws(), 3, 20.0);
        let sum: f64 = parts.iter().map(|p| p.value).sum();
        assert_eq!(whole.stood, [0, 1]);
        assert!((sum - whole.value).abs() < 1e-9 * whole.value, "{sum}");
        // Planted: one share for all batches instead of each batch's own.
        let mut wrong = trace.clone();
        wrong.shares.fill([0.45, 0.4]);
        assert!(off(&by_class(&wrong, &[0, 1])) > 0.1);
        // Thinned, the shares stay with their steps.
        let mut thin = trace.clone();
        thin.thin();
        let sum: f64 = by_class(&thin, &[0, 1]).iter().map(|p| p.value).sum();
        let whole = super::super::llc::llc(&thin.draws(), 3, 20.0).value;
        assert!((sum - whole).abs() < 1e-9 * whole);
        assert_eq!(by_class(&trace, &[]), []);
        let mut whole = trace;
        whole.classes = &[];
        assert_eq!(by_class(&whole, &[0]), []);
    }
}
