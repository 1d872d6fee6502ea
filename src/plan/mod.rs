//! A plan is plain data: buffers, and programs that are lists of kernel launches over them.
//! It is checked as it is built; executors only run it.

use crate::kernels::{Access, Elem, Kernel};
use std::collections::BTreeSet;
use std::fmt;

/// A buffer of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Buf(pub usize);

/// A program of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prog(pub usize);

/// Declaration of a buffer.
#[derive(Clone, Debug)]
pub struct BufDecl {
    /// For people: the TransformerLens hook name where there is one.
    pub name: String,
    /// Elements, all replicas, rows and slots included.
    pub len: usize,
    /// What it holds.
    pub elem: Elem,
    /// Written by the host (data, weights, optimiser state), so it may be read before any kernel wrote it.
    pub host: bool,
}

/// One kernel launch.
#[derive(Clone, Debug)]
pub struct Node {
    /// Which kernel.
    pub kernel: &'static Kernel,
    /// Values of its overrides.
    pub consts: Vec<u32>,
    /// Its params, as bits.
    pub params: Vec<u32>,
    /// Its buffers, in binding order.
    pub buffers: Vec<Buf>,
}

/// A list of launches over the same replicas.
#[derive(Clone, Debug)]
pub struct Program {
    /// For people.
    pub name: &'static str,
    /// Length of its replica table.
    pub replicas: usize,
    /// In order.
    pub nodes: Vec<Node>,
    /// The program that has run before it in the same batch: what that one wrote may be read.
    pub after: Option<Prog>,
}

/// Buffers and the programs over them.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// By [`Buf`].
    pub buffers: Vec<BufDecl>,
    /// By [`Prog`].
    pub programs: Vec<Program>,
}

/// Why a node was refused; a mistake of the program, never of the visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError(pub String);

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plan: {}", self.0)
    }
}

impl std::error::Error for PlanError {}

impl Plan {
    /// A float buffer that kernels write before they read it.
    pub fn f32(&mut self, name: impl Into<String>, len: usize) -> Buf {
        self.buffer(name.into(), len, Elem::F32, false)
    }
    /// A float buffer that the host fills.
    pub fn host_f32(&mut self, name: impl Into<String>, len: usize) -> Buf {
        self.buffer(name.into(), len, Elem::F32, true)
    }
    /// A word buffer that the host fills.
    pub fn host_u32(&mut self, name: impl Into<String>, len: usize) -> Buf {
        self.buffer(name.into(), len, Elem::U32, true)
    }
    fn buffer(&mut self, name: String, len: usize, elem: Elem, host: bool) -> Buf {
        self.buffers.push(BufDecl {
            name,
            len,
            elem,
            host,
        });
        Buf(self.buffers.len() - 1)
    }

    /// A new, empty program over `replicas` replicas.
    pub fn program(&mut self, name: &'static str, replicas: usize) -> Prog {
        self.programs.push(Program {
            name,
            replicas,
            nodes: Vec::new(),
            after: None,
        });
        Prog(self.programs.len() - 1)
    }

    /// A new, empty program that runs behind another in every batch, and may read what that one wrote.
    pub fn program_after(&mut self, name: &'static str, replicas: usize, after: Prog) -> Prog {
        let prog = self.program(name, replicas);
        self.programs[prog.0].after = Some(after);
        prog
    }

    /// Whether a program, or the one it runs behind, writes a buffer.
    fn writes(&self, prog: Prog, buf: Buf) -> bool {
        let Some(program) = self.programs.get(prog.0) else {
            return false;
        };
        let own = program.nodes.iter().any(|n| {
            let mut bound = n.buffers.iter().zip(n.kernel.bindings);
            bound.any(|(b, k)| *b == buf && k.access != Access::Read)
        });
        own || program
            .after
            .is_some_and(|p| p.0 < prog.0 && self.writes(p, buf))
    }

    /// Appends a launch.
    ///
    /// # Errors
    /// Wrong arity, type or length; a buffer bound twice when one binding writes it; a buffer read
    /// that neither the host nor an earlier node of this program writes.
    pub fn push(
        &mut self,
        prog: Prog,
        kernel: &'static Kernel,
        consts: &[u32],
        params: &[u32],
        buffers: &[Buf],
    ) -> Result<(), PlanError> {
        let at = |what: String| Err(PlanError(format!("{}: {what}", kernel.name)));
        let Some(program) = self.programs.get(prog.0) else {
            return at(format!("no program {}", prog.0));
        };
        if consts.len() != kernel.consts.len()
            || params.len() != kernel.params.len()
            || buffers.len() != kernel.bindings.len()
        {
            return at(format!(
                "takes {} consts, {} params, {} buffers; given {}, {}, {}",
                kernel.consts.len(),
                kernel.params.len(),
                kernel.bindings.len(),
                consts.len(),
                params.len(),
                buffers.len()
            ));
        }
        let needs = (kernel.needs)(consts, params, program.replicas);
        if needs.len() != buffers.len() {
            return at("declares needs for another number of bindings".into());
        }
        for (i, (b, binding)) in buffers.iter().zip(kernel.bindings).enumerate() {
            let Some(decl) = self.buffers.get(b.0) else {
                return at(format!("`{}`: no such buffer", binding.name));
            };
            if decl.elem != binding.elem {
                return at(format!(
                    "`{}` is {:?}, `{}` holds {:?}",
                    binding.name, binding.elem, decl.name, decl.elem
                ));
            }
            if decl.len < needs[i] {
                return at(format!(
                    "`{}` needs {} elements, `{}` has {}",
                    binding.name, needs[i], decl.name, decl.len
                ));
            }
            let shared = buffers
                .iter()
                .zip(kernel.bindings)
                .enumerate()
                .any(|(j, (other, o))| {
                    j != i
                        && other == b
                        && (o.access != Access::Read || binding.access != Access::Read)
                });
            if shared {
                return at(format!("`{}` is bound twice and written", decl.name));
            }
            if binding.access != Access::Write && !decl.host && !self.writes(prog, *b) {
                return at(format!("`{}` is read before anything wrote it", decl.name));
            }
        }
        self.programs[prog.0].nodes.push(Node {
            kernel,
            consts: consts.to_vec(),
            params: params.to_vec(),
            buffers: buffers.to_vec(),
        });
        Ok(())
    }

    /// Pipelines a device needs to run all of it: one for each kernel and its constants.
    #[must_use]
    pub fn pipelines(&self) -> usize {
        let nodes = self.programs.iter().flat_map(|p| &p.nodes);
        // One by one: collected, they would be sorted first, by a sort of their own.
        let mut all = BTreeSet::new();
        all.extend(nodes.map(|n| (n.kernel.name, &n.consts)));
        all.len()
    }

    /// Bytes of all buffers on the device.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.buffers.iter().map(|b| 4 * b.len as u64).sum()
    }
}

/// One line a launch, for people.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for p in &self.programs {
            writeln!(f, "{} × {} replicas", p.name, p.replicas)?;
            for n in &p.nodes {
                let buffers: Vec<_> = n
                    .buffers
                    .iter()
                    .zip(n.kernel.bindings)
                    .map(|(b, k)| format!("{}={}", k.name, self.buffers[b.0].name))
                    .collect();
                let consts: Vec<_> = n
                    .kernel
                    .consts
                    .iter()
                    .zip(&n.consts)
                    .map(|(k, v)| format!("{k} {v}"))
                    .collect();
                writeln!(
                    f,
                    "  {}({}) [{}]",
                    n.kernel.name,
                    buffers.join(", "),
                    consts.join(", ")
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::kernels::heads::POSITIONS;

    #[test]
    fn what_the_program_before_wrote_may_be_read() {
        let mut plan = Plan::default();
        let [x, y, z] = ["x", "y", "z"].map(|name| plan.f32(name, 4));
        let given = plan.host_f32("given", 4);
        let first = plan.program("first", 1);
        let push = |plan: &mut Plan, prog, from, to| {
            plan.push(prog, &POSITIONS, &[1, 4], &[], &[from, to])
        };
        push(&mut plan, first, given, x).unwrap();
        let behind = plan.program_after("behind", 1, first);
        push(&mut plan, behind, x, y).unwrap();
        // Through two programs, and not what nobody wrote; a program behind no other sees nothing.
        let last = plan.program_after("last", 1, behind);
        push(&mut plan, last, x, z).unwrap();
        let unwritten = plan.f32("unwritten", 4);
        assert!(push(&mut plan, last, unwritten, z).is_err());
        let alone = plan.program("alone", 1);
        assert!(push(&mut plan, alone, x, z).is_err());
    }
}
