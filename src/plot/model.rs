//! Figures of the model itself: the columns of W in the plane and WᵀW for superposition, and the
//! pixels of an attention pattern.

use super::number;
use super::scene::{Anchor, Mark, Scene};

/// One replica of the toy model of superposition, hidden dimension 2.
#[derive(Clone, Copy, Debug)]
pub struct Superposed<'a> {
    /// Features c.
    pub features: usize,
    /// W, `[2][c]`, row-major.
    pub w: &'a [f32],
    /// b, `[c]`.
    pub b: &'a [f32],
}

impl<'a> Superposed<'a> {
    /// One replica of `[replica][W (2 × c) then b (c)]`; none if there are not enough numbers.
    #[must_use]
    pub fn of(features: usize, weights: &'a [f32], replica: usize) -> Option<Self> {
        let size = features.checked_mul(3).filter(|s| *s > 0)?;
        let at = replica.checked_mul(size)?;
        let all = weights.get(at..at.checked_add(size)?)?;
        let (w, b) = all.split_at(2 * features);
        Some(Self { features, w, b })
    }

    fn column(&self, i: usize) -> [f64; 2] {
        [f64::from(self.w[i]), f64::from(self.w[self.features + i])]
    }

    /// The columns of W as arrows in a square of that many pixels, with the unit circle.
    #[must_use]
    pub fn columns(&self, size: f64) -> Scene {
        let longest = (0..self.features)
            .map(|i| self.column(i))
            .map(|[x, y]| x.hypot(y))
            .filter(|l| l.is_finite())
            .fold(1.2, f64::max)
            .min(4.0);
        let (middle, unit) = (size / 2.0, size / 2.0 / (longest * 1.18));
        let circle = (0..=72).map(|i| {
            let a = f64::from(i) * std::f64::consts::TAU / 72.0;
            [middle + unit * a.cos(), middle + unit * a.sin()]
        });
        let mut marks = vec![
            Mark::Path {
                class: "grid line".into(),
                points: circle.collect(),
                area: false,
            },
            Mark::line("grid", [0.0, middle], [size, middle]),
            Mark::line("grid", [middle, 0.0], [middle, size]),
        ];
        for i in 0..self.features {
            let [x, y] = self.column(i);
            let length = x.hypot(y);
            if !length.is_finite() {
                continue;
            }
            // The page's y goes down; the plane's goes up.
            let tip = [middle + unit * x, middle - unit * y];
            let class = if length < 0.25 {
                "column dead"
            } else {
                "column"
            };
            let title = format!(
                "feature {}: length {}, bias {}",
                i + 1,
                number::fixed(length, 2),
                number::fixed(f64::from(self.b[i]), 3)
            );
            marks.push(Mark::line(class, [middle, middle], tip));
            marks.push(Mark::Dot {
                class: class.into(),
                at: tip,
                r: 4.0,
                title,
            });
            if length >= 0.25 {
                let out = unit * length + 11.0;
                let at = [middle + out * x / length, middle - out * y / length + 4.0];
                marks.push(Mark::text("tick", at, Anchor::Middle, (i + 1).to_string()));
            }
        }
        let label = format!(
            "The {} columns of W in the plane; the circle has radius 1.",
            self.features
        );
        Scene {
            width: size,
            height: size,
            label,
            marks,
        }
    }

    /// WᵀW as a heat-map with the biases beside it: orange is positive, blue negative.
    #[must_use]
    pub fn gram(&self, size: f64) -> Scene {
        let c = self.features;
        let cell = size / (c as f64 + 1.5);
        let mut marks = Vec::new();
        let mut square = |row: usize, left: f64, value: f64, title: String| {
            let class = if value >= 0.0 {
                "heat positive"
            } else {
                "heat negative"
            };
            marks.push(Mark::Rect {
                class: class.into(),
                rect: [left, row as f64 * cell, cell - 1.0, cell - 1.0],
                opacity: if value.is_finite() {
                    value.abs().min(1.5) / 1.5
                } else {
                    0.0
                },
                title,
            });
        };
        for i in 0..c {
            let a = self.column(i);
            for j in 0..c {
                let b = self.column(j);
                let dot = a[0] * b[0] + a[1] * b[1];
                let title = format!(
                    "features {} and {}: {}",
                    i + 1,
                    j + 1,
                    number::fixed(dot, 2)
                );
                square(i, j as f64 * cell, dot, title);
            }
            let bias = f64::from(self.b[i]);
            square(
                i,
                (c as f64 + 0.5) * cell,
                bias,
                format!("bias of feature {}: {}", i + 1, number::fixed(bias, 3)),
            );
        }
        let label = format!("WᵀW, {c} by {c}, and the biases in the last column.");
        Scene {
            width: size,
            height: c as f64 * cell,
            label,
            marks,
        }
    }
}

/// Pixels of one attention pattern, `[query][key]` in 0..=255: RGBA, `ctx × ctx`, in a colour whose
/// strength is the attention. What a head cannot see stays transparent.
#[must_use]
pub fn attention_pixels(pattern: &[u8], ctx: usize, ink: [u8; 3]) -> Vec<u8> {
    let mut out = vec![0; ctx * ctx * 4];
    for (i, pixel) in out.chunks_exact_mut(4).enumerate() {
        let a = f64::from(pattern.get(i).copied().unwrap_or(0)) / 255.0;
        // The root lifts weak attention into sight; the order of cells stays.
        let alpha = (a.sqrt() * 255.0).round() as u8;
        pixel.copy_from_slice(&[
            ink[0],
            ink[1],
            ink[2],
            if i % ctx <= i / ctx { alpha } else { 0 },
        ]);
    }
    out
}

/// Mean attention a head pays, on a sequence of `tokens`, to the tokens after all earlier copies of the
/// current one together (`induction`, over the queries that have a copy) and to the token before
/// (`previous`), each 0..=1.
#[must_use]
pub fn head_scores(pattern: &[u8], tokens: &[u32]) -> (f64, f64) {
    let ctx = tokens.len();
    let at = |q: usize, k: usize| f64::from(pattern.get(q * ctx + k).copied().unwrap_or(0)) / 255.0;
    let mean = |all: Vec<f64>| all.iter().sum::<f64>() / all.len().max(1) as f64;
    let copied = |q: usize| {
        let copies = (0..q.saturating_sub(1)).filter(|&s| tokens[s] == tokens[q]);
        let found: Vec<f64> = copies.map(|s| at(q, s + 1)).collect();
        (!found.is_empty()).then(|| found.iter().sum::<f64>())
    };
    (
        mean((0..ctx).filter_map(copied).collect()),
        mean((1..ctx).map(|q| at(q, q - 1)).collect()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_is_cut_out_of_the_weights() {
        let weights: Vec<f32> = (0..18).map(|i| i as f32).collect();
        let second = Superposed::of(3, &weights, 1).map(|s| (s.w.to_vec(), s.b.to_vec()));
        assert_eq!(
            second,
            Some((vec![9., 10., 11., 12., 13., 14.], vec![15., 16., 17.]))
        );
        assert!(Superposed::of(3, &weights, 2).is_none());
        assert!(Superposed::of(0, &weights, 0).is_none());
        assert!(Superposed::of(usize::MAX, &weights, 1).is_none());
    }

    #[test]
    fn head_scores_find_the_heads() {
        let (ctx, period) = (8, 4);
        let mut induction = vec![0u8; ctx * ctx];
        let mut previous = vec![0u8; ctx * ctx];
        for q in 0..ctx {
            previous[q * ctx + q.saturating_sub(1)] = 255;
            induction[q * ctx + if q >= period { q + 1 - period } else { q }] = 255;
        }
        let tokens = [0, 1, 2, 3, 0, 1, 2, 3];
        assert_eq!(head_scores(&induction, &tokens).0, 1.0);
        assert_eq!(head_scores(&previous, &tokens), (0.0, 1.0));
        assert_eq!(head_scores(&[], &[]), (0.0, 0.0));
        // Not by other tokens.
        assert_eq!(head_scores(&induction, &[0, 1, 2, 3, 1, 0, 3, 2]).0, 0.0);
        // Attention to any of several copies counts: in the third period to the first.
        let far: Vec<u8> = (0..144)
            .map(|i| if i % 12 == (i / 12) % 4 + 1 { 255 } else { 0 })
            .collect();
        assert_eq!(head_scores(&far, &[0, 1, 2, 3].repeat(3)).0, 1.0);
    }

    #[test]
    fn the_future_stays_transparent() {
        let pixels = attention_pixels(&[255; 9], 3, [1, 2, 3]);
        let alpha: Vec<u8> = pixels.chunks(4).map(|p| p[3]).collect();
        assert_eq!(alpha, [255, 0, 0, 255, 255, 0, 255, 255, 255]);
    }
}
