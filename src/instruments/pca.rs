//! Logit-PCA: principal components of the outputs on fixed inputs, over checkpoints.
//!
//! Rows are checkpoints t with outputs x_t of F features. With weights w_t (Σw = 1) the weighted
//! mean is μ = Σ w_t x_t and the matrix G_st = √w_s √w_t ⟨x_s − μ, x_t − μ⟩ has the eigenvalues of
//! the weighted covariance; its eigenvector v of eigenvalue λ gives checkpoint t the coordinate
//! √λ·v_t/√w_t on that component. Only inner products are kept, in f64: a new checkpoint costs one
//! row of them, and F never enters again.

pub mod joint;

use crate::math::linalg::top_eigen;
use crate::protocol::{PcaUpdate, Plane};
use std::ops::Range;
use std::rc::Rc;

/// All checkpoints so far: rows, and their inner products. Those of another run may stand first, so that
/// the two have a plane in common; what is said of rows is otherwise said of the run's own.
#[derive(Clone, Debug, Default)]
pub struct Pca {
    /// How many rows are another run's.
    others: usize,
    /// The step up to which that run and this one are the same.
    apart: f64,
    steps: Vec<f64>,
    rows: Vec<Rc<Vec<f32>>>,
    /// Lower triangle of ⟨x_s, x_t⟩, row after row.
    products: Vec<f64>,
}

/// Share of its variance that a random walk's k-th component explains, k from 1: 6/(π²k²), the
/// limit of many steps in many dimensions (Antognini & Sohl-Dickstein 2018).
#[must_use]
pub fn random_walk_share(k: usize) -> f64 {
    let k = k.max(1) as f64;
    6.0 / (std::f64::consts::PI * k).powi(2)
}

/// Weights of points in time: half the distance between the neighbours (at the ends, half
/// the distance to the one neighbour), which makes a sum over checkpoints a trapezoidal integral
/// over time. They sum to 1; equal if all points coincide.
#[must_use]
pub fn weights(steps: &[f64]) -> Vec<f64> {
    let n = steps.len();
    let raw: Vec<f64> = (0..n)
        .map(|i| (steps[(i + 1).min(n - 1)] - steps[i.saturating_sub(1)]) / 2.0)
        .collect();
    let sum: f64 = raw.iter().sum();
    if sum > 0.0 {
        raw.iter().map(|w| w / sum).collect()
    } else {
        vec![1.0 / n.max(1) as f64; n]
    }
}

impl Pca {
    /// Adds a checkpoint; steps come in rising order. A step at or before the last one replaces
    /// what is at and after it (a run resumed from an earlier checkpoint). A row with a number that
    /// is not finite, or of another length than the first, is refused: false.
    pub fn push(&mut self, step: u64, row: &[f32]) -> bool {
        let own = &self.steps[self.others..];
        self.truncate(own.partition_point(|&s| s < step as f64));
        let fits = self
            .rows
            .first()
            .is_none_or(|first| first.len() == row.len());
        if row.is_empty() || !fits || !row.iter().all(|x| x.is_finite()) {
            return false;
        }
        self.steps.push(step as f64);
        self.rows.push(row.to_vec().into());
        self.products
            .extend(self.rows.iter().map(|other| dot(other, row)));
        true
    }

    /// Forgets all but the first `n` checkpoints.
    pub fn truncate(&mut self, n: usize) {
        let n = self.others + n;
        self.steps.truncate(n);
        self.rows.truncate(n);
        self.products
            .truncate(self.rows.len() * (self.rows.len() + 1) / 2);
    }

    fn product(&self, s: usize, t: usize) -> f64 {
        let (s, t) = (s.max(t), s.min(t));
        self.products[s * (s + 1) / 2 + t]
    }

    /// Checkpoints so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len() - self.others
    }

    /// Whether there is no checkpoint.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows, to keep with a record: `(step, features)`.
    pub fn rows(&self) -> impl Iterator<Item = (u64, Rc<Vec<f32>>)> {
        let steps = self.steps.iter().map(|&s| s as u64);
        steps.zip(self.rows.iter().cloned()).skip(self.others)
    }

    /// These rows as another run's, for one that is the same up to step `apart` and has none yet.
    #[must_use]
    pub fn left(&self, apart: u64) -> Self {
        self.before(self.others..self.rows.len(), apart as f64)
    }

    /// Without its own rows, for another run that is the same as the one whose rows stand first up to step
    /// `apart`.
    #[must_use]
    pub fn emptied(&self, apart: u64) -> Self {
        self.before(0..self.others, apart as f64)
    }

    fn before(&self, range: Range<usize>, apart: f64) -> Self {
        let first = range.start;
        let row = |s: usize| (first..=s).map(move |t| self.product(s, t));
        Self {
            others: range.len(),
            apart,
            steps: self.steps[range.clone()].to_vec(),
            rows: self.rows[range.clone()].to_vec(),
            products: range.flat_map(row).collect(),
        }
    }

    /// The components over the whole history. All shares are 0 where nothing varies.
    #[must_use]
    pub fn update(&self) -> PcaUpdate {
        let (steps, first) = (&self.steps[self.others..], self.others);
        let (explained, pcs) =
            components(&weights(steps), &|s, t| self.product(first + s, first + t));
        PcaUpdate {
            steps: steps.to_vec(),
            pcs,
            explained,
        }
    }

    /// The components of both runs together, the other's rows first; none where there is no other.
    #[must_use]
    pub fn beside(&self) -> Option<Plane> {
        let (theirs, own) = self.steps.split_at(self.others);
        if theirs.is_empty() || own.is_empty() {
            return None;
        }
        let product = |s: usize, t: usize| self.product(s, t);
        Some(joint::joint(&[theirs, own], self.apart, &product))
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    let both = a.iter().zip(b);
    both.map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// Shares and coordinates of the components of rows with those weights and inner products.
///
/// The sign of a component is such that the row that counts most in it (√w times its coordinate) has
/// a positive coordinate; a component of no variance has coordinates 0.
fn components(w: &[f64], raw: &dyn Fn(usize, usize) -> f64) -> ([f64; 3], Vec<[f64; 3]>) {
    let n = w.len();
    // ⟨x_s, μ⟩ and ⟨μ, μ⟩.
    let with_mean: Vec<f64> = (0..n)
        .map(|s| (0..n).map(|t| w[t] * raw(s, t)).sum())
        .collect();
    let mean_mean: f64 = (0..n).map(|s| w[s] * with_mean[s]).sum();
    let mut gram = vec![0.0; n * n];
    for s in 0..n {
        for t in 0..=s {
            let centred = raw(s, t) - with_mean[s] - with_mean[t] + mean_mean;
            let value = (w[s] * w[t]).sqrt() * centred;
            gram[s * n + t] = value;
            gram[t * n + s] = value;
        }
    }
    let total: f64 = (0..n).map(|i| gram[i * n + i]).sum();
    // What rounding leaves of inner products of this size is not variance.
    let noise = 1e-13 * (0..n).map(|s| w[s] * raw(s, s)).sum::<f64>();
    let (mut explained, mut pcs) = ([0.0; 3], vec![[0.0; 3]; n]);
    for (k, (value, vector)) in top_eigen(&gram, n, 3).into_iter().enumerate() {
        if value <= noise || total <= noise {
            continue;
        }
        explained[k] = value / total;
        for (t, v) in vector.into_iter().enumerate() {
            pcs[t][k] = value.sqrt() * v / w[t].sqrt();
        }
    }
    (explained, pcs)
}

#[cfg(test)]
mod tests;
