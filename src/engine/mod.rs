//! The run loop: a plain state machine that tests pump natively and the worker pumps in the page.
//! It knows experiments through [`crate::experiments::Parts`] and devices through
//! [`crate::exec::Exec`]; it does not know wgpu, yew or any particular model.

mod answers;
mod approach;
mod asking;
pub mod branch;
mod checking;
mod committing;
mod comparing;
mod curving;
mod estimating;
mod following;
mod frames;
mod grouping;
pub mod history;
pub mod host;
pub mod importing;
mod judging;
mod keeping;
pub mod known;
mod looking;
pub mod measure;
pub mod open;
mod opening;
pub mod pacing;
mod passes;
mod polishing;
mod probing;
pub mod record;
mod recover;
mod rejoining;
#[cfg(not(target_arch = "wasm32"))]
pub mod report;
pub mod sampling;
#[cfg(target_arch = "wasm32")]
pub mod serve;
pub mod session;
mod shelf;
pub mod staging;
mod stiffness;
mod studies;
pub mod study;
pub mod studying;
mod tally;
mod training;
mod turning;
pub mod versus;
mod writing;

pub use open::Source;
pub use session::Session;
