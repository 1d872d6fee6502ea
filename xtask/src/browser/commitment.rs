//! When it was settled what a run becomes: branches with other data from its checkpoints.

use crate::instruments::wait;
use crate::page::Page;
use crate::scenarios::{DESKTOP, Places};
use anyhow::{Result, ensure};
use serde_json::Value;
use std::time::Duration;

/// A short run of few replicas, nothing sampled.
const RUN: &str = "#/tms?v=1&replicas=2&steps=400&every=100&log=0&chains=0&seed=3&engine=cpu";

/// The table and the chart.
const SEEN: &str = "const s = document.querySelector('[data-test=commitment]');\
    return { rows: [...(s?.querySelectorAll('table.figures tbody tr') ?? [])].map(r => [...r.children].map(c => c.textContent)),\
        band: s?.querySelectorAll('.band').length ?? 0, busy: document.querySelector('[data-test=study-commitment]')?.disabled };";

/// What each choice says it takes, and how many are chosen.
const SIZES: &str = "const all = [...document.querySelectorAll('[data-test=commit-size] button')];\
    return { told: all.map(b => b.textContent), on: all.filter(b => b.ariaPressed === 'true').length };";

/// Where the points of every plane are.
const PLANES: &str = "return [...document.querySelectorAll('[data-test=plane]')].map(p =>\
    [...p.querySelectorAll('svg .dot')].map(d => d.getAttribute('cx') + ' ' + d.getAttribute('cy')).join())";

pub async fn commitment_on_cpu(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, RUN).await?;
    page.booted().await?;
    page.click("run").await?;
    let bits = page.finished().await?;
    page.click("tab-commitment").await?;
    // Every choice says what it takes before it is made; fewer branches take less.
    let sizes = wait(&page, "choices with their times", SIZES, |v| {
        v["told"].as_array().is_some_and(|t| t.len() >= 3) && v["on"] == 1
    })
    .await?;
    let told = sizes["told"].as_array().cloned().unwrap_or_default();
    let has = |t: &Value, unit: &str| t.as_str().is_some_and(|t| t.ends_with(unit));
    ensure!(
        told.iter()
            .all(|t| has(t, " s") || has(t, " runs") || has(t, " min")),
        "{sizes}"
    );
    page.click("study-commitment").await?;
    let seen = wait(&page, "branches from every checkpoint", SEEN, |v| {
        v["busy"] == false && v["rows"].as_array().is_some_and(|r| r.len() >= 4)
    })
    .await?;
    ensure!(seen["band"].as_u64() > Some(0), "no intervals: {seen}");
    // From the last checkpoint there is no way left to go: every branch ends like the run.
    let rows = seen["rows"].as_array().cloned().unwrap_or_default();
    let last = rows
        .last()
        .map_or("", |r| r[1].as_str().unwrap_or_default());
    ensure!(last.starts_with("1.00"), "at the end: {seen}");
    page.shot("commitment").await?;
    // Two branches: the share moves by halves.
    page.click("commit-2-5").await?;
    page.click("study-commitment").await?;
    let seen = wait(&page, "two branches from every checkpoint", SEEN, |v| {
        v["busy"] == false && v["rows"] != seen["rows"]
    })
    .await?;
    let halves = |r: &Value| {
        let share = r[1].as_str().unwrap_or_default();
        ["0.00", "0.50", "1.00"]
            .iter()
            .any(|s| share.starts_with(s))
    };
    let rows = seen["rows"].as_array().cloned().unwrap_or_default();
    ensure!(
        rows.iter().all(halves) && rows[0][2].as_str().is_some_and(|t| !t.contains("8 ×")),
        "{seen}"
    );
    ensure!(
        page.finished().await? == bits,
        "branches changed the run they are of"
    );

    // What was asked for comes back with the run, without being computed again.
    page.click("tab-paths").await?;
    page.click("ask-paths").await?;
    let some = |v: &Value| v.as_array().is_some_and(|p| !p.is_empty());
    let paths = wait(&page, "paths of all models", PLANES, some).await?;
    // It is kept once nothing is under way.
    tokio::time::sleep(Duration::from_secs(1)).await;
    page.browser.reload().await?;
    page.booted().await?;
    page.click("resume").await?;
    ensure!(
        page.finished().await? == bits,
        "the run comes back with other bits"
    );
    page.click("tab-paths").await?;
    wait(&page, "the same paths", PLANES, |v| *v == paths).await?;
    page.click("tab-commitment").await?;
    let again = |v: &Value| v["rows"] == seen["rows"];
    wait(&page, "the same branches", SEEN, again).await?;
    page.close(&[]).await
}
