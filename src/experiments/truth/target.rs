//! The targets: what the knobs describe, where the chains start, and what λ̂ should come out as.

use crate::estimate::exact::coefficient::{self, Coefficient};
use crate::estimate::exact::finite::{self, Finite, Regression};
use crate::kernels::truth::deep_linear::{LAYERS, SIDE};
use crate::knobs::Knobs;
use crate::math::philox::{Draws, Stream};
use crate::model::tms;
use crate::optim::Sampler;
use crate::protocol::{Truth, TruthKind};
use std::f64::consts::TAU;

/// Words of the knob `target`.
pub const TARGETS: &[&str] = &[
    "quadratic",
    "power",
    "crossing",
    "dln",
    "bigram",
    "linreg",
    "tms",
    "tanh",
];

/// Nodes of the tanh net's input distribution.
pub const POINTS: usize = 16;

/// Bias of dead features that stay dead.
const DEAD: f64 = -1.0;

/// A potential with a known λ.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// ½Σh_i w_i².
    Quadratic(Vec<f64>),
    /// w^p.
    Power(u32),
    /// scale·x^(2a)·y^(2b).
    Crossing(u32, u32, f64),
    /// ½‖ΠW − A‖² at layer widths and a rank.
    DeepLinear(Vec<usize>, usize),
    /// A table of logits over so many tokens.
    Bigram(usize),
    /// One slope on so many samples.
    Linreg(usize),
    /// Features, corners, whether the dead have a bias of +1/(2c).
    Superposition(usize, usize, bool),
    /// So many tanh units, the truth zero.
    Tanh(usize),
}

impl Target {
    /// Reads settled knobs.
    #[must_use]
    pub fn of(k: &Knobs) -> Self {
        let natural = |key: &str| k.int(key) as u32;
        match k.word("target") {
            "power" => Self::Power(natural("p")),
            "crossing" => Self::Crossing(natural("a"), natural("b"), k.float("scale")),
            "dln" => {
                let widths: Vec<usize> = k.list("widths").iter().map(|&h| h as usize).collect();
                let rank = widths.iter().copied().fold(k.size("rank"), usize::min);
                Self::DeepLinear(widths, rank)
            }
            "bigram" => Self::Bigram(k.size("vocab")),
            "linreg" => Self::Linreg(k.size("n")),
            "tms" => Self::Superposition(
                k.size("features"),
                k.size("gon"),
                k.word("dead_bias") == "plus",
            ),
            "tanh" => Self::Tanh(k.size("hidden")),
            _ => Self::Quadratic(k.list("h")),
        }
    }

    /// Parameters.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Quadratic(h) => h.len(),
            Self::Power(_) | Self::Linreg(_) => 1,
            Self::Crossing(..) => 2,
            Self::DeepLinear(widths, _) => crate::kernels::truth::deep_linear::size(widths),
            Self::Bigram(v) => v * v,
            Self::Superposition(c, ..) => 3 * c,
            Self::Tanh(h) => 2 * h,
        }
    }

    /// λ and its multiplicity.
    #[must_use]
    pub fn coefficient(&self) -> Coefficient {
        match self {
            Self::Quadratic(h) => coefficient::regular(h.iter().filter(|h| **h > 0.0).count()),
            Self::Power(p) => coefficient::normal_crossing(&[*p]),
            Self::Crossing(a, b, _) => coefficient::normal_crossing(&[2 * a, 2 * b]),
            Self::DeepLinear(widths, rank) => coefficient::deep_linear(widths, *rank),
            Self::Bigram(v) => coefficient::bigram(*v),
            Self::Linreg(_) => coefficient::regular(1),
            Self::Superposition(c, gon, plus) => coefficient::superposition(*c, *gon, *plus),
            Self::Tanh(h) => coefficient::tanh_zero(*h),
        }
    }

    /// Largest curvature of the loss at w*.
    #[must_use]
    pub fn curvature(&self, seed: u32) -> f64 {
        match self {
            Self::Quadratic(h) => h.iter().copied().fold(0.0, f64::max),
            Self::Power(2) => 2.0,
            Self::Crossing(0, 1, scale) | Self::Crossing(1, 0, scale) => 2.0 * scale,
            Self::Power(_) | Self::Crossing(..) | Self::Tanh(_) => 0.0,
            // Balanced: one eigenvalue a layer and unit singular value.
            Self::DeepLinear(widths, rank) if *rank > 0 => widths.len() as f64 - 1.0,
            Self::DeepLinear(widths, _) => f64::from(u8::from(widths.len() == 2)),
            Self::Bigram(v) => 1.0 / (v * v) as f64,
            Self::Linreg(n) => Regression::of(&samples(seed, *n)).0.h,
            Self::Superposition(..) => 2.0,
        }
    }

    /// The exact value of λ̂ at these settings, where there is one.
    fn finite(&self, k: &Knobs, eps: f64) -> Option<Finite> {
        let (nbeta, gamma) = (k.float("nbeta"), k.float("gamma"));
        match self {
            Self::Quadratic(h) => Some(finite::quadratic(h, nbeta, gamma, eps)),
            Self::Power(p) => Some(finite::power(*p, nbeta, gamma, eps)),
            Self::Crossing(a, b, scale) => {
                Some(finite::crossing(*a, *b, *scale, nbeta, gamma, eps))
            }
            Self::Linreg(n) => {
                let data = Regression::of(&samples(k.int("seed") as u32, *n)).0;
                Some(data.minibatch(k.size("mbatch"), nbeta, gamma, eps).0)
            }
            _ => None,
        }
    }

    /// An exact minimum or critical point w*, `[count]`, turned by the seed where it may be.
    #[must_use]
    pub fn start(&self, seed: u32) -> Vec<f64> {
        let mut draws = Draws::new(seed, Stream::Init, 0);
        match self {
            Self::DeepLinear(widths, rank) => balanced(widths, *rank, &mut draws).1,
            Self::Linreg(n) => vec![Regression::of(&samples(seed, *n)).1],
            Self::Superposition(c, gon, plus) => {
                let dead = if *plus { 0.5 / *c as f64 } else { DEAD };
                tms::regular(*gon, *c, TAU * draws.unit(), dead)
            }
            _ => vec![0.0; self.count()],
        }
    }

    /// Fixed numbers of the kernel: coefficients, the matrix A, quadrature nodes.
    #[must_use]
    pub fn fixed(&self, seed: u32) -> Vec<f64> {
        match self {
            Self::Quadratic(h) => h.iter().map(|h| 0.5 * h).collect(),
            Self::Power(_) => vec![1.0],
            Self::Crossing(_, _, scale) => vec![*scale],
            Self::DeepLinear(widths, rank) => {
                balanced(widths, *rank, &mut Draws::new(seed, Stream::Init, 0)).0
            }
            Self::Tanh(_) => gauss_legendre(),
            _ => Vec::new(),
        }
    }

    /// Exponents `[term][count]` of the targets that are sums of monomials.
    #[must_use]
    pub fn powers(&self) -> Option<Vec<u32>> {
        match self {
            Self::Quadratic(h) => {
                let n = h.len();
                Some(
                    (0..n * n)
                        .map(|i| if i % (n + 1) == 0 { 2 } else { 0 })
                        .collect(),
                )
            }
            Self::Power(p) => Some(vec![*p]),
            Self::Crossing(a, b, _) => Some(vec![2 * a, 2 * b]),
            _ => None,
        }
    }
}

/// The data of the regression: x and the noise standard normal, slope 1.
#[must_use]
pub fn samples(seed: u32, n: usize) -> Vec<(f32, f32)> {
    let mut draws = Draws::new(seed, Stream::DataSet, 0);
    (0..n)
        .map(|_| {
            let x = draws.normal();
            (x as f32, (x + draws.normal()) as f32)
        })
        .collect()
}

/// Nodes, then weights, of Gauss and Legendre's rule on 0..1: the mean over x uniform on −1..1 of
/// what is even in x.
fn gauss_legendre() -> Vec<f64> {
    let n = POINTS as f64;
    let (mut nodes, mut weights) = (Vec::new(), Vec::new());
    for i in 0..POINTS {
        let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..20 {
            let (mut p, mut before) = (1.0, 0.0);
            for j in 0..POINTS {
                let j = j as f64;
                (p, before) = (((2.0 * j + 1.0) * x * p - j * before) / (j + 1.0), p);
            }
            slope = n * (x * p - before) / (x * x - 1.0);
            x -= p / slope;
        }
        nodes.push(0.5 * (1.0 - x));
        weights.push(1.0 / ((1.0 - x * x) * slope * slope));
    }
    nodes.extend(weights);
    nodes
}

/// A matrix A of `rank` unit singular values between the outer widths, and balanced weights whose
/// product it is: W_l = U_l D U_(l−1)ᵀ with orthonormal columns U_l and D the first `rank` ones.
fn balanced(widths: &[usize], rank: usize, draws: &mut Draws) -> (Vec<f64>, Vec<f64>) {
    debug_assert!(widths.len() <= LAYERS + 1 && widths.iter().all(|&h| h <= SIDE));
    let frames: Vec<Vec<Vec<f64>>> = widths.iter().map(|&h| frame(h, rank, draws)).collect();
    let between = |to: &[Vec<f64>], from: &[Vec<f64>], rows: usize, columns: usize| {
        let mut out = vec![0.0; rows * columns];
        for (u, v) in to.iter().zip(from) {
            for (row, u) in out.chunks_exact_mut(columns).zip(u) {
                row.iter_mut().zip(v).for_each(|(w, v)| *w += u * v);
            }
        }
        out
    };
    let (first, last) = (0, widths.len() - 1);
    let truth = between(&frames[last], &frames[first], widths[last], widths[first]);
    let weights =
        (0..last).flat_map(|l| between(&frames[l + 1], &frames[l], widths[l + 1], widths[l]));
    (truth, weights.collect())
}

/// `k` orthonormal vectors of length `n` in random directions (Gram–Schmidt, twice over).
fn frame(n: usize, k: usize, draws: &mut Draws) -> Vec<Vec<f64>> {
    let mut out: Vec<Vec<f64>> = Vec::new();
    for _ in 0..k {
        let mut v: Vec<f64> = (0..n).map(|_| draws.normal()).collect();
        for _ in 0..2 {
            for u in &out {
                let along: f64 = u.iter().zip(&v).map(|(a, b)| a * b).sum();
                v.iter_mut().zip(u).for_each(|(v, u)| *v -= along * u);
            }
        }
        let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        v.iter_mut().for_each(|x| *x /= length);
        out.push(v);
    }
    out
}

/// What λ̂ should be at these knobs, what λ is, and why they differ. Settled knobs.
#[must_use]
pub fn truth(k: &Knobs) -> Truth {
    let target = Target::of(k);
    let Coefficient {
        lambda,
        multiplicity,
    } = target.coefficient();
    // MALA has no bias. RMSprop's step differs from direction to direction, and its bias is not known.
    let eps = match Sampler::parse(k.word("sampler")) {
        Sampler::Sgld => k.float("eps"),
        _ => 0.0,
    };
    let mut out = Truth {
        lambda,
        multiplicity,
        kind: TruthKind::Exact,
        value: None,
        se: 0.0,
        bias: 0.0,
        why: why(&target, multiplicity).into(),
    };
    if let Some(Finite { value, bias }) = target.finite(k, eps) {
        (out.value, out.bias) = (Some(value + bias), bias);
    } else {
        out.kind = TruthKind::Mala;
        if let Some(row) = super::reference::find(k) {
            let bias = eps * row.slope;
            (out.value, out.bias, out.se) = (Some(row.value + bias), bias, row.se);
        }
    }
    out
}

/// Why the estimate differs from λ, in one sentence.
fn why(target: &Target, multiplicity: u32) -> &'static str {
    match target {
        Target::Quadratic(_) => {
            "The spring γ takes γ/(nβh + γ) of each direction's one half, most from the soft ones, and the step size adds ε(nβh + γ)/4 of it."
        }
        Target::Linreg(_) => {
            "The noise of minibatches moves the chains too: it multiplies λ̂ by about 1 + ε(nβ)²s²/4m, where s² is the variance of a sample's gradient."
        }
        Target::Power(_) => {
            "Near the minimum the spring γ is stiffer than the loss; the colder the chains, the less it counts."
        }
        Target::Superposition(_, 4, _) => {
            "At the square the loss has kinks, and outside its immediate neighbourhood lies a lower loss: unless nβ is large, chains leave and λ̂ falls below zero."
        }
        Target::Superposition(..) => {
            "The chains reach beyond the quadratic neighbourhood; colder ones, at nβ 1e5, see λ alone."
        }
        Target::Bigram(_) => {
            "The spring γ holds the logits' soft directions; colder chains approach λ."
        }
        _ if multiplicity > 1 => {
            "The minimum is a crossing of several valleys (multiplicity above 1), so λ̂ approaches λ from below, only as fast as 1/ln nβ; the spring γ takes its share too."
        }
        _ => {
            "The spring γ holds the chains near w*, where the valleys that make λ small are not yet seen in full."
        }
    }
}
