//! What a visitor does with a model of text: its loss by kind of token, a passage, what it writes.

use crate::instruments::wait;
use crate::page::Page;
use crate::scenarios::{DESKTOP, Places};
use anyhow::{Result, ensure};
use serde_json::Value;

/// A small reader that trains in seconds on the CPU engine.
const RUN: &str = "#/text?v=1&d_model=16&heads=2&ctx=32&wrap=12&pmin=4&pmax=8&batch=6&steps=60&every=20&log=0&chains=0&engine=cpu";

/// The charts of the tab, the passage and the texts.
pub const SEEN: &str = "const q = n => document.querySelector(`[data-test=\"${n}\"]`); const n = (w, s) => q(w)?.querySelectorAll(s).length ?? 0;\
    return { kinds: n('kinds', '.plot .end'), copied: n('copied', '.plot .band'), columns: n('columns', '.plot .line'), step: q('passage')?.dataset.step ?? '',\
        tokens: n('passage', 'span[title*=expected]'), heat: n('passage', '.m3'), done: q('writing')?.dataset.done ?? '',\
        texts: [...(q('writing')?.querySelectorAll('pre') ?? [])].map(e => e.textContent), busy: !!q('stop-writing') };";

/// Another beginning is typed.
pub const TYPE: &str = "const e = document.querySelector('[data-test=prompt]'); e.value = 'They went'; e.dispatchEvent(new InputEvent('input', { bubbles: true })); return true;";

/// The texts that were written.
pub fn texts(seen: &Value) -> Vec<String> {
    let all = seen["texts"].as_array().into_iter().flatten();
    all.filter_map(|t| t.as_str().map(str::to_owned)).collect()
}

/// A token's figures by the keyboard alone: shown under the passage, and the charts' cursor stays.
async fn by_key(page: &Page) -> Result<()> {
    let script = "const key = k => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: k, bubbles: true, cancelable: true }));\
        const all = [...document.querySelectorAll('[data-test=passage] [role=option]')]; all[0].focus();\
        const told = () => getComputedStyle(document.activeElement, '::after').content;\
        const seen = [told()]; for (const k of ['ArrowRight', 'ArrowRight', 'ArrowLeft']) { key(k); seen.push(told()); }\
        return { seen, at: all.indexOf(document.activeElement), stops: all.filter(e => e.tabIndex === 0).length }";
    let got = page.browser.eval(script, vec![]).await?;
    let seen = got["seen"].as_array().cloned().unwrap_or_default();
    let told = |t: &Value| t.as_str().is_some_and(|t| t.contains("nats, expected"));
    ensure!(
        got["at"] == 1 && got["stops"] == 2 && seen.len() == 4 && seen.iter().all(told),
        "the arrow keys do not lead from token to token: {got}"
    );
    ensure!(
        seen[3] == seen[1] && seen[2] != seen[1],
        "not there and back: {got}"
    );
    Ok(())
}

pub async fn reading_on_cpu(at: &Places) -> Result<()> {
    let page = Page::open(&at.page, DESKTOP, &format!("{RUN}&seed=2")).await?;
    page.booted().await?;
    page.click("run").await?;
    page.finished().await?;
    page.click("tab-text").await?;
    wait(&page, "the charts of the text", SEEN, |v| {
        let at_least = |key: &str, n| v[key].as_u64() >= Some(n);
        at_least("kinds", 4) && at_least("copied", 1) && at_least("columns", 3)
    })
    .await?;
    page.click("ask-passage").await?;
    wait(&page, "a passage", SEEN, |v| {
        v["step"] == "60" && v["tokens"].as_u64() == Some(2 * 31) && v["heat"].as_u64() > Some(0)
    })
    .await?;
    by_key(&page).await?;
    page.browser.eval(TYPE, vec![]).await?;
    let wrote = |v: &Value| v["done"] == "200" && v["busy"] == false;
    page.click("write").await?;
    let first = wait(&page, "three texts", SEEN, wrote).await?;
    let texts = texts(&first);
    let begins = |t: &String| t.starts_with("They went") && t.chars().count() == 9 + 200;
    ensure!(
        texts.len() == 3 && texts.iter().all(begins),
        "not gone on from the beginning: {first}"
    );
    ensure!(texts[0] != texts[1], "draws are the same: {first}");
    page.close(&[]).await
}
