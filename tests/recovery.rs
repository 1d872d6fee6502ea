//! The host as the page drives it, without a browser: a device lost in the middle of a run is found
//! again, and the run ends with the bits of one that was never disturbed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::engine::host::Host;
use lambdahat::protocol::{Command, Drill, EngineChoice, Event, Fault, Phase, RunId};
use pollster::block_on;
use std::collections::BTreeMap;
use std::rc::Rc;

const LINK: &str =
    "#/tms?replicas=3&n=60&steps=90&every=15&log=0&chains=2&burnin=3&draws=6&mbatch=10";
const RUN: RunId = RunId(1);

/// What a page has seen by the end: curves and λ̂ as bits, and the faults it was told of.
type Seen = (BTreeMap<String, Vec<u64>>, Vec<Fault>);

/// Runs a link to its end; `lose` destroys the device once the page has seen that step.
fn play(link: &str, lose: Option<u64>) -> Seen {
    let mut host = Host::new(None, Rc::default());
    let engine = EngineChoice::Gpu;
    block_on(host.command(Command::Hello {
        engine,
        secure: true,
    }));
    let (link, resume, paused) = (link.to_string(), false, false);
    block_on(host.command(Command::Start {
        run: RUN,
        link,
        resume,
        paused,
    }));
    let (mut curves, mut faults) = (BTreeMap::<String, Vec<u64>>::new(), Vec::new());
    let mut lose = lose;
    for _ in 0..10_000 {
        block_on(host.pump());
        for event in host.take_events() {
            match event {
                Event::Fault { fault, .. } => faults.push(fault),
                Event::Frame(frame) => {
                    for d in frame.series {
                        let curve = curves.entry(d.id).or_default();
                        curve.truncate(d.from);
                        curve.extend(d.y.iter().map(|y| y.to_bits()));
                    }
                    if let Some(points) = frame.llc {
                        let bits = points.iter().map(|p| p.value.to_bits()).collect();
                        curves.insert("llc".into(), bits);
                    }
                    block_on(host.command(Command::Ack(RUN)));
                    if lose.is_some_and(|at| frame.step >= at) {
                        lose = None;
                        block_on(host.command(Command::Drill(RUN, Drill::LoseDevice)));
                    }
                    if frame.phase == Phase::Done {
                        return (curves, faults);
                    }
                }
                _ => {}
            }
        }
    }
    panic!("the run did not end; faults: {faults:?}");
}

#[test]
fn a_lost_device_cannot_be_seen_in_the_numbers() {
    let (calm, none) = play(LINK, None);
    assert!(none.is_empty() && calm["llc"].len() == 7, "{none:?}");
    let (stormy, faults) = play(LINK, Some(20));
    assert!(matches!(faults[..], [Fault::DeviceLost(_)]), "{faults:?}");
    assert_eq!(stormy, calm);
    // The comparison can fail: another seed is another run.
    assert_ne!(play(&format!("{LINK}&seed=2"), None).0, calm);
}
