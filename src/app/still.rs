//! The model's figure in a recorded trace: small enough for the page.

use crate::protocol::Figure;
use serde::{Deserialize, Serialize};

/// The last figure of a recorded run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Still {
    /// As [`Figure::Superposition`].
    Superposition {
        /// Features c.
        features: usize,
        /// `[replica][W then b]`.
        weights: Vec<f32>,
        /// The k-gon of each replica.
        gons: Vec<String>,
    },
    /// As [`Figure::Spectrum`].
    Spectrum {
        /// p.
        p: usize,
        /// Shares of the power.
        shares: Vec<f64>,
    },
    /// As [`Figure::Attention`].
    Attention {
        /// Layers.
        layers: usize,
        /// Heads a layer.
        heads: usize,
        /// Context length T.
        ctx: usize,
        /// `[layer][head][query][key ≤ query]`: fifteenths, a hexadecimal digit each; the letters from g
        /// on stand for 2, 3, .. zeros in a row.
        digits: String,
        /// The tokens of the input.
        tokens: Vec<u32>,
        /// Period of the input's repeat.
        period: usize,
        /// The text of every token.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        texts: Vec<String>,
    },
}

/// Digits as text, zeros together.
fn shorter(digits: impl Iterator<Item = u32>) -> String {
    let (mut out, mut zeros) = (String::new(), 0);
    let flush = |out: &mut String, zeros: &mut u32| {
        while *zeros > 0 {
            // 'z', the last letter, is 35 in this base: 21 zeros.
            let n = (*zeros).min(21);
            out.extend(char::from_digit(if n == 1 { 0 } else { n + 14 }, 36));
            *zeros -= n;
        }
    };
    for d in digits {
        if d == 0 {
            zeros += 1;
        } else {
            flush(&mut out, &mut zeros);
            out.extend(char::from_digit(d, 16));
        }
    }
    flush(&mut out, &mut zeros);
    out
}

impl Still {
    /// Makes a figure small: weights to four digits, attention to fifteenths.
    #[must_use]
    pub fn of(figure: &Figure) -> Self {
        match figure {
            Figure::Spectrum { p, shares } => Still::Spectrum {
                p: *p,
                shares: shares
                    .iter()
                    .map(|s| format!("{s:.3e}").parse().unwrap_or(*s))
                    .collect(),
            },
            Figure::Superposition {
                features,
                weights,
                gons,
            } => Still::Superposition {
                features: *features,
                weights: weights
                    .iter()
                    .map(|w| format!("{w:.3e}").parse().unwrap_or(*w))
                    .collect(),
                gons: gons.clone(),
            },
            Figure::Attention {
                layers,
                heads,
                ctx,
                patterns,
                tokens,
                period,
                texts,
            } => {
                let seen = |i: &usize| i % ctx <= (i / ctx) % ctx;
                Still::Attention {
                    layers: *layers,
                    heads: *heads,
                    ctx: *ctx,
                    digits: shorter(
                        (0..patterns.len())
                            .filter(seen)
                            .map(|i| (u32::from(patterns[i]) + 8) / 17),
                    ),
                    tokens: tokens.clone(),
                    period: *period,
                    texts: texts.clone(),
                }
            }
        }
    }

    /// The figure again.
    #[must_use]
    pub fn figure(&self) -> Figure {
        match self.clone() {
            Still::Spectrum { p, shares } => Figure::Spectrum { p, shares },
            Still::Superposition {
                features,
                weights,
                gons,
            } => Figure::Superposition {
                features,
                weights,
                gons,
            },
            Still::Attention {
                layers,
                heads,
                ctx,
                digits,
                tokens,
                period,
                texts,
            } => {
                let mut digits = digits.chars().flat_map(|c| match c.to_digit(36) {
                    Some(d @ 0..16) => std::iter::repeat_n(d * 17, 1),
                    n => std::iter::repeat_n(0, n.map_or(1, |n| n as usize - 14)),
                });
                let mut patterns = Vec::with_capacity(layers * heads * ctx * ctx);
                for query in (0..layers * heads).flat_map(|_| 0..ctx) {
                    for key in 0..ctx {
                        let seen = if key <= query { digits.next() } else { None };
                        patterns.push(u8::try_from(seen.unwrap_or(0)).unwrap_or(u8::MAX));
                    }
                }
                Figure::Attention {
                    layers,
                    heads,
                    ctx,
                    patterns,
                    tokens,
                    period,
                    texts,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_stand_together() {
        assert_eq!(shorter([1, 0, 0, 0, 15, 0].into_iter()), "1hf0");
        assert_eq!(shorter(std::iter::repeat_n(0, 22)), "z0");
    }

    #[test]
    fn a_still_is_the_figure_to_a_thirtieth() {
        let (heads, ctx) = (3, 5);
        let patterns: Vec<u8> = (0..heads * ctx * ctx)
            .map(|i| {
                if i % ctx <= (i / ctx) % ctx {
                    (i * 37 % 256) as u8
                } else {
                    0
                }
            })
            .collect();
        let figure = Figure::Attention {
            layers: 1,
            heads,
            ctx,
            patterns: patterns.clone(),
            tokens: vec![1, 2],
            period: 4,
            texts: Vec::new(),
        };
        let Figure::Attention {
            patterns: again, ..
        } = Still::of(&figure).figure()
        else {
            panic!("another kind of figure");
        };
        let far = |a: &[u8], b: &[u8]| a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max();
        assert_eq!(again.len(), patterns.len());
        assert!(far(&again, &patterns) <= Some(9));
        // Planted fault: a cell late, it is another picture.
        assert!(far(&again[1..], &patterns) > Some(9));
    }
}
