//! Marks, and the SVG text they become. Coordinates are CSS pixels with y downwards, written with
//! one decimal; every text is escaped here and nowhere else.

use std::fmt::Write as _;

/// Where a text is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// At its start.
    Start,
    /// In the middle.
    Middle,
    /// At its end.
    End,
}

/// Something drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// A line through points; a point that is not finite breaks it. `area` closes and fills it.
    Path {
        /// CSS classes.
        class: String,
        /// Pixels.
        points: Vec<[f64; 2]>,
        /// Closed and filled.
        area: bool,
    },
    /// A dot.
    Dot {
        /// CSS classes.
        class: String,
        /// Centre.
        at: [f64; 2],
        /// Radius.
        r: f64,
        /// Tooltip, or empty.
        title: String,
    },
    /// A rectangle.
    Rect {
        /// CSS classes.
        class: String,
        /// Left, top, width, height.
        rect: [f64; 4],
        /// Opacity of the fill.
        opacity: f64,
        /// Tooltip, or empty.
        title: String,
    },
    /// A text.
    Text {
        /// CSS classes.
        class: String,
        /// Where it is held; y is the baseline.
        at: [f64; 2],
        /// Which end is held.
        anchor: Anchor,
        /// The text.
        text: String,
        /// Tooltip, or empty.
        title: String,
    },
    /// Marks cut off at a rectangle: left, top, width, height.
    Clip {
        /// The rectangle.
        rect: [f64; 4],
        /// What is cut.
        marks: Vec<Mark>,
    },
}

/// A picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// Width in pixels.
    pub width: f64,
    /// Height in pixels.
    pub height: f64,
    /// What a screen reader says instead of the picture.
    pub label: String,
    /// Back to front.
    pub marks: Vec<Mark>,
}

impl Scene {
    /// The SVG element, without any style of its own.
    #[must_use]
    pub fn svg(&self) -> String {
        let mut out = String::with_capacity(4096);
        let (w, h) = (px(self.width), px(self.height));
        let _ = write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" role=\"img\" aria-label=\"{}\">",
            escape(&self.label)
        );
        for mark in &self.marks {
            mark.write(&mut out);
        }
        out.push_str("</svg>");
        out
    }
}

impl Mark {
    /// A straight line.
    #[must_use]
    pub fn line(class: &str, from: [f64; 2], to: [f64; 2]) -> Self {
        Mark::Path {
            class: class.into(),
            points: vec![from, to],
            area: false,
        }
    }

    /// A text without a tooltip.
    #[must_use]
    pub fn text(class: &str, at: [f64; 2], anchor: Anchor, text: impl Into<String>) -> Self {
        Mark::Text {
            class: class.into(),
            at,
            anchor,
            text: text.into(),
            title: String::new(),
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Mark::Path {
                class,
                points,
                area,
            } => {
                let _ = write!(
                    out,
                    "<path class=\"{}\" d=\"{}\"/>",
                    escape(class),
                    path_data(points, *area)
                );
            }
            Mark::Dot {
                class,
                at,
                r,
                title,
            } => {
                if at[0].is_finite() && at[1].is_finite() {
                    let _ = write!(
                        out,
                        "<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"{}\"",
                        escape(class),
                        px(at[0]),
                        px(at[1]),
                        px(*r)
                    );
                    close(out, "circle", title);
                }
            }
            Mark::Rect {
                class,
                rect: [x, y, w, h],
                opacity,
                title,
            } => {
                let _ = write!(
                    out,
                    "<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill-opacity=\"{:.2}\"",
                    escape(class),
                    px(*x),
                    px(*y),
                    px(w.max(0.0)),
                    px(h.max(0.0)),
                    opacity.clamp(0.0, 1.0)
                );
                close(out, "rect", title);
            }
            Mark::Text {
                class,
                at,
                anchor,
                text,
                title,
            } => {
                let anchor = match anchor {
                    Anchor::Start => "start",
                    Anchor::Middle => "middle",
                    Anchor::End => "end",
                };
                let _ = write!(
                    out,
                    "<text class=\"{}\" x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\">",
                    escape(class),
                    px(at[0]),
                    px(at[1])
                );
                if !title.is_empty() {
                    let _ = write!(out, "<title>{}</title>", escape(title));
                }
                let _ = write!(out, "{}</text>", escape(text));
            }
            Mark::Clip {
                rect: [x, y, w, h],
                marks,
            } => {
                // A nested svg clips by itself, without an id that two charts could share.
                let (x, y, w, h) = (px(*x), px(*y), px(w.max(0.0)), px(h.max(0.0)));
                let _ = write!(
                    out,
                    "<svg x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" viewBox=\"{x} {y} {w} {h}\">"
                );
                for mark in marks {
                    mark.write(out);
                }
                out.push_str("</svg>");
            }
        }
    }
}

fn close(out: &mut String, element: &str, title: &str) {
    if title.is_empty() {
        out.push_str("/>");
    } else {
        let _ = write!(out, "><title>{}</title></{element}>", escape(title));
    }
}

fn path_data(points: &[[f64; 2]], area: bool) -> String {
    let mut data = String::with_capacity(points.len() * 12);
    let mut pen_down = false;
    for [x, y] in points {
        if x.is_finite() && y.is_finite() {
            let _ = write!(
                data,
                "{}{} {}",
                if pen_down { 'L' } else { 'M' },
                px(*x),
                px(*y)
            );
            pen_down = true;
        } else {
            pen_down = false;
        }
    }
    if area && !data.is_empty() {
        data.push('Z');
    }
    data
}

/// One decimal, none where it would be 0.
fn px(x: f64) -> String {
    if !x.is_finite() {
        return "0".into();
    }
    let text = format!("{x:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" {
        "0".into()
    } else {
        text.into()
    }
}

/// Text for an attribute or an element.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML has no place for control characters, and an export must stay readable.
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        let scene = Scene {
            width: 10.0,
            height: 10.0,
            label: "\"><script>".into(),
            marks: vec![Mark::text(
                "a\" onload=\"x",
                [f64::NAN, 1.0],
                Anchor::Start,
                "</text><script>",
            )],
        };
        let svg = scene.svg();
        assert!(
            !svg.contains("<script>") && !svg.contains("onload=\"x"),
            "{svg}"
        );
    }

    #[test]
    fn a_gap_breaks_the_line() {
        let data = path_data(
            &[[0.0, 1.0], [1.0, 2.0], [2.0, f64::NAN], [3.0, 4.04]],
            false,
        );
        assert_eq!(data, "M0 1L1 2M3 4");
    }
}
