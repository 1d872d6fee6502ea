//! λ̂ and its diagnostics: pure functions of traces. Knows no kernels and no devices.

pub mod exact;
pub mod llc;
