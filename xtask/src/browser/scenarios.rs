//! What a visitor does, one function each. A scenario gets the page's address and ends with the
//! console clean of errors.

use crate::arrive::{
    boots, hostile_link, insecure_address, no_adapter, no_webgpu, skeleton_before_wasm,
    skeleton_says_when_nothing_arrives,
};
use crate::driver::Kind;
use crate::page::{Page, Seen};
use anyhow::{Result, bail, ensure};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

type Played<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// Where the page is served.
#[derive(Debug)]
pub struct Places {
    /// As it was built.
    pub page: String,
    /// The same page in a browser that seems to have no WebGPU.
    pub no_webgpu: String,
}

/// A named scenario.
pub struct Scenario {
    /// Its name, for the filter.
    pub name: &'static str,
    play: for<'a> fn(&'a Places) -> Played<'a>,
}

/// Longest time a scenario may take: a browser that hangs must not hang the tests.
const LIMIT: Duration = Duration::from_secs(420);

/// Plays one scenario.
///
/// # Errors
/// What went wrong in it.
pub async fn play(scenario: &Scenario, at: &Places) -> Result<()> {
    match tokio::time::timeout(LIMIT, (scenario.play)(at)).await {
        Ok(result) => result,
        Err(_) => bail!("longer than {} s", LIMIT.as_secs()),
    }
}

macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        /// All of them, the quickest first.
        pub const ALL: &[Scenario] = &[$(Scenario { name: stringify!($name), play: |at| Box::pin($name(at)) }),*];
    };
}

scenarios![
    skeleton_before_wasm,
    skeleton_says_when_nothing_arrives,
    boots,
    no_adapter,
    no_webgpu,
    insecure_address,
    hostile_link,
    tms_on_gpu,
    tms_on_cpu,
    induction_on_gpu,
    induction_on_cpu,
    pause_and_step,
    reload_and_resume,
    copied_link_gives_the_same_curve,
    device_lost,
    worker_panic,
    check_this_device,
];

/// `tms` small enough for a software adapter, with early λ̂ points.
pub const TMS: &str = "#/tms?v=1&replicas=4&chains=2&burnin=5&draws=10&seed=3";
/// `tiny` with little sampling.
const TINY: &str = "#/induction?v=1&d_model=32&heads=2&vocab=32&ctx=32&pmin=6&pmax=14&chains=2&burnin=2&draws=5&seed=3";

/// A desktop window.
pub const DESKTOP: Kind = Kind {
    gpu: true,
    width: 1440,
    height: 900,
    dark: false,
    flags: &[],
};
/// A phone held upright.
pub const PHONE: Kind = Kind {
    gpu: true,
    width: 390,
    height: 844,
    dark: false,
    flags: &[],
};

/// The same in the dark.
pub fn dark(kind: Kind) -> Kind {
    Kind { dark: true, ..kind }
}

/// The link with an engine asked for.
fn on(link: &str, engine: &str) -> String {
    format!("{link}&engine={engine}")
}

/// Runs a link until all curves grow and takes pictures on the way.
async fn curves(at: &Places, name: &str, link: &str, least: [u64; 3]) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, link).await?;
    page.booted().await?;
    page.run_until(least, 300).await?;
    page.shot(&format!("{name}-desktop")).await?;
    page.browser.resize(dark(PHONE)).await?;
    page.shot(&format!("{name}-phone-dark")).await?;
    page.close(&[]).await
}

async fn tms_on_gpu(at: &Places) -> Result<()> {
    curves(at, "tms-gpu", &on(TMS, "gpu"), [5, 2, 2]).await
}

async fn tms_on_cpu(at: &Places) -> Result<()> {
    curves(at, "tms-cpu", &on(TMS, "cpu"), [20, 4, 4]).await
}

async fn induction_on_gpu(at: &Places) -> Result<()> {
    curves(at, "induction-gpu", &on(TINY, "gpu"), [3, 1, 1]).await
}

async fn induction_on_cpu(at: &Places) -> Result<()> {
    curves(at, "induction-cpu", &on(TINY, "cpu"), [10, 3, 3]).await
}

/// Pauses and waits until the step stands still.
async fn paused(page: &Page) -> Result<Seen> {
    page.click("pause").await?;
    page.until("paused", 30, |s| s.phase == "paused").await
}

async fn pause_and_step(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, &on(TMS, "cpu")).await?;
    page.booted().await?;
    page.run_until([3, 1, 1], 120).await?;
    let at = paused(&page).await?.step;
    tokio::time::sleep(Duration::from_millis(700)).await;
    ensure!(page.look().await?.step == at, "it trains on while paused");
    page.click("step").await?;
    page.until("one step", 30, |s| s.step == at + 1).await?;
    page.click("run").await?;
    page.until("it goes on", 30, |s| s.step > at + 10).await?;
    page.click("reset").await?;
    page.until("reset", 30, |s| s.phase == "idle" && s.step == 0)
        .await?;
    page.close(&[]).await
}

async fn reload_and_resume(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, &on(TMS, "cpu")).await?;
    page.booted().await?;
    page.run_until([20, 4, 4], 180).await?;
    let before = paused(&page).await?;
    // The newest record may lag behind the page by one interval.
    tokio::time::sleep(Duration::from_secs(3)).await;
    page.browser.reload().await?;
    page.booted().await?;
    page.shot("resume-offered").await?;
    page.click("resume").await?;
    let seen = page
        .until("it resumes", 60, |s| {
            s.step > 0 && s.points.iter().all(|p| *p > 1)
        })
        .await?;
    ensure!(
        seen.step * 2 > before.step,
        "it resumed from step {} after {}",
        seen.step,
        before.step
    );
    page.close(&[]).await
}

async fn copied_link_gives_the_same_curve(at: &Places) -> Result<()> {
    let link = on(&format!("{TMS}&steps=300"), "cpu");
    let drawn = "return document.querySelector('[data-test=chart-loss] svg')?.innerHTML ?? ''";
    let mut first: Option<(String, serde_json::Value)> = None;
    for _ in 0..2 {
        let hash = first
            .as_ref()
            .map_or(link.clone(), |(link, _)| on(link, "cpu"));
        let page = Page::open(&at.page, DESKTOP, &hash).await?;
        page.booted().await?;
        page.run_until([1, 1, 1], 120).await?;
        let seen = page.until("done", 180, |s| s.phase == "done").await?;
        let curve = page.browser.eval(drawn, vec![]).await?;
        ensure!(
            curve.as_str().is_some_and(|d| d.contains("<path")),
            "the loss chart draws nothing"
        );
        page.click("copy-link").await?;
        let copied = seen
            .link
            .split_once('#')
            .map(|(_, h)| format!("#{h}"))
            .unwrap_or_default();
        ensure!(
            copied.contains("seed=3") && !copied.contains("engine="),
            "the copied link is {copied}"
        );
        if let Some((_, before)) = &first {
            ensure!(*before == curve, "the reopened link draws another curve");
        }
        first = Some((copied, curve));
        page.close(&[]).await?;
    }
    Ok(())
}

async fn device_lost(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, &on(TMS, "gpu")).await?;
    page.booted().await?;
    let before = page.run_until([5, 2, 2], 240).await?;
    page.open_panel().await?;
    page.click("drill-lose-device").await?;
    let lost = |s: &Seen| !s.fault.is_empty() || s.notices.to_lowercase().contains("lost");
    page.until("the page says so", 60, lost).await?;
    page.shot("device-lost").await?;
    page.until("it goes on", 120, |s| {
        s.step > before.step && s.phase != "failed"
    })
    .await?;
    page.close(&["lost", "destroyed"]).await
}

async fn worker_panic(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, &on(TMS, "cpu")).await?;
    page.booted().await?;
    page.run_until([3, 1, 1], 120).await?;
    page.open_panel().await?;
    page.click("drill-panic").await?;
    page.until("a fault", 30, |s| {
        s.phase == "failed" && !s.fault.is_empty()
    })
    .await?;
    page.shot("worker-panic").await?;
    page.close(&["panicked at", "unreachable"]).await
}

async fn check_this_device(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, "#/tms?engine=gpu").await?;
    page.booted().await?;
    page.open_panel().await?;
    page.click("check-device").await?;
    let script = "const e = document.querySelector('[data-test=check]');\
                  return [e?.dataset.cases ?? '', e?.dataset.bad ?? '', e?.innerText ?? '']";
    for _ in 0..1200 {
        let got = page.browser.eval(script, vec![]).await?;
        let number = |i: usize| got[i].as_str().and_then(|t| t.parse::<u64>().ok());
        if let (Some(cases), Some(bad)) = (number(0), number(1)) {
            println!(
                "  {}",
                got[2].as_str().unwrap_or_default().replace('\n', " ")
            );
            ensure!(bad == 0, "{bad} cases disagree with their twins");
            ensure!(cases >= 40, "only {cases} cases were checked");
            page.shot("device-checked").await?;
            return page.close(&[]).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("no result of the device check")
}
