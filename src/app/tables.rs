//! What was estimated as tables for notebooks: every λ̂ point with all its diagnostics, the traces of
//! the one that is open, every cell of the study. A table is made from the same values as the JSON
//! beside it, so that a diagnostic that is added is in both.

use super::cells::cells;
use super::export;
use super::run::Run;
use super::state::State;
use super::{leading, spread, transitions};
use crate::knobs::Group;
use crate::protocol::TraceView;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What can be saved of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Every curve.
    Series,
    /// Every λ̂ point with its diagnostics and settings.
    Estimates,
    /// The traces of the λ̂ point that is open.
    Opened,
    /// Every cell of the study with its settings.
    Study,
    /// When each model makes its transition.
    Seeds,
    /// Which indicators give notice of it.
    Leads,
}

impl What {
    /// All of them: in file names, and in words.
    pub const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Series, "series", "All curves"),
        (Self::Estimates, "estimates", "λ̂ points with diagnostics"),
        (Self::Opened, "traces", "The opened point's chains"),
        (Self::Study, "study", "The study, cell by cell"),
        (Self::Seeds, "seeds", "Transitions, seed by seed"),
        (Self::Leads, "leads", "Who leads, indicator by indicator"),
    ];

    /// Whether there is any yet.
    #[must_use]
    pub fn there(self, state: &State) -> bool {
        state.run.as_ref().is_some_and(|run| match self {
            Self::Series => true,
            Self::Estimates => !run.llc.points.is_empty(),
            Self::Opened => run.trace.is_some(),
            Self::Study => run.study.is_some(),
            Self::Seeds => spread::count(run) > 1,
            Self::Leads => spread::count(run) > 1 && !state.card().leads.is_empty(),
        })
    }

    /// The text of the file, as CSV or as JSON; none while there is nothing to save.
    #[must_use]
    pub fn text(self, state: &State, csv: bool) -> Option<String> {
        let run = state.run.as_ref()?;
        let with = |key: &str, value: Value| {
            let mut all = export::head(state, run);
            all.insert(key.into(), value);
            Value::Object(all).to_string()
        };
        let text = match (self, csv) {
            (Self::Series, true) => export::csv(run, state.card()),
            (Self::Series, false) => export::json(state, run),
            (Self::Estimates, true) => table(&estimates(run)),
            (Self::Estimates, false) => with("estimates", Value::Array(estimates(run))),
            (Self::Opened, true) => traces(run.trace.as_ref()?),
            (Self::Opened, false) => with("trace", opened(run.trace.as_ref()?)),
            (Self::Seeds, true) => table(&transitions::rows(run, state.card())),
            (Self::Seeds, false) => {
                with("seeds", Value::Array(transitions::rows(run, state.card())))
            }
            (Self::Leads, true) => table(&leading::rows(run, state.card())),
            (Self::Leads, false) => with("leads", Value::Array(leading::rows(run, state.card()))),
            (Self::Study, true) => table(&cells(run.study.as_ref()?, run.steps)),
            (Self::Study, false) => {
                with("cells", Value::Array(cells(run.study.as_ref()?, run.steps)))
            }
        };
        Some(if csv {
            export::signed(&run.link, &text)
        } else {
            text
        })
    }
}

/// Each λ̂ point, and beside it the settings it was made with.
fn estimates(run: &Run) -> Vec<Value> {
    let sampler = run.knobs.schema().iter();
    let mut settings = sampler
        .filter(|k| k.group == Group::Sampler)
        .filter_map(|k| Some((k.key.into(), json!(run.knobs.get(k.key)?))));
    let settings = crate::json::object(&mut settings);
    let row = |mut point: Value| {
        point["settings"] = Value::Object(settings.clone());
        point
    };
    run.llc.points.iter().map(|p| row(json!(p))).collect()
}

/// One line a row, one column a number or a word: what is within an object or a list has its name before
/// its own or its place (`curvature.h_max`, `per_chain.0`); what is not known is empty.
#[must_use]
pub fn table(rows: &[Value]) -> String {
    let rows: Vec<Vec<(String, String)>> = rows
        .iter()
        .map(|row| {
            let mut out = Vec::new();
            flatten("", row, &mut out);
            out
        })
        .collect();
    let mut header: Vec<&str> = Vec::new();
    if rows.iter().flatten().any(|(name, _)| name == "step") {
        header.push("step");
    }
    for (name, _) in rows.iter().flatten() {
        if !header.contains(&name.as_str()) {
            header.push(name);
        }
    }
    // What is an object in one row and not known in another has the columns of the object alone.
    let all = header.clone();
    header.retain(|h| !all.iter().any(|other| other.starts_with(&format!("{h}."))));
    let mut out = header.join(",") + "\n";
    for row in &rows {
        let field = |h: &&str| {
            row.iter()
                .find(|(name, _)| name == h)
                .map_or("", |(_, value)| value)
        };
        let fields: Vec<String> = header.iter().map(|h| quoted(field(h))).collect();
        let _ = writeln!(out, "{}", fields.join(","));
    }
    out
}

fn flatten(name: &str, value: &Value, out: &mut Vec<(String, String)>) {
    let within = |key: &str| match name {
        "" => key.to_string(),
        name => format!("{name}.{key}"),
    };
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(key, value)| flatten(&within(key), value, out)),
        Value::Array(items) => (0..)
            .zip(items)
            .for_each(|(i, value): (usize, &Value)| flatten(&within(&i.to_string()), value, out)),
        other => out.push((name.into(), plain(other))),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A field with a comma, a quote or a line break stands between quotes (RFC 4180).
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into()
    }
}

/// The traces as lists, and the settings they were made with.
fn opened(t: &TraceView) -> Value {
    json!({
        "checkpoint": t.step,
        "settings": t.settings,
        "step": t.x,
        "anchor": t.anchor,
        "loss": t.losses,
        "distance": t.distance,
        "llc": t.running.iter().map(|r| r[0]).collect::<Vec<f64>>(),
        "llc_se": t.running.iter().map(|r| r[1]).collect::<Vec<f64>>(),
    })
}

/// A line a chain step: L(w*) on its batch, the loss and ‖w − w*‖ of each chain, counted from 0, and
/// λ̂ over the draws so far with its error.
fn traces(t: &TraceView) -> String {
    let chains = t.losses.len();
    let mut out = String::from("step,anchor");
    for what in ["loss", "distance"] {
        (0..chains).for_each(|c| {
            let _ = write!(out, ",{what}.{c}");
        });
    }
    out.push_str(",llc,llc_se\n");
    let first = t.x.len().saturating_sub(t.running.len());
    let text = |y: Option<&f64>| {
        let known = y.filter(|y| y.is_finite());
        known.map(ToString::to_string).unwrap_or_default()
    };
    for (k, step) in t.x.iter().enumerate() {
        let chains = t.losses.iter().chain(&t.distance).map(|y| y.get(k));
        let running = k.checked_sub(first).and_then(|k| t.running.get(k));
        let ends = [0, 1].map(|i| running.map(|r| &r[i]));
        let fields = [t.anchor.get(k)].into_iter().chain(chains).chain(ends);
        let fields: Vec<String> = fields.map(text).collect();
        let _ = writeln!(out, "{step},{}", fields.join(","));
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::app::run::Llc;
    use crate::protocol::{Cell, CellResult, Curved, LlcPoint, RunId, Study, StudyKind, StudySpec};
    use std::rc::Rc;

    fn state() -> State {
        let mut state = State::new("#/tms?v=1&seed=7&nbeta=200", true, Default::default());
        let (link, knobs) = (state.link.text(true), state.link.knobs.clone());
        let mut run = Run::new(RunId(1), link, knobs, 10);
        let point = LlcPoint {
            step: 5,
            value: 4.0,
            se: 0.5,
            per_chain: vec![3.5, 4.5],
            warnings: vec!["R̂ is 1.2, \"high\".".into()],
            ..LlcPoint::default()
        };
        let known = LlcPoint {
            step: 10,
            rhat: Some(1.25),
            curvature: Some(Curved {
                h_max: 2.5,
                ..Curved::default()
            }),
            ..point.clone()
        };
        run.llc = Rc::new(Llc::of(vec![point, known]));
        state.run = Some(run);
        state
    }

    /// What keeps a reader from a file: no link, a list in a field; both are planted in [`read`].
    fn wrong(csv: &str) -> Vec<&str> {
        let first = csv.lines().next().unwrap();
        let named = format!(" · lambdahat {}", crate::VERSION);
        let signed = first.starts_with("# #/tms?v=1&seed=7") && first.ends_with(&named);
        let listed = |line: &&str| line.contains([';', '[', '{', '#']);
        let mut out: Vec<&str> = csv.lines().skip(1).filter(listed).collect();
        out.extend(Some(first).filter(|_| !signed));
        out
    }

    /// A CSV as its reader sees it: a map of columns for each row.
    fn read(csv: &str) -> Vec<serde_json::Map<String, Value>> {
        assert_eq!(wrong(csv), Vec::<&str>::new());
        assert_eq!(wrong(csv.split_once('\n').unwrap().1).len(), 1);
        assert_eq!(wrong(&format!("{csv}5,3.5;4.5\n")).len(), 1);
        let mut lines = csv.lines().skip(1);
        let split = |line: &str| {
            let (mut fields, mut inside) = (vec![String::new()], false);
            for c in line.chars() {
                match c {
                    '"' => inside = !inside,
                    ',' if !inside => fields.push(String::new()),
                    c => fields.last_mut().unwrap().push(c),
                }
            }
            fields
        };
        let header = split(lines.next().unwrap());
        let row = |line| {
            let fields = split(line);
            assert_eq!(fields.len(), header.len(), "{line}");
            let fields = fields.into_iter().map(Value::String);
            header.clone().into_iter().zip(fields).collect()
        };
        lines.map(row).collect()
    }

    #[test]
    fn every_diagnostic_of_every_point_is_in_the_table() {
        let state = state();
        let csv = What::Estimates.text(&state, true).unwrap();
        let rows = read(&csv);
        assert_eq!(rows.len(), 2);
        assert!(csv.lines().nth(1).unwrap().starts_with("step,"), "{csv}");
        assert_eq!(
            (&rows[0]["value"], &rows[1]["rhat"]),
            (&json!("4.0"), &json!("1.25"))
        );
        assert_eq!(rows[0]["rhat"], "");
        // A column a chain.
        assert_eq!(
            (&rows[0]["per_chain.0"], &rows[0]["per_chain.1"]),
            (&json!("3.5"), &json!("4.5"))
        );
        assert_eq!(rows[0]["warnings.0"], "R̂ is 1.2, high.");
        assert_eq!(
            (
                &rows[0]["curvature.h_max"],
                &rows[1]["curvature.h_max"],
                &rows[1]["settings.nbeta"]
            ),
            (&json!(""), &json!("2.5"), &json!("200.0"))
        );
        // Every member of a point has a column; nothing that is added to it is forgotten.
        let point = json!(LlcPoint::default());
        for (key, value) in point.as_object().unwrap() {
            // A list that is empty in all points has none.
            let inside = value.is_array() || key == "curvature";
            assert!(rows[0].contains_key(key) || inside, "{key} in {csv}");
        }
        assert!(!rows[0].contains_key("curvature"));
        let read: Value =
            serde_json::from_str(&What::Estimates.text(&state, false).unwrap()).unwrap();
        assert_eq!(read["estimates"][1]["curvature"]["h_max"], 2.5);
        assert_eq!(read["link"], "#/tms?v=1&seed=7&nbeta=200");
    }

    #[test]
    fn every_cell_of_a_study_is_in_the_table_with_its_settings() {
        let mut state = state();
        assert!(!What::Study.there(&state) && What::Study.text(&state, true).is_none());
        let cell = |eps| Cell {
            step: 5,
            eps,
            part: "W".into(),
            ..Cell::default()
        };
        let result = |cell, value| CellResult {
            cell,
            value,
            ..CellResult::default()
        };
        let study = Study {
            spec: StudySpec {
                kind: StudyKind::Spring,
                cells: vec![cell(1e-3), cell(1e-4)],
                chains: 2,
                burnin: 20,
                draws: 30,
                ..StudySpec::default()
            },
            done: vec![result(0, None), result(1, Some(3.0))],
            plateau: vec![1],
            ..Study::default()
        };
        state.run.as_mut().unwrap().study = Some(Rc::new(study));
        let rows = read(&What::Study.text(&state, true).unwrap());
        let shown = |i: usize, key: &str| rows[i][key].as_str().unwrap().to_owned();
        assert_eq!((rows.len(), shown(0, "value")), (2, String::new()));
        let keys = [
            "step", "eps", "part", "value", "plateau", "chains", "draws", "kind",
        ];
        assert_eq!(
            keys.map(|k| shown(1, k)),
            ["5", "0.0001", "W", "3.0", "true", "2", "30", "spring"]
        );
    }

    #[test]
    fn the_opened_point_has_a_line_a_chain_step() {
        let mut state = state();
        let trace = TraceView {
            x: vec![0.0, 1.0, 2.0],
            anchor: vec![0.5; 3],
            losses: vec![vec![1.0, 2.0, 3.0], vec![1.5]],
            distance: vec![vec![0.0, 0.1, 0.2], vec![0.0]],
            running: vec![[4.0, 0.25]],
            ..TraceView::default()
        };
        state.run.as_mut().unwrap().trace = Some(Rc::new(trace));
        let csv = What::Opened.text(&state, true).unwrap();
        // A chain that ran away ends where it did, and λ̂ begins behind burn-in.
        let (first, rest) = csv.split_once('\n').unwrap();
        assert!(first.starts_with("# #/tms?v=1&seed=7&nbeta=200 · "));
        assert_eq!(
            rest,
            "step,anchor,loss.0,loss.1,distance.0,distance.1,llc,llc_se\n\
             0,0.5,1,1.5,0,0,,\n1,0.5,2,,0.1,,,\n2,0.5,3,,0.2,,4,0.25\n"
        );
        assert!(What::ALL.iter().filter(|w| w.0.there(&state)).count() == 5);
    }
}
