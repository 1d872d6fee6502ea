//! The one door to sorting. The standard library's sort is compiled anew for every type and every
//! comparison, some 4 kB each in the page; here all of them share one sort of places. Every sort is
//! stable, so that what is equal stays as it stood.

use std::cmp::Ordering;

/// The places `0..n` in the order of `compare`, which is given two places; equal ones as they stood.
#[inline(never)]
#[allow(clippy::disallowed_methods)] // This is the door.
pub fn ranking(n: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..n).collect();
    places.sort_by(|&a, &b| compare(a, b));
    places
}

/// Sorts `items` by `compare`.
pub fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let order = ranking(items.len(), &|a, b| compare(&items[a], &items[b]));
    // Where each item goes; every swap brings one home.
    let mut home = vec![0; order.len()];
    for (to, &from) in order.iter().enumerate() {
        home[from] = to;
    }
    for place in 0..home.len() {
        while home[place] != place {
            let to = home[place];
            items.swap(place, to);
            home.swap(place, to);
        }
    }
}

/// Sorts numbers upwards, by IEEE 754's total order.
#[inline(never)]
#[allow(clippy::disallowed_methods)] // Numbers are sorted often, and in thousands: without a detour.
pub fn ascending(numbers: &mut [f64]) {
    numbers.sort_by(f64::total_cmp);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_as_the_standard_library_does_and_keeps_equals_in_their_order() {
        for n in [0usize, 1, 2, 3, 10, 257] {
            let items: Vec<(u64, usize)> = (0..n).map(|i| ((i as u64 * 7919) % 17, i)).collect();
            let (mut ours, mut theirs) = (items.clone(), items);
            sort_by(&mut ours, |a, b| a.0.cmp(&b.0));
            #[allow(clippy::disallowed_methods)]
            theirs.sort_by_key(|a| a.0);
            assert_eq!(ours, theirs, "{n}");
        }
    }

    #[test]
    fn numbers_go_upwards_with_the_signs_of_zero_apart() {
        let mut x = [2.0, f64::INFINITY, 0.0, -1.0, -0.0];
        ascending(&mut x);
        assert_eq!(x, [-1.0, -0.0, 0.0, 2.0, f64::INFINITY]);
        assert!(x[1].is_sign_negative());
    }
}
