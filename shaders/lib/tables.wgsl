// The two tables every kernel sees: what changes from step to step, and what differs between replicas.
// Rust: kernels::Step (32 bytes) and kernels::Replica (48 bytes).
struct Step {
    index: u32,
    slot: u32,
    schedule: f32,
    bias1: f32,
    bias2: f32,
    pad0: u32,
    pad1: u32,
    pad2: u32,
}

struct Replica {
    seed: u32,
    data_row: u32,
    anchor: u32,
    pad0: u32,
    mask_lo: u32,
    mask_hi: u32,
    lr: f32,
    wd: f32,
    nbeta: f32,
    gamma: f32,
    eps: f32,
    pad1: u32,
}

@group(1) @binding(0) var<uniform> step_now: Step;
@group(1) @binding(1) var<storage, read> replicas: array<Replica>;

// Whether parameters of that group, below 64, move in a replica.
fn moves(replica: Replica, bit: u32) -> bool {
    let mask = select(replica.mask_hi, replica.mask_lo, bit < 32u);
    return ((mask >> (bit & 31u)) & 1u) == 1u;
}
