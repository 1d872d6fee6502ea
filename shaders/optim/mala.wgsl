// MALA (Roberts & Tweedie 1996) on U = nbeta L + gamma/2 |w - w*|^2, L without minibatch noise.
// weights [replica][count] come in as the proposal that grads [replica][splits][count] and stats
// [slot][replica][4] were computed at; memory [replica][3 count + 4] holds the standing state, its
// gradient of U, the proposal's noise, the state's losses. The proposal is taken with
//   log alpha = -(eps/8) sum (U' + U'_)^2 + (sqrt(eps)/2) sum (U' + U'_) xi_ + U_ - U;
// stats become the standing state's, weights the next proposal. One workgroup a replica;
// sums [slot][replica][8]. Masks and eps 0 as in optim/sgld.
#import lib/tables
#import lib/philox

const NOISE: u32 = 5u;
const ACCEPT: u32 = 8u;

override count: u32;
override splits: u32;

struct Params {
    anchors: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> grads: array<f32>;
@group(0) @binding(2) var<storage, read> anchor: array<f32>;
@group(0) @binding(3) var<storage, read> groups: array<u32>;
@group(0) @binding(4) var<storage, read_write> weights: array<f32>;
@group(0) @binding(5) var<storage, read_write> memory: array<f32>;
@group(0) @binding(6) var<storage, read_write> stats: array<f32>;
@group(0) @binding(7) var<storage, read_write> sums: array<f32>;

// Two rows of a sum for each lane.
var<workgroup> partial: array<vec4f, 128>;
var<workgroup> alpha: f32;
var<workgroup> taken: bool;

fn total(row: u32) -> vec4f {
    var sum = vec4f(0.0);
    for (var i = 0u; i < 64u; i++) {
        sum += partial[row * 64u + i];
    }
    return sum;
}

// Gradient of U at the proposal.
fn gradient(chain: Replica, r: u32, i: u32, delta: f32) -> f32 {
    var g = 0.0;
    for (var s = 0u; s < splits; s++) {
        g += grads[(r * splits + s) * count + i];
    }
    return chain.nbeta * g + chain.gamma * delta;
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) grid: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let r = group.z;
    let chain = replicas[r];
    let centre = min(chain.anchor, params.anchors - 1u) * count;
    let own = r * (3u * count + 4u);
    let slot = step_now.slot * grid.z + r;
    var sum = vec4f(0.0);
    for (var i = lane; i < count; i += 64u) {
        if (!moves(chain, groups[i])) { continue; }
        let was = memory[own + i] - anchor[centre + i];
        let now = weights[r * count + i] - anchor[centre + i];
        let both = gradient(chain, r, i, now) + memory[own + count + i];
        let xi = memory[own + 2u * count + i];
        sum += vec4f(both * both, both * xi, (was - now) * (was + now), 0.0);
    }
    partial[lane] = sum;
    workgroupBarrier();
    if (lane == 0u) {
        let held = own + 3u * count;
        let way = total(0u);
        let log_alpha = 0.5 * sqrt(chain.eps) * way.y - 0.125 * chain.eps * way.x
            + chain.nbeta * (memory[held] - stats[slot * 4u]) + 0.5 * chain.gamma * way.z;
        // A compiler may assume that no number is NaN or infinite: the bits tell.
        let finite = (bitcast<u32>(log_alpha) & 0x7f800000u) != 0x7f800000u;
        let forced = step_now.index == 0u || chain.eps == 0.0;
        alpha = select(select(0.0, exp(min(log_alpha, 0.0)), finite), 1.0, forced);
        let draw = philox(vec4<u32>(0u, step_now.index, 0u, 0u), vec2<u32>(chain.seed, ACCEPT)).x;
        taken = (f32(draw >> 9u) + 0.5) / 8388608.0 < alpha;
        for (var k = 0u; k < 4u; k++) {
            let loss = select(memory[held + k], stats[slot * 4u + k], taken);
            memory[held + k] = loss;
            stats[slot * 4u + k] = loss;
        }
    }
    workgroupBarrier();
    sum = vec4f(0.0);
    var across = 0.0;
    for (var i = lane; i < count; i += 64u) {
        if (!moves(chain, groups[i])) { continue; }
        let at = r * count + i;
        if (taken) {
            memory[own + count + i] = gradient(chain, r, i, weights[at] - anchor[centre + i]);
            memory[own + i] = weights[at];
        }
        let drift = memory[own + count + i];
        let delta = memory[own + i] - anchor[centre + i];
        let pull = chain.gamma * delta;
        let force = drift - pull;
        let words = philox(vec4<u32>(i / 4u, step_now.index, 0u, 0u), vec2<u32>(chain.seed, NOISE));
        let xi = normal_from_word(words[i % 4u]);
        memory[own + 2u * count + i] = xi;
        sum += vec4f(force * force, pull * pull, delta * delta, xi * xi);
        across += force * pull;
        if (chain.eps != 0.0) {
            weights[at] = memory[own + i] - 0.5 * chain.eps * drift + sqrt(chain.eps) * xi;
        }
    }
    partial[lane] = sum;
    partial[64u + lane] = vec4f(vec2f(alpha, f32(taken)) * f32(lane == 0u), across, 0.0);
    workgroupBarrier();
    if (lane < 8u) {
        sums[slot * 8u + lane] = total(lane / 4u)[lane % 4u];
    }
}
