//! What a visitor does with time: drags through the checkpoints, plays them as a film, compares two,
//! reads the stages.

use crate::instruments::{pictures, wait};
use crate::page::Page;
use crate::scenarios::{DESKTOP, Places};
use anyhow::{Result, ensure};
use serde_json::{Value, json};

/// A transformer of one layer that trains in seconds on the CPU engine.
const LINK: &str = "#/induction?v=1&layers=1&d_model=16&heads=2&vocab=16&ctx=16&pmin=4&pmax=7&batch=4&steps=120&every=10&log=3&chains=2&burnin=2&draws=6&mbatch=2&seed=3&engine=cpu";

/// Where the timeline stands, and what hangs on it: the step looked at, the step held, whether the
/// film plays, the caption of the figure, the picture of the first head, the cursors of the charts,
/// the checkpoint of the readout.
const STATE: &str = "const q = n => document.querySelector(`[data-test=\"${n}\"]`); const t = q('timeline');\
    return { looked: t?.dataset.looked ?? '', held: t?.dataset.held ?? '', playing: q('film')?.getAttribute('aria-pressed') === 'true',\
        checkpoints: Number(t?.dataset.checkpoints ?? 0), caption: q('figure-step')?.innerText ?? '',\
        picture: q('figure')?.querySelector('canvas')?.toDataURL() ?? '',\
        cursors: [...document.querySelectorAll('.charts .cursor-step')].map(e => e.textContent.replace(/\\D/g, '')),\
        readout: q('checkpoint')?.innerText.replace(/\\D/g, '') ?? '' };";

/// Waits until the figure shows that step.
async fn shown(page: &Page, step: &str) -> Result<Value> {
    let told = format!("Step {step}, a stored checkpoint.");
    let got = wait(page, &told, STATE, |v| {
        v["looked"] == step && v["caption"] == told.as_str()
    })
    .await?;
    let here = |v: &Value| *v == json!(step);
    ensure!(
        got["cursors"]
            .as_array()
            .is_some_and(|c| c.len() >= 2 && c.iter().all(here))
            && here(&got["readout"]),
        "not everything stands at step {step}: {got}"
    );
    Ok(got["picture"].clone())
}

/// A key pressed on the scrubber.
async fn press(page: &Page, key: &str) -> Result<()> {
    let script = "const e = document.querySelector('[data-test=scrubber]'); e.focus();\
        e.dispatchEvent(new KeyboardEvent('keydown', { key: arguments[0], bubbles: true, cancelable: true }));";
    page.browser.eval(script, vec![json!(key)]).await?;
    Ok(())
}

/// A drag along the strip, from and to a share of its width.
async fn drag(page: &Page, from: f64, to: f64) -> Result<()> {
    let script = "const e = document.querySelector('[data-test=scrubber]'), r = e.getBoundingClientRect();\
        const send = (name, share) => e.dispatchEvent(new PointerEvent(name, { bubbles: true, pointerId: 1, isPrimary: true,\
            clientX: r.left + share * r.width, clientY: r.top + 20 }));\
        send('pointerdown', arguments[0]); for (let i = 1; i <= 5; i++) send('pointermove', arguments[0] + (arguments[1] - arguments[0]) * i / 5);\
        send('pointerup', arguments[1]); send('pointermove', 0.5);";
    page.browser
        .eval(script, vec![json!(from), json!(to)])
        .await?;
    Ok(())
}

pub async fn scrub_and_compare(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, LINK).await?;
    page.booted().await?;
    page.click("run").await?;
    let bits = page.finished().await?;
    let live = wait(&page, "the live figure", STATE, |v| v["picture"] != "").await?;
    ensure!(
        live["looked"] == ""
            && live["caption"] == "Step 120, the latest."
            && live["checkpoints"].as_u64() > Some(10),
        "it does not begin live: {live}"
    );
    press(&page, "Home").await?;
    let first = shown(&page, "0").await?;
    press(&page, "End").await?;
    let last = shown(&page, "120").await?;
    ensure!(
        last == live["picture"] && last != first,
        "the figures of the ends are wrong"
    );
    drag(&page, 0.95, 0.5).await?;
    let middle = shown(&page, "60").await?;
    ensure!(
        middle != first && middle != last,
        "the figure of the middle is one of an end"
    );
    press(&page, "ArrowLeft").await?;
    shown(&page, "50").await?;

    page.click("hold").await?;
    press(&page, "End").await?;
    let script = "const c = document.querySelector('[data-test=compare]');\
        return { rows: [...(c?.querySelectorAll('tbody tr') ?? [])].map(r => [...r.cells].map(d => d.innerText)),\
            pictures: [...(c?.querySelectorAll('.both > div') ?? [])].map(d => d.querySelector('canvas')?.toDataURL() ?? '') };";
    let both = |v: &Value| {
        v["pictures"]
            .as_array()
            .is_some_and(|p| p.len() == 2 && p.iter().all(|p| *p != ""))
    };
    let got = wait(&page, "two checkpoints", script, both).await?;
    let rows = got["rows"].as_array().map_or(0, Vec::len);
    ensure!(
        rows >= 6 && got["pictures"][0] != got["pictures"][1] && got["pictures"][1] == last,
        "no comparison: {}",
        got["rows"]
    );
    pictures(&page, "compare").await?;
    page.click("hold").await?;

    press(&page, "Home").await?;
    shown(&page, "0").await?;
    page.click("film").await?;
    wait(&page, "the film ends", STATE, |v| {
        v["playing"] == false && v["looked"] == "120"
    })
    .await?;
    // The file of a checkpoint is handed to the browser under a name that says which.
    let script = "window.saved = ''; HTMLAnchorElement.prototype.click = function () { window.saved = this.download };";
    page.browser.eval(script, vec![]).await?;
    page.click("export-checkpoint").await?;
    // Four digits tell settings that are not the defaults apart.
    let name = |s: &str| {
        s.starts_with("lambdahat-induction-seed3-")
            && s.len() == "lambdahat-induction-seed3-0000-step120.safetensors".len()
            && s.ends_with("-step120.safetensors")
    };
    wait(
        &page,
        "a checkpoint as a file",
        "return window.saved",
        |v| v.as_str().is_some_and(name),
    )
    .await?;
    // All of them, one after another, each once.
    let script = "window.saved = []; HTMLAnchorElement.prototype.click = function () { window.saved.push(this.download) };";
    page.browser.eval(script, vec![]).await?;
    page.click("export-all").await?;
    let script = "const t = document.querySelector('[data-test=export-all-told]'); return [t?.textContent ?? '', [...new Set(window.saved)].length, window.saved.length, t?.dataset.left]";
    let got = wait(&page, "every checkpoint as a file", script, |v| {
        v[3] == "0" && v[0].as_str().is_some_and(|t| t.ends_with("saved"))
    })
    .await?;
    let told = format!("{0} of {0} checkpoints saved", got[1]);
    ensure!(
        got[1] == got[2] && got[1].as_u64() > Some(3) && got[0] == told,
        "{got}"
    );
    page.click("live").await?;
    wait(&page, "live again", STATE, |v| {
        v["looked"] == "" && v["caption"] == "Step 120, the latest."
    })
    .await?;
    ensure!(
        page.look().await?.fingerprint == bits,
        "looking changed the run"
    );

    // A reload keeps the weights alone; the figures come out the same.
    page.browser.reload().await?;
    page.booted().await?;
    page.click("resume").await?;
    page.finished().await?;
    drag(&page, 0.3, 0.5).await?;
    ensure!(
        shown(&page, "60").await? == middle,
        "after the reload the figure is another"
    );
    pictures(&page, "timeline").await?;
    page.close(&[]).await
}

/// Drags the end of the first stage to a share of the strip's width, with the mouse.
async fn drag_end(page: &Page, to: f64) -> Result<()> {
    let script = "const g = document.querySelector('[data-test=grip-0]'); g.scrollIntoView({ block: 'center' });\
        const r = g.getBoundingClientRect(), s = g.parentElement.getBoundingClientRect();\
        return [r.left + r.width / 2, r.top + r.height / 2, s.left + arguments[0] * s.width, r.width];";
    let at = page.browser.eval(script, vec![json!(to)]).await?;
    let [from, y, to, wide] = [0, 1, 2, 3].map(|i| at[i].as_f64().unwrap_or(0.0));
    ensure!(wide >= 12.0, "the grip is {wide} pixels wide");
    let way = [
        ("mousePressed", from),
        ("mouseMoved", (from + to) / 2.0),
        ("mouseMoved", to),
        ("mouseReleased", to),
    ];
    for (kind, x) in way {
        let buttons = u8::from(kind != "mouseReleased");
        let event = json!({"type": kind, "x": x, "y": y, "button": "left", "buttons": buttons, "clickCount": 1});
        page.browser.cdp("Input.dispatchMouseEvent", event).await?;
    }
    Ok(())
}

/// A rise and a fall of λ̂ within seconds.
const TWO_STAGES: &str = "#/grok?v=1&p=13&hidden=16&batch=32&mbatch=32&steps=600&every=20&chains=2&burnin=5&draws=20&seed=4&engine=cpu";

/// The table of stages, and the letters of the bands over charts and timeline.
const STAGES: &str = "const q = n => document.querySelector(`[data-test=\"${n}\"]`); const s = q('stages');\
    const letters = e => [...(e?.querySelectorAll('.stage-letter') ?? [])].map(t => t.textContent);\
    return { stages: Number(s?.dataset.stages ?? 0), second: s?.dataset.second === 'true', byHand: s?.dataset.byHand === 'true',\
        rows: [...(q('stage-rows')?.querySelectorAll('tbody tr') ?? [])].map(r => [...r.cells].map(d => d.innerText.trim())),\
        charts: ['chart-loss', 'chart-llc', 'timeline'].map(n => letters(q(n)).slice(0, 2)) };";

pub async fn stages_on_cpu(at: &Places) -> Result<()> {
    let unchecked = format!("{TWO_STAGES}&second=no");
    let page = Page::open(&at.page, DESKTOP, &unchecked).await?;
    page.booted().await?;
    page.click("run").await?;
    page.finished().await?;
    let got = wait(&page, "two stages", STAGES, |v| v["stages"] == 2).await?;
    let letters = json!([["A", "B"], ["A", "B"], ["A", "B"]]);
    ensure!(
        got["charts"] == letters && got["rows"][0][4] == "not checked" && got["second"] == false,
        "the stages are not told: {got}"
    );
    page.click("second-setting").await?;
    let got = wait(&page, "a second setting", STAGES, |v| v["second"] == true).await?;
    let told = |row: usize| {
        got["rows"][row][4]
            .as_str()
            .unwrap_or_default()
            .contains("at nβ")
    };
    ensure!(told(0) && told(1), "the second setting is not told: {got}");
    page.close(&[]).await?;
    // Unless it is told otherwise, the run does that by itself, and finds the same.
    let page = Page::open(&at.page, DESKTOP, TWO_STAGES).await?;
    page.booted().await?;
    page.click("run").await?;
    let bits = page.finished().await?;
    let alone = wait(&page, "a check", STAGES, |v| v["second"] == true).await?;
    ensure!(
        alone["rows"] == got["rows"],
        "the check finds {alone}, not {got}"
    );
    pictures(&page, "stages").await?;

    let move_end = "const e = document.querySelector('[data-test=stage-end-0]'); e.value = '300';\
        e.dispatchEvent(new Event('change', { bubbles: true }));";
    page.browser.eval(move_end, vec![]).await?;
    let moved = |v: &Value| v["byHand"] == true && v["rows"][0][1] == "0 to 300 (end by hand)";
    wait(&page, "a boundary by hand", STAGES, moved).await?;
    page.click("find-stages").await?;
    let found = |v: &Value| v["byHand"] == false && v["rows"][0][1] != "0 to 300 (end by hand)";
    wait(&page, "found again", STAGES, found).await?;
    // The same with the mouse, as the browser itself would move it; then a point on with a key.
    drag_end(&page, 0.5).await?;
    let got = wait(&page, "an end that was dragged", STAGES, |v| {
        v["byHand"] == true
    })
    .await?;
    let end =
        |v: &Value| -> Option<f64> { v["rows"][0][1].as_str()?.split(' ').nth(2)?.parse().ok() };
    let dragged = end(&got).unwrap_or(0.0);
    ensure!(
        (dragged - 300.0).abs() < 10.0,
        "dragged to the middle, it ends at {dragged}"
    );
    let key = "const e = document.querySelector('[data-test=grip-0]'); e.focus();\
        e.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true, cancelable: true }));";
    page.browser.eval(key, vec![]).await?;
    // λ̂ points are 20 steps apart.
    let next =
        |v: &Value| end(v).is_some_and(|e| e > dragged && e <= dragged + 20.0 && e % 20.0 == 0.0);
    wait(&page, "the next λ̂ point", STAGES, next).await?;
    pictures(&page, "timeline").await?;
    page.click("find-stages").await?;
    wait(&page, "found once more", STAGES, found).await?;
    ensure!(
        page.look().await?.fingerprint == bits,
        "the stages changed the run"
    );
    page.close(&[]).await
}
