//! Data generators: pure functions of (seed, stream, step). They know no model and no device.

pub mod markov;
pub mod modular;
pub mod ngrams;
pub mod order;
pub mod repeat;
pub mod stories;
pub mod text;
pub mod tms;
pub mod tokenizer;
pub mod tokens;
