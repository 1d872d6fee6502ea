//! What can be wrong with the parts of a lab, before it runs.

use lambdahat::experiments::{Job, Of, Parts, STATS};
use lambdahat::kernels::Elem;

pub fn job_faults(parts: &Parts, job: &Job, name: &str) -> Vec<String> {
    let len = |b: lambdahat::plan::Buf| parts.plan.buffers[b.0].len;
    let mut out = Vec::new();
    let mut equal = |what: &str, is: usize, want: usize| {
        if is != want {
            out.push(format!("{name}: {what} {is}, not {want}"));
        }
    };
    let replicas = parts.plan.programs[job.program.0].replicas;
    equal("replica table", job.replicas.len(), replicas);
    equal("feed", len(job.feed), job.slots * job.rows * job.feed_len);
    equal("stats", len(job.stats), job.slots * replicas * STATS);
    equal(
        "rows read outside the feed",
        job.replicas
            .iter()
            .filter(|r| r.data_row as usize >= job.rows)
            .count(),
        0,
    );
    out
}

/// What is wrong with the parts of a lab, without running it.
pub fn parts_faults(parts: &Parts) -> Vec<String> {
    let mut out = job_faults(parts, &parts.train, "train");
    let len = |b: lambdahat::plan::Buf| parts.plan.buffers[b.0].len;
    let replicas = parts.train.replicas.len();
    let mut check = |ok: bool, what: &str| {
        if !ok {
            out.push(what.to_string());
        }
    };
    let weights = replicas * parts.arena.len();
    check(
        len(parts.params) == weights,
        "params are not replicas × arena",
    );
    check(
        parts.moments.iter().all(|(_, b)| len(*b) == weights),
        "moments are not replicas × arena",
    );
    let initial = parts.lab.initial();
    check(
        initial.len() == weights,
        "initial weights are not replicas × arena",
    );
    check(
        initial.iter().all(|w| w.is_finite()),
        "an initial weight is not finite",
    );
    check(
        parts.follow < replicas,
        "follows a replica that is not there",
    );
    let rising = |v: &[u64]| v.windows(2).all(|w| w[0] < w[1]);
    check(
        rising(&parts.evals) && rising(&parts.checkpoints),
        "steps do not rise",
    );
    check(
        parts.evals.first() == Some(&0) && parts.evals.last() == Some(&parts.steps),
        "ends are not evaluated",
    );
    check(
        parts
            .checkpoints
            .iter()
            .all(|c| parts.evals.binary_search(c).is_ok()),
        "a checkpoint is not evaluated",
    );
    let float = |b: lambdahat::plan::Buf| parts.plan.buffers[b.0].elem == Elem::F32;
    check(
        parts
            .reads
            .iter()
            .all(|(b, r)| float(*b) && r.end <= len(*b)),
        "a read outside its buffer",
    );
    let setup = parts.lab.setup();
    check(
        setup
            .words
            .iter()
            .all(|(b, at, w)| !float(*b) && at + w.len() <= len(*b)),
        "setup words outside",
    );
    check(
        setup
            .floats
            .iter()
            .all(|(b, at, w)| float(*b) && at + w.len() <= len(*b)),
        "setup floats outside",
    );

    let fed = |of, step| {
        let mut words = Vec::new();
        parts.lab.feed(of, step, &mut words);
        words
    };
    // A batch that is the whole data set is the same at every step, and rightly so.
    let whole = |job: &Job, of: Of| {
        parts.eval.as_ref().is_some_and(|eval| {
            let all = fed(Of::Eval, 0);
            let row = parts.follow.min(eval.rows - 1) * eval.feed_len;
            job.rows == 1 && fed(of, 3)[..] == all[row..row + eval.feed_len]
        })
    };
    let mut feed = |job: &Job, of: Of, name: &str| {
        check(
            fed(of, 3).len() == job.rows * job.feed_len,
            &format!("{name}: a slot is not rows × feed_len"),
        );
        check(
            fed(of, 3) == fed(of, 3),
            &format!("{name}: its data is not a function of the step"),
        );
        check(
            of == Of::Eval || whole(job, of) || fed(of, 3) != fed(of, 4),
            &format!("{name}: two steps see the same data"),
        );
    };
    feed(&parts.train, Of::Train, "train");
    if let Some(eval) = &parts.eval {
        feed(eval, Of::Eval, "eval");
    }
    let chains_at = |checkpoint| Of::Chains {
        checkpoint,
        follow: parts.follow,
    };
    if let Some(chains) = &parts.chains {
        feed(&chains.job, chains_at(2), "chains");
        check(
            whole(&chains.job, chains_at(2)) || fed(chains_at(2), 0) != fed(chains_at(4), 0),
            "chains: two checkpoints see the same data",
        );
        let table = parts.lab.chain_replicas(2, parts.follow);
        check(
            table.len() == chains.settings.chains + 1,
            "chains: a table of another length",
        );
        let (last, moving) = table.split_last().unwrap();
        check(
            last.eps == 0.0 && moving.iter().all(|r| r.eps > 0.0),
            "chains: the anchor is not the last, alone",
        );
        let mut seeds: Vec<u32> = moving.iter().map(|r| r.seed).collect();
        seeds.extend(
            parts
                .lab
                .chain_replicas(4, parts.follow)
                .iter()
                .take(chains.settings.chains)
                .map(|r| r.seed),
        );
        seeds.sort_unstable();
        check(
            seeds.windows(2).all(|w| w[0] != w[1]),
            "chains: two share a stream of noise",
        );
        check(
            table.iter().all(|r| r.data_row == table[0].data_row),
            "chains: they see different data",
        );
        check(
            len(chains.buffers.params) == table.len() * parts.arena.len(),
            "chains: params are not replicas × arena",
        );
        check(
            len(chains.buffers.anchor) == parts.arena.len(),
            "chains: the anchor is not one replica",
        );
        let job = job_faults(parts, &chains.job, "chains");
        job.iter().for_each(|j| check(false, j));
    }
    if let Some(eval) = &parts.eval {
        out.extend(job_faults(parts, eval, "eval"));
    }
    out
}
