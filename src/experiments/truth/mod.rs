//! The gallery of known answers: potentials whose λ is known, sampled around an exact minimum.

pub mod card;
pub mod lab;
mod potential;
mod reference;
mod settle;
mod target;

pub use potential::Potential;
pub use target::{Target, truth};
