//! The diagnostics of an estimate as a reader sees them: a value, the range that is healthy, a grade
//! and one sentence of what to do. Thresholds: R̂ by Vehtari et al. 2021, and what chance gives so many
//! draws; acceptance near 0.95 for
//! small models, since prior-only directions alone push it down in large ones; ε·a/4 from the exact
//! bias 1/(1 − εa/4) of SGLD on a quadratic.

use crate::math::stats::rhat_by_chance;
use crate::plot::number::{significant, with_error};
use crate::protocol::{ClassLlc, Curved, LlcPoint, SamplerSettings};

/// How a diagnostic stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// In its healthy range.
    Good,
    /// Worth a look.
    Look,
    /// The estimate should not be trusted as it is.
    Bad,
    /// Shown without a judgement.
    Plain,
}

impl Grade {
    /// A sign that is not a colour, and its word.
    #[must_use]
    pub fn sign(self) -> (&'static str, &'static str) {
        match self {
            Self::Good => ("●", "good"),
            Self::Look => ("▲", "look"),
            Self::Bad => ("■", "bad"),
            Self::Plain => ("", ""),
        }
    }
}

/// What diagnostics are called; what each is, and what to do when it is not healthy, is called `sign: <name>`.
pub const SIGNS: [&str; 18] = [
    "λ̂",
    "SE between chains",
    "chains that stood",
    "ε·a/4",
    "greatest curvature h",
    "ε it suggests",
    "nulls: spring alone, descent",
    "R̂",
    "effective draws",
    "autocorrelation time",
    "acceptance",
    "draws below L(w*)",
    "‖w − w*‖",
    "forces: gradient, pull, noise",
    "relaxation times",
    "burn-in that would do",
    "by position",
    "polished",
];

/// One diagnostic.
#[derive(Clone, Debug, PartialEq)]
pub struct Sign {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// The healthy range, in words.
    pub healthy: &'static str,
    /// How it stands.
    pub grade: Grade,
}

fn above(x: f64, good: f64, bad: f64) -> Grade {
    match x {
        x if x >= good => Grade::Good,
        x if x >= bad => Grade::Look,
        _ => Grade::Bad,
    }
}

fn below(x: f64, good: f64, bad: f64) -> Grade {
    match x {
        x if x <= good => Grade::Good,
        x if x <= bad => Grade::Look,
        _ => Grade::Bad,
    }
}

/// A small number in two figures: `9.5e-5`, `0.03`.
#[must_use]
pub fn short(x: f64) -> String {
    if x != 0.0 && x.abs() < 1e-3 {
        format!("{x:.1e}").replace(".0e", "e")
    } else {
        significant(x, 2)
    }
}

/// Weights up to which acceptance is judged.
const JUDGED: f64 = 200.0;
/// R̂ of chains that agree, given draws enough to tell.
const RHAT: f64 = 1.05;

/// R̂ and its grade: none where it is above the limit, but not above what chance gives so many draws.
fn agreement(p: &LlcPoint, s: &SamplerSettings) -> (String, Grade) {
    let Some(rhat) = p.rhat else {
        return ("not known".into(), Grade::Plain);
    };
    let chance = rhat_by_chance(p.per_chain.len(), s.draws as f64, p.time).max(RHAT);
    let text = significant(rhat, 3);
    if rhat > RHAT && rhat <= chance {
        let most = significant(chance, 3);
        return (
            format!("{text}, up to {most} by chance: too few draws to judge"),
            Grade::Plain,
        );
    }
    (text, below(rhat, chance, chance + 0.15))
}

/// The index ε·a/4 from which a point is graded bad.
pub const COARSE: f64 = 0.15;

/// Effective draws, and how well the error bar is known from them.
fn effective(p: &LlcPoint) -> (String, Grade) {
    let off = 100.0 / (2.0 * p.ess.max(0.5)).sqrt();
    let text = format!("{}, error bar ± {off:.0} %", significant(p.ess, 3));
    let grade = match p.ess {
        e if e >= 20.0 => Grade::Good,
        e if e >= 8.0 => Grade::Plain,
        e if e >= 3.0 => Grade::Look,
        _ => Grade::Bad,
    };
    (text, grade)
}

/// Every diagnostic of an estimate, the gravest questions first.
#[must_use]
pub fn signs(p: &LlcPoint, s: &SamplerSettings) -> Vec<Sign> {
    let show = |x: f64| significant(x, 3);
    let maybe = |x: Option<f64>| x.map_or_else(|| "not known".into(), show);
    let judged = |x: Option<f64>, f: &dyn Fn(f64) -> Grade| x.map_or(Grade::Plain, f);
    let accept = p.accept.iter().sum::<f64>() / p.accept.len().max(1) as f64;
    let moving = p.free.map_or(f64::INFINITY, |free| free * free * s.gamma);
    let chains = s.chains.max(1) as u32;
    let ((rhat, agree), (ess, enough)) = (agreement(p, s), effective(p));
    let by_curvature = |c: Curved| 0.4 / (s.nbeta * c.h_max.max(0.0) + s.gamma);
    let by_index = p.index.map(|i| 0.1 * s.eps / i);
    let suggested = by_index.or(p.curvature.map(by_curvature));
    let row = |name, value, healthy, grade| Sign {
        name,
        value,
        healthy,
        grade,
    };
    let mut all = vec![
        row("λ̂", with_error(p.value, p.se), "", Grade::Plain),
        row(
            "SE between chains",
            maybe(p.between_se),
            "near the SE",
            Grade::Plain,
        ),
        row(
            "chains that stood",
            format!("{} of {chains}", chains - p.failed_chains),
            "all",
            if p.failed_chains == 0 {
                Grade::Good
            } else {
                Grade::Bad
            },
        ),
        row(
            "ε·a/4",
            maybe(p.index),
            "below 0.1",
            judged(p.index, &|x| below(x, 0.1, COARSE)),
        ),
        row(
            "greatest curvature h",
            p.curvature
                .map_or_else(|| "not measured".into(), |c| show(c.h_max)),
            "",
            Grade::Plain,
        ),
        row(
            "ε it suggests",
            suggested.map_or_else(|| "not known".into(), short),
            "at least the ε used",
            judged(suggested, &|e| below(s.eps, e, e * COARSE / 0.1)),
        ),
        row(
            "nulls: spring alone, descent",
            p.curvature.map_or_else(
                || "not known".into(),
                |c| {
                    let null = s.nbeta / (2.0 * s.gamma) * c.trace;
                    let pull = -s.nbeta * s.nbeta * c.gradient_sq / s.gamma;
                    format!("{} and {}", show(null), show(pull))
                },
            ),
            "",
            Grade::Plain,
        ),
        row("R̂", rhat, "below 1.05, or what chance gives", agree),
        row("effective draws", ess, "20 and more", enough),
        row(
            "autocorrelation time",
            format!("{} steps", show(p.time)),
            "",
            Grade::Plain,
        ),
        row(
            "acceptance",
            show(accept),
            "near 0.95 and more, up to 200 weights on full batches",
            if moving <= JUDGED && p.init_se == 0.0 {
                above(accept, 0.9, 0.8)
            } else {
                Grade::Plain
            },
        ),
        row(
            "draws below L(w*)",
            format!("{} %", show(100.0 * p.below)),
            "below 10 %",
            below(p.below, 0.1, 0.5),
        ),
        row(
            "‖w − w*‖",
            format!("{} of √(d/γ) = {}", show(p.spread), maybe(p.free)),
            "",
            Grade::Plain,
        ),
        row(
            "forces: gradient, pull, noise",
            p.forces.map(show).join(" : "),
            "",
            Grade::Plain,
        ),
        row(
            "relaxation times",
            show(p.relaxations),
            "1 and more",
            above(p.relaxations, 1.0, 0.1),
        ),
        row(
            "burn-in that would do",
            format!("{} of {} steps", p.burnin, s.burnin),
            "no more than was used",
            if p.burnin <= s.burnin {
                Grade::Good
            } else {
                Grade::Look
            },
        ),
    ];
    if !p.classes.is_empty() {
        let told = |c: &ClassLlc| format!("{} {}", c.name, with_error(c.value, c.se));
        let value = p.classes.iter().map(told).collect::<Vec<_>>().join(", ");
        all.insert(1, row("by position", value, "", Grade::Plain));
    }
    if let Some([moved, fallen]) = p.polished {
        let value = format!("{} away, loss lower by {}", show(moved), show(fallen));
        all.push(row("polished", value, "", Grade::Plain));
    }
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_sick_estimate_is_called_one_and_a_healthy_one_is_not() {
        let s = SamplerSettings {
            gamma: 100.0,
            chains: 4,
            burnin: 50,
            draws: 1000,
            ..SamplerSettings::default()
        };
        let well = LlcPoint {
            index: Some(0.05),
            rhat: Some(1.01),
            ess: 300.0,
            time: 3.3,
            per_chain: vec![1.0; 4],
            accept: vec![0.96; 4],
            free: Some(0.4),
            relaxations: 3.0,
            burnin: 20,
            ..LlcPoint::default()
        };
        assert!(
            signs(&well, &s)
                .iter()
                .all(|x| matches!(x.grade, Grade::Good | Grade::Plain))
        );
        let sick = LlcPoint {
            index: Some(0.4),
            rhat: Some(1.5),
            ess: 2.0,
            accept: vec![0.3; 4],
            below: 0.8,
            failed_chains: 1,
            relaxations: 0.01,
            ..well
        };
        let bad = signs(&sick, &s)
            .iter()
            .filter(|x| x.grade == Grade::Bad)
            .count();
        assert_eq!(bad, 7);
        // In a model of many weights a low acceptance is shown and not judged.
        let large = LlcPoint {
            free: Some(7.0),
            ..sick
        };
        let found = signs(&large, &s);
        assert!(
            found
                .iter()
                .any(|x| x.name == "acceptance" && x.grade == Grade::Plain)
        );
    }

    #[test]
    fn few_draws_are_not_judged_by_what_chance_gives_them() {
        let grade = |draws, rhat, ess: f64| {
            let s = SamplerSettings {
                chains: 4,
                draws,
                ..SamplerSettings::default()
            };
            let p = LlcPoint {
                rhat: Some(rhat),
                ess,
                time: draws as f64 / ess,
                per_chain: vec![1.0; 4],
                ..LlcPoint::default()
            };
            let found = signs(&p, &s).into_iter().find(|x| x.name == "R̂");
            found
                .map(|x| (x.grade, x.value.contains("too few")))
                .unwrap()
        };
        // Thirty draws, ten of them effective, give up to 1.5 by chance: no verdict, and no amber.
        assert_eq!(grade(30, 1.2, 10.0), (Grade::Plain, true));
        assert_eq!(grade(30, 1.02, 10.0), (Grade::Good, false));
        // Far above it the chains stand apart, however few the draws.
        assert_eq!(grade(30, 3.0, 10.0), (Grade::Bad, false));
        // Many draws are judged as ever.
        assert_eq!(grade(2000, 1.12, 500.0), (Grade::Look, false));
        assert_eq!(grade(2000, 1.5, 500.0), (Grade::Bad, false));
    }
}
