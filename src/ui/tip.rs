//! A tooltip that pointer, touch and keyboard reach: a small button whose text shows while it is
//! hovered or has the focus. Escape lets it go.

use yew::prelude::*;

/// What a tooltip explains.
#[derive(Clone, PartialEq, Properties)]
pub struct TipProps {
    /// What it is about, for those who hear the page.
    pub about: AttrValue,
    /// Id of the text, for fields it describes.
    #[prop_or_default]
    pub id: Option<AttrValue>,
    /// The text.
    pub children: Html,
}

/// The button with its text.
#[component]
pub fn Tip(props: &TipProps) -> Html {
    html! {
        <button type="button" class="tip" aria-label={format!("About {}", props.about)}>
            <span aria-hidden="true">{"i"}</span>
            <span role="tooltip" id={props.id.clone()}>{ props.children.clone() }</span>
        </button>
    }
}

/// Words on the page that carry their meaning with them: a tooltip without a button of its own.
pub fn hint(text: &str, help: &str) -> Html {
    html! {
        <button type="button" class="tip hint">{ text.to_string() }<span role="tooltip">{ help.to_string() }</span></button>
    }
}

/// A name with its meaning.
pub type Term = (String, String);

/// A tooltip of several terms: the first line, then each term with its meaning.
pub fn terms(about: &str, first: &str, list: &[Term]) -> Html {
    html! {
        <Tip about={about.to_string()}>
            { first.to_string() }
            { for list.iter().map(|(name, help)| html! {
                <span class="term"><b>{ name }</b>{" "}{ help }</span>
            }) }
        </Tip>
    }
}

/// A row of a list of figures: name, tooltip, value.
pub fn row(name: &str, help: &str, value: String) -> Html {
    html! {
        <div>
            <dt>{ name.to_string() }{" "}<Tip about={name.to_string()}>{ help.to_string() }</Tip></dt>
            <dd data-test={name.replace(' ', "-")}>{ value }</dd>
        </div>
    }
}
