//! The greatest curvature that preconditioned chains feel. RMSprop's step along the weights is εG, so
//! its bias and its stability are those of G^½(nβH + γ)G^½, whose greatest eigenvalue Lanczos iteration
//! finds from gradients at w*, once burn-in has frozen G.
//!
//! Each chain has a G of its own. Here each weight counts with the greatest of them, and the eigenvalue
//! grows with every entry of G (it is also that of A^½·G·A^½, with A = nβH + γ), so the index bounds that
//! of each chain. It lies a few percent above their mean, by as much as chains differ: V is a mean over
//! about the last 100 gradients, and G goes with its root.

use super::probing::probe;
use crate::estimate::curvature::{Lanczos, spacing};
use crate::exec::Exec;
use crate::experiments::chains::Sampler;
use crate::experiments::{ChainJob, Of, Parts};
use crate::protocol::Fault;

/// Products of the operator.
const PRODUCTS: usize = 12;

/// One measurement under way.
#[derive(Debug)]
pub struct Stiffness {
    of: Of,
    /// w*, `[params]`.
    center: Vec<f32>,
    /// √G of each weight; 0 of one that does not move.
    root: Vec<f64>,
    nbeta: f64,
    gamma: f64,
    lanczos: Lanczos,
}

impl Stiffness {
    /// Prepares it around `center`, from what the chains' sampler remembers, `[chain][memory]`: of each
    /// weight the chain with the least V, whose step is the longest.
    #[must_use]
    pub fn new(chains: &ChainJob, of: Of, center: &[f32], memory: &[f32]) -> Self {
        let (settings, n) = (chains.settings, center.len());
        let each = settings.sampler.memory(n).max(1);
        let least = |i: usize| {
            let squares = memory.chunks_exact(each).map(|m| m[each - n + i]);
            f64::from(squares.fold(f32::INFINITY, f32::min))
        };
        let moves = chains.moves();
        let root = |i: usize| {
            if moves[i] {
                Sampler::gain(least(i)).sqrt()
            } else {
                0.0
            }
        };
        Self {
            of,
            center: center.to_vec(),
            root: (0..n).map(root).collect(),
            nbeta: settings.nbeta,
            gamma: settings.gamma,
            lanczos: Lanczos::new(&moves, 0),
        }
    }

    /// Takes one product; when that was the last, the eigenvalue, none if it is not finite.
    ///
    /// # Errors
    /// Device lost or out of memory.
    pub async fn pump(
        &mut self,
        parts: &Parts,
        exec: &mut Exec,
    ) -> Result<Option<Option<f64>>, Fault> {
        let wanted = self.lanczos.products() < PRODUCTS;
        let Some(v) = self.lanczos.direction().filter(|_| wanted) else {
            let top = self.lanczos.top();
            return Ok(Some(Some(top).filter(|x| x.is_finite())));
        };
        let along: Vec<f64> = v.iter().zip(&self.root).map(|(v, r)| v * r).collect();
        let length = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
        let size = length(&mut self.center.iter().map(|&w| f64::from(w)));
        let delta = spacing(size) / length(&mut along.iter().copied()).max(f64::MIN_POSITIVE);
        let beside = |sign: f64| -> Vec<f32> {
            let pairs = self.center.iter().zip(&along);
            let there = pairs.map(|(&w, u)| (f64::from(w) + sign * delta * u) as f32);
            there.collect()
        };
        let points = [beside(1.0), beside(-1.0)];
        let found = probe(parts, exec, &self.center, &points, self.of, 0).await?;
        let [Some((_, plus)), Some((_, minus))] = [0, 1].map(|i| found.get(i)) else {
            return Ok(Some(None));
        };
        let product: Vec<f64> = (0..along.len())
            .map(|i| {
                let h = (plus[i] - minus[i]) / (2.0 * delta);
                self.root[i] * (self.nbeta * h + self.gamma * along[i])
            })
            .collect();
        self.lanczos.push(&product);
        Ok(None)
    }
}
