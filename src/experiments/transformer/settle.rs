//! Knobs that constrain each other: each replacement is named to the reader.

use super::plan;
use super::sizes::{self, BUDGET, Sizes};
use crate::experiments::{chains, limits};
use crate::knobs::{Knobs, Value};
use crate::protocol::Notice;

/// Widest head a kernel takes.
const MOST_D_HEAD: i64 = 64;
/// Makes the knobs possible together. Settling twice changes nothing more. `data` settles those of the
/// experiment's sequences; `curvature` is about the greatest that the loss comes to have.
pub fn settle(
    knobs: &mut Knobs,
    data: fn(&mut Knobs, &mut Vec<Notice>),
    curvature: f64,
) -> Vec<Notice> {
    let mut notices = Vec::new();
    heads(knobs, &mut notices);
    rotary(knobs, &mut notices);
    activation(knobs, &mut notices);
    data(knobs, &mut notices);
    limits::stable(knobs, curvature, &mut notices);
    limits::preconditioned(knobs, curvature, &mut notices);
    let spec = plan::spec(knobs);
    chains::settle(knobs, None, |part| spec.mask(part).is_some(), &mut notices);
    memory(knobs, &mut notices);
    cadence(knobs, &mut notices);
    let last = knobs.int("replicas") - 1;
    if knobs.int("member") > last {
        replace(
            knobs,
            "member",
            last,
            "is beyond the last seed",
            &mut notices,
        );
    }
    notices
}

/// Replaces a whole number and says why.
pub fn replace(knobs: &mut Knobs, key: &str, value: i64, why: &str, notices: &mut Vec<Notice>) {
    let was = knobs.int(key);
    if was != value {
        knobs.put(key, Value::Int(value));
        notices.push(Notice::about(
            key,
            format!("{key}: {was} {why}; using {value}."),
        ));
    }
}

/// Heads divide d_model, and none is wider than the kernels take.
fn heads(knobs: &mut Knobs, notices: &mut Vec<Notice>) {
    let asked = knobs.int("heads");
    let most = match knobs
        .schema()
        .iter()
        .find(|k| k.key == "heads")
        .map(|k| k.kind)
    {
        Some(crate::knobs::Kind::Int { max, .. }) => max,
        _ => 1,
    };
    let nearest = |d: i64| {
        let possible = (1..=most).filter(|h| d % h == 0 && d / h <= MOST_D_HEAD);
        possible.min_by_key(|h| ((h - asked).abs(), *h))
    };
    let d = knobs.int("d_model");
    if let Some(h) = nearest(d) {
        let why = format!("heads do not cut d_model {d} into equal heads of at most {MOST_D_HEAD}");
        replace(knobs, "heads", h, &why, notices);
        return;
    }
    // No number of heads serves this width, a prime perhaps: the nearest one that eight heads cut.
    let d = ((d + 4) / 8 * 8).max(8);
    replace(
        knobs,
        "d_model",
        d,
        &format!("cannot be cut into equal heads of at most {MOST_D_HEAD}"),
        notices,
    );
    if let Some(h) = nearest(d) {
        replace(
            knobs,
            "heads",
            h,
            &format!("heads do not divide d_model {d}"),
            notices,
        );
    }
}

/// Rotary positions turn pairs of dimensions.
fn rotary(knobs: &mut Knobs, notices: &mut Vec<Notice>) {
    let width = knobs.int("d_model") / knobs.int("heads").max(1);
    if knobs.word("positions") == "rotary" && width % 2 > 0 {
        knobs.put("positions", Value::Word("learned"));
        let why = format!(
            "positions: rotary ones turn pairs, and heads of {width} dimensions have an odd one; using learned."
        );
        notices.push(Notice::about("positions", why));
    }
}

/// Only an MLP has an activation.
fn activation(knobs: &mut Knobs, notices: &mut Vec<Notice>) {
    let was = knobs.word("act");
    if knobs.int("mlp") == 0 && !matches!(was, "" | "relu") {
        knobs.put("act", Value::Word("relu"));
        let why = format!(
            "act: {was} is an activation of MLPs, and mlp = 0 leaves none; give mlp a width to use it."
        );
        notices.push(Notice::about("act", why));
    }
}

/// Not more checkpoints than PCA and the store can keep.
fn cadence(knobs: &mut Knobs, notices: &mut Vec<Notice>) {
    let sizes = Sizes::of(knobs);
    let params = usize::try_from(sizes.params()).unwrap_or(usize::MAX);
    let most = sizes::most_checkpoints(params.saturating_mul(sizes.replicas));
    limits::cadence(knobs, most, notices);
}

/// Halves what saves the most until the run fits, and says what it would have needed.
fn memory(knobs: &mut Knobs, notices: &mut Vec<Notice>) {
    let asked = Sizes::of(knobs);
    let mut now = asked;
    while !now.fits() {
        let halved = [
            Sizes {
                batch: (now.batch / 2).max(1),
                ..now
            },
            Sizes {
                mbatch: (now.mbatch / 2).max(1),
                ..now
            },
            Sizes {
                chains: (now.chains / 2).max(now.chains.min(1)),
                ..now
            },
            Sizes {
                replicas: (now.replicas / 2).max(1),
                ..now
            },
        ];
        match halved.into_iter().min_by_key(|s| (s.overload(), s.bytes())) {
            Some(best) if best.bytes() < now.bytes() => now = best,
            // Nothing left to halve: the bounds of the knobs keep this from happening.
            _ => break,
        }
    }
    let mb = |bytes: u64| bytes.div_ceil(1 << 20);
    let why = format!(
        "would need {} MB, {} MB of it in one buffer; the limits are {} MB and {} MB",
        mb(asked.bytes()),
        mb(asked.greatest_buffer()),
        mb(BUDGET),
        mb(sizes::BUFFER_BUDGET)
    );
    for (key, value) in [
        ("batch", now.batch),
        ("mbatch", now.mbatch),
        ("chains", now.chains),
        ("replicas", now.replicas),
    ] {
        replace(knobs, key, i64::try_from(value).unwrap_or(1), &why, notices);
    }
}
