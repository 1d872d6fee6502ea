//! A text of one's own: pasted, learned, named by the link, and asked for where it is not.

use crate::instruments::wait;
use crate::page::Page;
use crate::scenarios::{DESKTOP, Places};
use anyhow::{Result, ensure};
use serde_json::json;

/// A small reader that trains in seconds on the CPU engine.
const RUN: &str = "#/text?v=1&d_model=16&heads=2&ctx=32&pmin=4&pmax=8&batch=6&steps=40&every=20&log=0&chains=0&engine=cpu&seed=2";

/// Pastes a text of some 17 kB about this thing.
const PASTE: &str = "const e = document.querySelector('[data-test=own-paste]'); let t = '';\
    for (let i = 999; i > 600; i--) t += `${i} green ${arguments[0]} hang on wall ${i % 7}, and one falls.\\n`;\
    e.value = t; e.dispatchEvent(new Event('change', { bubbles: true })); return true;";

/// What the page says of it.
const SAID: &str = "const told = document.querySelector('[data-test=own-told]');\
    return { told: told?.textContent ?? '', asks: told?.className === 'stale', hash: location.hash,\
        other: document.body.textContent.includes('This is not the text of the link') };";

async fn paste(page: &Page, thing: &str) -> Result<String> {
    page.browser.eval(PASTE, vec![json!(thing)]).await?;
    let said = wait(page, "the text is read", SAID, |v| {
        let told = v["told"].as_str().unwrap_or_default();
        v["asks"] == false && told.starts_with("Your text of")
    })
    .await?;
    let hash = said["hash"].as_str().unwrap_or_default().to_owned();
    ensure!(hash.contains("text="), "the link names no text: {hash}");
    Ok(hash)
}

/// Stands in for a browser that has no room, and for one whose settings close the storage to the page.
const REFUSALS: [&str; 2] = [
    "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') };",
    "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('closed', 'SecurityError') } });",
];

/// Whether the page says that the text is not kept.
const UNKEPT: &str = "return !!document.querySelector('[data-test=own-unkept]')";

/// A text that the browser refuses to keep is read all the same, and the page says so beside the field.
pub async fn own_text_unkept(at: &Places) -> Result<()> {
    for refusal in REFUSALS {
        let page = Page::open(&at.page, DESKTOP, RUN).await?;
        page.booted().await?;
        // Planted fault: where it is kept, nothing of the kind is said.
        paste(&page, "bottles").await?;
        ensure!(
            page.browser.eval(UNKEPT, vec![]).await? == false,
            "kept, and not kept"
        );
        let script = json!({ "source": refusal });
        page.browser
            .cdp("Page.addScriptToEvaluateOnNewDocument", script)
            .await?;
        page.goto(RUN).await?;
        page.booted().await?;
        paste(&page, "jars").await?;
        wait(&page, "it says what is not kept", UNKEPT, |v| v == true).await?;
        page.fits("own-unkept").await?;
        page.click("run").await?;
        page.finished().await?;
        page.shot("own_text_unkept").await?;
        // What was kept before is not taken for it.
        page.browser.reload().await?;
        page.booted().await?;
        wait(&page, "the page asks for the text", SAID, |v| {
            v["asks"] == true
        })
        .await?;
        page.close(&[]).await?;
    }
    Ok(())
}

pub async fn own_text_on_cpu(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, RUN).await?;
    page.booted().await?;
    paste(&page, "bottles").await?;
    page.fits("own-paste").await?;
    page.click("run").await?;
    let bits = page.finished().await?;
    page.shot("own_text").await?;
    page.click("copy-link").await?;
    let link = page.look().await?.link;
    page.close(&[]).await?;
    let named = link.split_once('#').map_or("", |(_, hash)| hash);
    let named = format!("#{named}&engine=cpu");

    // Whoever opens the link is asked for the text, and told when it is another.
    let page = Page::open(&at.page, DESKTOP, &named).await?;
    page.booted().await?;
    page.click("run").await?;
    let calm = "return !!document.querySelector('[data-test=asks-text] input[type=file]') && !document.querySelector('[role=alert]')";
    wait(&page, "it is asked for, and nothing is wrong", calm, |v| {
        *v == true
    })
    .await?;
    wait(&page, "the page asks for the text", SAID, |v| {
        v["asks"] == true
    })
    .await?;
    paste(&page, "jars").await?;
    wait(&page, "another text is told", SAID, |v| v["other"] == true).await?;
    page.click("run").await?;
    ensure!(
        page.finished().await? != bits,
        "another text, the same bits"
    );
    page.close(&[]).await?;

    let page = Page::open(&at.page, DESKTOP, &named).await?;
    page.booted().await?;
    paste(&page, "bottles").await?;
    page.click("run").await?;
    ensure!(page.finished().await? == bits, "the same text, other bits");
    page.close(&[]).await
}
