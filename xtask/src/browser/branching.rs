//! What a visitor does with a run that is there: branches from a checkpoint, looks closer at a window
//! of steps.

use crate::instruments::{pictures, wait};
use crate::page::Page;
use crate::scenarios::{DESKTOP, Places};
use anyhow::{Result, ensure};
use serde_json::{Value, json};

/// A transformer of one layer that trains in seconds on the CPU engine.
const LINK: &str = "#/induction?v=1&layers=1&d_model=16&heads=2&vocab=16&ctx=16&pmin=4&pmax=7&batch=4&steps=120&seed=3&chains=2&burnin=2&draws=6&mbatch=2&every=20&log=0";

/// Names at the ends of the curves, words of the events, fields of the form, the notices.
const SEEN: &str = "const all = (s) => [...document.querySelectorAll(s)].map(e => e.textContent.trim());\
    const q = n => document.querySelector(`[data-test=\"${n}\"]`);\
    return { loss: all('[data-test=chart-loss] text.recorded'), llc: all('[data-test=chart-llc] text.recorded'),\
        pca: all('[data-test=chart-pca] .plot text'), said: q('chart-pca')?.innerText ?? '',\
        paths: ['.recorded', ':not(.recorded)'].map(c => document.querySelectorAll(`[data-test=chart-pca] .dot${c}`).length),\
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
            && named("pca")
            // Seven checkpoints each, in the plane of both.
            && v["paths"] == json!([7, 7])
            && v["said"]
                .as_str()
                .is_some_and(|t| t.contains("its parent together"))
            && v["pca"].as_array().is_some_and(|t| {
                t.iter()
                    .any(|t| t.as_str().is_some_and(|t| t.contains("random walks")))
            })
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
    // It has its own plane now; its parent is stored, and can be joined with it.
    wait(&page, "a path of its own", SEEN, |v| {
        v["paths"] == json!([0, 7])
    })
    .await?;
    page.click("tab-paths").await?;
    let fits = |v: &Value| v["fits"] == "lr=3e-3";
    wait(&page, "a stored run that fits", JOINED, fits).await?;
    page.click("ask-stored").await?;
    let joined = |v: &Value| v["models"] == "2" && v["names"] == json!(["lr=3e-3", "this run"]);
    wait(&page, "both in one plane", JOINED, joined).await?;
    pictures(&page, "joined").await?;
    page.close(&[]).await
}

/// Stored runs that fit, models in the plane, names at the ends of their paths.
const JOINED: &str = "const q = n => document.querySelector(`[data-test=\"${n}\"]`);\
    return { fits: q('stored-fit')?.innerText ?? '', models: q('plane-stored')?.dataset.models ?? '',\
        names: [...(q('chart-paths-stored')?.querySelectorAll('.kink-step') ?? [])].map(e => e.textContent).filter(t => !t.includes('°')).sort() };";

/// The window of the charts, the ticks under the loss, the extra λ̂ points told, the λ̂ points drawn.
const ZOOMED: &str = "const q = n => document.querySelector(`[data-test=\"${n}\"]`);\
    const ticks = c => [...(q(c)?.querySelectorAll('text.tick') ?? [])].map(e => Number(e.textContent.replace(/\\s/g, ''))).filter(n => n >= 20);\
    return { window: q('zoom')?.dataset.window ?? '', told: q('zoomed')?.innerText ?? '',\
        least: Math.min(...ticks('chart-llc')), points: Number(q('chart-llc')?.dataset.points ?? 0) };";

/// Where the cursor is pinned, whether text is marked, whether a drag is still drawn.
const LEFT: &str = "return { pinned: document.querySelector('[data-test=timeline]')?.dataset.looked ?? '',\
    selected: getSelection().toString(), marked: !!document.querySelector('.dragged') };";

/// A window of steps by a drag with the mouse or a finger, and a step by a click of a hand that trembles.
async fn by_hand(page: &Page, chart: &str, touch: bool) -> Result<()> {
    let plot = format!("[data-test={chart}] .plot-box");
    let window = |v: &Value| {
        v["window"].as_str().is_some_and(|w| w.len() > 3) && v["least"].as_f64() > Some(20.0)
    };
    let way = [[0.4, 90.0], [0.5, 92.0], [0.6, 91.0], [0.7, 90.0]];
    page.drag(&plot, &way, touch).await?;
    wait(page, "a window by a drag", ZOOMED, window).await?;
    let left = page.browser.eval(LEFT, vec![]).await?;
    let clean = json!({"pinned": "", "selected": "", "marked": false});
    ensure!(left == clean, "a drag leaves more than a window: {left}");
    page.click("zoom-all").await?;
    // Let go beside the picture, a drag ends at the picture's edge.
    page.drag(&plot, &[[0.5, 90.0], [0.8, 90.0], [1.02, 90.0]], touch)
        .await?;
    let to_end = |v: &Value| v["window"].as_str().is_some_and(|w| w.ends_with("-120"));
    wait(page, "a window to the end", ZOOMED, to_end).await?;
    page.click("zoom-all").await?;
    page.drag(&plot, &[[0.5, 90.0], [0.502, 91.0]], touch)
        .await?;
    wait(page, "a step that is pinned", LEFT, |v| v["pinned"] != "").await?;
    page.drag(&plot, &[[0.5, 90.0]], touch).await?;
    wait(page, "a step set free", LEFT, |v| v["pinned"] == "").await?;
    let whole = page.browser.eval(ZOOMED, vec![]).await?;
    ensure!(whole["window"] == "", "a click is no window: {whole}");
    Ok(())
}

pub async fn zoom_on_cpu(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, &on_cpu(LINK)).await?;
    page.booted().await?;
    page.click("run").await?;
    let coarse = page.finished().await?;
    for (chart, touch) in [
        ("chart-loss", false),
        ("chart-llc", false),
        ("chart-llc", true),
    ] {
        by_hand(&page, chart, touch).await?;
    }
    wait(&page, "the whole run", ZOOMED, |v| {
        v["window"] == "" && v["points"] == 7
    })
    .await?;
    for (name, value) in [("zoom-from", "50"), ("zoom-to", "90"), ("zoom-points", "5")] {
        let script = "const e = document.querySelector(`[data-test=${arguments[0]}]`); e.value = arguments[1];\
            e.dispatchEvent(new Event('change', { bubbles: true }));";
        page.browser
            .eval(script, vec![json!(name), json!(value)])
            .await?;
    }
    page.click("zoom-finer").await?;
    let told = |v: &Value| {
        v["window"] == "50-90"
            && v["told"]
                .as_str()
                .is_some_and(|t| t.contains("5 steps from 50 to 90"))
    };
    wait(&page, "a finer run", ZOOMED, told).await?;
    let fine = page.finished().await?;
    ensure!(fine != coarse, "nothing was added");
    page.click("zoom-all").await?;
    // 60 and 80 were checkpoints already.
    wait(&page, "more λ̂ points", ZOOMED, |v| v["points"] == 10).await?;
    pictures(&page, "zoom").await?;
    let link = page.look().await?.link;
    ensure!(link.ends_with("&zoom=50-90:5"), "{link}");

    page.goto(&on_cpu(&format!("{LINK}&zoom=50-90:5"))).await?;
    page.booted().await?;
    page.click("run").await?;
    ensure!(
        page.finished().await? == fine,
        "replayed, the finer run is another"
    );
    page.click("zoom-none").await?;
    wait(&page, "the coarse run again", ZOOMED, |v| v["told"] == "").await?;
    ensure!(
        page.finished().await? == coarse,
        "without the zoom the run is another"
    );
    page.close(&[]).await
}

/// Gives the file that was saved last to the page, all of it or the first bytes.
async fn give(page: &Page, bytes: u64) -> Result<()> {
    let script = "const [size] = arguments; return (async () => {\
        const blob = (await window.savedBlob).slice(0, size); const files = new DataTransfer();\
        files.items.add(new File([blob], 'mine.safetensors'));\
        const input = document.querySelector('[data-test=import]'); input.files = files.files;\
        input.dispatchEvent(new Event('change', { bubbles: true })); })();";
    page.browser.eval(script, vec![json!(bytes)]).await?;
    Ok(())
}

/// What was said of the file, the notices, the λ̂ points, where the run stands.
const OPENED: &str = "const q = n => document.querySelector(`[data-test=\"${n}\"]`);\
    return { refused: q('refused')?.innerText ?? '', notices: q('notices')?.innerText ?? '',\
        points: Number(q('chart-llc')?.dataset.points ?? 0), picture: q('figure')?.dataset.kind ?? '', phase: q('phase')?.innerText ?? '' };";

pub async fn import_on_cpu(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, &on_cpu(LINK)).await?;
    page.booted().await?;
    page.click("run").await?;
    let whole = page.finished().await?;
    scrub(&page, &["Home", "ArrowRight", "ArrowRight", "ArrowRight"]).await?;
    let script = "window.savedBlob = null; HTMLAnchorElement.prototype.click = function () { window.savedBlob = fetch(this.href).then(r => r.blob()) };";
    page.browser.eval(script, vec![]).await?;
    page.click("export-checkpoint").await?;
    wait(&page, "a file", "return !!window.savedBlob", |v| *v == true).await?;
    give(&page, 1000).await?;
    wait(&page, "a refusal", OPENED, |v| {
        v["refused"]
            .as_str()
            .is_some_and(|t| t.contains("no safetensors file"))
    })
    .await?;
    ensure!(page.look().await?.fingerprint == whole, "the run is gone");
    page.click("dismiss").await?;
    give(&page, 1 << 30).await?;
    let opened = |v: &Value| {
        let said = v["notices"].as_str().is_some_and(|t| {
            t.contains("mine.safetensors") && t.contains("training goes on from there")
        });
        // Steps 60, 80, 100 and 120.
        said && v["points"] == 4 && v["refused"] == "" && v["picture"] == "attention"
    };
    wait(&page, "a run of the file", OPENED, opened).await?;
    page.finished().await?;
    pictures(&page, "import").await?;
    page.close(&[]).await
}
