//! λ̂ points as numbers: back to back, each behind the lengths of its lists, NaN for what is none.
//! Their warnings and classes are words, and go with the words of the record.

use crate::protocol::{Curved, LlcPoint};

/// Numbers of a point that are not lists.
const HEAD: usize = 24;

/// The numbers of the points.
pub(super) fn flatten(points: &[LlcPoint]) -> Vec<f64> {
    let mut out = Vec::new();
    for p in points {
        let or = |x: Option<f64>| x.unwrap_or(f64::NAN);
        out.extend([p.per_chain.len(), p.accept.len(), p.failed.len()].map(|n| n as f64));
        let curved = p.curvature.map_or([f64::NAN; 4], |c| {
            [c.h_max, c.trace, c.trace_se, c.gradient_sq]
        });
        let head: [f64; HEAD] = [
            p.step as f64,
            p.value,
            p.se,
            or(p.between_se),
            p.init_loss,
            p.init_se,
            p.mean_loss,
            p.distance,
            p.spread,
            or(p.free),
            or(p.rhat),
            p.ess,
            p.time,
            p.below,
            or(p.index),
            p.forces[0],
            p.forces[1],
            p.forces[2],
            p.relaxations,
            p.burnin as f64,
            curved[0],
            curved[1],
            curved[2],
            curved[3],
        ];
        out.extend(head);
        out.push(f64::from(p.failed_chains));
        out.extend(p.per_chain.iter().chain(&p.accept));
        out.extend(p.failed.iter().map(|&c| f64::from(c)));
    }
    out
}

/// The points of those numbers; none if they do not add up.
pub(super) fn unflatten(mut data: &[f64]) -> Option<Vec<LlcPoint>> {
    let mut out = Vec::new();
    while !data.is_empty() {
        let mut take = |n: usize| {
            let (head, rest) = data.split_at_checked(n)?;
            data = rest;
            Some(head)
        };
        let lengths = take(3)?;
        if !lengths.iter().all(|n| (0.0..=1e6).contains(n)) {
            return None;
        }
        let h = take(HEAD)?;
        let failed_chains = take(1)?[0] as u32;
        let mut list = |k: usize| take(lengths[k] as usize).map(<[f64]>::to_vec);
        let told = |k: usize| Some(h[k]).filter(|x| !x.is_nan());
        out.push(LlcPoint {
            step: h[0] as u64,
            value: h[1],
            se: h[2],
            between_se: told(3),
            init_loss: h[4],
            init_se: h[5],
            mean_loss: h[6],
            distance: h[7],
            spread: h[8],
            free: told(9),
            rhat: told(10),
            ess: h[11],
            time: h[12],
            below: h[13],
            index: told(14),
            forces: [h[15], h[16], h[17]],
            relaxations: h[18],
            burnin: h[19] as u64,
            curvature: told(20).map(|h_max| Curved {
                h_max,
                trace: h[21],
                trace_se: h[22],
                gradient_sq: h[23],
            }),
            failed_chains,
            per_chain: list(0)?,
            accept: list(1)?,
            failed: list(2)?.into_iter().map(|c| c as u32).collect(),
            polished: None,
            classes: Vec::new(),
            warnings: Vec::new(),
        });
    }
    Some(out)
}
