//! The gallery of known answers: gradients of its potentials, their starting points, and every target
//! met at two settings at least, within the error and the bias stated.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "truth/reference.rs"]
mod reference;

use lambdahat::app::link;
use lambdahat::app::split::{LastStep, last_step};
use lambdahat::engine::{Session, Source};
use lambdahat::experiments::truth::{Potential, Target, truth};
use lambdahat::experiments::{self, Parts};
use lambdahat::kernels::truth::{BIGRAM, DEEP_LINEAR, LINREG, MONOMIALS, SUPERPOSITION, TANH};
use lambdahat::kernels::{Access, Call, Elem, Kernel, Replica, Slot, Step};
use lambdahat::knobs::Knobs;
use lambdahat::math::Stream;
use lambdahat::math::philox::Draws;
use lambdahat::model::tms::{level, population_loss};
use lambdahat::protocol::{EngineChoice, LlcPoint, TraceView};
use pollster::block_on;

/// Loss and gradient of a kernel's f64 twin at `weights`, the rest of its inputs given.
fn twin(
    kernel: &Kernel,
    consts: &[u32],
    rest: &[Vec<f64>],
    words: &[u32],
    weights: &[f64],
) -> (f64, Vec<f64>) {
    let (mut grads, mut stats) = (vec![f64::NAN; weights.len()], vec![f64::NAN; 4]);
    let mut rest = rest.iter();
    let (mut grads_at, mut stats_at) = (Some(&mut grads), Some(&mut stats));
    let slots = kernel
        .bindings
        .iter()
        .map(|b| match (b.name, b.elem, b.access) {
            ("weights", ..) => Slot::F(weights),
            ("grads", ..) => Slot::FMut(grads_at.take().unwrap()),
            ("stats", ..) => Slot::FMut(stats_at.take().unwrap()),
            (_, Elem::U32, _) => Slot::U(words),
            (_, Elem::F32, Access::Read) => Slot::F(rest.next().unwrap()),
            _ => panic!("{}", b.name),
        });
    (kernel.twin.f64)(Call {
        consts,
        params: &[1],
        step: Step::default(),
        replicas: &[Replica::default()],
        slots: slots.collect(),
    });
    (stats[0], grads)
}

/// Where the gradient of a kernel parts from the slope of its loss.
fn gradient_fault(
    kernel: &Kernel,
    consts: &[u32],
    rest: &[Vec<f64>],
    words: &[u32],
    count: usize,
    bend: f64,
) -> Option<String> {
    let mut draws = Draws::new(3, Stream::Probe, 0);
    let w: Vec<f64> = (0..count).map(|_| 0.7 * draws.normal()).collect();
    let (_, gradient) = twin(kernel, consts, rest, words, &w);
    let h = 1e-6;
    (0..count).find_map(|i| {
        let at = |sign: f64| {
            let mut w = w.clone();
            w[i] += sign * h;
            twin(kernel, consts, rest, words, &w).0
        };
        let slope = (at(1.0) - at(-1.0)) / (2.0 * h);
        let got = gradient[i] * (1.0 + bend);
        let near = (got - slope).abs() <= 1e-7 * (1.0 + slope.abs());
        (!near).then(|| format!("{} {consts:?} {i}: {got} against {slope}", kernel.name))
    })
}

#[test]
fn gradients_are_the_slopes_of_the_losses() {
    let mut draws = Draws::new(9, Stream::Probe, 1);
    let mut normals = |n: usize| (0..n).map(|_| draws.normal()).collect::<Vec<_>>();
    let bits: Vec<u32> = normals(40).iter().map(|&x| (x as f32).to_bits()).collect();
    type Row = (&'static Kernel, Vec<u32>, Vec<Vec<f64>>, Vec<u32>, usize);
    let rows: Vec<Row> = vec![
        (&MONOMIALS, vec![2, 1], vec![vec![4.0]], vec![2, 4], 2),
        (
            &MONOMIALS,
            vec![3, 2],
            vec![vec![1.0, -2.0]],
            vec![2, 0, 1, 0, 3, 1],
            3,
        ),
        (
            &DEEP_LINEAR,
            vec![3, 4, 2, 5, 0, 0, 0],
            vec![normals(15)],
            vec![],
            30,
        ),
        (
            &DEEP_LINEAR,
            vec![2, 3, 0, 0, 0, 0, 0],
            vec![normals(6)],
            vec![],
            6,
        ),
        (&BIGRAM, vec![5], vec![], vec![], 25),
        (&LINREG, vec![20], vec![], bits, 1),
        (
            &TANH,
            vec![3, 4],
            vec![vec![0.1, 0.4, 0.7, 1.0, 0.2, 0.3, 0.3, 0.2]],
            vec![],
            6,
        ),
        (&SUPERPOSITION, vec![6], vec![], vec![], 18),
    ];
    for (kernel, consts, rest, words, count) in &rows {
        assert_eq!(
            gradient_fault(kernel, consts, rest, words, *count, 0.0),
            None
        );
        // Planted: a gradient that is off by a ten-thousandth is seen.
        assert!(
            gradient_fault(kernel, consts, rest, words, *count, 1e-4).is_some(),
            "{}",
            kernel.name
        );
    }
}

#[test]
fn small_losses_keep_their_digits_in_f32() {
    // The same small weights in f32 and f64: the losses agree to seven digits of themselves.
    for (kernel, consts, count) in [(&BIGRAM, vec![4], 16), (&MONOMIALS, vec![1, 1], 1)] {
        let weights: Vec<f32> = (0..count).map(|i| 1e-3 * (i as f32 + 1.0)).collect();
        let (mut grads, mut stats) = (vec![0.0f32; count], vec![0.0f32; 4]);
        let (one, two) = ([1.0f32], [2u32]);
        let mut slots = vec![
            Slot::F(&weights),
            Slot::FMut(&mut grads),
            Slot::FMut(&mut stats),
        ];
        let mut wide: Vec<Vec<f64>> = Vec::new();
        if *kernel == MONOMIALS {
            slots.splice(0..0, [Slot::F(&one[..]), Slot::U(&two[..])]);
            wide.push(vec![1.0]);
        }
        (kernel.twin.f32)(Call {
            consts: &consts,
            params: &[],
            step: Step::default(),
            replicas: &[Replica::default()],
            slots,
        });
        let w: Vec<f64> = weights.iter().map(|&w| f64::from(w)).collect();
        let exact = twin(kernel, &consts, &wide, &two, &w).0;
        let ratio = f64::from(stats[0]) / exact;
        assert!(
            exact < 1e-4 && (ratio - 1.0).abs() < 2e-6,
            "{} {ratio}",
            kernel.name
        );
    }
}

#[test]
fn the_potential_of_tms_is_its_population_loss() {
    let mut draws = Draws::new(5, Stream::Probe, 2);
    for c in [4, 6, 10] {
        let w: Vec<f64> = (0..3 * c).map(|_| 0.8 * draws.normal()).collect();
        let got = twin(&SUPERPOSITION, &[c as u32], &[], &[], &w).0;
        assert!((got - population_loss(c, &w)).abs() < 1e-12, "{c}");
    }
}

fn knobs(text: &str) -> Knobs {
    let link = link::parse(text);
    assert!(link.notices.is_empty(), "{text}: {:?}", link.notices);
    link.knobs
}

fn build(text: &str) -> Parts {
    experiments::build("truth", &knobs(text)).unwrap()
}

/// Loss and largest slope at w*, in f64.
fn at_start(text: &str) -> (f64, f64) {
    let (parts, k) = (build(text), knobs(text));
    let mut exec = reference::engine(&parts, &k);
    exec.at(&Target::of(&k).start(k.int("seed") as u32))
}

#[test]
fn chains_start_at_exact_critical_points() {
    for (text, loss) in [
        ("#/truth", 0.0),
        ("#/truth?target=dln", 0.0),
        ("#/truth?target=dln&widths=4,5,8,3,4&rank=3&seed=7", 0.0),
        ("#/truth?target=dln&widths=5,3,5&rank=0", 0.0),
        ("#/truth?target=bigram", 0.0),
        ("#/truth?target=tanh", 0.0),
        ("#/truth?target=tms", level(5, 6, 1)),
        ("#/truth?target=tms&gon=4", level(4, 6, 2)),
        ("#/truth?target=tms&gon=6&dead_bias=minus", level(6, 6, 0)),
        (
            "#/truth?target=tms&features=8&gon=7&dead_bias=minus",
            level(7, 8, 0),
        ),
    ] {
        let (at, slope) = at_start(text);
        assert!(
            (at - loss).abs() < 1e-7 && slope < 2e-7,
            "{text}: {at}, slope {slope}"
        );
    }
}

/// Runs a link on the CPU engine.
fn run(text: &str) -> Session {
    let (source, _) = block_on(Source::find(EngineChoice::Cpu, true)).unwrap();
    let parts = build(text);
    let exec = block_on(source.exec(&parts.plan)).unwrap();
    let mut session = Session::new(parts, exec);
    session.begin().unwrap();
    while block_on(session.pump()).unwrap() {}
    session
}

/// The only estimate of a link.
fn estimate(text: &str) -> LlcPoint {
    let session = run(text);
    session.history.llc.last().cloned().expect("an estimate")
}

/// Mean square, in units of ε, of what is left of a step once gradient and pull are taken off.
fn kick(view: &TraceView, potential: &Potential) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    for steps in view.tail.iter().flat_map(|walk| walk.windows(2)) {
        let one = TraceView {
            settings: view.settings.clone(),
            tail: vec![steps.to_vec()],
            ..TraceView::default()
        };
        let LastStep::Split(split) = last_step(&one, 0, potential) else {
            panic!("not split");
        };
        assert!((split.to()[0] - steps[1][0]).abs() < 1e-12);
        let axes = split.noise.iter().take(potential.names.len());
        sum += axes.map(|x| x * x).sum::<f64>();
        n += potential.names.len() as f64;
    }
    assert!(n > 700.0, "{n} kicks");
    sum / n / view.settings.eps
}

/// What the page draws is what the engine did: the losses along the walk are the potential's, and
/// what is left of its steps is noise of variance ε. A potential of another steepness is refused.
#[test]
fn the_page_can_take_a_step_apart() {
    let rest = "nbeta=100&burnin=0&draws=300&chains=8";
    for (target, wrong) in [
        ("quadratic&h=1,0.3&eps=0.01", "quadratic&h=2,0.6"),
        ("power&p=4&eps=0.02", "power&p=6"),
        ("crossing&eps=0.01", "crossing&scale=3"),
        ("linreg&n=50&mbatch=50&eps=0.01&gamma=1", "quadratic&h=2"),
    ] {
        let text = format!("#/truth?target={target}&{rest}");
        let potential = Potential::of(&knobs(&text)).unwrap();
        let view = run(&text).trace(0);
        assert_eq!((view.done, view.x.len()), (300, 300), "{text}");
        for (walk, losses) in view.tail.iter().zip(&view.losses) {
            let from = 300 - walk.len();
            for (i, w) in walk.iter().enumerate() {
                let seen = losses[from + i] - view.anchor[from + i];
                let due = potential.loss(*w);
                assert!(
                    (seen - due).abs() < 1e-5 * (1.0 + due),
                    "{text}: {seen} {due}"
                );
            }
        }
        let mut known = Potential::of(&knobs(&format!("#/truth?target={wrong}"))).unwrap();
        known.center = potential.center;
        let (kick, other) = (kick(&view, &potential), kick(&view, &known));
        assert!((kick - 1.0).abs() < 0.15, "{text}: {kick}");
        assert!(other > kick + 0.1, "{text}: {other}");
    }
    // A chain of more parameters has none to draw.
    assert_eq!(Potential::of(&knobs("#/truth?target=tanh")), None);
}

/// Whether an estimate meets a value: within three standard errors of both, which must be small.
fn meets(text: &str, got: &LlcPoint, value: f64, se: f64) -> Result<(), String> {
    let spread = {
        let mean = got.per_chain.iter().sum::<f64>() / got.per_chain.len() as f64;
        let squares: f64 = got.per_chain.iter().map(|x| (x - mean).powi(2)).sum();
        let n = got.per_chain.len() as f64;
        (squares / (n - 1.0) / n).sqrt()
    };
    let own = got.se.max(spread);
    let off = (got.value - value).abs();
    println!(
        "{text}: {:.4} ± {own:.4}, target {value:.4} ± {se:.4}",
        got.value
    );
    if off <= 3.0 * own.hypot(se) && own < 0.02 + 0.03 * value && got.failed_chains == 0 {
        Ok(())
    } else {
        Err(format!(
            "{text}: {:.4} ± {own:.4}, not {value:.4} ± {se:.4}",
            got.value
        ))
    }
}

/// Links whose target must be met: every target at two settings, and MALA.
const MET: &[&str] = &[
    "#/truth",
    "#/truth?h=2&gamma=0&eps=1e-3&draws=20000",
    "#/truth?sampler=mala&eps=1e-3",
    "#/truth?target=power",
    "#/truth?target=power&p=6&eps=5e-4&draws=20000",
    "#/truth?target=crossing&draws=30000",
    "#/truth?target=crossing&a=1&b=2&scale=4&nbeta=145&gamma=10&eps=2e-4&draws=30000",
    "#/truth?preset=linreg",
    "#/truth?target=linreg&n=500&nbeta=145&gamma=1&eps=1e-3&mbatch=8",
    "#/truth?preset=dln",
    "#/truth?target=dln&sampler=mala&eps=4e-4&draws=20000",
    "#/truth?target=bigram&eps=4e-4",
    "#/truth?target=bigram&nbeta=3000&eps=4e-4",
    "#/truth?preset=pentagon",
    "#/truth?target=tms&nbeta=1e5&gamma=1&gon=6&eps=2e-6&burnin=5000&draws=20000",
    "#/truth?target=tanh",
    "#/truth?target=tanh&hidden=4&eps=2e-4",
];

#[test]
fn every_target_is_met() {
    let mut wrong = Vec::new();
    for text in MET {
        let t = truth(&knobs(text));
        let Some(value) = t.value else {
            wrong.push(format!("{text}: no value"));
            continue;
        };
        wrong.extend(meets(text, &estimate(text), value, t.se).err());
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn other_values_are_rejected() {
    let text = "#/truth?eps=5e-4&draws=200000";
    let k = knobs(text);
    let (got, t) = (estimate(text), truth(&k));
    let value = t.value.unwrap();
    meets(text, &got, value, 0.0).unwrap();
    // λ, the posterior without the step's bias, and half the noise are all told apart.
    meets(text, &got, t.lambda, 0.0).unwrap_err();
    meets(text, &got, value - t.bias, 0.0).unwrap_err();
    meets(text, &got, value / 2.0, 0.0).unwrap_err();
}

#[test]
fn a_step_that_runs_away_is_named_and_replaced() {
    let link = link::parse("#/truth?eps=0.5");
    assert!(
        link.notices.iter().any(|n| n.text.contains("run away")),
        "{:?}",
        link.notices
    );
    assert!(link.knobs.float("eps") < 1e-2);
    assert_eq!(link::parse("#/truth?eps=0.5&sampler=mala").notices, []);
    // Knobs of other targets stand in the link and are not shown.
    let k = knobs("#/truth?target=power&p=6&h=1,2");
    assert!(k.query(false).contains("h=1,2"));
    let shown = |key: &str| k.applies(k.schema().iter().find(|x| x.key == key).unwrap());
    assert_eq!(
        [shown("p"), shown("h"), shown("nbeta")],
        [true, false, true]
    );
}

#[test]
fn minibatch_noise_raises_the_estimate_as_predicted() {
    let of = |m: u32| {
        truth(&knobs(&format!(
            "#/truth?target=linreg&nbeta=145&gamma=1&eps=1e-3&mbatch={m}"
        )))
    };
    let (full, few) = (of(1000).value.unwrap(), of(8).value.unwrap());
    assert!((few / full - 1.65).abs() < 0.2, "{few} {full}");
}
