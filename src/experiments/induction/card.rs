//! What the page knows.

use crate::experiments::{Card, Cost};

/// The card.
pub const CARD: Card = Card {
    id: "induction",
    title: "induction",
    claim: "",
    look_for: &[],
    knobs: &[],
    presets: &[],
    light: None,
    losses: &[],
    reference: |_| Vec::new(),
    settle: |_| Vec::new(),
    cost: |_| Cost::default(),
    story: include_str!("story.md"),
};
