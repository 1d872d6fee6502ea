//! Gradients of [`super::linear`]: of its input (`dx = dy'·Wᵀ`) and of its weights
//! (`dW = f(x)ᵀ·dy'`, `db = Σ dy'`), with `dy' = dy·act'(pre)`.

use super::linear::{Input, slope};
use super::norm::split;
use super::rows::{BLOCK, axpy_rows, chunks, chunks2, transposed};
use super::{Call, Kernel, read, word, write};
use crate::math::Real;

/// `dx [replica][rows][inner]`, at the output of the LayerNorm where there is one. The part that
/// comes through the first `pos_groups` groups is the gradient of the position and is written to
/// `dpos [layer][replica][rows][inner]`, section `layer`.
pub const LINEAR_DX: Kernel = Kernel {
    name: "nn/linear_dx",
    source: include_str!("../../shaders/nn/linear_dx.wgsl"),
    consts: &["rows", "inner", "groups", "width", "pos_groups", "act", "residual"],
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

/// `dy·act'(pre)` for a row.
fn behind_activation<T: Real>(act: usize, to: &mut [T], dy: &[T], pre: &[T]) {
    if act == 0 {
        to.copy_from_slice(&dy[..to.len()]);
        return;
    }
    for ((to, &dy), &pre) in to.iter_mut().zip(dy).zip(pre) {
        *to = dy * slope(act, pre);
    }
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
        let w = transposed(&weights[r * arena + w_at..], k, groups, width);
        let rest = |block: usize, dx: &mut [T]| {
            let mut row = vec![T::zero(); m];
            for (i, dx) in dx.chunks_exact_mut(k).enumerate() {
                let n = r * rows + block * BLOCK + i;
                let pre = if act == 0 { &[] } else { &pre[n * m..][..m] };
                behind_activation(act, &mut row, &dy[n * m..], pre);
                axpy_rows(dx, &row[pc..], &w[pc * k..], k);
                if residual == 1 {
                    for (dx, &along) in dx.iter_mut().zip(&dresidual[n * k..]) {
                        *dx += along;
                    }
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
                dpos.fill(T::zero());
                for (i, dpos) in dpos.chunks_exact_mut(k).enumerate() {
                    let n = r * rows + block * BLOCK + i;
                    axpy_rows(dpos, &dy[n * m..][..pc], &w, k);
                }
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
    source: include_str!("../../shaders/nn/linear_dw.wgsl"),
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
    params: &[word("arena"), word("w"), word("b"), word("ln_w"), word("ln_b"), word("w_pos")],
    bindings: &[
        read("x"),
        read("dy"),
        read("pre"),
        read("weights"),
        read("norms"),
        write("grads"),
    ],
    grid: |c| [(c[3] * c[4]).div_ceil(32), (c[2] + c[7]).div_ceil(32) * c[9]],
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
    let [rows, ctx, k, groups, width, norm, pos_groups, bias, act, splits] = call.consts();
    let arena = call.offset(0);
    let [w_at, b_at, lnw_at, lnb_at, pos_at] = std::array::from_fn(|i| call.offset(i + 1));
    let count = call.replicas.len();
    let [x, dy, pre, weights, _norms, grads] = call.slots();
    let (x, dy, pre, weights, grads) = (x.f(), dy.f(), pre.f(), weights.f(), grads.out());
    let m = groups * width;
    let pc = pos_groups * width;
    chunks(&mut grads[..count * splits * arena], arena, |rs, grads| {
        let (r, s) = (rs / splits, rs % splits);
        let p = &weights[r * arena..][..arena];
        let input = Input {
            x: &x[r * rows * k..][..rows * k],
            norm: (norm == 1).then(|| (&p[lnw_at..][..k], &p[lnb_at..][..k])),
            pos: (pos_groups > 0).then(|| &p[pos_at..][..ctx * k]),
            ctx,
            inner: k,
        };
        // A block of tokens at a time, its input turned on its side, so that every row of dW is
        // a row of a product and the block of dy stays in cache.
        let mut dw = vec![T::zero(); k * m];
        let mut db = vec![T::zero(); m];
        let (mut plain, mut with_pos) = (vec![T::zero(); k], vec![T::zero(); k]);
        let mut sides = vec![T::zero(); 2 * k * BLOCK];
        let (x_side, pos_side) = sides.split_at_mut(k * BLOCK);
        let mut dys = vec![T::zero(); BLOCK * m];
        let share = split(rows, splits, s);
        for start in share.clone().step_by(BLOCK) {
            let len = BLOCK.min(share.end - start);
            for (i, row) in dys.chunks_exact_mut(m).take(len).enumerate() {
                let n = start + i;
                input.row(n, &mut plain, &mut with_pos);
                for (j, (&a, &b)) in plain.iter().zip(&with_pos).enumerate() {
                    x_side[j * BLOCK + i] = a;
                    pos_side[j * BLOCK + i] = b;
                }
                let at = (r * rows + n) * m;
                behind_activation(act, row, &dy[at..], if act == 0 { &[] } else { &pre[at..] });
                if bias == 1 {
                    for (db, &dy) in db.iter_mut().zip(row.iter()) {
                        *db += dy;
                    }
                }
            }
            for (j, dw) in dw.chunks_exact_mut(m).enumerate() {
                axpy_rows(&mut dw[..pc], &pos_side[j * BLOCK..][..len], &dys, m);
                axpy_rows(&mut dw[pc..], &x_side[j * BLOCK..][..len], &dys[pc..], m);
            }
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
        (vec![48, 16, 6, 8, 0, 0, 1], vec![768, 0, 0], 1, "grouped columns, residual"),
        (vec![35, 10, 6, 3, 4, 0, 0], vec![181, 1, 0], 2, "positions, replicas"),
        (vec![35, 37, 1, 40, 0, 1, 0], vec![1480, 0, 0], 1, "relu"),
        (vec![33, 10, 1, 5, 0, 2, 1], vec![50, 0, 0], 3, "gelu, residual, replicas"),
    ]
}

/// Cases of [`LINEAR_DW`]. Each covers its whole arena, so that everything is written; the places
/// of the LayerNorm and the positions overlap the weights, which only matter as numbers here.
#[must_use]
pub fn cases_dw() -> Vec<(Vec<u32>, Vec<u32>, usize, &'static str)> {
    vec![
        (vec![48, 12, 16, 6, 8, 0, 0, 0, 0, 2], vec![768, 0, 0, 0, 0, 0], 1, "grouped, two splits"),
        (vec![35, 7, 10, 6, 3, 1, 4, 0, 0, 3], vec![180, 0, 0, 0, 10, 20], 2, "LN, positions"),
        (vec![35, 7, 10, 1, 37, 1, 0, 1, 1, 1], vec![407, 0, 370, 0, 10, 0], 1, "LN, bias, relu"),
        (vec![33, 7, 32, 1, 5, 0, 0, 1, 2, 4], vec![165, 0, 160, 0, 0, 0], 3, "bias, gelu"),
    ]
}
