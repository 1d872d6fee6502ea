//! A text of one's own: pasted, learned, named by the link, and asked for where it is not.

use crate::instruments::wait;
use crate::page::Page;
use crate::scenarios::{DESKTOP, PHONE, Places};
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

/// Gives a file by the field beside the paste field; an empty one for no content.
const FILE: &str = "const e = document.querySelector('[data-test=own-file]'); const all = new DataTransfer();\
    all.items.add(new File([arguments[0]], 'mine.txt')); e.files = all.files; e.dispatchEvent(new Event('change', { bubbles: true })); return true;";

/// What is refused, and whether it is seen where the page stands; what stays in the field.
const REFUSED: &str = "const e = document.querySelector('[data-test=refused]'), r = e?.getBoundingClientRect();\
    return { why: e?.innerText ?? '', seen: !!r && r.top >= 0 && r.bottom <= innerHeight, field: document.querySelector('[data-test=own-paste]').value.length,\
        file: document.querySelector('[data-test=own-file]').value, told: document.querySelector('[data-test=own-told]').textContent };";

/// What is no text is refused where the person looks, and nothing is lost: the text that is read, what was
/// pasted, and the text before.
pub async fn own_text_refused(at: &Places) -> Result<()> {
    for kind in [DESKTOP, PHONE] {
        let page = Page::open(&at.page, kind, RUN).await?;
        page.booted().await?;
        let hash = paste(&page, "bottles").await?;
        let stand = "document.querySelector('[data-test=own-text]').closest('details').open = true; document.querySelector('[data-test=own-text]').scrollIntoView({ block: 'center' }); return true";
        page.browser.eval(stand, vec![]).await?;
        for (content, why) in [
            (String::new(), "is empty"),
            ("one line".into(), "at least 10 kB"),
            ("\0".repeat(20_000), "no plain text"),
            ("a line\n".repeat(300_000), "at most 2000 kB"),
        ] {
            page.browser.eval(FILE, vec![json!(content)]).await?;
            let said = wait(&page, why, REFUSED, |v| {
                v["why"].as_str().is_some_and(|w| w.contains(why))
            })
            .await?;
            let told = said["told"].as_str().unwrap_or_default();
            ensure!(
                said["seen"] == true && said["file"] == "" && told.starts_with("Your text of"),
                "{why}: {said}"
            );
        }
        page.fits("own-refused").await?;
        page.shot(&format!("own-refused-{}", kind.width)).await?;
        page.click("dismiss").await?;
        let short = "const e = document.querySelector('[data-test=own-paste]'); e.value = 'too short'; e.dispatchEvent(new Event('change', { bubbles: true })); return true;";
        page.browser.eval(short, vec![]).await?;
        wait(&page, "what was pasted stays", REFUSED, |v| {
            v["field"] == 9 && v["seen"] == true
        })
        .await?;
        page.click("dismiss").await?;
        // Another text; the one before is still here, and after a reload too.
        ensure!(
            paste(&page, "jars").await? != hash,
            "one name for two texts"
        );
        for reload in [false, true] {
            if reload {
                page.browser.reload().await?;
                page.booted().await?;
            }
            page.click("own-other").await?;
            wait(&page, "the text before", SAID, |v| {
                let same = v["hash"].as_str() == Some(&hash);
                v["asks"] == false && (same != reload)
            })
            .await?;
        }
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
    ensure!(
        page.look().await?.phase == "idle",
        "it runs without its text"
    );
    page.browser.resize(PHONE).await?;
    page.fits("asks-text").await?;
    page.browser.resize(DESKTOP).await?;
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
