//! What a visitor does with a run that is there: branches from a checkpoint, looks closer at a window
//! of steps.

use crate::instruments::{pictures, wait};
use crate::page::Page;
use crate::scenarios::{DESKTOP, Places};
use anyhow::{Result, ensure};
use serde_json::{Value, json};

/// A transformer of one layer that trains in seconds on the CPU engine.
const LINK: &str = "#/induction?v=1&layers=1&d_model=16&heads=2&vocab=16&ctx=16&pmin=4&pmax=7&batch=4&steps=120&every=20&log=0&chains=2&burnin=2&draws=6&mbatch=2&seed=3";

/// Names at the ends of the curves, words of the events, fields of the form, the notices.
const SEEN: &str = "const all = (s) => [...document.querySelectorAll(s)].map(e => e.textContent.trim());\
    const q = n => document.querySelector(`[data-test=\"${n}\"]`);\
    return { loss: all('[data-test=chart-loss] text.recorded'), llc: all('[data-test=chart-llc] text.recorded'),\
        events: all('[data-test=chart-llc] .plot text').filter(t => t === 'branch').length,\
        fields: all('.setup .knob label'), drafted: !!q('branching'), branched: q('branched')?.innerText ?? '' };";

/// Sets a field of the form.
async fn set(page: &Page, knob: &str, value: &str) -> Result<()> {
    let script = "const e = document.querySelector(`[data-test=knob-${arguments[0]}]`); e.value = arguments[1];\
        e.dispatchEvent(new Event('change', { bubbles: true }));";
    page.browser
        .eval(script, vec![json!(knob), json!(value)])
        .await?;
    Ok(())
}

/// To a checkpoint, by keys on the scrubber.
async fn scrub(page: &Page, keys: &[&str]) -> Result<()> {
    let script = "const e = document.querySelector('[data-test=scrubber]'); e.focus();\
        e.dispatchEvent(new KeyboardEvent('keydown', { key: arguments[0], bubbles: true, cancelable: true }));";
    for key in keys {
        page.browser.eval(script, vec![json!(key)]).await?;
    }
    Ok(())
}

/// The link with the CPU engine.
fn on_cpu(link: &str) -> String {
    format!("{link}&engine=cpu")
}

pub async fn branch_on_cpu(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, &on_cpu(LINK)).await?;
    page.booted().await?;
    page.click("run").await?;
    let parent = page.finished().await?;
    scrub(&page, &["Home", "ArrowRight", "ArrowRight", "ArrowRight"]).await?;
    page.click("branch").await?;
    let form = |v: &Value| {
        let has = |name: &str| {
            v["fields"].as_array().is_some_and(|f| {
                f.iter()
                    .any(|f| f.as_str().is_some_and(|f| f.starts_with(name)))
            })
        };
        v["drafted"] == true && has("learning rate") && !has("layers") && !has("optimizer")
    };
    wait(&page, "the form of a branch", SEEN, form).await?;
    set(&page, "lr", "0.03").await?;
    page.click("start-branch").await?;
    let branch = page.finished().await?;
    ensure!(branch != parent, "the branch is its parent");
    let beside = |v: &Value| {
        let named = |chart: &str| {
            v[chart]
                .as_array()
                .is_some_and(|a| a.iter().any(|t| t == "parent"))
        };
        named("loss")
            && named("llc")
            && v["events"] == 1
            && v["branched"]
                .as_str()
                .is_some_and(|t| t.contains("lr 0.03 instead of"))
    };
    wait(&page, "the parent beside it", SEEN, beside).await?;
    let link = page.look().await?.link;
    let wanted = format!("{LINK}&from=60&then.lr=0.03");
    let tail = |l: &str| l.split_once('#').map(|(_, t)| t.to_owned());
    ensure!(tail(&link) == tail(&wanted), "{link} is not {wanted}");
    pictures(&page, "branch").await?;

    // Whoever is sent the link computes it from the beginning, with the same bits.
    page.goto(&on_cpu(&wanted)).await?;
    page.booted().await?;
    page.click("run").await?;
    ensure!(
        page.finished().await? == branch,
        "replayed, the branch is another"
    );
    page.close(&[]).await
}
