//! What experiments with a transformer share: settings, sizes, programs, instruments of heads and the
//! lab. Which sequences it reads, and what its predictions are held against, is a [`World`].

mod ablation;
mod circuits;
pub mod knobs;
mod lab;
mod on_data;
mod plan;
mod scorer;
mod seen;
pub mod settle;
pub mod sizes;
mod spliced;
mod world;

pub use lab::build;
pub use scorer::scorer;
pub use seen::Seen;
pub use world::{World, spread};
