//! Which module may use which: the arrows of `src/ARCHITECTURE.md`.

use crate::scrub;

/// For each module what it may name. `a::b` allows only that part of `a`.
/// The rule behind the table: arrows point down. Below everything are `math`, `tensor` and
/// `protocol`, which is plain data that engine and page share.
const ARROWS: &[(&str, &[&str])] = &[
    ("math", &[]),
    // Text of data and back.
    ("json", &[]),
    ("tensor", &[]),
    // Kernels, their consts, the two tables of a dispatch.
    ("kernels", &["math"]),
    ("plan", &["kernels", "tensor"]),
    // A frame carries the engine's counters; a plan's mistake becomes a fault.
    ("protocol", &["exec::Counters", "plan::PlanError"]),
    ("knobs", &["protocol", "math"]),
    // `exec` does not know models.
    ("exec", &["plan", "kernels", "math", "protocol"]),
    // `model` does not know devices.
    ("model", &["plan", "kernels", "math", "tensor"]),
    // Optimisers and samplers only append to plans.
    ("optim", &["plan", "kernels", "math", "tensor"]),
    ("tasks", &["math"]),
    ("estimate", &["math", "protocol"]),
    (
        "instruments",
        &[
            "plan",
            "kernels",
            "math",
            "tensor",
            "protocol::PcaUpdate",
            "protocol::Plane",
            "protocol::TokenSet",
        ],
    ),
    (
        "experiments",
        &[
            "tasks",
            "model",
            "optim",
            "instruments",
            "estimate::exact",
            "plan",
            "kernels",
            "math",
            "tensor",
            "knobs",
            "protocol",
            "exec::Batch",
            // Numbers as text.
            "plot::number",
        ],
    ),
    ("store", &["protocol", "tensor", "math", "json"]),
    // Links are parsed in one place, for the page, the engine and the command line.
    (
        "engine",
        &[
            "experiments",
            "estimate",
            "instruments",
            "store",
            "exec",
            "plan",
            "kernels",
            "tensor",
            "math",
            "knobs",
            "protocol",
            "app::link",
            "json",
        ],
    ),
    // `app` does not know yew, the engine or devices; of the experiments it knows the cards.
    (
        "app",
        &[
            "protocol",
            "knobs",
            "math",
            // Who leads, what goes together and what goes before what, from curves that the page has.
            "estimate::cluster",
            "estimate::lagged",
            "estimate::lead",
            // Two models, from log-probabilities that it has; a path, from its points.
            "instruments::versus",
            "instruments::bends",
            "experiments",
            "exec::CheckRow",
            "exec::Counters",
            "json",
            // Numbers as text, stages as bands.
            "plot::number",
            "plot::bands",
        ],
    ),
    ("plot", &["math"]),
    // `ui` does not know models; in the worker it hands over to the engine.
    (
        "ui",
        &[
            "app",
            "plot",
            "protocol",
            "knobs",
            "math",
            "experiments",
            "engine::serve",
        ],
    ),
    // The command line is an outermost layer, as `ui` is.
    (
        "cli",
        &[
            "app",
            "plot",
            "engine",
            "experiments",
            "store",
            "instruments",
            "estimate",
            "exec",
            "plan",
            "kernels",
            "math",
            "knobs",
            "protocol",
        ],
    ),
    ("bin", &[]),
    ("lib", &[]),
];

/// Folders that are crates of their own: their manifests hold their arrows.
const CRATES: &[&str] = &["kernels", "math", "web"];

/// Mistakes of one file under `src/`: its path from there, its text.
pub fn check(path: &str, text: &str) -> Vec<String> {
    let module = path.split(['/', '.']).next().unwrap_or_default();
    if CRATES.contains(&module) {
        return Vec::new();
    }
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == module) else {
        return vec![format!(
            "src/{path}: the module “{module}” is not in the table of arrows"
        )];
    };
    let code = scrub::code(text);
    let mut named = from_root(&code);
    named.extend(through_super(path, &code));
    let fits = |name: &str| {
        let own = name == module || name.starts_with(&format!("{module}::"));
        own || allowed
            .iter()
            .any(|a| name == *a || name.starts_with(&format!("{a}::")))
    };
    named
        .iter()
        .filter(|name| {
            ARROWS
                .iter()
                .any(|(m, _)| name.split("::").next() == Some(m))
                && !fits(name)
        })
        .map(|name| format!("src/{path}: {module} may not use {name}"))
        .collect()
}

/// Paths named after `crate::`, groups in braces taken apart.
fn from_root(code: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (at, found) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back().unwrap_or(' ');
        if !(before.is_alphanumeric() || before == '_' || before == '$') {
            paths(&code[at + found.len()..], "", &mut all);
        }
    }
    all
}

/// `super::super::x` that climbs to the root of the crate names `crate::x`.
fn through_super(path: &str, code: &str) -> Vec<String> {
    let depth = path
        .split('/')
        .filter(|p| !matches!(*p, "mod.rs" | "lib.rs"))
        .count();
    let mut all = Vec::new();
    for (at, _) in code.match_indices("super::") {
        if code[..at].ends_with("super::") {
            continue;
        }
        let mut rest = &code[at..];
        let mut climbed = 0;
        while let Some(next) = rest.strip_prefix("super::") {
            rest = next;
            climbed += 1;
        }
        if climbed >= depth {
            paths(rest, "", &mut all);
        }
    }
    all
}

/// Reads `a::b::{c, d::e}` into its paths, as far as names go.
fn paths(text: &str, prefix: &str, all: &mut Vec<String>) {
    let text = text.trim_start();
    if let Some(group) = text.strip_prefix('{') {
        let mut depth = 0;
        let mut start = 0;
        for (i, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' if depth == 0 => {
                    paths(&group[start..i], prefix, all);
                    start = i + 1;
                    if c == '}' {
                        return;
                    }
                }
                _ => {}
            }
        }
        return;
    }
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    if end == 0 {
        if !prefix.is_empty() {
            all.push(prefix.to_owned());
        }
        return;
    }
    let path = if prefix.is_empty() {
        text[..end].to_owned()
    } else {
        format!("{prefix}::{}", &text[..end])
    };
    match text[end..].strip_prefix("::") {
        Some(rest) if !rest.starts_with('<') => paths(rest, &path, all),
        // `self` in a group is the module itself.
        _ => all.push(
            path.strip_suffix("::self")
                .map_or(path.clone(), str::to_owned),
        ),
    }
}

#[test]
fn planted_arrows_are_found() {
    let red = |path: &str, text: &str| !check(path, text).is_empty();
    assert!(red("app/mod.rs", "use crate::engine::Session;"));
    assert!(red("exec/cpu.rs", "use crate::{plan::Plan, model::Spec};"));
    assert!(red("exec/cpu.rs", "fn f() -> crate::model::Spec {}"));
    assert!(red("engine/mod.rs", "use crate::app::{link, reduce};"));
    assert!(red("plan/mod.rs", "use super::engine::Session;"));
    assert!(red("plan/a.rs", "use super::super::{engine, tensor};"));
    assert!(red("model/layers/a.rs", "use crate::exec;"));
    assert!(red("newcomer/mod.rs", ""));
    let green = |path: &str, text: &str| check(path, text).is_empty();
    assert!(green(
        "engine/mod.rs",
        "use crate::app::link::{self, Link};"
    ));
    assert!(green(
        "plan/mod.rs",
        "// crate::engine\nuse crate::kernels::{Kernel, KERNELS};"
    ));
    assert!(green(
        "protocol.rs",
        "use crate::exec::Counters; impl From<crate::plan::PlanError> for Fault {}"
    ));
    assert!(green("math/mod.rs", "mod tests { use super::*; }"));
    assert!(green("kernels/a.rs", "use super::twin; use crate::twin;"));
}
