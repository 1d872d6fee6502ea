//! What a visitor does with several models of one run.

use crate::instruments::{pictures, wait};
use crate::page::Page;
use crate::scenarios::{DESKTOP, Places};
use anyhow::{Result, ensure};
use serde_json::{Value, json};

/// Three transformers of one layer that train in seconds on the CPU engine.
const RUN: &str = "#/induction?v=1&layers=1&d_model=16&heads=2&vocab=16&ctx=16&pmin=4&pmax=7&batch=4&steps=120&chains=2&burnin=2&draws=6&mbatch=2&every=20&log=0&engine=cpu";

/// The rows of the table with which is followed, the λ̂ curve, the table of indicators.
const SEEN: &str = "const q = n => document.querySelector(`[data-test=\"${n}\"]`); const s = q('seeds');\
    const rows = [...(s?.querySelectorAll('[data-test^=seed-]') ?? [])];\
    return { seeds: rows.map(e => e.textContent.trim()), followed: rows.filter(e => e.getAttribute('aria-pressed') === 'true').map(e => e.textContent.trim()),\
        half: [...(s?.querySelectorAll('[data-test^=half-]') ?? [])].length, tables: s?.querySelectorAll('table').length ?? 0, drawn: !!s?.querySelector('svg'),\
        llc: q('chart-llc')?.querySelector('.plot .line.s4')?.getAttribute('d') ?? '', points: Number(q('chart-llc')?.dataset.points ?? 0),\
        phase: (q('phase')?.innerText ?? '').toLowerCase(), stale: !!q('stale') };";

/// What the loss chart shows of several models.
const BANDS: &str = "const c = document.querySelector('[data-test=chart-loss]'); const n = s => c.querySelectorAll(s).length;\
    return { members: n('.plot .member'), bands: n('.plot .band'), named: n('.plot text.end'), sub: c.querySelector('.sub').innerText,\
        choices: n('[data-test=spread] option') };";

/// Clicks twice on a faint curve, at the step where it is farthest from that of the model followed; says how
/// far, in pixels.
const TWICE: &str = "const c = document.querySelector('[data-test=chart-loss] .plot-box'); c.scrollIntoView({ block: 'center' });\
    const points = p => { const n = p.getAttribute('d').match(/-?[\\d.]+/g).map(Number), m = p.getScreenCTM();\
        return n.filter((_, i) => i % 2 === 0).map((x, i) => new DOMPoint(x, n[2 * i + 1]).matrixTransform(m)); };\
    const own = points(c.querySelector('.line.s0:not(.member):not(.thin)')); let best = [0, null];\
    points(c.querySelector('.line.member.s0')).forEach((p, i) => {\
        const d = own[i] ? Math.abs(p.y - own[i].y) : 0; if (d > best[0]) best = [d, p]; });\
    const at = { bubbles: true, clientX: best[1]?.x, clientY: best[1]?.y };\
    c.querySelector('svg').dispatchEvent(new MouseEvent('dblclick', at)); return best[0];";

pub async fn seeds_on_cpu(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, &format!("{RUN}&seed=3&replicas=3")).await?;
    page.booted().await?;
    page.click("run").await?;
    page.finished().await?;
    page.click("tab-seeds").await?;
    let listed = |v: &Value| v["seeds"] == json!(["3", "4", "5"]) && v["followed"] == json!(["3"]);
    let first = wait(&page, "three seeds", SEEN, listed).await?;
    ensure!(
        first["half"] == 3 && first["drawn"] == true && first["tables"].as_u64() >= Some(1),
        "the table is not whole: {first}"
    );
    // The null runs came with the page: these models are smaller than theirs.
    const APART: &str = "return document.querySelector('[data-test=leads-apart]')?.textContent";
    wait(&page, "the null runs", APART, |v| {
        v.as_str().is_some_and(|s| s.contains("other settings"))
    })
    .await?;
    // A click makes another one the main run: λ̂ is estimated anew, and nothing is stale.
    page.click("seed-2").await?;
    let follows = |v: &Value| {
        v["followed"] == json!(["5"])
            && v["points"] == 7
            && v["phase"] == "done"
            && v["llc"] != first["llc"]
    };
    let third = wait(&page, "the third followed", SEEN, follows).await?;
    ensure!(third["stale"] == false, "following makes the run stale");
    let all = wait(&page, "a band and its members", BANDS, |v| {
        v["bands"].as_u64() >= Some(2) && v["members"].as_u64() >= Some(4)
    })
    .await?;
    ensure!(
        all["choices"] == 3
            && all["sub"].as_str().is_some_and(
                |s| s.contains("strong: seed 5") && s.contains("10 to 90 % of 3 seeds")
            ),
        "the bands are not told: {all}"
    );
    let press = |label: &str| {
        format!(
            "const e = document.querySelector('[data-test=chart-loss] [data-test=spread]'); e.value = '{label}'; e.dispatchEvent(new Event('change', {{ bubbles: true }})); return true;"
        )
    };
    page.browser.eval(&press("band"), vec![]).await?;
    wait(&page, "the band alone", BANDS, |v| {
        v["members"] == 0 && v["bands"] == all["bands"]
    })
    .await?;
    page.browser.eval(&press("chosen only"), vec![]).await?;
    wait(&page, "one model alone", BANDS, |v| {
        v["members"] == 0 && v["bands"] == 0 && v["named"] == all["named"]
    })
    .await?;
    page.browser.eval(&press("members"), vec![]).await?;
    // A double click on a faint curve makes its model the main run, too.
    let clicked = page.browser.eval(TWICE, vec![]).await?;
    ensure!(
        clicked.as_f64() > Some(1.0),
        "no curve apart from the followed one: {clicked}"
    );
    let other =
        |v: &Value| v["followed"] != json!(["5"]) && v["points"] == 7 && v["phase"] == "done";
    wait(&page, "the one clicked twice is followed", SEEN, other).await?;
    page.click("seed-2").await?;
    wait(&page, "the third again", SEEN, |v| v["llc"] == third["llc"]).await?;
    pictures(&page, "seeds").await?;

    // It has the bits of the run of that seed alone.
    page.goto(&format!("{RUN}&seed=5")).await?;
    page.booted().await?;
    page.click("run").await?;
    page.finished().await?;
    let alone = wait(&page, "λ̂ of the seed alone", SEEN, |v| v["points"] == 7).await?;
    ensure!(alone["llc"] == third["llc"], "alone the seed has another λ̂");
    leads(&page).await?;
    page.close(&[]).await
}

/// Three models of superposition, all of which change.
const CHANGE: &str = "#/tms?v=1&replicas=3&start=random&features=8&sigma=0.5&n=400&steps=600&every=30&log=0&chains=2&burnin=2&draws=4&mbatch=10&lr=0.05&seed=3&engine=cpu";

/// Who leads has tr H of the model that is followed, and of every model once that was asked for.
async fn leads(page: &Page) -> Result<()> {
    const TRACE: &str = "return document.querySelector('[data-test=lead-trace]')?.innerText";
    let says = |v: &Value, words: &str| v.as_str().is_some_and(|s| s.contains(words));
    page.goto(CHANGE).await?;
    page.booted().await?;
    page.click("run").await?;
    page.finished().await?;
    page.click("tab-seeds").await?;
    wait(page, "how to get tr H", TRACE, |v| says(v, "press")).await?;
    page.click("study-members").await?;
    let all = |v: &Value| says(v, "of 3") && !says(v, "press");
    wait(page, "tr H of all", TRACE, all).await?;
    pictures(page, "leads").await
}
