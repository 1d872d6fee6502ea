//! Modular addition and grokking: the experiment's card (what the page knows) and lab (what the
//! engine knows).

pub mod card;
pub mod lab;
pub mod settings;
