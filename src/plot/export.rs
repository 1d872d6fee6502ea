//! Stand-alone files: the same SVG with the stylesheet of the page's charts inside.

use super::scene::{Scene, escape};
use std::sync::OnceLock;

static READ: OnceLock<String> = OnceLock::new();

/// Takes the rules for charts that came with the page. Only the first call counts; without one saved
/// pictures have none.
#[cfg(target_arch = "wasm32")]
pub fn hand_over(rules: String) {
    let _ = READ.set(rules);
}

/// The rules for charts, colours of both themes included: what stands between two markers in the page's
/// stylesheet. In the page they are data of `index.html` and no part of the program.
#[must_use]
pub fn stylesheet() -> &'static str {
    #[cfg(target_arch = "wasm32")]
    let rules = "";
    #[cfg(not(target_arch = "wasm32"))]
    let rules = include_str!("../../www/style.css")
        .split_once("/* plot: begin */")
        .and_then(|(_, rest)| rest.split_once("/* plot: end */"))
        .map_or("", |(rules, _)| rules.trim());
    READ.get_or_init(|| rules.to_string())
}

/// The same with the light colours alone: what is saved looks alike wherever it is opened, also by
/// programs that do not know of two.
fn light() -> String {
    let mut pieces = stylesheet().split("light-dark(");
    let mut out = pieces.next().unwrap_or_default().to_string();
    for piece in pieces {
        let (colours, rest) = piece.split_once(')').unwrap_or((piece, ""));
        out.push_str(colours.split(',').next().unwrap_or_default());
        out.push_str(rest);
    }
    out
}

/// Pictures one under another as one: the SVG, its width and its height in pixels.
#[must_use]
pub fn stack(scenes: &[Scene]) -> (String, f64, f64) {
    let (mut inside, mut width, mut height) = (String::new(), 0.0, 0.0);
    for scene in scenes {
        // A nested svg has its place in the one around it.
        let place = format!("<svg y=\"{height:.1}\"");
        inside.push_str(&scene.svg().replacen("<svg", &place, 1));
        (width, height) = (f64::max(width, scene.width), height + scene.height);
    }
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" width=\"{width:.1}\" height=\"{height:.1}\" viewBox=\"0 0 {width:.1} {height:.1}\">{inside}</svg>"
    );
    (svg, width, height)
}

/// An SVG that looks the same without the page around it, on a ground of its own, in light colours, and says where it comes from.
#[must_use]
pub fn export(svg: &str, origin: &str) -> String {
    match svg.split_once('>') {
        Some((open, rest)) if open.starts_with("<svg") => {
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{open} data-theme=\"light\"><desc>{}</desc><style>{}</style><rect class=\"ground\" width=\"100%\" height=\"100%\"/>{rest}\n",
                escape(origin),
                light()
            )
        }
        _ => svg.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::{Anchor, Mark};

    #[test]
    fn a_file_has_the_light_colours_alone() {
        let (page, file) = (stylesheet(), light());
        assert!(page.contains("--ground: light-dark(#ffffff, #111417);"));
        assert!(file.contains("--ground: #ffffff;") && !file.contains("#111417"));
        // Nothing else is lost: rules that come after, and colours of one kind.
        let rules = |css: &str| css.matches('{').count() * 1000 + css.matches(';').count();
        assert_eq!(rules(page), rules(&file));
        assert!(!file.contains("light-dark") && file.ends_with('}'));
    }

    #[test]
    fn every_panel_is_in_the_file_one_under_another() {
        let scene = |label: &str, height| Scene {
            width: 300.0,
            height,
            label: label.into(),
            marks: vec![Mark::text("tick", [0.0, 5.0], Anchor::Start, label)],
        };
        let (svg, width, height) = stack(&[scene("upper", 180.0), scene("lower", 126.0)]);
        assert_eq!((width, height), (300.0, 306.0));
        let file = export(&svg, "here");
        for part in [">upper</text>", ">lower</text>", "y=\"0.0\"", "y=\"180.0\""] {
            assert_eq!(file.matches(part).count(), 1, "{part} in {file}");
        }
        // The style stands once, in the outer picture, and what was opened is closed.
        assert_eq!(file.matches("<style>").count(), 1);
        assert_eq!(file.matches("<svg").count(), file.matches("</svg>").count());
        assert!(file.find("<style>") < file.find(">upper"));
    }
}
