//! What the page knows and how it changes, with neither a DOM nor yew: the link, the state and its
//! reducer, the words on the screen. It does not know the engine, the executors or the models.

pub mod action;
pub mod against;
mod aim;
mod align;
pub mod beside;
pub mod columns;
pub mod commitment;
pub mod compare;
mod cursor;
pub mod export;
mod form;
pub mod gons;
pub mod health;
pub mod leads;
pub mod lens;
pub mod link;
pub mod locality;
pub mod markdown;
pub mod own;
pub mod pairing;
pub mod parts;
pub mod recorded;
pub mod reduce;
pub mod reference;
pub mod refined;
pub mod run;
pub mod scrub;
pub mod seeds;
pub mod shelf;
pub mod split;
pub mod spread;
pub mod stages;
pub mod state;
pub mod still;
pub mod study;
pub mod tables;
pub mod terms;
pub mod tokens;
pub mod transitions;
pub mod versus;
pub mod words;

pub use action::{Action, Effect};
pub use reduce::reduce;
pub use run::Run;
pub use state::State;
