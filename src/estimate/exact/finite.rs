//! λ̂ at finite nβ, γ and ε, exactly: nβ·E[L(w)] under exp(−nβL − γ/2‖w‖²) for w* = 0 and L(0) = 0,
//! and what the step size of SGLD adds to it.
//!
//! To first order in ε the chain's stationary law is that of U − (ε/8)‖∇U‖² + (ε/4)ΔU in place of
//! U = nβL + γ/2‖w‖², so λ̂ moves by (ε/8)·Cov(nβL, ‖∇U‖² − 2ΔU). On a quadratic that is the first
//! term of 1/(1 − εa/4).

use super::quadrature::{half_line, means};

/// An exact value of λ̂.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finite {
    /// Under the posterior itself: the value as ε goes to 0, and that of MALA at any ε.
    pub value: f64,
    /// What SGLD's step size adds.
    pub bias: f64,
}

/// L = ½Σh_i w_i²: λ̂ = Σ ½nβh_i/(a_i(1 − εa_i/4)) with a_i = nβh_i + γ. The bias is exact; it is
/// infinite from εa_i = 4 on, where the chains run away.
#[must_use]
pub fn quadratic(h: &[f64], nbeta: f64, gamma: f64, eps: f64) -> Finite {
    let mut out = Finite {
        value: 0.0,
        bias: 0.0,
    };
    for h in h.iter().filter(|h| **h != 0.0) {
        let a = nbeta * h + gamma;
        let share = 0.5 * nbeta * h / a;
        let q = eps * a / 4.0;
        out.value += share;
        out.bias += if q < 1.0 {
            share * q / (1.0 - q)
        } else {
            f64::INFINITY
        };
    }
    out
}

/// Means that give value and first-order bias: nβL, ‖∇U‖² − 2ΔU, and their product.
fn combine([loss, force, both]: [f64; 3], eps: f64) -> Finite {
    Finite {
        value: loss,
        bias: eps / 8.0 * (both - loss * force),
    }
}

/// L = w^p for even p, by quadrature. The bias is of first order in ε.
#[must_use]
pub fn power(p: u32, nbeta: f64, gamma: f64, eps: f64) -> Finite {
    crossing(0, p / 2, 1.0, nbeta, gamma, eps)
}

/// L = scale·x^(2a)·y^(2b), by quadrature in two dimensions. The bias is of first order in ε.
/// γ must be above 0 unless a is 0: without it the density cannot be normalised.
#[must_use]
pub fn crossing(a: u32, b: u32, scale: f64, nbeta: f64, gamma: f64, eps: f64) -> Finite {
    if b == 0 && a > 0 {
        return crossing(b, a, scale, nbeta, gamma, eps);
    }
    let (ea, eb) = (2 * a as i32, 2 * b as i32);
    // Where the density dies out: the prior's width, or that of the loss if there is no prior.
    let wide = |e: i32| {
        let loss = (nbeta * scale).powf(-1.0 / f64::from(e.max(1)));
        if gamma > 0.0 { gamma.powf(-0.5) } else { loss }
    };
    let ys = half_line(wide(eb));
    // One direction at strength c of the other's factor: log Z and the means over y.
    let inner = |c: f64, x: f64| {
        means(&ys, |y| {
            let loss = c * y.powi(eb);
            let spring = 0.5 * gamma * y * y;
            let (dx, ddx) = if ea == 0 {
                (0.0, 0.0)
            } else {
                let slope = f64::from(ea) * loss / x;
                (slope + gamma * x, slope * f64::from(ea - 1) / x + gamma)
            };
            let slope = f64::from(eb) * loss / y;
            let dy = slope + gamma * y;
            let ddy = slope * f64::from(eb - 1) / y + gamma;
            let force = dx * dx + dy * dy - 2.0 * (ddx + ddy);
            (-loss - spring, [loss, force, loss * force])
        })
    };
    if ea == 0 {
        return combine(inner(nbeta * scale, 1.0).1, eps);
    }
    let (_, found) = means(&half_line(wide(ea)), |x| {
        let (log, f) = inner(nbeta * scale * x.powi(ea), x);
        (log - 0.5 * gamma * x * x, f)
    });
    combine(found, eps)
}

/// Moments of the data of a one-parameter linear regression L = mean ½(y − wx)² at its minimum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regression {
    /// Samples.
    pub n: usize,
    /// Curvature: the mean of x².
    pub h: f64,
    /// Variance of x² over the samples.
    pub curvature_variance: f64,
    /// Variance of the per-sample gradient at the minimum: mean of (x·e)².
    pub gradient_variance: f64,
}

impl Regression {
    /// Moments of samples (x, y), with the minimum w*.
    #[must_use]
    pub fn of(data: &[(f32, f32)]) -> (Self, f64) {
        let n = data.len() as f64;
        let mean = |f: &dyn Fn(f64, f64) -> f64| {
            data.iter()
                .map(|&(x, y)| f(f64::from(x), f64::from(y)))
                .sum::<f64>()
                / n
        };
        let h = mean(&|x, _| x * x);
        let w = mean(&|x, y| x * y) / h;
        let of = Self {
            n: data.len(),
            h,
            curvature_variance: mean(&|x, _| (x * x - h).powi(2)),
            gradient_variance: mean(&|x, y| (x * (y - w * x)).powi(2)),
        };
        (of, w)
    }

    /// λ̂ of SGLD on minibatches of `m` samples drawn with replacement, a fresh one each step; all of
    /// them, without noise, if m = n. Exact: each step is linear in w with random coefficients, so
    /// the variance obeys v = E[(1 − (ε/2)(nβA + γ))²]v + (ε/2)²nβ²E[B²] + ε, with A and B the
    /// batch's curvature and gradient at w*. Infinite where the steps run away.
    ///
    /// The second number is the factor 1 + ε(nβ)²s²/(4m) by which gradient noise alone inflates.
    #[must_use]
    pub fn minibatch(&self, m: usize, nbeta: f64, gamma: f64, eps: f64) -> (Finite, f64) {
        let noise = if m == self.n { 0.0 } else { 1.0 / m as f64 };
        let half = 0.5 * eps * nbeta;
        let a = nbeta * self.h + gamma;
        let kept = (1.0 - 0.5 * eps * a).powi(2) + half * half * self.curvature_variance * noise;
        let kicks = eps + half * half * self.gradient_variance * noise;
        let share = 0.5 * nbeta * self.h;
        let value = share / a;
        let bias = if kept < 1.0 {
            share * kicks / (1.0 - kept) - value
        } else {
            f64::INFINITY
        };
        (Finite { value, bias }, kicks / eps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quadratics() {
        let h = [1.0, 0.3, 0.1, 0.03, 0.01];
        let got = quadratic(&h, 100.0, 1.0, 5e-3);
        assert!((got.value + got.bias - 2.1584).abs() < 5e-5);
        assert!((got.value - 2.0585).abs() < 5e-5);
        assert!(quadratic(&h, 100.0, 1.0, 0.04).bias.is_infinite());
        let two = quadratic(&[2.0], 1000.0, 0.0, 1e-3);
        assert!((two.value + two.bias - 1.0).abs() < 1e-12);
        assert_eq!(quadratic(&[], 1.0, 1.0, 1.0).value, 0.0);
    }

    #[test]
    fn powers_against_closed_forms() {
        // Without a prior E[nβ w^p] = 1/p at any nβ; with p = 2 it is the quadratic of h = 2.
        for p in [2, 4, 6, 8] {
            let got = power(p, 1000.0, 0.0, 0.0);
            assert!((got.value - 1.0 / f64::from(p)).abs() < 1e-8, "{p} {got:?}");
        }
        for gamma in [0.5, 30.0] {
            let got = power(2, 100.0, gamma, 1e-5);
            let want = quadratic(&[2.0], 100.0, gamma, 1e-5);
            assert!((got.value - want.value).abs() < 1e-8);
            assert!(
                (got.bias / want.bias - 1.0).abs() < 1e-3,
                "{got:?} {want:?}"
            );
        }
    }

    #[test]
    fn crossings_against_the_table_and_each_other() {
        let at = |a, b| crossing(a, b, 4.0, 144.7648, 1.0, 0.0).value;
        let table = [
            (0, 1, 0.4996),
            (1, 1, 0.3833),
            (0, 2, 0.2465),
            (1, 2, 0.2212),
            (2, 2, 0.1614),
            (0, 3, 0.1604),
            (1, 3, 0.1486),
            (2, 3, 0.1201),
            (3, 3, 0.0956),
        ];
        for (a, b, want) in table {
            assert!((at(a, b) - want).abs() < 6e-5, "{a} {b}: {}", at(a, b));
            assert!((at(a, b) - at(b, a)).abs() < 1e-8, "{a} {b}: {}", at(b, a));
        }
        // λ is approached slowly.
        let cold = |nbeta| crossing(1, 1, 4.0, nbeta, 1.0, 0.0).value;
        let got = [1e4, 1e6, 1e8].map(cold);
        assert!(
            got.iter()
                .zip([0.422, 0.443, 0.455])
                .all(|(g, w)| (g - w).abs() < 1e-3),
            "{got:?}"
        );
        // One coordinate alone, by either name.
        assert_eq!(
            crossing(2, 0, 4.0, 100.0, 1.0, 1e-4),
            crossing(0, 2, 4.0, 100.0, 1.0, 1e-4)
        );
    }

    #[test]
    fn minibatches() {
        // d = 1, x and noise standard normal: fourth moments 3.
        let r = Regression {
            n: 1000,
            h: 1.0,
            curvature_variance: 2.0,
            gradient_variance: 1.0,
        };
        let at = |m, eps| {
            let f = r.minibatch(m, 144.76, 1.0, eps).0;
            f.value + f.bias
        };
        assert!((at(1000, 1e-3) - 0.5154).abs() < 2e-4, "{}", at(1000, 1e-3));
        for (m, eps, want) in [(32, 1e-3, 0.600), (32, 1e-4, 0.506), (8, 1e-3, 0.843)] {
            assert!(
                (at(m, eps) / want - 1.0).abs() < 0.03,
                "{m} {eps}: {}",
                at(m, eps)
            );
        }
        assert!((r.minibatch(8, 144.76, 1.0, 1e-3).1 - 1.6548).abs() < 1e-3);
        let full = r.minibatch(1000, 144.76, 1.0, 1e-3);
        let want = quadratic(&[1.0], 144.76, 1.0, 1e-3);
        assert!((full.0.bias - want.bias).abs() < 1e-12 && full.1 == 1.0);
        let (of, w) = Regression::of(&[(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]);
        assert!((w - 2.0).abs() < 1e-12 && of.gradient_variance < 1e-20 && of.n == 3);
    }
}
