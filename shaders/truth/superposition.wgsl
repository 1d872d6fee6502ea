// The toy model of superposition on its whole distribution: y = ReLU(W^T W x + b), x = u e_i with i
// uniform on the features and u on [0, 1]; L = E sum_j (x_j - y_j)^2, integrated exactly. For input i
// and output j the pre-activation is a u + b_j with a = W_i . W_j, positive on one piece s..t of 0..1:
//   there the integrand is ((a - [i = j]) u + b_j)^2, elsewhere [i = j] u^2;
// it is continuous where the pieces meet, so their ends add nothing to the gradient.
// weights and grads [replica][W (2 x c, row-major), b (c)]; stats [slot][replica][4]: L, the first two
// coordinates, 0. One workgroup a replica; a lane an output and input first, then a parameter.
#import lib/tables

override features: u32;

@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read_write> grads: array<f32>;
@group(0) @binding(3) var<storage, read_write> stats: array<f32>;

// Of each pair i * 10 + j: the loss, and its slopes along a and b_j.
var<workgroup> pairs: array<vec3f, 100>;

// The piece of 0..1 on which a u + b > 0. No quotient is formed that could overflow.
fn piece(a: f32, b: f32) -> vec2f {
    if (a >= 0.0) {
        if (b >= 0.0) {
            return vec2f(0.0, 1.0);
        }
        return vec2f(select(-b / max(a, -b), 1.0, -b >= a), 1.0);
    }
    if (b <= 0.0) {
        return vec2f(0.0);
    }
    return vec2f(0.0, select(b / max(-a, b), 1.0, b >= -a));
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let c = features;
    let base = group.z * 3u * c;
    for (var n = lane; n < c * c; n += 64u) {
        let i = n / c;
        let j = n % c;
        let a = weights[base + i] * weights[base + j] + weights[base + c + i] * weights[base + c + j];
        let b = weights[base + 2u * c + j];
        let own = select(0.0, 1.0, i == j);
        let ends = piece(a, b);
        let one = ends.y - ends.x;
        let two = one * (ends.x + ends.y) / 2.0;
        let three = one * (ends.x * ends.x + ends.x * ends.y + ends.y * ends.y) / 3.0;
        let p = a - own;
        let loss = p * p * three + 2.0 * p * b * two + b * b * one + own * (1.0 / 3.0 - three);
        pairs[i * 10u + j] = vec3f(loss, 2.0 * (p * three + b * two), 2.0 * (p * two + b * one));
    }
    workgroupBarrier();

    let scale = 1.0 / f32(c);
    if (lane < 3u * c) {
        let i = lane % c;
        var slope = 0.0;
        for (var j = 0u; j < c; j++) {
            if (lane < 2u * c) {
                // W_i meets W_j as input and as output.
                let w = weights[base + (lane / c) * c + j];
                slope += (pairs[i * 10u + j].y + pairs[j * 10u + i].y) * w;
            } else {
                slope += pairs[j * 10u + i].z;
            }
        }
        grads[base + lane] = slope * scale;
    }
    if (lane == 0u) {
        var loss = 0.0;
        for (var i = 0u; i < c; i++) {
            for (var j = 0u; j < c; j++) {
                loss += pairs[i * 10u + j].x;
            }
        }
        let at = (step_now.slot * groups.z + group.z) * 4u;
        stats[at] = loss * scale;
        stats[at + 1u] = weights[base];
        stats[at + 2u] = weights[base + 1u];
        stats[at + 3u] = 0.0;
    }
}
