//! A model of text on WebGPU, with everything its family has: it learns what the CPU engine learns, and
//! every panel of its tab works.

use crate::instruments::wait;
use crate::page::Page;
use crate::reading::{SEEN, TYPE, texts};
use crate::scenarios::{DESKTOP, Places};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// An MLP with SoLU and its LayerNorm, smeared keys, a tied unembedding; evaluated at every fourth step.
const RUN: &str = "#/text?v=1&d_model=16&heads=2&mlp=32&act=solu&smear=on&tied=on&ctx=32&wrap=12&pmin=4&pmax=8&batch=6&steps=12&every=4&log=0&lr=0.01&warmup=0&chains=1&burnin=1&draws=2&mbatch=2&seed=2";
/// Greatest distance of a loss on two engines, nats: both round in f32, over twelve steps.
const APART: f64 = 1e-4;

/// Characters of each text that are compared.
const WRITTEN: usize = 48;

/// What would be saved is kept instead.
const KEEP: &str = "HTMLAnchorElement.prototype.click = function () { fetch(this.href).then(f => f.text()).then(t => window.kept = t) }";

/// What a run has shown.
struct Shown {
    /// By id, its values.
    series: serde_json::Map<String, Value>,
    /// The texts it writes, and the losses of a passage.
    texts: Vec<String>,
    passage: Vec<f64>,
}

impl Shown {
    fn values(&self, id: &str) -> Result<Vec<f64>> {
        let y = self.series.get(id).and_then(|s| s["y"].as_array());
        let y = y.with_context(|| format!("no series {id}"))?;
        Ok(y.iter().filter_map(Value::as_f64).collect())
    }

    /// The greatest distance of a series from that of another run, in units of what is allowed.
    fn apart(&self, other: &Shown, id: &str) -> Result<f64> {
        let (a, b) = (self.values(id)?, other.values(id)?);
        ensure!(a.len() == b.len() && a.len() >= 3, "{id}: {a:?}, {b:?}");
        let pairs = a.iter().zip(&b);
        Ok(pairs.fold(0.0, |m: f64, (a, b)| m.max((a - b).abs())) / APART)
    }
}

async fn shown(at: &Places, engine: &str) -> Result<Shown> {
    let page = Page::open(&at.page, DESKTOP, &format!("{RUN}&{engine}")).await?;
    let device = page.booted().await?.device;
    if engine == "engine=gpu" {
        ensure!(!device.contains("CPU"), "it runs on {device}");
        page.run_until([1, 0, 0], 60).await?;
    } else {
        page.click("run").await?;
    }
    page.finished().await?;
    page.browser.eval(KEEP, vec![]).await?;
    page.click("export-series-json").await?;
    let script = "return window.kept ?? null";
    let kept = wait(&page, "the series", script, |v| v.is_string()).await?;
    let all: Value = serde_json::from_str(kept.as_str().unwrap_or_default())?;
    let series = all["series"].as_object().cloned().unwrap_or_default();

    if engine.contains("act=") {
        page.close(&[]).await?;
        return Ok(Shown {
            series,
            passage: Vec::new(),
            texts: Vec::new(),
        });
    }
    page.click("tab-text").await?;
    let charts = |v: &Value| {
        let at_least = |key: &str, n| v[key].as_u64() >= Some(n);
        at_least("kinds", 4) && at_least("copied", 1) && at_least("columns", 3)
    };
    wait(&page, "the charts of the text", SEEN, charts).await?;
    page.click("ask-passage").await?;
    let whole = |v: &Value| v["step"] == "12" && v["tokens"].as_u64() == Some(2 * 31);
    wait(&page, "a passage", SEEN, whole).await?;
    let script = "return [...document.querySelectorAll('[data-test=passage] [title*=expected]')].map(e => Number(/: ([\\d.]+) nats/.exec(e.title)?.[1]))";
    let losses = page.browser.eval(script, vec![]).await?;
    let losses = losses.as_array().into_iter().flatten();
    let passage = losses.filter_map(Value::as_f64).collect();
    page.browser.eval(TYPE, vec![]).await?;
    page.click("write").await?;
    let wrote = |v: &Value| {
        let done = v["done"].as_str().and_then(|d| d.parse::<u64>().ok());
        done >= Some(WRITTEN as u64)
    };
    wait(&page, "three texts", SEEN, wrote).await?;
    // A software adapter is slow: what is there is enough.
    let _ = page.click("stop-writing").await;
    let written = wait(&page, "no more is written", SEEN, |v| v["busy"] == false).await?;
    page.shot(&format!("text-{}", engine.replace('=', "-")))
        .await?;
    page.close(&[]).await?;
    Ok(Shown {
        series,
        passage,
        texts: texts(&written),
    })
}

pub async fn text_on_gpu(at: &Places) -> Result<()> {
    let gpu = shown(at, "engine=gpu").await?;
    let cpu = shown(at, "engine=cpu").await?;
    // Planted fault: the same model without the softmax of its neurons.
    let other = shown(at, "engine=cpu&act=relu").await?;
    let mut said = Vec::new();
    for id in ["loss.train", "loss.text", "loss.repeat", "kl.bigram"] {
        let [same, not] = [gpu.apart(&cpu, id)?, gpu.apart(&other, id)?];
        said.push(format!("{id} {same:.1e}"));
        ensure!(same < 1.0, "{id}: {same} times too far from the CPU engine");
        ensure!(not > 1.0, "{id}: ReLU is not told from SoLU ({not})");
    }
    println!("  apart, of {APART} nats allowed: {}", said.join(", "));
    ensure!(gpu.passage.len() == cpu.passage.len(), "another passage");
    // Two digits are shown.
    let pairs = gpu.passage.iter().zip(&cpu.passage);
    let far = pairs.filter(|(a, b)| (*a - *b).abs() > 0.02).count();
    ensure!(far == 0, "{far} tokens of the passage differ");
    // A number that falls between two tokens may fall on either side, once in a long while.
    let same = |a: &str, b: &str| a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let all = gpu.texts.iter().zip(&cpu.texts);
    let alike: Vec<usize> = all.map(|(a, b)| same(a, b)).collect();
    println!("  written alike: {alike:?} characters");
    ensure!(
        alike.iter().filter(|n| **n >= WRITTEN).count() >= 2,
        "the engines write {alike:?} alike"
    );
    // Planted fault: a text of other draws.
    let other = same(&gpu.texts[0], &cpu.texts[1]);
    ensure!(other < WRITTEN, "other draws write {other} alike");
    Ok(())
}
