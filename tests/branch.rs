//! Branches and zooms: a branch that changes nothing is its parent to the bit, one that changes
//! something is its parent up to its step, and what is taken over from a stored run has the bits of
//! what is computed again.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::app::link;
use lambdahat::engine::{Session, Source, branch, record};
use lambdahat::protocol::{EngineChoice, Phase};
use lambdahat::store;
use pollster::block_on;
use std::collections::BTreeMap;

const TMS: &str =
    "#/tms?replicas=3&n=60&steps=60&every=20&log=0&chains=2&burnin=3&draws=6&mbatch=10";
const REPEAT: &str = "#/induction?d_model=16&heads=2&vocab=12&ctx=12&pmin=3&pmax=5&batch=4&steps=12&every=6&log=0&chains=2&burnin=2&draws=4&mbatch=2&warmup=4";
const GROK: &str = "#/grok?p=7&embed=4&hidden=8&batch=8&mbatch=8&steps=40&every=20&log=0&chains=2&burnin=3&draws=6";
/// Each with a step of a checkpoint, and one of none.
const RUNS: [(&str, u64, u64); 3] = [(TMS, 20, 33), (REPEAT, 6, 5), (GROK, 20, 11)];

/// The twins for all, the shaders too for the transformer.
fn engines(text: &str) -> &'static [EngineChoice] {
    let both = &[EngineChoice::Cpu, EngineChoice::Gpu];
    if text == REPEAT { both } else { &both[..1] }
}

fn open(text: &str, engine: EngineChoice) -> Session {
    let link = link::parse(text);
    assert!(link.notices.is_empty(), "{text}: {:?}", link.notices);
    let (source, _) = block_on(Source::find(engine, true)).expect("an engine");
    block_on(branch::open(&source, &link)).unwrap()
}

fn finish(s: &mut Session) {
    while block_on(s.pump()).unwrap() {}
    assert_eq!((s.phase(), s.step()), (Phase::Done, s.steps()));
}

fn run(text: &str, engine: EngineChoice) -> Session {
    let mut s = open(text, engine);
    s.begin().unwrap();
    finish(&mut s);
    s
}

type Bits = BTreeMap<(String, u64), Vec<u64>>;

/// Every number a run has shown by name and step, as bits.
fn bits(s: &Session) -> Bits {
    let mut all = Bits::new();
    for (id, c) in &s.history.series {
        for (x, y) in c.x.iter().zip(&c.y) {
            all.insert((id.clone(), *x as u64), vec![y.to_bits()]);
        }
    }
    for p in &s.history.llc {
        let values = [p.value, p.se, p.distance].map(f64::to_bits);
        all.insert(("llc".into(), p.step), values.to_vec());
    }
    let words = |w: &[f32]| w.iter().map(|w| u64::from(w.to_bits())).collect();
    for c in &s.history.checkpoints {
        all.insert(("weights".into(), c.step), words(&c.weights));
    }
    for (step, row) in s.history.pca.rows() {
        all.insert(("pca".into(), step), words(&row));
    }
    all
}

fn of(all: &Bits, steps: impl Fn(u64) -> bool) -> Bits {
    let kept = all.iter().filter(|((_, step), _)| steps(*step));
    kept.map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// The run of a link that begins where `old` can be taken over, and the step that was.
fn grafted(text: &str, old: Session, was: &str, engine: EngineChoice) -> (Session, u64) {
    let mut s = open(text, engine);
    let links = [text, was].map(link::parse);
    assert!(
        branch::graft(&mut s, &links[0], old, &links[1]).unwrap(),
        "{text}"
    );
    let step = s.step();
    finish(&mut s);
    (s, step)
}

#[test]
fn a_branch_that_changes_nothing_is_its_parent() {
    for (text, from, between) in RUNS {
        for engine in engines(text).iter().copied() {
            let parent = bits(&run(text, engine));
            assert_eq!(
                bits(&run(&format!("{text}&from={from}"), engine)),
                parent,
                "{text}"
            );
            // Between two checkpoints it only adds one.
            let weights = |all: Bits, but: u64| {
                let mut all = all;
                all.retain(|(id, step), _| id == "weights" && *step != but);
                all
            };
            let other = bits(&run(&format!("{text}&from={between}"), engine));
            assert!(other.contains_key(&("weights".into(), between)));
            assert_eq!(weights(other, between), weights(parent, between), "{text}");
        }
    }
}

#[test]
fn a_branch_is_its_parent_up_to_its_step_and_another_run_behind_it() {
    for (text, from, _) in RUNS {
        for engine in engines(text).iter().copied() {
            let (parent, branched) = (
                bits(&run(text, engine)),
                bits(&run(&format!("{text}&from={from}&then.lr=0.001"), engine)),
            );
            let before = |all: &Bits| of(all, |s| s <= from);
            assert_eq!(before(&parent), before(&branched), "{text}");
            let weights = |all: &Bits| of(all, |s| s > from).remove(&("weights".into(), 2 * from));
            assert!(weights(&parent).is_some());
            assert_ne!(weights(&parent), weights(&branched), "{text}");
        }
    }
}

#[test]
fn a_stored_start_is_a_replayed_one() {
    for (text, from, _) in RUNS {
        for engine in engines(text).iter().copied() {
            let changes = [
                "then.lr=0.001",
                "then.eps=1e-6",
                "then.batch=3&then.steps=50",
                "then.every=7",
            ];
            // The shaders are compared where a change can be seen in what they do.
            let few = if engine == EngineChoice::Gpu { 1 } else { 4 };
            for change in changes.into_iter().take(few) {
                let link = format!("{text}&from={from}&{change}");
                let (taken, step) = grafted(&link, run(text, engine), text, engine);
                assert_eq!(step, from, "{link}");
                assert_eq!(bits(&taken), bits(&run(&link, engine)), "{link}");
            }
            if engine == EngineChoice::Gpu {
                continue;
            }
            // Another branch at the same step takes the common part over as well.
            let one = format!("{text}&from={from}&then.lr=0.001");
            let two = format!("{text}&from={from}&then.lr=0.002");
            let (taken, step) = grafted(&two, run(&one, engine), &one, engine);
            assert_eq!(
                (step, bits(&taken)),
                (from, bits(&run(&two, engine))),
                "{two}"
            );
        }
    }
}

/// Planted: without the state of the optimiser the bits are others, so the checks above see it.
#[test]
fn the_state_of_the_optimiser_matters() {
    let link = format!("{REPEAT}&from=6");
    let mut forgetful = run(REPEAT, EngineChoice::Cpu);
    for c in &mut forgetful.history.checkpoints {
        c.state = c.state.iter().map(|s| vec![0.0; s.len()].into()).collect();
    }
    let (taken, _) = grafted(&link, forgetful, REPEAT, EngineChoice::Cpu);
    assert_ne!(bits(&taken), bits(&run(&link, EngineChoice::Cpu)));
}

#[test]
fn a_run_of_another_model_is_not_taken_over() {
    for (mine, other) in [
        (
            format!("{REPEAT}&from=6&then.lr=0.001"),
            format!("{REPEAT}&seed=2"),
        ),
        (
            format!("{REPEAT}&from=6&then.lr=0.001"),
            format!("{REPEAT}&lr=0.002"),
        ),
        (format!("{TMS}&from=20"), REPEAT.to_string()),
    ] {
        let mut s = open(&mine, EngineChoice::Cpu);
        let old = run(&other, EngineChoice::Cpu);
        let links = [&mine, &other].map(|t| link::parse(t));
        assert!(
            !branch::graft(&mut s, &links[0], old, &links[1]).unwrap(),
            "{mine} {other}"
        );
    }
}

#[test]
fn other_data_are_named_and_logit_pca_begins_anew() {
    let link = format!("{REPEAT}&from=6&then.pmax=7&then.pmin=4");
    let s = run(&link, EngineChoice::Cpu);
    assert!(
        s.notices
            .iter()
            .any(|n| n.text.contains("logit-PCA begins there"))
    );
    assert!(s.history.pca.rows().all(|(step, _)| step > 6));
    let (taken, step) = grafted(
        &link,
        run(REPEAT, EngineChoice::Cpu),
        REPEAT,
        EngineChoice::Cpu,
    );
    assert_eq!((step, bits(&taken)), (6, bits(&s)));
}

#[test]
fn a_kept_branch_goes_on_from_either_side_of_its_step() {
    for (text, from, _) in RUNS {
        let link = format!("{text}&from={from}&then.lr=0.001&then.every=4");
        let whole = bits(&run(&link, EngineChoice::Cpu));
        for upto in [0, from, from + 1] {
            let mut s = open(&link, EngineChoice::Cpu);
            s.begin().unwrap();
            while s.history.checkpoints.last().is_none_or(|c| c.step < upto) {
                block_on(s.pump()).unwrap();
            }
            let kept = store::encode(&record::capture(&s, &link).unwrap(), 1).unwrap();
            let mut again = open(&link, EngineChoice::Cpu);
            record::restore(&mut again, &store::decode(&kept).unwrap().1).unwrap();
            finish(&mut again);
            assert_eq!(bits(&again), whole, "{link} from {upto}");
        }
    }
}

#[test]
fn a_zoom_is_the_same_run_on_a_finer_grid() {
    for (text, from, _) in RUNS {
        for engine in engines(text).iter().copied() {
            let coarse = run(text, engine);
            let link = format!("{text}&zoom={}-{}:4", from + 1, 2 * from - 1);
            let fine = bits(&run(&link, engine));
            // The mean since the last point is over fewer steps where there are more.
            let same = |((id, _), _): &(&(String, u64), &Vec<u64>)| id != "loss.train";
            for (key, value) in bits(&coarse).iter().filter(same) {
                assert_eq!(Some(value), fine.get(key), "{link} {key:?}");
            }
            let points = |all: &Bits| all.keys().filter(|k| k.0 == "llc").count();
            assert_eq!(points(&fine), points(&bits(&coarse)) + 4);
            let whole = bits(&coarse);
            let (taken, step) = grafted(&link, coarse, text, engine);
            assert_eq!((step, bits(&taken)), (from, fine), "{link}");
            // And back: what only the zoom has is not taken over.
            let (back, step) = grafted(text, taken, &link, engine);
            assert_eq!((step, bits(&back)), (from, whole), "{link}");
        }
    }
}

/// Puts a mark into the last points of a run, such as only what is taken over can show.
fn marked(mut run: Session) -> Session {
    for s in run.history.series.values_mut() {
        if let Some(y) = s.y.last_mut() {
            *y = 1234.5;
        }
    }
    run
}

fn is_marked(s: &Session) -> bool {
    let mut ends = s.history.series.values().filter_map(|s| s.y.last());
    ends.any(|y| *y == 1234.5)
}

#[test]
fn behind_its_window_a_zoom_goes_on_as_what_is_there() {
    let longer = REPEAT.replace("steps=12", "steps=24");
    let several = format!("{longer}&replicas=2&member=1");
    let grok = GROK.replace("steps=40", "steps=80");
    let (cpu, gpu) = (EngineChoice::Cpu, EngineChoice::Gpu);
    for (text, zoom, engine, between) in [
        (TMS, "21-39:4", cpu, 40),
        (TMS, "2-19:3", cpu, 40),
        (&longer, "7-11:3", cpu, 12),
        (&several, "7-11:3", cpu, 12),
        (&longer, "7-11:3", gpu, 12),
        (&grok, "21-39:4", cpu, 40),
    ] {
        let link = format!("{text}&zoom={zoom}");
        let begun = |link: &str, was: &str, old: Session| {
            let mut s = open(link, engine);
            let links = [link, was].map(link::parse);
            if !branch::graft(&mut s, &links[0], old, &links[1]).unwrap() {
                s.begin().unwrap();
            }
            finish(&mut s);
            s
        };
        let whole = run(text, engine);
        let plain = bits(&whole);
        let fine = begun(&link, text, whole);
        assert_eq!(bits(&fine), bits(&run(&link, engine)), "{link}");
        assert_eq!(bits(&begun(text, &link, fine)), plain, "{link} and back");
        // It was not computed again, ...
        assert!(
            is_marked(&begun(&link, text, marked(run(text, engine)))),
            "{link}"
        );
        if engine == gpu {
            continue;
        }
        // ... planted: but what another link has there is not taken for its own.
        for change in [
            &format!("from={between}&then.lr=0.002"),
            "eps=1e-5",
            "lr=0.002",
        ] {
            let other = format!("{link}&{change}");
            let taken = begun(&other, text, marked(run(text, engine)));
            assert!(!is_marked(&taken), "{other}");
            assert_eq!(bits(&taken), bits(&run(&other, engine)), "{other}");
        }
    }
}
