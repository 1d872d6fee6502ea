//! Gradients of [`super::linear`]: of its input (`dx = dy'·Wᵀ`) and of its weights
//! (`dW = f(x)ᵀ·dy'`, `db = Σ dy'`), with `dy' = dy·act'(pre)`.

use super::linear::{Input, slope};
use super::norm::{Stage, split};
use super::rows::{BLOCK, Panels, chunks, chunks2, product};
use super::{Call, Kernel, read, word, write};
use lambdahat_math::Real;
use std::borrow::Cow;

/// Tokens the weight gradient takes at a time: a block of dy that stays in cache.
const TOKENS: usize = 64;

/// `dx [replica][rows][inner]`, at the output of the LayerNorm where there is one. The part that
/// comes through the first `pos_groups` groups is the gradient of the position and is written to
/// `dpos [layer][replica][rows][inner]`, section `layer`.
pub const LINEAR_DX: Kernel = Kernel {
    name: "nn/linear_dx",
    source: crate::shader!("../../shaders/nn/linear_dx.wgsl"),
    consts: &[
        "rows",
        "inner",
        "groups",
        "width",
        "pos_groups",
        "act",
        "residual",
    ],
    params: &[word("arena"), word("w"), word("layer")],
    bindings: &[
        read("dy"),
        read("weights"),
        read("pre"),
        read("dresidual"),
        write("dx"),
        write("dpos"),
    ],
    grid: |c| [c[1].div_ceil(32), c[0].div_ceil(32)],
    needs: |c, p, r| {
        let [rows, inner, groups, width] = [c[0], c[1], c[2], c[3]].map(|x| x as usize);
        let (n_in, n_out) = (r * rows * inner, r * rows * groups * width);
        let on = |flag: u32, len: usize| if flag == 0 { 0 } else { len };
        vec![
            n_out,
            r * p[0] as usize,
            on(c[5], n_out),
            on(c[6], n_in),
            n_in,
            on(c[4], (p[2] as usize + 1) * n_in),
        ]
    },
    tolerance: 2e-5,
    twin: crate::twin!(linear_dx),
};

/// `dy·act'(pre)`.
fn behind_activation<'a, T: Real>(act: usize, dy: &'a [T], pre: &[T]) -> Cow<'a, [T]> {
    if act == 0 {
        return Cow::Borrowed(dy);
    }
    Cow::Owned(
        dy.iter()
            .zip(pre)
            .map(|(&dy, &pre)| dy * slope(act, pre))
            .collect(),
    )
}

fn linear_dx<T: Real>(mut call: Call<'_, T>) {
    let [rows, k, groups, width, pos_groups, act, residual] = call.consts();
    let (arena, w_at, layer) = (call.offset(0), call.offset(1), call.offset(2));
    let count = call.replicas.len();
    let [dy, weights, pre, dresidual, dx, dpos] = call.slots();
    let (dy, weights, pre, dresidual) = (dy.f(), weights.f(), pre.f(), dresidual.f());
    let (dx, dpos) = (dx.out(), dpos.out());
    let m = groups * width;
    let pc = pos_groups * width;
    for r in 0..count {
        let w = &weights[r * arena + w_at..];
        let w_pos = Panels::transposed(w, k, width, 0, pos_groups);
        let w = Panels::transposed(w, k, width, pos_groups, groups);
        let rest = |block: usize, dx: &mut [T]| {
            let len = dx.len() / k;
            let at = r * rows + block * BLOCK;
            let pre = if act == 0 {
                &[]
            } else {
                &pre[at * m..][..len * m]
            };
            let dy = behind_activation(act, &dy[at * m..][..len * m], pre);
            product(dx, &dy[pc..], (m, k), len, &w, 0..m - pc, k);
            if residual == 1 {
                for (dx, &along) in dx.iter_mut().zip(&dresidual[at * k..]) {
                    *dx += along;
                }
            }
        };
        let dx = &mut dx[r * rows * k..][..rows * k];
        if pos_groups == 0 {
            chunks(dx, BLOCK * k, |block, dx| {
                dx.fill(T::zero());
                rest(block, dx);
            });
        } else {
            // Only queries and keys see positions, and they have no activation.
            let dpos = &mut dpos[(layer * count + r) * rows * k..][..rows * k];
            chunks2((dx, BLOCK * k), (dpos, BLOCK * k), |block, dx, dpos| {
                let at = r * rows + block * BLOCK;
                dpos.fill(T::zero());
                product(
                    dpos,
                    &dy[at * m..],
                    (m, k),
                    dpos.len() / k,
                    &w_pos,
                    0..pc,
                    k,
                );
                dx.copy_from_slice(dpos);
                rest(block, dx);
            });
        }
    }
}

/// Partial gradients of `W [groups][inner][width]` and the bias, one for each of `splits` shares
/// of the rows, into `grads [replica][splits][arena]` at the places the weights have in their arena.
pub const LINEAR_DW: Kernel = Kernel {
    name: "nn/linear_dw",
    source: crate::shader!("../../shaders/nn/linear_dw.wgsl"),
    consts: &[
        "rows",
        "ctx",
        "inner",
        "groups",
        "width",
        "norm",
        "pos_groups",
        "bias",
        "act",
        "splits",
    ],
    params: &[
        word("arena"),
        word("w"),
        word("b"),
        word("ln_w"),
        word("ln_b"),
        word("w_pos"),
    ],
    bindings: &[
        read("x"),
        read("dy"),
        read("pre"),
        read("weights"),
        read("norms"),
        write("grads"),
    ],
    grid: |c| {
        [
            (c[3] * c[4]).div_ceil(32),
            (c[2] + c[7]).div_ceil(32) * c[9],
        ]
    },
    needs: |c, p, r| {
        let [rows, inner, groups, width] = [c[0], c[2], c[3], c[4]].map(|x| x as usize);
        let (arena, out) = (p[0] as usize, r * rows * groups * width);
        vec![
            r * rows * inner,
            out,
            if c[8] == 0 { 0 } else { out },
            r * arena,
            if c[5] == 0 { 0 } else { r * rows * 2 },
            r * c[9] as usize * arena,
        ]
    },
    tolerance: 5e-5,
    twin: crate::twin!(linear_dw),
};

fn linear_dw<T: Real>(mut call: Call<'_, T>) {
    let [
        rows,
        ctx,
        k,
        groups,
        width,
        norm,
        pos_groups,
        bias,
        act,
        splits,
    ] = call.consts();
    let arena = call.offset(0);
    let [w_at, b_at, lnw_at, lnb_at, pos_at] = std::array::from_fn(|i| call.offset(i + 1));
    let count = call.replicas.len();
    let [x, dy, pre, weights, norms, grads] = call.slots();
    let (x, dy, pre, weights) = (x.f(), dy.f(), pre.f(), weights.f());
    let (norms, grads) = (norms.f(), grads.out());
    let m = groups * width;
    let pc = pos_groups * width;
    chunks(&mut grads[..count * splits * arena], arena, |rs, grads| {
        let (r, s) = (rs / splits, rs % splits);
        let p = &weights[r * arena..][..arena];
        let input = Input {
            x: &x[r * rows * k..][..rows * k],
            norm: (norm == 1).then(|| Stage {
                w: &p[lnw_at..][..k],
                b: &p[lnb_at..][..k],
                norms: &norms[2 * r * rows..][..2 * rows],
            }),
            pos: (pos_groups > 0).then(|| &p[pos_at..][..ctx * k]),
            ctx,
            inner: k,
        };
        // A block of tokens at a time, its input turned on its side: every row of dW is then a row
        // of a product whose right-hand side is the block of dy.
        let mut dw = vec![T::zero(); k * m];
        let mut db = vec![T::zero(); m];
        let mut side = vec![T::zero(); k * TOKENS];
        let turn = |side: &mut [T], x: &[T]| {
            for (i, row) in x.chunks_exact(k).enumerate() {
                for (j, &x) in row.iter().enumerate() {
                    side[j * TOKENS + i] = x;
                }
            }
        };
        let mut dy_pos = Panels::zeros(TOKENS, pc);
        let mut dy_rest = Panels::zeros(TOKENS, m - pc);
        let share = split(rows, splits, s);
        for start in share.clone().step_by(TOKENS) {
            let len = TOKENS.min(share.end - start);
            let at = (r * rows + start) * m;
            let pre = if act == 0 { &[] } else { &pre[at..][..len * m] };
            let dys = behind_activation(act, &dy[at..][..len * m], pre);
            for (i, row) in dys.chunks_exact(m).enumerate() {
                dy_pos.set_row(i, 0, &row[..pc]);
                dy_rest.set_row(i, 0, &row[pc..]);
                if bias == 1 {
                    for (db, &dy) in db.iter_mut().zip(row) {
                        *db += dy;
                    }
                }
            }
            let (plain, with_pos) = input.rows(start..start + len);
            if pc > 0 {
                turn(&mut side, &with_pos);
                product(&mut dw, &side, (TOKENS, m), k, &dy_pos, 0..len, pc);
            }
            turn(&mut side, &plain);
            product(&mut dw[pc..], &side, (TOKENS, m), k, &dy_rest, 0..len, m);
        }
        for (j, row) in dw.chunks_exact(m).enumerate() {
            for (g, part) in row.chunks_exact(width).enumerate() {
                grads[w_at + (g * k + j) * width..][..width].copy_from_slice(part);
            }
        }
        if bias == 1 {
            grads[b_at..][..m].copy_from_slice(&db);
        }
    });
}

/// Cases of [`LINEAR_DX`].
#[must_use]
pub fn cases_dx() -> Vec<(Vec<u32>, Vec<u32>, usize, &'static str)> {
    vec![
        (
            vec![48, 16, 6, 8, 0, 0, 1],
            vec![768, 0, 0],
            1,
            "grouped columns, residual",
        ),
        (
            vec![35, 10, 6, 3, 4, 0, 0],
            vec![181, 1, 0],
            2,
            "positions, replicas",
        ),
        (vec![35, 37, 1, 40, 0, 1, 0], vec![1480, 0, 0], 1, "relu"),
        (
            vec![33, 10, 1, 5, 0, 2, 1],
            vec![50, 0, 0],
            3,
            "gelu, residual, replicas",
        ),
    ]
}

/// Cases of [`LINEAR_DW`]. Each covers its whole arena, so that everything is written; the places
/// of the LayerNorm and the positions overlap the weights, which only matter as numbers here.
#[must_use]
pub fn cases_dw() -> Vec<(Vec<u32>, Vec<u32>, usize, &'static str)> {
    vec![
        (
            vec![48, 12, 16, 6, 8, 0, 0, 0, 0, 2],
            vec![768, 0, 0, 0, 0, 0],
            1,
            "grouped, two splits",
        ),
        (
            vec![35, 7, 10, 6, 3, 1, 4, 0, 0, 3],
            vec![180, 0, 0, 0, 10, 20],
            2,
            "LN, positions",
        ),
        (
            vec![35, 7, 10, 1, 37, 1, 0, 1, 1, 1],
            vec![407, 0, 370, 0, 10, 0],
            1,
            "LN, bias, relu",
        ),
        (
            vec![33, 7, 32, 1, 5, 0, 0, 1, 2, 4],
            vec![165, 0, 160, 0, 0, 0],
            3,
            "bias, gelu",
        ),
    ]
}
