//! The chains of an estimate on both engines of the same browser: step by step at first, and then as
//! draws of one distribution. What is compared is what a visitor saves of an opened point.

use crate::instruments::wait;
use crate::page::Page;
use crate::scenarios::{DESKTOP, Places};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// A deep linear network at a minimum, its loss exact: all three samplers.
const GALLERY: &str =
    "#/truth?v=1&target=dln&chains=16&burnin=50&draws=350&seed=3&sampler=sgld&eps=1e-4";
/// A transformer on minibatches, after two steps of training.
const TRANSFORMER: &str = "#/induction?v=1&layers=1&d_model=16&heads=2&vocab=16&ctx=16&pmin=4&pmax=7&batch=4&steps=2&every=2&log=0&chains=4&burnin=20&draws=80&mbatch=2&seed=3&sampler=sgld&eps=1e-4";

/// Steps that are compared one by one.
const FIRST: usize = 10;
/// What two engines may differ by in a loss, relative to 1 and the loss: the tolerance of its kernel.
const LOSS: f64 = 1e-5;
/// What they may differ by in ‖w − w*‖, relative to it. A step longer by a hundredth is off by 5e-3.
const DISTANCE: f64 = 5e-4;
/// Standard errors between two means that may be one.
const ERRORS: f64 = 4.0;
/// Ratio of two variances that may be one.
const RATIO: f64 = 1.6;

/// What a file of traces holds.
#[derive(Clone, Debug, Default, PartialEq)]
struct Chains {
    burnin: usize,
    anchor: Vec<f64>,
    loss: Vec<Vec<f64>>,
    distance: Vec<Vec<f64>>,
}

impl Chains {
    fn read(trace: &Value) -> Option<Self> {
        let row =
            |v: &Value| -> Option<Vec<f64>> { v.as_array()?.iter().map(Value::as_f64).collect() };
        let rows = |v: &Value| -> Option<Vec<Vec<f64>>> { v.as_array()?.iter().map(row).collect() };
        Some(Self {
            burnin: trace["settings"]["burnin"].as_u64()? as usize,
            anchor: row(&trace["anchor"])?,
            loss: rows(&trace["loss"])?,
            distance: rows(&trace["distance"])?,
        })
    }

    /// The greatest difference in the first steps, in tolerances.
    fn apart(&self, other: &Self) -> f64 {
        let pairs = |a: &[Vec<f64>], b: &[Vec<f64>], scale: fn(f64) -> f64| {
            let each = a
                .iter()
                .zip(b)
                .flat_map(|(a, b)| a.iter().zip(b).take(FIRST));
            each.map(|(a, b)| (a - b).abs() / scale(*b))
                .fold(0.0, f64::max)
        };
        let loss = pairs(&self.loss, &other.loss, |b| LOSS * (1.0 + b.abs()));
        let distance = |b: f64| DISTANCE * b.abs().max(1e-9);
        loss.max(pairs(&self.distance, &other.distance, distance))
    }

    /// Mean and variance over the draws of the loss above that of w* on the same batch, and the mean's
    /// standard error from the means of the chains.
    fn moments(&self) -> [f64; 3] {
        let excess = |c: &Vec<f64>| -> Vec<f64> {
            let draws = c.iter().zip(&self.anchor).skip(self.burnin);
            draws.map(|(l, a)| l - a).collect()
        };
        let means: Vec<f64> = self.loss.iter().map(|c| mean(&excess(c))).collect();
        let all: Vec<f64> = self.loss.iter().flat_map(excess).collect();
        let se = (variance(&means) / means.len() as f64).sqrt();
        [mean(&all), variance(&all), se]
    }

    /// Standard errors between the means, and the ratio of the variances, at least 1.
    fn unlike(&self, other: &Self) -> [f64; 2] {
        let ([m, v, se], [n, w, other_se]) = (self.moments(), other.moments());
        [(m - n).abs() / se.hypot(other_se), (v / w).max(w / v)]
    }
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn variance(x: &[f64]) -> f64 {
    let m = mean(x);
    x.iter().map(|x| (x - m).powi(2)).sum::<f64>() / (x.len() as f64 - 1.0)
}

/// Runs a link on an engine and saves the chains of its last point.
async fn saved(page: &Page, link: &str, engine: &str) -> Result<Chains> {
    page.goto(&format!("{link}&engine={engine}")).await?;
    page.booted().await?;
    page.click("run").await?;
    page.finished().await?;
    let device = page.look().await?.device.to_lowercase();
    ensure!(
        device.contains("cpu engine") == (engine == "cpu"),
        "{link} on {engine} ran on {device}"
    );
    // The gallery shows its chains unasked.
    let tab = "const t = document.querySelector('[data-test=tab-point]'); t?.click(); return !!t";
    page.browser.eval(tab, vec![]).await?;
    let open =
        "return document.querySelector('[data-test=export-traces-json]')?.disabled === false";
    wait(page, "the chains", open, |v| *v == true).await?;
    let save = "window.kept = null; HTMLAnchorElement.prototype.click = function () {\
        fetch(this.href).then(f => f.json()).then(j => window.kept = j.trace) };\
        document.querySelector('[data-test=export-traces-json]').click()";
    page.browser.eval(save, vec![]).await?;
    let kept = wait(page, "the file", "return window.kept", |v| !v.is_null()).await?;
    let chains = Chains::read(&kept).with_context(|| format!("{link} on {engine}: {kept}"))?;
    let long = chains.loss.iter().all(|c| c.len() == chains.anchor.len());
    ensure!(
        long && chains.anchor.len() > chains.burnin + FIRST && !chains.loss.is_empty(),
        "{link} on {engine}: not all steps of all chains"
    );
    Ok(chains)
}

pub async fn chains_agree(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, "").await?;
    let all = [
        (GALLERY, "sgld", "1e-4"),
        (GALLERY, "rmsprop", "1e-5"),
        (GALLERY, "mala", "1e-4"),
        (TRANSFORMER, "sgld", "1e-4"),
        (TRANSFORMER, "rmsprop", "1e-5"),
    ];
    let mut first = None;
    for (link, sampler, eps) in all {
        let link = link.replace("=sgld&eps=1e-4", &format!("={sampler}&eps={eps}"));
        let gpu = saved(&page, &link, "gpu").await?;
        let cpu = saved(&page, &link, "cpu").await?;
        let (steps, [errors, ratio]) = (gpu.apart(&cpu), gpu.unlike(&cpu));
        println!(
            "  {sampler}: first {FIRST} steps {steps:.3} of the tolerance; means {errors:.2} standard errors apart, variances {ratio:.3}"
        );
        ensure!(gpu != cpu, "{sampler}: one engine ran twice: {link}");
        ensure!(
            steps <= 1.0,
            "{sampler}: the engines part ways: {steps} of the tolerance"
        );
        ensure!(
            errors <= ERRORS && ratio <= RATIO,
            "{sampler}: two distributions: {errors} standard errors, variances {ratio}"
        );
        first.get_or_insert((gpu, link));
    }
    let (gpu, link) = first.context("nothing was compared")?;
    // Planted: another seed has other steps, and the same distribution; another temperature has another.
    let other = saved(&page, &link.replace("seed=3", "seed=4"), "cpu").await?;
    ensure!(gpu.apart(&other) > 1.0, "another seed, the same steps");
    let [errors, ratio] = gpu.unlike(&other);
    println!("  another seed: {errors:.2} standard errors, variances {ratio:.3}");
    ensure!(
        errors <= ERRORS && ratio <= RATIO,
        "another seed, another distribution: {errors} standard errors, variances {ratio}"
    );
    let longer = saved(&page, &link.replace("eps=1e-4", "eps=1.01e-4"), "cpu").await?;
    ensure!(
        gpu.apart(&longer) > 1.0,
        "a step longer by a hundredth is not seen"
    );
    let warmer = saved(&page, &format!("{link}&nbeta=500"), "cpu").await?;
    let [errors, ratio] = gpu.unlike(&warmer);
    println!("  twice the temperature: {errors:.2} standard errors, variances {ratio:.3}");
    ensure!(
        errors > ERRORS && ratio > RATIO,
        "twice the temperature is not seen"
    );
    page.close(&[]).await
}
