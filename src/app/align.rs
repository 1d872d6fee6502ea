//! Keeps the picture of logit-PCA still from frame to frame.

/// Turns and exchanges the first two components so that the checkpoints both frames know stay where
/// they were. A component keeps its share, so the plane may be turned over and its axes exchanged,
/// but not turned by an angle: the axes would no longer be components. After an exchange the
/// greater share stands at the second axis, until the order changes again. Of several paths in one plane
/// the first is the one that stays.
pub fn align(
    steps: &[f64],
    paths: &mut [Vec<[f64; 3]>],
    explained: &mut [f64; 3],
    before: (&[f64], &[[f64; 3]]),
) {
    let known = paths.first().map_or(&[][..], Vec::as_slice);
    let alike = |j: usize, k: usize| {
        let (mut dot, mut a2, mut b2) = (0.0, 0.0, 0.0);
        let mut old = before.0.iter().zip(before.1).peekable();
        for (step, p) in steps.iter().zip(known) {
            while old.peek().is_some_and(|(s, _)| *s < step) {
                old.next();
            }
            if let Some((_, q)) = old.peek().filter(|(s, _)| *s == step) {
                dot += p[j] * q[k];
                a2 += p[j] * p[j];
                b2 += q[k] * q[k];
            }
        }
        // Components of nothing are like nothing.
        dot / f64::sqrt(a2 * b2).max(f64::MIN_POSITIVE)
    };
    let third = alike(2, 2);
    let (straight, crossed) = ([alike(0, 0), alike(1, 1)], [alike(1, 0), alike(0, 1)]);
    let size = |c: [f64; 2]| c[0].abs() + c[1].abs();
    let exchanged = size(crossed) > size(straight);
    let signs = if exchanged { crossed } else { straight };
    let signs = [signs[0], signs[1], third].map(|s| if s < 0.0 { -1.0 } else { 1.0 });
    if exchanged {
        explained.swap(0, 1);
    }
    for p in paths.iter_mut().flatten() {
        if exchanged {
            p.swap(0, 1);
        }
        (0..3).for_each(|k| p[k] *= signs[k]);
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::PcaUpdate;

    fn align(now: &mut PcaUpdate, before: &PcaUpdate) {
        let mut paths = [std::mem::take(&mut now.pcs)];
        let known = (&before.steps[..], &before.pcs[..]);
        super::align(&now.steps, &mut paths, &mut now.explained, known);
        [now.pcs] = paths;
    }

    /// A path of `n` checkpoints as the engine would send it: the greater component first, signs by
    /// chance. The second direction grows faster, and overtakes the first on the way.
    fn sent(n: usize) -> PcaUpdate {
        let path = |i: usize| [i as f64, 0.02 * (i * i) as f64 - 3.0, (i as f64).sin()];
        let mut size = [0.0; 3];
        for i in 0..n {
            (0..3).for_each(|k| size[k] += path(i)[k] * path(i)[k]);
        }
        let mut order = [0, 1, 2];
        crate::math::order::sort_by(&mut order, |&a, &b| size[b].total_cmp(&size[a]));
        let total: f64 = size.iter().sum();
        let sign = |k: usize| if (n + k).is_multiple_of(3) { -1.0 } else { 1.0 };
        PcaUpdate {
            steps: (0..n).map(|i| i as f64).collect(),
            pcs: (0..n)
                .map(|i| [0, 1, 2].map(|k| sign(k) * path(i)[order[k]]))
                .collect(),
            explained: order.map(|k| size[k] / total),
        }
    }

    /// Farthest a checkpoint moves in the plane from one frame to the next, and how often the
    /// greater share stands second.
    fn unrest(align: impl Fn(&mut PcaUpdate, &PcaUpdate)) -> (f64, usize) {
        let (mut far, mut exchanged, mut last) = (0.0f64, 0, PcaUpdate::default());
        for n in 5..90 {
            let mut now = sent(n);
            align(&mut now, &last);
            for (a, b) in now.pcs.iter().zip(&last.pcs) {
                far = far.max((a[0] - b[0]).hypot(a[1] - b[1]));
            }
            exchanged += usize::from(now.explained[0] < now.explained[1]);
            last = now;
        }
        (far, exchanged)
    }

    #[test]
    fn the_picture_stands_still_while_it_grows() {
        let (far, exchanged) = unrest(align);
        assert!(far < 1e-9 && exchanged > 10, "{far} {exchanged}");
        // Planted: nothing is aligned, and signs alone are.
        assert!(unrest(|_, _| {}).0 > 50.0);
        let signs = |now: &mut PcaUpdate, before: &PcaUpdate| {
            for k in 0..3 {
                let both = now.pcs.iter().zip(&before.pcs);
                if both.map(|(a, b)| a[k] * b[k]).sum::<f64>() < 0.0 {
                    now.pcs.iter_mut().for_each(|p| p[k] = -p[k]);
                }
            }
        };
        assert!(unrest(signs).0 > 5.0);
    }

    #[test]
    fn shares_go_with_their_components() {
        let mut now = PcaUpdate {
            steps: vec![0.0, 1.0, 2.0],
            pcs: vec![[2.1, -0.9, 0.0], [-1.0, -3.2, 0.0], [5.0, 5.0, 0.0]],
            explained: [0.6, 0.3, 0.0],
        };
        let before = PcaUpdate {
            steps: vec![0.0, 1.0],
            pcs: vec![[1.0, 2.0, 0.0], [3.0, -1.0, 0.0]],
            explained: [0.5, 0.4, 0.0],
        };
        align(&mut now, &before);
        assert_eq!(now.pcs[2], [-5.0, 5.0, 0.0]);
        assert_eq!(now.explained, [0.3, 0.6, 0.0]);
    }

    #[test]
    fn of_two_runs_the_first_stays_where_it_was() {
        let both = |sign: f64, own: &[f64]| {
            let other = [[1.0, 0.2], [2.0, -0.1], [4.0, 0.5]].map(|[x, y]| [sign * x, y, 0.0]);
            let own: Vec<[f64; 3]> = own.iter().map(|x| [-sign * x, 0.0, 0.0]).collect();
            [other.to_vec(), own]
        };
        let (steps, before) = ([0.0, 1.0, 2.0], both(1.0, &[-1.0, 9.0]));
        let (mut now, mut shares) = (both(-1.0, &[-1.0, 9.0, 90.0]), [0.7, 0.2, 0.0]);
        super::align(&steps, &mut now, &mut shares, (&steps, &before[0]));
        assert_eq!(now, both(1.0, &[-1.0, 9.0, 90.0]));
    }
}
