//! The foot of the page: version and licences.

use crate::VERSION;
use yew::prelude::*;

/// The footer.
#[component]
pub fn Footer() -> Html {
    html! {
        <footer class="foot muted">
            { format!("lambdahat {VERSION}, MIT or Apache-2.0. ") }
            <a href="LICENSES.txt" data-test="licences">{"Licences of everything in this page"}</a>
        </footer>
    }
}
