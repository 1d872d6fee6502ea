//! Text: a small transformer learns a language, token by token: how often each comes, what follows what,
//! and, from sequences that repeat, to look up what came before. The card is what the page knows, the lab
//! what the engine knows.

pub mod card;
mod judge;
pub mod lab;
pub mod own;
pub mod pairs;
mod reading;
mod settle;
mod wrap;
