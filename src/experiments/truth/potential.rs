//! The loss of the targets that can be drawn: those of one or two parameters, in closed form.

use super::target::{Target, samples};
use crate::estimate::exact::finite::Regression;
use crate::knobs::Knobs;

/// L(w) − L(w*) as a sum of even powers of w − w*, of one or two parameters. It rises along every
/// ray from w*.
#[derive(Clone, Debug, PartialEq)]
pub struct Potential {
    /// w*; the second is 0 where there is one parameter.
    pub center: [f64; 2],
    /// Names of the parameters, one or two.
    pub names: &'static [&'static str],
    /// Factor, then the power of each parameter.
    terms: Vec<(f64, [i32; 2])>,
}

impl Potential {
    /// Of settled knobs; none where the target has more parameters.
    #[must_use]
    pub fn of(k: &Knobs) -> Option<Self> {
        let (center, names, terms): (_, &[&str], Vec<_>) = match Target::of(k) {
            Target::Quadratic(h) if h.len() == 1 => (0.0, &["w"], vec![(0.5 * h[0], [2, 0])]),
            Target::Quadratic(h) if h.len() == 2 => {
                let terms = vec![(0.5 * h[0], [2, 0]), (0.5 * h[1], [0, 2])];
                (0.0, &["w₁", "w₂"], terms)
            }
            Target::Power(p) => (0.0, &["w"], vec![(1.0, [p as i32, 0])]),
            Target::Crossing(a, b, scale) => {
                let powers = [2 * a as i32, 2 * b as i32];
                (0.0, &["x", "y"], vec![(scale, powers)])
            }
            Target::Linreg(n) => {
                let (data, w) = Regression::of(&samples(k.int("seed") as u32, n));
                (w, &["w"], vec![(0.5 * data.h, [2, 0])])
            }
            _ => return None,
        };
        Some(Self {
            center: [center, 0.0],
            names,
            terms,
        })
    }

    /// L(w) − L(w*).
    #[must_use]
    pub fn loss(&self, w: [f64; 2]) -> f64 {
        let [x, y] = self.away(w);
        self.terms
            .iter()
            .map(|&(c, [p, q])| c * x.powi(p) * y.powi(q))
            .sum()
    }

    /// ∇L(w).
    #[must_use]
    pub fn slope(&self, w: [f64; 2]) -> [f64; 2] {
        let [x, y] = self.away(w);
        let along = |x: f64, p: i32| {
            if p == 0 {
                0.0
            } else {
                f64::from(p) * x.powi(p - 1)
            }
        };
        let mut sum = [0.0; 2];
        for &(c, [p, q]) in &self.terms {
            sum[0] += c * along(x, p) * y.powi(q);
            sum[1] += c * x.powi(p) * along(y, q);
        }
        sum
    }

    /// nβ(L(w) − L(w*)) + (γ/2)‖w − w*‖²: the posterior is its exponential, with a minus sign.
    #[must_use]
    pub fn energy(&self, w: [f64; 2], nbeta: f64, gamma: f64) -> f64 {
        let [x, y] = self.away(w);
        nbeta * self.loss(w) + 0.5 * gamma * (x * x + y * y)
    }

    fn away(&self, w: [f64; 2]) -> [f64; 2] {
        [w[0] - self.center[0], w[1] - self.center[1]]
    }
}
