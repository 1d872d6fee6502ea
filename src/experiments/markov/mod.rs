//! In-context Markov chains: a small transformer first counts symbols, then pairs of symbols.
//! The card is what the page knows, the lab what the engine knows.

pub mod card;
pub mod judge;
pub mod lab;
pub mod pairs;
mod settle;
