//! The induction bump: a small attention-only transformer learns to copy what followed before.
//! The card is what the page knows, the lab what the engine knows.

mod ablation;
pub mod card;
mod circuits;
pub mod lab;
mod plan;
mod seen;
pub mod settle;
pub mod sizes;
