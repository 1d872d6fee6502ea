//! A link as a QR code: dark squares on a light ground in every theme, with the quiet zone of four
//! modules that the standard asks for.

use super::scene::{Mark, Scene};
use qrcode::{Color, EcLevel, QrCode};

/// Pixels of a module.
const MODULE: f64 = 4.0;
/// Light modules around the code.
const QUIET: usize = 4;

/// The picture; none for a text too long for a code (over 2331 bytes).
#[must_use]
pub fn qr(text: &str) -> Option<Scene> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let (n, modules) = (code.width(), code.to_colors());
    let size = (n + 2 * QUIET) as f64 * MODULE;
    let rect = |class: &str, rect: [f64; 4]| Mark::Rect {
        class: class.into(),
        rect,
        opacity: 1.0,
        title: String::new(),
    };
    let mut marks = vec![rect("qr-ground", [0.0, 0.0, size, size])];
    for (row, line) in modules.chunks(n).enumerate() {
        let mut at = 0;
        for run in line.chunk_by(|a, b| a == b) {
            if run[0] == Color::Dark {
                let (x, y) = ((at + QUIET) as f64 * MODULE, (row + QUIET) as f64 * MODULE);
                marks.push(rect("qr-ink", [x, y, run.len() as f64 * MODULE, MODULE]));
            }
            at += run.len();
        }
    }
    Some(Scene {
        width: size,
        height: size,
        label: "The link as a QR code".into(),
        marks,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Area of what is dark, in modules.
    fn dark(scene: &Scene) -> f64 {
        let area = |m: &Mark| match m {
            Mark::Rect { class, rect, .. } if class == "qr-ink" => rect[2] * rect[3],
            _ => 0.0,
        };
        scene.marks.iter().map(area).sum::<f64>() / (MODULE * MODULE)
    }

    #[test]
    fn every_dark_module_is_drawn_once() {
        let link = "http://127.0.0.1:8080/#/tms?v=1&seed=1";
        let scene = qr(link).unwrap();
        let code = QrCode::with_error_correction_level(link, EcLevel::M).unwrap();
        let modules = code
            .to_colors()
            .iter()
            .filter(|c| **c == Color::Dark)
            .count();
        assert_eq!(dark(&scene), modules as f64);
        // The top edge of the first finder pattern: seven dark modules beyond the quiet zone.
        let first = Mark::Rect {
            class: "qr-ink".into(),
            rect: [16.0, 16.0, 28.0, 4.0],
            opacity: 1.0,
            title: String::new(),
        };
        assert_eq!(scene.marks[1], first);
        // Planted fault: another link is another code.
        assert_ne!(scene, qr("http://127.0.0.1:8080/#/tms?v=1&seed=2").unwrap());
        assert_eq!(qr(&"x".repeat(4000)), None);
    }
}
