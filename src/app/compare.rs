//! Two checkpoints beside each other, in figures: every series at both, and what lies between.

use super::run::Run;
use super::seeds;
use crate::experiments::{Card, heads};
use crate::plot::number::{significant, with_error};

/// A quantity at two checkpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name, with its unit.
    pub name: String,
    /// One of the curves of the charts.
    pub main: bool,
    /// At the first.
    pub a: String,
    /// At the second.
    pub b: String,
    /// The second less the first, with its error where both have one.
    pub change: String,
}

/// A value at each of two checkpoints with its standard error, 0 where it has none.
type Pair = [(f64, f64); 2];

/// Every series that was measured at both steps: the curves of the replica followed, λ̂ and what is
/// measured with it, and the components of logit-PCA.
#[must_use]
pub fn rows(run: &Run, card: &Card, follow: u32, steps: [u64; 2]) -> Vec<Row> {
    let mut out = Vec::new();
    let mut add = |name: &str, main: bool, pair: Option<Pair>| {
        let whole = |p: &Pair| p.iter().all(|(y, _)| y.is_finite());
        out.extend(pair.filter(whole).map(|p| row(name, main, p)));
    };
    let steps = steps.map(|s| s as f64);
    let at = |x: &[f64], y: &[f64]| -> Option<Pair> {
        let of = |step| {
            let i = x.iter().position(|x| *x == step)?;
            Some((*y.get(i)?, 0.0))
        };
        Some([of(steps[0])?, of(steps[1])?])
    };
    for (id, series) in seeds::own(run, follow) {
        let spec = card.losses.iter().find(|l| l.id == id);
        let named = spec.map(|l| (l.label.to_string(), l.unit));
        let (name, unit) = named
            .or_else(|| heads::series(id))
            .unwrap_or((id.to_string(), ""));
        let name = if unit.is_empty() {
            name
        } else {
            format!("{name} ({unit})")
        };
        add(&name, spec.is_some(), at(&series.x, &series.y));
    }
    let llc = &run.llc;
    let point = |step| llc.points.iter().find(|p| p.step as f64 == step);
    if let (Some(a), Some(b)) = (point(steps[0]), point(steps[1])) {
        add("λ̂", true, Some([(a.value, a.se), (b.value, b.se)]));
        let far = [a.distance, b.distance].map(|d| (d, 0.0));
        add("‖w − w*‖/‖w*‖ of the chains", true, Some(far));
        add("loss under the chains", true, at(&llc.x, &llc.under));
    }
    for (k, name) in ["PC1", "PC2", "PC3"].into_iter().enumerate() {
        let y: Vec<f64> = run.pca.pcs.iter().map(|p| p[k]).collect();
        add(name, true, at(&run.pca.steps, &y));
    }
    out
}

fn row(name: &str, main: bool, [(a, ea), (b, eb)]: Pair) -> Row {
    let text = |y: f64, se: f64| {
        if se > 0.0 {
            with_error(y, se)
        } else {
            significant(y, 3)
        }
    };
    let change = text(b - a, ea.hypot(eb));
    Row {
        name: name.into(),
        main,
        a: text(a, ea),
        b: text(b, eb),
        change: if b > a { format!("+{change}") } else { change },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiments::card;
    use crate::knobs::Knobs;
    use crate::protocol::{Frame, LlcPoint, PcaUpdate, RunId, SeriesDelta};

    #[test]
    fn every_series_stands_at_both_steps_with_its_change() {
        let Some(card) = card("tms") else { return };
        let mut run = Run::new(RunId(1), String::new(), Knobs::defaults(card.knobs), 10);
        let series = |id: &str, y: [f64; 3]| SeriesDelta {
            id: id.into(),
            x: vec![0.0, 5.0, 10.0],
            y: y.to_vec(),
            ..SeriesDelta::default()
        };
        let point = |step, value, se| LlcPoint {
            step,
            value,
            se,
            ..LlcPoint::default()
        };
        run.take(Frame {
            series: vec![
                series("loss", [3.0, 2.0, 1.0]),
                series("replicas/2/loss", [4.0, 2.5, 0.5]),
                series("replicas/3/loss", [9.0, 9.0, 9.0]),
            ],
            llc: Some(vec![point(0, 2.0, 0.3), point(10, 6.0, 0.4)]),
            pca: Some(PcaUpdate {
                steps: vec![0.0, 10.0],
                pcs: vec![[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]],
                explained: [1.0, 0.0, 0.0],
            }),
            ..Frame::default()
        });
        let table = rows(&run, card, 2, [0, 10]);
        let find = |name: &str| table.iter().find(|r| r.name.starts_with(name));
        let told = |r: &Row| [r.a.clone(), r.b.clone(), r.change.clone()];
        assert_eq!(
            table.first().map(told),
            Some(["4.00", "0.500", "−3.50"].map(Into::into))
        );
        let llc = find("λ̂").map(told).unwrap_or_default();
        assert_eq!(llc, ["2.0 ± 0.3", "6.0 ± 0.4", "+4.0 ± 0.5"]);
        assert_eq!(find("PC1").map(|r| r.change.clone()), Some("−2.00".into()));
        // Another replica has other numbers, and a step that was not measured has none.
        assert_eq!(rows(&run, card, 3, [0, 10])[0].change, "0");
        assert!(rows(&run, card, 2, [0, 7]).is_empty());
    }
}
