//! Instruments of attention heads against a transformer written out here in f64, which shares nothing
//! with the program: pattern scores, loss by position, ICL score, both ablations.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{ended, session_with};
use lambdahat::engine::Session;
use lambdahat::experiments::{Of, Parts};

const TWO: &str = "#/induction?layers=2&d_model=16&heads=2&vocab=12&ctx=14&pmin=4&pmax=6&batch=5&steps=30&every=15&log=0&lr=0.02&warmup=0&chains=0";
/// Two copies fill the room there is for ablation: three run in two groups, the second padded.
const GROUPS: &str = "#/induction?layers=1&d_model=8&heads=1&vocab=8&ctx=128&pmin=4&pmax=6&batch=512&steps=1&every=0&log=0&chains=0";

fn run(text: &str, change: impl Fn(&mut Parts)) -> Session {
    ended(session_with(text, change))
}

/// An attention-only transformer without norms, and a batch for it.
struct Model {
    layers: usize,
    heads: usize,
    d: usize,
    vocab: usize,
    ctx: usize,
    arena: lambdahat::tensor::Arena,
    weights: Vec<f64>,
    tokens: Vec<u32>,
    classes: Vec<u32>,
}

/// What a forward pass finds.
struct Found {
    /// `[layer][sequence][head][query][key]`.
    patterns: Vec<Vec<f64>>,
    loss: f64,
    repeat: f64,
    by_position: Vec<f64>,
}

impl Model {
    fn of(s: &Session, layers: usize, heads: usize, vocab: usize, ctx: usize) -> Self {
        let mut words = Vec::new();
        s.parts.lab.feed(Of::Eval, 0, &mut words);
        let (tokens, classes) = words.split_at(words.len() / 2);
        let weights = &s.history.checkpoints.last().unwrap().weights;
        Self {
            layers,
            heads,
            d: s.parts.arena.get("unembed.W_U").unwrap().shape[0],
            vocab,
            ctx,
            arena: s.parts.arena.clone(),
            weights: weights.iter().map(|&w| f64::from(w)).collect(),
            tokens: tokens.to_vec(),
            classes: classes.to_vec(),
        }
    }
    fn part(&self, name: &str) -> &[f64] {
        &self.weights[self.arena.get(name).unwrap().range()]
    }

    /// Without the heads for which `lacks` holds, with the patterns that are given, if any are.
    fn forward(&self, lacks: impl Fn(usize, usize) -> bool, given: Option<&[Vec<f64>]>) -> Found {
        let (d, ctx, dh) = (self.d, self.ctx, self.d / self.heads);
        let sequences = self.tokens.len() / ctx;
        let size = self.heads * ctx * ctx;
        let mut found = Found {
            patterns: vec![vec![0.0; sequences * size]; self.layers],
            loss: 0.0,
            repeat: 0.0,
            by_position: vec![0.0; ctx],
        };
        let mut repeats = 0;
        for b in 0..sequences {
            let tokens = &self.tokens[b * ctx..][..ctx];
            let w_e = self.part("embed.W_E");
            // Without vectors of positions, positions are rotary.
            let w_pos = self.arena.get("pos_embed.W_pos").map(|t| t.range());
            let w_pos = w_pos.map(|range| &self.weights[range]);
            let place = |i: usize| w_pos.map_or(0.0, |w| w[i]);
            let embedded = |i: usize| w_e[tokens[i / d] as usize * d + i % d] + place(i);
            let mut x: Vec<f64> = (0..ctx * d).map(embedded).collect();
            for l in 0..self.layers {
                let before = x.clone();
                for h in 0..self.heads {
                    let of = |name: &str| {
                        let w = &self.part(&format!("blocks.{l}.attn.{name}"))[h * d * dh..];
                        let at = |t: usize, e: usize| -> f64 {
                            (0..d).map(|i| before[t * d + i] * w[i * dh + e]).sum()
                        };
                        (0..ctx * dh)
                            .map(|i| at(i / dh, i % dh))
                            .collect::<Vec<f64>>()
                    };
                    let (mut q, mut k, v) = (of("W_Q"), of("W_K"), of("W_V"));
                    if let Some(smear) = self.arena.get(&format!("blocks.{l}.attn.smear")) {
                        let a = 1.0 / (1.0 + (-self.weights[smear.offset + h]).exp());
                        for i in (dh..ctx * dh).rev() {
                            k[i] = a * k[i] + (1.0 - a) * k[i - dh];
                        }
                    }
                    if w_pos.is_none() {
                        turn(&mut q, dh);
                        turn(&mut k, dh);
                    }
                    let w_o = &self.part(&format!("blocks.{l}.attn.W_O"))[h * dh * d..];
                    for t in 0..ctx {
                        let score = |s: usize| -> f64 {
                            let dot = (0..dh).map(|e| q[t * dh + e] * k[s * dh + e]);
                            (dot.sum::<f64>() / (dh as f64).sqrt()).exp()
                        };
                        let mut row: Vec<f64> = (0..=t).map(score).collect();
                        let sum: f64 = row.iter().sum();
                        row.iter_mut().for_each(|p| *p /= sum);
                        let at = b * size + (h * ctx + t) * ctx;
                        if let Some(given) = given {
                            row.copy_from_slice(&given[l][at..=at + t]);
                        }
                        found.patterns[l][at..=at + t].copy_from_slice(&row);
                        if lacks(l, h) {
                            continue;
                        }
                        for e in 0..dh {
                            let z: f64 = (0..=t).map(|s| row[s] * v[s * dh + e]).sum();
                            for i in 0..d {
                                x[t * d + i] += z * w_o[e * d + i];
                            }
                        }
                    }
                }
            }
            let w_u = self.part("unembed.W_U");
            for t in 0..ctx - 1 {
                let logit = |c: usize| -> f64 {
                    (0..d).map(|i| x[t * d + i] * w_u[i * self.vocab + c]).sum()
                };
                let logits: Vec<f64> = (0..self.vocab).map(logit).collect();
                let total: f64 = logits.iter().map(|l| l.exp()).sum();
                let loss = total.ln() - logits[tokens[t + 1] as usize];
                found.by_position[t] += loss / sequences as f64;
                found.loss += loss / (sequences * (ctx - 1)) as f64;
                if self.classes[b * ctx + t] == 3 {
                    found.repeat += loss;
                    repeats += 1;
                }
            }
        }
        found.repeat /= f64::from(repeats);
        found
    }

    /// Mean attention of a head to the keys that `wants(tokens, query)` names, over the queries for
    /// which it names any.
    fn attention(&self, found: &Found, (l, h): (usize, usize), wants: Wants) -> f64 {
        let (ctx, mut sum, mut count) = (self.ctx, 0.0, 0);
        for (b, tokens) in self.tokens.chunks(ctx).enumerate() {
            for t in 0..ctx {
                let keys = wants(tokens, t);
                count += u32::from(!keys.is_empty());
                let row = &found.patterns[l][((b * self.heads + h) * ctx + t) * ctx..][..ctx];
                sum += keys.iter().map(|&s| row[s]).sum::<f64>();
            }
        }
        sum / f64::from(count)
    }
}

/// Turns the pairs (j, j + dh/2) of row t by t·10000^(−2j/dh), as complex numbers.
fn turn(x: &mut [f64], dh: usize) {
    for (t, row) in x.chunks_exact_mut(dh).enumerate() {
        for j in 0..dh / 2 {
            let angle = t as f64 * 10_000_f64.powf(-2.0 * j as f64 / dh as f64);
            let (re, im) = (row[j], row[j + dh / 2]);
            row[j] = re * angle.cos() - im * angle.sin();
            row[j + dh / 2] = re * angle.sin() + im * angle.cos();
        }
    }
}

type Wants = fn(&[u32], usize) -> Vec<usize>;

fn previous(_: &[u32], t: usize) -> Vec<usize> {
    t.checked_sub(1).into_iter().collect()
}
fn copies(tokens: &[u32], t: usize) -> Vec<usize> {
    (0..t.saturating_sub(1))
        .filter(|&s| tokens[s] == tokens[t])
        .collect()
}
fn after_copies(tokens: &[u32], t: usize) -> Vec<usize> {
    copies(tokens, t).into_iter().map(|s| s + 1).collect()
}

fn last(s: &Session, id: &str) -> f64 {
    let series = s
        .history
        .series
        .get(id)
        .unwrap_or_else(|| panic!("no {id}"));
    assert_eq!(series.x.last(), Some(&(s.parts.steps as f64)), "{id}");
    *series.y.last().unwrap()
}

/// Where the program's numbers and the reference's part.
fn faults(s: &Session, m: &Model) -> Vec<String> {
    let mut out = Vec::new();
    let mut same = |id: &str, want: f64| {
        let got = last(s, id);
        // NaN is not near.
        if (got - want).abs() > 2e-5 {
            out.push(format!("{id}: {got}, not {want}"));
        }
    };
    let clean = m.forward(|_, _| false, None);
    let icl = |f: &Found| {
        let (n, mean) = (m.ctx - 1, |x: &[f64]| {
            x.iter().sum::<f64>() / x.len() as f64
        });
        let w = (n as f64 / 10.0).round() as usize;
        mean(&f.by_position[n - w..n]) - mean(&f.by_position[w..2 * w])
    };
    same("loss", clean.loss);
    same("icl", icl(&clean));
    for t in [0, m.ctx / 2, m.ctx - 2] {
        same(&format!("loss.position.{t}"), clean.by_position[t]);
    }
    let parts: [(&str, Wants); 3] = [
        ("prev_token", previous),
        ("prefix_matching", after_copies),
        ("duplicate_token", copies),
    ];
    for l in 0..m.layers {
        for h in 0..m.heads {
            for (key, wants) in parts {
                let id = format!("heads.{l}.{h}.{key}");
                same(&id, m.attention(&clean, (l, h), wants));
            }
        }
    }
    for (way, given) in [
        ("ablation", None),
        ("preserving", Some(clean.patterns.as_slice())),
    ] {
        for l in 0..m.layers {
            for h in 0..=m.heads {
                // The last round lacks the whole block.
                let without = |a: usize, b: usize| a == l && (b == h || h == m.heads);
                let f = m.forward(without, given);
                let whose = if h == m.heads {
                    format!("blocks.{l}")
                } else {
                    format!("heads.{l}.{h}")
                };
                same(&format!("{whose}.{way}.loss"), f.loss - clean.loss);
                same(&format!("{whose}.{way}.repeat"), f.repeat - clean.repeat);
                same(&format!("{whose}.{way}.icl"), icl(&f) - icl(&clean));
            }
        }
    }
    out
}

#[test]
fn instruments_are_what_a_transformer_written_out_says() {
    let s = run(TWO, |_| {});
    let mut m = Model::of(&s, 2, 2, 12, 14);
    assert_eq!(faults(&s, &m), Vec::<String>::new());
    // In the last layer nothing comes after: both ablations are the same numbers.
    for h in 0..2 {
        let [zero, kept] =
            ["ablation", "preserving"].map(|w| last(&s, &format!("heads.1.{h}.{w}.loss")));
        assert_eq!(zero.to_bits(), kept.to_bits());
    }
    let [zero, kept] = ["ablation", "preserving"].map(|w| last(&s, &format!("blocks.0.{w}.loss")));
    assert!((zero - kept).abs() > 1e-4, "{zero} {kept}");
    // Planted fault: the weights of another head.
    let w_v = s.parts.arena.get("blocks.0.attn.W_V").unwrap().offset;
    m.weights[w_v..w_v + 8].iter_mut().for_each(|w| *w += 0.3);
    assert!(faults(&s, &m).len() > 20);
    // Planted fault: classes that are not the batch's.
    let mut m = Model::of(&s, 2, 2, 12, 14);
    m.classes.rotate_right(1);
    assert!(faults(&s, &m).iter().all(|f| f.contains("repeat")) && !faults(&s, &m).is_empty());
}

#[test]
fn smeared_keys_are_what_they_are_called() {
    let s = run(&format!("{TWO}&smear=on"), |_| {});
    let m = Model::of(&s, 2, 2, 12, 14);
    assert_eq!(faults(&s, &m), Vec::<String>::new());
    // α has moved from 0: it is learned. Without it the numbers are others.
    let alpha = s.parts.arena.get("blocks.0.attn.smear").unwrap().offset;
    assert!(m.weights[alpha].abs() > 1e-3, "{}", m.weights[alpha]);
    let mut other = Model::of(&s, 2, 2, 12, 14);
    other.weights[alpha] = 9.0;
    assert!(!faults(&s, &other).is_empty());
}

#[test]
fn rotary_positions_turn_queries_and_keys() {
    let s = run(&format!("{TWO}&positions=rotary"), |_| {});
    let m = Model::of(&s, 2, 2, 12, 14);
    assert_eq!(faults(&s, &m), Vec::<String>::new());
    assert!(s.parts.arena.get("pos_embed.W_pos").is_none());
    // Planted fault: two tokens exchanged.
    let mut other = Model::of(&s, 2, 2, 12, 14);
    other.tokens.chunks_mut(14).for_each(|t| t.swap(2, 9));
    assert!(!faults(&s, &other).is_empty());
}

#[test]
fn how_copies_are_grouped_cannot_be_seen() {
    let s = run(GROUPS, |_| {});
    assert!(s.parts.probes.programs.len() > 2);
    assert_eq!(
        faults(&s, &Model::of(&s, 1, 1, 8, 128)),
        Vec::<String>::new()
    );
    assert_eq!(run(TWO, |_| {}).parts.probes.programs.len(), 2);
}

/// Instruments read: the trained weights have the same bits without them, and a training step the same
/// launches.
#[test]
fn instruments_leave_the_run_alone() {
    let bits = |s: &Session| -> Vec<u32> {
        let weights = &s.history.checkpoints.last().unwrap().weights;
        weights.iter().map(|w| w.to_bits()).collect()
    };
    let with = run(TWO, |_| {});
    let without = run(TWO, |parts| parts.probes.at.clear());
    assert_eq!(bits(&with), bits(&without));
    assert_eq!(
        with.per_step().dispatches_per_step,
        without.per_step().dispatches_per_step
    );
    assert!(
        !without
            .history
            .series
            .contains_key("heads.0.0.ablation.loss")
    );
    // Planted fault: another seed is another run.
    let other = run(&format!("{TWO}&seed=2"), |_| {});
    assert_ne!(bits(&with), bits(&other));
}
