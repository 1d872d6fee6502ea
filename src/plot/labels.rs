//! Labels at line ends, moved apart so that none covers another.

/// Moves label centres apart: rising order is kept, neighbours are `gap` apart where the room
/// `min..=max` allows it, and each stays as near to where it wanted to be as that lets it.
#[must_use]
pub fn spread(wanted: &[f64], gap: f64, min: f64, max: f64) -> Vec<f64> {
    let n = wanted.len();
    let mut order: Vec<usize> = (0..n).collect();
    crate::math::order::sort_by(&mut order, |a, b| wanted[*a].total_cmp(&wanted[*b]));
    let gap = if n > 1 {
        gap.min((max - min).max(0.0) / (n - 1) as f64)
    } else {
        gap
    };
    // Groups of labels that touch share one position: the mean of what they want.
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for &i in &order {
        let want = if wanted[i].is_finite() {
            wanted[i]
        } else {
            max
        };
        let mut group = (want.clamp(min, max), 1usize);
        while let Some(&(centre, size)) = groups.last() {
            let needed = gap * (size + group.1) as f64 / 2.0;
            if group.0 - centre >= needed {
                break;
            }
            groups.pop();
            let total = size + group.1;
            let centre = (centre * size as f64 + group.0 * group.1 as f64) / total as f64;
            let half = gap * (total - 1) as f64 / 2.0;
            group = (
                centre.clamp(min + half, (max - half).max(min + half)),
                total,
            );
        }
        groups.push(group);
    }
    let mut placed = vec![0.0; n];
    let mut next = order.into_iter();
    for (centre, size) in groups {
        for (k, i) in next.by_ref().take(size).enumerate() {
            placed[i] = centre + gap * (k as f64 - (size - 1) as f64 / 2.0);
        }
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_their_distance_and_their_order() {
        let wanted = [50.0, 52.0, 51.0, 10.0, 99.0];
        let placed = spread(&wanted, 13.0, 0.0, 100.0);
        let mut sorted: Vec<(f64, f64)> = wanted.into_iter().zip(placed.iter().copied()).collect();
        crate::math::order::sort_by(&mut sorted, |a, b| a.0.total_cmp(&b.0));
        for pair in sorted.windows(2) {
            assert!(pair[1].1 - pair[0].1 >= 13.0 - 1e-9, "{sorted:?}");
        }
        assert!(
            placed.iter().all(|p| (0.0..=100.0).contains(p)),
            "{placed:?}"
        );
        // Planted fault: where they wanted to be, they would have overlapped.
        assert!(wanted.windows(2).any(|p| (p[1] - p[0]).abs() < 13.0));
    }

    #[test]
    fn crowds_and_nonsense_are_placed_too() {
        assert_eq!(
            spread(&[5.0, 5.0, 5.0], 13.0, 0.0, 10.0),
            vec![0.0, 5.0, 10.0]
        );
        assert!(
            spread(&[f64::NAN, 3.0], 13.0, 0.0, 50.0)
                .iter()
                .all(|p| p.is_finite())
        );
        assert!(spread(&[], 13.0, 0.0, 50.0).is_empty());
    }
}
