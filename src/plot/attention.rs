//! Attention patterns as files: one head as a picture with its tokens, all heads as rows.

use super::number::fixed;
use super::scene::{Anchor, Mark, Scene};
use std::fmt::Write as _;

/// Pixels of a cell, and of the margin that the tokens stand in.
const CELL: f64 = 11.0;
const MARGIN: f64 = 70.0;

/// One head: queries down, keys across, the darker the more attention; `pattern` `[query][key]` in 0..=255.
#[must_use]
pub fn scene(name: &str, pattern: &[u8], ctx: usize, tokens: &[String]) -> Scene {
    let side = CELL * ctx as f64;
    let mut marks = Vec::new();
    for (q, row) in pattern.chunks_exact(ctx.max(1)).enumerate() {
        let y = MARGIN + CELL * q as f64;
        let token = tokens.get(q).map_or("", String::as_str);
        let text = |at, anchor| Mark::text("tick", at, anchor, token);
        marks.push(text([MARGIN - 4.0, y + 9.0], Anchor::End));
        // Keys stand under their column where there is room for three letters, each second one higher.
        let step = if q % 2 == 0 { 14.0 } else { 27.0 };
        let x = MARGIN + CELL * (q as f64 + 0.5);
        marks.push(text([x, MARGIN + side + step], Anchor::Middle));
        for (k, &a) in row.iter().enumerate().take(q + 1).filter(|c| *c.1 > 0) {
            let share = f64::from(a) / 255.0;
            marks.push(Mark::Rect {
                class: "bar".into(),
                rect: [MARGIN + CELL * k as f64, y, CELL, CELL],
                // As on the page: the root lifts weak attention into sight.
                opacity: share.sqrt(),
                title: format!("position {q} to {k}: {}", fixed(share, 2)),
            });
        }
    }
    let line = |from: [f64; 2], to: [f64; 2]| Mark::line("axis", from, to);
    let corner = [MARGIN, MARGIN + side];
    marks.push(line([MARGIN, MARGIN], corner));
    marks.push(line(corner, [MARGIN + side, MARGIN + side]));
    let title = |at, text| Mark::text("axis-title", at, Anchor::Start, text);
    marks.push(title([4.0, MARGIN - 8.0], "query"));
    marks.push(title([MARGIN, MARGIN + side + 44.0], "key"));
    Scene {
        width: MARGIN + side + 20.0,
        height: MARGIN + side + 52.0,
        label: format!("{name}: attention of each position to those before it"),
        marks,
    }
}

/// Every head, a row for each pair of positions: `layer,head,query,key,query_token,key_token,attention`, tokens
/// by their numbers, attention in steps of 1/255. `patterns` `[layer][head][query][key]`.
#[must_use]
pub fn csv(patterns: &[u8], [heads, ctx]: [usize; 2], tokens: &[u32]) -> String {
    let mut out = String::from("layer,head,query,key,query_token,key_token,attention\n");
    let token = |i: usize| tokens.get(i).map(ToString::to_string).unwrap_or_default();
    for (i, pattern) in patterns.chunks_exact((ctx * ctx).max(1)).enumerate() {
        let (layer, head) = (i / heads.max(1), i % heads.max(1));
        for (q, row) in pattern.chunks_exact(ctx).enumerate() {
            for (k, &a) in row.iter().enumerate().take(q + 1) {
                let a = fixed(f64::from(a) / 255.0, 4);
                let _ = writeln!(out, "{layer},{head},{q},{k},{},{},{a}", token(q), token(k));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_head_sees_is_drawn_and_written_and_nothing_later() {
        let pattern = [255, 9, 51, 204];
        let tokens = ["a".to_string(), "b".to_string()];
        let drawn = scene("head 0.0", &pattern, 2, &tokens);
        let cells = drawn.marks.iter().filter_map(|m| match m {
            Mark::Rect { rect, opacity, .. } => Some((rect[0], rect[1], (opacity * 100.0).round())),
            _ => None,
        });
        let cells: Vec<_> = cells.collect();
        let [near, far] = [MARGIN, MARGIN + CELL];
        assert_eq!(
            cells,
            [(near, near, 100.0), (near, far, 45.0), (far, far, 89.0)]
        );
        let both = pattern.repeat(2);
        let rows = csv(&both, [2, 2], &[7, 8]);
        let lines: Vec<&str> = rows.lines().skip(1).collect();
        assert_eq!(lines[1], "0,0,1,0,8,7,0.2000");
        assert_eq!(
            lines[3..],
            [
                "0,1,0,0,7,7,1.0000",
                "0,1,1,0,8,7,0.2000",
                "0,1,1,1,8,8,0.8000"
            ]
        );
        // Planted: with one head a layer the second pattern is of the second layer.
        assert!(csv(&both, [1, 2], &[7, 8]).contains("\n1,0,1,0,"));
    }
}
