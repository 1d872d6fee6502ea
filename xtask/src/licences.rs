//! The licences of everything that ends up in the wasm, from cargo's own metadata.

use crate::tools;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

/// One text: our licence, then each dependency of the page with its licence files. Equal texts are
/// printed once.
///
/// # Errors
/// If cargo cannot tell what the page is made of.
pub fn text() -> Result<String> {
    let target = "wasm32-unknown-unknown";
    let out = tools::cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--filter-platform",
        target,
    ])
    .output()
    .context("cargo metadata")?;
    if !out.status.success() {
        bail!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&out.stderr)
        );
    }
    let metadata: Value = serde_json::from_slice(&out.stdout)?;
    let wanted = linked(&metadata);
    let mut list = String::new();
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in array(&metadata["packages"]) {
        let id = package["id"].as_str().unwrap_or_default();
        if !wanted.contains(id) || package["source"].is_null() {
            continue;
        }
        let name = format!(
            "{} {}",
            string(&package["name"]),
            string(&package["version"])
        );
        writeln!(
            list,
            "{name}: {}",
            package["license"]
                .as_str()
                .unwrap_or("see its licence file")
        )?;
        let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
        for text in files(manifest) {
            texts.entry(text).or_default().push(name.clone());
        }
    }
    let mut all = String::from(
        "lambdahat is free software under the MIT licence or the Apache License 2.0, as you like.\n\
         It contains the following works, each under its own licence.\n\n",
    );
    all.push_str(&list);
    for (text, names) in &texts {
        write!(
            all,
            "\n{}\n{}\n\n{}\n",
            "-".repeat(80),
            names.join(", "),
            text
        )?;
    }
    Ok(all)
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Package ids reachable from `lambdahat` without going through build or test dependencies.
fn linked(metadata: &Value) -> BTreeSet<String> {
    let nodes: BTreeMap<&str, &Value> = array(&metadata["resolve"]["nodes"])
        .iter()
        .map(|n| (string(&n["id"]), n))
        .collect();
    let mut seen = BTreeSet::new();
    let root = array(&metadata["packages"])
        .iter()
        .find(|p| p["name"] == "lambdahat");
    let mut queue: Vec<&str> = root.map(|p| string(&p["id"])).into_iter().collect();
    while let Some(id) = queue.pop() {
        if !seen.insert(id.to_owned()) {
            continue;
        }
        let Some(node) = nodes.get(id) else { continue };
        for dep in array(&node["deps"]) {
            if array(&dep["dep_kinds"]).iter().any(|k| k["kind"].is_null()) {
                queue.push(string(&dep["pkg"]));
            }
        }
    }
    seen
}

/// The licence files beside a manifest.
fn files(manifest: &Path) -> Vec<String> {
    let Some(entries) = manifest
        .parent()
        .and_then(|dir| std::fs::read_dir(dir).ok())
    else {
        return Vec::new();
    };
    let mut found: Vec<_> = entries
        .flatten()
        .filter(|e| {
            let name = e.file_name().to_string_lossy().to_uppercase();
            name.starts_with("LICEN") || name.starts_with("COPYING") || name.starts_with("NOTICE")
        })
        .map(|e| e.path())
        .collect();
    found.sort();
    found
        .iter()
        .filter_map(|p| std::fs::read_to_string(p).ok())
        .map(|t| t.trim().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_linked_is_named_and_what_only_tests_need_is_not() {
        let all = text().unwrap();
        assert!(all.contains("\nyew 0.") && all.contains("Permission is hereby granted"));
        assert!(!all.contains("\nproptest "));
    }
}
