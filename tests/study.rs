//! Studies: λ̂ of the checkpoints of a run at other settings, and the curvature measured at each.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::app::reference::{self, Reference};
use lambdahat::app::{link, study};
use lambdahat::engine::host::Host;
use lambdahat::experiments::truth::truth;
use lambdahat::protocol::{
    Cell, Command, EngineChoice, Event, LlcPoint, Phase, RunId, Study, StudyKind, StudySpec,
};
use pollster::block_on;
use std::rc::Rc;

/// A square of features that training does not move, sampled with four chains.
const LINK: &str = "#/tms?replicas=1&jitter=0&lr=0&n=400&steps=4&every=2&log=0&chains=4&burnin=5&draws=20&mbatch=400&nbeta=200&gamma=50&eps=1e-3";
const RUN: RunId = RunId(1);

/// Runs the link to its end, then the studies one after another.
fn play(engine: EngineChoice, studies: &[StudySpec]) -> (Vec<LlcPoint>, Vec<Study>) {
    play_link(LINK, engine, studies)
}

/// The same of any link.
fn play_link(
    link: &str,
    engine: EngineChoice,
    studies: &[StudySpec],
) -> (Vec<LlcPoint>, Vec<Study>) {
    let mut host = Host::new(None, Rc::default());
    let secure = true;
    block_on(host.command(Command::Hello { engine, secure }));
    let (link, resume, paused) = (link.to_string(), false, false);
    block_on(host.command(Command::Start {
        run: RUN,
        link,
        resume,
        paused,
    }));
    let (mut points, mut done, mut waiting) = (Vec::new(), Vec::new(), studies.iter());
    for _ in 0..20_000 {
        block_on(host.pump());
        for event in host.take_events() {
            let Event::Frame(frame) = event else { continue };
            points = frame.llc.unwrap_or(points);
            let over = frame.study.as_ref().is_some_and(|s| s.over);
            let ready =
                frame.phase == Phase::Done && (over || done.is_empty() && frame.study.is_none());
            if let Some(study) = frame.study.filter(|s| s.over) {
                done.push(study);
            }
            block_on(host.command(Command::Ack(RUN)));
            if ready && done.len() == studies.len() - waiting.len() {
                match waiting.next() {
                    Some(spec) => block_on(host.command(Command::Study(RUN, spec.clone()))),
                    None => return (points, done),
                }
            }
        }
    }
    panic!(
        "it did not end: {} points, {} studies",
        points.len(),
        done.len()
    );
}

fn cell(step: u64, nbeta: f64, eps: f64, part: &str) -> Cell {
    Cell {
        replica: None,
        step,
        nbeta,
        gamma: 50.0,
        eps,
        part: part.into(),
    }
}

fn spec(cells: Vec<Cell>) -> StudySpec {
    StudySpec {
        kind: StudyKind::Sweep,
        cells,
        chains: 4,
        burnin: 5,
        draws: 20,
        ..StudySpec::default()
    }
}

#[test]
fn a_cell_is_the_estimate_of_a_run_with_its_settings() {
    let own = cell(2, 200.0, 1e-3, "all");
    let hot = cell(2, 20.0, 1e-3, "all");
    let b = cell(2, 200.0, 1e-3, "b");
    let lost = cell(2, 1e7, 1.0, "all");
    for engine in [EngineChoice::Cpu, EngineChoice::Gpu] {
        let together = spec(vec![hot.clone(), own.clone(), b.clone(), lost.clone()]);
        let alone = spec(vec![b.clone()]);
        let (points, studies) = play(engine, &[together, alone]);
        let point = points.iter().find(|p| p.step == 2).unwrap();
        let [together, alone] = &studies[..] else {
            panic!("{} studies", studies.len())
        };
        let value = |s: &Study, cell: u32| s.done.iter().find(|r| r.cell == cell).unwrap().clone();
        // The same bits as the run's own estimate, whatever runs beside it.
        assert_eq!(value(together, 1).value, Some(point.value));
        assert_eq!(value(together, 1).index, point.index);
        assert_eq!(value(together, 2).value, value(alone, 0).value);
        // Another temperature and another part are other numbers: the comparison can fail.
        assert_ne!(value(together, 0).value, Some(point.value));
        assert_ne!(value(together, 2).value, Some(point.value));
        // Chains that ran away have no value, and spoil nothing beside them.
        assert_eq!(
            (value(together, 3).value, value(together, 3).failed_chains),
            (None, 4)
        );
    }
}

#[test]
fn a_cell_has_losses_apart_as_the_run_has() {
    let own = spec(vec![cell(2, 200.0, 1e-3, "all")]);
    for more in ["&mbatch=40", "&mbatch=40&ebatch=apart"] {
        let link = format!("{LINK}{more}");
        let (points, studies) = play_link(&link, EngineChoice::Cpu, std::slice::from_ref(&own));
        let point = points.iter().find(|p| p.step == 2).unwrap();
        assert_eq!(studies[0].done[0].value, Some(point.value), "{more}");
    }
}

#[test]
fn a_cell_descends_as_the_run_does() {
    // Beside each other run more chains than in the run, so that the rates of the descent are tried
    // in other groups.
    let link = format!("{LINK}&polish=4&chains=2");
    let two = |cells| StudySpec {
        chains: 2,
        ..spec(cells)
    };
    let own = cell(2, 200.0, 1e-3, "all");
    let cells = vec![cell(2, 20.0, 1e-3, "all"), own.clone(), own];
    let (points, studies) = play_link(&link, EngineChoice::Cpu, &[two(cells)]);
    let point = points.iter().find(|p| p.step == 2).unwrap();
    assert!(point.polished.unwrap()[1] > 0.0);
    let values: Vec<Option<f64>> = studies[0].done.iter().map(|r| r.value).collect();
    assert_eq!(values[1..], [Some(point.value); 2]);
    assert_ne!(values[0], Some(point.value));
}

#[test]
fn the_curve_again_has_all_of_the_forms_settings() {
    let form = format!("{LINK}&sampler=rmsprop&polish=3&eps=2e-5&part=b&mbatch=100");
    let asked = study::again(&link::parse(&form).knobs, &[2]);
    let (_, studies) = play(EngineChoice::Cpu, std::slice::from_ref(&asked));
    let (points, _) = play_link(&form, EngineChoice::Cpu, &[]);
    let point = points.iter().find(|p| p.step == 2).unwrap();
    assert_eq!(studies[0].done[0].value, Some(point.value));
    // Planted: each of them makes a difference.
    let others = ["sampler=sgld", "polish=0", "mbatch=400"];
    let specs = others.map(|other| StudySpec {
        query: format!("{}&{other}", asked.query),
        ..asked.clone()
    });
    // One after another in one run: each is shown, though all have as many cells.
    let (_, studies) = play(EngineChoice::Cpu, &specs);
    assert_eq!(studies.len(), specs.len());
    for (study, spec) in studies.iter().zip(&specs) {
        assert_eq!(study.spec, *spec);
        assert_ne!(study.done[0].value, Some(point.value), "{}", spec.query);
    }
}

#[test]
fn each_part_is_polished_by_itself() {
    let cells = ["b", "W"].map(|part| cell(2, 200.0, 1e-3, part));
    let asked = StudySpec {
        query: "polish=4".into(),
        ..spec(cells.to_vec())
    };
    for engine in [EngineChoice::Cpu, EngineChoice::Gpu] {
        let (_, studies) = play(engine, std::slice::from_ref(&asked));
        let value = |of: &str| {
            let (points, _) = play_link(&format!("{LINK}&{of}"), engine, &[]);
            points.iter().find(|p| p.step == 2).map(|p| p.value)
        };
        let done: Vec<_> = studies[0].done.iter().map(|r| r.value).collect();
        assert_eq!(done, [value("part=b&polish=4"), value("part=W&polish=4")]);
        // Planted: the descent of another part, and none, are other numbers.
        assert_ne!(done[0], value("part=b"));
        assert_ne!(done[0], done[1]);
    }
}

/// A bigram table whose value is on record, so that the MALA chains of a reference can be judged.
const KNOWN: &str = "#/truth?target=bigram&eps=4e-4&chains=2&burnin=0&draws=2";

#[test]
fn a_reference_is_the_value_on_record() {
    let link = link::parse(KNOWN);
    let target = truth(&link.knobs);
    let unbiased = target.value.unwrap() - target.bias;
    let of = |cells: Vec<Cell>| {
        let asked = StudySpec {
            cells,
            ..reference::study(&link.knobs)
        };
        let (_, studies) = play_link(KNOWN, EngineChoice::Cpu, &[asked]);
        println!("{:?}", studies[0].done);
        reference::found(&studies[0]).unwrap()
    };
    let cells = reference::study(&link.knobs).cells;
    let Reference::Found(value, se) = of(cells[..1].to_vec()) else {
        panic!("no reference");
    };
    println!("{value} ± {se}, on record {unbiased} ± {}", target.se);
    assert!((value - unbiased).abs() < 3.0 * se.hypot(target.se) && se < 0.03);
    // Planted: at another temperature it is another value.
    let hot = Cell {
        nbeta: 500.0,
        ..cells[0].clone()
    };
    let Reference::Found(value, _) = of(vec![hot]) else {
        panic!("no reference");
    };
    assert!((value - unbiased).abs() > 10.0 * se);
}

#[test]
fn the_curvature_is_that_of_the_square() {
    let (points, _) = play(EngineChoice::Cpu, &[]);
    for p in &points {
        let c = p.curvature.unwrap();
        // The bias of a dead feature with bias 1/2c sees 2·E[1] of its own: 2 to within the sampling of
        // its 400 samples; the square is a critical point but for that sampling.
        assert!((c.h_max - 2.0).abs() < 0.1, "{c:?}");
        assert!(c.gradient_sq < 0.01 && c.trace > c.h_max, "{c:?}");
        let index = p.index.unwrap();
        assert!((index - 0.25e-3 * (200.0 * c.h_max + 50.0)).abs() < 1e-9);
    }
}

#[test]
fn a_point_that_chains_leave_has_no_reference_and_says_so() {
    let text = "#/truth?preset=square&burnin=0&draws=2&chains=2";
    let link = link::parse(text);
    assert_eq!(truth(&link.knobs).value, None);
    let asked = StudySpec {
        draws: 10_000,
        ..reference::study(&link.knobs)
    };
    let (_, studies) = play_link(text, EngineChoice::Cpu, &[asked]);
    let Some(Reference::Missing(why)) = reference::found(&studies[0]) else {
        panic!("{:?}", studies[0].done);
    };
    assert!(
        why.contains("leave this point") && why.contains("below L(w*)"),
        "{why}"
    );
}
