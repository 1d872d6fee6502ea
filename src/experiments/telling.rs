//! What of many series is worth telling: how far one must move to be named, and of which kind it is.

/// Least change in nats, and of a score or a share, that is told. Heads are named from a score of 0.3 on,
/// and matter from 0.1 nats on: half of the smaller of these is no trifle.
const LEAST: f64 = 0.05;
/// Share of its greatest value that a series moves by at least where its unit has no size of its own.
const SHARE: f64 = 0.1;

/// The least change of a series that is worth telling, in its own unit. `greatest` is its greatest absolute
/// value over the run: norms and singular values are judged by it, and so are losses where there is less to
/// lose than the least that is told in nats.
#[must_use]
pub fn least(id: &str, greatest: f64) -> f64 {
    let own = SHARE * greatest;
    match Kind::of(id) {
        _ if ["norm", "spectrum."].iter().any(|p| id.starts_with(p)) => own,
        Kind::Does => LEAST.min(own),
        _ => LEAST,
    }
}

/// What a series is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What the model does: its losses and what is made of them, its accuracy.
    Does,
    /// Where its heads look.
    Looks,
    /// What its parts are and do.
    Parts,
    /// Said by another series, or mostly scatter.
    Again,
}

impl Kind {
    /// That of a series.
    #[must_use]
    pub fn of(id: &str) -> Self {
        let begins = |with: &[&str]| with.iter().any(|p| id.starts_with(p));
        // The loss has a column of its own; that of the minibatch says the same with noise, and those at single
        // positions too. Behind one column of a line there are a few targets.
        if id == "loss" || begins(&["loss.train", "loss.position.", "column."]) {
            Self::Again
        } else if begins(&["loss.", "kl", "icl", "accuracy.", "copied"]) {
            Self::Does
        } else if ["prev_token", "prefix_matching", "duplicate_token"]
            .iter()
            .any(|l| id.ends_with(l))
        {
            Self::Looks
        } else {
            Self::Parts
        }
    }
    /// How many of a kind are named together.
    #[must_use]
    pub fn most(self) -> usize {
        match self {
            Self::Does => 2,
            Self::Looks | Self::Parts => 1,
            Self::Again => 0,
        }
    }
}

/// What a series is one of many of: of one family one is named.
#[must_use]
pub fn family(id: &str) -> &str {
    let whole = ["loss.class.", "copied"];
    match id {
        // The ICL score is the difference of the others.
        "loss.early" | "loss.late" => "icl",
        _ => whole.into_iter().find(|w| id.starts_with(w)).unwrap_or(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trifle_is_judged_in_the_unit_of_its_instrument() {
        // 0.018 of a score that never comes above 0.08 is most of its range, and nothing.
        assert!(0.018 < least("heads.0.1.duplicate_token", 0.08));
        assert!(0.37 > least("heads.1.0.prefix_matching", 0.95));
        assert!(0.03 < least("loss.repeat", 3.5) && 0.03 > least("kl", 0.2));
        assert!((least("norm", 20.0) - 2.0).abs() < 1e-12);
        assert!((least("spectrum.W_E.1", 3.0) - 0.3).abs() < 1e-12);
    }

    #[test]
    fn kinds_are_told_apart() {
        assert_eq!(Kind::of("loss"), Kind::Again);
        assert_eq!(Kind::of("loss.position.3"), Kind::Again);
        assert_eq!(Kind::of("loss.repeat"), Kind::Does);
        assert_eq!(Kind::of("heads.1.0.prefix_matching"), Kind::Looks);
        assert_eq!(Kind::of("heads.1.0.ablation.repeat"), Kind::Parts);
        assert_eq!(family("loss.late"), family("icl"));
        assert_ne!(family("loss.repeat"), family("loss.first"));
    }
}
