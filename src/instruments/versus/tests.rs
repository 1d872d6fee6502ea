#![allow(clippy::unwrap_used)]
use super::*;
use crate::math::philox::{Draws, Stream};

/// Two sequences of period 3: two first-period targets, the joint, two repeats each.
fn set() -> TokenSet {
    TokenSet {
        vocab: 8,
        ctx: 6,
        tokens: vec![1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6],
        classes: [2, 2, 1, 3, 3, 0].repeat(2),
        periods: vec![3, 3],
        names: ["start", "first", "repeat"].map(Into::into),
        texts: Vec::new(),
    }
}

const A: [f32; 12] = [
    -2.0, -2.0, -2.0, -0.5, -0.25, 0.0, -2.0, -2.0, -8.0, -0.5, -9.0, 0.0,
];
const B: [f32; 12] = [
    -2.0, -1.0, -2.0, -4.0, -9.0, 0.0, -2.0, -2.0, -2.0, -3.0, -9.0, 0.0,
];

/// What is wrong with a Δ, by numbers worked out by hand at a floor of 5.
fn fault(delta: impl Fn([f64; 2], f64) -> f64) -> Option<String> {
    let known = [
        ([-2.0, -2.0], 0.0),
        ([-2.0, -1.0], -1.0),
        ([-0.25, -9.0], 4.75),
        ([-8.0, -2.0], -3.0),
        ([-9.0, -9.5], 0.0),
        ([f64::NAN, -1.0], -4.0),
    ];
    let wrong = known.iter().find(|(lp, want)| delta(*lp, 5.0) != *want);
    wrong.map(|(lp, want)| format!("{lp:?}: {} is not {want}", delta(*lp, 5.0)))
}

#[test]
fn delta_has_a_sign_and_a_floor_on_both_sides() {
    assert_eq!(fault(delta), None);
    // Planted faults: the sign swapped, the floor on one side only, no floor.
    assert!(fault(|[a, b], f| delta([b, a], f)).is_some());
    assert!(fault(|[a, b], f| a.max(-f) - b).is_some());
    assert!(fault(|[a, b], f| a - b.max(-f)).is_some());
    assert!(fault(|[a, b], _| a - b).is_some());
}

#[test]
fn targets_are_grouped_by_what_they_are() {
    let set = set();
    let all = targets(&set, [&A, &B], 5.0);
    assert_eq!(all.len(), 10);
    let told = |t: &Target| (t.sequence, t.position, t.token, t.kind, t.seen, t.delta);
    assert_eq!(told(&all[1]), (0, 2, 3, 2, 0, -1.0));
    assert_eq!(told(&all[7]), (1, 3, 4, 1, 1, -3.0));
    assert_eq!(told(&all[4]), (0, 5, 3, 3, 1, 4.75));
    let total = whole(&all, 2);
    assert_eq!((total.sum, total.count, total.mean), (6.75, 10, 0.675));
    let kinds = groups(&all, By::Kind, &set);
    let told: Vec<_> = kinds
        .iter()
        .map(|g| (g.name.as_str(), g.count, g.sum, g.share.unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("repeat", 4, 10.75, 10.75 / 6.75),
            ("start", 2, -3.0, -3.0 / 6.75),
            ("first", 4, -1.0, -1.0 / 6.75)
        ]
    );
    // Sequences have 8.25 and 2.5 nats on two repeats each: 2.6875 a token, and 2.875 off in each.
    assert_eq!((kinds[0].mean, kinds[0].se), (2.6875, 1.4375));
    let seen = groups(&all, By::Seen, &set);
    let told: Vec<_> = seen.iter().map(|g| (g.name.as_str(), g.sum)).collect();
    assert_eq!(told, [("once", 7.75), ("never", -1.0)]);
    assert_eq!(losses(&all), [2.825, 3.6]);
    assert_eq!(under(&all, 5.0), [2, 2]);
    assert_eq!(under(&all, 8.5), [1, 2]);
    // Planted fault: classes one position late make other groups.
    let mut late = set.clone();
    late.classes.rotate_right(1);
    let other = groups(&targets(&late, [&A, &B], 5.0), By::Kind, &late);
    assert_ne!(other[0].sum, 10.75);
}

#[test]
fn the_most_changed_come_first_in_both_directions() {
    let all = targets(&set(), [&A, &B], 5.0);
    assert_eq!(ranked(&all, 9), [vec![4, 3, 8], vec![7, 1]]);
    assert_eq!(ranked(&all, 1), [vec![4], vec![7]]);
}

/// Log-probabilities of no round numbers.
fn drawn(seed: u32, n: usize) -> Vec<f32> {
    let mut draws = Draws::new(seed, Stream::Probe, 0);
    let one = |draws: &mut Draws| -9.0 * (draws.index(1 << 20) as f32 / 1_048_576.0).powi(8);
    (0..n).map(|_| one(&mut draws)).collect()
}

#[test]
fn groups_add_up_to_the_whole_to_the_bit() {
    let (ctx, n) = (17, 40);
    let set = TokenSet {
        vocab: 11,
        ctx,
        tokens: (0..ctx * n).map(|i| (i * 7 % 11) as u32).collect(),
        classes: (0..ctx * n)
            .map(|i| {
                if i % ctx == ctx - 1 {
                    0
                } else {
                    i as u32 % 3 + 1
                }
            })
            .collect(),
        periods: vec![5; n],
        ..set()
    };
    let (a, b) = (drawn(1, ctx * n), drawn(2, ctx * n));
    let all = targets(&set, [&a, &b], 5.0);
    let total = whole(&all, n);
    let with_texts = TokenSet {
        texts: ["\n", "a", "B", " ", "1", "c", "D", ".", "e", " f", "g"]
            .map(Into::into)
            .to_vec(),
        ..set.clone()
    };
    let sets = [(&set, 4), (&with_texts, 5)];
    for (set, (by, name, _)) in sets.iter().flat_map(|(s, n)| {
        assert_eq!(By::there(s).len(), *n);
        By::there(s).iter().map(move |by| (*s, *by))
    }) {
        let all = targets(set, [&a, &b], 5.0);
        let parts = groups(&all, by, set);
        assert!(parts.len() > 1, "{name}");
        assert_eq!(
            parts.iter().map(|g| g.sum).sum::<f64>(),
            total.sum,
            "{name}"
        );
        assert_eq!(parts.iter().map(|g| g.count).sum::<usize>(), all.len());
        let share: f64 = parts.iter().filter_map(|g| g.share).sum();
        assert!((share - 1.0).abs() < 1e-12, "{name}: {share}");
        assert!(parts.is_sorted_by(|a, b| a.sum.abs() >= b.sum.abs()));
        // Planted fault: one group less.
        assert_ne!(parts.iter().skip(1).map(|g| g.sum).sum::<f64>(), total.sum);
    }
    // Without the grid the same sums depend on their order.
    let plain = |t: &Target| t.lp[0].max(-5.0) - t.lp[1].max(-5.0);
    let forth: f64 = all.iter().map(plain).sum();
    let back: f64 = all.iter().rev().map(plain).sum();
    assert_ne!(forth, back);
    // A model and itself: nothing, everywhere.
    let same = targets(&set, [&a, &a], 5.0);
    assert!(same.iter().all(|t| t.delta == 0.0) && ranked(&same, 5).concat().is_empty());
    assert!(
        groups(&same, By::Kind, &set)
            .iter()
            .all(|g| g.sum == 0.0 && g.share.is_none())
    );
    // And the other way round it is the opposite.
    let turned = targets(&set, [&b, &a], 5.0);
    assert_eq!(whole(&turned, n).sum, -total.sum);
}

#[test]
fn a_head_that_makes_the_difference_removes_it() {
    let set = set();
    let half: Vec<f32> = A
        .iter()
        .zip(&B)
        .map(|(a, b)| (a.max(-5.0) + b.max(-5.0)) / 2.0)
        .collect();
    let of_a = [("head 0.0", &B[..]), ("head 0.1", &half[..])];
    let of_b = [("head 0.0", &B[..])];
    let found = removed(&set, [&A, &B], [&of_a, &of_b], 5.0);
    let told: Vec<_> = found
        .iter()
        .map(|r| (r.side, r.name.as_str(), r.share.unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            (0, "head 0.0", 1.0),
            (0, "head 0.1", 0.5),
            (1, "head 0.0", 0.0)
        ]
    );
    // Without the first head nothing is left: what went has the error of the whole. Of the other model's
    // head every target keeps its Δ: paired there is no error, unpaired there would be.
    let all = whole(&targets(&set, [&A, &B], 5.0), set.periods.len());
    assert_eq!((found[0].removed, found[0].se), (all.mean, all.se));
    assert!((found[1].se - all.se / 2.0).abs() < 1e-9 && all.se > 0.0);
    assert_eq!((found[2].removed, found[2].se), (0.0, 0.0));
}

#[test]
fn bins_hold_every_target() {
    let all = targets(&set(), [&A, &B], 5.0);
    let (from, bins) = histogram(&all, 1.0);
    // From −3 to 5; −1 in the third bin; five zeros of all kinds.
    assert_eq!((from, bins.len()), (-3.5, 9));
    assert_eq!(
        (bins[0], bins[2], bins[3]),
        ([1, 0, 0], [0, 1, 0], [1, 3, 1])
    );
    assert_eq!(bins.iter().flatten().sum::<usize>(), 10);
    assert_eq!(histogram(&[], 1.0), (0.0, Vec::new()));
}

#[test]
fn positions_together_are_the_whole() {
    let set = set();
    let all = targets(&set, [&A, &B], 5.0);
    let [x, mean, se] = by_position(&all, &set);
    assert_eq!(x, [1.0, 2.0, 3.0, 4.0, 5.0]);
    // Two sequences, a target at each position in both.
    let sum: f64 = mean.iter().map(|m| 2.0 * m).sum();
    assert_eq!(sum, whole(&all, 2).sum);
    let at = |p: usize| -> Vec<f64> {
        let of = all.iter().filter(|t| t.position == p);
        of.map(|t| t.delta).collect()
    };
    for (i, p) in (1..=5).enumerate() {
        let [a, b] = at(p)[..] else {
            panic!("position {p}")
        };
        assert_eq!(mean[i], (a + b) / 2.0);
        assert!((se[i] - (a - b).abs() / 2.0).abs() < 1e-12);
    }
    // Planted: positions counted from 0 have none at the first.
    assert!(at(0).is_empty());
}
