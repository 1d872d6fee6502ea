#![allow(clippy::unwrap_used)]
use super::*;
use crate::math::Stream;
use crate::math::philox::Draws;

const SHAPE: Shape = Shape {
    heads: 2,
    d_model: 6,
    d_head: 3,
};
const CTX: usize = 4;
const ROWS: usize = 3 * CTX;

struct Model {
    w: Vec<Vec<f64>>,
    w_o: Vec<f64>,
    w_e: Vec<f64>,
    w_pos: Vec<f64>,
    norm: [Vec<f64>; 2],
    z: Vec<f32>,
    tokens: Vec<u32>,
}

fn noise(draws: &mut Draws, n: usize) -> Vec<f64> {
    (0..n).map(|_| f64::from(draws.normal() as f32)).collect()
}

fn model(seed: u32, normed: bool) -> Model {
    let mut draws = Draws::new(seed, Stream::Probe, 0);
    let Shape {
        heads,
        d_model: d,
        d_head: dh,
    } = SHAPE;
    Model {
        w: (0..3).map(|_| noise(&mut draws, heads * d * dh)).collect(),
        w_o: noise(&mut draws, heads * dh * d),
        w_e: noise(&mut draws, 5 * d),
        w_pos: noise(&mut draws, CTX * d),
        norm: [0, 1].map(|_| noise(&mut draws, if normed { d } else { 0 })),
        z: noise(&mut draws, ROWS * heads * dh)
            .iter()
            .map(|&z| z as f32)
            .collect(),
        tokens: (0..ROWS as u32).map(|i| i * i % 5).collect(),
    }
}

/// Passes one row of each source through the model, by the definition: shares, and their sum.
fn written_out(m: &Model, shortformer: bool) -> (Vec<f32>, Vec<f32>, Vec<Vec<f64>>) {
    let Shape {
        heads,
        d_model: d,
        d_head: dh,
    } = SHAPE;
    let (mut qkv, mut moments, mut dots) = (Vec::new(), Vec::new(), vec![vec![0.0; 3 * heads]; 5]);
    for row in 0..ROWS {
        let z = |h: usize| {
            m.z[(row * heads + h) * dh..][..dh]
                .iter()
                .map(|&z| f64::from(z))
                .collect::<Vec<_>>()
        };
        let wrote = |h: usize| product(&z(h), &m.w_o[h * dh * d..][..dh * d], [1, dh, d]);
        let e = m.w_e[m.tokens[row] as usize * d..][..d].to_vec();
        let p = m.w_pos[row % CTX * d..][..d].to_vec();
        let parts = [
            wrote(0),
            wrote(1),
            e,
            if shortformer { vec![0.0; d] } else { p.clone() },
        ];
        let x: Vec<f64> = (0..d).map(|i| parts.iter().map(|p| p[i]).sum()).collect();
        let mean = x.iter().sum::<f64>() / d as f64;
        let sigma = (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / d as f64 + 1e-5).sqrt();
        let scale = if m.norm[0].is_empty() {
            1.0
        } else {
            1.0 / sigma
        };
        moments.extend([mean as f32, scale as f32]);
        let scale = f64::from(scale as f32);
        let through = |v: &[f64]| -> Vec<f64> {
            if m.norm[0].is_empty() {
                return v.to_vec();
            }
            let mean = v.iter().sum::<f64>() / d as f64;
            v.iter()
                .zip(&m.norm[0])
                .map(|(v, w)| (v - mean) * w * scale)
                .collect()
        };
        let mut sources: Vec<Vec<f64>> = parts.iter().map(|p| through(p)).collect();
        sources.push(if m.norm[1].is_empty() {
            vec![0.0; d]
        } else {
            m.norm[1].clone()
        });
        for k in 0..3 {
            for h in 0..heads {
                let mut own = sources.clone();
                if shortformer && k < 2 {
                    own[3].clone_from(&p)
                }
                let w = &m.w[k][h * d * dh..][..d * dh];
                let made: Vec<Vec<f64>> = own.iter().map(|s| product(s, w, [1, d, dh])).collect();
                let t: Vec<f64> = (0..dh).map(|i| made.iter().map(|m| m[i]).sum()).collect();
                for (sum, made) in dots.iter_mut().zip(&made) {
                    sum[k * heads + h] += dot(made, &t)
                }
                qkv.extend(t.iter().map(|&t| t as f32));
            }
        }
    }
    let total: Vec<f64> = (0..3 * heads)
        .map(|i| dots.iter().map(|d| d[i]).sum())
        .collect();
    dots.iter_mut()
        .for_each(|d| d.iter_mut().zip(&total).for_each(|(d, t)| *d /= t));
    (qkv, moments, dots)
}

fn found(m: &Model, shortformer: bool, qkv: &[f32], moments: &[f32]) -> Vec<Share> {
    let layer = Layer {
        qkv,
        z: &m.z,
        moments: if m.norm[0].is_empty() { &[] } else { moments },
        w: [&m.w[0], &m.w[1], &m.w[2]],
        w_o: &m.w_o,
        norm: m.norm.each_ref().map(|n| &n[..]),
    };
    let start = Start {
        tokens: &m.tokens,
        w_e: &m.w_e,
        w_pos: &m.w_pos,
        shortformer,
    };
    shares(SHAPE, start, &[layer], layer)
}

fn value(all: &[Share], kind: usize, head: usize, from: Source) -> f64 {
    all.iter()
        .find(|s| (s.0, s.1, s.2) == (KINDS[kind], head, from))
        .unwrap()
        .3
}

#[test]
fn shares_are_those_of_the_definition_and_sum_to_the_whole() {
    let sources = [
        Source::Head(0, 0),
        Source::Head(0, 1),
        Source::Embed,
        Source::Positions,
        Source::Rest,
    ];
    for (seed, normed, shortformer) in [
        (1, false, false),
        (2, true, false),
        (3, true, true),
        (4, false, true),
    ] {
        let m = model(seed, normed);
        let (qkv, moments, want) = written_out(&m, shortformer);
        let all = found(&m, shortformer, &qkv, &moments);
        for (from, want) in sources.iter().zip(&want) {
            for (i, want) in want.iter().enumerate() {
                let got = value(&all, i / 2, i % 2, *from);
                let off = (got - want).abs();
                assert!(off < 1e-5, "{seed} {from:?} {i}: {got} {want}");
            }
        }
        // Without a bias nothing is left over.
        if !normed {
            assert!((0..6).all(|i| value(&all, i / 2, i % 2, Source::Rest).abs() < 1e-5));
        }
    }
    // Planted fault: one wrong row of what a head moved, and the sources no longer make the whole.
    let mut m = model(1, false);
    let (qkv, moments, _) = written_out(&m, false);
    m.z[0] += 1.0;
    let all = found(&m, false, &qkv, &moments);
    assert!(value(&all, 0, 0, Source::Rest).abs() > 1e-3);
}

#[test]
fn a_head_that_reads_one_head_alone_has_all_from_it() {
    let mut m = model(7, false);
    // Later keys read along what head 1 writes; nothing else writes anything.
    m.w_e.fill(0.0);
    m.w_pos.fill(0.0);
    m.w_o[..18].fill(0.0);
    let (qkv, moments, _) = written_out(&m, false);
    let all = found(&m, false, &qkv, &moments);
    assert!((value(&all, 1, 0, Source::Head(0, 1)) - 1.0).abs() < 1e-6);
    assert!(value(&all, 1, 0, Source::Head(0, 0)).abs() < 1e-12);
    // A head whose keys are 0 everywhere has no shares of them.
    m.w[1] = vec![0.0; m.w[1].len()];
    let (qkv, moments, _) = written_out(&m, false);
    let none = found(&m, false, &qkv, &moments);
    assert!(none.iter().all(|s| s.0 != "k") && none.iter().any(|s| s.0 == "q"));
}
