//! Stand-alone files: the same SVG with the stylesheet of the page's charts inside.

use super::scene::escape;

/// The page's stylesheet; the part for charts stands between two markers.
const PAGE: &str = include_str!("../../www/style.css");
const BEGIN: &str = "/* plot: begin */";
const END: &str = "/* plot: end */";

/// The rules for charts, colours of both themes included.
#[must_use]
pub fn stylesheet() -> &'static str {
    PAGE.split_once(BEGIN)
        .and_then(|(_, rest)| rest.split_once(END))
        .map_or("", |(rules, _)| rules.trim())
}

/// An SVG that looks the same without the page around it, on a ground of its own, in light colours, and says where it comes from.
#[must_use]
pub fn export(svg: &str, origin: &str) -> String {
    match svg.split_once('>') {
        Some((open, rest)) if open.starts_with("<svg") => {
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{open} data-theme=\"light\"><desc>{}</desc><style>{}</style><rect class=\"ground\" width=\"100%\" height=\"100%\"/>{rest}\n",
                escape(origin),
                stylesheet()
            )
        }
        _ => svg.to_string(),
    }
}
