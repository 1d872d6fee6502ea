//! What a visitor does with two models: opens the link of a comparison, has both trained, reads which
//! tokens differ and why, moves the floor; compares two checkpoints of the run on the page.

use crate::instruments::{pictures, wait};
use crate::page::Page;
use crate::scenarios::{DESKTOP, Places};
use anyhow::{Result, ensure};
use serde_json::{Value, json};

const LINK: &str = "#/induction?v=1&d_model=16&heads=2&vocab=16&ctx=16&pmin=4&pmax=7&lr=0.02&warmup=0&batch=16&steps=60&seed=3&chains=0&every=20&log=0";

/// What the section shows.
const STATE: &str = "const q = n => document.querySelector(`[data-test=\"${n}\"]`); const f = q('versus-found');\
    const rows = n => [...(q(n)?.querySelectorAll('tbody tr') ?? [])].map(r => [...r.cells].map(c => c.innerText.trim()));\
    return { open: q('versus')?.open ?? false, stage: q('versus-stage')?.dataset.stage ?? '', title: q('versus-stage')?.querySelector('h3')?.innerText ?? '',\
        sum: f?.dataset.sum ?? '', headline: q('versus-headline')?.innerText ?? '', groups: rows('versus-groups'), heads: rows('versus-heads'),\
        totals: rows('versus-totals'), marks: f?.querySelectorAll('.tokens mark').length ?? 0, again: f?.querySelectorAll('.tokens .again').length ?? 0,\
        positions: Number(q('versus-positions')?.dataset.points ?? 0), bars: q('versus-histogram')?.querySelectorAll('.bar').length ?? 0, curves: q('versus')?.querySelectorAll('[data-test=versus-curves] .line').length ?? 0,\
        link: q('versus-link')?.value ?? '', address: location.hash };";

/// Sets a field and says so, as typing does.
async fn set(page: &Page, name: &str, event: &str, value: &str) -> Result<()> {
    let script = "const e = document.querySelector(`[data-test=\"${arguments[0]}\"]`); e.value = arguments[2];\
        e.dispatchEvent(new Event(arguments[1], { bubbles: true }));";
    let arguments = vec![json!(name), json!(event), json!(value)];
    page.browser.eval(script, arguments).await?;
    Ok(())
}

async fn done(page: &Page, what: &str) -> Result<Value> {
    let got = wait(page, what, STATE, |v| {
        v["stage"] == "done" || v["stage"] == "failed"
    })
    .await?;
    ensure!(got["stage"] == "done", "{what}: {got}");
    Ok(got)
}

pub async fn versus_on_cpu(at: &Places) -> Result<()> {
    // B is never trained.
    let link = format!("{LINK}&with=lr=0");
    let page = Page::open(&at.page, DESKTOP, &format!("{link}&engine=cpu")).await?;
    page.booted().await?;
    let before = wait(&page, "the comparison of the link", STATE, |v| {
        v["open"] == true
    })
    .await?;
    ensure!(
        before["stage"] == "none"
            && before["title"] == "A: learning rate 0.02. B: learning rate 0.",
        "nothing begins by itself: {before}"
    );
    page.click("versus-again").await?;
    let got = done(&page, "both are trained and compared").await?;
    let rows = |v: &Value, of: &str| v[of].as_array().map_or(0, Vec::len);
    // Three kinds of targets; eight of the twelve copies that lack heads; two curves.
    ensure!(
        rows(&got, "groups") == 3
            && rows(&got, "heads") == 8
            && rows(&got, "totals") == 2
            && got["curves"] == 2
            && got["marks"].as_u64() > Some(8)
            && got["again"].as_u64() > Some(20)
            && got["bars"].as_u64() > Some(5)
            && got["positions"].as_u64() > Some(12)
            && got["link"] == link.as_str()
            && got["address"] == format!("{link}&engine=cpu"),
        "the comparison is not whole: {got}"
    );
    ensure!(
        got["groups"][2][4] == "100.0 %",
        "the groups do not add up: {}",
        got["groups"]
    );
    // Another floor, another difference, and the link says so.
    set(&page, "versus-floor", "change", "1").await?;
    let low = wait(&page, "another floor", STATE, |v| v["sum"] != got["sum"]).await?;
    ensure!(low["link"] == format!("{link}&floor=1"), "{low}");
    set(&page, "versus-floor", "change", "5").await?;
    wait(&page, "the usual floor", STATE, |v| v["sum"] == got["sum"]).await?;
    pictures(&page, "versus").await?;

    // The run on the page is A: only B would have to be trained, and nothing of the run changes.
    page.click("run").await?;
    let bits = page.finished().await?;
    page.click("versus-1-2").await?;
    wait(&page, "the comparison begins anew", STATE, |v| {
        v["title"] == "A: layers 2. B: layers 1."
    })
    .await?;
    let again = done(&page, "the run serves").await?;
    ensure!(
        again["curves"] == 2 && again["title"] == "A: layers 2. B: layers 1.",
        "the run on the page is not taken: {again}"
    );
    // Two checkpoints of it, pinned on the timeline.
    let press = |key: &'static str| {
        let script = format!(
            "const e = document.querySelector('[data-test=scrubber]'); e.focus();\
            e.dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true, cancelable: true }}));"
        );
        let page = &page;
        async move { page.browser.eval(&script, vec![]).await }
    };
    press("Home").await?;
    page.click("hold").await?;
    press("End").await?;
    let there = "return !!document.querySelector('[data-test=compare-tokens]')";
    wait(&page, "two checkpoints", there, |v| *v == true).await?;
    page.click("compare-tokens").await?;
    wait(&page, "the steps are told", STATE, |v| {
        v["title"] == "A: step 60. B: step 0."
    })
    .await?;
    let steps = done(&page, "two checkpoints of the run").await?;
    ensure!(
        steps["curves"] == 1 && steps["totals"][0][1] == "60" && steps["totals"][1][1] == "0",
        "two checkpoints of one run have one curve: {steps}"
    );
    // What cannot be compared is said before anything is pressed.
    set(&page, "versus-with", "input", "vocab=32").await?;
    let script = "const b = document.querySelector('[data-test=versus-own]');\
        return [b?.disabled, document.querySelector('.versus .own ul')?.textContent ?? ''];";
    let told = wait(&page, "a refusal", script, |v| v[0] == true && v[1] != "").await?;
    ensure!(
        told[1]
            .as_str()
            .is_some_and(|t| t.contains("vocab 16 and 32")),
        "{told}"
    );
    ensure!(
        page.look().await?.fingerprint == bits,
        "the comparison changed the run"
    );
    page.close(&[]).await
}
