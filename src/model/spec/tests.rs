#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn the_default_has_52224_parameters() {
    let spec = Spec::default();
    assert_eq!(spec.arena().len(), 52_224);
    assert_eq!(spec.init(1).len(), 52_224);
    assert_eq!(spec.groups().len(), 52_224);
    assert_eq!(spec.splits(), 8);
    assert!(spec.refusal().is_none());
}

#[test]
fn a_part_is_its_tensors_and_nothing_else() {
    let spec = Spec {
        d_mlp: 32,
        ..Spec::default()
    };
    let (arena, groups) = (spec.arena(), spec.groups());
    let count = |part: &str| {
        let mask = spec.mask(part).unwrap();
        groups.iter().filter(|&&g| mask >> g & 1 == 1).count()
    };
    let len = |prefix: &str| -> usize {
        let of = arena.tensors.iter().filter(|t| t.name.starts_with(prefix));
        of.map(super::super::super::tensor::Tensor::len).sum()
    };
    assert_eq!(count("all"), arena.len());
    for part in [
        "embed",
        "pos_embed",
        "unembed",
        "blocks.0",
        "blocks.1.attn",
        "blocks.0.mlp",
    ] {
        assert_eq!(count(part), len(part), "{part}");
    }
    assert_eq!(count("mlp"), len("blocks.0.mlp") + len("blocks.1.mlp"));
    assert_eq!(
        count("attn") + count("mlp"),
        count("blocks.0") + count("blocks.1")
    );
    assert_eq!(4 * count("blocks.1.attn.head.3"), len("blocks.1.attn"));
    let heads = (0..4).map(|h| spec.mask(&format!("blocks.1.attn.head.{h}")).unwrap());
    assert_eq!(heads.sum::<u64>(), spec.mask("blocks.1.attn").unwrap());
    for none in [
        "",
        "blocks",
        "blocks.2",
        "blocks.0.attn.head.4",
        "blocks.0.ln1",
        "embed.W_E",
        "all.1",
    ] {
        assert_eq!(spec.mask(none), None, "{none}");
    }
    assert_eq!(Spec::default().mask("mlp"), None);
    // Sixteen heads in four layers share groups: one of them alone cannot be named.
    let crowded = Spec {
        n_layers: 4,
        n_heads: 16,
        d_head: 4,
        ..Spec::default()
    };
    assert!(crowded.mask("blocks.0.attn.head.0").is_none() && crowded.mask("blocks.3").is_some());
    for part in super::super::PARTS {
        assert!(
            spec.mask(part).is_some() || part.starts_with("blocks."),
            "{part}"
        );
    }
}

#[test]
fn matrices_start_normal_and_norms_at_identity() {
    let spec = Spec {
        d_mlp: 32,
        norm: Norm::LayerNorm,
        ..Spec::default()
    };
    let (init, arena) = (spec.init(3), spec.arena());
    let of = |name: &str| &init[arena.get(name).unwrap().range()];
    let w = of("blocks.1.attn.W_O");
    let var = w.iter().map(|w| w * w).sum::<f32>() / w.len() as f32;
    assert!((var * 64.0 - 1.0).abs() < 0.1, "{var}");
    assert!(of("ln_final.w").iter().all(|&w| w == 1.0));
    assert!(of("blocks.0.mlp.b_in").iter().all(|&w| w == 0.0));
    assert_ne!(spec.init(4)[0], init[0]);
}

/// Every group is its own set of parameters, and all ids fit the mask, even with many heads.
#[test]
fn groups_fit_the_mask() {
    let spec = Spec {
        d_mlp: 8,
        norm: Norm::LayerNorm,
        ..Spec::default()
    };
    let (groups, arena) = (spec.groups(), spec.arena());
    let at = |name: &str| arena.get(name).unwrap().offset;
    assert_eq!(groups[at("blocks.1.attn.W_V")], spec.head_group(1, 0));
    assert_eq!(
        groups[at("blocks.1.attn.W_V") + 3 * 64 * 16],
        spec.head_group(1, 3)
    );
    assert_eq!(
        groups[at("blocks.1.attn.W_O") + 16 * 64],
        spec.head_group(1, 1)
    );
    assert_eq!(groups[at("blocks.0.mlp.W_in")], spec.mlp_group(0));
    assert_eq!(groups[at("blocks.0.ln2.w")], 3);
    assert!(spec.mlp_group(0) < spec.head_group(1, 0));
    let many = Spec {
        n_layers: 4,
        n_heads: 32,
        d_head: 2,
        d_mlp: 8,
        ..spec
    };
    assert!(many.groups().iter().all(|&g| g < 64));
}
