//! The last step of a chain, taken apart: what the gradient, the pull to w* and the noise did.

use crate::experiments::truth::Potential;
use crate::protocol::TraceView;

/// A step w → w' of Langevin dynamics: w' = w + gradient + pull + noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    /// w.
    pub from: [f64; 2],
    /// −(ε/2)nβ∇L(w), over the whole data.
    pub gradient: [f64; 2],
    /// −(ε/2)γ(w − w*).
    pub pull: [f64; 2],
    /// The rest: √ε·N(0, I), and the noise of minibatches where there are any.
    pub noise: [f64; 2],
}

/// How a chain's last step is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LastStep {
    /// In three parts.
    Split(Split),
    /// MALA proposed a step and turned it down: the chain stayed.
    Rejected,
    /// The chain has not moved yet, or its last steps are not known.
    None,
}

/// The last step of a chain. `potential` is of the run's target.
#[must_use]
pub fn last_step(trace: &TraceView, chain: usize, potential: &Potential) -> LastStep {
    let Some([.., from, to]) = trace.tail.get(chain).map(Vec::as_slice) else {
        return LastStep::None;
    };
    if trace.settings.sampler == "mala" && from == to {
        return LastStep::Rejected;
    }
    LastStep::Split(split(trace, *from, *to, potential))
}

fn split(trace: &TraceView, from: [f64; 2], to: [f64; 2], potential: &Potential) -> Split {
    let (s, slope) = (&trace.settings, potential.slope(from));
    let gradient = slope.map(|g| -0.5 * s.eps * s.nbeta * g);
    let pull = [0, 1].map(|k| -0.5 * s.eps * s.gamma * (from[k] - potential.center[k]));
    Split {
        from,
        gradient,
        pull,
        noise: [0, 1].map(|k| to[k] - from[k] - gradient[k] - pull[k]),
    }
}

impl Split {
    /// w'.
    #[must_use]
    pub fn to(&self) -> [f64; 2] {
        [0, 1].map(|k| self.from[k] + self.gradient[k] + self.pull[k] + self.noise[k])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::link::parse;
    use crate::protocol::SamplerSettings;

    fn trace(sampler: &str, tail: Vec<[f64; 2]>) -> TraceView {
        TraceView {
            settings: SamplerSettings {
                nbeta: 100.0,
                gamma: 10.0,
                eps: 0.01,
                sampler: sampler.into(),
                ..SamplerSettings::default()
            },
            tail: vec![tail],
            ..TraceView::default()
        }
    }

    #[test]
    fn a_step_is_the_sum_of_its_parts() {
        let link = parse("#/truth?target=crossing");
        let p = Potential::of(&link.knobs).unwrap();
        let walk = vec![[9.0, 9.0], [0.5, 0.2], [0.6, 0.1]];
        let LastStep::Split(s) = last_step(&trace("sgld", walk), 0, &p) else {
            panic!("not split");
        };
        // ∂(x²y²) = (2xy², 2x²y) = (0.04, 0.1), times −(0.01/2)·100; pull times −(0.01/2)·10.
        let near = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]) < 1e-12;
        assert!(near(s.gradient, [-0.02, -0.05]) && near(s.pull, [-0.025, -0.01]));
        assert!(near(s.noise, [0.145, -0.04]) && near(s.to(), [0.6, 0.1]));
    }

    #[test]
    fn what_cannot_be_split_says_so() {
        let p = Potential::of(&parse("#/truth?target=power").knobs).unwrap();
        let still = vec![[0.1, 0.0]; 2];
        assert_eq!(
            last_step(&trace("mala", still.clone()), 0, &p),
            LastStep::Rejected
        );
        assert_ne!(last_step(&trace("sgld", still), 0, &p), LastStep::Rejected);
        assert_eq!(
            last_step(&trace("sgld", vec![[0.1, 0.0]]), 0, &p),
            LastStep::None
        );
        assert_eq!(last_step(&trace("sgld", vec![]), 7, &p), LastStep::None);
        assert_eq!(Potential::of(&parse("#/truth?target=dln").knobs), None);
    }
}
