//! What `cargo xtask` does: builds the page, serves it, runs every check.
//! It knows nothing of models or the engine: it only compiles the `lambdahat` package and looks at
//! the page from outside.

pub mod build;
mod columns;
pub mod flags;
mod gather;
pub mod licences;
pub mod page;
pub mod serve;
pub mod steps;
mod style;
pub mod tools;

use std::path::PathBuf;

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or(here.clone(), PathBuf::from)
}
