//! The Fourier spectrum of an embedding: a bar a frequency.

use super::number;
use super::scene::{Anchor, Mark, Scene};

const LEFT: f64 = 36.0;
const BOTTOM: f64 = 32.0;
const TOP: f64 = 12.0;

/// How many of the strongest frequencies hold half of the power.
#[must_use]
pub fn half(shares: &[f64]) -> usize {
    let mut sorted: Vec<f64> = shares.iter().copied().filter(|s| s.is_finite()).collect();
    crate::math::order::sort_by(&mut sorted, |a, b| b.total_cmp(a));
    let mut sum = 0.0;
    let n = sorted.iter().take_while(|&&s| {
        let more = sum < 0.5;
        sum += s;
        more
    });
    n.count()
}

/// Bars of the share of each frequency 1, 2, …, with the share each would have if all had the same.
#[must_use]
pub fn bars(shares: &[f64], width: f64, height: f64) -> Scene {
    let n = shares.len().max(1) as f64;
    let known = |s: f64| if s.is_finite() { s.max(0.0) } else { 0.0 };
    // The axis grows in steps, so that it does not tremble while the bars do.
    let top = shares.iter().copied().map(known).fold(0.0, f64::max);
    let axis = [0.1, 0.2, 0.3, 0.5, 0.7]
        .into_iter()
        .find(|a| top <= *a)
        .unwrap_or(1.0);
    let (floor, room) = (height - BOTTOM, height - BOTTOM - TOP);
    let y = |share: f64| floor - room * share / axis;
    let step = (width - LEFT - 4.0) / n;
    let mut marks = Vec::new();
    for share in [0.0, axis / 2.0, axis] {
        let at = y(share);
        marks.push(Mark::line("grid", [LEFT, at], [width, at]));
        let text = format!("{} %", number::fixed(100.0 * share, 0));
        marks.push(Mark::text(
            "tick",
            [LEFT - 4.0, at + 4.0],
            Anchor::End,
            text,
        ));
    }
    for (i, &share) in shares.iter().enumerate() {
        let (k, share) = (i + 1, known(share));
        let left = LEFT + step * i as f64;
        marks.push(Mark::Rect {
            class: "bar".into(),
            rect: [
                left + 0.5,
                y(share),
                (step - 1.0).max(0.5),
                floor - y(share),
            ],
            opacity: 1.0,
            title: format!("frequency {k}: {} %", number::fixed(100.0 * share, 1)),
        });
        if k == 1 || k % 5 == 0 {
            let at = [left + step / 2.0, floor + 14.0];
            marks.push(Mark::text("tick", at, Anchor::Middle, k.to_string()));
        }
    }
    let even = y(1.0 / n);
    marks.push(Mark::line("level", [LEFT, even], [width, even]));
    let at = [LEFT + (width - LEFT) / 2.0, height - 3.0];
    marks.push(Mark::text("tick", at, Anchor::Middle, "frequency k"));
    Scene {
        width,
        height,
        label: format!(
            "Power of the embedding at frequencies 1 to {}; {} of them hold half.",
            shares.len(),
            half(shares)
        ),
        marks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_are_counted() {
        assert_eq!(half(&[0.1; 10]), 5);
        assert_eq!(half(&[0.0, 0.6, 0.4]), 1);
        assert_eq!(half(&[0.3, 0.3, 0.4]), 2);
        assert_eq!(half(&[]), 0);
    }

    #[test]
    fn a_bar_is_as_high_as_its_share_and_nonsense_has_none() {
        let heights = |shares: &[f64]| -> Vec<f64> {
            let scene = bars(shares, 260.0, 160.0);
            let rects = scene.marks.iter().filter_map(|m| match m {
                Mark::Rect { rect, .. } => Some(rect[3]),
                _ => None,
            });
            rects.collect()
        };
        let drawn = heights(&[0.4, 0.2, f64::NAN, -1.0]);
        assert!((drawn[0] - 2.0 * drawn[1]).abs() < 1e-9 && drawn[1] > 10.0);
        assert_eq!(drawn[2..], [0.0, 0.0]);
    }
}
