//! The modular-addition MLP of the devinterp grokking notebook: names, initial weights, its
//! forward pass for one pair, and the Fourier spectrum of its embedding.
//!
//! logits = W_Uᵀ·GELU(W_aᵀE[a] + b_a + W_bᵀE[b] + b_b); one embedding serves both numbers.

use crate::kernels::{linear, modadd};
use crate::math::philox::{Draws, Stream};
use crate::tensor::Arena;
use std::f64::consts::TAU;

/// Parts that may move alone.
pub const PARTS: &[&str] = &["all", "embed", "mlp", "unembed"];

/// Mask of the groups of a part.
#[must_use]
pub fn mask(part: &str) -> u64 {
    match part {
        "embed" => 1,
        "mlp" => 2 + 4,
        "unembed" => 8,
        _ => !0,
    }
}

/// Sizes of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModAdd {
    /// p: numbers 0..p, and as many answers.
    pub p: usize,
    /// Width of the embedding.
    pub embed: usize,
    /// Hidden neurons.
    pub hidden: usize,
}

impl ModAdd {
    /// Names and shapes of one replica's parameters, in the order of the kernel.
    #[must_use]
    pub fn arena(&self) -> Arena {
        let mut arena = Arena::default();
        arena.push("embed.W_E", &[self.p, self.embed]);
        for side in ["a", "b"] {
            arena.push(format!("mlp.W_in_{side}"), &[self.embed, self.hidden]);
            arena.push(format!("mlp.b_in_{side}"), &[self.hidden]);
        }
        arena.push("unembed.W_U", &[self.hidden, self.p]);
        arena
    }

    /// Parameters.
    #[must_use]
    pub fn count(&self) -> usize {
        modadd::count(self.p, self.embed, self.hidden)
    }

    /// Group of each parameter, for masks: 0 the embedding, 1 and 2 the two input maps with their
    /// biases, 3 the unembedding.
    #[must_use]
    pub fn groups(&self) -> Vec<u32> {
        let tensors = self.arena().tensors;
        let groups = tensors.iter().zip([0, 1, 1, 2, 2, 3]);
        groups
            .flat_map(|(t, g)| std::iter::repeat_n(g, t.len()))
            .collect()
    }

    /// PyTorch's defaults: the embedding standard normal, everything else uniform within
    /// ±1/√(inputs).
    #[must_use]
    pub fn init(&self, seed: u32) -> Vec<f32> {
        let mut draws = Draws::new(seed, Stream::Init, 0);
        let mut out = Vec::with_capacity(self.count());
        for t in self.arena().tensors {
            let inputs = if t.name.starts_with("unembed") {
                self.hidden
            } else {
                self.embed
            };
            let bound = 1.0 / (inputs as f64).sqrt();
            let embedding = t.name.starts_with("embed");
            out.extend(t.range().map(|_| {
                let x = if embedding {
                    draws.normal()
                } else {
                    bound * (2.0 * draws.unit() - 1.0)
                };
                x as f32
            }));
        }
        out
    }

    /// Appends the logits of the pair a·p + b.
    pub fn logits(&self, w: &[f64], pair: usize, out: &mut Vec<f64>) {
        let (e, h) = (self.embed, self.hidden);
        let (inputs, w_u) = w[self.p * e..].split_at(2 * (e + 1) * h);
        let (by_a, by_b) = inputs.split_at((e + 1) * h);
        let mut pre = vec![0.0; h];
        let mut axpy = |x: f64, row: &[f64]| {
            for (pre, &w) in pre.iter_mut().zip(row) {
                *pre += x * w;
            }
        };
        for (token, map) in [(pair / self.p, by_a), (pair % self.p, by_b)] {
            let x = w[token * e..][..e].iter().copied();
            // The bias is the row after the last, with a weight of 1.
            for (x, row) in x.chain([1.0]).zip(map.chunks_exact(h)) {
                axpy(x, row);
            }
        }
        let start = out.len();
        out.resize(start + self.p, 0.0);
        for (x, row) in pre.into_iter().zip(w_u.chunks_exact(self.p)) {
            let x = linear::gelu(x).0;
            for (y, &w) in out[start..].iter_mut().zip(row) {
                *y += x * w;
            }
        }
    }

    /// Power of the embedding by frequency k = 1..=p/2, as shares of their sum: Σ over columns of
    /// |Σ_t W_E[t]·e^(−2πikt/p)|², with k and p − k taken together. The mean (k = 0) is left out.
    #[must_use]
    pub fn spectrum(&self, w_e: &[f32]) -> Vec<f64> {
        let (p, e) = (self.p, self.embed);
        let power = |k: usize| {
            let waves = (0..p).map(|t| (TAU * (k * t % p) as f64 / p as f64).sin_cos());
            let waves: Vec<(f64, f64)> = waves.collect();
            let column = |c: usize| {
                let values = w_e.iter().skip(c).step_by(e).map(|&x| f64::from(x));
                let (im, re) = values
                    .zip(&waves)
                    .fold((0.0, 0.0), |(im, re), (x, (sin, cos))| {
                        (im + x * sin, re + x * cos)
                    });
                im * im + re * re
            };
            let twice = if 2 * k == p { 1.0 } else { 2.0 };
            twice * (0..e).map(column).sum::<f64>()
        };
        let all: Vec<f64> = (1..=p / 2).map(power).collect();
        let sum: f64 = all.iter().sum();
        all.iter().map(|x| x / sum.max(f64::MIN_POSITIVE)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: ModAdd = ModAdd {
        p: 53,
        embed: 12,
        hidden: 48,
    };

    #[test]
    fn the_published_model() {
        assert_eq!((MODEL.count(), MODEL.arena().len()), (4428, 4428));
        assert_eq!(MODEL.groups().len(), 4428);
        let (init, arena) = (MODEL.init(1), MODEL.arena());
        let rms = |name: &str| {
            let t = arena.tensors.iter().find(|t| t.name == name);
            let x = &init[t.map_or(0..0, crate::tensor::Tensor::range)];
            (x.iter().map(|x| x * x).sum::<f32>() / x.len() as f32).sqrt()
        };
        // A uniform number within ±1/√n has deviation 1/√(3n).
        for (name, want) in [
            ("embed.W_E", 1.0),
            ("mlp.W_in_b", 1.0 / 6.0),
            ("unembed.W_U", 1.0 / 12.0),
        ] {
            assert!(
                (rms(name) / want - 1.0).abs() < 0.1,
                "{name}: {}",
                rms(name)
            );
        }
        assert_ne!(MODEL.init(2), init);
    }

    #[test]
    fn a_wave_has_its_own_frequency_and_noise_has_all() {
        let wave = |k: usize| {
            let at = |t: usize| (TAU * (k * t) as f64 / 53.0 + 0.4).cos() as f32 + 3.0;
            (0..53).flat_map(|t| [at(t); 12]).collect::<Vec<_>>()
        };
        let shares = MODEL.spectrum(&wave(7));
        assert_eq!(shares.len(), 26);
        assert!((shares[6] - 1.0).abs() < 1e-9, "{shares:?}");
        let noise = MODEL.spectrum(&MODEL.init(1)[..636]);
        assert!((noise.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(noise.iter().all(|&s| s < 0.12), "{noise:?}");
        // Parseval: with both halves counted, power over frequencies is power over tokens.
        assert_eq!(MODEL.spectrum(&[0.0; 636]), vec![0.0; 26]);
    }
}
