//! Charts: recorded SVG, decimation that keeps extremes, and axes that hold against nonsense.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::plot::decimate::decimate;
use lambdahat::plot::export::{export, stylesheet};
use lambdahat::plot::line::Level;
use lambdahat::plot::panels::{self, Curve, LlcCurve, Look};
use lambdahat::plot::{Mark, Scene};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::path::{Path, PathBuf};

const LOOK: Look = Look {
    width: 420.0,
    height: 280.0,
    x_max: 1800.0,
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
    assert_eq!(chart.step_at(&drawn.frame, at), Some(steps[7]));
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
