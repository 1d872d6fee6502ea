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
    /// `exp` of every element, in place. In f32 a polynomial that the compiler turns into SIMD,
    /// within 3e-7 of exp, the same bits on every machine; arguments are clamped to ±87.
    fn exp_all(row: &mut [Self]) {
        for x in row {
            *x = x.exp();
        }
    }
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
    fn exp_all(row: &mut [Self]) {
        // x = n ln 2 + r with n whole; adding 1.5·2²³ rounds to n and leaves it in the low bits.
        const ROUND: f32 = 12_582_912.0;
        for x in row {
            let v = x.clamp(-87.0, 87.0);
            let n = v * std::f32::consts::LOG2_E + ROUND;
            let r = v - (n - ROUND) * 0.693_359_4 + (n - ROUND) * 2.121_944_4e-4;
            // Cephes' expf polynomial on |r| < 0.35.
            let p = 1.987_569_1e-4 * r + 1.398_2e-3;
            let p = ((p * r + 8.333_452e-3) * r + 4.166_579_6e-2) * r;
            let p = ((p + 1.666_666_5e-1) * r + 0.5) * r * r + r + 1.0;
            *x = p * f32::from_bits(n.to_bits().wrapping_add(127) << 23);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_polynomial_is_exp() {
        for i in -8600..=8600 {
            let x = i as f32 * 0.01;
            let mut row = [x];
            f32::exp_all(&mut row);
            let want = f64::from(x).exp();
            assert!(
                (f64::from(row[0]) / want - 1.0).abs() < 3e-7,
                "{x}: {} {want}",
                row[0]
            );
        }
        let mut row = [-1e30, 0.0];
        f32::exp_all(&mut row);
        assert!(row[0] < 2e-38 && row[1] == 1.0);
    }
}
