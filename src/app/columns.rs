//! Whether a model of text counts columns, in words.

use crate::plot::number::{fixed, with_error};

/// What is said of the step at the line width, from the values and standard errors of `wrap.*`; none where
/// these were not measured.
#[must_use]
pub fn told(value: impl Fn(&str) -> Option<(f64, f64)>) -> Option<String> {
    let of = |id: &str| value(&format!("wrap.{id}"));
    let (from, _) = of("from")?;
    if from == 0.0 {
        let mut none = "The held-out windows that are judged here show no column from which on lines end: there is no step to be seen.".to_string();
        if let Some((long, _)) = of("long").filter(|l| l.0 > 0.0) {
            none += &format!(
                " A quarter of the text's lines have {long} characters or more; a model can know how long its line is where the context holds more than that."
            );
        }
        return Some(none);
    }
    let [(low, below), (high, above)] = [of("before")?, of("behind")?];
    let [text_low, text_high] = [of("ends.before")?.0, of("ends.behind")?.0];
    let (step, se) = (high - low, below.hypot(above));
    let verdict = if step <= 3.0 * se {
        "No step is seen"
    } else if 2.0 * step < text_high - text_low {
        "Less than half of the step is seen"
    } else {
        "The step is seen"
    };
    Some(format!(
        "Where a word ends, the model gives the end of the line {} before column {from} and {} from there on, of what it gives to that and to another word; in this text it is {} and {}. {verdict}: {} (± one standard error).",
        with_error(low, below),
        with_error(high, above),
        fixed(text_low, 2),
        fixed(text_high, 2),
        with_error(step, se)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_told_with_its_error() {
        let said = |high: f64| {
            told(|id| {
                Some(match id {
                    "wrap.from" => (34.0, 0.0),
                    "wrap.before" => (0.05, 0.01),
                    "wrap.behind" => (high, 0.03),
                    "wrap.ends.before" => (0.04, 0.0),
                    "wrap.ends.behind" => (0.9, 0.0),
                    _ => return None,
                })
            })
        };
        let whole = said(0.85).unwrap_or_default();
        assert!(
            whole.contains("before column 34") && whole.contains("The step is seen: 0.80 ± 0.03"),
            "{whole}"
        );
        assert!(said(0.3).unwrap_or_default().contains("Less than half"));
        assert!(said(0.1).unwrap_or_default().contains("No step"));
        assert_eq!(told(|_| None), None);
        assert!(told(|_| Some((0.0, 0.0))).is_some_and(|t| t.ends_with("to be seen.")));
        let long = |id: &str| Some((if id == "wrap.long" { 71.0 } else { 0.0 }, 0.0));
        assert!(told(long).is_some_and(|t| t.contains("71 characters or more")));
    }
}
