//! `index.html`, filled in: names of the hashed files, and the recorded traces that a visitor sees
//! before any wasm has arrived.

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Names of the built files, relative to the page.
#[derive(Clone, Debug)]
pub struct Names {
    /// The module that loads the wasm.
    pub app: String,
    /// The wasm.
    pub wasm: String,
    /// The worker's bootstrap.
    pub worker: String,
    /// The style sheet.
    pub style: String,
    /// The icon.
    pub icon: String,
    /// The web manifest.
    pub manifest: String,
}

/// A word for a file's content: FNV-1a, which is enough to tell two builds apart.
#[must_use]
pub fn hash(bytes: &[u8]) -> String {
    let h = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
        (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{h:016x}")
}

/// The worker's bootstrap. Messages that arrive while the wasm is compiled are kept and handed on
/// once it listens: a worker's queue is open from the first line of its script.
#[must_use]
pub fn worker(app: &str) -> String {
    format!(
        "import init from \"./{app}\";\n\
         const early = [], keep = e => {{ e.stopImmediatePropagation(); early.push(e); }};\n\
         self.addEventListener(\"message\", keep);\n\
         await init();\n\
         self.removeEventListener(\"message\", keep);\n\
         for (const e of early) self.dispatchEvent(new MessageEvent(\"message\", {{ data: e.data, ports: [...e.ports] }}));\n"
    )
}

/// Recorded traces: every `www/traces/<experiment>.<chart>.svg`, by its name without the ending.
///
/// # Errors
/// If a file cannot be read.
pub fn traces(dir: &Path) -> Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Ok(all);
    };
    for entry in entries {
        let path = entry?.path();
        let Some(name) = path
            .file_name()
            .and_then(|n| n.to_str())
            .and_then(|n| n.strip_suffix(".svg"))
        else {
            continue;
        };
        let svg = std::fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
        // An XML declaration or a doctype has no place inside an HTML page.
        let start = svg
            .find("<svg")
            .with_context(|| format!("{}: no <svg", path.display()))?;
        all.insert(name.to_owned(), svg[start..].trim().to_owned());
    }
    Ok(all)
}

/// What the page's program reads from `index.html`, so that it need not be compiled into it: every
/// `www/traces/<experiment>.json` and `src/experiments/<experiment>/story.md`, the null runs, what the
/// terms mean and the rules for charts, in an element each.
///
/// # Errors
/// If a file cannot be read, or would end its element.
pub fn data(root: &Path) -> Result<String> {
    let mut all = String::new();
    for path in listed(&root.join("www/traces"))? {
        if path.extension().is_some_and(|e| e == "json") {
            let id = path.file_stem().unwrap_or_default().to_string_lossy();
            all += &json(&format!("trace-{id}"), &path)?;
        }
    }
    for id in ["nulls", "terms"] {
        all += &json(id, &root.join(format!("www/{id}.json")))?;
    }
    let style = std::fs::read_to_string(root.join("www/style.css"))?;
    let rules = style
        .split_once("/* plot: begin */")
        .and_then(|(_, rest)| rest.split_once("/* plot: end */"))
        .context("www/style.css: no rules for charts between markers")?;
    all += &element("text/css", "plot", rules.0)?;
    for folder in listed(&root.join("src/experiments"))? {
        let story = folder.join("story.md");
        if story.is_file() {
            let id = folder.file_name().unwrap_or_default().to_string_lossy();
            let text = std::fs::read_to_string(&story)?;
            all += &element("text/markdown", &format!("story-{id}"), &text)?;
        }
    }
    Ok(all)
}

/// What is in a folder, in order.
fn listed(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(dir).with_context(|| dir.display().to_string())?;
    let mut all: Vec<PathBuf> = entries
        .map(|e| Ok(e?.path()))
        .collect::<std::io::Result<_>>()?;
    all.sort();
    Ok(all)
}

/// The text of a file of JSON, in which nothing may end the element.
fn json(id: &str, path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    element("application/json", id, &text.replace('<', "\\u003c"))
}

fn element(kind: &str, id: &str, text: &str) -> Result<String> {
    if text.contains("</script") || text.contains("<!--") {
        bail!("{id} would end its element");
    }
    Ok(format!(
        "<script type=\"{kind}\" id=\"{id}\">{}</script>\n",
        text.trim()
    ))
}

/// Fills in the page.
///
/// # Errors
/// If a marker is missing: the page would load nothing.
pub fn fill(
    template: &str,
    names: &Names,
    traces: &BTreeMap<String, String>,
    data: &str,
) -> Result<String> {
    let head = format!(
        "<link rel=\"modulepreload\" href=\"./{app}\">\n\
         <link rel=\"preload\" href=\"./{wasm}\" as=\"fetch\" type=\"application/wasm\" crossorigin>\n\
         <link rel=\"stylesheet\" href=\"./{style}\">\n\
         <link rel=\"icon\" href=\"./{icon}\" type=\"image/svg+xml\">\n\
         <link rel=\"manifest\" href=\"./{manifest}\">\n\
         <meta name=\"lambdahat-worker\" content=\"./{worker}\">",
        app = names.app,
        wasm = names.wasm,
        style = names.style,
        icon = names.icon,
        manifest = names.manifest,
        worker = names.worker
    );
    let boot = format!(
        "<script type=\"module\">\nimport init from \"./{}\";\ninit().catch(e => window.lambdahatFailed(e));\n</script>",
        names.app
    );
    let mut page = replace(template, "<!-- xtask:head -->", &head)?;
    page = replace(&page, "<!-- xtask:boot -->", &format!("{data}{boot}"))?;
    inline(&page, traces)
}

fn replace(text: &str, marker: &str, with: &str) -> Result<String> {
    if text.matches(marker).count() != 1 {
        bail!("index.html must hold {marker} exactly once");
    }
    Ok(text.replacen(marker, with, 1))
}

/// Puts the traces in the places marked `<!-- trace NAME -->`. A trace that was not recorded yet
/// leaves a sentence in its place, never a blank.
fn inline(page: &str, traces: &BTreeMap<String, String>) -> Result<String> {
    const OPEN: &str = "<!-- trace ";
    let mut out = String::with_capacity(page.len());
    let mut rest = page;
    while let Some(at) = rest.find(OPEN) {
        out.push_str(&rest[..at]);
        let after = &rest[at + OPEN.len()..];
        let end = after
            .find("-->")
            .context("index.html: an unclosed trace marker")?;
        let name = after[..end].trim();
        match traces.get(name) {
            Some(svg) => {
                out.push_str(svg);
                let origin = svg
                    .split_once("<desc>")
                    .and_then(|(_, rest)| rest.split_once("</desc>"))
                    .with_context(|| format!("{name}.svg does not say where it comes from"))?
                    .0;
                out.push_str("<p class=\"recorded\">");
                out.push_str(origin);
                out.push_str(", not computed here.</p>");
            }
            None => out
                .push_str("<p class=\"untraced\">A curve appears here once a run has started.</p>"),
        }
        rest = &after[end + 3..];
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names() -> Names {
        let of = |s: &str| s.to_owned();
        Names {
            app: of("app-1.js"),
            wasm: of("app-2_bg.wasm"),
            worker: of("worker-3.js"),
            style: of("style-4.css"),
            icon: of("icon-5.svg"),
            manifest: of("m-6.webmanifest"),
        }
    }

    #[test]
    fn the_repository_s_page_takes_its_files_and_traces() {
        let template = std::fs::read_to_string(crate::root().join("index.html")).unwrap();
        let traces = BTreeMap::from([(
            "tms.loss".to_owned(),
            "<svg id=\"planted\"><desc>Recorded by x from #/tms?v=1</desc></svg>".to_owned(),
        )]);
        let page = fill(&template, &names(), &traces, "").unwrap();
        assert!(page.contains("<meta name=\"lambdahat-worker\" content=\"./worker-3.js\">"));
        assert!(page.contains("import init from \"./app-1.js\"") && page.contains("planted"));
        // One trace planted: what stands in the other places must not claim to be recorded.
        let bare = fill(&template, &names(), &BTreeMap::new(), "").unwrap();
        let said = |page: &str| page.matches("not computed here").count();
        assert_eq!(
            said(&page),
            said(&bare) + 1,
            "only what was recorded says so"
        );
        assert!(!page.contains("<!-- trace") && !page.contains("<!-- xtask"));
        assert!(page.contains(">Recorded by x from #/tms?v=1, not computed here.<"));
        // A picture without its origin is refused.
        let nameless = BTreeMap::from([("tms.loss".to_owned(), "<svg/>".to_owned())]);
        assert!(fill(&template, &names(), &nameless, "").is_err());
        // Any sub-path of any host: nothing may start at the root of the host.
        assert!(!page.contains("href=\"/") && !page.contains("src=\"/"));
    }

    #[test]
    fn traces_null_runs_and_stories_come_with_the_page() {
        let all = data(&crate::root()).unwrap();
        for id in [
            "trace-tms",
            "story-tms",
            "story-truth",
            "nulls",
            "terms",
            "plot",
        ] {
            assert_eq!(all.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
        }
        assert!(element("text/markdown", "x", "a < b").is_ok());
        assert!(element("text/markdown", "x", "</script>").is_err());
    }

    #[test]
    fn a_page_without_its_markers_is_refused() {
        assert!(fill("<p>", &names(), &BTreeMap::new(), "").is_err());
        let open = "<!-- xtask:head --><!-- xtask:boot --><!-- trace x";
        assert!(fill(open, &names(), &BTreeMap::new(), "").is_err());
    }

    #[test]
    fn one_changed_byte_changes_the_name() {
        assert_ne!(hash(b"a"), hash(b"b"));
        assert_eq!(hash(b""), "cbf29ce484222325");
    }
}
