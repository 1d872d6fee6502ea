//! The two precisions of the CPU twins: f32 runs for visitors, f64 is differentiated numerically.

use num_traits::{Float, NumAssign};

/// A float a CPU twin is generic over.
pub trait Real:
    Float + NumAssign + std::iter::Sum + std::fmt::Debug + Default + Send + Sync + 'static
{
    /// From f64, rounding to nearest.
    fn of(x: f64) -> Self;
    /// From f32, exact.
    fn of32(x: f32) -> Self {
        Self::of(f64::from(x))
    }
    /// To f64, exact.
    fn f64(self) -> f64;
    /// To f32, rounding to nearest.
    fn f32(self) -> f32 {
        self.f64() as f32
    }
}

impl Real for f32 {
    fn of(x: f64) -> Self {
        x as f32
    }
    fn f64(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    fn of(x: f64) -> Self {
        x
    }
    fn f64(self) -> f64 {
        self
    }
}
