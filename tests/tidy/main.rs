//! The order of the source tree: arrows, places, words, sizes, and lists against folders.
//! Needs no device. Every checker has a planted fault beside it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod arrows;
mod scrub;
mod words;

use lambdahat::experiments::CARDS;
use lambdahat::kernels::KERNELS;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file of the repository: its path with forward slashes, and its text.
fn files() -> Vec<(String, String)> {
    let mut all = Vec::new();
    walk(&root(), &mut all);
    assert!(all.len() > 50, "only {} files were found", all.len());
    all
}

fn walk(dir: &Path, all: &mut Vec<(String, String)>) {
    const KINDS: [&str; 10] = [
        "rs", "wgsl", "md", "html", "css", "toml", "yml", "py", "txt", "svg",
    ];
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(
                name.as_str(),
                "target" | ".git" | "dist" | "shots" | "runs" | "node_modules"
            ) {
                walk(&path, all);
            }
        } else if path
            .extension()
            .is_some_and(|e| KINDS.iter().any(|k| e == *k))
            || name == "run"
        {
            let relative = path
                .strip_prefix(root())
                .unwrap()
                .to_string_lossy()
                .replace('\\', "/");
            if let Ok(text) = std::fs::read_to_string(&path) {
                all.push((relative, text));
            }
        }
    }
}

fn none(found: Vec<String>) {
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn arrows_point_down() {
    let inside = |(path, text): &(String, String)| {
        let path = path.strip_prefix("src/").filter(|p| p.ends_with(".rs"))?;
        Some(arrows::check(path, text))
    };
    none(files().iter().filter_map(inside).flatten().collect());
}

#[test]
fn libraries_stay_in_their_places() {
    none(
        files()
            .iter()
            .flat_map(|(p, t)| words::places(p, t))
            .collect(),
    );
}

#[test]
fn nothing_is_left_for_later_and_nothing_names_one_machine() {
    none(
        files()
            .iter()
            .flat_map(|(p, t)| words::words(p, t))
            .collect(),
    );
}

#[test]
fn files_keep_their_budgets() {
    none(
        files()
            .iter()
            .flat_map(|(p, t)| words::budget(p, t))
            .collect(),
    );
}

/// What is in one set and not in the other.
fn difference(listed: &BTreeSet<String>, there: &BTreeSet<String>) -> Vec<String> {
    let unlisted = there
        .difference(listed)
        .map(|x| format!("{x} is there but not listed"));
    let absent = listed
        .difference(there)
        .map(|x| format!("{x} is listed but not there"));
    unlisted.chain(absent).collect()
}

#[test]
fn every_experiment_folder_is_listed() {
    let listed = CARDS.iter().map(|c| c.id.to_owned()).collect();
    let entries = std::fs::read_dir(root().join("src/experiments"))
        .unwrap()
        .flatten();
    // What the experiments with a transformer share is a folder, and no experiment.
    let there: BTreeSet<String> = entries
        .filter(|e| e.path().is_dir())
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .filter(|name| name != "transformer")
        .collect();
    none(difference(&listed, &there));
    for folder in &there {
        for file in ["card.rs", "lab.rs", "story.md"] {
            let file = root().join("src/experiments").join(folder).join(file);
            assert!(file.is_file(), "{folder} lacks {}", file.display());
        }
    }
}

#[test]
fn every_shader_is_a_kernel() {
    let entry = |(path, _): &&(String, String)| {
        ["nn", "optim", "probe", "truth"]
            .iter()
            .any(|d| path.starts_with(&format!("shaders/{d}/")))
            && path.ends_with(".wgsl")
    };
    let all = files();
    let shaders: Vec<_> = all.iter().filter(entry).collect();
    let there = shaders.iter().map(|(path, _)| path.clone()).collect();
    // A kernel holds its shader's text without comments and indentation, so equal texts are the same file.
    let bare = |text: &str| {
        let code = |line: &str| Some(line.split("//").next()?.trim_start().to_owned());
        let lines = text.lines().filter_map(code).filter(|l| !l.is_empty());
        lines.fold(String::new(), |all, line| all + &line + "\n")
    };
    let file_of = |source: &str| {
        let same = shaders.iter().find(|(_, text)| bare(text) == source);
        same.map_or_else(
            || "a shader outside shaders/{nn,optim,probe,truth}".to_owned(),
            |(path, _)| path.clone(),
        )
    };
    let listed = KERNELS.iter().map(|k| file_of(k.source)).collect();
    none(difference(&listed, &there));
}

#[test]
fn planted_differences_are_found() {
    let set = |names: &[&str]| {
        names
            .iter()
            .map(|n| (*n).to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert!(difference(&set(&["a"]), &set(&["a"])).is_empty());
    assert_eq!(difference(&set(&["a"]), &set(&["a", "b"])).len(), 1);
    assert_eq!(difference(&set(&["a", "b"]), &set(&["a"])).len(), 1);
}
