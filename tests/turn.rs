//! A head turned along its flat directions: the weights go far, the loss stays, and the run does not
//! notice.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::engine::host::Host;
use lambdahat::protocol::{Command, Event, Gauge, Gauged, Phase, RunId};
use pollster::block_on;
use std::collections::BTreeMap;
use std::rc::Rc;

const LINK: &str = "#/induction?layers=2&d_model=16&heads=2&vocab=16&ctx=16&pmin=4&pmax=7&batch=4&steps=40&every=20&log=0&lr=0.02&warmup=0&chains=0";
const RUN: RunId = RunId(1);

/// Runs a link to its end on the CPU engine, asking for these turns at every portion: the bits of its
/// curves, and what was found last of each turn.
fn run(link: &str, turns: &[Gauge]) -> (BTreeMap<String, Vec<u64>>, Vec<Gauged>) {
    let mut host = Host::new(None, Rc::default());
    let start = Command::Start {
        run: RUN,
        link: link.to_string(),
        resume: false,
        paused: false,
    };
    block_on(host.command(start));
    let (mut bits, mut found) = (BTreeMap::new(), vec![Gauged::default(); turns.len()]);
    let mut after = 0;
    for round in 0..10_000 {
        // Now and then, so that the run goes on between them.
        let next = turns.get(round / 3 % turns.len().max(1));
        if let Some(turn) = next.filter(|_| round % 3 == 0) {
            block_on(host.command(Command::Gauge(RUN, *turn)));
        }
        block_on(host.pump());
        for event in host.take_events() {
            match event {
                Event::Gauged(_, t) => {
                    let of = turns.iter().position(|asked| *asked == t.of).unwrap();
                    found[of] = t;
                }
                Event::Frame(frame) => {
                    for d in frame.series {
                        let curve: &mut Vec<u64> = bits.entry(d.id).or_default();
                        curve.truncate(d.from);
                        curve.extend(d.y.iter().map(|y| y.to_bits()));
                    }
                    after += usize::from(frame.phase == Phase::Done);
                    block_on(host.command(Command::Ack(RUN)));
                }
                Event::Fault { fault, .. } => panic!("{fault:?}"),
                _ => {}
            }
        }
        // Once more round all turns when the run is over.
        after += usize::from(after > 0);
        if after > 3 + 6 * turns.len() {
            break;
        }
    }
    (bits, found)
}

/// What is wrong with a turn: the head hardly moved, or the loss or a logit did.
fn fault(t: &Gauged) -> Option<&'static str> {
    if t.distance < 0.3 {
        return Some("it did not move");
    }
    if (t.turned - t.loss).abs() > 2e-5 {
        return Some("the loss moved");
    }
    if t.logit > 2e-4 {
        return Some("a logit moved");
    }
    None
}

#[test]
fn a_turned_head_keeps_its_loss_and_the_run_its_bits() {
    let turn = |step, layer, head, amount| Gauge {
        step,
        layer,
        head,
        values: head == 0,
        amount,
    };
    let turns = [
        turn(40, 0, 1, 0.8),
        turn(20, 1, 0, -1.2),
        turn(40, 1, 1, 0.0),
    ];
    let (calm, _) = run(LINK, &[]);
    let (bits, found) = run(LINK, &turns);
    assert_eq!(bits, calm);
    let last = |id: &str| f64::from_bits(*calm[id].last().unwrap());
    for t in &found[..2] {
        assert_eq!(fault(t), None, "{t:?}");
        // As far away at random the loss is another: that is what flat means.
        assert!((t.random - t.loss).abs() > 1e-2, "{t:?}");
        assert!(
            fault(&Gauged {
                turned: t.random,
                ..*t
            })
            .is_some()
        );
    }
    assert_eq!(found[0].loss, last("loss"));
    assert_ne!(found[1].loss, found[0].loss);
    // Not turned, nothing moves at all.
    let still = found[2];
    assert_eq!((still.turned, still.random), (still.loss, still.loss));
    assert_eq!(fault(&still), Some("it did not move"));
}

/// Rotary positions stand between queries and keys: what is turned there goes with them.
#[test]
fn a_turned_head_keeps_its_outputs_with_rotary_positions() {
    let turn = |head, values, amount| Gauge {
        step: 40,
        layer: 1,
        head,
        values,
        amount,
    };
    let turns = [
        turn(0, false, 1.4),
        turn(1, false, -2.0),
        turn(0, true, 1.0),
    ];
    let (_, found) = run(&format!("{LINK}&positions=rotary"), &turns);
    for t in &found {
        assert_eq!(fault(t), None, "{t:?}");
        assert!(t.random_logit > 1e-2, "{t:?}");
        // Planted: the logits of the random direction.
        let planted = Gauged {
            logit: t.random_logit,
            ..*t
        };
        assert_eq!(fault(&planted), Some("a logit moved"));
    }
}

/// The head that is turned is one of the model that is followed.
#[test]
fn a_turned_head_is_of_the_member_that_is_followed() {
    let turn = Gauge {
        step: 40,
        layer: 1,
        head: 0,
        values: true,
        amount: 0.8,
    };
    let of = |more: &str| run(&format!("{LINK}{more}"), &[turn]).1.remove(0);
    let (alone, member) = (of("&seed=9"), of("&seed=7&replicas=3&member=2"));
    assert_eq!(alone, member);
    assert_eq!(fault(&alone), None);
    // Planted: the first model's.
    assert_ne!(of("&seed=7&replicas=3"), member);
}
