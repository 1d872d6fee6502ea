//! Held-out tokens with their losses: the worst and the best in their context. Pure.

use crate::protocol::{Figure, Tokens};

/// The texts of the tokens of a model with this figure; none where they are numbers.
#[must_use]
pub fn texts(figure: &Figure) -> &[String] {
    match figure {
        Figure::Attention { texts, .. } => texts,
        _ => &[],
    }
}

/// A token as a person reads it: its text, what cannot be seen made visible; or its number, where tokens
/// have no text.
#[must_use]
pub fn shown(texts: &[String], token: u32) -> String {
    match texts.get(token as usize) {
        Some(text) => text.replace('\n', "↵").replace(' ', "␣"),
        None => token.to_string(),
    }
}

/// Tokens shown before one.
const BEFORE: usize = 10;
/// Class of a position that has no target.
const NONE: u32 = 0;

/// A token that was predicted, with what came before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicted {
    /// Sequence and place of the token in it.
    pub at: (usize, usize),
    /// The tokens before it, the last of them next to it.
    pub context: Vec<u32>,
    /// The token.
    pub token: u32,
    /// Which of the tokens before it are its own copies, by place in `context`.
    pub copies: Vec<usize>,
    /// Class of the target.
    pub class: u32,
    /// Its loss, nats.
    pub loss: f64,
}

/// The `most` tokens with the greatest losses, greatest first, or the smallest, smallest first; of one
/// class of targets, if one is given.
#[must_use]
pub fn ranked(all: &Tokens, worst: bool, class: Option<u32>, most: usize) -> Vec<Predicted> {
    let ctx = all.ctx.max(1);
    let wanted = |i: &usize| {
        let own = all.classes.get(*i).copied().unwrap_or(NONE);
        own != NONE
            && class.is_none_or(|c| c == own)
            && !(i + 1).is_multiple_of(ctx)
            && all.losses[*i].is_finite()
    };
    let mut rows: Vec<usize> = (0..all.losses.len().min(all.tokens.len()))
        .filter(wanted)
        .collect();
    let key = |i: &usize| {
        if worst {
            -all.losses[*i]
        } else {
            all.losses[*i]
        }
    };
    crate::math::order::sort_by(&mut rows, |a, b| key(a).total_cmp(&key(b)).then(a.cmp(b)));
    let told = |i: usize| {
        let (sequence, place) = (i / ctx, i % ctx);
        let from = (place + 1).saturating_sub(BEFORE);
        let context = all.tokens[sequence * ctx + from..=i].to_vec();
        let token = all.tokens.get(i + 1).copied().unwrap_or_default();
        let copies = (0..context.len())
            .filter(|&k| context[k] == token)
            .collect();
        Predicted {
            at: (sequence, place + 1),
            context,
            token,
            copies,
            class: all.classes[i],
            loss: f64::from(all.losses[i]),
        }
    };
    rows.into_iter().take(most).map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_its_text_or_its_number() {
        let texts = ["\u{fffd}", "\n", " a"].map(String::from);
        let said: Vec<String> = (1..4).map(|t| shown(&texts, t)).collect();
        assert_eq!(said, ["↵", "␣a", "3"]);
        assert_eq!(shown(&[], 7), "7");
    }

    #[test]
    fn the_worst_and_the_best_stand_in_their_context() {
        let all = Tokens {
            step: 0,
            ctx: 4,
            tokens: vec![5, 6, 7, 5, 1, 2, 1, 2],
            classes: vec![2, 2, 3, 0, 2, 3, 3, 0],
            // The last of each sequence predicts nothing, whatever stands there.
            losses: vec![1.0, 4.0, 0.5, 99.0, 2.0, 0.1, 3.0, 99.0],
            ..Tokens::default()
        };
        let worst = ranked(&all, true, None, 2);
        assert_eq!(
            (worst[0].at, worst[0].token, worst[0].loss),
            ((0, 2), 7, 4.0)
        );
        assert_eq!(
            (worst[1].at, worst[1].context.as_slice()),
            ((1, 3), &[1, 2, 1][..])
        );
        assert_eq!((worst[1].token, worst[1].copies.as_slice()), (2, &[1][..]));
        let best = ranked(&all, false, Some(3), 9);
        let losses: Vec<f64> = best
            .iter()
            .map(|p| (p.loss * 10.0).round() / 10.0)
            .collect();
        assert_eq!(losses, [0.1, 0.5, 3.0]);
        assert!(ranked(&Tokens::default(), true, None, 3).is_empty());
    }
}
