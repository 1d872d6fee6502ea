//! The parts of a model that its chains may move, as the page offers them: those this model has, the
//! many of a transformer in groups.

use crate::knobs::{Kind, Knobs};

/// A part: as settings and links name it, and short.
pub type Part = (&'static str, String);

/// What a part is, by its TransformerLens name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is<'a> {
    Tensor(&'a str),
    /// A layer, and what of it.
    Layer(&'a str, &'a str),
    /// A head: layer and number.
    Head(&'a str, &'a str),
}

fn what(part: &str) -> Is<'_> {
    match part.split('.').collect::<Vec<_>>()[..] {
        ["blocks", layer, "attn", "head", head] => Is::Head(layer, head),
        ["blocks", layer, of] => Is::Layer(layer, of),
        ["blocks", layer] => Is::Layer(layer, ""),
        _ => Is::Tensor(part),
    }
}

/// Whether this model has a part: as many layers, as many heads, an MLP.
fn has(knobs: &Knobs, part: &str) -> bool {
    let below = |text: &str, key: &str| text.parse::<usize>().is_ok_and(|i| i < knobs.size(key));
    let mlp = knobs.get("mlp").is_none() || knobs.int("mlp") > 0;
    match what(part) {
        Is::Tensor(name) => name != "mlp" || mlp,
        Is::Layer(layer, of) => below(layer, "layers") && (of != "mlp" || mlp),
        Is::Head(layer, head) => below(layer, "layers") && below(head, "heads"),
    }
}

/// Every part this model has.
fn all(knobs: &Knobs) -> impl Iterator<Item = &'static str> {
    let schema = knobs.schema().iter().find(|k| k.key == "part");
    let options = match schema.map(|k| k.kind) {
        Some(Kind::Choice { options }) => options,
        _ => &[],
    };
    options.iter().copied().filter(|part| has(knobs, part))
}

/// A part's name, short: `head 1.3` of `blocks.1.attn.head.3`.
#[must_use]
pub fn short(part: &str) -> String {
    match what(part) {
        Is::Tensor(name) => name.into(),
        Is::Layer(layer, "") => format!("layer {layer}"),
        Is::Layer(layer, of) => format!("layer {layer} {of}"),
        Is::Head(layer, head) => format!("head {layer}.{head}"),
    }
}

/// As many parts need no groups.
const FEW: usize = 6;

/// The parts in groups with their titles, the first of which is empty; no groups of a few parts.
#[must_use]
pub fn groups(knobs: &Knobs) -> Vec<(String, Vec<Part>)> {
    let mut out: Vec<(String, Vec<Part>)> = Vec::new();
    if all(knobs).count() <= FEW {
        return out;
    }
    for part in all(knobs) {
        let (group, name) = match what(part) {
            Is::Tensor("embed" | "pos_embed" | "unembed") => ("Embeddings".into(), part.into()),
            Is::Tensor("attn" | "mlp") => ("Layers".into(), format!("{part}, all layers")),
            Is::Tensor(_) => (String::new(), part.into()),
            Is::Layer(..) => ("Layers".into(), short(part)),
            Is::Head(layer, _) => (format!("Heads of layer {layer}"), short(part)),
        };
        match out.iter_mut().find(|g| g.0 == group) {
            Some(found) => found.1.push((part, name)),
            None => out.push((group, vec![(part, name)])),
        }
    }
    // A layer's own entry comes among its heads' in the list of names: groups of heads come last.
    crate::math::order::sort_by(&mut out, |a, b| {
        let last = |g: &str| g.starts_with("Heads");
        last(&a.0).cmp(&last(&b.0))
    });
    out
}

/// The heads of this model, each alone, and its layers, each whole.
#[must_use]
pub fn circuits(knobs: &Knobs) -> Vec<String> {
    all(knobs)
        .filter(|part| circuit(part).is_some())
        .map(ToString::to_string)
        .collect()
}

/// Layer and head of a part that is a head; layer alone of one that is a whole layer.
#[must_use]
pub fn circuit(part: &str) -> Option<(usize, Option<usize>)> {
    match what(part) {
        Is::Head(layer, head) => Some((layer.parse().ok()?, Some(head.parse().ok()?))),
        Is::Layer(layer, "") => Some((layer.parse().ok()?, None)),
        _ => None,
    }
}

/// The parts of this model that are worth a curve each: whole tensors, and each head alone.
#[must_use]
pub fn alone(knobs: &Knobs) -> Vec<String> {
    let wanted = |part: &&str| match what(part) {
        Is::Tensor(name) => name != "all" && name != "attn",
        Is::Layer(..) => false,
        Is::Head(..) => true,
    };
    all(knobs).filter(wanted).map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::app::link::parse;

    #[test]
    fn each_head_is_a_part() {
        let names = alone(&parse("#/induction").knobs);
        assert!(names.contains(&"blocks.1.attn.head.3".into()));
        assert!(
            !names
                .iter()
                .any(|n| n.starts_with("blocks.2") || n == "all" || n == "mlp")
        );
        assert_eq!(alone(&parse("#/tms").knobs), ["W", "b"]);
    }

    #[test]
    fn the_parts_this_model_has_are_each_in_one_group() {
        let told = |link: &str| -> Vec<(String, Vec<String>)> {
            let groups = groups(&parse(link).knobs).into_iter();
            groups
                .map(|(title, parts)| (title, parts.into_iter().map(|p| p.1).collect()))
                .collect()
        };
        let two = told("#/induction?heads=2");
        let titles: Vec<&str> = two.iter().map(|g| g.0.as_str()).collect();
        assert_eq!(
            titles,
            [
                "",
                "Embeddings",
                "Layers",
                "Heads of layer 0",
                "Heads of layer 1"
            ]
        );
        assert_eq!(two[0].1, ["all"]);
        assert_eq!(
            two[2].1,
            [
                "attn, all layers",
                "layer 0",
                "layer 0 attn",
                "layer 1",
                "layer 1 attn"
            ]
        );
        assert_eq!(two[4].1, ["head 1.0", "head 1.1"]);
        // An MLP brings its own; without one there is none to choose.
        assert!(
            told("#/induction?mlp=64")[2]
                .1
                .contains(&"layer 1 mlp".into())
        );
        assert!(!two.iter().flat_map(|g| &g.1).any(|p| p.contains("mlp")));
        assert!(groups(&parse("#/grok").knobs).is_empty());
        // Every part this model has is in one group.
        let knobs = parse("#/induction?layers=3").knobs;
        let mut grouped: Vec<&str> = Vec::new();
        for (_, parts) in groups(&knobs) {
            grouped.extend(parts.iter().map(|p| p.0));
        }
        let mut known: Vec<&str> = all(&knobs).collect();
        grouped.sort_unstable();
        known.sort_unstable();
        assert_eq!(grouped, known);
    }
}
