//! The curvature at one checkpoint, through the chains' own program: with step size 0 its replicas
//! stay where they are put, here at pairs w* ± δv, and leave their gradients behind.
//!
//! The first pair of every round follows Lanczos, on one batch, since it needs one operator; the
//! other pairs are probes of the trace. A few rounds more, each on a batch of its own, give the
//! gradient at w* without the batch's noise in its square.

use super::probing::probe;
use crate::estimate::curvature::{self, Lanczos, dot, spacing, trace};
use crate::exec::Exec;
use crate::experiments::{Of, Parts};
use crate::protocol::{Curved, Fault};

/// Hessian-vector products of Lanczos at every checkpoint.
const PRODUCTS: u64 = 12;
/// Rounds after Lanczos, on batches 1, 2 and 3.
const FURTHER: u64 = 3;

/// One measurement of the curvature under way.
#[derive(Debug)]
pub struct Curving {
    checkpoint: u64,
    follow: usize,
    /// w*, `[params]`.
    center: Vec<f32>,
    delta: f64,
    /// Which weights move.
    moves: Vec<bool>,
    lanczos: Lanczos,
    /// Products Lanczos still wants.
    left: u64,
    /// Quadratic forms of unit Rademacher probes.
    forms: Vec<f64>,
    /// ∇L(w*), one a batch.
    gradients: Vec<Vec<f64>>,
}

impl Curving {
    /// Prepares a measurement around `center`, along the weights that `moves` says.
    #[must_use]
    pub fn new(at: (u64, usize), moves: Vec<bool>, center: Vec<f32>) -> Self {
        let (checkpoint, follow) = at;
        let norm = dot32(&center).sqrt();
        Self {
            delta: spacing(norm),
            lanczos: Lanczos::new(&moves, checkpoint as u32),
            left: PRODUCTS,
            forms: Vec::new(),
            gradients: Vec::new(),
            moves,
            checkpoint,
            follow,
            center,
        }
    }

    /// Runs one round. When that was the last: the curvature, none if it is not finite.
    ///
    /// # Errors
    /// Device lost or out of memory.
    pub async fn pump(
        &mut self,
        parts: &Parts,
        exec: &mut Exec,
    ) -> Result<Option<Option<Curved>>, Fault> {
        let Some(chains) = &parts.chains else {
            return Ok(None);
        };
        let n = self.center.len();
        let replicas = chains.settings.replicas();
        let first = if self.left > 0 {
            self.lanczos.direction().map(<[f64]>::to_vec)
        } else {
            None
        };
        let follows = first.is_some();
        if !follows {
            self.left = 0;
        }
        // The batch of Lanczos is batch 0; further rounds have their own.
        let round = if follows {
            0
        } else {
            self.gradients.len().max(1) as u64
        };
        let mut directions: Vec<Vec<f64>> = first.into_iter().collect();
        while directions.len() < replicas / 2 {
            // Each probe is used once: where Lanczos takes the first pair, the count begins one further on.
            let index = self.forms.len() + directions.len() + usize::from(!follows);
            directions.push(curvature::probe(
                &self.moves,
                self.checkpoint as u32,
                index as u32,
            ));
        }
        let grads = self.gradients_at(parts, exec, &directions, round).await?;
        let mut mean = vec![0.0; n];
        for (i, v) in directions.iter().enumerate() {
            let (plus, minus) = (&grads[2 * i], &grads[2 * i + 1]);
            let product: Vec<f64> = plus
                .iter()
                .zip(minus)
                .zip(&self.moves)
                .map(|((p, m), &moves)| {
                    if moves {
                        (p - m) / (2.0 * self.delta)
                    } else {
                        0.0
                    }
                })
                .collect();
            if i == 0 && follows {
                self.lanczos.push(&product);
            } else {
                self.forms.push(dot(v, &product));
            }
            for (m, (p, q)) in mean.iter_mut().zip(plus.iter().zip(minus)) {
                *m += (p + q) / (2 * directions.len()) as f64;
            }
            mean.iter_mut().zip(&self.moves).for_each(|(m, &moves)| {
                if !moves {
                    *m = 0.0;
                }
            });
        }
        if follows {
            self.left -= 1;
        }
        if round > 0 || self.gradients.is_empty() {
            self.gradients.push(mean);
        }
        if self.left > 0 || self.gradients.len() as u64 <= FURTHER {
            return Ok(None);
        }
        let moving = self.moves.iter().filter(|&&m| m).count();
        let (trace, se) = trace(moving, &self.forms);
        let found = Curved {
            h_max: self.lanczos.top(),
            trace,
            trace_se: if se.is_finite() { se } else { 0.0 },
            gradient_sq: between(&self.gradients),
        };
        let all = [found.h_max, found.trace, found.gradient_sq];
        Ok(Some(all.iter().all(|x| x.is_finite()).then_some(found)))
    }

    /// Gradients at w* + δv and w* − δv for every direction, on the given batch, in f64.
    async fn gradients_at(
        &self,
        parts: &Parts,
        exec: &mut Exec,
        directions: &[Vec<f64>],
        batch: u64,
    ) -> Result<Vec<Vec<f64>>, Fault> {
        let beside = |v: &Vec<f64>, sign: f64| -> Vec<f32> {
            let pairs = self.center.iter().zip(v);
            let there = pairs.map(|(&w, v)| (f64::from(w) + sign * self.delta * v) as f32);
            there.collect()
        };
        let pairs = directions
            .iter()
            .flat_map(|v| [beside(v, 1.0), beside(v, -1.0)]);
        let points: Vec<Vec<f32>> = pairs.collect();
        let of = Of::Chains {
            checkpoint: self.checkpoint,
            follow: self.follow,
        };
        let found = probe(parts, exec, &self.center, &points, of, batch).await?;
        Ok(found.into_iter().map(|(_, gradient)| gradient).collect())
    }
}

/// ‖w‖².
fn dot32(w: &[f32]) -> f64 {
    w.iter().map(|&w| f64::from(w).powi(2)).sum()
}

/// ‖∇L‖² without the noise of the batches: the mean over pairs of different batches of gᵢ·gⱼ. One
/// batch for all (no noise) gives the plain square.
fn between(gradients: &[Vec<f64>]) -> f64 {
    let mut products = Vec::new();
    for (i, a) in gradients.iter().enumerate() {
        products.extend(gradients[i + 1..].iter().map(|b| dot(a, b)));
    }
    crate::math::stats::mean(&products)
}

#[cfg(test)]
mod tests {
    use super::between;

    #[test]
    fn the_square_of_the_gradient_has_no_noise_in_it() {
        let exact = between(&[vec![3.0, 4.0], vec![3.0, 4.0]]);
        assert_eq!(exact, 25.0);
        // Noise that is different in every batch averages out; the plain square keeps it.
        let noisy = [
            vec![1.0, 2.0],
            vec![1.0, -2.0],
            vec![1.0, 2.0],
            vec![1.0, -2.0],
        ];
        assert!((between(&noisy) - (1.0 - 4.0 / 3.0)).abs() < 1e-12);
    }
}
