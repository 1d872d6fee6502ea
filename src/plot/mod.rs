//! Charts as plain data: a [`Scene`] of marks becomes the same SVG text in the page, in tests and in
//! exports. Nothing here knows the DOM, the state of the page or what the numbers mean; colours are
//! classes, so that a theme is a stylesheet.

pub mod arrows;
pub mod attention;
pub mod bands;
pub mod cursor;
pub mod decimate;
pub mod dots;
pub mod export;
pub mod fits;
pub mod histogram;
pub mod labels;
pub mod line;
pub mod model;
mod names;
pub mod number;
pub mod panels;
pub mod path;
pub mod posterior;
pub mod qr;
pub mod ranges;
pub mod scale;
pub mod scene;
pub mod settled;
pub mod spectrum;
pub mod timeline;
pub mod trace;

pub use line::{Chart, Frame, LineChart};
pub use scene::{Anchor, Mark, Scene};

/// Steps of the one ramp that codes training time as a colour (`ramp-0` is the start).
pub const RAMP: usize = 16;

/// The class of the ramp at a fraction in 0..=1 of the run.
#[must_use]
pub fn ramp_class(fraction: f64) -> String {
    let f = if fraction.is_finite() {
        fraction.clamp(0.0, 1.0)
    } else {
        0.0
    };
    format!("ramp-{}", (f * (RAMP - 1) as f64).round() as usize)
}
