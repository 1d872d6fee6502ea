//! Words that may appear only in some places, and sizes of files.

use crate::scrub;

/// Names of libraries and the places that may use them.
const PLACES: &[(&str, &[&str])] = &[
    ("wgpu::", &["src/exec/gpu/"]),
    ("yew::", PAGE),
    ("gloo::", PAGE),
    ("web_sys::", PAGE),
];
const PAGE: &[&str] = &[
    "src/ui/",
    "src/web/",
    "src/engine/serve.rs",
    "src/store/browser.rs",
];

/// Promises instead of code.
const PROMISES: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("unimple", "mented!"),
    concat!("to", "do!("),
];

/// Beginnings of paths that exist on one machine only.
const MACHINE: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("/t", "mp/"),
    concat!("C:", "\\"),
];

/// Libraries used where they may not be.
pub fn places(path: &str, text: &str) -> Vec<String> {
    if !path.ends_with(".rs") || path.starts_with("xtask/") {
        return Vec::new();
    }
    let code = scrub::code(text);
    let mut found = Vec::new();
    for (name, places) in PLACES {
        let at = |(i, _): &(usize, &str)| {
            let before = code[..*i].chars().next_back().unwrap_or(' ');
            let naga = path.starts_with("tests/") && code[*i..].starts_with("wgpu::naga");
            !(before.is_alphanumeric() || before == '_' || naga)
        };
        if code.match_indices(name).any(|m| at(&m)) && !places.iter().any(|p| path.starts_with(p)) {
            found.push(format!(
                "{path}: {name} belongs under {}",
                places.join(", ")
            ));
        }
    }
    found
}

/// Unfinished work and paths of one machine.
pub fn words(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (n, line) in text.lines().enumerate() {
        for word in PROMISES.iter().filter(|w| line.contains(**w)) {
            found.push(format!("{path}:{}: {word}", n + 1));
        }
        for word in MACHINE {
            // A path begins there; the middle of a longer path or of a URL is another thing.
            let begins = line.match_indices(word).any(|(i, _)| {
                let before = line[..i].chars().next_back().unwrap_or(' ');
                !(before.is_alphanumeric() || matches!(before, '.' | '_' | '-' | '/' | '*' | '}'))
            });
            if begins {
                found.push(format!("{path}:{}: a path of one machine, {word}", n + 1));
            }
        }
    }
    found
}

/// Files longer than their kind may be.
pub fn budget(path: &str, text: &str) -> Vec<String> {
    let (most, kind) = match path.rsplit('.').next() {
        Some("wgsl") => (120, "a shader"),
        Some("rs") if path.starts_with("src/ui/") => (200, "a component"),
        Some("rs") => (400, "a Rust file"),
        _ => return Vec::new(),
    };
    let lines = text.lines().count();
    if lines <= most {
        return Vec::new();
    }
    vec![format!("{path}: {lines} lines, {kind} has at most {most}")]
}

#[test]
fn planted_words_are_found() {
    assert!(!places("src/exec/cpu.rs", "use wgpu::Device;").is_empty());
    assert!(!places("tests/a.rs", "use wgpu::Device;").is_empty());
    assert!(!places("src/app/mod.rs", "fn f(x: web_sys::Window) {}").is_empty());
    assert!(!places("src/plot/svg.rs", "use yew::prelude::*;").is_empty());
    assert!(places("tests/a.rs", "use wgpu::naga::front; // wgpu::Device").is_empty());
    assert!(places("src/ui/app.rs", "use yew::Html;").is_empty());
    assert!(!words("a.rs", concat!("// TO", "DO later")).is_empty());
    assert!(!words("a.md", concat!("see /ho", "me/me/x")).is_empty());
    assert!(words("a.md", concat!("https://example.org/ho", "me/x")).is_empty());
}

#[test]
fn planted_long_files_are_found() {
    let lines = |n: usize| "x\n".repeat(n);
    for (path, most) in [
        ("a.wgsl", 120),
        ("src/ui/a.rs", 200),
        ("src/plan/a.rs", 400),
    ] {
        assert!(budget(path, &lines(most)).is_empty(), "{path}");
        assert!(!budget(path, &lines(most + 1)).is_empty(), "{path}");
    }
}
