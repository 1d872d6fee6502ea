//! Conformance of every listed experiment: its card, its constraints, its plan, a few real steps.
//! Each check returns what is wrong; the planted faults at the end show that it can.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::exec::cpu::CpuExec;
use lambdahat::experiments::{self, CARDS, Card, Job, Of, Parts, STATS};
use lambdahat::kernels::{Elem, Step};
use lambdahat::knobs::{Kind, Knob, Knobs, Value};
use lambdahat::math::Stream;
use lambdahat::math::philox::Draws;

/// Small values of the knobs that make a run long or large, for whichever experiment has them.
const SMALL: &str = "steps=6&batch=4&chains=2&burnin=2&draws=3&mbatch=2&every=2&d_model=16&heads=2&vocab=16\
    &ctx=12&pmin=3&pmax=5&replicas=3&n=40";

fn small(card: &Card) -> Knobs {
    let mut knobs = Knobs::defaults(card.knobs);
    for (key, value) in SMALL.split('&').filter_map(|kv| kv.split_once('=')) {
        if knobs.get(key).is_some() {
            assert_eq!(knobs.set(key, value), None, "{}: {key}", card.id);
        }
    }
    (card.settle)(&mut knobs);
    knobs
}

fn parsed(card: &Card, query: &str) -> (Knobs, Vec<String>) {
    let mut knobs = Knobs::defaults(card.knobs);
    let mut notices = Vec::new();
    for pair in query.split('&').filter(|p| !p.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        notices.extend(knobs.set(key, value));
    }
    notices.extend((card.settle)(&mut knobs));
    (knobs, notices.into_iter().map(|n| n.text).collect())
}

fn in_range(knob: &Knob, value: Value) -> bool {
    match (knob.kind, value) {
        (Kind::Int { min, max }, Value::Int(i)) => (min..=max).contains(&i),
        (Kind::Float { min, max }, Value::Float(x)) => (min..=max).contains(&x),
        (Kind::Choice { options }, Value::Word(w)) => options.contains(&w),
        _ => false,
    }
}

/// What is wrong with a card.
fn card_faults(card: &Card) -> Vec<String> {
    let mut out = Vec::new();
    let mut check = |ok: bool, what: &dyn Fn() -> String| {
        if !ok {
            out.push(format!("{}: {}", card.id, what()));
        }
    };
    for (i, k) in card.knobs.iter().enumerate() {
        check(!card.knobs[..i].iter().any(|o| o.key == k.key), &|| {
            format!("{} twice", k.key)
        });
        check(in_range(k, k.default), &|| {
            format!("{}: default out of range", k.key)
        });
        check(k.help.len() > 20 && k.help.ends_with('.'), &|| {
            format!("{}: help is no sentence", k.key)
        });
        check(!k.label.is_empty(), &|| format!("{}: no label", k.key));
    }
    for key in [
        "seed", "steps", "chains", "nbeta", "gamma", "eps", "burnin", "draws",
    ] {
        check(card.knobs.iter().any(|k| k.key == key), &|| {
            format!("no knob {key}")
        });
    }
    check(
        card.presets.first().is_some_and(|p| p.query.is_empty()),
        &|| "the first preset is not the default".into(),
    );
    for (i, p) in card.presets.iter().enumerate() {
        let (knobs, notices) = parsed(card, p.query);
        check(notices.is_empty(), &|| {
            format!("preset {}: {notices:?}", p.id)
        });
        check(knobs.query(false) == p.query, &|| {
            format!("preset {}: {} is not in schema order", p.id, p.query)
        });
        check(!card.presets[..i].iter().any(|o| o.id == p.id), &|| {
            format!("preset {} twice", p.id)
        });
        check(p.help.ends_with('.'), &|| {
            format!("preset {}: help is no sentence", p.id)
        });
        let cost = (card.cost)(&knobs);
        check(
            cost.params > 0 && cost.bytes > 0 && cost.steps > 0 && cost.flops_per_step > 0.0,
            &|| format!("preset {}: a run for nothing {cost:?}", p.id),
        );
        let lines = (card.reference)(&knobs);
        check(
            !lines.is_empty() && lines.iter().all(|l| l.y.is_finite() && !l.label.is_empty()),
            &|| format!("preset {}: reference lines", p.id),
        );
    }
    let light = card
        .light
        .is_none_or(|l| card.presets.iter().any(|p| p.id == l));
    check(light, &|| "the light preset is not listed".into());
    check(card.losses.iter().any(|s| s.id == "loss"), &|| {
        "no series `loss`".into()
    });
    check(
        card.claim.ends_with('.') && !card.look_for.is_empty(),
        &|| "no claim or nothing to look for".into(),
    );
    let words = card.story.split_whitespace().count();
    check((50..=400).contains(&words), &|| {
        format!("a story of {words} words")
    });
    out
}

#[test]
fn cards() {
    let faults: Vec<String> = CARDS.iter().flat_map(|c| card_faults(c)).collect();
    assert_eq!(faults, Vec::<String>::new());
}

/// Whatever a link says, the settled knobs are possible: in range, settled once for all, and
/// within a budget of memory.
#[test]
fn hostile_links_settle() {
    let mut draws = Draws::new(1, Stream::Probe, 0);
    for card in CARDS {
        for trial in 0..300 {
            let mut knobs = Knobs::defaults(card.knobs);
            for k in card.knobs {
                let end = if trial < 2 { trial } else { draws.index(4) };
                let text = match (k.kind, end) {
                    (Kind::Int { min, .. }, 0) => min.to_string(),
                    (Kind::Int { max, .. }, 1) => max.to_string(),
                    (Kind::Int { min, max }, 2) => (min
                        + draws.index((max - min).min(4_000_000_000) as u32) as i64)
                        .to_string(),
                    (Kind::Float { min, .. }, 0) => min.to_string(),
                    (Kind::Float { max, .. }, 1) => max.to_string(),
                    (Kind::Choice { options }, _) => {
                        options[draws.index(options.len() as u32) as usize].to_string()
                    }
                    _ => continue,
                };
                assert_eq!(knobs.set(k.key, &text), None);
            }
            let asked = knobs.query(true);
            let notices = (card.settle)(&mut knobs);
            let said = format!("{}: {asked} -> {} {notices:?}", card.id, knobs.query(true));
            let settled = knobs.clone();
            assert_eq!((card.settle)(&mut knobs), vec![], "{said}");
            assert_eq!(knobs, settled, "{said}");
            assert!(
                card.knobs
                    .iter()
                    .all(|k| knobs.get(k.key).is_some_and(|v| in_range(k, v))),
                "{said}"
            );
            assert!((card.cost)(&knobs).bytes <= 1 << 30, "{said}");
            if trial < 60 {
                let parts =
                    experiments::build(card.id, &knobs).unwrap_or_else(|e| panic!("{e}: {said}"));
                assert!(
                    parts.plan.bytes() <= 1 << 30,
                    "{} bytes: {said}",
                    parts.plan.bytes()
                );
                let greatest = parts.plan.buffers.iter().map(|b| 4 * b.len).max().unwrap();
                assert!(
                    greatest <= 128 << 20,
                    "{greatest} bytes in a buffer: {said}"
                );
                assert!(
                    parts.checkpoints.len() <= 1000,
                    "{} checkpoints: {said}",
                    parts.checkpoints.len()
                );
            }
        }
    }
}

/// What a card says a run takes is what its plan takes.
#[test]
fn the_cost_on_the_card_is_that_of_the_plan() {
    for card in CARDS {
        for preset in card.presets {
            let (knobs, _) = parsed(card, preset.query);
            let (cost, parts) = (
                (card.cost)(&knobs),
                experiments::build(card.id, &knobs).unwrap(),
            );
            let said = format!(
                "{} {}: {cost:?}, plan {}",
                card.id,
                preset.id,
                parts.plan.bytes()
            );
            assert_eq!(cost.params as usize, parts.arena.len(), "{said}");
            assert_eq!(cost.steps, parts.steps, "{said}");
            let points = if parts.chains.is_some() {
                parts.checkpoints.len()
            } else {
                0
            };
            assert_eq!(cost.points as usize, points, "{said}");
            let ratio = cost.bytes as f64 / parts.plan.bytes() as f64;
            assert!((0.9..1.5).contains(&ratio), "{ratio}: {said}");
        }
    }
}

fn job_faults(parts: &Parts, job: &Job, name: &str) -> Vec<String> {
    let len = |b: lambdahat::plan::Buf| parts.plan.buffers[b.0].len;
    let mut out = Vec::new();
    let mut equal = |what: &str, is: usize, want: usize| {
        if is != want {
            out.push(format!("{name}: {what} {is}, not {want}"));
        }
    };
    let replicas = parts.plan.programs[job.program.0].replicas;
    equal("replica table", job.replicas.len(), replicas);
    equal("feed", len(job.feed), job.slots * job.rows * job.feed_len);
    equal("stats", len(job.stats), job.slots * replicas * STATS);
    equal(
        "rows read outside the feed",
        job.replicas
            .iter()
            .filter(|r| r.data_row as usize >= job.rows)
            .count(),
        0,
    );
    out
}

/// What is wrong with the parts of a lab, without running it.
fn parts_faults(parts: &Parts) -> Vec<String> {
    let mut out = job_faults(parts, &parts.train, "train");
    let len = |b: lambdahat::plan::Buf| parts.plan.buffers[b.0].len;
    let replicas = parts.train.replicas.len();
    let mut check = |ok: bool, what: &str| {
        if !ok {
            out.push(what.to_string());
        }
    };
    let weights = replicas * parts.arena.len();
    check(
        len(parts.params) == weights,
        "params are not replicas × arena",
    );
    check(
        parts.moments.iter().all(|(_, b)| len(*b) == weights),
        "moments are not replicas × arena",
    );
    let initial = parts.lab.initial();
    check(
        initial.len() == weights,
        "initial weights are not replicas × arena",
    );
    check(
        initial.iter().all(|w| w.is_finite()),
        "an initial weight is not finite",
    );
    check(
        parts.follow < replicas,
        "follows a replica that is not there",
    );
    let rising = |v: &[u64]| v.windows(2).all(|w| w[0] < w[1]);
    check(
        rising(&parts.evals) && rising(&parts.checkpoints),
        "steps do not rise",
    );
    check(
        parts.evals.first() == Some(&0) && parts.evals.last() == Some(&parts.steps),
        "ends are not evaluated",
    );
    check(
        parts
            .checkpoints
            .iter()
            .all(|c| parts.evals.binary_search(c).is_ok()),
        "a checkpoint is not evaluated",
    );
    let float = |b: lambdahat::plan::Buf| parts.plan.buffers[b.0].elem == Elem::F32;
    check(
        parts
            .reads
            .iter()
            .all(|(b, r)| float(*b) && r.end <= len(*b)),
        "a read outside its buffer",
    );
    let setup = parts.lab.setup();
    check(
        setup
            .words
            .iter()
            .all(|(b, at, w)| !float(*b) && at + w.len() <= len(*b)),
        "setup words outside",
    );
    check(
        setup
            .floats
            .iter()
            .all(|(b, at, w)| float(*b) && at + w.len() <= len(*b)),
        "setup floats outside",
    );

    let fed = |of, step| {
        let mut words = Vec::new();
        parts.lab.feed(of, step, &mut words);
        words
    };
    let mut feed = |job: &Job, of: Of, name: &str| {
        check(
            fed(of, 3).len() == job.rows * job.feed_len,
            &format!("{name}: a slot is not rows × feed_len"),
        );
        check(
            fed(of, 3) == fed(of, 3),
            &format!("{name}: its data is not a function of the step"),
        );
        check(
            of == Of::Eval || fed(of, 3) != fed(of, 4),
            &format!("{name}: two steps see the same data"),
        );
    };
    feed(&parts.train, Of::Train, "train");
    if let Some(eval) = &parts.eval {
        feed(eval, Of::Eval, "eval");
    }
    let chains_at = |checkpoint| Of::Chains {
        checkpoint,
        follow: parts.follow,
    };
    if let Some(chains) = &parts.chains {
        feed(&chains.job, chains_at(2), "chains");
        check(
            fed(chains_at(2), 0) != fed(chains_at(4), 0),
            "chains: two checkpoints see the same data",
        );
        let table = parts.lab.chain_replicas(2, parts.follow);
        check(
            table.len() == chains.chains + 1,
            "chains: a table of another length",
        );
        let (last, moving) = table.split_last().unwrap();
        check(
            last.eps == 0.0 && moving.iter().all(|r| r.eps > 0.0),
            "chains: the anchor is not the last, alone",
        );
        let mut seeds: Vec<u32> = moving.iter().map(|r| r.seed).collect();
        seeds.extend(
            parts
                .lab
                .chain_replicas(4, parts.follow)
                .iter()
                .take(chains.chains)
                .map(|r| r.seed),
        );
        seeds.sort_unstable();
        check(
            seeds.windows(2).all(|w| w[0] != w[1]),
            "chains: two share a stream of noise",
        );
        check(
            table.iter().all(|r| r.data_row == table[0].data_row),
            "chains: they see different data",
        );
        check(
            len(chains.params) == table.len() * parts.arena.len(),
            "chains: params are not replicas × arena",
        );
        check(
            len(chains.anchor) == parts.arena.len(),
            "chains: the anchor is not one replica",
        );
        let job = job_faults(parts, &chains.job, "chains");
        job.iter().for_each(|j| check(false, j));
    }
    if let Some(eval) = &parts.eval {
        out.extend(job_faults(parts, eval, "eval"));
    }
    out
}

/// An engine of nothing but loops.
struct Bench {
    parts: Parts,
    exec: CpuExec<f32>,
}

impl Bench {
    fn new(parts: Parts) -> Self {
        let mut exec = CpuExec::new(&parts.plan);
        exec.submit(&parts.lab.setup());
        exec.floats_mut(parts.params)
            .copy_from_slice(&parts.lab.initial());
        exec.set_replicas(parts.train.program, &parts.train.replicas);
        Self { parts, exec }
    }
    /// One step of a job in slot 0; its stats.
    fn step(&mut self, job: &Job, of: Of, step: u64) -> Vec<f32> {
        let mut words = Vec::new();
        self.parts.lab.feed(of, step, &mut words);
        self.exec.words_mut(job.feed)[..words.len()].copy_from_slice(&words);
        self.exec.step(
            job.program,
            Step {
                slot: 0,
                ..self.parts.lab.step(of, step)
            },
        );
        self.exec.floats(job.stats)[..job.replicas.len() * STATS].to_vec()
    }
}

/// What goes wrong when a lab runs a few steps; `meddle` may plant a fault in the chains.
fn run_faults(
    card: &Card,
    parts: Parts,
    meddle: impl Fn(&mut [lambdahat::kernels::Replica]),
) -> Vec<String> {
    let mut out = Vec::new();
    let mut bench = Bench::new(parts);
    let (train, eval, chains) = (
        bench.parts.train.clone(),
        bench.parts.eval.clone(),
        bench.parts.chains.clone(),
    );
    let before = bench.exec.floats(bench.parts.params).to_vec();
    for s in 0..4 {
        let stats = bench.step(&train, Of::Train, s);
        if !stats.iter().all(|x| x.is_finite()) || stats[0] <= 0.0 {
            out.push(format!("train step {s}: {stats:?}"));
        }
    }
    let trained = bench.exec.floats(bench.parts.params).to_vec();
    if trained == before || !trained.iter().all(|w| w.is_finite()) {
        out.push("training moved nothing, or out of the finite numbers".into());
    }
    if let Some(eval) = &eval {
        bench.exec.set_replicas(eval.program, &eval.replicas);
        bench.step(eval, Of::Eval, 0);
    }
    let reads: Vec<Vec<f32>> = bench
        .parts
        .reads
        .iter()
        .map(|(b, r)| bench.exec.floats(*b)[r.clone()].to_vec())
        .collect();
    let seen = bench
        .parts
        .lab
        .observe(4, bench.parts.follow, &trained, &reads);
    for s in card.losses.iter().filter(|s| s.id != "loss.train") {
        if !seen
            .values
            .iter()
            .any(|(id, y)| id == s.id && y.is_finite())
        {
            out.push(format!("no finite {} among {:?}", s.id, seen.values));
        }
    }
    let row = &seen.pca_row;
    if row.is_empty()
        || row.len() > 8192
        || !row.iter().all(|x| x.is_finite())
        || row.iter().all(|&x| x == row[0])
    {
        out.push(format!(
            "a PCA row of {} numbers that says nothing",
            row.len()
        ));
    }
    if seen.figure.is_none() {
        out.push("no figure".into());
    }
    let Some(chains) = chains else { return out };
    let n = bench.parts.arena.len();
    let follow = bench.parts.follow;
    let w = trained[follow * n..][..n].to_vec();
    let mut table = bench.parts.lab.chain_replicas(4, follow);
    meddle(&mut table);
    bench.exec.set_replicas(chains.job.program, &table);
    bench.exec.floats_mut(chains.anchor).copy_from_slice(&w);
    bench
        .exec
        .floats_mut(chains.params)
        .copy_from_slice(&w.repeat(table.len()));
    let of = Of::Chains {
        checkpoint: 4,
        follow,
    };
    for s in 0..chains.burnin + chains.draws {
        let stats = bench.step(&chains.job, of, s);
        let losses: Vec<f32> = stats.chunks(STATS).map(|r| r[0]).collect();
        if !losses.iter().all(|x| x.is_finite()) {
            out.push(format!("chain step {s}: {losses:?}"));
        }
        // The loss is that before the update: at the first step every chain is at w*.
        if s == 0 && losses.iter().any(|x| x.to_bits() != losses[0].to_bits()) {
            out.push(format!("chains do not start at w*: {losses:?}"));
        }
    }
    let ends = bench.exec.floats(chains.params);
    let same = |r: usize| {
        ends[r * n..][..n]
            .iter()
            .zip(&w)
            .all(|(a, b)| a.to_bits() == b.to_bits())
    };
    if !same(chains.chains) {
        out.push("the anchor moved".into());
    }
    if (0..chains.chains).any(same) {
        out.push("a chain stood still".into());
    }
    if bench.exec.floats(bench.parts.params) != trained {
        out.push("sampling changed the trained weights".into());
    }
    out
}

fn lab(card: &Card) -> Parts {
    experiments::build(card.id, &small(card)).unwrap_or_else(|e| panic!("{}: {e}", card.id))
}

#[test]
fn labs() {
    for card in CARDS {
        assert_eq!(
            parts_faults(&lab(card)),
            Vec::<String>::new(),
            "{}",
            card.id
        );
        assert_eq!(
            run_faults(card, lab(card), |_| ()),
            Vec::<String>::new(),
            "{}",
            card.id
        );
    }
}

/// Every preset builds, and its tables hold together (nothing is run).
#[test]
fn presets_build() {
    for card in CARDS {
        for preset in card.presets {
            let parts = experiments::build(card.id, &parsed(card, preset.query).0).unwrap();
            assert_eq!(
                parts_faults(&parts),
                Vec::<String>::new(),
                "{} {}",
                card.id,
                preset.id
            );
        }
    }
}

#[test]
fn an_unlisted_experiment_is_a_bad_link() {
    let knobs = Knobs::defaults(CARDS[0].knobs);
    assert!(matches!(
        experiments::build("nothing", &knobs),
        Err(lambdahat::protocol::Fault::BadLink(_))
    ));
}

#[test]
fn planted_faults_in_cards_are_seen() {
    for card in CARDS {
        let seen = |bad: Card, what: &str| {
            assert!(
                card_faults(&bad).iter().any(|f| f.contains(what)),
                "{}: {what}",
                card.id
            );
        };
        let with = |knobs: Vec<Knob>| Card {
            knobs: knobs.leak(),
            ..**card
        };
        let mut twice = card.knobs.to_vec();
        twice.push(twice[0]);
        seen(with(twice), "twice");
        let mut out = card.knobs.to_vec();
        let seed = out.iter().position(|k| k.key == "seed").unwrap();
        out[seed].default = Value::Int(-1);
        seen(with(out), "out of range");
        let mut dumb = card.knobs.to_vec();
        dumb[0].help = "";
        seen(with(dumb), "no sentence");
        seen(
            Card {
                light: Some("feather"),
                ..**card
            },
            "light preset",
        );
        seen(
            Card {
                story: "Short.",
                ..**card
            },
            "a story of 1 words",
        );
        let noisy = |_: &mut Knobs| vec![lambdahat::protocol::Notice::new("no")];
        seen(
            Card {
                settle: noisy,
                ..**card
            },
            "preset",
        );
    }
}

#[test]
fn planted_faults_in_labs_are_seen() {
    for card in CARDS {
        let seen = |change: &dyn Fn(&mut Parts), what: &str| {
            let mut parts = lab(card);
            change(&mut parts);
            let faults = parts_faults(&parts);
            assert!(
                faults.iter().any(|f| f.contains(what)),
                "{}: {what} not in {faults:?}",
                card.id
            );
        };
        seen(&|p| p.train.slots += 1, "train: feed");
        seen(&|p| p.train.feed_len += 1, "rows × feed_len");
        seen(&|p| p.train.replicas.clear(), "replica table");
        seen(&|p| p.train.replicas[0].data_row = 99, "outside the feed");
        seen(&|p| p.params = p.train.stats, "params are not");
        seen(&|p| p.checkpoints.insert(1, 1), "is not evaluated");
        seen(&|p| p.evals.reverse(), "do not rise");
        seen(&|p| p.follow = 99, "follows");
        seen(
            &|p| p.reads.push((p.params, 0..1 << 30)),
            "outside its buffer",
        );
        seen(
            &|p| p.chains.as_mut().unwrap().chains += 1,
            "another length",
        );
        // An anchor that moves, and a chain that does not.
        let run = |meddle: &dyn Fn(&mut [lambdahat::kernels::Replica])| {
            run_faults(card, lab(card), meddle)
        };
        let moving = run(&|t| t.last_mut().unwrap().eps = 1e-4);
        assert!(
            moving.contains(&"the anchor moved".to_string()),
            "{moving:?}"
        );
        let still = run(&|t| t[0].eps = 0.0);
        assert!(
            still.contains(&"a chain stood still".to_string()),
            "{still:?}"
        );
        let mut nan = Bench::new(lab(card));
        nan.exec.floats_mut(nan.parts.params)[0] = f32::NAN;
        let train = nan.parts.train.clone();
        let stats: Vec<f32> = (0..40)
            .flat_map(|s| nan.step(&train, Of::Train, s))
            .collect();
        assert!(
            stats.iter().any(|x| x.is_nan()),
            "{}: a NaN weight went unnoticed",
            card.id
        );
    }
}
