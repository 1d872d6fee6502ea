//! When each of several models makes its transition: a row a model, from a tenth to nine tenths of the
//! way, with a dot at half of it.

use super::number;
use super::scale::{LOG_ZERO, Scale};
use super::scene::{Anchor, Mark, Scene};

/// A row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// What stands in place of the marks.
    pub lacking: &'static str,
    /// Steps at a tenth, half and nine tenths of the way; none where nothing has happened.
    pub at: Option<[f64; 3]>,
    /// The one that is followed.
    pub followed: bool,
}

/// Pixels of a row.
const ROW: f64 = 18.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 6.0;
const BOTTOM: f64 = 34.0;

/// The picture, `width` pixels wide, over the run's steps or those of the window alone.
#[must_use]
pub fn ranges(
    rows: &[Row],
    width: f64,
    x_max: f64,
    log_x: bool,
    window: Option<[f64; 2]>,
) -> Scene {
    let [first, last] = window.unwrap_or([0.0, x_max]);
    let scale = Scale {
        log: log_x,
        min: if log_x { first.max(LOG_ZERO) } else { first },
        max: last.max(first + 1.0),
        from: LEFT,
        to: (width - RIGHT).max(LEFT + 20.0),
    };
    let px = |step: f64| scale.px(if log_x { step.max(LOG_ZERO) } else { step });
    let floor = TOP + ROW * rows.len() as f64;
    let mut marks = Vec::new();
    for (x, text) in scale.ticks(((scale.to - scale.from) / 62.0) as usize + 1) {
        let at = scale.px(x);
        marks.push(Mark::line("grid", [at, TOP], [at, floor]));
        marks.push(Mark::text("tick", [at, floor + 14.0], Anchor::Middle, text));
    }
    marks.push(Mark::line("axis", [scale.from, floor], [scale.to, floor]));
    marks.push(Mark::text(
        "axis-title",
        [scale.to, floor + 28.0],
        Anchor::End,
        "step",
    ));
    for (i, row) in rows.iter().enumerate() {
        let y = TOP + ROW * (i as f64 + 0.5);
        let class = if row.followed { "s0" } else { "s1" };
        marks.push(Mark::text(
            "tick",
            [LEFT - 8.0, y + 4.0],
            Anchor::End,
            &*row.name,
        ));
        let Some([a, half, b]) = row.at else {
            let none = row.lacking;
            marks.push(Mark::text(
                "tick",
                [LEFT + 6.0, y + 4.0],
                Anchor::Start,
                none,
            ));
            continue;
        };
        // Beyond the window nothing is drawn.
        let inside = |step: f64| px(step).clamp(scale.from, scale.to);
        marks.push(Mark::line(
            &format!("line {class}"),
            [inside(a), y],
            [inside(b), y],
        ));
        if inside(half) != px(half) {
            continue;
        }
        let text = |step: f64| number::grouped(step.max(0.0).round() as u64);
        marks.push(Mark::Dot {
            class: format!("dot {class}"),
            at: [px(half), y],
            r: 4.0,
            title: format!(
                "{}: half done at step {}, 10 to 90 % from {} to {}",
                row.name,
                text(half),
                text(a),
                text(b)
            ),
        });
    }
    Scene {
        width,
        height: floor + BOTTOM,
        label: "Steps at which each model makes its transition".into(),
        marks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_when_or_that_nothing_has_happened() {
        let rows = [
            Row {
                name: "seed 1".into(),
                at: Some([400.0, 600.0, 700.0]),
                followed: true,
                ..Row::default()
            },
            Row {
                name: "seed 2".into(),
                lacking: "not so far",
                ..Row::default()
            },
        ];
        let svg = ranges(&rows, 400.0, 1000.0, false, None).svg();
        assert!(svg.contains("half done at step 600") && svg.contains("not so far"));
        assert_eq!(svg.matches("<circle").count(), 1);
        // In logarithmic time the dot stands further right.
        assert_ne!(svg, ranges(&rows, 400.0, 1000.0, true, None).svg());
        // A window without the half of it shows the rest of the way alone.
        let part = ranges(&rows, 400.0, 1000.0, false, Some([650.0, 900.0])).svg();
        assert!(!part.contains("<circle") && part.contains("class=\"line s0\""));
    }
}
