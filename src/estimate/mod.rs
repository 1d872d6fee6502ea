//! λ̂ and its diagnostics: pure functions of traces. Knows no kernels and no devices.

pub mod classes;
pub mod cluster;
pub mod curvature;
pub mod diagnosis;
pub mod exact;
pub mod lagged;
pub mod lead;
pub mod llc;
pub mod slope;
pub mod smooth;
pub mod stages;
pub mod sweep;
pub mod trace;
mod transition;
