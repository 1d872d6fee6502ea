//! Histograms of one quantity over several classes: a row each under a shared axis, so that neither
//! colour nor stacking has to tell them apart.

use super::number::{fixed, grouped};
use super::scale::Scale;
use super::scene::{Anchor, Mark, Scene};

/// Pixels of a row.
const ROW: f64 = 74.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 38.0;

/// A row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// How many are in each bin.
    pub counts: Vec<usize>,
}

/// Bins of `bin` from `from` on; each row has a scale of its own. `title` is that of the axis.
#[must_use]
pub fn histogram(rows: &[Row], from: f64, bin: f64, title: &str, width: f64) -> Scene {
    let bins = rows.iter().map(|r| r.counts.len()).max().unwrap_or(0);
    let end = from + bin * bins.max(1) as f64;
    let x = Scale {
        log: false,
        min: from.min(-bin),
        max: end.max(bin),
        from: LEFT,
        to: (width - RIGHT).max(LEFT + 20.0),
    };
    let floor = TOP + ROW * rows.len() as f64;
    let mut marks = vec![Mark::text(
        "axis-title",
        [2.0, 12.0],
        Anchor::Start,
        "targets",
    )];
    for (at, text) in x.ticks(((x.to - x.from) / 52.0) as usize + 1) {
        let px = x.px(at);
        marks.push(Mark::line("grid", [px, TOP], [px, floor]));
        marks.push(Mark::text("tick", [px, floor + 15.0], Anchor::Middle, text));
    }
    for (i, row) in rows.iter().enumerate() {
        let bottom = TOP + ROW * (i + 1) as f64;
        let most = row.counts.iter().copied().max().unwrap_or(0).max(1);
        let room = ROW - 20.0;
        for (k, &n) in row.counts.iter().enumerate().filter(|(_, n)| **n > 0) {
            let low = from + bin * k as f64;
            let (left, right) = (x.px(low), x.px(low + bin));
            // One target in thousands is seen too.
            let height = (room * n as f64 / most as f64).max(1.0);
            marks.push(Mark::Rect {
                class: "bar".into(),
                rect: [
                    left + 0.5,
                    bottom - height,
                    (right - left - 1.0).max(0.5),
                    height,
                ],
                opacity: 1.0,
                title: format!(
                    "{}: {} with Δ from {} to {} nats",
                    row.name,
                    grouped(n as u64),
                    fixed(low, 2),
                    fixed(low + bin, 2)
                ),
            });
        }
        let top = bottom - room;
        let count = grouped(most as u64);
        marks.push(Mark::line("grid", [LEFT, top], [x.to, top]));
        marks.push(Mark::text(
            "tick",
            [LEFT - 4.0, top + 4.0],
            Anchor::End,
            count,
        ));
        marks.push(Mark::text("tick", [LEFT - 4.0, bottom], Anchor::End, "0"));
        marks.push(Mark::text(
            "end s0",
            [LEFT + 5.0, top + 12.0],
            Anchor::Start,
            &*row.name,
        ));
        marks.push(Mark::line("axis", [LEFT, bottom], [x.to, bottom]));
    }
    let zero = x.px(0.0);
    marks.push(Mark::line("level", [zero, TOP], [zero, floor]));
    marks.push(Mark::text(
        "axis-title",
        [x.to, floor + 32.0],
        Anchor::End,
        title,
    ));
    Scene {
        width,
        height: floor + BOTTOM,
        label: format!("Histogram: {title}"),
        marks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_where_their_bins_are() {
        let rows =
            [("first", vec![0, 4, 2]), ("repeat", vec![0, 0, 40])].map(|(name, counts)| Row {
                name: name.into(),
                counts,
            });
        let bars = |scene: &Scene| -> Vec<[f64; 4]> {
            let rects = scene.marks.iter().filter_map(|m| match m {
                Mark::Rect { rect, .. } => Some(*rect),
                _ => None,
            });
            rects.collect()
        };
        let scene = histogram(&rows, -1.5, 1.0, "Δ (nats)", 354.0);
        let found = bars(&scene);
        // An empty bin has no bar; each row has its own scale; bins of both rows stand on each other.
        assert_eq!(found.len(), 3);
        assert!((found[0][3] - 2.0 * found[1][3]).abs() < 1e-9 && found[2][3] == found[0][3]);
        assert_eq!(found[1][0], found[2][0]);
        assert_eq!((found[0][0], found[0][2]), (144.5, 99.0));
        // Planted fault: the same bins elsewhere.
        assert_ne!(bars(&histogram(&rows, -0.5, 1.0, "Δ (nats)", 354.0)), found);
        assert!(bars(&histogram(&[], 0.0, 1.0, "Δ", 300.0)).is_empty());
    }
}
