//! Faults planted in cards and labs: every check of this test has been seen red.

use super::cards::card_faults;
use super::lab;
use super::parts::parts_faults;
use super::steps::{Bench, run_faults};
use lambdahat::experiments::{CARDS, Card, Of, Parts};
use lambdahat::knobs::{Knob, Knobs, Value};

#[test]
fn planted_faults_in_cards_are_seen() {
    for card in CARDS {
        let seen = |bad: Card, what: &str| {
            assert!(
                card_faults(&bad).iter().any(|f| f.contains(what)),
                "{}: {what}",
                card.id
            );
        };
        let with = |knobs: Vec<Knob>| Card {
            knobs: knobs.leak(),
            ..**card
        };
        let mut twice = card.knobs.to_vec();
        twice.push(twice[0]);
        seen(with(twice), "twice");
        let mut out = card.knobs.to_vec();
        let seed = out.iter().position(|k| k.key == "seed").unwrap();
        out[seed].default = Value::Int(-1);
        seen(with(out), "out of range");
        let mut dumb = card.knobs.to_vec();
        dumb[0].help = "";
        seen(with(dumb), "no sentence");
        seen(
            Card {
                light: Some("feather"),
                ..**card
            },
            "light preset",
        );
        seen(
            Card {
                id: "nowhere",
                ..**card
            },
            "a story of 0 words",
        );
        let noisy = |_: &mut Knobs| vec![lambdahat::protocol::Notice::new("no")];
        seen(
            Card {
                settle: noisy,
                ..**card
            },
            "preset",
        );
    }
}

#[test]
fn planted_faults_in_labs_are_seen() {
    for card in CARDS {
        let seen = |change: &dyn Fn(&mut Parts), what: &str| {
            let mut parts = lab(card);
            change(&mut parts);
            let faults = parts_faults(&parts);
            assert!(
                faults.iter().any(|f| f.contains(what)),
                "{}: {what} not in {faults:?}",
                card.id
            );
        };
        seen(&|p| p.train.slots += 1, "train: feed");
        seen(&|p| p.train.feed_len += 1, "rows × feed_len");
        seen(&|p| p.train.replicas.clear(), "replica table");
        seen(&|p| p.train.replicas[0].data_row = 99, "outside the feed");
        seen(&|p| p.params = p.train.stats, "params are not");
        seen(&|p| p.checkpoints.push(99), "is not evaluated");
        seen(&|p| p.evals.insert(0, 7), "do not rise");
        seen(&|p| p.follow = 99, "follows");
        seen(
            &|p| p.reads.push((p.params, 0..1 << 30)),
            "outside its buffer",
        );
        seen(
            &|p| p.chains.as_mut().unwrap().settings.chains += 1,
            "another length",
        );
        // An anchor that moves, and a chain that does not.
        let run = |meddle: &dyn Fn(&mut [lambdahat::kernels::Replica])| {
            run_faults(card, lab(card), meddle)
        };
        let moving = run(&|t| t.last_mut().unwrap().eps = 1e-4);
        assert!(
            moving.contains(&"the anchor moved".to_string()),
            "{moving:?}"
        );
        let still = run(&|t| t[0].eps = 0.0);
        assert!(
            still.contains(&"a chain stood still".to_string()),
            "{still:?}"
        );
        let mut nan = Bench::new(lab(card));
        nan.exec.floats_mut(nan.parts.params)[0] = f32::NAN;
        let train = nan.parts.train.clone();
        let stats: Vec<f32> = (0..40)
            .flat_map(|s| nan.step(&train, Of::Train, s))
            .collect();
        assert!(
            stats.iter().any(|x| x.is_nan()),
            "{}: a NaN weight went unnoticed",
            card.id
        );
    }
}
