//! What a shader says of itself, against what its Rust constant says.

use lambdahat::kernels::cases::cases;
use lambdahat::kernels::{Access, Elem, Kernel, resolve};
use std::collections::BTreeMap;
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
pub const STEP: &[&str] = &[
    "index", "slot", "schedule", "bias1", "bias2", "pad0", "pad1", "pad2",
];
pub const REPLICA: &[&str] = &[
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
pub fn drift(kernel: &Kernel, source: &str) -> Vec<String> {
    let (module, info) = match load(source) {
        Ok(loaded) => loaded,
        Err(e) => return vec![e],
    };
    let mut found = Vec::new();
    let mut same = |what: &str, shader: String, declared: String| {
        if shader != declared {
            found.push(format!(
                "{what}: {shader} in the shader, {declared} in Rust"
            ));
        }
    };

    // By name: their order means nothing. What has none is the size of an array, made of others.
    let overrides: BTreeMap<String, Option<Elem>> = module
        .overrides
        .iter()
        .filter_map(|(_, o)| Some((o.name.clone()?, elem(&module.types[o.ty].inner))))
        .collect();
    let words = kernel
        .consts
        .iter()
        .map(|&c| (c.to_owned(), Some(Elem::U32)));
    let declared: BTreeMap<_, _> = words.collect();
    same(
        "overrides",
        format!("{overrides:?}"),
        format!("{declared:?}"),
    );

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
        let members = (0..)
            .zip(kernel.params)
            .map(|(i, p)| (p.name, p.elem, 4 * i));
        declared.push(format!(
            "0 uniform {:?}",
            members.collect::<Vec<(&str, Elem, u32)>>()
        ));
    }
    for (i, b) in (1..).zip(kernel.bindings) {
        let access = if b.access == Access::Read {
            "read"
        } else {
            "read_write"
        };
        declared.push(format!("{i} {} {access} {:?}", b.name, b.elem));
    }
    same("bindings", format!("{shader:?}"), format!("{declared:?}"));

    let storage = kernel.bindings.len() + usize::from(tables.contains_key(&1));
    if storage > STORAGE_BUFFERS {
        same(
            "storage buffers",
            storage.to_string(),
            format!("at most {STORAGE_BUFFERS}"),
        );
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
        let has: Vec<_> = has
            .iter()
            .map(|m| (m.name.as_deref().unwrap_or(""), m.offset))
            .collect();
        let wants: Vec<_> = members.iter().copied().zip((0..).step_by(4)).collect();
        same(
            name,
            format!("{span} bytes {has:?}"),
            format!("{size} bytes {wants:?}"),
        );
    }

    let entries: Vec<_> = module
        .entry_points
        .iter()
        .map(|e| (e.name.as_str(), e.stage))
        .collect();
    same(
        "entry point",
        format!("{entries:?}"),
        format!("{:?}", [("main", ShaderStage::Compute)]),
    );
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

/// Bytes of workgroup memory that a shader declares with these consts.
pub fn shared_bytes(kernel: &Kernel, source: &str, consts: &[u32]) -> Result<u32, String> {
    let (module, info) = load(source)?;
    let values = consts.iter().map(|&c| f64::from(c));
    let names = kernel.consts.iter().map(|&c| c.to_owned());
    let consts: PipelineConstants = names.zip(values).collect();
    let (module, _) =
        process_overrides(&module, &info, None, &consts).map_err(|e| e.to_string())?;
    Ok(shared(&module))
}

fn shared(module: &Module) -> u32 {
    let variables = module.global_variables.iter();
    variables
        .filter(|(_, v)| v.space == AddressSpace::WorkGroup)
        .map(|(_, v)| module.types[v.ty].inner.size(module.to_ctx()))
        .sum()
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
    let bytes = shared(module);
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
            match members
                .iter()
                .map(|(n, e, o)| Some((n.as_str(), (*e)?, *o)))
                .collect()
            {
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
