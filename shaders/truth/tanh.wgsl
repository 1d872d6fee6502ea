// A net of one input, `hidden` tanh units and one output when the truth is zero:
//   f(x) = sum_h b_h tanh(a_h x),  L = sum_k q_k 1/2 f(x_k)^2, nodes x_k and weights q_k of a quadrature,
//   dL/db_h = sum_k q_k f_k t_hk,  dL/da_h = sum_k q_k f_k b_h (1 - t_hk^2) x_k.
// nodes [2][points]: x, then q; weights and grads [replica][a (hidden), b (hidden)]; stats
// [slot][replica][4]: L, the first two coordinates, 0. One workgroup a replica.
#import lib/tables

override hidden: u32;
override points: u32;

@group(0) @binding(1) var<storage, read> nodes: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> grads: array<f32>;
@group(0) @binding(4) var<storage, read_write> stats: array<f32>;

// q_k f_k, and f_k.
var<workgroup> outputs: array<vec2f, 64>;

// WGSL keeps tanh to 1e-5 only: a continued fraction near 0, and the exponential elsewhere.
fn squash(v: f32) -> f32 {
    let q = v * v;
    if (q < 0.25) {
        return v / (1.0 + q / (3.0 + q / (5.0 + q / (7.0 + q / 9.0))));
    }
    return 1.0 - 2.0 / (exp(clamp(2.0 * v, -80.0, 80.0)) + 1.0);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let base = group.z * 2u * hidden;
    if (lane < points) {
        var f = 0.0;
        for (var h = 0u; h < hidden; h++) {
            f += weights[base + hidden + h] * squash(weights[base + h] * nodes[lane]);
        }
        outputs[lane] = vec2f(nodes[points + lane] * f, f);
    }
    workgroupBarrier();
    if (lane < hidden) {
        let a = weights[base + lane];
        let b = weights[base + hidden + lane];
        var slope = vec2f(0.0);
        for (var k = 0u; k < points; k++) {
            let t = squash(a * nodes[k]);
            slope += outputs[k].x * vec2f(b * (1.0 - t * t) * nodes[k], t);
        }
        grads[base + lane] = slope.x;
        grads[base + hidden + lane] = slope.y;
    }
    if (lane == 0u) {
        var loss = 0.0;
        for (var k = 0u; k < points; k++) {
            loss += 0.5 * outputs[k].x * outputs[k].y;
        }
        let at = (step_now.slot * groups.z + group.z) * 4u;
        stats[at] = loss;
        stats[at + 1u] = weights[base];
        stats[at + 2u] = weights[base + 1u];
        stats[at + 3u] = 0.0;
    }
}
