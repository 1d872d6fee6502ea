//! A visitor arrives: what is shown before the program, with a strange link, and in browsers that
//! can do less.

use crate::driver::Kind;
use crate::page::{Page, Seen};
use crate::scenarios::{DESKTOP, PHONE, Places, TMS, dark};
use anyhow::{Result, bail, ensure};
use std::time::Duration;

/// Blocks what matches, so that the skeleton stays.
async fn without(page: &Page, pattern: &str) -> Result<()> {
    page.browser
        .cdp("Network.enable", serde_json::json!({}))
        .await?;
    page.browser
        .cdp(
            "Network.setBlockedURLs",
            serde_json::json!({"urls": [pattern]}),
        )
        .await?;
    page.goto("").await
}

pub async fn skeleton_before_wasm(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, "").await?;
    without(&page, "*.js").await?;
    let script = "const e = document.querySelector('#skeleton'); const b = e.querySelector('button');\
        return e.innerText.includes('lambdahat') && b.disabled && !!b.getAttribute('aria-describedby')\
        && e.querySelectorAll('figure').length === 3 && e.scrollWidth <= document.documentElement.clientWidth;";
    ensure!(
        page.browser.eval(script, vec![]).await? == true,
        "the skeleton is not whole"
    );
    page.shot("skeleton-desktop").await?;
    for (name, kind) in [
        ("desktop-dark", dark(DESKTOP)),
        ("phone", PHONE),
        ("phone-dark", dark(PHONE)),
    ] {
        page.browser.resize(kind).await?;
        ensure!(
            page.browser.eval(script, vec![]).await? == true,
            "the skeleton is not whole: {name}"
        );
        page.shot(&format!("skeleton-{name}")).await?;
    }
    page.close(&["ERR_BLOCKED_BY_CLIENT"]).await
}

pub async fn skeleton_says_when_nothing_arrives(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, "").await?;
    without(&page, "*.wasm").await?;
    let script = "return document.querySelector('#loading')?.innerText ?? ''";
    for _ in 0..50 {
        let text = page.browser.eval(script, vec![]).await?;
        if text
            .as_str()
            .is_some_and(|t| t.contains("could not be loaded"))
        {
            page.shot("skeleton-failed").await?;
            return page
                .close(&["ERR_BLOCKED_BY_CLIENT", "Failed to fetch"])
                .await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("the page does not say that the program could not be loaded")
}

pub async fn boots(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, "").await?;
    let seen = page.booted().await?;
    ensure!(seen.phase == "idle", "it trains unasked: {seen:?}");
    ensure!(
        seen.recorded == [true; 3],
        "not every chart shows its recorded trace: {seen:?}"
    );
    ensure!(
        seen.points == [0; 3],
        "a recorded trace counts as computed: {seen:?}"
    );
    page.shot("idle-desktop").await?;
    for (name, kind) in [
        ("desktop-dark", dark(DESKTOP)),
        ("phone", PHONE),
        ("phone-dark", dark(PHONE)),
    ] {
        page.browser.resize(kind).await?;
        page.shot(&format!("idle-{name}")).await?;
        page.fits(name).await?;
    }
    // Grey, and said to be recorded.
    let script = "return [...document.querySelectorAll('figure.chart')].map(c => {\
        const line = c.querySelector('.line.recorded, .path.recorded');\
        const rgb = line ? getComputedStyle(line).stroke.match(/[\\d.]+/g).map(Number) : [0, 255, 0];\
        const grey = Math.max(...rgb.slice(0, 3)) - Math.min(...rgb.slice(0, 3)) < 24;\
        return grey && /recorded/i.test(c.querySelector('.origin')?.textContent ?? '');\
    })";
    let told = page.browser.eval(script, vec![]).await?;
    ensure!(
        told == serde_json::json!([true, true, true]),
        "a recorded trace is not grey, or not said to be one: {told}"
    );
    // With its stages: bands on the time axes as on those of a run, and the table with where it comes from.
    let script = "const n = q => document.querySelectorAll(q).length, t = document.querySelector('[data-test=stages]');\
        return [Number(t?.dataset.stages), n('[data-test=stage-rows] tbody tr'), n('[data-test=chart-loss] .plot-box:first-of-type rect.stage'),\
            n('[data-test=chart-llc] .plot-box:first-of-type rect.stage'), n('[data-test=timeline] rect.stage'), n('[data-test=stages] input, .grip'),\
            /recorded/i.test(t?.querySelector('.origin')?.textContent ?? '')]";
    let told = page.browser.eval(script, vec![]).await?;
    let stages = told[0].as_u64().unwrap_or(0);
    ensure!(
        stages > 1 && told == serde_json::json!([stages, stages, stages, stages, stages, 0, true]),
        "the stages of the recorded trace are not whole: {told}"
    );
    // Gone with the press, before anything was computed.
    let script = "document.querySelector('[data-test=run]').click(); return (async () => {\
        await new Promise(done => requestAnimationFrame(() => setTimeout(done)));\
        return document.querySelectorAll('figure.chart .recorded, figure.chart .origin, rect.stage, [data-test=stages]').length })()";
    let left = page.browser.eval(script, vec![]).await?;
    ensure!(left == 0, "{left} recorded things are left after Run");
    page.close(&[]).await
}

/// Run pressed as soon as there is a button, before the engine is up: it says so, and the run comes.
pub async fn pressed_early(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, &format!("{TMS}&engine=gpu")).await?;
    let script = "const q = n => document.querySelector(`[data-test=${n}]`), turn = () => new Promise(done => setTimeout(done, 5));\
        return (async () => { while (!q('run')) await turn();\
        const early = q('device').dataset.kind === 'none', pressable = !q('run').disabled; q('run').click();\
        await new Promise(done => requestAnimationFrame(() => setTimeout(done)));\
        return [early, pressable, q('run')?.innerText ?? '', q('reset').disabled] })()";
    for _ in 0..8 {
        let told = page.browser.eval(script, vec![]).await?;
        ensure!(told[1] == true, "Run cannot be pressed: {told}");
        let seen = page.until("the run", 60, |s| s.step > 0).await?;
        ensure!(seen.fault.is_empty(), "{seen:?}");
        if told[0] == true {
            // The engine may have come up within the frame.
            let said = told[2] == "Starting" || told[2] == "";
            ensure!(said && told[3] == false, "nothing is said: {told}");
            return page.close(&[]).await;
        }
        page.goto(&format!("{TMS}&engine=gpu")).await?;
    }
    bail!("the engine was always there first")
}

/// The CPU engine runs, and the page gives this reason and none of the others.
fn on_cpu_because(seen: &Seen, why: &str) -> Result<()> {
    let all = ["no graphics adapter", "no WebGPU here", "not secure"];
    let said: Vec<_> = all
        .into_iter()
        .filter(|w| seen.why_cpu.contains(w))
        .collect();
    ensure!(
        seen.device.to_lowercase().contains("cpu") && said == [why],
        "not “{why}”: {seen:?}"
    );
    Ok(())
}

pub async fn phone(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, PHONE, &format!("{TMS}&engine=cpu")).await?;
    page.booted().await?;
    page.run_until([5, 2, 2], 120).await?;
    page.fits("phone").await?;
    let script = "return [...document.querySelectorAll('figure.chart svg')].filter(s => {\
        const r = s.getBoundingClientRect(); return r.width > 250 && r.left >= 0 && r.right <= document.documentElement.clientWidth }).length";
    let fit = page.browser.eval(script, vec![]).await?.as_u64();
    ensure!(fit >= Some(3), "{fit:?} charts fit the phone");
    page.shot("phone-running").await?;
    page.close(&[]).await
}

pub async fn another_link_is_pasted(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, &format!("{TMS}&engine=cpu")).await?;
    page.booted().await?;
    page.run_until([3, 1, 1], 120).await?;
    let paste = |hash: &str| format!("location.hash = '{hash}'");
    let link = "#/induction?v=1&d_model=16&heads=2&lr=nonsense&engine=cpu";
    page.browser.eval(&paste(link), vec![]).await?;
    let seen = page
        .until("the other experiment", 60, |s| {
            s.ready && s.phase == "idle" && s.link.contains("#/induction")
        })
        .await?;
    ensure!(
        seen.link.contains("d_model=16") && seen.notices.contains("lr"),
        "{seen:?}"
    );
    ensure!(
        seen.step == 0 && seen.recorded == [true; 3],
        "the old run is still there: {seen:?}"
    );
    page.browser
        .eval(&paste(&format!("{TMS}&run=1&engine=cpu")), vec![])
        .await?;
    page.until("it runs by itself", 60, |s| {
        s.link.contains("#/tms") && s.points.iter().all(|p| *p > 1)
    })
    .await?;
    page.close(&[]).await
}

pub async fn no_adapter(at: &Places) -> Result<()> {
    let page = Page::open(
        &at.page,
        Kind {
            gpu: false,
            ..DESKTOP
        },
        TMS,
    )
    .await?;
    let seen = page.booted().await?;
    on_cpu_because(&seen, "no graphics adapter")?;
    page.shot("no-adapter").await?;
    page.run_until([3, 1, 1], 120).await?;
    page.close(&["WebGPU", "No available adapters"]).await
}

pub async fn no_webgpu(at: &Places) -> Result<()> {
    let page = Page::open(&at.no_webgpu, DESKTOP, TMS).await?;
    ensure!(
        page.browser
            .eval("return 'gpu' in navigator", vec![])
            .await?
            == false,
        "WebGPU is there"
    );
    let seen = page.booted().await?;
    on_cpu_because(&seen, "no WebGPU here")?;
    page.run_until([3, 1, 1], 120).await?;
    page.shot("no-webgpu").await?;
    page.close(&[]).await
}

pub async fn insecure_address(at: &Places) -> Result<()> {
    // A name that is no loopback makes plain http insecure: no WebGPU, no storage, no clipboard.
    let kind = Kind {
        flags: &["--host-resolver-rules=MAP lambdahat.test 127.0.0.1"],
        ..DESKTOP
    };
    let page = Page::open(&at.page.replace("127.0.0.1", "lambdahat.test"), kind, TMS).await?;
    ensure!(
        page.browser.eval("return isSecureContext", vec![]).await? == false,
        "the context is secure"
    );
    let seen = page.booted().await?;
    on_cpu_because(&seen, "not secure")?;
    page.run_until([3, 1, 1], 120).await?;
    ensure!(
        page.look().await?.link.contains("seed=3"),
        "the link is not shown as text"
    );
    page.shot("insecure-address").await?;
    page.close(&[]).await
}

pub async fn hostile_link(at: &Places) -> Result<()> {
    let link = "#/induction?v=1&layers=99999999999999999999&d_model=-1&heads=3&vocab=NaN&lr=1e999\
                &steps=18446744073709551616&foo=%3Cscript%3Ealert(1)%3C%2Fscript%3E&seed=%FF&=&&&ctx=%";
    let page = Page::open(&at.page, DESKTOP, link).await?;
    let seen = page.booted().await?;
    for key in ["layers", "d_model", "vocab", "lr", "steps", "foo"] {
        ensure!(
            seen.notices.contains(key),
            "no notice about {key}: {seen:?}"
        );
    }
    page.shot("hostile-link").await?;
    for link in [
        "#/nowhere",
        "#/",
        "#%%%",
        "#/tms?v=99999",
        "#/induction?d_model=100000&layers=4&vocab=100000",
    ] {
        page.goto(link).await?;
        page.booted().await?;
    }
    page.close(&[]).await
}
