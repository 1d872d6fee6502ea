//! Models.

pub mod tms;
