//! λ from several temperatures (S. Watanabe 2013, "A widely applicable Bayesian information
//! criterion", Corollary 3): where the posterior is local, E[L] = L₀ + λ/nβ, so λ is the slope of
//! the mean loss against 1/nβ. It needs no L(w*), which makes it a check on λ̂ from the outside.

/// Mean loss of the chains at one temperature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Temperature {
    /// nβ.
    pub nbeta: f64,
    /// E[L].
    pub mean_loss: f64,
    /// Its standard error.
    pub se: f64,
}

/// The fitted line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// λ, the slope.
    pub lambda: f64,
    /// Its standard error, from those of the points alone.
    pub se: f64,
    /// The loss at infinite nβ.
    pub intercept: f64,
    /// Weighted mean square of what the line leaves over, in units of the points' errors; about 1
    /// where a line fits, far above where the temperatures see different neighbourhoods.
    pub misfit: f64,
}

/// Fits by least squares with weights 1/se²; none of fewer than three usable points or of one
/// temperature alone.
#[must_use]
pub fn slope(points: &[Temperature]) -> Option<Slope> {
    let usable: Vec<[f64; 3]> = points
        .iter()
        .filter(|p| p.nbeta > 0.0 && p.mean_loss.is_finite() && p.se > 0.0 && p.se.is_finite())
        .map(|p| [1.0 / p.nbeta, p.mean_loss, p.se.powi(-2)])
        .collect();
    if usable.len() < 3 {
        return None;
    }
    let sum = |f: &dyn Fn(&[f64; 3]) -> f64| usable.iter().map(f).sum::<f64>();
    let weight = sum(&|p| p[2]);
    let (x, y) = (
        sum(&|p| p[2] * p[0]) / weight,
        sum(&|p| p[2] * p[1]) / weight,
    );
    let sxx = sum(&|p| p[2] * (p[0] - x).powi(2));
    if sxx <= 0.0 {
        return None;
    }
    let lambda = sum(&|p| p[2] * (p[0] - x) * (p[1] - y)) / sxx;
    let intercept = y - lambda * x;
    let left = sum(&|p| p[2] * (p[1] - intercept - lambda * p[0]).powi(2));
    Some(Slope {
        lambda,
        se: sxx.powf(-0.5),
        intercept,
        misfit: left / (usable.len() as f64 - 2.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(lambda: f64, bend: f64) -> Vec<Temperature> {
        [100.0, 200.0, 400.0, 800.0]
            .map(|nbeta| Temperature {
                nbeta,
                mean_loss: 0.3 + lambda / nbeta + bend / (nbeta * nbeta),
                se: 1e-4,
            })
            .to_vec()
    }

    #[test]
    fn a_line_gives_its_slope() {
        let got = slope(&line(4.5, 0.0)).unwrap();
        assert!((got.lambda - 4.5).abs() < 1e-9 && (got.intercept - 0.3).abs() < 1e-9);
        assert!(got.misfit < 1e-9 && got.se > 0.0);
        // A posterior that changes its neighbourhood with the temperature is no line, and it shows.
        assert!(slope(&line(4.5, 200.0)).unwrap().misfit > 10.0);
    }

    #[test]
    fn too_little_is_nothing() {
        assert!(slope(&line(1.0, 0.0)[..2]).is_none());
        let mut same = line(1.0, 0.0);
        same.iter_mut().for_each(|p| p.nbeta = 10.0);
        assert!(slope(&same).is_none());
        let mut lost = line(1.0, 0.0);
        lost[0].mean_loss = f64::NAN;
        lost[1].se = 0.0;
        assert!(slope(&lost).is_none());
    }
}
