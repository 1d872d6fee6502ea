//! yew components and the worker handle.

/// Starts the page, or the engine when this is a dedicated worker.
pub fn main() {}
