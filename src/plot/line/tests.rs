use super::*;

#[test]
fn one_point_is_a_dot_and_is_not_cut_at_the_edge() {
    let dots = |x: &[f64], window| -> Vec<([f64; 2], f64)> {
        let line = Line {
            label: "loss".into(),
            x,
            y: &[2.0, 1.0][..x.len()],
            ..Line::default()
        };
        let chart = LineChart {
            width: 400.0,
            height: 200.0,
            x_max: 1500.0,
            window,
            lines: vec![line],
            ..LineChart::default()
        };
        let clips = chart
            .draw()
            .scene
            .marks
            .into_iter()
            .filter_map(|m| match m {
                Mark::Clip { rect, marks } => Some((rect, marks)),
                _ => None,
            });
        let dots = clips.flat_map(|(rect, marks)| {
            marks.into_iter().filter_map(move |m| match m {
                Mark::Dot { at, r, .. } => Some((at, rect[0] + rect[2] - at[0] - r)),
                _ => None,
            })
        });
        dots.collect()
    };
    let [(_, room)] = dots(&[1500.0], None)[..] else {
        panic!("no dot")
    };
    assert!(room > -1e-9, "{room}");
    // Planted: two points are a line, and what a window leaves out stays out.
    assert!(dots(&[0.0, 1500.0], None).is_empty());
    assert!(dots(&[800.0], Some([0.0, 800.0]))[0].1 < 0.0);
}
