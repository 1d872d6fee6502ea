// SGLD around w* (Lau et al. 2023, arXiv 2308.12108), localised by a Gaussian:
//   w += -(eps/2) G (nbeta g + gamma (w - w*)) + sqrt(eps G) N(0, I),  g = sum over splits.
// G is 1, or with `precondition` 1/(sqrt(V) + damping), V = alpha V + (1-alpha) g^2 while the
// step's schedule is not 0, frozen after.
// grads [replica][splits][count]; anchor [anchors][count] holds w*; groups [count] < 64;
// weights [replica][count]; memory [replica][2 + precondition][count]: drift and noise of the step
// before, V; sums [slot][replica][block][8]. One Philox block an invocation: its four normals, its
// four parameters. A parameter whose group is masked out, and every parameter at eps 0, is not
// written at all.
#import lib/tables
#import lib/philox

const NOISE: u32 = 5u;

override count: u32;
override splits: u32;
override precondition: u32;

struct Params {
    anchors: u32,
    alpha: f32,
    damping: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> grads: array<f32>;
@group(0) @binding(2) var<storage, read> anchor: array<f32>;
@group(0) @binding(3) var<storage, read> groups: array<u32>;
@group(0) @binding(4) var<storage, read_write> weights: array<f32>;
@group(0) @binding(5) var<storage, read_write> memory: array<f32>;
@group(0) @binding(6) var<storage, read_write> sums: array<f32>;

// [sum][lane]
var<workgroup> partial: array<f32, 512>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) grid: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    // Only the losses before it are wanted.
    if (step_now.schedule < 0.0) {
        return;
    }
    let r = group.z;
    let chain = replicas[r];
    let block = group.x * 64u + lane;
    let first = 4u * block;
    let centre = min(chain.anchor, params.anchors - 1u) * count;
    let own = r * (2u + min(precondition, 1u)) * count;
    let noise = sqrt(chain.eps);
    let words = philox(vec4<u32>(block, step_now.index, 0u, 0u), vec2<u32>(chain.seed, NOISE));
    // Force, pull, distance and noise squared; what the acceptance is made of; force times pull.
    var sizes = vec4f(0.0);
    var move_made = vec2f(0.0);
    var cross_term = 0.0;
    for (var k = 0u; first + k < min(first + 4u, count); k++) {
        let i = first + k;
        if (!moves(chain, groups[i])) {
            continue;
        }
        var g = 0.0;
        for (var s = 0u; s < splits; s++) {
            g += grads[(r * splits + s) * count + i];
        }
        let at = r * count + i;
        let w = weights[at];
        let delta = w - anchor[centre + i];
        let force = chain.nbeta * g;
        let pull = chain.gamma * delta;
        let drift = force + pull;
        let xi = normal_from_word(words[k]);
        var gain = 1.0;
        var root = 1.0;
        var before = 1.0;
        var root_before = 1.0;
        if (precondition > 0u) {
            let was = select(memory[own + 2u * count + i], 0.0, step_now.index == 0u);
            var v = was;
            if (step_now.schedule != 0.0) {
                v = params.alpha * was + (1.0 - params.alpha) * g * g;
            }
            memory[own + 2u * count + i] = v;
            gain = 1.0 / (sqrt(v) + params.damping);
            root = sqrt(gain);
            before = 1.0 / (sqrt(was) + params.damping);
            root_before = sqrt(before);
        }
        if (step_now.index > 0u) {
            let both = drift + memory[own + i];
            move_made += vec2f(before * both * both, root_before * both * memory[own + count + i]);
        }
        memory[own + i] = drift;
        memory[own + count + i] = xi;
        sizes += vec4f(force * force, pull * pull, delta * delta, xi * xi);
        cross_term += force * pull;
        if (chain.eps != 0.0) {
            weights[at] = w - 0.5 * chain.eps * gain * drift + noise * root * xi;
        }
    }
    for (var k = 0u; k < 4u; k++) {
        partial[k * 64u + lane] = sizes[k];
    }
    partial[256u + lane] = move_made.x;
    partial[320u + lane] = move_made.y;
    partial[384u + lane] = cross_term;
    partial[448u + lane] = 0.0;
    workgroupBarrier();
    if (lane < 8u) {
        var sum = 0.0;
        for (var i = 0u; i < 64u; i++) {
            sum += partial[lane * 64u + i];
        }
        sums[((step_now.slot * grid.z + r) * grid.x + group.x) * 8u + lane] = sum;
    }
}
