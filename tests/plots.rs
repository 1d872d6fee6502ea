//! Charts: recorded SVG, decimation that keeps extremes, and axes that hold against nonsense.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::plot::arrows::{Arrow, step};
use lambdahat::plot::decimate::decimate;
use lambdahat::plot::export::{export, stylesheet};
use lambdahat::plot::line::Level;
use lambdahat::plot::panels::{self, Curve, LlcCurve, Look};
use lambdahat::plot::posterior::{Posterior, Walk};
use lambdahat::plot::{Mark, Scene};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::path::{Path, PathBuf};

const LOOK: Look = Look {
    width: 420.0,
    height: 280.0,
    x_max: 1800.0,
    window: None,
    log_x: false,
    log_y: false,
    recorded: false,
};

fn curve() -> (Vec<f64>, Vec<f64>) {
    (0..=90)
        .map(|i| f64::from(i) * 20.0)
        .map(|x| (x, 4.2 / (1.0 + ((x - 700.0) / 80.0).exp()) + 0.4))
        .unzip()
}

/// Compares with the recorded file.
fn matches(name: &str, scene: &Scene) -> bool {
    let text = format!("{}\n", scene.svg().replace("><", ">\n<"));
    std::fs::read_to_string(golden(name)).unwrap_or_default() == text
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/plots")
        .join(format!("{name}.svg"))
}

/// As [`matches`]; `LAMBDAHAT_BLESS=1` records the file anew first.
fn snapshot(name: &str, scene: &Scene) -> bool {
    if std::env::var_os("LAMBDAHAT_BLESS").is_some() {
        std::fs::write(
            golden(name),
            format!("{}\n", scene.svg().replace("><", ">\n<")),
        )
        .unwrap();
    }
    matches(name, scene)
}

#[test]
fn the_loss_chart_is_as_recorded() {
    let (x, y) = curve();
    let low: Vec<f64> = y.iter().map(|y| y * 0.8).collect();
    let named = |label, y| Curve {
        label,
        x: &x,
        y,
        class: "",
    };
    let level = Level {
        y: 4.85,
        label: "uniform".into(),
        help: "ln V".into(),
    };
    let curves = [
        named("first", &y),
        named("repeat", &low),
        Curve {
            label: "",
            x: &x,
            y: &low,
            class: "g5",
        },
    ];
    let mut chart = panels::loss(&LOOK, "nats", &curves, vec![level]);
    let drawn = chart.draw();
    assert_eq!(drawn.points, 91);
    assert!(snapshot("loss", &drawn.scene));
    // Planted fault: a chart one point shorter is another picture.
    chart.lines[1].x = &x[..90];
    assert!(!matches("loss", &chart.draw().scene));
    let logs = Look {
        log_x: true,
        log_y: true,
        ..LOOK
    };
    let chart = panels::loss(&logs, "nats", &curves, Vec::new());
    let drawn = chart.draw();
    assert!(snapshot("loss-log", &drawn.scene));
    for decade in [">1<", ">10<", ">100<", ">1\u{202f}000<"] {
        assert!(drawn.scene.svg().contains(decade), "{decade}");
    }
    assert!(snapshot("loss-cursor", &chart.cursor(&drawn.frame, 640.0)));
}

#[test]
fn a_window_shows_its_steps_alone() {
    let (x, y) = curve();
    let named = [Curve {
        label: "loss",
        x: &x,
        y: &y,
        class: "",
    }];
    for log_x in [false, true] {
        let chart = |window| {
            let look = Look {
                window,
                log_x,
                ..LOOK
            };
            panels::loss(&look, "nats", &named, Vec::new()).draw()
        };
        let (whole, part) = (chart(None), chart(Some([900.0, 1300.0])));
        // Behind the drop the values are few, and the axis is theirs alone.
        let span = |c: &lambdahat::plot::Chart| c.frame.y.max - c.frame.y.min;
        assert!(span(&part) < 0.2 * span(&whole), "{}", span(&part));
        assert_eq!((part.frame.x.min, part.frame.x.max), (900.0, 1300.0));
        // A point on either side goes on to the edges.
        assert!(part.points == 23 && whole.points >= 90);
        // Planted: a window of everything is the whole.
        assert_eq!(chart(Some([0.0, 1800.0])), whole);
    }
}

#[test]
fn the_llc_chart_is_as_recorded() {
    let x = [100.0, 300.0, 500.0, 600.0, 650.0, 700.0, 1000.0, 1300.0];
    let y = [1.9, 5.2, 11.5, 37.6, 79.0, 65.0, 49.2, 42.0];
    let se = [0.1, 0.1, 0.2, 0.9, 2.0, 1.1, 0.7, 0.5];
    let lo: Vec<f64> = y.iter().zip(se).map(|(y, s)| y - s).collect();
    let hi: Vec<f64> = y.iter().zip(se).map(|(y, s)| y + s).collect();
    let curve = LlcCurve {
        x: &x,
        y: &y,
        lo: &lo,
        hi: &hi,
    };
    assert!(snapshot("llc", &panels::llc(&LOOK, curve).draw().scene));
    let recorded = panels::llc(
        &Look {
            recorded: true,
            ..LOOK
        },
        curve,
    )
    .draw()
    .scene
    .svg();
    assert!(recorded.contains("recorded") && !recorded.contains("s4"));
}

#[test]
fn the_pca_chart_is_as_recorded() {
    let steps: Vec<f64> = (0..40).map(|i| f64::from(i) * 45.0).collect();
    let pcs: Vec<[f64; 3]> = steps
        .iter()
        .map(|s| s / 600.0)
        .map(|t| [3.0 * t.cos(), (2.0 * t).sin(), 0.0])
        .collect();
    let chart = panels::pca(&LOOK, &steps, &pcs, [0.74, 0.15, 0.05]);
    let drawn = chart.draw();
    assert!(snapshot("pca", &drawn.scene));
    assert!(drawn.scene.svg().contains("PC1 74 %, random walk 61 %"));
    let at = [drawn.frame.x.px(pcs[7][0]), drawn.frame.y.px(pcs[7][1])];
    assert_eq!(chart.step_at(&drawn.frame)(at), Some(steps[7]));
}

/// Posterior of nβ·x²y² + (γ/2)(x² + y²), or of nβw⁴ + (γ/2)w².
fn posterior<'a>(names: &'a [&'a str], energy: &'a dyn Fn([f64; 2]) -> f64) -> Posterior<'a> {
    Posterior {
        width: 420.0,
        height: 300.0,
        names,
        center: [0.0; 2],
        energy,
    }
}

/// Points of every path of that class.
fn paths(marks: &[Mark], class: &str) -> Vec<Vec<[f64; 2]>> {
    let mut out = Vec::new();
    for mark in marks {
        match mark {
            Mark::Path {
                class: own, points, ..
            } if own.contains(class) => out.push(points.clone()),
            Mark::Clip { marks, .. } => out.extend(paths(marks, class)),
            _ => {}
        }
    }
    out
}

#[test]
fn contours_stand_where_the_density_has_their_level() {
    let energy = |[x, y]: [f64; 2]| 1000.0 * x * x * y * y + 5.0 * (x * x + y * y);
    let chart = posterior(&["x", "y"], &energy);
    let (frame, scene) = (chart.frame(), chart.ground());
    let rings = paths(&scene.marks, "density");
    assert_eq!(rings.len(), 8);
    for (j, ring) in (1..=8).rev().zip(&rings) {
        let level = 6.0 * f64::powi(f64::from(j) / 8.0, 2);
        for p in ring {
            let at = energy([frame.x.at(p[0]), frame.y.at(p[1])]);
            assert!((at / level - 1.0).abs() < 1e-6, "{at} {level}");
        }
    }
    // The arms of the crossing reach to √(6/5) along both axes, and its waist is narrow.
    let outer = &rings[0];
    let reach = outer.iter().map(|p| frame.x.at(p[0])).fold(0.0, f64::max);
    assert!((reach - 1.2f64.sqrt()).abs() < 1e-6, "{reach}");
    let waist = outer.iter().map(|p| [frame.x.at(p[0]), frame.y.at(p[1])]);
    let waist = waist.map(|w| w[0].hypot(w[1])).fold(9.0, f64::min);
    assert!(waist < 0.4, "{waist}");
    assert!(snapshot("posterior", &scene));
    // A valley without an end is cut off, not looked for to the end.
    let open = |[x, y]: [f64; 2]| 1000.0 * x * x * y * y;
    let scene = posterior(&["x", "y"], &open).ground();
    let rings = paths(&scene.marks, "density");
    assert!(rings.iter().flatten().flatten().all(|x| x.is_finite()));
}

#[test]
fn walks_fade_and_end_at_the_chain() {
    let energy = |[x, y]: [f64; 2]| 5.0 * (x * x + y * y);
    let chart = posterior(&["x", "y"], &energy);
    let frame = chart.frame();
    let path: Vec<[f64; 2]> = (0..=150).map(|i| [f64::from(i) / 300.0, 0.1]).collect();
    let walk = Walk {
        class: "s1",
        chosen: true,
        path: &path,
    };
    let pieces = paths(&chart.walks(&[walk]).marks, "walk s1 chosen");
    assert_eq!(pieces.len(), 5);
    // A hundred steps, in pieces that hang together; the newest ends at the chain.
    assert!((frame.x.at(pieces[0][0][0]) - 50.0 / 300.0).abs() < 1e-9);
    assert!(pieces.windows(2).all(|w| w[0].last() == w[1].first()));
    let end = pieces[4].last().unwrap();
    assert!((frame.x.at(end[0]) - 0.5).abs() < 1e-9);
    let newest = chart.walks(&[walk]);
    assert!(newest.svg().contains("fade-4") && newest.svg().contains("fade-0"));
    // A single position is a dot of the newest kind, and none is nothing.
    let one = chart.walks(&[Walk {
        path: &path[..1],
        ..walk
    }]);
    assert!(one.svg().contains("fade-4") && one.svg().contains("ring"));
    let none = chart.walks(&[Walk { path: &[], ..walk }]);
    assert!(!none.svg().contains("ring"));
}

#[test]
fn one_parameter_has_a_hill_and_its_steps_below() {
    let energy = |[w, _]: [f64; 2]| 1000.0 * w.powi(4) + 5.0 * w * w;
    let chart = posterior(&["w"], &energy);
    let frame = chart.frame();
    let hill = &paths(&chart.ground().marks, "hill")[0];
    for p in &hill[..hill.len() - 2] {
        let due = (-energy([frame.x.at(p[0]), 0.0])).exp();
        assert!((frame.y.at(p[1]) - due).abs() < 1e-9);
    }
    let path = [[0.1, 0.0], [0.2, 0.0]];
    let walk = Walk {
        class: "s0",
        chosen: false,
        path: &path,
    };
    let pieces = paths(&chart.walks(&[walk]).marks, "walk");
    let line: Vec<[f64; 2]> = pieces.concat();
    assert!(line[0][1] > line[line.len() - 1][1], "older is lower");
    assert!(line.iter().all(|p| p[1] > frame.y.from && p[1] < 300.0));
}

#[test]
fn arrows_are_head_to_tail_and_to_scale() {
    let arrow = |name, class, by| Arrow { name, class, by };
    let arrows = [
        arrow("downhill", "downhill", [-0.02, 0.01]),
        arrow("back to w*", "back", [-0.01, -0.01]),
        arrow("a random kick", "kick", [0.2, 0.1]),
    ];
    let scene = step(&arrows, false, 500.0, 220.0);
    let ends = |class: &str| paths(&scene.marks, &format!("arrow {class}"));
    let [down, back, kick] = ["downhill", "back", "kick"].map(|c| ends(c)[0].clone());
    assert_eq!((down[1], back[1]), (back[0], kick[0]));
    let length = |p: &[[f64; 2]]| (p[1][0] - p[0][0]).hypot(p[1][1] - p[0][1]);
    let scale = length(&kick) / f64::hypot(0.2, 0.1);
    assert!((length(&down) - scale * f64::hypot(0.02, 0.01)).abs() < 1e-9);
    // Upwards on the screen is a positive step; beside it the small ones stand larger.
    assert!(kick[1][1] < kick[0][1]);
    assert!(length(&ends("downhill")[1]) > 3.0 * length(&down));
    // Of one parameter they are level, a row each; where nothing pulls, it is said.
    let flat = step(
        &arrows.map(|a| Arrow {
            by: [a.by[0], 0.0],
            ..a
        }),
        true,
        500.0,
        220.0,
    );
    let rows = paths(&flat.marks, "arrow back");
    assert_eq!(rows[0][0][1], rows[0][1][1]);
    let still = arrows.map(|a| Arrow { by: [0.0; 2], ..a });
    let svg = step(&still, false, 500.0, 220.0).svg();
    assert!(svg.contains("nothing pulls") && !svg.contains("NaN"));
}

#[test]
fn an_export_stands_alone() {
    let scene = Scene {
        width: 10.0,
        height: 10.0,
        label: "a".into(),
        marks: vec![Mark::line("grid", [0.0; 2], [1.0; 2])],
    };
    let file = export(&scene.svg(), "from <here>");
    assert!(file.contains("<desc>from &lt;here&gt;</desc>"));
    assert!(file.contains("<style>") && file.ends_with("</svg>\n"));
    assert!(
        stylesheet().contains(".line")
            && !stylesheet().contains('<')
            && !stylesheet().contains('&')
    );
}

/// Columns of `x`, each with the least and the greatest y of the points at those indices.
fn extremes(x: &[f64], y: &[f64], of: &[usize]) -> Vec<(i64, f64, f64)> {
    let mut out: Vec<(i64, f64, f64)> = Vec::new();
    for &i in of {
        let column = x[i].floor() as i64;
        match out.last_mut() {
            Some(last) if last.0 == column => *last = (column, last.1.min(y[i]), last.2.max(y[i])),
            _ => out.push((column, y[i], y[i])),
        }
    }
    out
}

fn same() -> ProptestConfig {
    ProptestConfig {
        cases: 512,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    // The same cases every time: what fails must fail again, and not on someone else's machine first.
    #![proptest_config(same())]
    #[test]
    fn decimation_keeps_the_extremes_of_every_column(y in prop::collection::vec(-1e3f64..1e3, 1..3000), density in 0.5f64..40.0) {
        let x: Vec<f64> = (0..y.len()).map(|i| i as f64 / density).collect();
        let kept = decimate(&x, &y);
        let all: Vec<usize> = (0..y.len()).collect();
        prop_assert!(kept.windows(2).all(|w| w[0] < w[1]));
        prop_assert_eq!(kept.first(), Some(&0));
        prop_assert_eq!(kept.last(), Some(&(y.len() - 1)));
        prop_assert_eq!(extremes(&x, &y, &kept), extremes(&x, &y, &all));
        let columns = x.last().unwrap().floor() as usize + 1;
        prop_assert!(kept.len() <= 4 * columns);
    }

    #[test]
    fn nonsense_is_drawn_without_nonsense(
        y in prop::collection::vec(prop::num::f64::ANY, 0..60),
        log_x in any::<bool>(), log_y in any::<bool>(), width in 0.0f64..900.0,
    ) {
        let x: Vec<f64> = (0..y.len()).map(|i| i as f64 * 3.0).collect();
        let look = Look { width, log_x, log_y, ..LOOK };
        let chart = panels::loss(&look, "", &[Curve { label: "loss", x: &x, y: &y, class: "" }], Vec::new());
        let drawn = chart.draw();
        let svg = drawn.scene.svg() + &chart.cursor(&drawn.frame, 17.0).svg();
        prop_assert!(!svg.contains("NaN\"") && !svg.contains("inf"), "{svg}");
        let pcs: Vec<[f64; 3]> = y.iter().map(|y| [*y, -*y, 0.0]).collect();
        let svg = panels::pca(&look, &x, &pcs, [f64::NAN; 3]).draw().scene.svg();
        prop_assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}

/// Planted fault: every n-th point, the obvious way to thin a curve, loses a spike.
#[test]
fn the_decimation_check_notices_a_lost_spike() {
    let x: Vec<f64> = (0..1000).map(|i| f64::from(i) / 20.0).collect();
    let mut y = vec![0.0; 1000];
    y[503] = 9.0;
    let all: Vec<usize> = (0..1000).collect();
    let naive: Vec<usize> = (0..1000).step_by(5).collect();
    assert_ne!(extremes(&x, &y, &naive), extremes(&x, &y, &all));
    assert_eq!(extremes(&x, &y, &decimate(&x, &y)), extremes(&x, &y, &all));
}
