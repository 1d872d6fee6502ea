//! Knobs that constrain each other: each replacement is named to the reader.

use super::sizes::{self, BUDGET, Sizes};
use crate::knobs::{Knobs, Value};
use crate::protocol::Notice;

/// Widest head a kernel takes.
const MOST_D_HEAD: i64 = 64;
/// SGLD on a quadratic of curvature a diverges from ε·a = 4 on, and γ alone is a curvature.
const STABLE: f64 = 4.0;

/// Makes the knobs possible together. Settling twice changes nothing more.
pub fn settle(knobs: &mut Knobs) -> Vec<Notice> {
    let mut notices = Vec::new();
    heads(knobs, &mut notices);
    periods(knobs, &mut notices);
    sampler(knobs, &mut notices);
    cadence(knobs, &mut notices);
    memory(knobs, &mut notices);
    notices
}

fn replace(knobs: &mut Knobs, key: &str, value: i64, why: &str, notices: &mut Vec<Notice>) {
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

/// The first period is drawn without replacement, and at least one repeat target must follow it.
fn periods(knobs: &mut Knobs, notices: &mut Vec<Notice>) {
    let (vocab, ctx) = (knobs.int("vocab"), knobs.int("ctx"));
    let most = vocab.min(ctx - 2);
    if knobs.int("pmax") > most {
        let why = format!("is more than a vocabulary of {vocab} and a context of {ctx} allow");
        replace(knobs, "pmax", most, &why, notices);
    }
    let pmax = knobs.int("pmax");
    if knobs.int("pmin") > pmax {
        replace(
            knobs,
            "pmin",
            pmax,
            &format!("is above pmax {pmax}"),
            notices,
        );
    }
}

fn sampler(knobs: &mut Knobs, notices: &mut Vec<Notice>) {
    let (eps, gamma) = (knobs.float("eps"), knobs.float("gamma"));
    if eps * gamma >= STABLE {
        let eps = 10f64.powf((1.0 / gamma).log10().floor());
        let text = format!(
            "eps: with γ = {gamma} the sampler runs away from ε·γ = {STABLE} on; using {eps:e}."
        );
        knobs.put("eps", Value::Float(eps));
        notices.push(Notice::about("eps", text));
    }
}

/// Not more checkpoints than PCA and the store can keep.
fn cadence(knobs: &mut Knobs, notices: &mut Vec<Notice>) {
    let most =
        sizes::most_checkpoints(usize::try_from(Sizes::of(knobs).params()).unwrap_or(usize::MAX));
    let asked = sizes::checkpoints(knobs).len();
    if asked <= most {
        return;
    }
    let why = format!("would make {asked} checkpoints, more than the {most} that can be kept");
    let log = i64::try_from(most / 8).unwrap_or(0).min(12);
    if knobs.int("log") > log {
        replace(knobs, "log", log, &why, notices);
    }
    let mut every = knobs.int("every");
    let original = every;
    let mut trial = knobs.clone();
    while every > 0 && sizes::checkpoints(&trial).len() > most {
        every += every.div_euclid(10).max(1);
        trial.put("every", Value::Int(every));
    }
    if every != original {
        replace(knobs, "every", every, &why, notices);
    }
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
    ] {
        replace(knobs, key, i64::try_from(value).unwrap_or(1), &why, notices);
    }
}
