use super::*;

#[test]
fn several_paths_share_the_cursor_and_the_window_and_are_rows() {
    let steps = [0.0, 10.0, 20.0, 0.0, 10.0, 20.0];
    let chart = PathChart {
        width: 400.0,
        height: 300.0,
        steps: &steps,
        points: (0..6).map(|i| [f64::from(i), f64::from(i * i)]).collect(),
        x_max: 20.0,
        paths: vec![(0, "seed 1".into()), (3, "seed 2".into())],
        ..PathChart::default()
    };
    let rings = |c: &PathChart, step| {
        let scene = c.cursor(&c.draw().frame, step);
        scene.svg().matches("class=\"ring\"").count()
    };
    assert_eq!([9.0, 100.0].map(|s| rings(&chart, s)), [2, 2]);
    let rows = chart.csv();
    assert_eq!(rows.lines().count(), 7);
    assert!(rows.ends_with("seed 2,20,5,25\n") && rows.contains("seed 1,10,1,1\n"));
    // The axes are made for the steps shown; a window of fewer than two points shows all.
    let with = |window| PathChart {
        window: Some(window),
        ..chart.clone()
    };
    let [near, whole] = [with([10.0, 20.0]), with([11.0, 12.0])].map(|c| c.draw().frame);
    assert!(near.x.min > 0.0 && whole.x.min < 0.0);
    assert_eq!(whole, chart.draw().frame);
    // What is cut off has no ring.
    assert_eq!(rings(&with([20.0, 20.0]), 0.0), 1);
}

#[test]
fn a_path_to_compare_with_is_grey_and_has_its_name_alone() {
    let steps: Vec<f64> = (0..14).chain(0..13).map(f64::from).collect();
    let chart = PathChart {
        width: 400.0,
        height: 300.0,
        steps: &steps,
        points: steps.iter().map(|s| [*s, s * s]).collect(),
        x_max: 20.0,
        paths: vec![(0, "parent".into()), (14, String::new())],
        faint: 14,
        smooth: true,
        pinned: Some(3.0),
        ..PathChart::default()
    };
    let count = |c: &PathChart, what: &str| c.draw().scene.svg().matches(what).count();
    assert_eq!(count(&chart, "class=\"dot recorded\""), 14);
    assert_eq!(count(&chart, "class=\"path recorded\""), 13);
    assert_eq!(count(&chart, "class=\"dot ramp"), 13);
    assert_eq!(count(&chart, "kink-step recorded\""), 1);
    // The step that is pinned is ringed on the run's own path; the thin path is its own, too.
    let pinned = [count(&chart, "class=\"ring\""), count(&chart, "pinned 3")];
    assert_eq!(
        (pinned, chart.csv().matches("\nparent,").count()),
        ([1, 1], 14)
    );
    let thin = |c: &PathChart| {
        let drawn = c.draw().scene.marks;
        let clip = drawn.into_iter().find_map(|m| match m {
            Mark::Clip { marks, .. } => Some(marks),
            _ => None,
        });
        let thin = clip.and_then(|all| match all.last() {
            Some(Mark::Path { points, .. }) => Some(points.len()),
            _ => None,
        });
        thin.unwrap_or(0)
    };
    assert_eq!(thin(&chart), 13);
    // Planted: without it all points are one path.
    let one = PathChart { faint: 0, ..chart };
    assert_eq!((thin(&one), count(&one, "recorded")), (27, 0));
}

#[test]
fn a_straight_path_stays_and_noise_shrinks() {
    let line: Vec<[f64; 2]> = (0..20)
        .map(|i| [f64::from(i), 3.0 - f64::from(i)])
        .collect();
    let near = |a: &[f64; 2], b: &[f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
    let kept = smoothed(&line);
    assert!(kept.iter().zip(&line).all(|(a, b)| near(a, b) < 1e-9));
    let noisy: Vec<[f64; 2]> = line
        .iter()
        .enumerate()
        .map(|(i, p)| [p[0], p[1] + if i % 2 == 0 { 1.0 } else { -1.0 }])
        .collect();
    let off = |path: &[[f64; 2]]| path.iter().zip(&line).map(|(a, b)| near(a, b)).sum::<f64>();
    assert!(off(&smoothed(&noisy)) < 0.3 * off(&noisy));
    assert!(smoothed(&line[..11]).is_empty());
}

#[test]
fn what_is_written_at_a_kink_stays_in_the_picture() {
    let steps: Vec<f64> = (0..9).map(f64::from).collect();
    // Down to the lower edge and up again; and the same upside down.
    for sign in [1.0, -1.0] {
        let height = |i: f64| sign * (i - 4.0_f64).abs();
        let chart = PathChart {
            width: 400.0,
            height: 300.0,
            steps: &steps,
            points: steps.iter().map(|s| [*s, height(*s)]).collect(),
            x_max: 8.0,
            kinks: vec![(4, "4: 90°".into())],
            ..PathChart::default()
        };
        let drawn = chart.draw();
        let all = drawn.scene.marks.iter().flat_map(|m| match m {
            Mark::Clip { marks, .. } => marks.as_slice(),
            other => std::slice::from_ref(other),
        });
        let label = all.filter_map(|m| match m {
            Mark::Text { class, at, .. } if class == "kink-step" => Some(at[1]),
            _ => None,
        });
        let y: Vec<f64> = label.collect();
        assert!(
            y.len() == 1 && (TOP + 9.0..drawn.frame.y.from - 2.0).contains(&y[0]),
            "{y:?} of {}",
            drawn.frame.y.from
        );
    }
}

/// Eight paths that end in one place: each name can be read, and is led to its end.
#[test]
fn names_of_paths_do_not_cover_each_other() {
    let steps = [0.0, 1.0].repeat(8);
    let chart = PathChart {
        width: 400.0,
        height: 300.0,
        steps: &steps,
        points: (0..16)
            .map(|i| [f64::from(i % 2), 0.01 * f64::from(i)])
            .collect(),
        x_max: 1.0,
        paths: (0..8).map(|m| (2 * m, format!("seed {m}"))).collect(),
        ..PathChart::default()
    };
    let names = |at: &[[f64; 2]]| {
        let all = chart.ends(&chart.frame(), at).into_iter();
        let mut y: Vec<f64> = all
            .filter_map(|m| match m {
                Mark::Text { at, .. } => Some(at[1]),
                _ => None,
            })
            .collect();
        y.sort_by(f64::total_cmp);
        y
    };
    let together = names(&[[300.0, 150.0]; 16]);
    assert_eq!(together.len(), 8);
    assert!(
        together.windows(2).all(|y| y[1] - y[0] > 11.9),
        "{together:?}"
    );
    let leaders = |at: &[[f64; 2]]| {
        let all = chart.ends(&chart.frame(), at);
        all.len() - 8
    };
    assert!(leaders(&[[300.0, 150.0]; 16]) >= 6);
    // Planted: where there is room nothing moves.
    let apart: Vec<[f64; 2]> = (0..16)
        .map(|i| [300.0, 30.0 + 12.0 * f64::from(i)])
        .collect();
    assert_eq!(leaders(&apart), 0);
}

#[test]
fn a_pinned_step_has_a_ring_and_its_name() {
    let steps = [0.0, 10.0, 20.0];
    let with = |pinned| {
        let chart = PathChart {
            width: 400.0,
            height: 300.0,
            steps: &steps,
            points: vec![[0.0, 0.0], [1.0, 2.0], [3.0, 1.0]],
            x_max: 20.0,
            pinned,
            ..PathChart::default()
        };
        chart.draw().scene.svg()
    };
    let told = |svg: &str| {
        (
            svg.matches("class=\"ring\"").count(),
            svg.contains(">pinned 10<"),
        )
    };
    assert_eq!(told(&with(Some(10.0))), (1, true));
    // Planted: nothing is pinned where there is no checkpoint.
    assert_eq!(told(&with(Some(11.0))), (0, false));
    assert_eq!(told(&with(None)), (0, false));
}
