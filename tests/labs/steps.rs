//! What can go wrong in a few real steps on the CPU engine.

use lambdahat::exec::cpu::CpuExec;
use lambdahat::experiments::{Card, Job, Of, Parts, STATS};
use lambdahat::kernels::Step;

/// Series that the small settings do not measure, because other data do: tests of the experiment see them.
const ELSEWHERE: [(&str, &str); 1] = [("markov", "kl.shift")];

/// An engine of nothing but loops.
pub struct Bench {
    pub parts: Parts,
    pub exec: CpuExec<f32>,
}

impl Bench {
    pub fn new(parts: Parts) -> Self {
        let mut exec = CpuExec::new(&parts.plan);
        exec.submit(&parts.lab.setup());
        exec.floats_mut(parts.params)
            .copy_from_slice(&parts.lab.initial());
        exec.set_replicas(parts.train.program, &parts.train.replicas);
        Self { parts, exec }
    }
    /// One step of a job in slot 0; its stats.
    pub fn step(&mut self, job: &Job, of: Of, step: u64) -> Vec<f32> {
        let mut words = Vec::new();
        self.parts.lab.feed(of, step, &mut words);
        self.exec.words_mut(job.feed)[..words.len()].copy_from_slice(&words);
        self.exec.step(
            job.program,
            Step {
                slot: 0,
                ..self.parts.lab.step(of, step)
            },
        );
        self.exec.floats(job.stats)[..job.replicas.len() * STATS].to_vec()
    }
}

/// What goes wrong when a lab runs a few steps; `meddle` may plant a fault in the chains.
pub fn run_faults(
    card: &Card,
    parts: Parts,
    meddle: impl Fn(&mut [lambdahat::kernels::Replica]),
) -> Vec<String> {
    let mut out = Vec::new();
    let mut bench = Bench::new(parts);
    let (train, eval, chains) = (
        bench.parts.train.clone(),
        bench.parts.eval.clone(),
        bench.parts.chains.clone(),
    );
    let before = bench.exec.floats(bench.parts.params).to_vec();
    // A lab without training starts at its only checkpoint, and may have no picture of a model.
    let trains = bench.parts.steps > 0;
    for s in 0..if trains { 4 } else { 0 } {
        let stats = bench.step(&train, Of::Train, s);
        if !stats.iter().all(|x| x.is_finite()) || stats[0] <= 0.0 {
            out.push(format!("train step {s}: {stats:?}"));
        }
    }
    let trained = bench.exec.floats(bench.parts.params).to_vec();
    if trains && trained == before || !trained.iter().all(|w| w.is_finite()) {
        out.push("training moved nothing, or out of the finite numbers".into());
    }
    if let Some(eval) = &eval {
        bench.exec.set_replicas(eval.program, &eval.replicas);
        bench.step(eval, Of::Eval, 0);
    }
    let reads: Vec<Vec<f32>> = bench
        .parts
        .reads
        .iter()
        .map(|(b, r)| bench.exec.floats(*b)[r.clone()].to_vec())
        .collect();
    let seen = bench
        .parts
        .lab
        .observe(4, bench.parts.follow, &trained, &reads);
    let due = |id: &str| id != "loss.train" && !ELSEWHERE.contains(&(card.id, id));
    for s in card.losses.iter().filter(|s| due(s.id)) {
        if !seen
            .values
            .iter()
            .any(|(id, y)| id == s.id && y.is_finite())
        {
            out.push(format!("no finite {} among {:?}", s.id, seen.values));
        }
    }
    let row = &seen.pca_row;
    if trains
        && (row.is_empty()
            || row.len() > 8192
            || !row.iter().all(|x| x.is_finite())
            || row.iter().all(|&x| x == row[0]))
    {
        out.push(format!(
            "a PCA row of {} numbers that says nothing",
            row.len()
        ));
    }
    if trains && seen.figure.is_none() {
        out.push("no figure".into());
    }
    let Some(chains) = chains else { return out };
    let n = bench.parts.arena.len();
    let follow = bench.parts.follow;
    let w = trained[follow * n..][..n].to_vec();
    let mut table = bench.parts.lab.chain_replicas(4, follow);
    meddle(&mut table);
    bench.exec.set_replicas(chains.job.program, &table);
    bench
        .exec
        .floats_mut(chains.buffers.anchor)
        .copy_from_slice(&w);
    bench
        .exec
        .floats_mut(chains.buffers.params)
        .copy_from_slice(&w.repeat(table.len()));
    let of = Of::Chains {
        checkpoint: 4,
        follow,
    };
    for s in 0..chains.settings.burnin + chains.settings.draws {
        let stats = bench.step(&chains.job, of, s);
        let losses: Vec<f32> = stats.chunks(STATS).map(|r| r[0]).collect();
        if !losses.iter().all(|x| x.is_finite()) {
            out.push(format!("chain step {s}: {losses:?}"));
        }
        // The loss is that before the update: at the first step every chain is at w*.
        if s == 0 && losses.iter().any(|x| x.to_bits() != losses[0].to_bits()) {
            out.push(format!("chains do not start at w*: {losses:?}"));
        }
    }
    let ends = bench.exec.floats(chains.buffers.params);
    let same = |r: usize| {
        ends[r * n..][..n]
            .iter()
            .zip(&w)
            .all(|(a, b)| a.to_bits() == b.to_bits())
    };
    if !same(chains.settings.chains) {
        out.push("the anchor moved".into());
    }
    if (0..chains.settings.chains).any(same) {
        out.push("a chain stood still".into());
    }
    if bench.exec.floats(bench.parts.params) != trained {
        out.push("sampling changed the trained weights".into());
    }
    out
}
