//! A researcher calibrates: sweeps, lens, parts, Richardson's check, a setting adopted; the chains of
//! the gallery step by step; files saved.

use crate::instruments::{number, three, wait};
use crate::page::Page;
use crate::scenarios::{DESKTOP, Places, TMS};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

/// Opens a link, runs it to its end, opens calibration.
async fn calibrating(at: &Places, link: &str) -> Result<Page> {
    let page = Page::open(&at.page, DESKTOP, link).await?;
    page.booted().await?;
    page.click("run").await?;
    page.finished().await?;
    page.click("tab-calibrate").await?;
    let there = "return !!document.querySelector('[data-test=study-sweep]')";
    wait(&page, "the calibration", there, |v| *v == true).await?;
    Ok(page)
}

/// Starts a study and waits for all of its cells.
pub async fn studied(page: &Page, name: &str, cells: u64) -> Result<()> {
    // The study before this one was over as well: the mark is taken from it.
    let forget = "delete document.querySelector('[data-test=study]')?.dataset.over";
    page.browser.eval(forget, vec![]).await?;
    page.click(name).await?;
    let script = "const s = document.querySelector('[data-test=study]');\
        return { over: s?.dataset.over === 'true', done: Number(s?.dataset.done ?? 0) }";
    let all = |v: &Value| v["over"] == true && v["done"] == cells;
    wait(page, &format!("{cells} cells of {name}"), script, all).await?;
    Ok(())
}

/// What the knobs of this setting hold.
pub async fn form(page: &Page) -> Result<Value> {
    let fields = "return ['nbeta', 'gamma', 'eps'].map(k => document.querySelector(`[data-test=knob-${k}]`)?.value)";
    page.browser.eval(fields, vec![]).await
}

pub async fn lens_and_spring(at: &Places) -> Result<()> {
    let page = calibrating(at, &format!("{TMS}&steps=400&every=80&engine=cpu")).await?;
    // Six checkpoints at four nβ and three γ.
    studied(&page, "study-lens", 6 * 12).await?;
    let script = "const t = n => document.querySelector(`[data-test=${n}]`);\
        return { nbeta: t('lens-nbeta')?.max, gamma: t('lens-gamma')?.max, words: t('regime')?.innerText ?? '',\
            cells: t('regimes')?.querySelectorAll('button').length, line: t('lens')?.querySelector('svg .line')?.getAttribute('d') ?? '' }";
    let own = page.browser.eval(script, vec![]).await?;
    let words = |v: &Value| v["words"].as_str().unwrap_or_default().len();
    ensure!(
        own["nbeta"] == "3" && own["gamma"] == "2" && own["cells"] == 12 && words(&own) > 20,
        "the lens is not whole: {own}"
    );
    // The slider of γ goes to another curve.
    let slide = "const e = document.querySelector('[data-test=lens-gamma]'); e.value = 2;\
        e.dispatchEvent(new Event('input', { bubbles: true }))";
    page.browser.eval(slide, vec![]).await?;
    let other = wait(&page, "another curve", script, |v| v["line"] != own["line"]).await?;
    ensure!(words(&other) > 20, "no regime: {other}");
    page.click("lens-adopt").await?;
    // The default γ is 100, ε 3e-4: ten times as stiff a spring asks for no larger a step.
    wait(
        &page,
        "the form",
        "return document.querySelector('[data-test=knob-gamma]')?.value",
        |v| *v == "1000",
    )
    .await?;
    let step = form(&page).await?[2]
        .as_str()
        .and_then(|t| t.parse::<f64>().ok());
    ensure!(
        step.is_some_and(|e| e > 0.0 && e <= 3.01e-4),
        "ε is {step:?}"
    );

    studied(&page, "study-spring", 25).await?;
    let corner = "return document.querySelector('[data-test=sweep] thead th')?.innerText ?? ''";
    let corner = page.browser.eval(corner, vec![]).await?;
    ensure!(
        corner.as_str().is_some_and(|t| t.contains('γ')),
        "a sweep over {corner}"
    );
    // A setting that is adopted is the run's after Restart, and its curve is captioned with it.
    let click = "document.querySelector('[data-test=sweep] button').click()";
    page.browser.eval(click, vec![]).await?;
    let restart = "return !!document.querySelector('[data-test=restart]')";
    wait(&page, "the restart", restart, |v| *v == true).await?;
    let adopted = form(&page).await?;
    ensure!(
        adopted[0] == "72.4" && adopted[1] == "10",
        "the form holds {adopted}"
    );
    page.click("restart").await?;
    page.until("another run", 60, |s| {
        s.phase == "done" && s.link.contains("nbeta=72.4")
    })
    .await?;
    let caption = "return document.querySelector('[data-test=chart-llc] .sub')?.innerText ?? ''";
    let caption = page.browser.eval(caption, vec![]).await?;
    ensure!(
        caption
            .as_str()
            .is_some_and(|t| t.contains("nβ 72.4 · γ 10 ·")),
        "λ̂ is captioned {caption}"
    );
    page.close(&[]).await
}

pub async fn parts_and_richardson(at: &Places) -> Result<()> {
    let link = "#/induction?v=1&d_model=16&heads=2&vocab=16&ctx=16&pmin=4&pmax=7&batch=4&steps=40&every=20&log=0&chains=2&burnin=2&draws=6&seed=3&engine=cpu";
    let page = calibrating(at, link).await?;
    // Embeddings and four heads at three checkpoints.
    studied(&page, "study-parts", 7 * 3).await?;
    let drawn = "return [...document.querySelectorAll('[data-test=lens] svg .end')].map(e => e.textContent).filter(t => t)";
    let drawn = page.browser.eval(drawn, vec![]).await?;
    ensure!(
        drawn.as_array().is_some_and(|a| a.len() == 7) && drawn.to_string().contains("head 1.1"),
        "the parts are {drawn}"
    );
    studied(&page, "study-richardson", 6).await?;
    let rows = "return [...document.querySelectorAll('[data-test=richardson] tbody tr')].map(r => [...r.cells].map(c => c.innerText.trim()))";
    let rows = page.browser.eval(rows, vec![]).await?;
    let whole = |r: &Value| {
        r.as_array()
            .is_some_and(|c| c.len() == 4 && c.iter().all(|t| *t != ""))
    };
    ensure!(
        rows.as_array()
            .is_some_and(|r| r.len() == 3 && r.iter().all(whole)),
        "Richardson's check shows {rows}"
    );
    // The parts of this model in groups: no third layer, no third head, no MLP.
    let groups = "return [...document.querySelectorAll('[data-test=knob-part] optgroup')].map(g => `${g.label} ${g.children.length}`)";
    let groups = page.browser.eval(groups, vec![]).await?;
    ensure!(
        groups
            == json!([
                "Embeddings 3",
                "Layers 5",
                "Heads of layer 0 2",
                "Heads of layer 1 2"
            ]),
        "the groups are {groups}"
    );
    page.close(&[]).await
}

pub async fn truth_step_by_step(at: &Places) -> Result<()> {
    let link = "#/truth?v=1&target=crossing&chains=2&burnin=20&draws=200&seed=3&engine=cpu";
    let page = Page::open(&at.page, DESKTOP, link).await?;
    page.booted().await?;
    let script = "return { at: Number(document.querySelector('[data-test=stepno]')?.dataset.chainStep ?? -1),\
        parts: document.querySelector('[data-test=parts]')?.innerText ?? '' }";
    // A step is told once where it led is known: with the second one.
    page.click("step").await?;
    let mut last = wait(&page, "the first step", script, |v| v["at"] == 1).await?;
    for step in 2..=4 {
        page.click("step").await?;
        let now = wait(&page, "one step", script, |v| v["at"] == step).await?;
        ensure!(
            now["parts"] != last["parts"],
            "step {step} has the numbers of the one before: {now}"
        );
        last = now;
    }
    page.click("slow").await?;
    let slow = |v: &Value| v["at"].as_u64() >= Some(6);
    let now = wait(&page, "slow steps", script, slow).await?;
    ensure!(now["at"].as_u64() < Some(40), "slow is not slow: {now}");
    page.click("slow").await?;
    page.until("slow ends", 30, |s| s.phase == "paused").await?;
    page.click("run").await?;
    page.finished().await?;
    let end = page.browser.eval(script, vec![]).await?;
    ensure!(
        end["at"] == 220 && end["parts"] != now["parts"],
        "at the end: {end}"
    );
    page.close(&[]).await
}

pub async fn mala_in_the_page(at: &Places) -> Result<()> {
    let link = "#/truth?v=1&target=quadratic&sampler=mala&eps=1e-3&draws=20000&seed=3&engine=cpu";
    let page = Page::open(&at.page, DESKTOP, link).await?;
    page.booted().await?;
    page.click("run").await?;
    page.finished().await?;
    let [estimate, target, _] = three(&page).await?;
    let told = number(&estimate).zip(number(&target));
    let ([value, se], [target, _]) = told.with_context(|| format!("{estimate}, {target}"))?;
    ensure!(
        se > 0.0 && (value - target).abs() <= 4.0 * se && !target.is_nan(),
        "MALA misses: {estimate} of {target}"
    );
    page.click("tab-point").await?;
    let script = "const r = [...document.querySelectorAll('[data-test=signs] tbody tr')].find(r => r.cells[0].innerText === 'acceptance');\
        return r ? [r.cells[1].innerText, r.className] : null";
    let got = wait(&page, "the acceptance", script, |v| !v.is_null()).await?;
    let rate = got[0]
        .as_str()
        .and_then(|t| t.split_whitespace().next()?.parse::<f64>().ok());
    // Five weights with exact losses are judged, and the class says how.
    ensure!(
        rate.is_some_and(|r| (0.5..=1.0).contains(&r)) && got[1] != "",
        "the acceptance is {got}"
    );
    page.close(&[]).await
}

pub async fn files_have_content(at: &Places) -> Result<()> {
    let page = calibrating(at, &format!("{TMS}&steps=200&every=100&engine=cpu")).await?;
    studied(&page, "study-richardson", 6).await?;
    page.click("tab-point").await?;
    let open = "return !!document.querySelector('[data-test=signs]')";
    wait(&page, "the opened point", open, |v| *v == true).await?;
    // What would be saved is kept instead.
    let keep = "window.kept = {}; HTMLAnchorElement.prototype.click = function () {\
        const [name, file] = [this.download, fetch(this.href)]; window.kept[name] = file.then(f => f.text()) }";
    page.browser.eval(keep, vec![]).await?;
    for what in ["series", "estimates", "traces", "study"] {
        page.click(&format!("export-{what}-csv")).await?;
        page.click(&format!("export-{what}-json")).await?;
    }
    page.click("save-svg-llc").await?;
    page.click("save-png-llc").await?;
    let script = "return (async () => { const kept = {};\
        for (const name in window.kept) kept[name] = await window.kept[name]; return kept })()";
    let kept = wait(&page, "ten files", script, |v| {
        v.as_object().is_some_and(|m| m.len() == 10)
    })
    .await?;
    let file = |end: &str| -> Result<&str> {
        let found = kept
            .as_object()
            .into_iter()
            .flatten()
            .find(|(name, _)| name.ends_with(end));
        found
            .and_then(|(_, text)| text.as_str())
            .with_context(|| format!("no file …{end}"))
    };
    // Three checkpoints; two chains of fifteen steps; ε and ε/4 at three checkpoints.
    for (name, lines, columns) in [
        ("-estimates.csv", 3, "rhat,"),
        ("-traces.csv", 15, "loss.1,"),
        ("-study.csv", 6, "eps,"),
    ] {
        let text = file(name)?;
        ensure!(
            text.lines().count() == lines + 2
                && text.starts_with("# #/tms?")
                && text.lines().nth(1).is_some_and(|h| h.contains(columns)),
            "{name}: {text}"
        );
    }
    for (name, key, least) in [
        ("-series.json", "series", 3),
        ("-estimates.json", "estimates", 3),
        ("-traces.json", "trace", 5),
        ("-study.json", "cells", 6),
    ] {
        let read: Value = serde_json::from_str(file(name)?).with_context(|| name.to_owned())?;
        let size = read[key]
            .as_array()
            .map(Vec::len)
            .or(read[key].as_object().map(serde_json::Map::len));
        ensure!(
            size >= Some(least) && read["link"].as_str().is_some_and(|l| l.contains("seed=3")),
            "{name} holds {size:?}"
        );
    }
    // λ̂ and, under it, the loss under the chains.
    let svg = file("-llc.svg")?;
    ensure!(
        svg.matches("<svg").count() == svg.matches("</svg>").count()
            && svg.contains(">chains</text>")
            && svg.contains("<style>"),
        "the chart has no lower panel"
    );
    ensure!(file("-llc.png")?.len() > 2000, "the picture is empty");
    page.close(&[]).await
}
