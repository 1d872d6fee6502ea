//! Runs put aside: what one run's place is taken from is found again, opened with the same bits, and
//! serves a comparison after a reload without being trained again.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::engine::host::Host;
use lambdahat::protocol::{
    At, Command, EngineChoice, Event, Phase, RunId, Side, Stages, Stored, VersusSpec, VersusStage,
};
use lambdahat::store::native::NativeStore;
use pollster::block_on;
use std::path::{Path, PathBuf};
use std::rc::Rc;

const LINK: &str = "#/induction?v=1&d_model=16&heads=2&vocab=16&ctx=16&pmin=4&pmax=7&batch=4&steps=40&every=10&log=0&chains=0";

fn folder(name: &str) -> PathBuf {
    let folder =
        std::env::temp_dir().join(format!("lambdahat-shelf-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

/// A page that was just opened, with what the folder holds.
fn visit(folder: &Path) -> Host {
    let mut host = Host::new(Some(NativeStore::open(folder).unwrap()), Rc::default());
    let engine = EngineChoice::Cpu;
    block_on(host.command(Command::Hello {
        engine,
        secure: true,
    }));
    host
}

/// What the page was told of last.
#[derive(Default)]
struct Told {
    shelf: Vec<Stored>,
    loss: Vec<u64>,
    first: Option<u64>,
    said: String,
    trained: bool,
    versus: Option<VersusStage>,
    losses: Vec<f32>,
    stages: Stages,
    /// Bytes, checkpoints of how many, and those that can be trained on from.
    kept: (u64, [u64; 2], u64),
    whole: usize,
    /// Steps of checkpoints that are on the charts, without their weights.
    gone: Vec<u64>,
}

impl Told {
    fn take(&mut self, host: &mut Host) -> bool {
        let mut over = false;
        for event in host.take_events() {
            match event {
                Event::Shelf(rows) => self.shelf = rows,
                Event::Versus(view) => {
                    self.trained |= matches!(view.stage, VersusStage::Training { .. });
                    over |= matches!(view.stage, VersusStage::Done | VersusStage::Failed(_));
                    let found = view.found.iter().flat_map(|f| f.sides.iter());
                    self.losses = found.flat_map(|s| s.lp.iter().copied()).collect();
                    self.versus = Some(view.stage);
                }
                Event::Frame(frame) => {
                    if frame.phase != Phase::Preparing {
                        self.first.get_or_insert(frame.step);
                    }
                    frame.notices.iter().for_each(|n| self.said += &n.text);
                    self.whole = frame.whole;
                    if frame.pca.is_some() {
                        self.gone = frame.gone;
                    }
                    self.stages = frame.stages.unwrap_or(std::mem::take(&mut self.stages));
                    for d in frame.series.iter().filter(|d| d.id == "loss") {
                        self.loss.truncate(d.from);
                        self.loss.extend(d.y.iter().map(|y| y.to_bits()));
                    }
                    block_on(host.command(Command::Ack(frame.run)));
                    over |= frame.phase == Phase::Done;
                }
                Event::Kept {
                    bytes,
                    checkpoints,
                    whole,
                    ..
                } => self.kept = (bytes, checkpoints, whole),
                _ => {}
            }
        }
        over
    }
}

/// Runs a link to its end.
fn run(host: &mut Host, link: &str, resume: bool) -> Told {
    let (run, link, paused) = (RunId(1), link.to_string(), false);
    block_on(host.command(Command::Start {
        run,
        link,
        resume,
        paused,
    }));
    until(host)
}

fn until(host: &mut Host) -> Told {
    let mut told = Told::default();
    for _ in 0..20_000 {
        block_on(host.pump());
        if told.take(host) {
            // The last record is written once there is nothing else to do.
            while block_on(host.pump()) {}
            told.take(host);
            return told;
        }
    }
    panic!("it did not end");
}

fn seed(n: u32) -> String {
    format!("{LINK}&seed={n}")
}

#[test]
fn a_run_that_another_takes_the_place_of_is_put_aside_and_opened_again() {
    let folder = folder("open");
    let mut host = visit(&folder);
    let first = run(&mut host, &seed(1), false);
    let second = run(&mut host, &seed(2), false);
    let listed: Vec<&str> = second.shelf.iter().map(|r| r.link.as_str()).collect();
    assert_eq!(listed, [seed(1), seed(2)]);
    assert_ne!(first.loss, second.loss);
    drop(host);
    // After a reload both are there, and the one that was put aside opens as it was.
    let mut host = visit(&folder);
    let mut told = Told::default();
    told.take(&mut host);
    let rows = |t: &Told| -> Vec<(bool, u64, Vec<u64>)> {
        let row = |r: &Stored| (r.slot.is_none(), r.step, r.checkpoints.clone());
        t.shelf.iter().map(row).collect()
    };
    let steps = vec![0, 10, 20, 30, 40];
    assert_eq!(rows(&told), [(false, 40, steps.clone()), (true, 40, steps)]);
    assert!(
        told.shelf
            .iter()
            .all(|r| r.bytes > 1000 && r.at > 1_600_000_000_000)
    );
    let again = run(&mut host, &seed(1), true);
    assert_eq!(
        (again.first, again.said.as_str(), &again.loss),
        (Some(40), "", &first.loss)
    );
    // Opened, it is the one to go on from, and the other one is on the shelf; none is lost.
    assert_eq!(again.shelf.iter().filter(|r| r.link == seed(2)).count(), 1);
    // A reset puts aside; forgetting and discarding delete.
    block_on(host.command(Command::Reset(RunId(1))));
    let mut told = Told::default();
    told.take(&mut host);
    assert!(told.shelf.len() == 2 && told.shelf.iter().all(|r| r.slot.is_some()));
    for row in told.shelf.clone() {
        block_on(host.command(Command::Discard(row.slot.unwrap())));
    }
    told.take(&mut host);
    assert!(told.shelf.is_empty() && visit_rows(&folder).is_empty());
    // Planted: what was deleted does not open; the run starts from its beginning.
    let anew = run(&mut host, &seed(2), true);
    assert!(
        anew.said.contains("starts from the beginning"),
        "{}",
        anew.said
    );
    let _ = std::fs::remove_dir_all(folder);
}

fn visit_rows(folder: &Path) -> Vec<Stored> {
    let mut told = Told::default();
    told.take(&mut visit(folder));
    told.shelf
}

#[test]
fn a_budget_holds_for_the_shelf() {
    let folder = folder("budget");
    let mut host = visit(&folder);
    let bytes = run(&mut host, &seed(1), false)
        .shelf
        .first()
        .map_or(0, |r| r.bytes);
    let bytes = bytes.max(
        std::fs::metadata(folder.join("run-0.safetensors"))
            .unwrap()
            .len(),
    );
    block_on(host.command(Command::Budget(5 * bytes)));
    let mut last = Told::default();
    for n in 2..8 {
        last = run(&mut host, &seed(n), false);
    }
    let shelved: Vec<&Stored> = last.shelf.iter().filter(|r| r.slot.is_some()).collect();
    let total: u64 = shelved.iter().map(|r| r.bytes).sum();
    assert!(
        shelved.len() >= 2 && total <= 4 * bytes,
        "{total} of {bytes}: {shelved:?}"
    );
    // The latest of those that were left are there.
    assert_eq!(shelved.last().unwrap().link, seed(6));
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn a_comparison_finds_its_models_in_stored_runs() {
    let folder = folder("versus");
    let mut host = visit(&folder);
    for n in 1..=2 {
        run(&mut host, &seed(n), false);
    }
    drop(host);
    let compare = |host: &mut Host, at: At| {
        let side = |n, at| Side { link: seed(n), at };
        let sides = [side(1, at), side(2, At::Last)];
        block_on(host.command(Command::Versus(VersusSpec { sides, set: 1 })));
        until(host)
    };
    let mut host = visit(&folder);
    for at in [At::Last, At::Step(20)] {
        let found = compare(&mut host, at);
        assert!(
            !found.trained && found.versus == Some(VersusStage::Done),
            "{:?}",
            found.versus
        );
        // Planted: without the storage both are trained, and say the same.
        let empty = self::folder("none");
        let fresh = compare(&mut visit(&empty), at);
        assert!(fresh.trained && fresh.losses == found.losses && !found.losses.is_empty());
        let _ = std::fs::remove_dir_all(empty);
    }
    let _ = std::fs::remove_dir_all(folder);
}

/// A rise of λ̂ within seconds, of two seeds; as the page writes a link.
const STAGED: &str = "#/grok?v=1&p=13&hidden=16&batch=32&steps=200&seed=4&replicas=2&burnin=5&draws=20&mbatch=32&every=20";

#[test]
fn boundaries_set_by_hand_are_there_after_a_reload_from_the_shelf_and_of_each_model() {
    let folder = folder("stages");
    let mut host = visit(&folder);
    let ends = |t: &Told| -> Vec<(u64, bool)> {
        t.stages.stages.iter().map(|s| (s.to, s.by_hand)).collect()
    };
    let found = run(&mut host, STAGED, false);
    assert!(!found.stages.by_hand && !found.stages.stages.is_empty());
    let tell = |host: &mut Host, command: Command| {
        block_on(host.command(command));
        until(host)
    };
    let id = RunId(1);
    let mine = vec![(110, true), (200, false)];
    let cut = tell(&mut host, Command::Cut(id, Some(vec![110])));
    assert_eq!(ends(&cut), mine);
    // Another seed has boundaries of its own, and the first still has these.
    let other = tell(&mut host, Command::Follow(id, 1));
    assert!(!other.stages.by_hand, "{:?}", ends(&other));
    let its = tell(&mut host, Command::Cut(id, Some(vec![150])));
    assert_eq!(ends(&its)[0], (150, true));
    let back = tell(&mut host, Command::Follow(id, 0));
    assert_eq!(ends(&back), mine);
    drop(host);
    // A reload, with both.
    let mut host = visit(&folder);
    let again = run(&mut host, STAGED, true);
    assert_eq!((again.first, ends(&again)), (Some(200), mine.clone()));
    let other = tell(&mut host, Command::Follow(id, 1));
    assert_eq!(ends(&other)[0], (150, true));
    tell(&mut host, Command::Follow(id, 0));
    // From the shelf.
    run(&mut host, &seed(1), false);
    assert_eq!(ends(&run(&mut host, STAGED, true)), mine);
    // Planted: what was taken back is not remembered.
    let none = tell(&mut host, Command::Cut(id, None));
    assert!(!none.stages.by_hand);
    drop(host);
    let again = run(&mut visit(&folder), STAGED, true);
    assert!(again.first == Some(200) && !again.stages.by_hand);
    let _ = std::fs::remove_dir_all(folder);
}

/// Bytes in the folder of the record to go on from, and of the shelf.
fn stored(folder: &Path) -> [u64; 2] {
    let size = |name: &str| std::fs::metadata(folder.join(name)).map_or(0, |m| m.len());
    let runs = [0, 1].map(|i| size(&format!("run-{i}.safetensors")));
    let shelf = (0..12).map(|i| size(&format!("shelf-{i}.safetensors")));
    [runs.into_iter().max().unwrap_or(0), shelf.sum()]
}

#[test]
fn every_checkpoint_is_trained_on_from_after_a_reload_and_a_budget_is_kept_at_once() {
    let folder = folder("states");
    let mut host = visit(&folder);
    let long = format!("{}&steps=200", seed(5).replace("&steps=40", ""));
    run(&mut host, &seed(1), false);
    let first = run(&mut host, &long, false);
    let [bytes, shelf] = stored(&folder);
    assert_eq!((first.kept, first.whole), ((bytes, [21, 21], 21), 21));
    assert!(shelf > 0);
    // After a reload as before it.
    drop(host);
    let mut host = visit(&folder);
    let again = run(&mut host, &long, true);
    assert_eq!((again.first, again.whole), (Some(200), 21));
    // A smaller budget holds as soon as it is set, for the files too; what is told is what is there.
    let mut told = Told::default();
    for budget in [bytes * 2 / 3, bytes / 3] {
        block_on(host.command(Command::Budget(budget)));
        told.take(&mut host);
        let [now, shelf] = stored(&folder);
        assert!(
            told.kept.0 <= budget && now + shelf <= budget,
            "{:?} {now} {shelf} {budget}",
            told.kept
        );
        assert!(told.kept.2 < 21, "{:?}", told.kept);
    }
    // At first states alone went, then weights.
    assert!(told.kept.1[0] < 21 && told.kept.2 >= 1, "{:?}", told.kept);
    drop(host);
    let mut host = visit(&folder);
    let less = run(&mut host, &long, true);
    assert_eq!(less.whole as u64, told.kept.2);
    // The page is told which of all are left, and which went.
    assert_eq!(less.kept.1, told.kept.1);
    assert_eq!(less.gone.len() as u64, 21 - told.kept.1[0]);
    assert!(!less.gone.contains(&200) && again.gone.is_empty());
    // Of a run that is stored and not open, too.
    drop(host);
    let mut host = visit(&folder);
    // Ends and boundaries stay: some room is needed.
    let small = bytes * 3 / 10;
    assert!(stored(&folder)[0] > small);
    block_on(host.command(Command::Budget(small)));
    let [now, shelf] = stored(&folder);
    assert!(now + shelf <= small, "{now} {shelf} of {bytes}");
    // Planted: with a budget that is not smaller, nothing goes.
    block_on(host.command(Command::Budget(10 * bytes)));
    assert_eq!(stored(&folder), [now, shelf]);
    let _ = std::fs::remove_dir_all(folder);
}
