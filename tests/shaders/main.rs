//! Every shader against its declaration, without a GPU: naga parses and validates the text with its
//! imports resolved, and what it finds must be what the Rust constant says.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod drift;

use drift::{REPLICA, STEP, drift, shared_bytes};
use lambdahat::app::link;
use lambdahat::experiments;
use lambdahat::kernels::{
    KERNELS, Kernel, LIBRARY, float, probe, read, read_u32, resolve, word, write,
};
use std::path::Path;

#[test]
fn shaders_are_as_declared() {
    for kernel in KERNELS {
        let found = drift(kernel, kernel.source);
        assert!(found.is_empty(), "{}:\n{}", kernel.name, found.join("\n"));
    }
}

/// Renamed, reordered, retyped, opened for writing, left out: each must be seen.
#[test]
fn planted_drifts_are_found() {
    const PLANTED: &[(&str, Kernel)] = &[
        (
            "overrides",
            Kernel {
                consts: &["block_count"],
                ..probe::PHILOX
            },
        ),
        (
            "bindings",
            Kernel {
                params: &[float("b"), float("a")],
                ..probe::FMA
            },
        ),
        (
            "bindings",
            Kernel {
                params: &[float("a"), word("b")],
                ..probe::FMA
            },
        ),
        (
            "bindings",
            Kernel {
                params: &[],
                ..probe::FMA
            },
        ),
        (
            "bindings",
            Kernel {
                bindings: &[write("normals"), write("words")],
                ..probe::PHILOX
            },
        ),
        (
            "bindings",
            Kernel {
                bindings: &[write("words"), read("normals")],
                ..probe::PHILOX
            },
        ),
        (
            "bindings",
            Kernel {
                bindings: &[read_u32("words"), write("normals")],
                ..probe::PHILOX
            },
        ),
        (
            "bindings",
            Kernel {
                bindings: &[write("words")],
                ..probe::PHILOX
            },
        ),
    ];
    for (what, kernel) in PLANTED {
        let found = drift(kernel, kernel.source);
        assert!(
            found.iter().any(|f| f.starts_with(what)),
            "{kernel:?}: {found:?}"
        );
    }
    // The shader's side: limits, entry point, tables, text that is no shader, features not portable.
    let planted = [
        ("replicas", "workgroup_size(64)", "workgroup_size(257)"),
        ("replicas", "TILE", "array<f32, 4097>"),
        ("replicas", "TILE", "array<f32, groups * 4096>"),
        ("entry point", "fn main(", "fn start("),
        ("Replica", "lr: f32,\nwd: f32", "wd: f32,\nlr: f32"),
        ("Step", "pad2: u32,\n", ""),
        ("", "override", "overide"),
        ("", "f32(id.x % 64u)", "subgroupAdd(f32(id.x % 64u))"),
    ];
    let source = resolve(probe::FMA.source)
        .replace("@compute", "var<workgroup> tile: TILE;\n@compute")
        .replace("let start", "tile[id.x % 4u] = 1.0;\n    let start");
    let within = |s: &str| s.replace("TILE", "array<f32, 4096>");
    assert_eq!(drift(&probe::FMA, &within(&source)), Vec::<String>::new());
    for (what, from, to) in planted {
        assert!(source.contains(from), "{from} is not in the shader");
        let found = drift(&probe::FMA, &within(&source.replacen(from, to, 1)));
        assert!(found.iter().any(|f| f.starts_with(what)), "{to}: {found:?}");
    }
}

#[test]
fn tables_have_their_declared_layout_in_rust() {
    use lambdahat::kernels::{Replica, Step};
    use std::mem::offset_of;
    assert_eq!((size_of::<Step>(), size_of::<Replica>()), (32, 48));
    let at = |names: &[&str], name: &str| 4 * names.iter().position(|n| *n == name).unwrap();
    assert_eq!(offset_of!(Step, index), at(STEP, "index"));
    assert_eq!(offset_of!(Step, slot), at(STEP, "slot"));
    assert_eq!(offset_of!(Step, schedule), at(STEP, "schedule"));
    assert_eq!(offset_of!(Step, bias1), at(STEP, "bias1"));
    assert_eq!(offset_of!(Step, bias2), at(STEP, "bias2"));
    assert_eq!(offset_of!(Step, pad), at(STEP, "pad0"));
    assert_eq!(offset_of!(Replica, seed), at(REPLICA, "seed"));
    assert_eq!(offset_of!(Replica, data_row), at(REPLICA, "data_row"));
    assert_eq!(offset_of!(Replica, anchor), at(REPLICA, "anchor"));
    assert_eq!(offset_of!(Replica, pad0), at(REPLICA, "pad0"));
    assert_eq!(offset_of!(Replica, mask_lo), at(REPLICA, "mask_lo"));
    assert_eq!(offset_of!(Replica, mask_hi), at(REPLICA, "mask_hi"));
    assert_eq!(offset_of!(Replica, lr), at(REPLICA, "lr"));
    assert_eq!(offset_of!(Replica, wd), at(REPLICA, "wd"));
    assert_eq!(offset_of!(Replica, nbeta), at(REPLICA, "nbeta"));
    assert_eq!(offset_of!(Replica, gamma), at(REPLICA, "gamma"));
    assert_eq!(offset_of!(Replica, eps), at(REPLICA, "eps"));
    assert_eq!(offset_of!(Replica, pad1), at(REPLICA, "pad1"));
}

/// The first step must not wait long for its shaders: Chromium's software adapter writes the zeros of
/// workgroup memory one by one into every pipeline, and 3072 words of them took it over a second.
#[test]
fn the_training_shaders_of_tiny_compile_fast() {
    const WORDS: u32 = 400;
    let link = link::parse("#/induction?preset=tiny");
    let parts = experiments::build(link.experiment, &link.knobs).unwrap();
    let nodes = &parts.plan.programs[parts.train.program.0].nodes;
    let words = |kernel: &Kernel, source: &str, consts: &[u32]| {
        shared_bytes(kernel, source, consts).unwrap() / 4
    };
    for node in nodes {
        let found = words(node.kernel, node.kernel.source, &node.consts);
        println!("{}: {found}", node.kernel.name);
        assert!(found <= WORDS, "{}: {found} words", node.kernel.name);
    }
    // Planted: memory for the largest vocabulary, whatever the vocabulary.
    let unembed = nodes
        .iter()
        .find(|n| n.kernel.name == "nn/unembed")
        .unwrap();
    let source = unembed.kernel.source.replace("tile * vocab>", "3072>");
    assert!(words(unembed.kernel, &source, &unembed.consts) > WORDS);
}

/// A file under `shaders/` that nothing lists would never be checked.
#[test]
fn every_shader_file_is_listed_once() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap().with_extension("");
                files.push(name.to_str().unwrap().replace('\\', "/"));
            }
        }
    }
    let kernels = KERNELS.iter().map(|k| k.name);
    let mut listed: Vec<_> = kernels
        .chain(LIBRARY.iter().map(|(n, _)| *n))
        .map(String::from)
        .collect();
    files.sort();
    listed.sort();
    assert_eq!(files, listed);
}

/// Tint is what Chrome compiles with. Where its command is installed, it has its say too.
#[test]
fn tint_accepts_every_shader_where_it_is_installed() {
    let tint = std::env::var("TINT").unwrap_or_else(|_| "tint".to_owned());
    if std::process::Command::new(&tint)
        .arg("--help")
        .output()
        .is_err()
    {
        println!("no tint here");
        return;
    }
    let folder = std::env::temp_dir().join(format!("lambdahat-tint-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut refused = Vec::new();
    for kernel in KERNELS {
        let file = folder.join("shader.wgsl");
        std::fs::write(&file, resolve(kernel.source)).unwrap();
        let run = std::process::Command::new(&tint)
            .args(["--format", "wgsl"])
            .arg(&file)
            .output();
        let run = run.unwrap();
        if !run.status.success() {
            refused.push(format!(
                "{}: {}",
                kernel.name,
                String::from_utf8_lossy(&run.stderr)
            ));
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}
