//! λ̂ and its diagnostics: pure functions of traces. Knows no kernels and no devices.

pub mod diagnosis;
pub mod exact;
pub mod llc;
pub mod trace;
