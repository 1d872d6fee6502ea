//! The page as a visitor drives it: found by `data-test` attributes, never by style or position.

use crate::driver::{Browser, Kind};
use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What the page shows, read in one go.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Whether the skeleton of `index.html` is still there.
    pub skeleton: bool,
    /// idle, preparing, training, paused, sampling, done or failed.
    pub phase: String,
    /// Training steps done.
    pub step: u64,
    /// Data points of the main curve of the loss, λ̂ and PCA charts, in this order.
    pub points: [u64; 3],
    /// Whether each of them shows the recorded trace.
    pub recorded: [bool; 3],
    /// Whether the engine is up and Run can be pressed.
    pub ready: bool,
    /// The device line.
    pub device: String,
    /// Remarks, one a line.
    pub notices: String,
    /// The fault on screen, empty if there is none.
    pub fault: String,
    /// The link of this run.
    pub link: String,
    /// Why the CPU engine runs, if the page says so.
    pub why_cpu: String,
    /// Checksum over the bits of all curves, of a run that stands still.
    pub fingerprint: String,
}

const LOOK: &str = r#"
const at = name => document.querySelector(`[data-test="${name}"]`);
const text = name => (at(name)?.innerText ?? "").trim();
const charts = ["chart-loss", "chart-llc", "chart-pca"].map(at);
return {
  skeleton: !!at("skeleton"),
  ready: !!at("run") && !at("run").disabled && at("device")?.dataset.kind !== "none",
  phase: text("phase"),
  step: Number(at("stepno")?.dataset.step ?? 0),
  points: charts.map(c => Number(c?.dataset.points ?? 0)),
  recorded: charts.map(c => c?.dataset.recorded === "true"),
  device: text("device"), notices: text("notices"), fault: text("fault"),
  link: at("link")?.value ?? "",
  whyCpu: at("why-cpu")?.textContent ?? "", fingerprint: at("fingerprint")?.textContent ?? "",
};"#;

/// A page under test.
#[derive(Debug)]
pub struct Page {
    /// The browser it is in.
    pub browser: Browser,
    base: String,
}

impl Page {
    /// Starts a browser and opens a link, such as `#/tms?seed=3`.
    ///
    /// # Errors
    /// If there is no browser or the page does not answer.
    pub async fn open(base: &str, kind: Kind, hash: &str) -> Result<Self> {
        let browser = Browser::start(kind).await?;
        let page = Self {
            browser,
            base: base.to_owned(),
        };
        page.goto(hash).await?;
        Ok(page)
    }
    /// Opens a link from scratch, even where only the hash differs.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn goto(&self, hash: &str) -> Result<()> {
        self.browser.goto("about:blank").await?;
        self.browser.goto(&format!("{}{hash}", self.base)).await
    }
    /// What the page shows now.
    ///
    /// # Errors
    /// If the page cannot be asked.
    pub async fn look(&self) -> Result<Seen> {
        let v = self.browser.eval(LOOK, Vec::new()).await?;
        let text = |key: &str| v[key].as_str().unwrap_or_default().to_owned();
        Ok(Seen {
            skeleton: v["skeleton"].as_bool().unwrap_or(false),
            ready: v["ready"].as_bool().unwrap_or(false),
            phase: text("phase").to_lowercase(),
            step: v["step"].as_u64().unwrap_or(0),
            points: [0, 1, 2].map(|i| v["points"][i].as_u64().unwrap_or(0)),
            recorded: [0, 1, 2].map(|i| v["recorded"][i].as_bool().unwrap_or(false)),
            device: text("device"),
            notices: text("notices"),
            fault: text("fault"),
            link: text("link"),
            why_cpu: text("whyCpu"),
            fingerprint: text("fingerprint"),
        })
    }
    /// Waits until the page shows something; panics of the page end the wait at once.
    ///
    /// # Errors
    /// If it does not within `seconds`; the message holds what it showed last.
    pub async fn until(
        &self,
        what: &str,
        seconds: u64,
        holds: impl Fn(&Seen) -> bool,
    ) -> Result<Seen> {
        let end = Instant::now() + Duration::from_secs(seconds);
        loop {
            let seen = self.look().await?;
            if holds(&seen) {
                return Ok(seen);
            }
            if Instant::now() > end {
                let console = self.browser.console().await.unwrap_or_default();
                bail!(
                    "{what}: not within {seconds} s; the page shows {seen:?}; console {console:?}"
                );
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    /// Waits until the program has replaced the skeleton and the engine has answered.
    ///
    /// # Errors
    /// If it does not.
    pub async fn booted(&self) -> Result<Seen> {
        self.until("the page boots", 60, |s| {
            !s.skeleton && !s.phase.is_empty() && (s.ready || !s.fault.is_empty())
        })
        .await
    }
    /// Clicks what carries this name.
    ///
    /// # Errors
    /// If it is not there or disabled.
    pub async fn click(&self, name: &str) -> Result<()> {
        let script = "const e = document.querySelector(`[data-test=\"${arguments[0]}\"]`);\
                      if (!e) return 'missing'; if (e.disabled) return 'disabled'; e.click(); return 'ok';";
        match self.browser.eval(script, vec![json!(name)]).await?.as_str() {
            Some("ok") => Ok(()),
            other => bail!("the button “{name}” is {}", other.unwrap_or("odd")),
        }
    }
    /// Moves the mouse, or a finger, over what `selector` finds, as the browser itself would: pressed at
    /// the first place, let go at the last, each a share of its width and pixels from its top.
    ///
    /// # Errors
    /// If it is not there.
    pub async fn drag(&self, selector: &str, way: &[[f64; 2]], touch: bool) -> Result<()> {
        let script = "const e = document.querySelector(arguments[0]); if (!e) return null;\
            e.scrollIntoView({ block: 'center' }); const r = e.getBoundingClientRect();\
            return arguments[1].map(([x, y]) => [r.left + x * r.width, r.top + y]);";
        let way = self.browser.eval(script, vec![json!(selector), json!(way)]);
        let way = way.await?;
        let way = way.as_array().with_context(|| format!("no {selector}"))?;
        let last = way.len().saturating_sub(1);
        // A hand pauses before it lets go; what the page draws anew meanwhile is under it by then.
        let moves = way.iter().map(|at| (true, at));
        for (i, (down, at)) in moves.chain([(false, &way[last])]).enumerate() {
            let (x, y) = (&at[0], &at[1]);
            let kind = match (i, down) {
                (0, _) => ["mousePressed", "touchStart"],
                (_, true) => ["mouseMoved", "touchMove"],
                (_, false) => ["mouseReleased", "touchEnd"],
            };
            if touch {
                let points = if down {
                    json!([{"x": x, "y": y}])
                } else {
                    json!([])
                };
                let event = json!({"type": kind[1], "touchPoints": points});
                self.browser.cdp("Input.dispatchTouchEvent", event).await?;
            } else {
                let event = json!({"type": kind[0], "x": x, "y": y, "button": "left",
                    "buttons": u8::from(down), "clickCount": 1});
                if i == 0 {
                    let hover = json!({"type": "mouseMoved", "x": x, "y": y});
                    self.browser.cdp("Input.dispatchMouseEvent", hover).await?;
                }
                self.browser.cdp("Input.dispatchMouseEvent", event).await?;
            }
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        Ok(())
    }
    /// Opens the status panel, where the drills are.
    ///
    /// # Errors
    /// If there is none.
    pub async fn open_panel(&self) -> Result<()> {
        let script = "const e = document.querySelector('[data-test=panel]'); if (e) e.open = true; return !!e;";
        match self.browser.eval(script, Vec::new()).await? {
            Value::Bool(true) => Ok(()),
            _ => bail!("there is no status panel"),
        }
    }
    /// Presses Run and waits until every curve has grown past `points`.
    ///
    /// # Errors
    /// If a curve does not grow.
    pub async fn run_until(&self, points: [u64; 3], seconds: u64) -> Result<Seen> {
        self.click("run").await?;
        // The trace must be gone with the press, before anything was computed.
        let seen = self.look().await?;
        if seen.recorded.contains(&true) {
            bail!("a recorded trace is still shown after Run: {seen:?}");
        }
        let start = Instant::now();
        self.until("the first trained step", 60, |s| {
            s.step > 0 || s.phase == "failed"
        })
        .await?;
        println!(
            "  first trained step {:.1} s after Run",
            start.elapsed().as_secs_f64()
        );
        let what = format!("curves longer than {points:?}");
        let grown =
            |s: &Seen| s.points.iter().zip(points).all(|(a, b)| *a > b) || s.phase == "failed";
        let seen = self.until(&what, seconds, grown).await?;
        if seen.phase == "failed" {
            bail!("the run failed: {}", seen.fault);
        }
        Ok(seen)
    }
    /// Waits for the end of the run: the fingerprint of its curves.
    ///
    /// # Errors
    /// If it does not end, or fails.
    pub async fn finished(&self) -> Result<String> {
        let over = |s: &Seen| s.phase == "done" || s.phase == "failed";
        let seen = self.until("the end of the run", 180, over).await?;
        if seen.phase == "failed" || seen.fingerprint.len() != 8 {
            bail!("the run ended badly: {seen:?}");
        }
        Ok(seen.fingerprint)
    }
    /// The fingerprint of the same run from its beginning, undisturbed.
    ///
    /// # Errors
    /// If it does not run.
    pub async fn run_anew(&self) -> Result<String> {
        self.click("reset").await?;
        self.until("reset", 30, |s| s.phase == "idle").await?;
        self.click("run").await?;
        self.finished().await
    }
    /// Fails if the page stays wider than its window, once it has had time to lay itself out anew.
    ///
    /// # Errors
    /// What sticks out.
    pub async fn fits(&self, name: &str) -> Result<()> {
        // A phone's innerWidth grows with what sticks out; the width of the root does not.
        let script = "const width = document.documentElement.clientWidth;\
            if (document.documentElement.scrollWidth <= width) return '';\
            return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > width + 0.5)\
            .slice(0, 12).map(e => `${e.tagName}.${e.getAttribute('class') ?? ''} ${e.getBoundingClientRect().right}`).join(', ')\
            || 'something hidden'";
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let wide = self.browser.eval(script, vec![]).await?;
            if wide == "" {
                return Ok(());
            }
            if Instant::now() > end {
                bail!("{name}: the page scrolls sideways: {wide}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    /// Writes `shots/NAME.png`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn shot(&self, name: &str) -> Result<()> {
        let file = xtask::root().join("shots").join(format!("{name}.png"));
        self.browser.picture(&file, false).await
    }
    /// Ends the browser, and fails if the console holds an error that `allowed` does not.
    ///
    /// # Errors
    /// The errors of the console.
    pub async fn close(self, allowed: &[&str]) -> Result<()> {
        let lines = self.browser.console().await.context("console")?;
        drop(self.browser);
        let bad = complaints(&lines, allowed);
        if !bad.is_empty() {
            bail!("the console holds errors: {bad:?}");
        }
        Ok(())
    }
}

/// Console lines that are errors or panics and hold none of the allowed words.
fn complaints<'a>(lines: &'a [(String, String)], allowed: &[&str]) -> Vec<&'a str> {
    let bad = |level: &str, text: &str| level == "SEVERE" || text.contains("panicked at");
    lines
        .iter()
        .filter(|(level, text)| bad(level, text) && !allowed.iter().any(|a| text.contains(a)))
        .map(|(_, text)| text.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_and_errors_are_complaints_unless_expected() {
        let line = |level: &str, text: &str| (level.to_owned(), text.to_owned());
        let lines = [
            line("INFO", "hello"),
            line("INFO", "panicked at src"),
            line("SEVERE", "lost"),
        ];
        assert_eq!(complaints(&lines, &[]), ["panicked at src", "lost"]);
        assert_eq!(complaints(&lines, &["lost"]), ["panicked at src"]);
    }
}
