//! Stand-alone files: the same SVG with the stylesheet of the page's charts inside.

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

/// An SVG that looks the same without the page around it.
#[must_use]
pub fn export(svg: &str) -> String {
    match svg.split_once('>') {
        Some((open, rest)) if open.starts_with("<svg") => {
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{open}><style>{}</style>{rest}\n",
                stylesheet()
            )
        }
        _ => svg.to_string(),
    }
}
