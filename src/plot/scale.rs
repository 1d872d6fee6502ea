//! Axes: numbers to pixels, their range, and where the ticks stand.

use super::number;

/// From numbers to a pixel interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Logarithmic.
    pub log: bool,
    /// Least number.
    pub min: f64,
    /// Greatest number.
    pub max: f64,
    /// Pixel of the least number.
    pub from: f64,
    /// Pixel of the greatest.
    pub to: f64,
}

/// What a logarithmic time axis does with step 0: it stands half a step before 1, and is labelled 0.
pub const LOG_ZERO: f64 = 0.5;

/// Numbers beyond this set no axis: differences and squares of what an axis spans stay finite.
const GREATEST: f64 = 1e150;

impl Scale {
    /// Pixel of a number; NaN where the axis has none for it.
    #[must_use]
    pub fn px(&self, x: f64) -> f64 {
        let (a, b, x) = if self.log {
            (self.min.ln(), self.max.ln(), x.ln())
        } else {
            (self.min, self.max, x)
        };
        if !x.is_finite() {
            return f64::NAN;
        }
        let t = if b > a { (x - a) / (b - a) } else { 0.5 };
        // Far beyond the axis is as good as just beyond it, and keeps the text short.
        self.from + t.clamp(-4.0, 5.0) * (self.to - self.from)
    }

    /// Number of a pixel.
    #[must_use]
    pub fn at(&self, px: f64) -> f64 {
        let t = if self.to == self.from {
            0.0
        } else {
            (px - self.from) / (self.to - self.from)
        };
        if self.log {
            (self.min.ln() + t * (self.max.ln() - self.min.ln())).exp()
        } else {
            self.min + t * (self.max - self.min)
        }
    }

    /// Ticks and their labels, about `want` of them.
    #[must_use]
    pub fn ticks(&self, want: usize) -> Vec<(f64, String)> {
        if self.log {
            log_ticks(self.min, self.max, want)
        } else {
            linear_ticks(self.min, self.max, want)
        }
    }
}

/// Ticks at 1, 2 or 5 times a power of ten.
#[must_use]
pub fn linear_ticks(min: f64, max: f64, want: usize) -> Vec<(f64, String)> {
    let span = max - min;
    if !(span.is_finite() && span > 0.0) {
        return vec![(min, number::significant(min, 3))];
    }
    let raw = span / want.max(1) as f64;
    let power = 10f64.powf(raw.log10().floor());
    let spacing = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|s| *s >= raw * 0.999)
        .unwrap_or(10.0 * power);
    let first = (min / spacing - 1e-9).ceil();
    let last = (max / spacing + 1e-9).floor();
    let n = (last - first).clamp(0.0, 50.0) as usize;
    let ticks: Vec<_> = (0..=n)
        .map(|i| (first + i as f64) * spacing)
        .filter(|x| *x >= min - 1e-9 * span && *x <= max + 1e-9 * span)
        .map(|x| (x, number::tick(x, spacing)))
        .collect();
    // One number alone says nothing of the scale.
    if ticks.len() < 2 && want < 8 {
        return linear_ticks(min, max, want + 1);
    }
    ticks
}

/// Ticks at the decades, every second or third where there are many, with 2 and 5 where there are few.
#[must_use]
pub fn log_ticks(min: f64, max: f64, want: usize) -> Vec<(f64, String)> {
    if !(min > 0.0 && max > min && max.is_finite()) {
        return Vec::new();
    }
    let inside = |x: &f64| *x >= min * (1.0 - 1e-9) && *x <= max * (1.0 + 1e-9);
    let (low, high) = (min.log10().floor() as i32, max.log10().ceil() as i32);
    let decades: Vec<f64> = (low..=high).map(|e| 10f64.powi(e)).collect();
    let whole: Vec<f64> = decades.iter().copied().filter(inside).collect();
    let stride = whole.len().div_ceil(want.max(1)).max(1);
    let whole: Vec<f64> = whole.into_iter().step_by(stride).collect();
    let chosen = if whole.len() >= 3 || whole.len() >= want {
        whole
    } else {
        let finer: Vec<f64> = decades
            .iter()
            .flat_map(|d| [*d, 2.0 * d, 5.0 * d])
            .filter(inside)
            .collect();
        if finer.len() < 3 {
            return linear_ticks(min, max, want);
        }
        if finer.len() > want + 2 && whole.len() >= 2 {
            whole
        } else {
            finer
        }
    };
    chosen
        .into_iter()
        .map(|x| (x, number::log_tick(x)))
        .collect()
}

/// The range an axis needs for these numbers. What is not finite does not count, nor what a
/// logarithm has no place for; and a few numbers far beyond all others do not set the axis.
#[must_use]
pub fn range(values: impl Iterator<Item = f64>, log: bool) -> Option<(f64, f64)> {
    let mut v: Vec<f64> = values
        .filter(|x| x.abs() <= GREATEST && (!log || *x > 0.0))
        .map(|x| if log { x.ln() } else { x })
        .collect();
    crate::math::order::ascending(&mut v);
    let (mut low, mut high) = (0, v.len().checked_sub(1)?);
    let spare = v.len() / 10;
    for _ in 0..spare {
        let top = v[high] - v[high - 1];
        let bottom = v[low + 1] - v[low];
        if top > 8.0 * (v[high - 1] - v[low]).max(f64::MIN_POSITIVE) {
            high -= 1;
        } else if bottom > 8.0 * (v[high] - v[low + 1]).max(f64::MIN_POSITIVE) {
            low += 1;
        } else {
            break;
        }
    }
    let back = |x: f64| if log { x.exp() } else { x };
    Some((back(v[low]), back(v[high])))
}

/// A range with some air around it, and never empty.
#[must_use]
pub fn padded((min, max): (f64, f64), log: bool, air: f64) -> (f64, f64) {
    if log {
        let span = (max / min).ln();
        let pad = if span > 1e-9 { (span * air).exp() } else { 1.5 };
        return (min / pad, max * pad);
    }
    let span = max - min;
    let pad = if span > 1e-12 * max.abs().max(min.abs()).max(1e-300) {
        span * air
    } else if max == 0.0 {
        1.0
    } else {
        0.5 * max.abs()
    };
    (min - pad, max + pad)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[(f64, String)]) -> Vec<&str> {
        ticks.iter().map(|t| t.1.as_str()).collect()
    }

    #[test]
    fn a_constant_has_air_of_its_own_size_and_zero_has_one() {
        let range = |x: f64| padded((x, x), false, 0.06);
        assert_eq!(range(0.0), (-1.0, 1.0));
        assert_eq!(range(-4.0), (-6.0, -2.0));
        assert!(padded((1e-9, 1e-9), false, 0.06).1 < 1e-8);
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(
            labels(&linear_ticks(0.0, 1800.0, 5)),
            ["0", "500", "1\u{202f}000", "1\u{202f}500"]
        );
        assert_eq!(
            labels(&linear_ticks(0.045, 0.113, 4)),
            ["0.06", "0.08", "0.10"]
        );
        assert_eq!(
            labels(&log_ticks(0.5, 1800.0, 5)),
            ["1", "10", "100", "1\u{202f}000"]
        );
        assert_eq!(labels(&log_ticks(0.045, 0.4, 5)), ["0.05", "0.1", "0.2"]);
        assert!(log_ticks(1e-30, 1e30, 5).len() <= 7);
        // Room for two, and one of them would be outside: there are two all the same.
        assert_eq!(labels(&linear_ticks(0.0, 0.42, 2)), ["0.0", "0.2", "0.4"]);
        assert!(linear_ticks(f64::MIN, f64::MAX, 5).len() < 50);
    }

    #[test]
    fn one_diverged_value_never_sets_an_axis() {
        let mut v: Vec<f64> = (0..50).map(|i| 5.0 - f64::from(i) * 0.1).collect();
        let clean = range(v.iter().copied(), false);
        v.extend([f64::NAN, f64::INFINITY, 3e9]);
        assert_eq!(range(v.iter().copied(), false), clean);
        // Planted fault: the plain maximum would have followed it.
        let naive = v
            .iter()
            .copied()
            .filter(|x| x.is_finite())
            .fold(f64::MIN, f64::max);
        assert!(naive > 1e9);
    }

    #[test]
    fn what_an_axis_spans_can_be_subtracted() {
        let huge = [9.6e307, -1.3e308, 2.0, f64::INFINITY, 1.0];
        assert_eq!(range(huge.into_iter(), false), Some((1.0, 2.0)));
        assert_eq!(range([1e308, -1e308].into_iter(), false), None);
    }

    #[test]
    fn a_real_fall_is_kept() {
        let v = [4.9, 3.0, 0.6, 0.3, 0.2, 0.15, 0.12, 0.11, 0.1, 0.1, 0.1];
        assert_eq!(range(v.into_iter(), false), Some((0.1, 4.9)));
        assert_eq!(range([0.0, -1.0, 2.0].into_iter(), true), Some((2.0, 2.0)));
        assert_eq!(range(std::iter::empty(), false), None);
    }

    #[test]
    fn pixels_and_numbers_invert() {
        for log in [false, true] {
            let s = Scale {
                log,
                min: 0.5,
                max: 2000.0,
                from: 40.0,
                to: 400.0,
            };
            for x in [0.5, 1.0, 30.0, 2000.0] {
                assert!((s.at(s.px(x)) - x).abs() < 1e-9 * x.max(1.0));
            }
        }
    }
}
