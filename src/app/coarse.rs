//! A run without its zoom: which steps are its own, and which were added. Thresholds, and the points of its
//! past that an indicator is compared with, are of the run's own grid. Pure.

use super::leads::Curve;
use super::link::{self, Link};
use crate::experiments::cadence;

/// The steps of a run with a zoom that it would have without.
#[derive(Clone, Debug)]
pub struct Coarse {
    added: Vec<u64>,
    evals: Vec<u64>,
    checkpoints: Vec<u64>,
}

impl Coarse {
    /// Of a link; none where it has no zoom.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let Link {
            experiment,
            knobs,
            course,
            ..
        } = &link::parse(text);
        let added = course.zoom?.steps();
        let [mut evals, mut checkpoints] = cadence(experiment, knobs)?;
        if let Some(branch) = &course.branch {
            // Up to where it leaves its parent it was looked at as that was, and there once more.
            let before = cadence(experiment, &branch.parent)?;
            for (all, before) in [&mut evals, &mut checkpoints].into_iter().zip(before) {
                all.retain(|s| *s > branch.from);
                all.extend(before.into_iter().filter(|s| *s < branch.from));
                all.push(branch.from);
                all.sort_unstable();
            }
        }
        Some(Self {
            added,
            evals,
            checkpoints,
        })
    }

    /// A curve without what the zoom added to it: to one that has points between checkpoints, what is no
    /// evaluation; to another, what is no checkpoint.
    #[must_use]
    pub fn curve(&self, (x, y): Curve) -> Curve {
        let of = |all: &[u64], step: f64| all.binary_search(&(step as u64)).is_ok();
        let between = |s: &f64| !of(&self.checkpoints, *s) && !of(&self.added, *s);
        let own = if x.iter().any(between) {
            &self.evals
        } else {
            &self.checkpoints
        };
        let kept = |(s, _): &(f64, f64)| of(own, *s) || !of(&self.added, *s);
        x.into_iter().zip(y).filter(kept).unzip()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_zoom_adds_nothing_to_a_curve() {
        let link = "#/induction?steps=800";
        let zoomed = format!("{link}&zoom=200-400:23");
        let parsed = link::parse(&zoomed);
        assert!(parsed.notices.is_empty() && Coarse::of(link).is_none());
        let coarse = Coarse::of(&zoomed).unwrap();
        let points = |steps: &[u64]| -> Curve {
            let x: Vec<f64> = steps.iter().map(|s| *s as f64).collect();
            (x.clone(), x)
        };
        for own in cadence("induction", &parsed.knobs).unwrap() {
            let mut with = own.clone();
            with.extend(parsed.course.zoom.unwrap().steps());
            with.sort_unstable();
            with.dedup();
            // Planted: the zoom did add some.
            assert!(with.len() > own.len() + 5);
            assert_eq!(coarse.curve(points(&with)), points(&own));
            assert_eq!(coarse.curve(points(&own)), points(&own));
        }
    }

    #[test]
    fn a_branch_has_its_parents_steps_before_it() {
        let link = "#/tms?steps=800&from=333&then.lr=0.02&zoom=300-360:13";
        let coarse = Coarse::of(link).unwrap();
        assert!(coarse.checkpoints.contains(&333) && coarse.evals.is_sorted());
        assert!(!coarse.checkpoints.contains(&305));
        let (x, _) = coarse.curve((vec![300.0, 305.0, 333.0, 335.0], vec![0.0; 4]));
        assert_eq!(x, [300.0, 333.0]);
    }
}
