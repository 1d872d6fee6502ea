//! Commitment: branches from stored checkpoints are the run with other data, and the one with the run's
//! own data is the run, to the bit.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::app::link;
use lambdahat::app::link::Link;
use lambdahat::engine::studying::begin;
use lambdahat::engine::{Session, Source, branch};
use lambdahat::protocol::{Cell, EngineChoice, Study, StudyKind, StudySpec};
use pollster::block_on;

const TMS: &str =
    "#/tms?replicas=3&member=2&n=60&steps=60&every=20&log=0&chains=2&burnin=3&draws=6&mbatch=10";
const REPEAT: &str = "#/induction?d_model=16&heads=2&vocab=12&ctx=12&pmin=3&pmax=5&batch=4&steps=12&every=6&log=0&chains=0&warmup=4";

fn ended(text: &str, engine: EngineChoice) -> (Session, Source, Link) {
    let link = link::parse(text);
    assert!(link.notices.is_empty(), "{text}: {:?}", link.notices);
    let (source, _) = block_on(Source::find(engine, true)).unwrap();
    let mut session = block_on(branch::open(&source, &link)).unwrap();
    session.begin().unwrap();
    while block_on(session.pump()).unwrap() {}
    (session, source, link)
}

fn spec(steps: &[u64], branches: u32) -> StudySpec {
    let cell = |&step: &u64| Cell {
        step,
        ..Cell::default()
    };
    StudySpec {
        kind: StudyKind::Commitment,
        cells: steps.iter().map(cell).collect(),
        chains: branches,
        ..StudySpec::default()
    }
}

/// The study, and the weights that the branches of its last checkpoint came to, one after the other.
fn branched(
    (session, source, link): &mut (Session, Source, Link),
    steps: &[u64],
) -> (Study, Vec<Vec<f32>>) {
    let mut study = block_on(begin(source, link.clone(), spec(steps, 3))).unwrap();
    // It takes its turns as it does in the page; here its engine is looked at in the end.
    let mut turns = 0;
    while !study.view.over {
        block_on(study.pump(&session.history, session.follow())).unwrap();
        turns += 1;
        assert!(turns < 1000);
    }
    let n = session.parts.arena.len();
    let all = study.engine().history.checkpoints.last().unwrap();
    let weights = all.weights.chunks_exact(n).map(<[f32]>::to_vec).collect();
    (study.view, weights)
}

fn bits(w: &[f32]) -> Vec<u32> {
    w.iter().map(|w| w.to_bits()).collect()
}

#[test]
fn with_its_own_data_a_branch_is_the_run_and_with_other_data_it_is_not() {
    let both = [EngineChoice::Cpu, EngineChoice::Gpu];
    for (text, engines, steps) in [
        (TMS, &both[..1], [0, 20, 40]),
        (REPEAT, &both[..], [0, 6, 6]),
    ] {
        for &engine in engines {
            for step in steps {
                let mut run = ended(text, engine);
                let (follow, n) = (run.0.follow(), run.0.parts.arena.len());
                let third = run.0.steps() / 3;
                let (view, all) = branched(&mut run, &[step]);
                assert_eq!((all.len(), view.done.len(), view.told.len()), (4, 1, 1));
                let last = run.0.history.checkpoints.last().unwrap();
                let own = bits(&last.weights[follow * n..(follow + 1) * n]);
                assert_eq!(bits(&all[0]), own, "{text} {engine:?} from {step}");
                // Planted: other data make another model.
                for other in &all[1..] {
                    assert_ne!(bits(other), own, "{text} {engine:?} from {step}");
                }
                // A branch of one checkpoint does not notice that another came before it.
                let (_, again) = branched(&mut run, &[third, step]);
                assert_eq!(again, all, "{text} {engine:?} from {step}");
            }
        }
    }
}

#[test]
fn it_is_told_how_far_the_branches_of_a_checkpoint_are() {
    let (session, source, link) = ended(TMS, EngineChoice::Cpu);
    let mut study = block_on(begin(&source, link, spec(&[0, 40], 3))).unwrap();
    let mut within = 0;
    while !study.view.over {
        let (before, cells) = (study.view.share, study.view.done.len());
        block_on(study.pump(&session.history, session.follow())).unwrap();
        let after = study.view.share;
        assert!(after >= before, "{before} {after}");
        let under_way = cells == study.view.done.len() && after > before;
        within += usize::from(under_way);
        assert!(!under_way || study.view.left_s.is_some_and(|s| s.is_finite()));
        // The first cell has 60 steps of 80.
        assert!(cells > 0 || after <= 0.75, "{after}");
    }
    assert!(within > 0, "cells were told at their end alone");
    assert_eq!(study.view.share, 1.0);
}

#[test]
fn where_nothing_is_left_to_train_all_end_alike() {
    for text in [TMS, REPEAT] {
        let mut run = ended(text, EngineChoice::Cpu);
        let end = run.0.steps();
        let (view, all) = branched(&mut run, &[0, end]);
        let last = &view.done[1];
        assert_eq!(
            (last.cell, last.value, last.failed_chains),
            (1, Some(1.0), 0)
        );
        assert!(all.iter().all(|w| *w == all[0]), "{text}");
        assert!(view.told[1].contains("3 × "), "{}", view.told[1]);
    }
}

/// From random weights the polygon that comes depends on the data; it is counted, not assumed.
#[test]
fn ends_that_differ_are_told_apart() {
    let text = "#/tms?start=random&features=8&sigma=0.5&replicas=1&n=400&steps=1500&every=750&log=0&chains=0&lr=0.05&seed=3";
    let mut run = ended(text, EngineChoice::Cpu);
    let (view, _) = branched(&mut run, &[0, 1500]);
    let shares: Vec<f64> = view.done.iter().map(|d| d.value.unwrap()).collect();
    println!("{:?}", view.told);
    assert!(shares[0] < 1.0, "{:?}", view.told);
    assert_eq!(shares[1], 1.0);
}

#[test]
fn a_checkpoint_that_is_gone_stays_empty() {
    let mut run = ended(TMS, EngineChoice::Cpu);
    let (source, link) = (&run.1, run.2.clone());
    let study = block_on(begin(source, link, spec(&[7, 60], 2))).unwrap();
    run.0.begin_study(study);
    while block_on(run.0.pump()).unwrap() {}
    let view = run.0.study().unwrap();
    assert!(view.over);
    let values: Vec<Option<f64>> = view.done.iter().map(|d| d.value).collect();
    assert_eq!(values, [None, Some(1.0)]);
}
