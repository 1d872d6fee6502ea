//! What a run that trains shows over time: its charts, the timeline under them, two checkpoints
//! beside each other, the stages.

use super::{Page, compare, llc, loss, pca, shelf, stages, storage, timeline, zoom};
use yew::prelude::*;

/// The charts and what goes by their axis.
pub fn trained(page: &Page) -> Html {
    html! {
        <>
            <div class="charts">
                <loss::LossChart ..page.clone() />
                <llc::LlcChart ..page.clone() />
                <pca::PcaChart ..page.clone() />
            </div>
            <timeline::Timeline ..page.clone() />
            <zoom::Zoom ..page.clone() />
            // What comes and goes has an element of its own that stays: yew 0.23 can lose the place
            // of a node whose next sibling goes in the same stroke.
            <div class="slot">{ storage::storage(page) }</div>
            { shelf::shelf(page) }
            <div class="slot">{ compare::compare(page) }</div>
            <div class="slot">{ stages::stage_table(page) }</div>
        </>
    }
}
