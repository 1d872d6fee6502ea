//! The strip of time under the charts: checkpoints as ticks, how far the run is, and the handles of
//! the scrubber, drawn as a second scene so that dragging redraws nothing else.

use super::bands::{self, Band};
use super::number;
use super::scale::{LOG_ZERO, Scale};
use super::scene::{Anchor, Mark, Scene};

/// A strip before it is drawn.
#[derive(Clone, Debug, Default)]
pub struct Timeline<'a> {
    /// Pixels.
    pub width: f64,
    /// Steps of the whole run.
    pub x_max: f64,
    /// Logarithmic time.
    pub log_x: bool,
    /// Steps of the checkpoints, rising.
    pub checkpoints: &'a [f64],
    /// Steps of those whose weights are no longer there.
    pub gone: &'a [u64],
    /// The step it begins at.
    pub begun: f64,
    /// Steps done.
    pub done: f64,
    /// A recorded run: grey.
    pub recorded: bool,
    /// Stages.
    pub bands: Vec<Band>,
    /// The steps that the charts show, where that is not the whole run.
    pub window: Option<[f64; 2]>,
}

/// Height of the strip in pixels.
pub const HEIGHT: f64 = 66.0;
const SIDE: f64 = 22.0;
/// Where the handles are taken.
const KNOB: f64 = 10.0;
/// Where the bands begin, under the handles.
pub const TOP: f64 = 20.0;
/// Where they end.
pub const BOTTOM: f64 = 44.0;

impl Timeline<'_> {
    /// From steps to pixels.
    #[must_use]
    pub fn scale(&self) -> Scale {
        Scale {
            log: self.log_x,
            min: if self.log_x { LOG_ZERO } else { 0.0 },
            max: self.x_max.max(1.0),
            from: SIDE,
            to: (self.width - SIDE).max(SIDE + 20.0),
        }
    }

    /// The pixel of a step.
    #[must_use]
    pub fn px(&self, step: f64) -> f64 {
        let step = if self.log_x { step.max(LOG_ZERO) } else { step };
        self.scale().px(step)
    }

    /// The strip without its handles.
    #[must_use]
    pub fn draw(&self) -> Scene {
        let scale = self.scale();
        let at = |step| self.px(step);
        let rect = [scale.from, TOP, scale.to - scale.from, BOTTOM - TOP];
        let mut marks = bands::marks(&self.bands, &at, rect);
        if let Some([from, to]) = self.window.map(|w| w.map(at)) {
            marks.push(Mark::Rect {
                class: "stage rises".into(),
                rect: [from, BOTTOM, to - from, 5.0],
                opacity: 0.6,
                title: "The steps that the charts show".into(),
            });
        }
        marks.extend([
            Mark::line("axis", [scale.from, BOTTOM], [scale.to, BOTTOM]),
            Mark::line(
                "elapsed",
                [at(self.begun), BOTTOM],
                [at(self.done.min(scale.max)), BOTTOM],
            ),
        ]);
        let mut ticks = scale.ticks((self.width / 90.0) as usize + 1);
        if self.log_x {
            ticks.insert(0, (LOG_ZERO, "0".into()));
        }
        for (step, text) in ticks {
            let x = at(step);
            marks.push(Mark::line("axis", [x, BOTTOM], [x, BOTTOM + 4.0]));
            marks.push(Mark::text("tick", [x, BOTTOM + 16.0], Anchor::Middle, text));
        }
        // One path for all that look alike: a break between two ticks.
        let class = if self.recorded { " recorded" } else { "" };
        for (gone, class) in [(true, " gone"), (false, class)] {
            let mut points = Vec::new();
            for &step in self.checkpoints {
                if self.gone.contains(&(step as u64)) == gone {
                    let x = at(step);
                    points.extend([[x, BOTTOM - 9.0], [x, BOTTOM], [f64::NAN; 2]]);
                }
            }
            if !(gone && points.is_empty()) {
                marks.push(Mark::Path {
                    class: format!("checkpoints{class}"),
                    points,
                    area: false,
                });
            }
        }
        self.scene("Checkpoints of the run".into(), marks)
    }

    /// The handles: a full one where the page looks, a hollow one at the step that is held.
    #[must_use]
    pub fn handles(&self, looked: Option<f64>, held: Option<f64>) -> Scene {
        let mut marks = Vec::new();
        for (step, class) in [(held, "held"), (looked, "looked")] {
            let Some(step) = step else { continue };
            let x = self.px(step);
            marks.push(Mark::line(
                &format!("handle {class}"),
                [x, KNOB],
                [x, BOTTOM],
            ));
            marks.push(Mark::Dot {
                class: format!("knob {class}"),
                at: [x, KNOB],
                r: 6.5,
                title: String::new(),
            });
            // The held one is named to its left, so that two beside each other stay readable.
            let left = match class {
                "held" => x > self.width * 0.2,
                _ => x > self.width * 0.8,
            };
            let (dx, anchor) = if left {
                (-11.0, Anchor::End)
            } else {
                (11.0, Anchor::Start)
            };
            let word = if class == "held" { "pinned" } else { "step" };
            let text = format!("{word} {}", number::fixed(step, 0));
            marks.push(Mark::text(
                "cursor-value",
                [x + dx, KNOB + 4.0],
                anchor,
                text,
            ));
        }
        self.scene(String::new(), marks)
    }

    fn scene(&self, label: String, marks: Vec<Mark>) -> Scene {
        Scene {
            width: self.width,
            height: HEIGHT,
            label,
            marks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_and_handles_stand_at_their_steps_on_both_axes() {
        for log_x in [false, true] {
            let steps = [0.0, 1.0, 50.0, 1800.0];
            let strip = Timeline {
                width: 400.0,
                x_max: 1800.0,
                log_x,
                checkpoints: &steps,
                done: 900.0,
                ..Timeline::default()
            };
            let scale = strip.scale();
            let ticks = strip.draw().marks.into_iter().find_map(|m| match m {
                Mark::Path { class, points, .. } if class == "checkpoints" => Some(points),
                _ => None,
            });
            let x: Vec<f64> = ticks.unwrap_or_default().iter().map(|p| p[0]).collect();
            assert_eq!(x.iter().filter(|x| x.is_finite()).count(), 8);
            assert!(x[0] == 22.0 && (x[9] - 378.0).abs() < 1e-9, "{x:?}");
            let handle = strip.handles(Some(50.0), None).marks.remove(1);
            let Mark::Dot { at, .. } = handle else {
                panic!("{handle:?}")
            };
            assert_eq!(at[0], x[6]);
            // One whose weights went is a tick of another kind.
            let gone = Timeline {
                gone: &[50],
                ..strip.clone()
            };
            let paths = gone.draw().marks.into_iter().filter_map(|m| match m {
                Mark::Path { class, points, .. } if class.starts_with("checkpoints") => {
                    Some((class, points.len()))
                }
                _ => None,
            });
            let wanted = [
                ("checkpoints gone".into(), 3),
                ("checkpoints".to_string(), 9),
            ];
            assert_eq!(paths.collect::<Vec<_>>(), wanted);
            // And back: a drag to a pixel is a step.
            assert!((scale.at(at[0]) - 50.0).abs() < 1e-6);
        }
    }
}
