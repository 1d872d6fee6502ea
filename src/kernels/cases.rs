//! Cases on which every kernel is compared with its twin, on every device we can reach. Each kernel
//! module supplies its own; here they are listed, and their inputs drawn.

use super::{
    Access, Call, Elem, Kernel, Replica, Slot, Step, attention, embed, heads, linear,
    linear_backward, loss, modadd, norm, optim, probe, rotary, smear, solu, tms, truth, unembed,
};
use lambdahat_math::{Stream, normal, philox::word};

/// Consts, params as bits, replicas, and what is special about it.
pub type CaseOf = (Vec<u32>, Vec<u32>, usize, &'static str);

/// A kernel with the cases its module supplies.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    /// The kernel.
    pub kernel: &'static Kernel,
    /// Its cases.
    pub cases: fn() -> Vec<CaseOf>,
    /// Words for its `U32` bindings, from the consts, the binding's name and the length.
    pub fill: fn(&[u32], &str, usize) -> Vec<u32>,
    /// Float bindings that hold positive numbers only, such as second moments.
    pub positive: &'static [&'static str],
    /// The kernel of equal consts and params whose outputs this one is given, by the same names: a
    /// twin may compute again what its shader is given.
    pub forward: Option<&'static Kernel>,
}

type Cases = fn() -> Vec<CaseOf>;
type Fill = fn(&[u32], &str, usize) -> Vec<u32>;

const fn listed(kernel: &'static Kernel, cases: Cases, fill: Fill) -> Listed {
    Listed {
        kernel,
        cases,
        fill,
        positive: &[],
        forward: None,
    }
}

/// For kernels that read no words.
fn zeros(_: &[u32], _: &str, len: usize) -> Vec<u32> {
    vec![0; len]
}

/// Every kernel's cases: one line a kernel.
pub const LISTED: &[Listed] = &[
    listed(&attention::ATTENTION, attention::cases_forward, zeros),
    Listed {
        forward: Some(&attention::ATTENTION),
        ..listed(&attention::ATTENTION_BACKWARD, attention::cases, zeros)
    },
    listed(&embed::EMBED, embed::cases, embed::fill),
    listed(&embed::EMBED_DW, embed::cases_dw, embed::fill),
    listed(&heads::HEADS, heads::cases, heads::fill),
    listed(&heads::POSITIONS, heads::cases_positions, zeros),
    listed(&linear::LINEAR, linear::cases, zeros),
    listed(
        &linear_backward::LINEAR_DX,
        linear_backward::cases_dx,
        zeros,
    ),
    listed(
        &linear_backward::LINEAR_DW,
        linear_backward::cases_dw,
        zeros,
    ),
    listed(&loss::LOSS, loss::cases, loss::fill),
    listed(&loss::ROWS, loss::cases_rows, loss::fill_rows),
    listed(&modadd::MODADD, modadd::cases, modadd::fill),
    listed(&norm::NORM_BACKWARD, norm::cases, zeros),
    listed(&rotary::ROTARY, rotary::cases, zeros),
    listed(&smear::SMEAR, smear::cases, zeros),
    listed(&smear::SMEAR_BACKWARD, smear::cases, zeros),
    listed(&smear::SMEAR_DW, smear::cases_dw, zeros),
    listed(&solu::SOLU, solu::cases, zeros),
    listed(&unembed::UNEMBED, unembed::cases, unembed::fill),
    listed(&optim::SGD, optim::sgd_cases, optim::fill),
    Listed {
        positive: &["v"],
        ..listed(&optim::ADAMW, optim::adamw_cases, optim::fill)
    },
    Listed {
        positive: &["memory"],
        ..listed(&optim::SGLD, optim::sgld_cases, optim::fill)
    },
    listed(&optim::MALA, optim::mala_cases, optim::fill),
    listed(&tms::TMS, tms::cases, tms::fill),
    listed(
        &truth::MONOMIALS,
        truth::monomials::cases,
        truth::monomials::fill,
    ),
    listed(&truth::DEEP_LINEAR, truth::deep_linear::cases, zeros),
    listed(&truth::BIGRAM, truth::bigram::cases, zeros),
    listed(&truth::LINREG, truth::linreg::cases, truth::linreg::fill),
    listed(&truth::TANH, truth::tanh::cases, zeros),
    listed(&truth::SUPERPOSITION, truth::superposition::cases, zeros),
    listed(&probe::PHILOX, probe::philox_cases, zeros),
    listed(&probe::FMA, probe::fma_cases, zeros),
];

/// One launch to compare.
#[derive(Clone, Debug)]
pub struct Case {
    /// The kernel.
    pub kernel: &'static Kernel,
    /// What is special about it.
    pub label: String,
    /// Values of its overrides.
    pub consts: Vec<u32>,
    /// Its params, as bits.
    pub params: Vec<u32>,
    /// Length of the replica table.
    pub replicas: usize,
    /// Words for its `U32` bindings.
    pub fill: fn(&[u32], &str, usize) -> Vec<u32>,
    /// Float bindings that hold positive numbers only.
    pub positive: &'static [&'static str],
    /// The kernel whose outputs this one is given.
    pub forward: Option<&'static Kernel>,
}

/// Every case of every kernel.
#[must_use]
pub fn cases() -> Vec<Case> {
    let of = |l: &Listed| {
        let Listed {
            kernel,
            fill,
            positive,
            forward,
            ..
        } = *l;
        let case = move |(consts, params, replicas, label): CaseOf| Case {
            kernel,
            label: label.to_owned(),
            consts,
            params,
            replicas,
            fill,
            positive,
            forward,
        };
        (l.cases)().into_iter().map(case)
    };
    LISTED.iter().flat_map(of).collect()
}

/// What one binding holds before the launch, as bits.
#[derive(Clone, Debug)]
pub struct Input {
    /// A bit pattern an element.
    pub bits: Vec<u32>,
    /// What they are.
    pub elem: Elem,
    /// What the kernel does with them.
    pub access: Access,
}

/// A NaN no kernel computes: what a `Write` binding holds before the launch.
pub const POISON: u32 = 0x7fc0_dead;

/// The bindings that hold one block a slot; [`Case::inputs`] gives them two slots' worth.
const SLOTTED: &[&str] = &["feed", "stats", "sums"];

impl Case {
    /// The step of the launch: the second slot, so that a kernel which forgets it is found out.
    #[must_use]
    pub fn step(&self) -> Step {
        Step {
            index: 41,
            slot: 1,
            schedule: 0.75,
            bias1: 0.8,
            bias2: 0.3,
            ..Step::default()
        }
    }

    /// A table of unlike replicas. The last of several has eps 0 and half the groups masked.
    #[must_use]
    pub fn table(&self) -> Vec<Replica> {
        let rows_of = |name: &str| {
            let at = self.kernel.params.iter().position(|p| p.name == name);
            let rows = at.and_then(|i| self.params.get(i)).copied();
            rows.unwrap_or(1).max(1)
        };
        let (rows, anchors) = (rows_of("feed_rows"), rows_of("anchors"));
        let count = u32::try_from(self.replicas).unwrap_or(u32::MAX);
        let one = |r: u32| {
            let last = r + 1 == count && count > 1;
            let x = r as f32;
            Replica {
                seed: 1000 + 7 * r,
                data_row: (r + 1) % rows,
                anchor: (r + 1) % anchors,
                mask_lo: if last { 0x5555_5555 } else { u32::MAX },
                mask_hi: if last { 0xAAAA_AAAA } else { u32::MAX },
                lr: 0.01 * (1.0 + x),
                wd: 0.1 / (1.0 + x),
                nbeta: 30.0 + x,
                gamma: 100.0 - x,
                eps: if last { 0.0 } else { 1e-3 * (1.0 + x) },
                ..Replica::default()
            }
        };
        (0..count).map(one).collect()
    }

    /// Inputs in binding order: standard normals, or 1/2 + |normal| where only positive numbers
    /// make sense, words from the kernel's `fill`, poison in what is only written. `norms` are those
    /// of `x`, and what another kernel computes is computed.
    #[must_use]
    pub fn inputs(&self) -> Vec<Input> {
        let needs = (self.kernel.needs)(&self.consts, &self.params, self.replicas);
        let draw = |(i, (binding, need)): (u32, (&super::Binding, usize))| {
            let slots = if SLOTTED.contains(&binding.name) {
                2
            } else {
                1
            };
            let len = slots * need;
            let float = |e: u32| {
                let z: f32 = normal(word(i, Stream::Probe, 0, e));
                let positive = self.positive.contains(&binding.name);
                (if positive { 0.5 + z.abs() } else { z }).to_bits()
            };
            let bits = match (binding.elem, binding.access) {
                (Elem::U32, _) => (self.fill)(&self.consts, binding.name, len),
                (Elem::F32, Access::Write) => vec![POISON; len],
                (Elem::F32, _) => (0..u32::try_from(len).unwrap_or(0)).map(float).collect(),
            };
            Input {
                bits,
                elem: binding.elem,
                access: binding.access,
            }
        };
        let bindings = self.kernel.bindings;
        let mut inputs: Vec<Input> = (0..).zip(bindings.iter().zip(needs)).map(draw).collect();
        let at = |name: &str| {
            let read = |b: &super::Binding| b.name == name && b.access == Access::Read;
            bindings.iter().position(read)
        };
        if let (Some(x), Some(norms)) = (at("x"), at("norms")) {
            inputs[norms].bits = norms_of(&inputs[x].bits, inputs[norms].bits.len());
        }
        if let Some(forward) = self.forward {
            self.derive(forward, &mut inputs);
        }
        inputs
    }

    /// Replaces what `forward` writes by what its twin makes of the rest.
    fn derive(&self, forward: &Kernel, inputs: &mut [Input]) {
        let bindings = self.kernel.bindings;
        let place = |name: &str| bindings.iter().position(|b| b.name == name);
        let mut values: Vec<Vec<f32>> = Vec::new();
        for b in forward.bindings {
            let bits = place(b.name).map_or(&[][..], |i| &inputs[i].bits);
            values.push(bits.iter().copied().map(f32::from_bits).collect());
        }
        let slots = values
            .iter_mut()
            .zip(forward.bindings)
            .map(|(v, b)| match b.access {
                Access::Read => Slot::F(v.as_slice()),
                _ => Slot::FMut(v.as_mut_slice()),
            });
        (forward.twin.f32)(Call {
            consts: &self.consts,
            params: &self.params,
            step: self.step(),
            replicas: &self.table(),
            slots: slots.collect(),
        });
        for (v, b) in values.iter().zip(forward.bindings) {
            if let Some(i) = place(b.name).filter(|_| b.access != Access::Read) {
                inputs[i].bits = v.iter().map(|x| x.to_bits()).collect();
            }
        }
    }
}

/// LayerNorm's (mean, 1/√(var + 1e-5)) of each row, `len` numbers for `len` / 2 rows.
fn norms_of(x: &[u32], len: usize) -> Vec<u32> {
    let inner = (2 * x.len()).checked_div(len).unwrap_or(0).max(1);
    let rows = x.chunks(inner).take(len / 2);
    let norms = rows.flat_map(|row| {
        let row = row.iter().map(|&bits| f64::from(f32::from_bits(bits)));
        let mean = row.clone().sum::<f64>() / inner as f64;
        let variance = row.map(|x| (x - mean).powi(2)).sum::<f64>() / inner as f64;
        [mean, 1.0 / (variance + norm::EPS).sqrt()].map(|x| (x as f32).to_bits())
    });
    norms.collect()
}
