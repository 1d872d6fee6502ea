//! What a visitor does with runs that were left: finds them listed after a reload, compares with one
//! without training anything, opens it as it was, its study included, deletes it.

use crate::instruments::{pictures, wait};
use crate::page::Page;
use crate::scenarios::{DESKTOP, Places};
use anyhow::{Result, ensure};
use serde_json::{Value, json};

/// Transformers that train in seconds on the CPU engine.
const RUN: &str = "#/induction?v=1&d_model=16&heads=2&vocab=16&ctx=16&pmin=4&pmax=7&batch=4&steps=60&chains=2&burnin=2&draws=4&mbatch=2&every=20&log=0&engine=cpu";

/// The shelf, the comparison, the study.
const SEEN: &str = "const q = n => document.querySelector(`[data-test=\"${n}\"]`); const s = q('shelf'); if (s) s.open = true;\
    return { runs: [...(s?.querySelectorAll('[data-test=stored-run]') ?? [])].map(e => e.dataset.link.match(/seed=(\\d+)/)?.[1] ?? ''),\
        rows: [...(s?.querySelectorAll('[data-test=stored-run]') ?? [])].map(e => e.innerText), compare: s?.querySelectorAll('[data-test=compare-stored]').length ?? 0,\
        stage: q('versus-stage')?.dataset.stage ?? '', curves: q('versus')?.querySelectorAll('[data-test=versus-curves] .line').length ?? 0, heads: q('versus-heads')?.querySelectorAll('tbody tr').length ?? 0,\
        done: Number(q('study')?.dataset.done ?? 0), over: q('study')?.dataset.over ?? '', step: Number(q('stepno')?.dataset.step ?? 0) };";

/// Presses a button of the stored run of a seed, or chooses in its menu.
fn press(seed: u32, what: &str) -> String {
    format!(
        "const r = [...document.querySelectorAll('[data-test=stored-run]')].find(e => e.dataset.link.includes('seed={seed}'));\
         const e = r.querySelector('[data-test={what}]'); if (e.tagName === 'SELECT') {{ e.value = 'last'; e.dispatchEvent(new Event('change', {{ bubbles: true }})); }} else e.click(); return true;"
    )
}

pub async fn shelf_on_cpu(at: &Places) -> Result<()> {
    let link = |seed: u32| format!("{RUN}&seed={seed}");
    let page = Page::open(&at.page, DESKTOP, &link(3)).await?;
    page.booted().await?;
    page.click("run").await?;
    let first = page.finished().await?;
    page.click("tab-calibrate").await?;
    page.click("study-sweep").await?;
    wait(&page, "the sweep", SEEN, |v| v["over"] == "true").await?;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;

    // Another visit: another run takes its place.
    page.goto(&link(4)).await?;
    page.booted().await?;
    page.click("run").await?;
    let second = page.finished().await?;
    ensure!(first != second, "two seeds draw the same");
    wait(&page, "the first put aside", SEEN, |v| {
        v["runs"] == json!(["3"])
    })
    .await?;

    // And another: both are there, and a comparison trains none of them.
    page.goto(&link(4)).await?;
    page.booted().await?;
    let listed = wait(&page, "both listed", SEEN, |v| {
        v["runs"] == json!(["4", "3"])
    })
    .await?;
    ensure!(
        listed["compare"] == 2
            && listed["rows"][1]
                .as_str()
                .is_some_and(|t| t.contains("60") && t.contains("kB")),
        "the list does not say what is there: {listed}"
    );
    page.browser
        .eval(&press(3, "compare-stored"), vec![])
        .await?;
    let compared = wait(&page, "the comparison", SEEN, |v| {
        v["stage"] == "done" || v["stage"] == "failed"
    })
    .await?;
    ensure!(
        compared["stage"] == "done"
            && compared["heads"].as_u64() >= Some(1)
            && compared["curves"] == 2,
        "it was not found in the storage: {compared}"
    );
    pictures(&page, "shelf").await?;
    page.browser.eval(&press(3, "open-stored"), vec![]).await?;
    page.until("the first again", 60, |s| s.fingerprint == first)
        .await?;
    page.click("tab-calibrate").await?;
    let studied = |v: &Value| v["over"] == "true" && v["done"] == 25;
    wait(&page, "its study", SEEN, studied).await?;
    wait(&page, "the other put aside", SEEN, |v| {
        v["runs"] == json!(["4"])
    })
    .await?;
    page.browser
        .eval(&press(4, "delete-stored"), vec![])
        .await?;
    wait(&page, "an empty shelf", SEEN, |v| v["runs"] == json!([])).await?;
    page.close(&[]).await
}
