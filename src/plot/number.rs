//! Numbers as a reader sees them: thousands apart, a true minus sign, decades in full or as powers.

/// Thin space between groups of three digits, so that the groups never break over two lines.
const THIN: char = '\u{202f}';

/// A whole number in groups of three: `1 240`.
#[must_use]
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(THIN);
        }
        out.push(c);
    }
    out
}

/// With a fixed number of decimals, thousands apart, `−` for negative, no `−0`.
#[must_use]
pub fn fixed(x: f64, decimals: usize) -> String {
    if !x.is_finite() {
        return if x.is_nan() {
            "not a number".into()
        } else {
            "infinite".into()
        };
    }
    let text = format!("{:.decimals$}", x.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let whole = whole
        .parse::<u64>()
        .map_or_else(|_| whole.to_string(), grouped);
    let zero = text.bytes().all(|b| b == b'0' || b == b'.');
    format!("{}{whole}{rest}", if x < 0.0 && !zero { "−" } else { "" })
}

/// With a number of significant digits: `0.0622`, `4.85`, `1 240`; powers of ten beyond six digits.
#[must_use]
pub fn significant(x: f64, digits: usize) -> String {
    // Below the normal numbers a power of ten is no number any more; nobody reads them either.
    if x.abs() < 1e-290 {
        return "0".into();
    }
    if !x.is_finite() {
        return fixed(x, 0);
    }
    let digits = digits.max(1);
    // Rounding first, so that 9.999 is a number with two digits before the point.
    let exponent = format!("{:.*e}", digits - 1, x)
        .rsplit_once('e')
        .and_then(|(_, e)| e.parse::<i32>().ok())
        .unwrap_or(0);
    if !(-5..=6).contains(&exponent) {
        let scaled = x / 10f64.powi(exponent);
        return format!(
            "{} × 10{}",
            fixed(scaled, digits - 1),
            superscript(exponent)
        );
    }
    let decimals = digits as i32 - 1 - exponent;
    if decimals < 0 {
        // Digits beyond the known ones become zeros: 42 689 with two digits is 43 000.
        let unit = 10f64.powi(-decimals);
        return fixed((x / unit).round() * unit, 0);
    }
    fixed(x, usize::try_from(decimals).unwrap_or(0))
}

/// A value with its standard error, both rounded to what is known: `8.6 ± 0.4`.
#[must_use]
pub fn with_error(value: f64, se: f64) -> String {
    if !value.is_finite() {
        return "not finite".into();
    }
    if !se.is_finite() || se <= 0.0 {
        return significant(value, 3);
    }
    let magnitude = se.log10().floor();
    // One digit of the error, two where it begins with a 1.
    let lead = (se / 10f64.powf(magnitude)).round();
    let wanted = if lead <= 1.0 {
        1.0 - magnitude
    } else {
        -magnitude
    };
    let decimals = wanted.clamp(0.0, 6.0) as usize;
    format!("{} ± {}", fixed(value, decimals), fixed(se, decimals))
}

/// A tick of a linear axis with that distance between ticks.
#[must_use]
pub fn tick(x: f64, spacing: f64) -> String {
    if x != 0.0 && (x.abs() >= 1e7 || spacing.abs() < 1e-5) {
        return significant(x, 2);
    }
    let decimals = if spacing > 0.0 {
        (-spacing.log10().floor()).clamp(0.0, 6.0) as usize
    } else {
        0
    };
    fixed(x, decimals)
}

/// A tick of a logarithmic axis: 1, 10, 100, 0.01; powers of ten where those get long.
#[must_use]
pub fn log_tick(x: f64) -> String {
    let exponent = x.abs().log10();
    let nearest = exponent.round() as i32;
    if (exponent - f64::from(nearest)).abs() < 1e-9 && !(-4..=5).contains(&nearest) {
        return format!("10{}", superscript(nearest));
    }
    if x >= 1.0 {
        fixed(x, 0)
    } else {
        significant(x, 1)
    }
}

/// An exponent in superscript digits.
#[must_use]
pub fn superscript(n: i32) -> String {
    n.to_string()
        .chars()
        .map(|c| match c {
            '-' => '⁻',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            '4' => '⁴',
            '5' => '⁵',
            '6' => '⁶',
            '7' => '⁷',
            '8' => '⁸',
            '9' => '⁹',
            _ => '⁰',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_written_by_hand() {
        assert_eq!(grouped(1_240), "1\u{202f}240");
        assert_eq!(grouped(999), "999");
        assert_eq!(fixed(-0.04, 1), "0.0");
        assert_eq!(fixed(-1.25, 1), "−1.2");
        assert_eq!(significant(0.062_222, 3), "0.0622");
        assert_eq!(significant(9.999, 3), "10.0");
        assert_eq!(significant(-79.4, 2), "−79");
        assert_eq!(significant(42_689.0, 2), "43\u{202f}000");
        assert_eq!(significant(3.2e-9, 2), "3.2 × 10⁻⁹");
    }

    #[test]
    fn a_value_is_rounded_to_its_error() {
        assert_eq!(with_error(8.6131, 0.42), "8.6 ± 0.4");
        assert_eq!(with_error(78.93, 1.2), "78.9 ± 1.2");
        assert_eq!(with_error(1234.0, 30.0), "1\u{202f}234 ± 30");
        assert_eq!(with_error(-13.26, 0.96), "−13.3 ± 1.0");
        assert_eq!(with_error(f64::NAN, 1.0), "not finite");
        assert_eq!(with_error(5.0, 0.0), "5.00");
    }

    #[test]
    fn log_ticks_read_one_ten_hundred() {
        let read: Vec<String> = [0.01, 0.1, 1.0, 10.0, 100.0, 1000.0]
            .into_iter()
            .map(log_tick)
            .collect();
        assert_eq!(read, ["0.01", "0.1", "1", "10", "100", "1\u{202f}000"]);
        assert_eq!(log_tick(1e7), "10⁷");
    }
}
