//! Stand-alone files: the same SVG with the stylesheet of the page's charts inside.

use super::scene::{Anchor, Mark, Scene, escape};
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

/// What stands above a picture in its file: its title, and classes of its lines with what they mean.
#[must_use]
pub fn heading(title: &str, keys: &[(&str, &str)], width: f64) -> Scene {
    let most = ((width - 8.0) / 6.4).max(12.0) as usize;
    let mut lines = vec![String::new()];
    for word in title.split(' ') {
        let long = |line: &String| line.chars().count() + word.chars().count() >= most;
        match lines.last_mut() {
            Some(line) if !line.is_empty() && !long(line) => *line += &format!(" {word}"),
            Some(line) if line.is_empty() => line.push_str(word),
            _ => lines.push(word.into()),
        }
    }
    let mut scene = Scene {
        width,
        height: 4.0,
        label: title.into(),
        ..Scene::default()
    };
    let mut text = |at: f64, text: &str, class: &str| {
        scene.height += 15.0;
        let (y, marks) = (scene.height - 4.0, &mut scene.marks);
        if !class.is_empty() {
            let line = format!("line {class}");
            marks.push(Mark::line(&line, [4.0, y - 4.0], [30.0, y - 4.0]));
        }
        marks.push(Mark::text("title", [at, y], Anchor::Start, text));
    };
    lines.iter().for_each(|line| text(4.0, line, ""));
    keys.iter()
        .for_each(|(class, told)| text(36.0, told, class));
    scene
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
    fn a_file_says_what_it_is_and_what_its_colours_mean() {
        let keys = [("s0", "previous token"), ("s1", "prefix matching")];
        let scene = heading(
            "Scores of head 0.1, which is an induction head",
            &keys,
            160.0,
        );
        let svg = scene.svg();
        let texts = scene.marks.iter().filter_map(|m| match m {
            Mark::Text { text, .. } => Some(text.as_str()),
            _ => None,
        });
        let texts: Vec<&str> = texts.collect();
        // Lines that fit, and all of the words.
        assert_eq!(
            texts[..3].join(" "),
            "Scores of head 0.1, which is an induction head"
        );
        assert!(texts[..3].iter().all(|t| t.len() <= 24), "{texts:?}");
        assert_eq!(texts[3..], ["previous token", "prefix matching"]);
        assert!(svg.contains("class=\"line s1\"") && scene.height == 79.0);
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
