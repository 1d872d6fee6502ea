//! Puts functions that look alike side by side. wasm-bindgen leaves them ordered by size; gzip only finds
//! what was said in the last 32 kB, and the same code made for another type is often further away than
//! that. The order of functions has no meaning, only their numbers have to follow: the page is 5 % smaller
//! on the wire, and byte for byte the same program.

use anyhow::{Result, bail};
use std::collections::HashMap;
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasmparser::{CodeSectionReader, FunctionSectionReader, Parser, Payload};

/// Bytes of code that are compared.
const SHINGLE: usize = 5;
/// What more functions than this have in common says nothing of two of them; and by how many pieces each
/// counts as longer than it is, so that very short ones do not always win. Nothing tells beforehand which
/// rule does best: all are tried.
const RULES: [(usize, u64); 4] = [(200, 480), (200, 960), (200, 1920), (200, 4000)];
/// How much the last functions of the order count, the latest first. gzip sees more than a hundred of them.
const WEIGHTS: [u32; 12] = [12, 8, 6, 5, 4, 4, 3, 3, 2, 2, 2, 2];

/// The module with its functions in the order that makes it smallest, by this measure.
///
/// # Errors
/// For bytes that are no module, or where it cannot be measured.
pub fn gather(wasm: &[u8], size: impl Fn(&[u8]) -> Result<usize>) -> Result<Vec<u8>> {
    let mut best: Option<(usize, Vec<u8>)> = None;
    for rule in RULES {
        let module = gathered(wasm, rule)?;
        let bytes = size(&module)?;
        if best.as_ref().is_none_or(|b| bytes < b.0) {
            best = Some((bytes, module));
        }
    }
    Ok(best.map_or_else(Vec::new, |b| b.1))
}

fn gathered(wasm: &[u8], rule: (usize, u64)) -> Result<Vec<u8>> {
    let mut imported = 0;
    let mut bodies = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    imported += u32::from(matches!(import?.ty, wasmparser::TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(&wasm[body.range()]),
            _ => {}
        }
    }
    let order = alike(&bodies, rule);
    let mut home = vec![0; order.len()];
    for (to, &from) in (imported..).zip(&order) {
        home[from] = to;
    }
    let mut module = wasm_encoder::Module::new();
    let mut moved = Moved {
        imported,
        order,
        home,
    };
    if let Err(e) = moved.parse_core_module(&mut module, Parser::new(0), wasm) {
        bail!("the module could not be put in order: {e}");
    }
    Ok(module.finish())
}

/// The pieces of a body, each once.
fn shingles(body: &[u8]) -> Vec<&[u8]> {
    let mut all: Vec<&[u8]> = body.windows(SHINGLE).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// An order in which each stands behind those, of all before it, that it shares most with for its size.
fn alike(bodies: &[&[u8]], (common, short): (usize, u64)) -> Vec<usize> {
    let mut number = HashMap::new();
    let mut places: Vec<Vec<usize>> = Vec::new();
    let mut has: Vec<Vec<usize>> = Vec::new();
    for (i, body) in bodies.iter().enumerate() {
        let mut own = Vec::new();
        for shingle in shingles(body) {
            let n = *number.entry(shingle).or_insert_with(|| {
                places.push(Vec::new());
                places.len() - 1
            });
            places[n].push(i);
            own.push(n);
        }
        has.push(own);
    }
    let mut left = vec![true; bodies.len()];
    let mut shared = vec![0u32; bodies.len()];
    let mut order = Vec::with_capacity(bodies.len());
    let mut next = (!bodies.is_empty()).then_some(0);
    let mut first = 0;
    while let Some(now) = next {
        order.push(now);
        left[now] = false;
        let mut seen = Vec::new();
        for (&before, weight) in order.iter().rev().zip(WEIGHTS) {
            for n in has[before].iter().filter(|&&n| places[n].len() < common) {
                for &i in places[*n].iter().filter(|&&i| left[i]) {
                    if shared[i] == 0 {
                        seen.push(i);
                    }
                    shared[i] += weight;
                }
            }
        }
        // Compared as fractions, so that no machine rounds another way.
        let worth = |i: usize| (u64::from(shared[i]), short + has[i].len() as u64);
        let better = |a: usize, b: usize| {
            let (x, y) = (worth(a), worth(b));
            (x.0 * y.1).cmp(&(y.0 * x.1)).then(b.cmp(&a))
        };
        next = seen.iter().copied().max_by(|&a, &b| better(a, b));
        seen.iter().for_each(|&i| shared[i] = 0);
        while next.is_none() && first < left.len() {
            next = left[first].then_some(first);
            first += 1;
        }
    }
    order
}

/// Writes a module again, its functions moved.
struct Moved {
    /// Imported functions, which come first and stay.
    imported: u32,
    /// Who stands at each place.
    order: Vec<usize>,
    /// The new number of each.
    home: Vec<u32>,
}

impl Reencode for Moved {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, func: u32) -> Result<u32, Error<Self::Error>> {
        let own = func.checked_sub(self.imported);
        Ok(own.map_or(func, |i| self.home[i as usize]))
    }

    fn parse_function_section(
        &mut self,
        functions: &mut wasm_encoder::FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let types = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for &from in &self.order.clone() {
            functions.function(self.type_index(types[from])?);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut wasm_encoder::CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let bodies = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for &from in &self.order.clone() {
            utils::parse_function_body(self, code, bodies[from].clone())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use wasm_encoder::{
        CodeSection, ExportKind, ExportSection, Function, FunctionSection, Module, TypeSection,
        ValType,
    };

    /// Functions 0, 2, 4 are of one kind and 1, 3 of another; the last calls the one before it.
    fn module() -> Vec<u8> {
        let (mut types, mut functions) = (TypeSection::new(), FunctionSection::new());
        types.ty().function([], [ValType::I64]);
        let (mut code, mut exports) = (CodeSection::new(), ExportSection::new());
        for i in 0..5u32 {
            functions.function(0);
            let mut f = Function::new([]);
            for k in 0..30 {
                let base = if i % 2 == 0 { 1_000_000 } else { -7_000_000 };
                f.instructions().i64_const(base + k).drop();
            }
            if i == 4 {
                f.instructions().call(3).drop();
            }
            f.instructions().i64_const(i64::from(i)).end();
            code.function(&f);
            exports.export(&format!("f{i}"), ExportKind::Func, i);
        }
        let mut module = Module::new();
        module
            .section(&types)
            .section(&functions)
            .section(&exports)
            .section(&code);
        module.finish()
    }

    /// The last number each exported function leaves, and whom it calls, both through its name.
    fn read(wasm: &[u8]) -> Vec<(String, i64, Option<u32>)> {
        let (mut names, mut bodies) = (Vec::new(), Vec::new());
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.unwrap() {
                Payload::ExportSection(section) => {
                    for e in section {
                        let e = e.unwrap();
                        names.push((e.name.to_string(), e.index));
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    let (mut last, mut calls) = (0, None);
                    for op in body.get_operators_reader().unwrap() {
                        match op.unwrap() {
                            wasmparser::Operator::I64Const { value } => last = value,
                            wasmparser::Operator::Call { function_index } => {
                                calls = Some(function_index);
                            }
                            _ => {}
                        }
                    }
                    bodies.push((last, calls));
                }
                _ => {}
            }
        }
        let of = |(name, i): (String, u32)| (name, bodies[i as usize].0, bodies[i as usize].1);
        names.into_iter().map(of).collect()
    }

    #[test]
    fn the_same_program_in_another_order() {
        let (before, after) = (module(), gather(&module(), |b| Ok(b.len())).unwrap());
        assert_ne!(before, after);
        assert_eq!(before.len(), after.len());
        let (b, a) = (read(&before), read(&after));
        for (b, a) in b.iter().zip(&a) {
            assert_eq!((&b.0, b.1), (&a.0, a.1), "a name leads to another function");
        }
        // Whom f4 calls is still f3: its number is that of the export.
        let body = |all: &[(String, i64, Option<u32>)]| all[4].2.unwrap();
        assert_eq!(body(&b), 3);
        let bodies: [&[u8]; 4] = [b"aaaaaaaaab", b"zzzzzzzzzzy", b"aaaaaaaaac", b"zzzzzzzzzzx"];
        let order = alike(&bodies, RULES[0]);
        assert_eq!(order, [0, 2, 1, 3]);
        let exports = Parser::new(0)
            .parse_all(&after)
            .find_map(|p| match p.unwrap() {
                Payload::ExportSection(s) => {
                    Some(s.into_iter().map(|e| e.unwrap().index).collect::<Vec<_>>())
                }
                _ => None,
            });
        assert_eq!(exports.unwrap()[3], body(&a));
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert!(gather(b"\0asm\x01\0\0\0\x0a\xff", |b| Ok(b.len())).is_err());
    }
}
