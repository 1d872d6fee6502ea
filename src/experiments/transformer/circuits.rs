//! What the weights of a checkpoint say of its circuits: pure functions, no pass through the model.

use crate::experiments::{Reading, Turned};
use crate::instruments::circuit::Head;
use crate::instruments::composition::{self, KINDS};
use crate::instruments::{copying, gauge, spectra};
use crate::math::Stream;
use crate::math::philox::Draws;
use crate::model::{Positions, Spec};
use crate::protocol::Gauge;
use crate::tensor::transposed;

/// Pairs of heads, those of all models together, of which composition is kept: each has three curves.
const MOST_PAIRS: usize = 1024;

/// The weights' instruments of the models of a run.
#[derive(Debug)]
pub(super) struct Circuits {
    spec: Spec,
    /// Composition is measured of every model, not of the one that is followed alone.
    all: bool,
}

impl Circuits {
    pub(super) fn new(spec: &Spec, replicas: usize) -> Self {
        let layers = spec.n_layers;
        let pairs = layers * layers.saturating_sub(1) / 2 * spec.n_heads * spec.n_heads;
        Self {
            spec: spec.clone(),
            all: replicas * pairs <= MOST_PAIRS,
        }
    }

    /// What is kept of a model that nobody follows, as an indicator of what is to come: its norm, and its
    /// composition without the null, which is two more numbers for each.
    pub(super) fn indicators(&self, weights: &[f32], composed: bool) -> Vec<Reading> {
        let arena = self.spec.arena();
        let Some(own) = weights.get(..arena.len()) else {
            return Vec::new();
        };
        let mut out = vec![Reading::new("norm".into(), spectra::norm(own))];
        if composed && self.all {
            let part = |name: &str| {
                let found = arena.get(name).and_then(|t| own.get(t.range()));
                let found = found.unwrap_or_default().iter();
                found.map(|&w| f64::from(w)).collect()
            };
            let heads = (0..self.spec.n_layers)
                .map(|l| self.heads(|name| part(&format!("blocks.{l}.attn.{name}"))));
            self.compose(&heads.collect::<Vec<_>>(), false, &mut out);
        }
        out
    }

    /// Copying scores, norms and spectra of `weights [params]`, and composition where it is `composed`.
    pub(super) fn readings(&self, weights: &[f32], composed: bool) -> Vec<Reading> {
        let mut out = Vec::new();
        let arena = self.spec.arena();
        if weights.len() < arena.len() {
            return out;
        }
        let f64s = |w: &[f32]| w.iter().map(|&w| f64::from(w)).collect::<Vec<f64>>();
        let part = |name: &str| {
            let found = arena.get(name).and_then(|t| weights.get(t.range()));
            f64s(found.unwrap_or_default())
        };
        out.push(Reading::new(
            "norm".into(),
            spectra::norm(&weights[..arena.len()]),
        ));
        for t in &arena.tensors {
            let norm = spectra::norm(&weights[t.range()]);
            out.push(Reading::new(format!("norm.{}", t.name), norm));
        }
        let (d, w_e) = (self.spec.d_model, part("embed.W_E"));
        let w_u = if self.spec.tied {
            transposed(&w_e, d)
        } else {
            part("unembed.W_U")
        };
        let both = [("W_E", &w_e, d), ("W_U", &w_u, self.spec.d_vocab)];
        for (name, w, columns) in both.into_iter().take(if self.spec.tied { 1 } else { 2 }) {
            let Some(found) = spectra::spectrum(w, columns) else {
                continue;
            };
            let id = format!("spectrum.{name}.participation");
            out.push(Reading::new(id, found.participation));
            for (k, &value) in (1..).zip(&found.values) {
                out.push(Reading::new(format!("spectrum.{name}.{k}"), value));
            }
        }
        let heads: Vec<Vec<Head>> = (0..self.spec.n_layers)
            .map(|l| self.heads(|name| part(&format!("blocks.{l}.attn.{name}"))))
            .collect();
        let around = copying::loop_of(&w_u, &w_e, d);
        for (l, heads) in heads.iter().enumerate() {
            for (h, head) in heads.iter().enumerate() {
                if let Some(y) = copying::score(head, &around) {
                    out.push(Reading::new(format!("heads.{l}.{h}.copying"), y));
                }
            }
        }
        if composed {
            self.compose(&heads, true, &mut out);
        }
        out
    }

    fn heads(&self, part: impl Fn(&str) -> Vec<f64>) -> Vec<Head> {
        let (d, dh) = (self.spec.d_model, self.spec.d_head);
        let all = ["W_Q", "W_K", "W_V", "W_O"].map(part);
        let of = |h: usize| all.each_ref().map(|w| &w[h * d * dh..][..d * dh]);
        (0..self.spec.n_heads)
            .map(|h| Head::new(of(h), d, dh))
            .collect()
    }

    /// Two matrices of a head turned, and as far away at random: see [`gauge`].
    pub(super) fn turned(&self, weights: &[f32], turn: &Gauge) -> Option<Turned> {
        let (spec, arena) = (&self.spec, self.spec.arena());
        let (layer, h) = (turn.layer as usize, turn.head as usize);
        let size = spec.d_model * spec.d_head;
        let places: Vec<usize> = ["W_Q", "W_K", "W_V", "W_O"]
            .iter()
            .filter_map(|name| arena.get(&format!("blocks.{layer}.attn.{name}")))
            .map(|t| t.offset + h * size)
            .collect();
        if places.len() != 4 || h >= spec.n_heads || weights.len() < arena.len() {
            return None;
        }
        let part = |at: usize| -> Vec<f64> {
            let w = &weights[at..at + size];
            w.iter().map(|&w| f64::from(w)).collect()
        };
        let was: Vec<Vec<f64>> = places.iter().map(|&at| part(at)).collect();
        let head = Head::new(
            [&was[0], &was[1], &was[2], &was[3]],
            spec.d_model,
            spec.d_head,
        );
        let mut draws = Draws::new(turn.layer, Stream::Probe, turn.head);
        let scale = (spec.d_head as f64).sqrt();
        let mut noise =
            |n: usize, scale: f64| -> Vec<f64> { (0..n).map(|_| draws.normal() / scale).collect() };
        let mut a = noise(spec.d_head * spec.d_head, scale);
        if spec.positions == Positions::Rotary && !turn.values {
            a = gauge::commuting(&a, spec.d_head);
        }
        let is = gauge::turned(&head, turn.values, &a, turn.amount);
        let first = 2 * usize::from(turn.values);
        let (places, was) = (&places[first..first + 2], &was[first..first + 2]);
        let mut moved = weights.to_vec();
        for (&at, w) in places
            .iter()
            .zip(&[&is.q, &is.k, &is.v, &is.o][first..first + 2])
        {
            let place = moved[at..at + size].iter_mut();
            place.zip(*w).for_each(|(x, &w)| *x = w as f32);
        }
        let far = |a: &[f32], b: &[f32]| {
            let apart = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2));
            apart.sum::<f64>().sqrt()
        };
        let distance = far(&moved, weights);
        let long = |w: &[f64]| w.iter().map(|x| x * x).sum::<f64>().sqrt();
        let direction = noise(2 * size, 1.0);
        let length = long(&direction);
        let mut random = weights.to_vec();
        for (&at, by) in places.iter().zip(direction.chunks_exact(size)) {
            let place = random[at..at + size].iter_mut();
            place
                .zip(by)
                .for_each(|(x, &by)| *x += (by * distance / length) as f32);
        }
        Some(Turned {
            norm: long(&was.concat()),
            distance,
            turned: moved,
            random,
        })
    }

    /// `composition.k.0.3.1.2`: head 1.2 reads its keys from what head 0.3 writes. The interval is the
    /// mean of its null and a standard deviation either way, not an error of the value.
    fn compose(&self, heads: &[Vec<Head>], null: bool, out: &mut Vec<Reading>) {
        for to in 1..self.spec.n_layers {
            for from in 0..to {
                let all = composition::scores(&heads[from], &heads[to]);
                for (h, row) in all.iter().enumerate() {
                    for (g, kinds) in row.iter().enumerate() {
                        let known = KINDS.iter().zip(kinds);
                        out.extend(known.filter_map(|(kind, s)| {
                            let s = (*s)?;
                            Some(Reading {
                                id: format!("composition.{kind}.{from}.{h}.{to}.{g}"),
                                y: s.value,
                                range: null.then_some((s.mean - s.sd, s.mean + s.sd)),
                            })
                        }));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tied model's circuits are those of the untied one with that unembedding.
    #[test]
    fn tied_is_untied_with_the_transpose() {
        let tied = Spec {
            d_vocab: 11,
            d_model: 8,
            n_heads: 2,
            d_head: 4,
            n_ctx: 6,
            tied: true,
            ..Spec::default()
        };
        let untied = Spec {
            tied: false,
            ..tied.clone()
        };
        let weights = tied.init(3);
        let mut whole = weights.clone();
        whole.extend(transposed(&weights[..11 * 8], 8));
        assert_eq!(whole.len(), untied.arena().len());
        let copying = |spec: &Spec, weights: &[f32]| -> Vec<(String, u64)> {
            let all = Circuits::new(spec, 1).readings(weights, true).into_iter();
            let kept = all.filter(|r| r.id.contains("copying") || r.id.contains("W_E"));
            kept.map(|r| (r.id, r.y.to_bits())).collect()
        };
        let found = copying(&tied, &weights);
        assert!(found.len() > 5 && found == copying(&untied, &whole));
        // Planted: another unembedding is seen.
        *whole.last_mut().unwrap_or(&mut 0.0) += 1.0;
        assert_ne!(found, copying(&untied, &whole));
    }
}
