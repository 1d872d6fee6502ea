//! Every shader against its declaration, without a GPU: naga parses and validates the text with its
//! imports resolved, and what it finds must be what the Rust constant says.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::kernels::cases::cases;
use lambdahat::kernels::{Access, Elem, KERNELS, Kernel, LIBRARY, probe, resolve};
use std::collections::BTreeMap;
use std::path::Path;
use wgpu::naga::back::{PipelineConstants, pipeline_constants::process_overrides};
use wgpu::naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use wgpu::naga::{
    AddressSpace, ArraySize, GlobalVariable, Module, ScalarKind, ShaderStage, StorageAccess,
    TypeInner, front::wgsl,
};

/// Portable limits (WebGPU's defaults).
const INVOCATIONS: u32 = 256;
const WORKGROUP_BYTES: u32 = 16 << 10;
const STORAGE_BUFFERS: usize = 8;

/// The two tables as Rust lays them out: members, offsets, sizes.
const STEP: &[&str] = &["index", "slot", "schedule", "bias1", "bias2", "pad0", "pad1", "pad2"];
const REPLICA: &[&str] = &[
    "seed", "data_row", "anchor", "pad0", "mask_lo", "mask_hi", "lr", "wd", "nbeta", "gamma",
    "eps", "pad1",
];

fn load(source: &str) -> Result<(Module, ModuleInfo), String> {
    let text = resolve(source);
    let module = wgsl::parse_str(&text).map_err(|e| e.emit_to_string(&text))?;
    // No capability beyond WebGPU's core: subgroups, f16 and immediates are refused.
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .map_err(|e| e.emit_to_string(&text))?;
    Ok((module, info))
}

/// Everything in which a shader differs from its declaration.
fn drift(kernel: &Kernel, source: &str) -> Vec<String> {
    let (module, info) = match load(source) {
        Ok(loaded) => loaded,
        Err(e) => return vec![e],
    };
    let mut found = Vec::new();
    let mut same = |what: &str, shader: String, declared: String| {
        if shader != declared {
            found.push(format!("{what}: {shader} in the shader, {declared} in Rust"));
        }
    };

    let overrides: Vec<(String, Elem)> = module
        .overrides
        .iter()
        .map(|(_, o)| (o.name.clone().unwrap_or_default(), elem(&module.types[o.ty].inner)))
        .map(|(name, elem)| (name, elem.unwrap_or(Elem::F32)))
        .collect();
    let declared: Vec<_> = kernel.consts.iter().map(|&c| (c.to_owned(), Elem::U32)).collect();
    same("overrides", format!("{overrides:?}"), format!("{declared:?}"));

    let mut groups: [BTreeMap<u32, &GlobalVariable>; 2] = Default::default();
    for (_, v) in module.global_variables.iter() {
        if let Some(b) = v.binding {
            match groups.get_mut(b.group as usize) {
                Some(group) => {
                    group.insert(b.binding, v);
                }
                None => same("group", b.group.to_string(), "0 or 1".to_owned()),
            }
        }
    }
    let [own, tables] = groups;
    let shader: Vec<String> = own.iter().map(|(&i, v)| binding(&module, i, v)).collect();
    let mut declared = Vec::new();
    if !kernel.params.is_empty() {
        let members: Vec<_> = (0..).zip(kernel.params).map(|(i, p)| (p.name, p.elem, 4 * i));
        declared.push(format!("0 uniform {:?}", members.collect::<Vec<(&str, Elem, u32)>>()));
    }
    for (i, b) in (1..).zip(kernel.bindings) {
        let access = if b.access == Access::Read { "read" } else { "read_write" };
        declared.push(format!("{i} {} {access} {:?}", b.name, b.elem));
    }
    same("bindings", format!("{shader:?}"), format!("{declared:?}"));

    let storage = kernel.bindings.len() + usize::from(tables.contains_key(&1));
    if storage > STORAGE_BUFFERS {
        same("storage buffers", storage.to_string(), format!("at most {STORAGE_BUFFERS}"));
    }
    for (i, v) in &tables {
        let (name, size, members) = match i {
            0 => ("Step", 32, STEP),
            _ => ("Replica", 48, REPLICA),
        };
        let inner = match &module.types[v.ty].inner {
            TypeInner::Array { base, .. } => &module.types[*base].inner,
            inner => inner,
        };
        let TypeInner::Struct { members: has, span } = inner else {
            same("table", format!("{inner:?}"), name.to_owned());
            continue;
        };
        let has: Vec<_> = has.iter().map(|m| (m.name.as_deref().unwrap_or(""), m.offset)).collect();
        let wants: Vec<_> = members.iter().copied().zip((0..).step_by(4)).collect();
        same(name, format!("{span} bytes {has:?}"), format!("{size} bytes {wants:?}"));
    }

    let entries: Vec<_> = module.entry_points.iter().map(|e| (e.name.as_str(), e.stage)).collect();
    same("entry point", format!("{entries:?}"), format!("{:?}", [("main", ShaderStage::Compute)]));
    for case in cases().iter().filter(|c| c.kernel.name == kernel.name) {
        let values = case.consts.iter().map(|&c| f64::from(c));
        let consts = kernel.consts.iter().map(|&c| c.to_owned()).zip(values);
        let consts: PipelineConstants = consts.collect();
        match process_overrides(&module, &info, None, &consts) {
            Ok((module, _)) => {
                for over in over_limits(&module) {
                    same(&case.label, over, "portable limits".to_owned());
                }
            }
            Err(e) => same(&case.label, e.to_string(), "valid".to_owned()),
        }
    }
    found
}

/// Invocations and workgroup memory beyond the portable limits, once the overrides have values.
fn over_limits(module: &Module) -> Vec<String> {
    let mut over = Vec::new();
    for e in &module.entry_points {
        let n: u32 = e.workgroup_size.iter().product();
        if n > INVOCATIONS {
            over.push(format!("{n} invocations"));
        }
    }
    let shared = module.global_variables.iter().filter(|(_, v)| v.space == AddressSpace::WorkGroup);
    let bytes: u32 = shared.map(|(_, v)| module.types[v.ty].inner.size(module.to_ctx())).sum();
    if bytes > WORKGROUP_BYTES {
        over.push(format!("{bytes} bytes of workgroup memory"));
    }
    over
}

/// The element a scalar or vector is made of.
fn elem(inner: &TypeInner) -> Option<Elem> {
    let (TypeInner::Scalar(scalar) | TypeInner::Vector { scalar, .. }) = inner else {
        return None;
    };
    match (scalar.kind, scalar.width) {
        (ScalarKind::Float, 4) => Some(Elem::F32),
        (ScalarKind::Uint, 4) => Some(Elem::U32),
        _ => None,
    }
}

/// One binding of group 0 in words that the declaration can be put in too.
fn binding(module: &Module, index: u32, v: &GlobalVariable) -> String {
    let name = v.name.as_deref().unwrap_or("");
    let inner = &module.types[v.ty].inner;
    match (v.space, inner) {
        (AddressSpace::Uniform, TypeInner::Struct { members, .. }) => {
            let member = |m: &wgpu::naga::StructMember| {
                let elem = elem(&module.types[m.ty].inner);
                (m.name.clone().unwrap_or_default(), elem, m.offset)
            };
            let members: Vec<_> = members.iter().map(member).collect();
            match members.iter().map(|(n, e, o)| Some((n.as_str(), (*e)?, *o))).collect() {
                Some::<Vec<(&str, Elem, u32)>>(members) => format!("{index} uniform {members:?}"),
                None => format!("{index} uniform {members:?}"),
            }
        }
        (AddressSpace::Storage { access }, TypeInner::Array { base, size, .. }) => {
            let store = access.contains(StorageAccess::STORE);
            let access = if store { "read_write" } else { "read" };
            match (size, elem(&module.types[*base].inner)) {
                (ArraySize::Dynamic, Some(elem)) => format!("{index} {name} {access} {elem:?}"),
                other => format!("{index} {name} {access} {other:?}"),
            }
        }
        (space, inner) => format!("{index} {name} {space:?} {inner:?}"),
    }
}

#[test]
fn shaders_are_as_declared() {
    for kernel in KERNELS {
        let found = drift(kernel, kernel.source);
        assert!(found.is_empty(), "{}:\n{}", kernel.name, found.join("\n"));
    }
}

/// Renames, reorders, opens a buffer for writing, retypes, oversizes: each must be seen.
#[test]
fn planted_drifts_are_found() {
    let planted: [(&Kernel, &str, &str, &str); 9] = [
        (&probe::FMA, "override groups: u32;", "override group_count: u32;", "overrides"),
        (&probe::FMA, "a: f32,\n    b: f32,", "b: f32,\n    a: f32,", "bindings"),
        (&probe::FMA, "a: f32,\n", "a: u32,\n", "bindings"),
        (&probe::PHILOX, "@binding(2)", "@binding(3)", "bindings"),
        (&probe::PHILOX, "normals: array<f32>", "normals: array<atomic<u32>>", "bindings"),
        (&probe::PHILOX, "storage, read_write> words", "storage, read> words", ""),
        (&probe::FMA, "workgroup_size(64)", "workgroup_size(257)", "replicas"),
        (&probe::FMA, "fn main(", "fn start(", "entry point"),
        (
            &probe::FMA,
            "override groups",
            "var<workgroup> tile: array<f32, 4097>;\noverride groups",
            "replicas",
        ),
    ];
    for (kernel, from, to, what) in planted {
        assert!(kernel.source.contains(from), "{from} is not in {}", kernel.name);
        let mut source = kernel.source.replace(from, to);
        if kernel.name == probe::FMA.name {
            // What the shader does not use, naga keeps all the same; only the rename breaks uses.
            source = source.replace("* groups *", if to.contains("group_count") { "* group_count *" } else { "* groups *" });
        }
        let found = drift(kernel, &source);
        assert!(!found.is_empty(), "{to} went unseen");
        assert!(found.iter().any(|f| f.starts_with(what)), "{to}: {found:?}");
    }
    let swapped = resolve(probe::FMA.source).replace("lr: f32,\n    wd: f32", "wd: f32,\n    lr: f32");
    let found = drift(&probe::FMA, &swapped);
    assert!(found.iter().any(|f| f.starts_with("Replica")), "{found:?}");
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
    let mut listed: Vec<_> = kernels.chain(LIBRARY.iter().map(|(n, _)| *n)).map(String::from).collect();
    files.sort();
    listed.sort();
    assert_eq!(files, listed);
}

/// Tint is what Chrome compiles with. Where its command is installed, it has its say too.
#[test]
fn tint_accepts_every_shader_where_it_is_installed() {
    let tint = std::env::var("TINT").unwrap_or_else(|_| "tint".to_owned());
    if std::process::Command::new(&tint).arg("--help").output().is_err() {
        println!("no tint here");
        return;
    }
    let folder = std::env::temp_dir().join(format!("lambdahat-tint-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut refused = Vec::new();
    for kernel in KERNELS {
        let file = folder.join("shader.wgsl");
        std::fs::write(&file, resolve(kernel.source)).unwrap();
        let run = std::process::Command::new(&tint).args(["--format", "wgsl"]).arg(&file).output();
        let run = run.unwrap();
        if !run.status.success() {
            refused.push(format!("{}: {}", kernel.name, String::from_utf8_lossy(&run.stderr)));
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}
