//! What a visitor sees of attention heads: a row each with what it is called, the scores over training,
//! composition, and one pattern with its tokens.

use crate::instruments::{pictures, wait};
use crate::page::Page;
use crate::scenarios::{DESKTOP, Places};
use anyhow::{Result, ensure};
use serde_json::json;

const LINK: &str = "#/induction?v=1&d_model=16&heads=2&vocab=16&ctx=16&pmin=4&pmax=7&batch=16&steps=60&every=15&log=0&chains=2&burnin=4&draws=6&mbatch=2&seed=3&engine=cpu";

pub async fn heads_on_cpu(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, LINK).await?;
    page.booted().await?;
    page.click("run").await?;
    page.finished().await?;
    page.click("tab-heads").await?;
    let script = "const h = document.querySelector('[data-test=heads]');\
        const rows = [...(h?.querySelectorAll('[data-test=head-rows] tbody tr') ?? [])];\
        return { title: h?.querySelector('h3')?.innerText ?? '', rows: rows.length,\
            blank: rows.filter(r => [...r.cells].some(c => ['', '–'].includes(c.innerText.trim()))).length,\
            tips: h?.querySelectorAll('[data-test=head-rows] thead .tip').length ?? 0,\
            values: rows.map(r => r.innerText).join(),\
            multiples: h?.querySelectorAll('[data-test=multiples] svg .line').length ?? 0,\
            learning: h?.querySelectorAll('[data-test=learning] svg .line').length ?? 0,\
            shares: h?.querySelectorAll('[data-test=shares] .z').length ?? 0,\
            cells: [...(h?.querySelectorAll('[data-test=composition] .z') ?? [])].filter(z => isFinite(z.innerText.replace('−', '-'))).length }";
    let whole = wait(&page, "the heads", script, |v| v["rows"] == 4).await?;
    // Two layers of two heads; every value is there, and every column is one press from its definition.
    // Three scores a head; ICL, two by position, two participation ratios, three norms; four pairs; two heads,
    // tokens and positions in the values of two later heads.
    ensure!(
        whole["blank"] == 0
            && whole["tips"] == 7
            && whole["multiples"] == 12
            && whole["learning"] == 8
            && whole["cells"] == 4
            && whole["shares"] == 8
            && whole["title"] == "Heads at step 60",
        "the heads are not whole: {whole}"
    );
    // One place in time: what is pinned on a chart is what the table shows.
    page.drag("[data-test=chart-loss] .plot-box", &[[0.2, 60.0]], false)
        .await?;
    let then = wait(&page, "the heads at another step", script, |v| {
        v["title"] != whole["title"]
    })
    .await?;
    ensure!(
        then["rows"] == 4 && then["values"] != whole["values"],
        "the table does not follow the cursor: {then} after {whole}"
    );
    pictures(&page, "heads").await?;
    refined(&page).await?;
    any(&page).await?;

    let slide = "const s = document.querySelector('[data-test=turn]'); s.value = 10; s.dispatchEvent(new Event('input', { bubbles: true }))";
    page.browser.eval(slide, vec![]).await?;
    let script = "return document.querySelector('[data-test=turned]')?.innerText ?? ''";
    wait(&page, "the turned head", script, |v| {
        v.as_str()
            .is_some_and(|t| t.starts_with("The weights moved by"))
    })
    .await?;

    let press = "document.querySelector('[data-test=figure] .head button').click()";
    page.browser.eval(press, vec![]).await?;
    let script = "const p = document.querySelector('[data-test=pattern]');\
        return [...(p?.querySelectorAll('.axis') ?? [])].map(a => a.children.length)";
    let got = wait(&page, "the pattern", script, |v| *v != json!([])).await?;
    ensure!(got == json!([16, 16]), "tokens on the axes: {got}");
    pictures(&page, "pattern").await?;
    page.close(&[]).await
}

/// Any instrument can be drawn over training, and every chart saved with its title and its colours.
async fn any(page: &Page) -> Result<()> {
    let script = "const h = document.querySelector('[data-test=heads]'), a = h.querySelector('[data-test=any]');\
        const charts = [...h.querySelectorAll('svg.plot:not(.key)')].filter(s => !s.closest('.overlay'));\
        return { family: a?.dataset.family ?? '', groups: [...a.querySelectorAll('optgroup')].map(g => g.label), drawn: a.querySelectorAll('svg .line.s4').length,\
            chance: a.querySelectorAll('svg .band.recorded').length,\
            bare: charts.filter(s => !s.closest('.keep, figure')?.querySelector('.save')).map(s => s.getAttribute('aria-label')) }";
    let got = wait(page, "an instrument", script, |v| v["drawn"] == 4).await?;
    ensure!(
        got["family"] == "composition.k"
            && got["chance"] == 4
            && got["bare"] == json!([])
            && got["groups"] == json!(["Heads", "Between heads", "In context", "Weights"]),
        "composition is not drawn beside chance, or a chart cannot be saved: {got}"
    );
    let choose = "const s = document.querySelector('[data-test=any-choice]'); s.value = 'copying'; s.dispatchEvent(new Event('change', { bubbles: true }))";
    page.browser.eval(choose, vec![]).await?;
    wait(page, "another one", script, |v| {
        v["family"] == "copying" && v["drawn"] == 4 && v["chance"] == 0
    })
    .await?;
    let save = "const click = HTMLAnchorElement.prototype.click;\
        HTMLAnchorElement.prototype.click = function () { window.chart = [this.download, null]; fetch(this.href).then(f => f.text()).then(t => window.chart[1] = t) };\
        document.querySelector('[data-test=\"save-svg-head-1.0\"]').click(); HTMLAnchorElement.prototype.click = click;";
    page.browser.eval(save, vec![]).await?;
    let file = "return window.chart ?? []";
    let got = wait(page, "the file of a chart", file, |v| v[1].is_string()).await?;
    let (name, text) = (
        got[0].as_str().unwrap_or_default(),
        &got[1].as_str().unwrap_or_default(),
    );
    let says = ["Scores of head 1.0", "prefix matching", "#/induction?v=1"];
    ensure!(
        name.ends_with("-head-1.0.svg") && says.iter().all(|w| text.contains(w)),
        "{name} does not say what it is"
    );
    Ok(())
}

/// Every figure of tab Heads, and the pictures, in words; whether the head of the slider is answered.
const ALL: &str = "const q = n => document.querySelector(`[data-test=\"${n}\"]`); const text = n => q(n)?.innerText ?? '';\
    const drawn = [...document.querySelectorAll('[data-test=figure] canvas')].map(c => c.toDataURL()).join();\
    const lines = [...(q('multiples')?.querySelectorAll('.line') ?? [])].map(l => l.getAttribute('d'));\
    return { over: (text('phase').toLowerCase() === 'done') && !q('unprobed'), drawn, lines,\
        words: ['head-rows', 'others', 'blocks', 'composition', 'shares', 'turned', 'worst', 'best'].map(text) };";

/// Who is followed later has the figures of its seed alone, one by one; nothing of another one stays.
pub async fn heads_of_the_followed_on_cpu(at: &Places) -> Result<()> {
    let link = |seed: u32, more: &str| LINK.replace("seed=3", &format!("seed={seed}{more}"));
    let ask = "document.querySelector('[data-test=ask-tokens]').click();\
        const s = document.querySelector('[data-test=turn]'); s.value = 10; s.dispatchEvent(new Event('input', { bubbles: true }))";
    let whole = |v: &serde_json::Value| {
        let words = v["words"].as_array().cloned().unwrap_or_default();
        let there = words
            .iter()
            .all(|w| w.as_str().is_some_and(|w| w.len() > 30));
        v["over"] == true && v["drawn"] != "" && there
    };
    let page = Page::open(&at.page, DESKTOP, &link(3, "&replicas=2")).await?;
    page.booted().await?;
    page.click("run").await?;
    page.finished().await?;
    page.click("tab-heads").await?;
    page.browser.eval(ask, vec![]).await?;
    let first = wait(&page, "the heads of the first", ALL, whole).await?;
    page.click("tab-seeds").await?;
    page.click("seed-1").await?;
    page.click("tab-heads").await?;
    wait(&page, "nothing of the first", ALL, |v| {
        v["over"] == true && v["words"][6] == "" && v["words"][5] == "Move the slider."
    })
    .await?;
    page.browser.eval(ask, vec![]).await?;
    let later = wait(&page, "the heads of the second", ALL, whole).await?;
    page.goto(&link(4, "")).await?;
    page.booted().await?;
    page.click("run").await?;
    page.finished().await?;
    page.click("tab-heads").await?;
    page.browser.eval(ask, vec![]).await?;
    let alone = wait(&page, "the heads of the second alone", ALL, whole).await?;
    ensure!(later == alone, "{later} is not {alone}");
    // The comparison can fail: the first one's are others, but for the list of what matters, which so short
    // a run may leave empty.
    for i in [0, 2, 3, 4, 5, 6, 7] {
        ensure!(first["words"][i] != alone["words"][i], "{i}: {first}");
    }
    ensure!(first["drawn"] != alone["drawn"], "the same patterns");
    page.close(&[]).await
}

/// Refined λ̂ of every head and layer, as one job; and composition before it, some steps later.
async fn refined(page: &Page) -> Result<()> {
    page.click("study-refined").await?;
    let script = "const r = document.querySelector('[data-test=refined]');\
        return { over: r?.querySelector('[data-test=study]')?.dataset.over,\
            heads: r?.querySelectorAll('[data-test=refined-heads] .line').length,\
            bands: r?.querySelectorAll('[data-test=refined-heads] .band').length,\
            layers: r?.querySelectorAll('[data-test=refined-layers] .line').length,\
            groups: r?.querySelector('[data-test=groups]')?.innerText ?? '',\
            points: r?.querySelectorAll('[data-test=lagging] .dot').length,\
            rho: r?.querySelector('[data-test=rho]')?.innerText ?? '' }";
    let whole = wait(page, "refined λ̂", script, |v| v["over"] == "true").await?;
    // Four heads, two layers; four pairs at five checkpoints, and two later heads exchanged in one way.
    let text = |v: &serde_json::Value, key: &str| v[key].as_str().unwrap_or_default().to_string();
    ensure!(
        whole["heads"] == 4
            && whole["bands"] == 4
            && whole["layers"] == 2
            && whole["points"] == 20
            && text(&whole, "groups").contains("silhouette")
            && text(&whole, "rho").contains("With so few later heads"),
        "refined λ̂ is not whole: {whole}"
    );
    let slide = "const s = document.querySelector('[data-test=lag]'); s.value = 1; s.dispatchEvent(new Event('input', { bubbles: true }))";
    page.browser.eval(slide, vec![]).await?;
    wait(page, "the lag", script, |v| v["points"] == 16).await?;
    pictures(page, "refined").await?;

    page.click("ask-tokens").await?;
    let script = "return ['worst', 'best'].map(t => document.querySelectorAll(`[data-test=${t}] tbody tr`).length)";
    wait(page, "tokens", script, |v| *v == json!([8, 8])).await?;
    page.click("tab-paths").await?;
    page.click("ask-paths").await?;
    let script = "return [...document.querySelectorAll('[data-test=plane]')].map(p => p.querySelectorAll('svg .dot').length)";
    wait(page, "paths", script, |v| *v == json!([5, 5])).await?;
    // The step that is pinned is ringed in both planes; a plane is a file like any chart.
    let rings = "return [...document.querySelectorAll('[data-test=plane]')].map(p => p.querySelectorAll('.ring').length)";
    wait(page, "the shared cursor", rings, |v| *v == json!([1, 1])).await?;
    let save = "window.rows = ''; const click = HTMLAnchorElement.prototype.click;\
        HTMLAnchorElement.prototype.click = function () { fetch(this.href).then(f => f.text()).then(t => window.rows = t) };\
        document.querySelector('[data-test=save-csv-paths-losses]').click(); HTMLAnchorElement.prototype.click = click;\
        return ['svg', 'png'].every(e => document.querySelector(`[data-test=save-${e}-paths-logits]`))";
    let there = page.browser.eval(save, vec![]).await?;
    ensure!(there == true, "the planes cannot be saved");
    let rows = |v: &serde_json::Value| {
        v.as_str()
            .is_some_and(|t| t.lines().count() == 7 && t.starts_with("# #/"))
    };
    wait(page, "the rows of a plane", "return window.rows", rows).await?;
    pictures(page, "paths").await?;
    page.click("tab-heads").await
}
