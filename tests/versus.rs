//! Two models compared token by token, against what the runs' own evaluations say of the same sequences;
//! a model and itself; checkpoints found on the page, in a folder and by training.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::app::against::FLOOR;
use lambdahat::app::link::parse;
use lambdahat::app::versus::{Told, json};
use lambdahat::engine::host::Host;
use lambdahat::engine::known::model;
use lambdahat::engine::versus::{Versus, portion};
use lambdahat::engine::{Session, Source};
use lambdahat::experiments::versus::scorer;
use lambdahat::experiments::{self, Of};
use lambdahat::instruments::versus::{By, groups, losses, targets};
use lambdahat::protocol::{
    Command, Compared, EngineChoice, Event, Phase, RunId, VersusSpec, VersusStage,
};
use pollster::block_on;
use std::rc::Rc;

/// Two layers on sequences of 16 tokens, sampled at its checkpoints.
const TWO: &str = "#/induction?d_model=16&heads=2&vocab=16&ctx=16&pmin=4&pmax=7&batch=64&steps=40&every=20&log=0&lr=0.01&warmup=0&chains=1&burnin=1&draws=2&mbatch=1";
/// The same, shorter and not trained yet.
const SHORT: &str = "#/induction?d_model=16&heads=2&vocab=16&ctx=16&pmin=4&pmax=7&batch=16&steps=20&every=10&log=0&chains=0";

fn source() -> Source {
    block_on(Source::find(EngineChoice::Cpu, true)).unwrap().0
}

fn run(text: &str) -> Session {
    let link = parse(text);
    assert!(link.notices.is_empty(), "{text}: {:?}", link.notices);
    let parts = experiments::build(link.experiment, &link.knobs).unwrap();
    let exec = block_on(source().exec(&parts.plan)).unwrap();
    let mut s = Session::new(parts, exec);
    s.begin().unwrap();
    while block_on(s.pump()).unwrap() {}
    s
}

fn spec(text: &str) -> VersusSpec {
    let link = parse(text);
    assert!(link.notices.is_empty(), "{text}: {:?}", link.notices);
    link.against.clone().unwrap().spec(&link)
}

/// Compares what a link says, with nothing there; also the steps trained for it.
fn compared(text: &str) -> (Compared, u64) {
    let mut versus = Versus::new(spec(text)).unwrap();
    let source = source();
    let (mut trained, mut last) = (0, 0);
    while block_on(versus.pump(&source)).unwrap() {
        if let VersusStage::Training { step, .. } = versus.view.stage {
            trained += if step >= last { step - last } else { step };
            last = step;
        } else {
            last = 0;
        }
    }
    (versus.view.found.unwrap(), trained)
}

fn bits(found: &Compared) -> Vec<u32> {
    let sides = found.sides.iter();
    let all = sides.flat_map(|s| s.lacking.iter().map(|l| &l.lp).chain([&s.lp]));
    all.flatten().map(|x| x.to_bits()).collect()
}

/// The largest difference between what a scorer finds on the run's own held-out sequences and what the
/// run's evaluation and its ablations said of them.
fn apart(s: &Session, text: &str, change: impl Fn(&mut Vec<f32>)) -> f64 {
    let link = parse(text);
    let mut scorer = scorer(link.experiment, &link.knobs, 1).unwrap();
    let mut words = Vec::new();
    s.parts.lab.feed(Of::Eval, 0, &mut words);
    let (tokens, classes) = words.split_at(words.len() / 2);
    (scorer.set.tokens, scorer.set.classes) = (tokens.to_vec(), classes.to_vec());
    let mut weights = s.history.checkpoints.last().unwrap().weights.to_vec();
    change(&mut weights);
    let mut exec = block_on(source().exec(&scorer.plan)).unwrap();
    exec.set_replicas(scorer.program, &scorer.table());
    exec.submit(&scorer.begin(&weights)).unwrap();
    let mut lps: Vec<Vec<f32>> = Vec::new();
    while lps.len() < scorer.copies.len() {
        let ticket = exec.submit(&portion(&scorer, lps.len())).unwrap();
        let read = block_on(exec.wait(ticket)).unwrap();
        let copies = read[0].chunks(tokens.len());
        lps.extend(copies.map(|c| c.iter().map(|x| -x).collect::<Vec<f32>>()));
    }
    let last = |id: &str| *s.history.series[id].y.last().unwrap();
    let loss = |lp: &Vec<f32>| {
        let all = targets(&scorer.set, [lp, lp], 1e9);
        let of = |kind: u32| {
            losses(
                &all.iter()
                    .copied()
                    .filter(|t| t.kind == kind)
                    .collect::<Vec<_>>(),
            )[0]
        };
        [losses(&all)[0], of(2), of(3)]
    };
    let clean = loss(&lps[0]);
    let want = ["loss", "loss.first", "loss.repeat"].map(last);
    let mut worst = clean
        .iter()
        .zip(want)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max);
    for (copy, lp) in scorer.copies.iter().zip(&lps).skip(1) {
        let id = match copy.name.strip_prefix("head ") {
            Some(head) => format!("heads.{head}"),
            None => format!("blocks.{}", &copy.name["all heads of block ".len()..]),
        };
        let found = loss(lp)[2] - clean[2];
        worst = worst.max((found - last(&format!("{id}.ablation.repeat"))).abs());
    }
    worst
}

#[test]
fn token_by_token_it_is_what_the_evaluation_says() {
    let s = run(TWO);
    assert_eq!(s.phase(), Phase::Done);
    let found = apart(&s, TWO, |_| {});
    assert!(found < 2e-5, "{found}");
    // Planted fault: a weight that is not the model's.
    let other = apart(&s, TWO, |w| w[7] += 0.1);
    assert!(other > 1e-4, "{other}");
}

#[test]
fn a_run_and_itself_differ_by_nothing_and_two_by_what_they_are() {
    let (same, trained) = compared(&format!("{TWO}&with="));
    assert_eq!(trained, 40, "one run is trained once");
    let told = Told::of(&same, FLOOR);
    assert!(told.targets.len() == 64 * 15 && told.targets.iter().all(|t| t.delta == 0.0));
    assert!(told.whole.sum == 0.0 && told.whole.share.is_none());

    let (two, trained) = compared(&format!("{TWO}&with=layers=1"));
    assert_eq!(trained, 80);
    let told = Told::of(&two, FLOOR);
    assert!(told.whole.sum != 0.0);
    let sums = |by| {
        groups(&told.targets, by, &two.set)
            .iter()
            .map(|g| g.sum)
            .sum::<f64>()
    };
    for &(by, name, _) in By::there(&two.set) {
        assert_eq!(sums(by), told.whole.sum, "{name}");
    }
    // Four heads and two blocks of A, two heads and one block of B.
    assert_eq!(told.removed.len(), 9);
    // Those that turn the difference round are named, and nobody else.
    let mut some = told.clone();
    some.removed.truncate(3);
    some.whole.se = some.whole.mean.abs() / 3.0;
    for (r, left) in some.removed.iter_mut().zip([-1.5, 0.5, 1.5]) {
        r.left = left * told.whole.mean;
    }
    let said = some.beyond().unwrap();
    // Where the models do not differ there is nothing to turn round.
    let mut alike = some.clone();
    alike.whole.se = some.whole.mean.abs();
    assert_eq!(alike.beyond(), None);
    assert!(
        said.contains(&format!("{} of", some.removed[0].name)),
        "{said}"
    );
    assert_eq!(said.matches(" left)").count(), 1, "{said}");
    some.removed.remove(0);
    assert_eq!(some.beyond(), None);
    // The other way round it is the opposite, token by token.
    let (turned, _) = compared(&format!("{TWO}&layers=1&with=layers=2"));
    let back = Told::of(&turned, FLOOR);
    assert!(
        told.targets
            .iter()
            .zip(&back.targets)
            .all(|(a, b)| a.delta == -b.delta)
    );
    // Other sequences, and a model at another step, are other numbers.
    assert_ne!(
        bits(&compared(&format!("{TWO}&with=layers=1&set=2")).0),
        bits(&two)
    );
    assert_ne!(
        bits(&compared(&format!("{TWO}&with=layers=1&at=20,last")).0),
        bits(&two)
    );
    // The file says the same.
    let file = json(&two, &spec(&format!("{TWO}&with=layers=1")), FLOOR);
    assert_eq!(file["total"]["sum"], told.whole.sum);
    assert_eq!(
        file["targets"].as_array().unwrap().len(),
        told.targets.len()
    );
    assert_eq!(file["b"]["step"], 40);
}

/// Commands a page would send; what comes back of the comparison, and the bits of the run's curves.
fn page(host: &mut Host, commands: &[Command]) -> (Vec<VersusStage>, Option<Compared>, Vec<u64>) {
    let (mut stages, mut found, mut curve) = (Vec::new(), None, Vec::new());
    for command in commands {
        block_on(host.command(command.clone()));
    }
    for _ in 0..10_000 {
        let busy = block_on(host.pump());
        for event in host.take_events() {
            match event {
                Event::Versus(view) => {
                    stages.push(view.stage);
                    found = view.found.or(found);
                }
                Event::Frame(frame) => {
                    for d in frame.series.iter().filter(|d| d.id == "loss") {
                        curve.truncate(d.from);
                        curve.extend(d.y.iter().map(|y| y.to_bits()));
                    }
                    block_on(host.command(Command::Ack(frame.run)));
                }
                Event::Fault { fault, .. } => panic!("{fault:?}"),
                _ => {}
            }
        }
        if !busy {
            break;
        }
    }
    (stages, found, curve)
}

#[test]
fn the_run_on_the_page_serves_and_is_left_alone() {
    let start = |link: &str| Command::Start {
        run: RunId(1),
        link: link.into(),
        resume: false,
        paused: false,
    };
    let calm = page(&mut Host::new(None, Rc::default()), &[start(TWO)]).2;
    let mut host = Host::new(None, Rc::default());
    let text = format!("{TWO}&with=layers=1");
    let (stages, found, curve) = page(&mut host, &[start(TWO), Command::Versus(spec(&text))]);
    assert_eq!(curve, calm);
    // It waits for the run, takes the two layers from it, and trains the one alone.
    assert_eq!(stages.first(), Some(&VersusStage::Waiting));
    assert_eq!(stages.last(), Some(&VersusStage::Done));
    assert!(
        stages
            .iter()
            .all(|s| !matches!(s, VersusStage::Training { side: 0, .. }))
    );
    assert_eq!(bits(&found.unwrap()), bits(&compared(&text).0));

    // What was trained once is not trained again, nor what another run has replaced.
    let third = format!("{SHORT}&with=layers=1");
    page(&mut host, &[start(SHORT)]);
    let (stages, found, _) = page(&mut host, &[Command::Versus(spec(&text))]);
    let trains = |s: &VersusStage| matches!(s, VersusStage::Training { .. });
    assert!(!stages.iter().any(trains) && stages.last() == Some(&VersusStage::Done));
    assert_eq!(bits(&found.unwrap()), bits(&compared(&text).0));
    let (stages, ..) = page(&mut host, &[Command::Versus(spec(&third))]);
    assert!(stages.iter().any(trains), "another model is none of them");

    // What cannot be compared is said, and nothing else happens.
    let other = spec(&text.replace("with=layers=1", "with=vocab=32"));
    let (stages, found, _) = page(&mut host, &[Command::Versus(other)]);
    assert!(matches!(&stages[..], [VersusStage::Failed(why)] if why.contains("vocab 16 and 32")));
    assert!(found.is_none());
    // Nor is there a before and after where nothing happened.
    let flat = spec(&format!("{SHORT}&lr=0&with=&at=after,before"));
    let (stages, ..) = page(&mut host, &[Command::Versus(flat)]);
    assert!(
        matches!(stages.last(), Some(VersusStage::Failed(why)) if why.contains("no transition"))
    );
    // A comparison that is stopped says no more.
    block_on(host.command(Command::Versus(spec(&format!("{TWO}&with=seed=5")))));
    block_on(host.pump());
    let (stages, ..) = page(&mut host, &[Command::StopVersus]);
    assert!(stages.len() <= 1 && !stages.contains(&VersusStage::Done));
}

#[test]
fn a_model_of_several_seeds_is_the_run_of_its_own_seed() {
    let text = format!("{SHORT}&replicas=3");
    let many = run(&text);
    let alone = run(&format!("{SHORT}&seed=2"));
    let n = alone.parts.arena.len();
    let mut versus = Versus::new(spec(&format!("{SHORT}&seed=2&with=seed=3"))).unwrap();
    versus.look(&many, &text).unwrap();
    let found = |side: usize| versus.side(side).1.unwrap().weights.to_vec();
    let own = &alone.history.checkpoints.last().unwrap().weights;
    assert_eq!(found(0), own.to_vec());
    let third = &many.history.checkpoints.last().unwrap().weights[2 * n..];
    assert_eq!(found(1), third.to_vec());
    assert_ne!(found(0), found(1));
    // Weights that came from a file are not those of the link.
    let mut other = many;
    other.history.checkpoints.remove(0);
    let mut versus = Versus::new(spec(&format!("{SHORT}&seed=2&with=seed=3"))).unwrap();
    versus.look(&other, &text).unwrap();
    assert!((0..2).all(|side| versus.side(side).1.is_none()));
    assert_eq!(model(&parse(TWO), 0).knobs.int("chains"), 0);
}
