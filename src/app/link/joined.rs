//! Which stored runs have a plane in common with another, and what each is called there.

use super::{Link, parse};
use crate::knobs::Group;
use crate::protocol::Stored;

/// Stored runs in one plane, at most.
const MOST: usize = 6;

/// What sets the model that a link follows apart from that of another; empty where nothing does. The
/// sampler does not, nor does what trains beside it.
fn apart(a: &Link, b: &Link) -> String {
    let seed = |l: &Link| (l.knobs.int("seed") as u32).wrapping_add(l.knobs.int("member") as u32);
    let from = |l: &Link| l.course.branch.as_ref().map_or(0, |b| b.from);
    let mut out = Vec::new();
    for knob in a.knobs.schema() {
        let counts = knob.group != Group::Sampler && !matches!(knob.key, "seed" | "replicas");
        let is = b.knobs.get(knob.key).filter(|_| counts);
        if let Some(is) = is.filter(|is| a.knobs.get(knob.key) != Some(*is)) {
            out.push(format!("{}={}", knob.key, is.text()));
        }
    }
    if seed(a) != seed(b) {
        out.push(format!("seed={}", seed(b)));
    }
    if from(a) != from(b) && (from(b) > 0 || out.is_empty()) {
        out.push(format!("from={}", from(b)));
    }
    out.join(" ")
}

/// Of stored runs, the oldest first, those whose rows of logit-PCA can be joined with those of this link's
/// run, which `looked` at the same; the newest first, each with its file and what it changes.
#[must_use]
pub fn fitting(rows: &[Stored], link: &str, looked: u32) -> Vec<(Option<u32>, String)> {
    let own = parse(link);
    // A run that began with a file is not that of its link.
    let fits = |r: &&Stored| {
        r.looked == looked && r.version == crate::VERSION && r.checkpoints.first() == Some(&0)
    };
    let named = |r: &Stored| {
        let other = parse(&r.link);
        let name = apart(&own, &other);
        (own.experiment == other.experiment && !name.is_empty()).then_some((r.slot, name))
    };
    let all = rows.iter().rev().filter(|_| looked != 0).filter(fits);
    all.filter_map(named).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_looked_at_the_same_are_named_by_what_they_change() {
        let row = |slot: u32, query: &str, looked| Stored {
            link: format!("#/induction?v=1&seed=4{query}"),
            slot: Some(slot),
            version: crate::VERSION.into(),
            checkpoints: vec![0, 50],
            looked,
            ..Stored::default()
        };
        let found = |rows: &[Stored], link: &str| -> Vec<(u32, String)> {
            let all = fitting(rows, link, 7).into_iter();
            all.filter_map(|(slot, name)| Some((slot?, name))).collect()
        };
        let mut rows = vec![
            row(0, "&layers=1", 7),
            row(1, "&layers=1", 8),
            row(2, "&chains=2&every=10", 7),
            row(3, "&lr=0.01&from=20&then.lr=0.02", 7),
            row(4, "&replicas=3&member=2", 7),
        ];
        let link = "#/induction?v=1&seed=4";
        let named = [(4, "seed=6"), (3, "lr=0.02 from=20"), (0, "layers=1")];
        let named = named.map(|(slot, name)| (slot, name.to_string()));
        assert_eq!(found(&rows, link), named);
        // The parent of a branch, and the same settings from the start.
        let branch = format!("{link}&lr=0.01&from=20&then.lr=0.02");
        rows = vec![row(0, "&lr=0.01", 7), row(1, "&lr=0.02", 7)];
        let parent = [(1, "from=0".to_string()), (0, "lr=0.01".to_string())];
        assert_eq!(found(&rows, &branch), parent);
        // Planted: another version, a run of a file, one of another experiment; and nothing is looked at.
        for change in [
            |r: &mut Stored| r.version = "0".into(),
            |r: &mut Stored| r.checkpoints = vec![20],
            |r: &mut Stored| r.link = "#/markov?v=1&layers=1".into(),
        ] {
            let mut other = row(0, "&layers=1", 7);
            assert_eq!(found(std::slice::from_ref(&other), link).len(), 1);
            change(&mut other);
            assert!(found(&[other], link).is_empty());
        }
        assert!(fitting(&[row(0, "&layers=1", 0)], link, 0).is_empty());
        let many: Vec<_> = (1..9)
            .map(|i| row(i, &format!("&steps={i}00"), 7))
            .collect();
        assert_eq!(
            found(&many, link).iter().map(|f| f.0).collect::<Vec<_>>(),
            [8, 7, 6, 5, 4, 3]
        );
    }
}
