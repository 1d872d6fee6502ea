//! What is measured on a checkpoint or a step. Instruments read; they never write to the model.

pub mod bends;
pub mod circuit;
pub mod composition;
pub mod copying;
pub mod even;
pub mod gauge;
pub mod icl;
pub mod lexical;
pub mod pca;
pub mod shares;
pub mod spectra;
pub mod versus;
