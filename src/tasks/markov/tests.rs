use super::*;

const OWN: Markov = Markov {
    symbols: 3,
    ctx: 40,
    rows: Rows::Own,
    alpha: 1,
};
const TURNED: Markov = Markov {
    rows: Rows::Turned,
    ..OWN
};

fn made(task: &Markov, batch: usize) -> (Vec<Chain>, Vec<u32>) {
    let mut out = Vec::new();
    let chains = task.batch(3, Stream::Data, 11, batch, &mut out);
    (chains, out)
}

/// What is wrong with symbols that should come from those chains: in mean a step must cost its row's
/// entropy, and each symbol must come as often as its row says.
fn fault(task: &Markov, chains: &[Chain], symbols: &[u32]) -> Option<String> {
    let k = task.symbols as u32;
    let (mut excess, mut spread, mut n) = (0.0, 0.0, 0.0);
    for (chain, symbols) in chains.iter().zip(symbols.chunks(task.ctx)) {
        for pair in symbols.windows(2) {
            if pair[1] >= k {
                return Some(format!("symbol {}", pair[1]));
            }
            let cost = |to| -chain.probability(pair[0], to).ln();
            let mean: f64 = (0..k)
                .map(|j| chain.probability(pair[0], j) * cost(j))
                .sum();
            let square = |j| chain.probability(pair[0], j) * (cost(j) - mean).powi(2);
            excess += cost(pair[1]) - mean;
            spread += (0..k).map(square).sum::<f64>();
            n += 1.0;
        }
    }
    let z = excess / f64::sqrt(spread);
    (z.abs() > 4.0 || n < 1000.0).then(|| format!("{z} standard errors off"))
}

#[test]
fn symbols_follow_their_chains() {
    for task in [OWN, TURNED, Markov { alpha: 4, ..OWN }] {
        let (chains, words) = made(&task, 200);
        assert_eq!(words.len(), 2 * 200 * task.ctx);
        assert_eq!(fault(&task, &chains, &words[..200 * task.ctx]), None);
    }
}

#[test]
fn the_check_rejects_planted_faults() {
    let (chains, words) = made(&OWN, 200);
    let symbols = &words[..200 * OWN.ctx];
    // Another sequence's chain, time running backwards, and one symbol called another.
    let mut exchanged = chains.clone();
    exchanged.rotate_left(1);
    assert!(fault(&OWN, &exchanged, symbols).is_some());
    let backwards: Vec<u32> = symbols
        .chunks(OWN.ctx)
        .flat_map(|s| s.iter().rev().copied())
        .collect();
    assert!(fault(&OWN, &chains, &backwards).is_some());
    let renamed: Vec<u32> = symbols.iter().map(|s| (s + 1) % 3).collect();
    assert!(fault(&OWN, &chains, &renamed).is_some());
}

#[test]
fn rows_have_the_moments_of_a_dirichlet_distribution() {
    for (task, rows) in [(OWN, 3), (TURNED, 1), (Markov { alpha: 3, ..OWN }, 3)] {
        let (chains, _) = made(&task, 3000);
        let p: Vec<f64> = chains
            .iter()
            .flat_map(|c| (0..rows).map(|i| c.probability(i, 1)))
            .collect();
        let mean = p.iter().sum::<f64>() / p.len() as f64;
        let var = p.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / p.len() as f64;
        // Var p = (1/k)(1 − 1/k)/(kα + 1).
        let want = 2.0 / 9.0 / (3.0 * task.alpha as f64 + 1.0);
        assert!((mean - 1.0 / 3.0).abs() < 0.015, "{mean}");
        assert!((var / want - 1.0).abs() < 0.08, "{var} {want}");
        for chain in chains.iter().take(20) {
            for i in 0..3 {
                let row: f64 = (0..3).map(|j| chain.probability(i, j)).sum();
                let column: f64 = (0..3).map(|j| chain.probability(j, i)).sum();
                assert!((row - 1.0).abs() < 1e-12);
                assert!(task.rows == Rows::Own || (column - 1.0).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn a_sequence_does_not_depend_on_its_batch_and_streams_differ() {
    let of = |stream, step, batch| {
        let mut out = Vec::new();
        let chains = OWN.batch(3, stream, step, batch, &mut out);
        out.truncate(7 * OWN.ctx);
        (chains[..7].to_vec(), out)
    };
    let here = of(Stream::Data, 11, 40);
    assert_eq!(here, of(Stream::Data, 11, 7));
    for other in [of(Stream::Data, 12, 7), of(Stream::HeldOut, 11, 7)] {
        assert!(here.0.iter().all(|chain| !other.0.contains(chain)));
        assert_ne!(here.1, other.1);
    }
}

#[test]
fn halves_are_classes() {
    let classes: Vec<u32> = (0..6).map(|t| Markov { ctx: 6, ..OWN }.class(t)).collect();
    assert_eq!(classes, [2, 2, 2, 3, 3, 0]);
}

/// Numbers counted by hand on the sequence 0 1 1 0, α = 1.
#[test]
fn predictors_count() {
    let two = Markov {
        symbols: 2,
        ctx: 4,
        ..OWN
    };
    let said = |by| two.predict(by, &[0, 1, 1, 0]);
    let near = |found: Vec<f64>, want: [f64; 8]| {
        assert!(
            found.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-12),
            "{found:?}"
        );
    };
    near(said(Predictor::Uniform), [0.5; 8]);
    let (third, fifth) = (1.0 / 3.0, 0.2);
    near(
        said(Predictor::Unigram),
        [
            2.0 * third,
            third,
            0.5,
            0.5,
            2.0 * fifth,
            3.0 * fifth,
            0.5,
            0.5,
        ],
    );
    near(
        said(Predictor::Bigram),
        [0.5, 0.5, 0.5, 0.5, third, 2.0 * third, third, 2.0 * third],
    );
    // Shifts 1, 0, 1: of the next one 1/2; of shift 1 after one 2/3; 1/2; 3/5.
    near(
        said(Predictor::Shift),
        [
            0.5,
            0.5,
            2.0 * third,
            third,
            0.5,
            0.5,
            2.0 * fifth,
            3.0 * fifth,
        ],
    );
}

/// Bayes' answers multiply to the probability of the sequence under the prior: ∫p₀₁·∫p₁₁p₁₀ = ½·⅙ of
/// 0 1 1 0 where rows are drawn by themselves, and ∫q₁²q₀ = 1/12 of its shifts where they are turns.
#[test]
fn bayes_answers_multiply_to_the_evidence() {
    for task in [OWN, TURNED].map(|task| Markov {
        symbols: 2,
        ctx: 4,
        ..task
    }) {
        let symbols = [0, 1, 1, 0];
        let said = task.predict(task.bayes(), &symbols);
        let evidence: f64 = (1..4)
            .map(|t| said[(t - 1) * 2 + symbols[t] as usize])
            .product();
        assert!((evidence - 1.0 / 12.0).abs() < 1e-12, "{evidence}");
    }
}

/// Nobody beats Bayes, in mean over sequences; and each of the others is beaten somewhere.
#[test]
fn bayes_costs_least() {
    let all = [
        Predictor::Uniform,
        Predictor::Unigram,
        Predictor::Bigram,
        Predictor::Shift,
    ];
    for task in [OWN, TURNED] {
        let (_, words) = made(&task, 400);
        let cost = |by| -> f64 {
            let sequences = words[..400 * task.ctx].chunks(task.ctx);
            sequences
                .map(|s| {
                    let said = task.predict(by, s);
                    let targets = s.iter().enumerate().skip(1);
                    targets
                        .map(|(t, &x)| -said[(t - 1) * 3 + x as usize].ln())
                        .sum::<f64>()
                })
                .sum()
        };
        let best = cost(task.bayes());
        assert!(
            all.iter()
                .all(|&by| by == task.bayes() || cost(by) > 1.02 * best),
            "{task:?}"
        );
    }
}
