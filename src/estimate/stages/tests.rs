use super::*;

/// Slopes 10, 6, −3, 5, 0.5 with knots at 2, 4, 6, 8 of 10 units.
const KNOTS: [f64; 4] = [2.0, 4.0, 6.0, 8.0];
const SLOPES: [f64; 5] = [10.0, 6.0, -3.0, 5.0, 0.5];

fn truth(x: f64) -> f64 {
    let mut y = SLOPES[0] * x;
    for (i, k) in KNOTS.iter().enumerate() {
        y += (SLOPES[i + 1] - SLOPES[i]) * (x - k).max(0.0);
    }
    y
}

fn noisy(n: usize, noise: f64, seed: u32, f: impl Fn(f64) -> f64) -> Vec<Point> {
    let mut draws = Draws::new(seed, Stream::Probe, 5);
    (0..n)
        .map(|i| {
            let x = 10.0 * (i as f64 + 0.5) / n as f64;
            Point {
                x,
                y: f(x) + noise * draws.normal(),
                se: noise,
            }
        })
        .collect()
}

fn kinds(stages: &[Stage]) -> Vec<Type> {
    stages.iter().map(|s| s.kind).collect()
}

#[test]
fn boundaries_and_types_are_found() {
    let mut good = 0;
    for seed in 0..20 {
        let found = stages(&noisy(100, 0.3, seed, truth), seed);
        let near = found.len() == 5
            && found
                .iter()
                .zip(&KNOTS)
                .all(|(s, k)| (s.to - k).abs() < 0.15);
        let typed = found.len() == 5
            && kinds(&found)[..4] == [Type::A, Type::A, Type::B, Type::A]
            && found[4].kind != Type::B;
        good += u32::from(near && typed);
    }
    assert!(good >= 18, "{good} of 20");
}

#[test]
fn intervals_cover_the_truth_when_the_data_are_poor() {
    let mut covered = 0;
    for seed in 0..10 {
        let found = stages(&noisy(40, 1.0, seed, truth), seed);
        // Every boundary found lies where one is.
        let all = found
            .iter()
            .filter_map(|s| s.end)
            .all(|(lo, hi)| KNOTS.iter().any(|k| lo - 0.25 <= *k && *k <= hi + 0.25));
        covered += u32::from(all && found.len() >= 4);
    }
    assert!(covered >= 9, "{covered} of 10");
}

#[test]
fn noise_alone_has_no_stage_of_type_b() {
    for f in [(|_| 3.0) as fn(f64) -> f64, |x| 4.0 * x.sqrt(), |x| 2.0 * x] {
        let none = (0..20)
            .filter(|&seed| !kinds(&stages(&noisy(60, 0.5, seed, f), seed)).contains(&Type::B))
            .count();
        assert!(none >= 18, "{none} of 20");
    }
    // A fall is seen, so that the test above can fail.
    let falling = stages(&noisy(60, 0.5, 1, |x| -2.0 * x), 1);
    assert_eq!(kinds(&falling), [Type::B]);
}

/// Points that scatter by five times their stated errors, as λ̂ of a model with several minima nearby does.
fn lying(n: usize, noise: f64, seed: u32, f: impl Fn(f64) -> f64) -> Vec<Point> {
    let points = noisy(n, noise, seed, f).into_iter();
    points
        .map(|p| Point {
            se: p.se / 5.0,
            ..p
        })
        .collect()
}

#[test]
fn stated_errors_that_are_too_small_buy_no_type_and_no_boundary() {
    for n in [8, 16, 60] {
        let (mut none, mut covered, mut planted) = (0, 0, 0);
        for seed in 0..40 {
            let points = lying(n, 1.0, seed, |_| 3.0);
            let found = stages(&points, seed);
            let typed = |s: &Stage| s.kind != Type::Unresolved;
            none += u32::from(found.len() == 1 && !found.iter().any(typed));
            covered += u32::from(found.iter().all(|s| s.change.abs() < 2.0 * s.se));
            // Planted fault: errors widened once more by what is left over of points that are widened already,
            // which is nothing, and then only those stated count.
            let widened = honest(&points, &fit(&points).unwrap());
            let again = scale(&fit(&widened).unwrap(), n);
            assert!(again < 1.3, "{again}");
            let wide = widened[0].se / points[0].se;
            assert!(wide > 2.0, "{wide}");
            planted += u32::from(
                found
                    .iter()
                    .any(|s| kind(s.change, s.se * again / wide) != Type::Unresolved),
            );
        }
        assert!(none >= 37 && covered >= 34, "{n}: {none}, {covered} of 40");
        assert!(planted >= 10, "{n}: {planted} of 40");
    }
}

#[test]
fn errors_and_intervals_hold_where_the_stated_ones_are_too_small() {
    let (mut found, mut ends, mut inside, mut changes, mut near) = (0, 0, 0, 0, 0);
    for seed in 0..20 {
        let all = stages(&lying(100, 0.3, seed, truth), seed);
        if all.len() == 5 {
            found += 1;
            for (stage, knot) in all.iter().zip(KNOTS) {
                let (lo, hi) = stage.end.unwrap();
                inside += u32::from(lo <= knot && knot <= hi);
                ends += 1;
            }
        }
        for s in &all {
            let off = s.change - (truth(s.to) - truth(s.from));
            near += u32::from(off.abs() < 2.0 * s.se);
            changes += 1;
        }
    }
    // 90 % and 95 % are stated; errors five times too small would hold for 30 %.
    assert!(found >= 18 && inside * 10 >= ends * 8, "{inside} of {ends}");
    assert!(near * 10 >= changes * 9, "{near} of {changes}");
}

#[test]
fn too_little_is_nothing() {
    assert!(stages(&noisy(3, 0.1, 1, |x| x), 1).is_empty());
}

#[test]
fn boundaries_that_are_given_are_kept_and_typed() {
    let points = noisy(100, 0.3, 4, truth);
    let edges = [0.05, 2.0, 4.0, 6.0, 8.0, 9.95];
    let found = given(&points, &edges, 4);
    assert!(
        found
            .iter()
            .zip(edges.windows(2))
            .all(|(s, e)| [s.from, s.to] == e)
    );
    assert_eq!(kinds(&found)[..4], [Type::A, Type::A, Type::B, Type::A]);
    for (stage, slope) in found.iter().zip(SLOPES) {
        let true_change = slope * (stage.to - stage.from);
        let off = (stage.change - true_change) / stage.se;
        assert!(
            off.abs() < 4.0 && stage.se < 1.0,
            "{stage:?}, {true_change}"
        );
    }
    // The boundaries matter: a fall cut in the middle of a rise and a fall is told otherwise.
    let moved = given(&points, &[0.05, 2.0, 5.0, 7.0, 8.0, 9.95], 4);
    assert_ne!(kinds(&moved), kinds(&found));
    // A stage without points of its own is unresolved, as is everything at a loud setting.
    let sparse = given(&points, &[0.05, 5.0, 5.01, 9.95], 4);
    assert_eq!(sparse[1].kind, Type::Unresolved);
    let loud = given(&noisy(12, 60.0, 4, truth), &edges, 4);
    assert!(kinds(&loud).iter().all(|k| *k == Type::Unresolved));
    assert!(given(&points[..3], &edges, 4).is_empty());
}

/// A jump at 600, a fall behind it, a slow rise: and then the beginning of the jump is set by hand to where
/// nothing begins, and the line has to cut the corner.
#[test]
fn an_end_that_is_moved_does_not_turn_a_stage_two_away() {
    let corners = [
        (0.0, 2.0),
        (435.0, 6.0),
        (616.0, 44.0),
        (744.0, 33.0),
        (1471.0, 46.0),
        (2500.0, 37.0),
    ];
    let corners = corners.map(|(t, y): (f64, f64)| (t.ln_1p(), y));
    let line = |x: f64| {
        let i = corners.windows(2).position(|c| x <= c[1].0).unwrap_or(4);
        let [(a, b), (c, d)] = [corners[i], corners[i + 1]];
        b + (d - b) * (x - a) / (c - a)
    };
    let mut draws = Draws::new(8, Stream::Probe, 5);
    // Small values are known better, and hold the line.
    let points = (0..=50).map(|i| {
        let x = f64::from(50 * i).ln_1p();
        let (y, se) = (line(x), if line(x) < 10.0 { 0.3 } else { 1.2 });
        let y = y + se * draws.normal();
        Point { x, y, se }
    });
    let points: Vec<Point> = points.collect();
    let mut edges = corners.map(|c| c.0);
    let right = given(&points, &edges, 1);
    assert_eq!(
        kinds(&right)[1..],
        [Type::A, Type::B, Type::A, Type::B],
        "{right:?}"
    );
    edges[1] = 300_f64.ln_1p();
    let moved = given(&points, &edges, 1);
    assert_eq!(moved[2].kind, Type::Unresolved, "{moved:?}");
    // Planted: the line itself says that λ̂ rises there.
    assert!(moved[2].change > 5.0);
}

/// λ̂ of a recorded run, as stages take it.
fn recorded(text: &str) -> Vec<Point> {
    let file: serde_json::Value = serde_json::from_str(text).unwrap();
    let number = |p: &serde_json::Value, key: &str| p[key].as_f64().unwrap();
    let points = file["llc"].as_array().unwrap().iter();
    points
        .map(|p| Point {
            x: number(p, "step").ln_1p(),
            y: number(p, "value"),
            se: number(p, "se"),
        })
        .collect()
}

#[test]
fn the_recorded_transition_is_a_rise_and_then_a_fall() {
    let points = recorded(include_str!("../../../www/traces/induction.json"));
    let found = stages(&points, 1);
    let (rise, fall) = (&found[found.len() - 2], &found[found.len() - 1]);
    assert!(rise.kind == Type::A && rise.change > 20.0, "{found:?}");
    assert!(fall.kind == Type::B && fall.change < -5.0, "{found:?}");
    assert!((600.0..800.0).contains(&rise.to.exp_m1()), "{found:?}");
    // Without the points that make it one, it is no fall.
    let early = stages(&points[..20], 1);
    assert!(early.iter().all(|s| s.kind != Type::B), "{early:?}");
}
