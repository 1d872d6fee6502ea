//! Stored checkpoints looked at: the same figures during a run, after it and after a reload, and a
//! run that was looked at has the bits of one that was not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::engine::Session;
use lambdahat::engine::host::Host;
use lambdahat::exec::{Exec, cpu::CpuExec};
use lambdahat::protocol::{Command, Event, Figure, Phase, RunId};
use lambdahat::store::native::NativeStore;
use pollster::block_on;
use safetensors::SafeTensors;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

const LINK: &str = "#/induction?layers=1&d_model=16&heads=2&vocab=16&ctx=16&pmin=4&pmax=7&batch=2&steps=12&every=3&log=0&chains=1&burnin=1&draws=2&mbatch=1";
const RUN: RunId = RunId(1);

/// A host that has begun the link on the CPU engine.
fn begun(link: &str, keeper: Option<NativeStore>, resume: bool) -> Host {
    let mut host = Host::new(keeper, Rc::default());
    let link = link.to_string();
    block_on(host.command(Command::Start {
        run: RUN,
        link,
        resume,
        paused: false,
    }));
    host
}

/// What a page has seen: the bits of its curves and of λ̂, the figures it asked for, the last one
/// that came unasked.
#[derive(Default)]
struct Seen {
    bits: BTreeMap<String, Vec<u64>>,
    looks: BTreeMap<u64, Option<Figure>>,
    live: Option<Figure>,
}

/// Pumps until the run is over or paused, for `most` portions at most; asks for each of `steps` at
/// every portion.
fn pump(host: &mut Host, most: usize, steps: &[u64]) -> Seen {
    let mut seen = Seen::default();
    let mut over = false;
    for _ in 0..most {
        for &step in steps {
            block_on(host.command(Command::Look(RUN, step)));
        }
        let busy = block_on(host.pump());
        for event in host.take_events() {
            match event {
                Event::Look { step, figure, .. } => {
                    seen.looks.insert(step, figure);
                }
                Event::Frame(frame) => {
                    for d in frame.series {
                        let curve = seen.bits.entry(d.id).or_default();
                        curve.truncate(d.from);
                        curve.extend(d.y.iter().map(|y| y.to_bits()));
                    }
                    if let Some(points) = frame.llc {
                        let bits = points.iter().map(|p| p.value.to_bits()).collect();
                        seen.bits.insert("llc".into(), bits);
                    }
                    seen.live = frame.figure.or(seen.live);
                    over = matches!(frame.phase, Phase::Done | Phase::Paused);
                    block_on(host.command(Command::Ack(RUN)));
                }
                Event::Fault { fault, .. } => panic!("{fault:?}"),
                _ => {}
            }
        }
        if over && !busy {
            break;
        }
    }
    seen
}

fn folder(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("lambdahat-{name}-{}", std::process::id()))
}

/// Stops a run in the middle, where its record is kept.
fn interrupted(folder: &Path) {
    let mut host = begun(LINK, Some(NativeStore::open(folder).unwrap()), false);
    block_on(host.command(Command::Pause(RUN)));
    for _ in 0..8 {
        block_on(host.command(Command::Step(RUN)));
        pump(&mut host, 100, &[]);
    }
}

#[test]
fn a_run_that_is_looked_at_has_the_same_bits() {
    let all = [0, 3, 6, 9, 12];
    let calm = pump(&mut begun(LINK, None, false), 10_000, &[]);
    assert!(calm.bits["llc"].len() == 5 && calm.looks.is_empty());
    let watched = pump(&mut begun(LINK, None, false), 10_000, &all);
    assert_eq!(watched.bits, calm.bits);
    // The last checkpoint is the figure that came by itself; others are others.
    let figure = |seen: &Seen, step| seen.looks[&step].clone().unwrap();
    assert_eq!(Some(figure(&watched, 12)), calm.live);
    assert_ne!(figure(&watched, 0), figure(&watched, 12));

    // After a reload the evaluations are done anew, between the steps that are left to do.
    let place = folder("look");
    interrupted(&place);
    let kept = NativeStore::open(&place).unwrap();
    let at = kept.stored().unwrap().step;
    assert!(
        (3..12).contains(&at),
        "kept at {at}: no checkpoint to look at, or none to come"
    );
    let mut host = begun(LINK, Some(kept), true);
    let after = pump(&mut host, 10_000, &all);
    std::fs::remove_dir_all(place).unwrap();
    assert_eq!(after.bits, calm.bits);
    for step in all {
        assert_eq!(figure(&after, step), figure(&watched, step), "{step}");
    }
    // The comparison can fail.
    let other = pump(
        &mut begun(&format!("{LINK}&seed=2"), None, false),
        10_000,
        &all,
    );
    assert_ne!(other.bits, calm.bits);
    assert_ne!(figure(&other, 6), figure(&watched, 6));
}

#[test]
fn a_step_without_a_checkpoint_has_no_figure() {
    let seen = pump(&mut begun(LINK, None, false), 10_000, &[5]);
    assert_eq!(seen.looks[&5], None);
}

#[test]
fn a_checkpoint_is_handed_out_under_the_names_of_its_tensors() {
    let link = lambdahat::app::link::parse(LINK);
    let parts = lambdahat::experiments::build(link.experiment, &link.knobs).unwrap();
    let exec = Exec::Cpu(Box::new(CpuExec::new(&parts.plan)));
    let mut session = Session::new(parts, exec);
    session.begin().unwrap();
    while block_on(session.pump()).unwrap() {}
    let bytes = session.file(12, "#/x").unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let last = session.history.checkpoints.last().unwrap();
    for tensor in &session.parts.arena.tensors {
        let found = file.tensor(&tensor.name).unwrap();
        assert_eq!(found.shape(), tensor.shape);
        let own = last.weights[tensor.range()].iter();
        assert_eq!(
            found.data(),
            own.flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>()
        );
        let moment = file.tensor(&format!("adamw.m/{}", tensor.name)).unwrap();
        let own = session.history.checkpoints.last().unwrap().state[0][tensor.range()].iter();
        assert_eq!(
            moment.data(),
            own.flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>()
        );
    }
    assert!(file.tensor("blocks.0.attn.W_Q").is_ok());
    // Another checkpoint has other weights and another state; where that is no longer kept, none.
    let bytes = session.file(6, "#/x").unwrap();
    let early = SafeTensors::deserialize(&bytes).unwrap();
    for name in ["adamw.m/embed.W_E", "embed.W_E"] {
        assert_ne!(early.tensor(name).unwrap(), file.tensor(name).unwrap());
    }
    let all = &mut session.history.checkpoints;
    all.iter_mut().for_each(|c| c.state.clear());
    let bytes = session.file(6, "#/x").unwrap();
    let bare = SafeTensors::deserialize(&bytes).unwrap();
    assert!(bare.tensor("adamw.m/embed.W_E").is_err() && bare.tensor("embed.W_E").is_ok());
    assert_eq!(session.file(5, "#/x"), None);
}
