//! Where the replicas of superposition are, in words.

use crate::protocol::Jump;

/// Colours of the curves of replicas by the corners they have now: class and name.
const COLOURS: [(char, &str, &str); 5] = [
    ('4', "g4", "orange"),
    ('5', "g5", "blue"),
    ('6', "g6", "green"),
    ('7', "g7", "purple"),
    ('8', "g8", "ochre"),
];

/// The class of a replica's curve; empty, which is grey, for polygons without a colour.
#[must_use]
pub fn class(gon: &str) -> &'static str {
    let corners = gon.chars().next();
    COLOURS
        .iter()
        .find(|c| Some(c.0) == corners && !gon.starts_with("10"))
        .map_or("", |c| c.1)
}

/// What the thin curves mean, for the polygons that are present.
#[must_use]
pub fn legend(gons: &[String]) -> String {
    let mut parts: Vec<String> = COLOURS
        .iter()
        .filter(|c| gons.iter().any(|g| class(g) == c.1))
        .map(|(corners, _, colour)| format!("{corners} {colour}"))
        .collect();
    if gons.iter().any(|g| class(g).is_empty()) {
        parts.push("others grey".into());
    }
    format!(
        "thin: the other replicas, by corners now: {}",
        parts.join(", ")
    )
}

/// How many replicas have another number of corners than they started with, and how many have only
/// lost or won a +: `7 of 16 left the 4-gon; 3 more changed a +`. Empty while all stand as they did.
#[must_use]
pub fn departed(gons: &[String], jumps: &[Jump]) -> String {
    let corners = |gon: &str| gon.trim_end_matches('+').to_string();
    let starts: Vec<&str> = gons
        .iter()
        .enumerate()
        .map(|(r, now)| {
            let first = jumps.iter().find(|j| j.replica == r);
            first.map_or(now.as_str(), |j| j.from.as_str())
        })
        .collect();
    let count =
        |f: &dyn Fn(&str, &str) -> bool| starts.iter().zip(gons).filter(|(s, g)| f(s, g)).count();
    let left = count(&|s, g| corners(s) != corners(g));
    let signed = count(&|s, g| s != g && corners(s) == corners(g));
    let Some(first) = starts
        .first()
        .map(|s| corners(s))
        .filter(|_| left + signed > 0)
    else {
        return String::new();
    };
    let polygon = if starts.iter().all(|s| corners(s) == first) {
        format!("the {first}-gon")
    } else {
        "the polygon they started from".into()
    };
    let more = if signed > 0 {
        format!("; {signed} more changed a +")
    } else {
        String::new()
    };
    format!("{left} of {} left {polygon}{more}", gons.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gons(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn who_came_back_has_not_left() {
        let jump = |replica, from: &str, to: &str| Jump {
            step: 1,
            replica,
            from: from.into(),
            to: to.into(),
        };
        let jumps = [
            jump(0, "4++", "5+"),
            jump(1, "4++", "4+"),
            jump(0, "5+", "6"),
            jump(1, "4+", "4++"),
        ];
        let said = |names: &[&str]| departed(&gons(names), &jumps);
        assert_eq!(said(&["6", "4++", "4++"]), "1 of 3 left the 4-gon");
        assert_eq!(
            said(&["6", "4+", "4++"]),
            "1 of 3 left the 4-gon; 1 more changed a +"
        );
        assert_eq!(departed(&gons(&["4++"]), &[]), "");
        assert_eq!(
            said(&["6", "4++", "5"]),
            "1 of 3 left the polygon they started from"
        );
        // Counting jumps, as one might, gives four.
        assert_eq!(jumps.len(), 4);
    }

    #[test]
    fn the_legend_names_what_is_there() {
        let said = legend(&gons(&["4++", "7", "8+", "10", "–"]));
        assert!(
            said.ends_with("4 orange, 7 purple, 8 ochre, others grey"),
            "{said}"
        );
        assert!(!legend(&gons(&["5"])).contains("grey"));
    }
}
