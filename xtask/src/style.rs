//! The style sheet for browsers that do not know `light-dark()` (before spring 2024): the colours of the
//! light in its place, and those of the dark once more, behind the system's wish and behind the choice.

use anyhow::{Context as _, Result, ensure};

const PAIR: &str = "light-dark(";

/// The same sheet without `light-dark()`, which may stand in properties of `:root` alone, one a line.
///
/// # Errors
/// If it stands elsewhere.
pub fn everywhere(css: &str) -> Result<String> {
    let (mut light, mut dark) = (String::new(), String::new());
    let (mut at, mut root) = (0, false);
    for line in css.lines() {
        root = line == ":root {" || (root && line != "}");
        if let Some((name, colours)) = line.split_once(PAIR) {
            let pair = colours.strip_suffix(");").and_then(|c| c.split_once(", "));
            let (day, night) = pair.with_context(|| format!("no pair of colours: {line}"))?;
            ensure!(
                root && name.trim_start().starts_with("--"),
                "no property of :root: {line}"
            );
            light += &format!("{name}{day};\n");
            dark += &format!("{name}{night};\n");
            at = light.len();
        } else {
            light += line;
            light.push('\n');
        }
    }
    ensure!(!dark.contains(PAIR), "two pairs of colours on a line");
    // Behind the block that the last pair stands in.
    let end = light[at..].find("\n}\n").or(light[at..].find("}\n"));
    let end = at + end.context("a block without an end")?;
    let end = end + light[end..].find("}\n").unwrap_or_default() + 2;
    let both = format!(
        "@media (prefers-color-scheme: dark) {{\n:root:not([data-theme=\"light\"]) {{\n{dark}}}\n}}\n:root[data-theme=\"dark\"] {{\n{dark}}}\n"
    );
    light.insert_str(end, &both);
    Ok(light)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_colour_has_its_place() -> Result<()> {
        let sheet = "a { b: c; }\n:root {\n  --ink: light-dark(#000, #fff);\n  --x: 1px;\n}\n.d { color: var(--ink); }\n";
        assert_eq!(
            everywhere(sheet)?,
            "a { b: c; }\n:root {\n  --ink: #000;\n  --x: 1px;\n}\n@media (prefers-color-scheme: dark) {\n:root:not([data-theme=\"light\"]) {\n  --ink: #fff;\n}\n}\n:root[data-theme=\"dark\"] {\n  --ink: #fff;\n}\n.d { color: var(--ink); }\n"
        );
        // Planted: a pair elsewhere, two on a line, half a pair.
        for bad in [
            sheet.replace("var(--ink)", "light-dark(red, blue)"),
            sheet.replace("1px;", "light-dark(red, blue) light-dark(red, blue);"),
            sheet.replace("#000, #fff", "#000"),
            sheet.replace(":root", ".root"),
        ] {
            assert!(everywhere(&bad).is_err(), "{bad}");
        }
        Ok(())
    }

    #[test]
    fn the_page_needs_no_new_browser() -> Result<()> {
        let css = std::fs::read_to_string(crate::root().join("www/style.css"))?;
        let built = everywhere(&css)?;
        let colours = css.matches(PAIR).count();
        assert!(colours > 20 && !built.contains(PAIR));
        assert_eq!(built.lines().count(), css.lines().count() + 2 * colours + 6);
        Ok(())
    }
}
