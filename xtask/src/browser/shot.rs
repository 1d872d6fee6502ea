//! `cargo xtask shot`: one picture of the page, as it is at a link after a while.

use crate::driver::{Browser, Kind};
use anyhow::{Context as _, Result};
use serde_json::json;
use std::time::Duration;
use xtask::flags::Flags;

/// Takes the picture the flags describe.
///
/// # Errors
/// If the page cannot be built, opened or photographed.
pub async fn shot(mut flags: Flags) -> Result<()> {
    let dev = !flags.switch("--release");
    let out = flags
        .value("--out")?
        .unwrap_or_else(|| "shots/shot.png".to_owned());
    let size = flags
        .value("--size")?
        .unwrap_or_else(|| "1440x900".to_owned());
    let (width, height) = size.split_once('x').context("--size WIDTHxHEIGHT")?;
    let wait: f64 = flags.number("--wait-s")?.unwrap_or(3.0);
    let after: f64 = flags.number("--wait-s-after")?.unwrap_or(0.0);
    let (click, eval) = (flags.value("--click")?, flags.value("--eval")?);
    let kind = Kind {
        gpu: !flags.switch("--no-gpu"),
        dark: flags.switch("--dark"),
        width: width.parse().context("--size")?,
        height: height.parse().context("--size")?,
        flags: &[],
    };
    let whole = flags.switch("--full");
    let dist = crate::built(&mut flags, dev)?;
    let hash = flags.word().unwrap_or_default();
    flags.end()?;

    let serving = xtask::serve::start(&dist, "/", 0, false)?;
    let browser = Browser::start(kind).await?;
    browser.goto(&format!("{}{hash}", serving.url)).await?;
    pause(wait).await;
    if let Some(name) = click {
        let script = "const e = document.querySelector(`[data-test=\"${arguments[0]}\"]`); if (!e) throw new Error('no such element'); e.click();";
        browser.eval(script, vec![json!(name)]).await?;
        pause(after).await;
    }
    if let Some(script) = eval {
        // `return` is what people forget in a one-liner.
        let script = if script.contains("return") {
            script
        } else {
            format!("return {script}")
        };
        println!("{}", browser.eval(&script, Vec::new()).await?);
    }
    let file = xtask::root().join(&out);
    browser.picture(&file, whole).await?;
    for (level, text) in browser.console().await? {
        println!("console {level}: {text}");
    }
    println!("{out}");
    Ok(())
}

async fn pause(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds.max(0.0))).await;
}
