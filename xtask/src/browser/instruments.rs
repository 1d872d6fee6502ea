//! What a visitor does with an estimate: compares it with a known answer, opens it, calibrates it.

use crate::page::Page;
use crate::scenarios::{DESKTOP, PHONE, Places, TMS};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Pictures of what carries this name, here and on a phone, where nothing may stick out.
pub async fn pictures(page: &Page, name: &str) -> Result<()> {
    let script = format!(
        "document.querySelector('[data-test={name}]')?.scrollIntoView({{block: 'center'}})"
    );
    page.browser.eval(&script, vec![]).await?;
    page.shot(name).await?;
    page.browser.resize(PHONE).await?;
    let fits = page.fits(&format!("{name} on a phone")).await;
    page.browser.eval(&script, vec![]).await?;
    page.shot(&format!("{name}-phone")).await?;
    fits?;
    page.browser.resize(DESKTOP).await
}

/// Runs a script until what it returns is as wished.
pub async fn wait(
    page: &Page,
    what: &str,
    script: &str,
    holds: impl Fn(&Value) -> bool,
) -> Result<Value> {
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        let got = page.browser.eval(script, vec![]).await?;
        if holds(&got) {
            return Ok(got);
        }
        let seen = page.look().await?;
        ensure!(
            Instant::now() < end,
            "{what}: last seen {got}; the page shows {seen:?}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The texts of the gallery's three figures: estimate, target, λ.
pub async fn three(page: &Page) -> Result<[String; 3]> {
    let script = "return [...document.querySelectorAll('[data-test=truth] dd')].map(e => e.innerText.trim())";
    let got = page.browser.eval(script, vec![]).await?;
    let text = |i: usize| got[i].as_str().unwrap_or_default().to_owned();
    ensure!(
        got.as_array().is_some_and(|a| a.len() == 3),
        "not three figures: {got}"
    );
    Ok([0, 1, 2].map(text))
}

/// The numbers a text begins with: a value, and its error after ±.
pub fn number(text: &str) -> Option<[f64; 2]> {
    let mut words = text.split_whitespace();
    let value = words.next()?.trim_end_matches(',').parse().ok()?;
    let error = match (words.next(), words.next()) {
        (Some("±"), Some(se)) => se.parse().ok()?,
        _ => 0.0,
    };
    Some([value, error])
}

pub async fn truth_on_cpu(at: &Places) -> Result<()> {
    let link = "#/truth?v=1&target=quadratic&eps=2e-4&draws=30000&seed=3&engine=cpu";
    let page = Page::open(&at.page, DESKTOP, link).await?;
    page.booted().await?;
    let before = three(&page).await?;
    ensure!(
        number(&before[0]).is_none() && before[2].starts_with("2.5"),
        "before the run: {before:?}"
    );
    page.click("run").await?;
    page.finished().await?;
    let [estimate, target, lambda] = three(&page).await?;
    pictures(&page, "truth").await?;
    let shown = format!("estimate {estimate}, target {target}, λ {lambda}");
    println!("  {shown}");
    ensure!(
        [&target, &lambda] == [&before[1], &before[2]],
        "the truth changed with the run: {shown}, after {before:?}"
    );
    let told = number(&estimate).zip(number(&target));
    let ([value, se], [target, _]) = told.with_context(|| shown.clone())?;
    let far = |x: f64| (value - x).abs() > 4.0 * se;
    ensure!(se > 0.0 && !far(target), "it misses its target: {shown}");
    // Far from λ, or meeting the target would say nothing.
    ensure!(far(2.5), "the target cannot be told from λ: {shown}");
    page.close(&[]).await
}

pub async fn diagnose_and_calibrate(at: &Places) -> Result<()> {
    let link = format!("{TMS}&steps=400&every=200&engine=cpu");
    let page = Page::open(&at.page, DESKTOP, &link).await?;
    page.booted().await?;
    page.click("run").await?;
    page.finished().await?;
    let ran = page.look().await?;

    page.click("tab-point").await?;
    let script = "const d = document.querySelector('[data-test=diagnosis]');\
        const rows = [...(d?.querySelectorAll('[data-test=signs] tbody tr') ?? [])];\
        return { rows: Number(d?.dataset.rows ?? 0), charts: d?.querySelectorAll('svg .line').length ?? 0,\
            signs: rows.length, graded: rows.filter(r => r.querySelector('.sign')?.innerText).length,\
            blank: rows.filter(r => [0, 1, 3].some(i => !r.cells[i]?.innerText.trim())).length }";
    let got = wait(&page, "the diagnosis", script, |v| {
        v["rows"].as_u64() > Some(0) && v["signs"].as_u64() > Some(3)
    })
    .await?;
    // Every draw and every step of burn-in; a line for each of two chains, the anchor and λ̂. What is
    // shown without a judgement has no healthy range.
    ensure!(
        got["rows"] == 15
            && got["charts"] == 4
            && got["graded"].as_u64() > Some(2)
            && got["blank"] == 0,
        "the diagnosis is not whole: {got}"
    );
    pictures(&page, "diagnosis").await?;

    page.click("tab-calibrate").await?;
    wait(
        &page,
        "the calibration",
        "return !!document.querySelector('[data-test=study-sweep]')",
        |v| *v == true,
    )
    .await?;
    page.click("study-sweep").await?;
    let script = "const s = document.querySelector('[data-test=study]');\
        return { over: s?.dataset.over === 'true', done: Number(s?.dataset.done ?? 0),\
            cells: document.querySelectorAll('[data-test=sweep] button').length,\
            known: document.querySelectorAll('[data-test=sweep] .cell:not(.lost)').length,\
            advice: document.querySelector('[data-test=advice]')?.innerText ?? '' }";
    let got = wait(&page, "the sweep", script, |v| v["over"] == true).await?;
    // At the largest steps chains may run away.
    ensure!(
        got["done"] == 25
            && got["cells"] == 25
            && got["known"].as_u64() >= Some(20)
            && got["advice"] != "",
        "the sweep is not whole: {got}"
    );
    pictures(&page, "sweep").await?;

    let stale = "return !!document.querySelector('[data-test=stale]')";
    ensure!(
        page.browser.eval(stale, vec![]).await? == false,
        "stale before a cell was chosen"
    );
    // The first cell has a tenth of the run's nβ and ε.
    let click = "document.querySelector('[data-test=sweep] button').click()";
    page.browser.eval(click, vec![]).await?;
    wait(&page, "the form is stale", stale, |v| *v == true).await?;
    let fields =
        "return ['nbeta', 'eps'].map(k => document.querySelector(`[data-test=knob-${k}]`)?.value)";
    let got = page.browser.eval(fields, vec![]).await?;
    ensure!(got == json!(["72.4", "3e-5"]), "the form holds {got}");
    // The curves on the screen stay those of the run.
    let seen = page.look().await?;
    ensure!(
        (seen.points, &seen.fingerprint) == (ran.points, &ran.fingerprint),
        "the run changed with the form: {seen:?}"
    );
    page.close(&[]).await
}

pub async fn grok_on_cpu(at: &Places) -> Result<()> {
    let link = "#/grok?v=1&p=13&hidden=16&batch=32&mbatch=32&steps=300&every=60&chains=2&burnin=5&draws=10&seed=3&engine=cpu";
    let page = Page::open(&at.page, DESKTOP, link).await?;
    page.booted().await?;
    let script = "const f = document.querySelector('[data-test=figure]');\
        return { kind: f?.dataset.kind ?? '', recorded: f?.dataset.recorded === 'true',\
            text: document.querySelector('[data-test=spectrum]')?.innerText ?? '', drawn: !!f?.querySelector('svg') }";
    let got = page.browser.eval(script, vec![]).await?;
    ensure!(
        got["kind"] == "spectrum" && got["recorded"] == true,
        "the recorded spectrum is not there: {got}"
    );
    page.click("run").await?;
    page.finished().await?;
    let seen = page.look().await?;
    ensure!(
        seen.points.iter().all(|p| *p > 2),
        "a curve is missing: {seen:?}"
    );
    let got = page.browser.eval(script, vec![]).await?;
    // Of a real sequence of 13 numbers (13 − 1)/2 frequencies are left without the mean.
    let text = got["text"].as_str().unwrap_or_default();
    ensure!(
        got["kind"] == "spectrum"
            && got["recorded"] == false
            && got["drawn"] == true
            && text.contains(" of 6 frequencies"),
        "no spectrum of this run: {got}"
    );
    pictures(&page, "spectrum").await?;
    page.close(&[]).await
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn figures_are_read_and_words_are_not() {
        assert_eq!(number("2.31 ± 0.04"), Some([2.31, 0.04]));
        assert_eq!(number("2.313, of which 0.02 from ε"), Some([2.313, 0.0]));
        assert_eq!(number("2.5"), Some([2.5, 0.0]));
        assert_eq!(number("press Run"), None);
    }
}
