//! A researcher's sitting, from a trained model to files: calibrates at three checkpoints, adopts a
//! setting, opens a point with its diagnostics, restricts λ̂ to a head, takes everything along.

use crate::calibration::{form, studied};
use crate::instruments::{pictures, wait};
use crate::page::Page;
use crate::scenarios::{DESKTOP, Places};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

const LINK: &str = "#/induction?v=1&d_model=16&heads=2&vocab=16&ctx=16&pmin=4&pmax=7&batch=16&lr=0.02&warmup=0&steps=120&every=60&log=0&chains=2&burnin=5&draws=15&mbatch=4&seed=3&engine=cpu";

/// Chooses in a list.
async fn choose(page: &Page, name: &str, value: &str) -> Result<()> {
    let script = "const e = document.querySelector(`[data-test=\"${arguments[0]}\"]`); e.value = arguments[1];\
        const there = e.value === arguments[1]; e.dispatchEvent(new Event('change', { bubbles: true })); return there";
    let there = page
        .browser
        .eval(script, vec![json!(name), json!(value)])
        .await?;
    ensure!(there == true, "“{name}” does not offer {value}");
    Ok(())
}

/// Runs with what the form holds; the caption of the λ̂ chart then.
async fn again(page: &Page) -> Result<String> {
    let restart = "return !!document.querySelector('[data-test=restart]')";
    wait(page, "the restart", restart, |v| *v == true).await?;
    page.click("restart").await?;
    page.until("the new run", 30, |s| s.phase != "done").await?;
    page.finished().await?;
    let caption = "return document.querySelector('[data-test=chart-llc] .sub')?.innerText ?? ''";
    let caption = page.browser.eval(caption, vec![]).await?;
    Ok(caption.as_str().unwrap_or_default().to_owned())
}

pub async fn a_sitting(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, LINK).await?;
    page.booted().await?;
    page.click("run").await?;
    page.finished().await?;
    page.click("tab-calibrate").await?;
    let mut advised = Vec::new();
    for step in ["0", "60", "120"] {
        choose(&page, "study-step", step).await?;
        studied(&page, "study-sweep", 25).await?;
        let script = "const a = document.querySelector('[data-test=advice]');\
            return [a?.innerText ?? '', document.querySelectorAll('[data-test=sweep] button').length]";
        let got = page.browser.eval(script, vec![]).await?;
        ensure!(
            got[1] == 25 && got[0].as_str().is_some_and(|t| !t.is_empty()),
            "no advice at step {step}: {got}"
        );
        advised.push(got[0].as_str().unwrap_or_default().to_owned());
    }
    advised.dedup();
    ensure!(
        advised.len() > 1,
        "the advice is the same everywhere: {advised:?}"
    );
    pictures(&page, "calibrate").await?;
    // A setting of the last sweep: a tenth of the run's nβ, a smaller ε.
    let click = "document.querySelector('[data-test=sweep] button').click()";
    page.browser.eval(click, vec![]).await?;
    let adopted = form(&page).await?;
    let caption = again(&page).await?;
    let said = format!(
        "nβ {} · γ {} · ε {} · 2×15",
        adopted[0].as_str().unwrap_or_default(),
        adopted[1].as_str().unwrap_or_default(),
        adopted[2].as_str().unwrap_or_default()
    );
    ensure!(
        caption.starts_with(&said) && !LINK.contains(&said),
        "the curve is captioned {caption}, not {said}"
    );

    // The point of the last checkpoint, with error bars on the curve and a sentence for each sign.
    page.click("tab-point").await?;
    let script = "const rows = [...document.querySelectorAll('[data-test=signs] tbody tr')];\
        return { signs: rows.length, told: rows.filter(r => r.cells[3]?.innerText.trim()).length,\
            bands: document.querySelectorAll('[data-test=chart-llc] .band').length }";
    let got = wait(&page, "the signs", script, |v| {
        v["signs"].as_u64() > Some(8)
    })
    .await?;
    ensure!(
        got["signs"] == got["told"] && got["bands"].as_u64() >= Some(1),
        "the point is not told whole: {got}"
    );
    let whole = last(&page).await?;

    // One head alone: another λ̂, and the curve says so.
    choose(&page, "knob-part", "blocks.1.attn.head.0").await?;
    let caption = again(&page).await?;
    ensure!(
        caption.contains("head 1.0") || caption.contains("blocks.1.attn.head.0"),
        "the curve does not say what moves: {caption}"
    );
    let head = last(&page).await?;
    ensure!(
        head != whole,
        "λ̂ of a head is that of the whole model: {head}"
    );
    pictures(&page, "chart-llc").await?;

    // Everything as files.
    let keep = "window.kept = {}; HTMLAnchorElement.prototype.click = function () {\
        const [name, file] = [this.download, fetch(this.href)]; window.kept[name] = file.then(f => f.text()) }";
    page.browser.eval(keep, vec![]).await?;
    let press = "const all = [...document.querySelectorAll('[data-test=export] button, .charts .save button')].filter(b => !b.disabled && /CSV|JSON|safetensors|SVG|PNG/.test(b.textContent));\
        all.forEach(b => b.click())";
    page.browser.eval(press, vec![]).await?;
    let script = "return (async () => { const kept = {};\
        for (const name in window.kept) kept[name] = (await window.kept[name]).length; return kept })()";
    let files = wait(&page, "all files", script, |v| {
        v.as_object().map_or(0, serde_json::Map::len) >= 13
    })
    .await?;
    let files = files.as_object().context("no files")?;
    println!("  {} files", files.len());
    let ends = |end: &str| files.keys().any(|name| name.ends_with(end));
    ensure!(
        [
            "-series.csv",
            "-estimates.json",
            "-traces.csv",
            "-llc.svg",
            "-pca.png",
            ".safetensors"
        ]
        .iter()
        .all(|e| ends(e))
            && files.values().all(|n| n.as_u64() > Some(100)),
        "not everything is saved: {files:?}"
    );
    page.close(&[]).await
}

/// λ̂ of the last point, from the file of the curves.
async fn last(page: &Page) -> Result<f64> {
    let save = "window.series = null; const click = HTMLAnchorElement.prototype.click;\
        HTMLAnchorElement.prototype.click = function () { fetch(this.href).then(f => f.json()).then(j => window.series = j.series.llc.y) };\
        document.querySelector('[data-test=export-series-json]').click(); HTMLAnchorElement.prototype.click = click";
    page.browser.eval(save, vec![]).await?;
    let known = |v: &Value| v.as_array().is_some_and(|y| y.len() == 3);
    let got = wait(page, "the curve", "return window.series", known).await?;
    got[2].as_f64().context("no λ̂")
}
