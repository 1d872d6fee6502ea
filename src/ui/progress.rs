//! How far a study is, and a way to stop it.

use super::Page;
use crate::app::{Action, words};
use crate::protocol::Study;
use yew::prelude::*;

/// What is under way.
#[derive(Clone, PartialEq, Properties)]
pub struct ProgressProps {
    /// The study.
    pub study: Study,
    /// State and actions.
    pub page: Page,
}

/// How far a study is, and a way to stop it.
#[component]
pub fn Progress(props: &ProgressProps) -> Html {
    let (done, all) = (props.study.done.len(), props.study.spec.cells.len());
    let what = words::counted(props.study.spec.kind);
    html! {
        <p class="progress" role="status" data-test="study" data-done={done.to_string()} data-over={props.study.over.to_string()}>
            <progress max="1" value={if props.study.over { done as f64 / all.max(1) as f64 } else { props.study.share }.to_string()} />
            { format!(" {done} of {all} {what}") }
            if props.study.over {
                { if done < all { ", stopped" } else { "" } }
            } else {
                { format!(", {} %", (100.0 * props.study.share) as u32) }
                { props.study.left_s.map(|s| format!(", {} left ", words::about(s))).unwrap_or_default() }
                <button type="button" class="small" onclick={props.page.on(Action::StopStudy)}>{"Stop"}</button>
            }
        </p>
    }
}
