//! What an estimate should return: λ where algebra knows it, and the exact value of λ̂ at finite
//! nβ, γ and ε where an integral can be done. Pure functions in f64; knows no samplers.

pub mod coefficient;
pub mod finite;
mod quadrature;
