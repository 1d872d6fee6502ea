//! What to look for, and the story beside the plots.

use super::{Page, handed};
use crate::app::markdown::{Block, Span, parse};
use crate::app::terms;
use crate::experiments::Sample;
use yew::prelude::*;

/// What to look for, in order.
pub fn look_for(page: &Page) -> Html {
    let card = page.state.card();
    if card.look_for.is_empty() {
        return Html::default();
    }
    html! {
        <section class="look-for">
            <h2>{"What to look for"}</h2>
            <ol>{ for (0..card.look_for.len()).map(|i| html! { <li>{ terms::told("look", card.id, &i.to_string()) }</li> }) }</ol>
        </section>
    }
}

/// The story, whose text came with the page.
#[component]
pub fn Story(page: &Page) -> Html {
    let blocks = use_memo(page.state.card().id, |id| {
        let text = handed(&format!("story-{id}")).unwrap_or_default();
        parse(&text)
    });
    let state = &page.state;
    let sample = (state.card().sample)(&state.link.knobs);
    if blocks.is_empty() {
        return Html::default();
    }
    html! {
        <details class="story" open=true>
            <summary>{"The story"}</summary>
            <article>{ for blocks.iter().map(block) }{ for sample.map(shown) }</article>
        </details>
    }
}

/// An example of what the model reads, and the rules it is made by.
fn shown(sample: Sample) -> Html {
    html! {
        <details data-test="sample">
            <summary>{ sample.title }</summary>
            <pre><code>{ sample.text }</code></pre>
            <p>{ sample.made }</p>
            <pre><code>{ sample.rules }</code></pre>
        </details>
    }
}

fn block(block: &Block) -> Html {
    match block {
        Block::Heading(1, line) => html! { <h2>{ for line.iter().map(span) }</h2> },
        Block::Heading(_, line) => html! { <h3>{ for line.iter().map(span) }</h3> },
        Block::Paragraph(line) => html! { <p>{ for line.iter().map(span) }</p> },
        Block::Code(text) => html! { <pre><code>{ text }</code></pre> },
        Block::List(true, items) => html! { <ol>{ for items.iter().map(|i| item(i)) }</ol> },
        Block::List(false, items) => html! { <ul>{ for items.iter().map(|i| item(i)) }</ul> },
        Block::Table(rows) => table(rows),
    }
}

fn item(line: &[Span]) -> Html {
    html! { <li>{ for line.iter().map(span) }</li> }
}

fn table(rows: &[Vec<Vec<Span>>]) -> Html {
    let Some((head, body)) = rows.split_first() else {
        return Html::default();
    };
    html! {
        <div class="table"><table>
            <thead><tr>{ for head.iter().map(|c| html! { <th scope="col">{ for c.iter().map(span) }</th> }) }</tr></thead>
            <tbody>{ for body.iter().map(|row| html! {
                <tr>{ for row.iter().map(|c| html! { <td>{ for c.iter().map(span) }</td> }) }</tr>
            }) }</tbody>
        </table></div>
    }
}

fn span(span: &Span) -> Html {
    match span {
        Span::Plain(text) => html! { { text } },
        Span::Emphasis(text) => html! { <em>{ text }</em> },
        Span::Strong(text) => html! { <strong>{ text }</strong> },
        Span::Code(text) => html! { <code>{ text }</code> },
        Span::Link(text, address) => {
            html! { <a href={address.clone()} rel="noopener">{ text }</a> }
        }
    }
}
