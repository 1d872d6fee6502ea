//! What a visitor does, one function each. A scenario gets the page's address and ends with the
//! console clean of errors.

use crate::arrive::{
    another_link_is_pasted, boots, hostile_link, insecure_address, no_adapter, no_webgpu, phone,
    pressed_early, skeleton_before_wasm, skeleton_says_when_nothing_arrives,
};
use crate::branching::{branch_on_cpu, import_on_cpu, zoom_on_cpu};
use crate::calibration::{
    files_have_content, lens_and_spring, mala_in_the_page, parts_and_richardson, truth_step_by_step,
};
use crate::chains::chains_agree;
use crate::commitment::commitment_on_cpu;
use crate::driver::Kind;
use crate::heads::{heads_of_the_followed_on_cpu, heads_on_cpu};
use crate::instruments::{diagnose_and_calibrate, grok_on_cpu, truth_on_cpu};
use crate::own::{own_text_on_cpu, own_text_refused, own_text_unkept};
use crate::page::{Page, Seen};
use crate::reading::reading_on_cpu;
use crate::seeds::seeds_on_cpu;
use crate::shelf::shelf_on_cpu;
use crate::sitting::a_sitting;
use crate::text_gpu::text_on_gpu;
use crate::timeline::{scrub_and_compare, stages_on_cpu};
use crate::versus::versus_on_cpu;
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
    pressed_early,
    no_adapter,
    no_webgpu,
    insecure_address,
    hostile_link,
    phone,
    another_link_is_pasted,
    truth_on_cpu,
    truth_step_by_step,
    mala_in_the_page,
    chains_agree,
    diagnose_and_calibrate,
    scrub_and_compare,
    stages_on_cpu,
    branch_on_cpu,
    zoom_on_cpu,
    import_on_cpu,
    seeds_on_cpu,
    reading_on_cpu,
    own_text_on_cpu,
    own_text_refused,
    own_text_unkept,
    text_on_gpu,
    commitment_on_cpu,
    shelf_on_cpu,
    lens_and_spring,
    parts_and_richardson,
    a_sitting,
    files_have_content,
    grok_on_cpu,
    heads_on_cpu,
    heads_of_the_followed_on_cpu,
    versus_on_cpu,
    tms_on_gpu,
    tms_on_cpu,
    induction_on_gpu,
    induction_on_cpu,
    markov_on_cpu,
    pause_and_step,
    reload_on_gpu,
    reload_on_cpu,
    copied_link_on_gpu,
    copied_link_on_cpu,
    device_lost,
    worker_panic,
    check_this_device,
];

/// `tms` small enough for a software adapter, with early λ̂ points.
pub const TMS: &str = "#/tms?v=1&replicas=4&chains=2&burnin=5&draws=10&seed=3";
/// `tiny` with little sampling.
const TINY: &str = "#/induction?v=1&d_model=32&heads=2&vocab=32&ctx=32&pmin=6&pmax=14&chains=2&burnin=2&draws=5&seed=3";

/// Markov chains with little of everything.
const MARKOV: &str =
    "#/markov?v=1&d_model=16&ctx=24&batch=16&chains=2&burnin=2&draws=4&mbatch=2&seed=3";

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

async fn markov_on_cpu(at: &Places) -> Result<()> {
    curves(at, "markov-cpu", &on(MARKOV, "cpu"), [10, 3, 3]).await
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

/// A run that is over soon on this engine, with λ̂ on the way.
fn short(engine: &str) -> String {
    let size = match engine {
        "cpu" => "steps=4000&every=200",
        _ => "steps=240&every=40",
    };
    on(&format!("{TMS}&{size}"), engine)
}

/// Reloads in the middle of a run and resumes it: it ends like one that was never interrupted.
async fn reload_and_resume(at: &Places, engine: &str) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, &short(engine)).await?;
    page.booted().await?;
    page.run_until([3, 1, 1], 180).await?;
    let before = paused(&page).await?;
    // A pause writes the record at once.
    tokio::time::sleep(Duration::from_secs(1)).await;
    page.browser.reload().await?;
    page.booted().await?;
    page.shot(&format!("resume-offered-{engine}")).await?;
    page.click("resume").await?;
    let grown = |s: &Seen| s.step > 0 && s.points.iter().all(|p| *p > 0);
    let seen = page.until("it resumes", 60, grown).await?;
    ensure!(
        seen.step * 2 > before.step,
        "it resumed from step {} after {}",
        seen.step,
        before.step
    );
    let resumed = page.finished().await?;
    ensure!(
        resumed == page.run_anew().await?,
        "the resumed run has other bits"
    );
    page.close(&[]).await
}

async fn reload_on_gpu(at: &Places) -> Result<()> {
    reload_and_resume(at, "gpu").await
}

async fn reload_on_cpu(at: &Places) -> Result<()> {
    reload_and_resume(at, "cpu").await
}

/// Copies the link of a run and opens it in a fresh profile: the same bits.
async fn copied_link(at: &Places, engine: &str) -> Result<()> {
    let mut hash = short(engine);
    let mut first: Option<String> = None;
    for _ in 0..2 {
        let page = Page::open(&at.page, DESKTOP, &hash).await?;
        page.booted().await?;
        page.click("run").await?;
        let bits = page.finished().await?;
        page.click("copy-link").await?;
        let link = page.look().await?.link;
        let copied = link.split_once('#').map_or("", |(_, hash)| hash);
        ensure!(
            copied.contains("seed=3") && !copied.contains("engine="),
            "the copied link is {link}"
        );
        hash = on(&format!("#{copied}"), engine);
        if let Some(first) = &first {
            ensure!(*first == bits, "the reopened link has other bits");
        } else {
            // Another seed has other bits, or the fingerprint would say nothing.
            page.goto(&hash.replace("seed=3", "seed=4")).await?;
            page.booted().await?;
            page.click("run").await?;
            ensure!(
                page.finished().await? != bits,
                "another seed, the same bits"
            );
        }
        first = Some(bits);
        page.close(&[]).await?;
    }
    Ok(())
}

async fn copied_link_on_gpu(at: &Places) -> Result<()> {
    copied_link(at, "gpu").await
}

async fn copied_link_on_cpu(at: &Places) -> Result<()> {
    copied_link(at, "cpu").await
}

async fn device_lost(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, &short("gpu")).await?;
    page.booted().await?;
    page.run_until([3, 1, 1], 240).await?;
    page.open_panel().await?;
    page.click("drill-lose-device").await?;
    let lost = |s: &Seen| !s.fault.is_empty() || s.notices.to_lowercase().contains("lost");
    page.until("the page says so", 60, lost).await?;
    page.shot("device-lost").await?;
    let disturbed = page.finished().await?;
    ensure!(
        page.look().await?.notices.contains("went on from step"),
        "it does not say where it went on"
    );
    ensure!(
        disturbed == page.run_anew().await?,
        "the recovered run has other bits"
    );
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
    page.click("way-on").await?;
    page.until("a new engine", 60, |s| s.ready && s.fault.is_empty())
        .await?;
    page.run_until([3, 1, 1], 120).await?;
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
