//! Every kernel is one constant: its shader, its bindings, its CPU twin.
//!
//! A kernel takes three kinds of number. *Consts* change the code (shapes, optional stages): WGSL
//! `override`s, so that equal consts share a pipeline. *Params* change only addresses and
//! hyper-parameters: a uniform written once, when the plan is recorded. What changes from step to
//! step or from replica to replica comes from the two tables, [`Step`] and [`Replica`].
//!
//! The twin has the shader's inputs, outputs, fusion boundary and masks, is generic over f32 and
//! f64, and is written as loops over row slices: in f32 it judges the GPU and is the engine of
//! visitors without one, in f64 it is differentiated numerically to judge the backward kernels.

use lambdahat_math::Real;

pub mod attention;
pub mod cases;
pub mod embed;
pub mod heads;
pub mod linear;
pub mod linear_backward;
pub mod loss;
pub mod modadd;
pub mod norm;
pub mod optim;
pub mod probe;
pub mod rotary;
mod rows;
pub mod smear;
pub mod solu;
pub mod source;
pub mod tms;
pub mod truth;
pub mod unembed;

/// Element type of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elem {
    /// A float: f32 on the GPU, f32 or f64 in a twin.
    F32,
    /// A word.
    U32,
}

/// What a kernel does with a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads it.
    Read,
    /// Overwrites all it is declared to need, reading nothing (`read_write` in WGSL).
    Write,
    /// Reads and writes it.
    Update,
}

/// One storage buffer of a kernel. Binding numbers follow the order, from 1 (0 is the params).
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// The name of the variable in the shader.
    pub name: &'static str,
    /// What is done with it.
    pub access: Access,
    /// What it holds.
    pub elem: Elem,
}

/// A float buffer that is read.
#[must_use]
pub const fn read(name: &'static str) -> Binding {
    Binding {
        name,
        access: Access::Read,
        elem: Elem::F32,
    }
}
/// A word buffer that is read.
#[must_use]
pub const fn read_u32(name: &'static str) -> Binding {
    Binding {
        name,
        access: Access::Read,
        elem: Elem::U32,
    }
}
/// A float buffer that is overwritten.
#[must_use]
pub const fn write(name: &'static str) -> Binding {
    Binding {
        name,
        access: Access::Write,
        elem: Elem::F32,
    }
}
/// A float buffer that is read and written.
#[must_use]
pub const fn update(name: &'static str) -> Binding {
    Binding {
        name,
        access: Access::Update,
        elem: Elem::F32,
    }
}

/// A member of the params uniform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name in the shader's `struct Params`.
    pub name: &'static str,
    /// Its type there; in a node it is always stored as 32 bits.
    pub elem: Elem,
}

/// A `u32` member.
#[must_use]
pub const fn word(name: &'static str) -> Param {
    Param {
        name,
        elem: Elem::U32,
    }
}
/// An `f32` member.
#[must_use]
pub const fn float(name: &'static str) -> Param {
    Param {
        name,
        elem: Elem::F32,
    }
}

/// What changes from step to step; computed on the host in f64, behind a dynamic offset.
/// `struct Step` of `shaders/lib/tables.wgsl`, 32 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Step {
    /// Step number: the counter of all randomness.
    pub index: u32,
    /// Which slot of `feed` and `stats` this step uses.
    pub slot: u32,
    /// Learning-rate factor at this step.
    pub schedule: f32,
    /// AdamW's 1 − β₁^(t+1).
    pub bias1: f32,
    /// AdamW's 1 − β₂^(t+1).
    pub bias2: f32,
    /// Unused.
    pub pad: [u32; 3],
}

/// What differs from replica to replica. `struct Replica` of `shaders/lib/tables.wgsl`, 48 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Replica {
    /// Philox key of this replica's noise.
    pub seed: u32,
    /// Row of `feed` it reads: seeds read their own, chains of one estimate share one.
    pub data_row: u32,
    /// Row of the anchor buffer that holds its w*.
    pub anchor: u32,
    /// Unused.
    pub pad0: u32,
    /// Parameter groups that move, bits 0..32.
    pub mask_lo: u32,
    /// Parameter groups that move, bits 32..64.
    pub mask_hi: u32,
    /// Learning rate.
    pub lr: f32,
    /// Weight decay (decoupled).
    pub wd: f32,
    /// nβ of SGLD.
    pub nbeta: f32,
    /// γ of SGLD (localization).
    pub gamma: f32,
    /// ε of SGLD; 0 makes the replica an anchor, which never moves.
    pub eps: f32,
    /// Unused.
    pub pad1: u32,
}

/// A buffer as a twin sees it.
#[derive(Debug)]
pub enum Slot<'a, T> {
    /// Read floats.
    F(&'a [T]),
    /// Written floats.
    FMut(&'a mut [T]),
    /// Read words.
    U(&'a [u32]),
}

impl<'a, T> Slot<'a, T> {
    /// The floats, to read. The plan has checked the declaration, so another kind is empty.
    #[must_use]
    pub fn f(self) -> &'a [T] {
        match self {
            Slot::F(x) => x,
            Slot::FMut(x) => x,
            Slot::U(_) => &[],
        }
    }
    /// The floats, to write.
    #[must_use]
    pub fn out(self) -> &'a mut [T] {
        match self {
            Slot::FMut(x) => x,
            _ => &mut [],
        }
    }
    /// The words.
    #[must_use]
    pub fn u(self) -> &'a [u32] {
        match self {
            Slot::U(x) => x,
            _ => &[],
        }
    }
}

/// One launch of a kernel, as its twin receives it.
#[derive(Debug)]
pub struct Call<'a, T> {
    /// In the order of [`Kernel::consts`].
    pub consts: &'a [u32],
    /// In the order of [`Kernel::params`], as bits.
    pub params: &'a [u32],
    /// This step.
    pub step: Step,
    /// One entry a replica.
    pub replicas: &'a [Replica],
    /// In the order of [`Kernel::bindings`].
    pub slots: Vec<Slot<'a, T>>,
}

impl<'a, T: Real> Call<'a, T> {
    /// The consts by position, as sizes.
    #[must_use]
    pub fn consts<const N: usize>(&self) -> [usize; N] {
        std::array::from_fn(|i| self.consts.get(i).map_or(0, |&c| c as usize))
    }
    /// A `u32` param by position, as an offset.
    #[must_use]
    pub fn offset(&self, i: usize) -> usize {
        self.params.get(i).map_or(0, |&p| p as usize)
    }
    /// An `f32` param by position.
    #[must_use]
    pub fn float(&self, i: usize) -> T {
        T::of32(f32::from_bits(self.params.get(i).copied().unwrap_or(0)))
    }
    /// Takes the buffers out, in binding order.
    #[must_use]
    pub fn slots<const N: usize>(&mut self) -> [Slot<'a, T>; N] {
        let mut it = std::mem::take(&mut self.slots).into_iter();
        std::array::from_fn(|_| it.next().unwrap_or(Slot::F(&[])))
    }
}

/// The CPU twin, in both precisions.
#[derive(Clone, Copy, Debug)]
pub struct Twin {
    /// Judges the GPU, and is the engine of visitors without one.
    pub f32: fn(Call<'_, f32>),
    /// Is differentiated numerically, in tests: the page has no use for it.
    #[cfg(not(target_arch = "wasm32"))]
    pub f64: fn(Call<'_, f64>),
}

/// Both precisions of one generic function, compiled here: a generic function is otherwise compiled
/// by the crate that asks for it, at the level of that crate.
#[macro_export]
macro_rules! twin {
    ($f:ident) => {{
        #[inline(never)]
        fn single(call: $crate::Call<'_, f32>) {
            $f(call);
        }
        #[cfg(not(target_arch = "wasm32"))]
        #[inline(never)]
        fn double(call: $crate::Call<'_, f64>) {
            $f(call);
        }
        $crate::Twin {
            f32: single,
            #[cfg(not(target_arch = "wasm32"))]
            f64: double,
        }
    }};
}

/// A kernel: one constant says all the program knows of it.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// Its shader is `shaders/{name}.wgsl`.
    pub name: &'static str,
    /// The shader's text, imports unresolved.
    pub source: &'static str,
    /// Names of its `override` constants, all `u32`.
    pub consts: &'static [&'static str],
    /// Members of its `struct Params` (binding 0); none, no binding 0.
    pub params: &'static [Param],
    /// Its storage buffers, from binding 1: at most 7 (the replica table is the eighth).
    pub bindings: &'static [Binding],
    /// Workgroups in x and y from the consts; z is the replica.
    pub grid: fn(consts: &[u32]) -> [u32; 2],
    /// Fewest elements each binding must hold, from the consts, the params and the replica count.
    pub needs: fn(consts: &[u32], params: &[u32], replicas: usize) -> Vec<usize>,
    /// Largest |gpu − twin| / (1 + |twin|) tolerated on any device.
    pub tolerance: f32,
    /// The same algorithm on the CPU.
    pub twin: Twin,
}

/// Compared by name: there is one constant a name.
impl PartialEq for Kernel {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// Shared WGSL, by the name after `#import`.
pub const LIBRARY: &[(&str, &str)] = &[
    (
        "lib/tables",
        crate::shader!("../../shaders/lib/tables.wgsl"),
    ),
    (
        "lib/philox",
        crate::shader!("../../shaders/lib/philox.wgsl"),
    ),
    (
        "lib/activation",
        crate::shader!("../../shaders/lib/activation.wgsl"),
    ),
    (
        "lib/moments",
        crate::shader!("../../shaders/lib/moments.wgsl"),
    ),
    (
        "lib/modadd_backward",
        crate::shader!("../../shaders/lib/modadd_backward.wgsl"),
    ),
];

/// The shader with its `#import lib/x` lines replaced by that text, each once.
#[must_use]
pub fn resolve(source: &str) -> String {
    let mut out = String::new();
    for line in source.lines() {
        match line.strip_prefix("#import ") {
            Some(name) => {
                let text = LIBRARY.iter().find(|(n, _)| *n == name.trim());
                out.push_str(text.map_or("", |(_, t)| t));
            }
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

/// Every kernel of the program.
pub const KERNELS: &[&Kernel] = &[
    &attention::ATTENTION,
    &attention::ATTENTION_BACKWARD,
    &embed::EMBED,
    &embed::EMBED_DW,
    &heads::HEADS,
    &heads::POSITIONS,
    &linear::LINEAR,
    &linear_backward::LINEAR_DX,
    &linear_backward::LINEAR_DW,
    &loss::LOSS,
    &loss::ROWS,
    &modadd::MODADD,
    &norm::NORM_BACKWARD,
    &rotary::ROTARY,
    &smear::SMEAR,
    &smear::SMEAR_BACKWARD,
    &smear::SMEAR_DW,
    &solu::SOLU,
    &unembed::UNEMBED,
    &optim::SGD,
    &optim::ADAMW,
    &optim::SGLD,
    &optim::MALA,
    &tms::TMS,
    &truth::MONOMIALS,
    &truth::DEEP_LINEAR,
    &truth::BIGRAM,
    &truth::LINREG,
    &truth::TANH,
    &truth::SUPERPOSITION,
    &probe::PHILOX,
    &probe::FMA,
];
