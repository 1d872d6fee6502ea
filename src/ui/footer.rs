//! The foot of the page: version, licences, and what is rarely pressed.

use super::Page;
use crate::VERSION;
use crate::app::Action;
use crate::app::action::Toggle;
use yew::prelude::*;

/// The footer.
pub fn footer(page: &Page) -> Html {
    html! {
        <footer class="foot muted">
            { format!("lambdahat {VERSION}, MIT or Apache-2.0. ") }
            <a href="LICENSES.txt" data-test="licences">{"Licences of everything in this page"}</a>
            <span class="toggles">
            <button type="button" class="small" data-test="projector" onclick={page.on(Action::View(Toggle::Projector))}
                aria-pressed={page.state.view.projector.to_string()}>{"light and large, for a projector"}</button>
            <button type="button" class="small" data-test="theme" onclick={page.on(Action::View(Toggle::Theme))}>{ format!("colours: {}", page.state.view.theme.name()) }</button>
            <button type="button" class="small" onclick={page.on(Action::View(Toggle::Keys))}
                aria-expanded={page.state.view.keys.to_string()}>{"keys"}</button>
            </span>
        </footer>
    }
}
