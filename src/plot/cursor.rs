//! The cursor of a line chart: a second scene, drawn over the first, so that moving it redraws
//! nothing else.

use super::labels::spread;
use super::line::{Frame, LineChart, inner};
use super::names::width as width_of;
use super::number;
use super::scene::{Anchor, Mark, Scene};

impl LineChart<'_> {
    /// The cursor at a step: a vertical line, a dot and the value of every named curve there.
    #[must_use]
    pub fn cursor(&self, frame: &Frame, step: f64) -> Scene {
        let [left, top, width, height] = inner(frame);
        let x = self.step_px(frame, step);
        let mut marks = Vec::new();
        if x.is_finite() && x >= left - 0.5 && x <= left + width + 0.5 {
            marks.push(Mark::line("cursor", [x, top], [x, top + height]));
            // The step stands under its line, and beside the title of the axis where that is in the way.
            let told = number::fixed(step, 0);
            let free = frame.x.to - width_of(self.along()) - 6.0 - width_of(&told) / 2.0;
            marks.push(Mark::text(
                "cursor-step",
                [x.min(free), self.height - 6.0],
                Anchor::Middle,
                told,
            ));
            let mut values = Vec::new();
            for line in self.lines.iter().filter(|l| !l.label.is_empty()) {
                if let Some(i) =
                    nearest(line.x, step).filter(|i| line.y.get(*i).is_some_and(|y| y.is_finite()))
                {
                    let at = [
                        self.step_px(frame, line.x[i]),
                        frame.y.px(line.y[i]).clamp(top, top + height),
                    ];
                    values.push((
                        line,
                        at,
                        format!("{} {}", line.label, number::significant(line.y[i], 3)),
                    ));
                }
            }
            let wanted: Vec<f64> = values.iter().map(|v| v.1[1]).collect();
            let placed = spread(&wanted, 13.0, top + 8.0, top + height - 2.0);
            // Values stand where they cover no name in the margin.
            let longest = values.iter().map(|v| width_of(&v.2)).fold(0.0, f64::max);
            let right = x + 12.0 + longest < left + width || x - longest < 12.0;
            for ((line, at, text), y) in values.into_iter().zip(placed) {
                marks.push(Mark::Dot {
                    class: format!("dot {}", line.class),
                    at,
                    r: 3.5,
                    title: String::new(),
                });
                let (dx, anchor) = if right {
                    (7.0, Anchor::Start)
                } else {
                    (-7.0, Anchor::End)
                };
                marks.push(Mark::text(
                    &format!("cursor-value {}", line.class),
                    [x + dx, y + 4.0],
                    anchor,
                    text,
                ));
            }
        }
        Scene {
            width: self.width,
            height: self.height,
            label: String::new(),
            marks,
        }
    }
}

/// The point nearest to a step, by index.
#[must_use]
pub fn nearest(x: &[f64], step: f64) -> Option<usize> {
    let after = x.partition_point(|v| *v < step);
    match (after.checked_sub(1), x.get(after)) {
        (Some(before), Some(next)) => Some(if step - x[before] <= next - step {
            before
        } else {
            after
        }),
        (Some(before), None) => Some(before),
        (None, Some(_)) => Some(0),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::plot::panels::{Look, lower};
    use crate::plot::{Mark, Scene};

    #[test]
    fn at_the_end_the_step_stands_beside_the_title_of_the_axis() {
        let look = Look {
            width: 400.0,
            height: 200.0,
            x_max: 2000.0,
            log_x: false,
            log_y: false,
            recorded: false,
            window: None,
        };
        let chart = lower(&look, "nats", Vec::new());
        let drawn = chart.draw();
        let at = |scene: &Scene, wanted: &str| {
            let of = |m: &Mark| match m {
                Mark::Text { class, at, .. } if class == wanted && at[1] == 194.0 => Some(at[0]),
                _ => None,
            };
            scene.marks.iter().find_map(of).unwrap()
        };
        let step = |step: f64| at(&chart.cursor(&drawn.frame, step), "cursor-step");
        let title = at(&drawn.scene, "axis-title");
        assert!(step(2000.0) < title - 30.0, "{} {title}", step(2000.0));
        // Elsewhere it stands under its line.
        assert_eq!(step(1000.0), drawn.frame.x.px(1000.0));
    }
}
