//! A chart with its buttons, as every chart of an instrument has them: small, under it at the right.

use super::Page;
use super::plot::{Strip, strip};
use super::save::SaveChart;
use crate::plot::export::heading;
use crate::plot::{LineChart, Scene};
use yew::prelude::*;

/// What the file of a chart is called and says above the picture, which on the page stands beside it.
pub struct Keep<'a> {
    /// Its name, of words with hyphens.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its colours and what they mean, where the picture does not say so itself.
    pub keys: &'a [(&'a str, &'a str)],
}

impl Keep<'_> {
    /// A chart that says itself what its colours mean.
    pub fn new(name: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            title: title.into(),
            keys: &[],
        }
    }

    /// What is shown of a picture, and its buttons. `own` is where it comes from, where that is not the
    /// run on the page.
    pub fn of(self, page: &Page, scene: Scene, shown: Html, own: Option<AttrValue>) -> Html {
        let above = heading(&self.title, self.keys, scene.width);
        html! {
            <div class="keep">
                { shown }
                <SaveChart page={page.clone()} name={self.name} scenes={vec![above, scene]} {own} />
            </div>
        }
    }

    /// A chart over training, with the shared cursor.
    pub fn over_time(self, page: &Page, chart: LineChart) -> Html {
        let Strip { shown, scene } = strip(page, chart);
        self.of(page, scene, shown, None)
    }

    /// A picture that does not follow the cursor.
    pub fn still(self, page: &Page, scene: Scene) -> Html {
        let shown = Html::from_html_unchecked(scene.svg().into());
        self.of(page, scene, shown, None)
    }
}
