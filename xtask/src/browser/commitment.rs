//! When it was settled what a run becomes: branches with other data from its checkpoints.

use crate::instruments::wait;
use crate::page::Page;
use crate::scenarios::{DESKTOP, Places};
use anyhow::{Result, ensure};

/// A short run of few replicas, nothing sampled.
const RUN: &str = "#/tms?v=1&replicas=2&steps=400&every=100&log=0&chains=0&seed=3&engine=cpu";

/// The table and the chart.
const SEEN: &str = "const s = document.querySelector('[data-test=commitment]');\
    return { rows: [...(s?.querySelectorAll('tbody tr') ?? [])].map(r => [...r.children].map(c => c.textContent)),\
        band: s?.querySelectorAll('.band').length ?? 0, busy: document.querySelector('[data-test=study-commitment]')?.disabled };";

pub async fn commitment_on_cpu(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, RUN).await?;
    page.booted().await?;
    page.click("run").await?;
    let bits = page.finished().await?;
    page.click("tab-commitment").await?;
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
    ensure!(
        page.finished().await? == bits,
        "branches changed the run they are of"
    );
    page.close(&[]).await
}
