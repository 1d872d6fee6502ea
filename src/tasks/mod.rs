//! tasks

pub mod tms;
