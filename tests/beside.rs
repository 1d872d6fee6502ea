//! Runs in one plane: a branch and its parent, and what decides whether rows of logit-PCA can be joined.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::app::link;
use lambdahat::engine::{Session, Source, branch};
use lambdahat::instruments::pca::joint;
use lambdahat::protocol::{EngineChoice, Phase};
use pollster::block_on;

const TMS: &str =
    "#/tms?replicas=3&n=60&steps=60&every=20&log=0&chains=2&burnin=3&draws=6&mbatch=10";
const REPEAT: &str = "#/induction?d_model=16&heads=2&vocab=12&ctx=12&pmin=3&pmax=5&batch=4&steps=12&every=6&log=0&chains=2&burnin=2&draws=4&mbatch=2&warmup=4";
const GROK: &str = "#/grok?p=7&embed=4&hidden=8&batch=8&mbatch=8&steps=40&every=20&log=0&chains=2&burnin=3&draws=6";
/// Each with a step of a checkpoint.
const RUNS: [(&str, u64); 3] = [(TMS, 20), (REPEAT, 6), (GROK, 20)];

fn open(text: &str) -> Session {
    let (source, _) = block_on(Source::find(EngineChoice::Cpu, true)).unwrap();
    block_on(branch::open(&source, &link::parse(text))).unwrap()
}

fn finish(mut s: Session) -> Session {
    while block_on(s.pump()).unwrap() {}
    assert_eq!((s.phase(), s.step()), (Phase::Done, s.steps()));
    s
}

fn run(text: &str) -> Session {
    let mut s = open(text);
    s.begin().unwrap();
    finish(s)
}

/// The run of a link that begins where `old` can be taken over.
fn grafted(text: &str, old: Session, was: &str) -> Session {
    let mut s = open(text);
    let links = [text, was].map(link::parse);
    assert!(branch::graft(&mut s, &links[0], old, &links[1]).unwrap());
    finish(s)
}

/// The plane of a branch and its parent, from rows that are there: no evaluation is done for it.
#[test]
fn a_branch_and_its_parent_have_a_plane_in_common() {
    for (text, from) in RUNS {
        let link = format!("{text}&from={from}&then.lr=0.001");
        let parent = run(text);
        let theirs: Vec<_> = parent.history.pca.rows().collect();
        assert_eq!(parent.history.pca.beside(), None);
        let taken = grafted(&link, parent, text);
        let own: Vec<_> = taken.history.pca.rows().collect();
        // Up to the step the rows are the same bits, behind it they are not.
        let apart = |from: u64| {
            let same = |r: &&(u64, _)| theirs.contains(r);
            let all = own.iter().filter(move |r| r.0 <= from);
            (all.clone().count(), all.filter(same).count())
        };
        let (there, same) = apart(from);
        assert!(there >= 2 && there == same, "{text}");
        assert_eq!(apart(u64::MAX).1, same, "{text}");
        let both = taken.history.pca.beside().unwrap();
        assert_eq!(
            [0, 1].map(|m| both.members[m].len()),
            [theirs.len(), own.len()]
        );
        // The same as of all rows at once.
        let whole = joint::of_rows(&[theirs.clone(), own]);
        assert_eq!(
            (both.members, both.explained),
            (whole.members, whole.explained)
        );
        // Its own components are what they were.
        let alone = run(&link).history.pca;
        assert_eq!(
            (taken.history.pca.update(), alone.beside()),
            (alone.update(), None)
        );

        // Another branch has the same parent beside it, and the parent the branch.
        let other = format!("{text}&from={from}&then.lr=0.002");
        let second = grafted(&other, taken, &link);
        let of = |s: &Session| s.history.pca.beside().map(|b| b.at(0).to_vec());
        let at: Vec<f64> = theirs.iter().map(|r| r.0 as f64).collect();
        assert_eq!(of(&second), Some(at), "{text}");
        assert_ne!(
            second.history.pca.beside().unwrap().explained,
            both.explained
        );
        let theirs: Vec<f64> = second.history.pca.rows().map(|r| r.0 as f64).collect();
        let mut back = grafted(text, second, &other);
        assert_eq!(of(&back), Some(theirs), "{text}");
        // A zoom has nothing beside it, and a model that comes to be followed has other rows.
        if text == TMS {
            assert!(back.follow_replica(1));
            while block_on(back.pump()).unwrap() {}
            assert!(!back.history.pca.is_empty() && of(&back).is_none());
        } else {
            let zoom = format!("{text}&zoom={}-{}:4", from + 1, 2 * from - 1);
            assert_eq!(of(&grafted(&zoom, back, text)), None);
        }
    }
    // Planted: other held-out data, and what looks like a branch, of another run.
    let link = format!("{REPEAT}&from=6&then.pmax=7&then.pmin=4");
    let parent = run(REPEAT);
    let taken = grafted(&link, parent, REPEAT);
    assert!(!taken.history.pca.is_empty() && taken.history.pca.beside().is_none());
}

/// What decides whether rows can be joined: what was looked at, and nothing else of a run.
#[test]
fn rows_are_of_the_same_inputs_where_the_settings_of_the_data_are() {
    let looked = |text: &str| open(text).looked();
    for (text, same, other) in [
        (REPEAT, "layers=1&lr=0.01&smear=on&steps=20", "seed=2"),
        (REPEAT, "heads=1&chains=0&every=3&mbatch=3", "pmax=6"),
        (REPEAT, "wd=0.1", "batch=5"),
        (TMS, "seed=9&n=50&lr=0.001", "features=5"),
        (GROK, "seed=9&frac=0.5&wd=0.1", "p=11"),
    ] {
        let with = |change: &str| looked(&format!("{text}&{change}"));
        assert!(
            looked(text) != 0 && with(same) == looked(text),
            "{text} {same}"
        );
        assert_ne!(with(other), looked(text), "{text} {other}");
    }
    // A followed seed looks at what it would look at alone.
    let several = format!("{REPEAT}&replicas=3&member=2");
    assert_eq!(looked(&several), looked(&format!("{REPEAT}&seed=3")));
    assert_eq!(looked("#/truth"), 0);
}
