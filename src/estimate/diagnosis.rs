//! What a trace says of its estimate: a pure function of it, with a sentence for all that is amiss.

use super::classes::by_class;
use super::llc::{Llc, llc, standing};
use super::trace::{Row, Trace};
use crate::math::stats;
use crate::protocol::LlcPoint;

/// Above it R̂ says that the chains have not mixed (Vehtari et al. 2021 would say 1.01 of many draws),
/// unless so few draws give as much by chance.
const RHAT: f64 = 1.05;
/// Above it the discretisation biases the stiffest direction by more than 15 %.
const INDEX: f64 = 0.15;
/// Fewer effective draws leave the standard error itself uncertain by more than a quarter, 1/√(2·ESS).
const ESS: f64 = 8.0;
/// Up to as many moving weights MALA's acceptance judges ε; above, prior-only directions lower it.
const JUDGED: usize = 200;
/// Below it ε is too large for MALA, and its bias for SGLD.
const ACCEPT: f64 = 0.8;
/// Standard errors between the two halves of the draws from which on they differ.
const DRIFT: f64 = 4.0;

/// The estimate of a trace. `ends` is ‖w−w*‖²/‖w*‖² of each chain at its end, `curvature` the
/// greatest a = nβ·h + γ along the moving weights where it is known. None if no chain stood.
#[must_use]
pub fn diagnose(trace: &Trace, ends: &[f64], curvature: Option<f64>) -> Option<LlcPoint> {
    let s = &trace.settings;
    let found = llc(&trace.draws(), s.chains, s.nbeta);
    if !found.value.is_finite() {
        return None;
    }
    let told = |x: f64| x.is_finite().then_some(x);
    let first = s.burnin as usize;
    let draws: Vec<&[Row]> = trace.each().skip(first).collect();
    let over = |c: usize, f: fn(&Row) -> f32| -> f64 {
        stats::mean(
            &draws
                .iter()
                .map(|d| f64::from(f(&d[c])))
                .collect::<Vec<_>>(),
        )
    };
    let mean = |f: &dyn Fn(usize) -> f64| {
        stats::mean(&found.stood.iter().map(|&c| f(c)).collect::<Vec<_>>())
    };
    let (half, noise) = (0.5 * s.eps, s.eps.sqrt());
    let force = |k: usize| {
        let all = mean(&|c| trace.forces[c][k] / s.draws.max(1) as f64);
        all.sqrt()
    };
    let lost: Vec<f64> = ends.iter().copied().filter(|x| x.is_finite()).collect();
    let distance = stats::mean(&lost).sqrt();
    let mut point = LlcPoint {
        step: trace.step,
        value: found.value,
        se: told(found.se).unwrap_or(0.0),
        between_se: told(found.between_se),
        init_loss: found.init_loss,
        init_se: told(found.init_se).unwrap_or(0.0),
        mean_loss: found.mean_loss,
        distance: told(distance).unwrap_or(0.0),
        spread: mean(&|c| over(c, |r| r.distance)).sqrt(),
        free: told((trace.moving as f64 / s.gamma).sqrt()),
        accept: found.stood.iter().map(|&c| over(c, |r| r.accept)).collect(),
        rhat: told(found.rhat),
        ess: found.ess,
        time: found.time,
        below: found.below,
        index: curvature.map(|a| 0.25 * s.eps * a),
        forces: [half * force(0), half * force(1), noise * force(2)],
        relaxations: 0.5 * s.draws as f64 * s.eps * s.gamma,
        burnin: settled(trace, &found),
        failed: (0..s.chains as u32)
            .filter(|&c| !found.stood.contains(&(c as usize)))
            .collect(),
        failed_chains: found.failed as u32,
        per_chain: found.per_chain,
        curvature: None,
        polished: None,
        classes: by_class(trace, &found.stood),
        warnings: Vec::new(),
    };
    point.warnings = warnings(trace, &point, curvature);
    Some(point)
}

/// The first step at which the chains' mean difference comes within one standard deviation of its
/// mean over the later half: a burn-in that would have done.
fn settled(trace: &Trace, found: &Llc) -> u64 {
    let series = trace.each().map(|row| {
        let anchor = f64::from(row[trace.settings.chains].loss);
        stats::mean(
            &found
                .stood
                .iter()
                .map(|&c| f64::from(row[c].loss) - anchor)
                .collect::<Vec<_>>(),
        )
    });
    let series: Vec<f64> = series.collect();
    let later = &series[series.len() / 2..];
    let (mean, sd) = (stats::mean(later), stats::sd(later));
    let near = series.iter().position(|x| (x - mean).abs() <= sd);
    near.map_or(0, |t| t as u64 * trace.every)
}

/// Difference of the two halves of the draws, in standard errors; positive where the loss rises.
fn drift(trace: &Trace) -> f64 {
    let series = standing(&trace.draws(), trace.settings.chains).chain_mean();
    let (a, b) = series.split_at(series.len() / 2);
    let se = stats::standard_error(a).hypot(stats::standard_error(b));
    let z = (stats::mean(b) - stats::mean(a)) / se;
    if z.is_finite() { z } else { 0.0 }
}

fn warnings(trace: &Trace, p: &LlcPoint, curvature: Option<f64>) -> Vec<String> {
    let s = &trace.settings;
    let mut out = Vec::new();
    let mut say = |amiss: bool, text: String| {
        if amiss {
            out.push(text);
        }
    };
    let names: Vec<String> = p.failed.iter().map(|c| (c + 1).to_string()).collect();
    let smaller = curvature.map_or(0.25 * s.eps, |a| (0.4 / a).min(0.25 * s.eps));
    say(
        !names.is_empty(),
        format!(
            "Chain {} ran away and is left out; lower ε to about {smaller:.0e}.",
            names.join(", ")
        ),
    );
    if let Some(index) = p.index {
        say(
            index > INDEX,
            format!(
                "ε·a/4 is {index:.2}: the step inflates λ̂ along the stiffest direction by a factor {:.2}; lower ε.",
                1.0 / (1.0 - index).max(1e-2)
            ),
        );
    }
    let drift = drift(trace);
    let leaves = p.below > 0.5;
    say(
        leaves,
        format!(
            "{:.0} % of the draws lie below L(w*): the checkpoint is no minimum at this scale; raise γ, or train on.",
            100.0 * p.below
        ),
    );
    say(
        drift > DRIFT,
        "The loss still rises along the chains: draw longer, or raise γ.".into(),
    );
    say(
        drift < -DRIFT && !leaves,
        "The loss falls along the chains: they have found a way down, or started with too large a step; raise γ or lower ε.".into(),
    );
    if let Some(rhat) = p.rhat {
        let chance = stats::rhat_by_chance(p.per_chain.len(), s.draws as f64, p.time);
        say(
            rhat > RHAT.max(chance) && s.chains > 1,
            format!(
                "R̂ is {rhat:.2}, more than the {chance:.2} that chance gives so many draws: the chains disagree; draw longer, or raise γ."
            ),
        );
    }
    say(
        p.ess < ESS,
        format!(
            "Only {:.0} effective draws: the error bar is itself uncertain by {:.0} % and more; draw longer.",
            p.ess,
            100.0 / (2.0 * p.ess.max(0.5)).sqrt()
        ),
    );
    // Batches that differ from step to step lower it at any ε: it judges exact losses alone.
    let (accept, exact) = (stats::mean(&p.accept), p.init_se == 0.0);
    say(
        exact && accept < ACCEPT && trace.moving <= JUDGED,
        format!(
            "Acceptance {accept:.2} of {} weights is low; lower ε.",
            trace.moving
        ),
    );
    say(
        p.burnin > s.burnin,
        format!(
            "The chains settle near step {}, after the burn-in of {}; raise burnin.",
            p.burnin, s.burnin
        ),
    );
    say(
        s.gamma > 0.0 && p.relaxations < 1.0,
        format!(
            "The draws span {:.2} relaxation times of the spring: flat directions are not explored; draw longer.",
            p.relaxations
        ),
    );
    say(
        trace.norm > 0.0 && p.free.is_none_or(|free| free > trace.norm),
        "The spring alone lets the chains go farther than ‖w*‖: λ̂ may measure that; raise γ."
            .into(),
    );
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::math::philox::{Draws, Stream};
    use crate::protocol::SamplerSettings;

    const BURNIN: u64 = 20;

    /// Four chains of 200 draws, `loss(t, chain, noise)` above an anchor at 1.
    fn with(change: impl Fn(&mut Trace), loss: impl Fn(u64, usize, f64) -> f64) -> Trace {
        let settings = SamplerSettings {
            nbeta: 10.0,
            gamma: 1.0,
            eps: 0.1,
            chains: 4,
            burnin: BURNIN,
            draws: 200,
            sampler: "sgld".into(),
            ..SamplerSettings::default()
        };
        let mut trace = Trace::new(7, settings, 300, 100.0, false);
        change(&mut trace);
        let mut noise = Draws::new(3, Stream::Probe, 0);
        for t in 0..BURNIN + 200 {
            let mut stats: Vec<f32> = (0..4)
                .flat_map(|c| [1.0 + loss(t, c, noise.normal()) as f32, 0.0, 0.0, 0.0])
                .collect();
            stats.extend([1.0, 0.0, 0.0, 0.0]);
            trace.push(
                &stats,
                &[4.0, 9.0, 25.0, 16.0, 0.0, 0.0, 0.0, 0.0].repeat(5),
            );
        }
        trace
    }
    fn healthy(_: u64, _: usize, noise: f64) -> f64 {
        0.5 + 0.05 * noise
    }
    /// The one warning of a trace.
    fn only(trace: &Trace, curvature: Option<f64>) -> String {
        let point = diagnose(trace, &[], curvature).unwrap();
        let rest = point
            .warnings
            .iter()
            .filter(|w| !w.starts_with("Acceptance"));
        let rest: Vec<&String> = rest.collect();
        assert_eq!(rest.len(), 1, "{rest:?}");
        rest[0].clone()
    }

    #[test]
    fn a_healthy_trace_has_numbers_and_no_warning() {
        let p = diagnose(&with(|_| (), healthy), &[0.04, 0.16], Some(2.0)).unwrap();
        assert_eq!(p.warnings, [""; 0]);
        assert!((p.value - 5.0).abs() < 4.0 * p.se && p.se < 0.05, "{p:?}");
        assert!(p.between_se.unwrap() < 0.05 && p.rhat.unwrap() < 1.03);
        assert_eq!((p.spread, p.free), (5.0, Some(300f64.sqrt())));
        assert!((p.distance - 0.1f64.sqrt()).abs() < 1e-12);
        assert_eq!((p.index, p.relaxations, p.below), (Some(0.05), 10.0, 0.0));
        let exact = [0.1, 0.15, 0.1f64.sqrt() * 4.0];
        assert!(
            p.forces
                .iter()
                .zip(exact)
                .all(|(a, b)| (a - b).abs() < 1e-12)
        );
        assert!(p.burnin <= 2 && p.per_chain.len() == 4 && p.accept.len() == 4);
        // The curvature is measured beside the chains and joins the point later.
        let text = serde_json::to_string(&p).unwrap();
        let known = text.replace("\"curvature\":null", "");
        let known = known.replace("\"polished\":null", "");
        assert!(!known.contains("null"), "{text}");
    }

    #[test]
    fn each_fault_has_its_sentence() {
        let says = |w: String, part: &str| assert!(w.contains(part), "{w}");
        let lost = |t, c, x| {
            if c == 2 && t > 50 {
                f64::NAN
            } else {
                healthy(t, c, x)
            }
        };
        let p = diagnose(&with(|_| (), lost), &[0.04, f64::NAN], None).unwrap();
        assert_eq!(
            (p.failed.clone(), p.failed_chains, p.per_chain.len()),
            (vec![2], 1, 3)
        );
        assert!((p.value - 5.0).abs() < 0.1 && (p.distance - 0.2).abs() < 1e-12);
        says(only(&with(|_| (), lost), None), "Chain 3 ran away");
        says(only(&with(|_| (), healthy), Some(8.0)), "factor 1.25");
        says(
            only(&with(|_| (), |_, _, x| -0.5 + 0.05 * x), None),
            "100 % of the draws lie below",
        );
        let apart = |_, c: usize, x| 0.5 + 0.1 * c as f64 + 0.05 * x;
        says(only(&with(|_| (), apart), None), "the chains disagree");
        let shared = |t: u64, _, x| 0.5 + 0.2 * (t as f64 / 60.0).sin() + 0.001 * x;
        assert!(
            diagnose(&with(|_| (), shared), &[], None)
                .unwrap()
                .warnings
                .iter()
                .any(|w| w.contains("effective draws"))
        );
        let late = |t, _, x| if t < 60 { 4.0 } else { 0.5 } + 0.05 * x;
        let p = diagnose(&with(|_| (), late), &[], None).unwrap();
        assert!((58..=62).contains(&p.burnin), "{}", p.burnin);
        assert!(p.warnings.iter().any(|w| w.contains("raise burnin")));
        let short = |t: &mut Trace| t.settings.eps = 1e-3;
        says(only(&with(short, healthy), None), "relaxation times");
        let hot = |t: &mut Trace| t.norm = 10.0;
        says(only(&with(hot, healthy), None), "farther than ‖w*‖");
        let rising = |t: u64, _, x| 0.1 + 0.004 * t as f64 + 0.05 * x;
        let p = diagnose(&with(|_| (), rising), &[], None).unwrap();
        assert!(
            p.warnings.iter().any(|w| w.contains("still rises")),
            "{p:?}"
        );
    }

    #[test]
    fn low_acceptance_counts_in_few_dimensions_alone() {
        let jumpy = |_: u64, _: usize, x: f64| 0.5 + 0.5 * x;
        for (moving, warns) in [(100, true), (300, false)] {
            let p = diagnose(&with(|t| t.moving = moving, jumpy), &[], None).unwrap();
            assert!(p.accept[0] < 0.8);
            assert_eq!(
                p.warnings.iter().any(|w| w.starts_with("Acceptance")),
                warns
            );
        }
    }

    #[test]
    fn nothing_is_said_of_chains_that_all_failed_or_of_none() {
        let all = with(|_| (), |_, _, _| f64::INFINITY);
        assert_eq!(diagnose(&all, &[], None), None);
        assert_eq!(diagnose(&Trace::default(), &[], None), None);
        // Two draws of a single chain have numbers all the same.
        let settings = SamplerSettings {
            nbeta: 1.0,
            chains: 1,
            draws: 2,
            ..SamplerSettings::default()
        };
        let mut t = Trace::new(0, settings, 2, 0.0, false);
        for loss in [1.0, 2.0] {
            t.push(&[loss, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0], &[0.0; 16]);
        }
        let p = diagnose(&t, &[f64::NAN], None).unwrap();
        assert_eq!((p.value, p.between_se, p.free), (0.5, None, None));
        let json = serde_json::to_value(&p).unwrap();
        assert!(json["se"].is_number() && json["rhat"].is_null() && json["distance"] == 0.0);
    }
}
