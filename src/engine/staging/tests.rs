use super::*;
use crate::app::link;
use crate::exec::{Exec, cpu::CpuExec};
use crate::protocol::{Cell, CellResult, StudySpec};

/// λ̂ rises with ln(step + 1) up to step 100 and falls after it.
fn llc(step: u64) -> f64 {
    let x = |s: f64| s.ln_1p();
    let (at, peak) = (x(step as f64), x(100.0));
    if at < peak {
        3.0 * at
    } else {
        3.0 * peak - 8.0 * (at - peak)
    }
}

/// A run of 1000 steps whose history was written by hand: the loss falls all the way, a second series
/// moves after step 500 alone.
fn session() -> Session {
    let link = link::parse("#/tms?replicas=1&steps=1000&every=50&log=3&chains=2&nbeta=500");
    let parts = crate::experiments::build(link.experiment, &link.knobs).unwrap();
    let exec = Exec::Cpu(Box::new(CpuExec::new(&parts.plan)));
    let mut session = Session::new(parts, exec);
    for step in session.parts.checkpoints.clone() {
        session.history.push_llc(LlcPoint {
            step,
            value: llc(step),
            se: 0.2,
            ..LlcPoint::default()
        });
        session
            .history
            .push("loss", step, 2.0 - (step as f64).ln_1p() / 7.0);
        session
            .history
            .push("late", step, (step as f64 - 500.0).max(0.0));
    }
    session
}

fn kinds(s: &Session) -> Vec<StageKind> {
    s.staging.view.stages.iter().map(|s| s.kind).collect()
}

/// A series that goes from one value to another between steps 400 and 600.
fn going(id: &'static str, from: f64, to: f64) -> (&'static str, Series) {
    let x: Vec<f64> = (0..=20).map(|i| f64::from(i) * 50.0).collect();
    let y = x
        .iter()
        .map(|x| from + (to - from) * ((x - 400.0) / 200.0).clamp(0.0, 1.0));
    let y = y.collect();
    let series = Series {
        x,
        y,
        ..Series::default()
    };
    (id, series)
}

#[test]
fn what_is_named_is_no_trifle_and_few_of_a_kind() {
    let all = [
        // Planted: most of its own range, and 0.018 in a score.
        going("heads.0.1.duplicate_token", 0.024, 0.006),
        going("heads.1.0.prefix_matching", 0.15, 0.52),
        going("heads.1.1.prefix_matching", 0.15, 0.45),
        going("loss", 3.2, 1.7),
        going("loss.repeat", 2.9, 0.47),
        going("loss.first", 3.9, 4.3),
        going("icl", -0.9, -3.8),
        going("loss.late", 3.0, 0.5),
        going("heads.0.1.ablation.repeat", 0.6, 3.4),
        going("norm", 20.0, 21.0),
    ];
    let curves: Vec<(&str, &Series)> = all.iter().map(|(id, s)| (*id, s)).collect();
    let named = moved(&curves, 400, 600);
    let ids: Vec<&str> = named.iter().map(|m| m.id.as_str()).collect();
    let (one, two) = ("heads.0.1.ablation.repeat", "heads.1.0.prefix_matching");
    assert_eq!(ids, ["icl", one, "loss.repeat", two]);
    assert_eq!((named[3].from, named[3].to), (0.15, 0.52));
    // Planted: by the share of its range the trifle would be in front of all.
    assert!(range(&all[0].1) < 0.05 && moved(&curves[..1], 400, 600).is_empty());
    // Before it happens nothing moves.
    assert!(moved(&curves, 0, 400).is_empty());
}

#[test]
fn what_is_no_minimum_is_no_stage() {
    let mut s = session();
    // λ̂ as early in a run: far below 0, then up.
    for p in s.history.llc.iter_mut().filter(|p| p.step < 46) {
        p.value -= 40.0;
    }
    s.stage();
    let first = s.history.llc.iter().find(|p| p.step >= 46).unwrap().step;
    assert_eq!(s.staging.view.stages[0].from, first);
    assert_eq!(kinds(&s), [StageKind::A, StageKind::B]);
    // Within its error of 0 it counts.
    s.history.llc[0].value = -0.3;
    s.staging.stale = true;
    s.stage();
    assert_eq!(s.staging.view.stages[0].from, 0);
    // Planted: without errors nothing is told apart from 0, and the rise from below would be a stage.
    let all = points(s.history.llc.iter().map(|p| (p.step, p.value, p.se)));
    let [x, y] = [all[1].x, all[1].y];
    assert!(y < -2.0 * all[1].se && settled(all[1..].to_vec())[0].x > x);
}

#[test]
fn a_rise_and_a_fall_are_found_with_what_moved() {
    let mut s = session();
    s.stage();
    assert_eq!(kinds(&s), [StageKind::A, StageKind::B]);
    let [a, b] = [0, 1].map(|i| &s.staging.view.stages[i]);
    assert!((80..125).contains(&a.to) && b.to == 1000, "{a:?}");
    // The interval ends at checkpoints.
    let steps: Vec<u64> = s.history.llc.iter().map(|p| p.step).collect();
    let [lo, hi] = a.end.unwrap();
    assert!(steps.contains(&lo) && steps.contains(&hi) && lo <= a.to && a.to <= hi);
    assert_eq!(b.end, None);
    assert!(a.falling && b.falling && b.dloss.unwrap() < -0.1);
    assert_eq!(b.moved[0].id, "late");
    assert!(!a.moved.iter().any(|m| m.id == "late"));
    // Found once: nothing changed.
    let before = s.staging.version;
    s.stage();
    assert_eq!(s.staging.version, before);
}

#[test]
fn too_few_points_have_no_stages() {
    let mut s = session();
    s.history.llc.truncate(3);
    s.stage();
    assert!(s.staging.view.stages.is_empty());
}

#[test]
fn boundaries_by_hand_hold_until_they_are_taken_back() {
    let mut s = session();
    s.staging.cut(Some(vec![500, 20, 5000]));
    s.stage();
    let ends: Vec<u64> = s.staging.view.stages.iter().map(|s| s.to).collect();
    assert_eq!((ends, s.staging.view.by_hand), (vec![20, 500, 1000], true));
    let hand = |s: &Session| -> Vec<bool> {
        let all = s.staging.view.stages.iter();
        all.map(|s| s.by_hand).collect()
    };
    assert_eq!(hand(&s), [true, true, false]);
    // A reload keeps them.
    let mut again = session();
    again.staging.choose(Chosen::of(s.staging.chosen().rows()));
    again.stage();
    assert_eq!(again.staging.view, s.staging.view);
    s.staging.cut(None);
    s.stage();
    assert_eq!(s.staging.view.stages.len(), 2);
    assert!(!s.staging.view.by_hand);
    assert_eq!(hand(&s), [false, false]);
    // What was not touched keeps its interval, after a reload too; what is moved loses it.
    let found = s.staging.view.stages[0].clone();
    s.staging.cut(Some(vec![found.to, 500]));
    s.stage();
    let kept = &s.staging.view.stages;
    assert!(kept[0].end.is_some() && kept[0].end == found.end && kept[1].end.is_none());
    assert_eq!(hand(&s), [false, true, false]);
    let mut again = session();
    again.staging.choose(Chosen::of(s.staging.chosen().rows()));
    again.stage();
    assert_eq!(again.staging.view, s.staging.view);
    s.staging.cut(Some(vec![found.to + 20, 500]));
    s.stage();
    assert_eq!(hand(&s), [true, true, false]);
}

/// The curve again at a third of nβ, `bend` times as bent.
fn study(s: &Session, kind: StudyKind, nbeta: f64, bend: f64) -> Study {
    let steps: Vec<u64> = s.history.llc.iter().map(|p| p.step).collect();
    let own = s.parts.chains.as_ref().unwrap().settings.told();
    let cell = |&step: &u64| Cell {
        replica: None,
        step,
        nbeta,
        gamma: own.gamma,
        eps: own.eps,
        part: own.part.clone(),
    };
    let done = |(cell, &step): (usize, &u64)| CellResult {
        cell: cell as u32,
        value: Some(bend * llc(step)),
        se: 0.2,
        ..CellResult::default()
    };
    Study {
        done: steps.iter().enumerate().map(done).collect(),
        spec: StudySpec {
            kind,
            cells: steps.iter().map(cell).collect(),
            ..StudySpec::default()
        },
        over: true,
        ..Study::default()
    }
}

#[test]
fn a_second_setting_agrees_or_does_not() {
    let typed = |bend: f64| {
        let mut s = session();
        let own = s.parts.chains.as_ref().unwrap().settings.told();
        s.staging
            .take(&study(&s, StudyKind::Again, 170.0, bend), &own, 0);
        s.stage();
        let second = |s: &Stage| s.second.map(|c| c.kind);
        s.staging.view.stages.iter().map(second).collect::<Vec<_>>()
    };
    use StageKind::{A, B, Unresolved};
    assert_eq!(typed(0.5), [Some(A), Some(B)]);
    let mut kept = session();
    let own = kept.parts.chains.as_ref().unwrap().settings.told();
    let again = study(&kept, StudyKind::Again, 170.0, 0.5);
    kept.staging.take(&again, &own, 0);
    let chosen = kept.staging.chosen();
    assert!(chosen.second.is_some() && Chosen::of(chosen.rows()) == *chosen);
    assert_eq!(typed(-0.5), [Some(B), Some(A)]);
    assert_eq!(typed(0.0), [Some(Unresolved); 2]);
    // Estimated while the run went on, it types what it saw to its end, and nothing later.
    let mut early = session();
    let mut part = study(&early, StudyKind::Second, 170.0, 0.5);
    let points = part.done.len();
    part.done.truncate(points - 1);
    early.staging.take(&part, &own, 0);
    early.stage();
    let stages = early.staging.view.stages.iter();
    let typed: Vec<bool> = stages.map(|s| s.second.is_some()).collect();
    assert_eq!(typed, [true, false]);
    // Nor has a model that of another one.
    let mut other = session();
    let mut theirs = study(&other, StudyKind::Second, 170.0, 0.5);
    theirs
        .spec
        .cells
        .iter_mut()
        .for_each(|c| c.replica = Some(1));
    other.staging.take(&theirs, &own, 0);
    assert!(other.staging.chosen().second.is_none());
    // The run's own setting is no second one, nor is a sweep.
    let mut s = session();
    let own = s.parts.chains.as_ref().unwrap().settings.told();
    s.staging
        .take(&study(&s, StudyKind::Again, own.nbeta, 1.0), &own, 0);
    s.staging
        .take(&study(&s, StudyKind::Sweep, 170.0, 1.0), &own, 0);
    s.stage();
    assert_eq!(s.staging.view.second, None);
}

/// Nothing happens but noise: no stage is resolved, and nothing is said to have moved. The same noise
/// around a series that does move does not hide it.
#[test]
fn where_nothing_moves_nothing_is_named() {
    use crate::math::philox::{Draws, Stream};
    let still = |seed: u32, trend: f64| {
        let mut s = session();
        let mut draws = Draws::new(seed, Stream::Probe, 0);
        s.history.series.clear();
        for p in &mut s.history.llc {
            p.value = 5.0 + p.se * draws.normal();
            let along = p.step as f64 / 1000.0;
            for id in ["loss", "heads.0.0.prev_token", "icl"] {
                let y = 1.0 + 0.01 * draws.normal();
                let series = s.history.series.entry(id.into()).or_default();
                series.x.push(p.step as f64);
                series
                    .y
                    .push(if id == "icl" { y - trend * along } else { y });
            }
        }
        s.stage();
        assert_eq!(kinds(&s), [StageKind::Unresolved], "{seed}");
        s.staging.view.stages[0].moved.clone()
    };
    let silent = (0..20).filter(|&seed| still(seed, 0.0).is_empty()).count();
    assert!(
        silent >= 19,
        "{silent} of 20 runs without an event are silent"
    );
    let named = still(3, 0.2);
    assert!(
        named.len() == 1 && named[0].id == "icl" && named[0].to < named[0].from - 0.15,
        "{named:?}"
    );
}
