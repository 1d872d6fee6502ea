//! One model asked about fixed sequences, token by token, whole and without each of its heads.

use super::plan;
use super::sizes::Sizes;
use super::world::World;
use crate::experiments::STATS;
use crate::experiments::versus::{Copy, Scorer};
use crate::knobs::Knobs;
use crate::math::Stream;
use crate::model::{Data, Io, Transformer};
use crate::plan::Plan;
use crate::protocol::{Fault, TokenSet};

/// Sequences that are asked about.
const SEQUENCES: usize = 64;
/// Their step in the held-out stream: runs evaluate on step 0.
const STEP: u32 = 1;

/// The sequences of a world and a seed.
fn set(world: &dyn World, sizes: &Sizes, seed: u32) -> TokenSet {
    let (mut tokens, ctx) = (Vec::new(), sizes.ctx);
    world.batch(seed, Stream::HeldOut, STEP, SEQUENCES, &mut tokens);
    let classes = tokens.split_off(SEQUENCES * ctx);
    let [a, b, rest] = *world.classes();
    TokenSet {
        vocab: sizes.vocab,
        ctx,
        periods: tokens.chunks(ctx).map(|s| world.period(s)).collect(),
        texts: world.texts(),
        tokens,
        classes,
        names: [rest, a, b].map(Into::into),
    }
}

/// The unchanged model, each head missing, each block's heads missing.
fn copies(layers: usize, heads: usize) -> Vec<Copy> {
    let copy = |name: String, lacks| Copy { name, lacks };
    let one = |h: usize| copy(format!("head {}.{}", h / heads, h % heads), h..h + 1);
    let block = |l: usize| {
        copy(
            format!("all heads of block {l}"),
            l * heads..(l + 1) * heads,
        )
    };
    let mut all = vec![copy(String::new(), 0..0)];
    all.extend((0..layers * heads).map(one));
    all.extend((0..layers).map(block));
    all
}

/// Builds the program that asks a model about sequences of a world.
///
/// # Errors
/// `BadLink` for a model that cannot be; `Internal` for a mistake.
pub fn scorer(knobs: &Knobs, world: &dyn World, seed: u32) -> Result<Scorer, Fault> {
    let spec = plan::spec(knobs);
    if let Some(why) = spec.refusal() {
        return Err(Fault::BadLink(why));
    }
    let sizes = Sizes {
        batch: SEQUENCES,
        replicas: 1,
        chains: 0,
        ..Sizes::of(knobs)
    };
    let copies = copies(spec.n_layers, spec.n_heads);
    let replicas = sizes.ablation().map_or(1, |(side_by_side, _)| side_by_side);
    let mut plan = Plan::default();
    let heads = spec.n_layers * spec.n_heads;
    let rows = SEQUENCES * spec.n_ctx;
    let params = plan.host_f32("params", spec.arena().len());
    let head_scale = plan.host_f32("head_scale", replicas * heads);
    let feed = plan.host_u32("feed", 2 * rows);
    let stats = plan.f32("stats", replicas * STATS);
    let io = Io {
        params,
        grads: None,
        feed,
        rows: 1,
        stats,
        head_scale,
        batch: SEQUENCES,
    };
    let model = Transformer::shared(&mut plan, &spec, io, replicas);
    let program = plan.program("versus", replicas);
    let data = Data {
        feed,
        rows: 1,
        stats,
    };
    model.forward_on(&mut plan, program, data)?;
    Ok(Scorer {
        program,
        replicas,
        copies,
        params,
        head_scale,
        heads,
        losses: model.losses(),
        feed,
        set: set(world, &sizes, seed),
        plan,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_head_and_every_block_is_missing_once() {
        let all = copies(2, 3);
        assert_eq!(all.len(), 1 + 6 + 2);
        assert_eq!((all[0].name.as_str(), all[0].lacks.len()), ("", 0));
        assert_eq!((all[5].name.as_str(), &all[5].lacks), ("head 1.1", &(4..5)));
        assert_eq!(
            (all[8].name.as_str(), &all[8].lacks),
            ("all heads of block 1", &(3..6))
        );
    }
}
