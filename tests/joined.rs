//! The run on the screen and stored ones in one plane of logit-PCA.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::app::link;
use lambdahat::engine::host::Host;
use lambdahat::engine::{Session, Source, branch};
use lambdahat::instruments::pca::joint;
use lambdahat::protocol::{Ask, Command, EngineChoice, Event, Phase, Plane, RunId, Stored, Told};
use lambdahat::store::native::NativeStore;
use pollster::block_on;
use std::path::Path;
use std::rc::Rc;

const LINK: &str = "#/induction?v=1&d_model=16&heads=2&vocab=16&ctx=16&pmin=4&pmax=7&batch=4&steps=40&every=10&log=0&chains=0";

/// A page that was just opened, with what the folder holds.
fn visit(folder: &Path) -> Host {
    let mut host = Host::new(Some(NativeStore::open(folder).unwrap()), Rc::default());
    let (engine, secure) = (EngineChoice::Cpu, true);
    block_on(host.command(Command::Hello { engine, secure }));
    host
}

/// What the page was told: the shelf, what logit-PCA looks at, the plane.
#[derive(Default)]
struct Seen {
    shelf: Vec<Stored>,
    looked: u32,
    plane: Option<Plane>,
}

fn idle(host: &mut Host) -> Seen {
    let mut seen = Seen::default();
    loop {
        let busy = block_on(host.pump());
        let events = host.take_events();
        for event in &events {
            match event {
                Event::Shelf(rows) => seen.shelf.clone_from(rows),
                Event::Frame(f) => {
                    block_on(host.command(Command::Ack(f.run)));
                    assert_ne!(f.phase, Phase::Failed);
                    if f.pca.is_some() {
                        seen.looked = f.looked;
                    }
                }
                Event::Told(_, told) => {
                    if let Told::Stored(plane) = &**told {
                        seen.plane = Some(plane.clone());
                    }
                }
                _ => {}
            }
        }
        if !busy && events.is_empty() {
            return seen;
        }
    }
}

fn run(host: &mut Host, link: &str, resume: bool) -> Seen {
    let (run, link, paused) = (RunId(1), link.to_string(), false);
    block_on(host.command(Command::Start {
        run,
        link,
        resume,
        paused,
    }));
    idle(host)
}

fn asked(host: &mut Host) -> Plane {
    block_on(host.command(Command::Ask(RunId(1), Ask::Stored)));
    idle(host).plane.unwrap()
}

/// The link's run by itself.
fn session(text: &str) -> Session {
    let (source, _) = block_on(Source::find(EngineChoice::Cpu, true)).unwrap();
    let mut s = block_on(branch::open(&source, &link::parse(text))).unwrap();
    s.begin().unwrap();
    while block_on(s.pump()).unwrap() {}
    s
}

#[test]
fn stored_runs_that_looked_at_the_same_are_in_one_plane() {
    let folder = std::env::temp_dir().join(format!("lambdahat-joined-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let mut host = visit(&folder);
    let one = format!("{LINK}&seed=5&layers=1");
    let longer = format!("{LINK}&seed=5").replace("steps=40", "steps=60");
    let mut looked = Vec::new();
    for link in [&one, &format!("{LINK}&seed=6"), &longer] {
        looked.push(run(&mut host, link, false).looked);
    }
    let own = format!("{LINK}&seed=5");
    let seen = run(&mut host, &own, false);
    assert_eq!([looked[0], looked[2]], [seen.looked; 2]);
    assert!(looked[0] != 0 && looked[1] != looked[0]);
    // What is listed says so too, and the run of another seed is there, but not in the plane.
    let stored: Vec<u32> = seen.shelf.iter().map(|r| r.looked).collect();
    assert!(looked.iter().all(|l| stored.contains(l)), "{stored:?}");
    let plane = asked(&mut host);
    assert_eq!(plane.names, ["this run", "steps=60", "layers=1"]);
    let rows = [&own, &longer, &one].map(|link| session(link).history.pca.rows().collect());
    let names = plane.names.clone();
    let whole = joint::of_rows(&rows);
    assert_eq!(plane, Plane { names, ..whole });
    assert_eq!([0, 1, 2].map(|m| plane.at(m).len()), [5, 7, 5]);
    // The longer run is the same as far as this one goes; planted: that of one layer is not.
    let off = |m: usize| {
        let both = plane.members[0].iter().zip(&plane.members[m]);
        both.map(|(a, b)| (a[0] - b[0]).abs()).fold(0.0, f64::max)
    };
    assert!(off(1) < 1e-9 && off(2) > 1e-3, "{} {}", off(1), off(2));
    // It is there after a reload, and a run that nothing fits is alone.
    let mut again = visit(&folder);
    let back = run(&mut again, &own, true).plane.unwrap();
    assert_eq!((back.steps, back.names), (plane.steps, plane.names));
    let pairs = back
        .members
        .iter()
        .flatten()
        .zip(plane.members.iter().flatten());
    // But for the last digit, which a JSON reader outside a browser may round.
    assert!(
        pairs
            .flat_map(|(a, b)| a.iter().zip(b))
            .all(|(a, b)| (a - b).abs() < 1e-12)
    );
    run(&mut again, &format!("{LINK}&seed=7"), false);
    let alone = asked(&mut again);
    assert_eq!((alone.members.len(), alone.names.len()), (1, 1));
    let _ = std::fs::remove_dir_all(&folder);
}
