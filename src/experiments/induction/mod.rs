//! The induction bump: a small attention-only transformer learns to copy what followed before.
//! The card is what the page knows, the lab what the engine knows.

pub mod card;
pub mod lab;
pub mod pairs;
pub mod settle;
