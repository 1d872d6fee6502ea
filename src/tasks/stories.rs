//! Small English stories, made as they are asked for: seeded and endless, by a grammar that fits on one
//! screen. What a language model can learn from them is in it: names that come again within a story and
//! in no other, lists whose numbers rise, quotations, and lines that end before a fixed column.

use crate::math::philox::{Draws, Stream};

/// One rule a line: its name, then its alternatives between bars, each as likely as another (one that
/// stands twice is twice as likely). `<name>` is replaced by an alternative of that rule; a name with a
/// capital is drawn once a story and stays. `/` ends a line.
pub const GRAMMAR: &str = "\
story    <open> <more>
open     One day <Hero> went to the <Place>. | There was once a <job> called <Hero>. | <Hero> and <Friend> lived by the <Place>. | <Friend> was <age> years old when he met <Hero>.
more     <event> <more> | <event> <more> | <event> <more> | <talk> <more> | <talk> <more> | <list><more> | <close>
event    <walk> | <find> | <look> | <beast>
walk     <Hero> <went> to the <place>. | <Friend> <went> to the <Place> with <Hero>. | They <went> to the <place> and back to the <Place>.
find     <Hero> found a <kind> <thing> in the <place>. | <Friend> gave <Hero> a <kind> <thing>. | She put the <Thing> into the <box>.
look     <Hero> looked for the <Thing>, but it was not in the <box>. | He was <mood>, and she was <mood>. | She had lost the <Thing>.
beast    Then a <kind> <animal> came out of the <place>. | The <animal> looked at <Friend> and ran away. | <Friend> saw <age> of them by the <place>.
talk     \"<say>,\" said <Hero>. | \"<say>,\" said <Friend>. | \"<ask>?\" asked <Hero>. \"<answer>,\" said <Friend>. | \"<ask>?\" asked <Friend>. \"<answer>,\" said <Hero>.
say      I have a <kind> <thing> | The <Thing> is mine | We must go to the <place> | You are my friend | Look at the <animal>
ask      Where is the <Thing> | Is it in the <box> | Do you see the <animal> | Who has a <kind> <thing>
answer   It is in the <box> | It is by the <place> | I do not know | Yes, it is | No, it is not
list     <Hero> wrote down what to take:/1. <thing>/2. <thing>/<three> | <Friend> had <age> things:/1. the <Thing>/2. <thing>/<three>
three    3. <thing>/ | 3. <thing>/<four> | 3. <thing>/<four>
four     4. <thing>/ | 4. <thing>/<five>
five     5. <thing>/ | 5. <thing>/6. <thing>/
close    So <Hero> gave the <Thing> to <Friend>./ | In the end they were <mood>./ | And <Friend> went home with <Hero>./
Hero     Anna | Bella | Clara | Dora | Emma | Fanny | Greta | Hilda | Ida | Julia | Kate | Lucy
Friend   Max | Ned | Oscar | Paul | Quentin | Rudi | Sam | Tom | Udo | Victor | Will | Zeno
Place    <place>
Thing    <thing>
place    forest | river | village | garden | bridge | mill | market | castle | valley | well
thing    key | coin | lamp | rope | cup | book | map | bell | knife | jug | ring | flute
box      box | bag | barrel | chest | drawer
animal   fox | dog | cat | goat | horse | wolf | bird | squirrel
kind     small | big | green | red | white | black | new | quiet
job      baker | farmer | queen | painter | judge | miller
mood     happy | sad | tired | angry | glad
age      3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 12
went     went | walked | ran | came
";

/// Most characters of a story: the rule `more` calls itself, and ends after five turns on average.
const LONGEST: usize = 4000;

type Rule = (&'static str, Vec<&'static str>);

/// The stories of a wrapping.
#[derive(Clone, Debug)]
pub struct Stories {
    rules: Vec<Rule>,
    /// Greatest length of a line in characters; 0, lines are not wrapped.
    wrap: usize,
}

impl Stories {
    /// Lines are at most `wrap` characters long, or as long as they are where it is 0.
    #[must_use]
    pub fn new(wrap: usize) -> Self {
        let rule = |line: &'static str| {
            let (name, alternatives) = line.split_once(' ')?;
            Some((name, alternatives.split(" | ").map(str::trim).collect()))
        };
        Self {
            rules: GRAMMAR.lines().filter_map(rule).collect(),
            wrap,
        }
    }

    /// One story.
    #[must_use]
    pub fn example(&self, seed: u32) -> String {
        let mut out = String::new();
        self.append(&mut Draws::new(seed, Stream::DataSet, 1), &mut out);
        out.trim_end().to_string()
    }

    /// Appends one story and an empty line behind it.
    pub fn append(&self, draws: &mut Draws, out: &mut String) {
        let (mut story, mut drawn) = (String::new(), Vec::new());
        self.expand("story", draws, &mut drawn, &mut story);
        for line in story.trim_end_matches('/').split('/') {
            wrapped(line.trim(), self.wrap, out);
            out.push('\n');
        }
        out.push('\n');
    }

    /// Appends what becomes of a rule; `drawn` are those that stay for the story.
    fn expand(
        &self,
        name: &'static str,
        draws: &mut Draws,
        drawn: &mut Vec<(&'static str, String)>,
        out: &mut String,
    ) {
        if let Some((_, text)) = drawn.iter().find(|(n, _)| *n == name) {
            out.push_str(text);
            return;
        }
        let Some((_, alternatives)) = self.rules.iter().find(|(n, _)| *n == name) else {
            return;
        };
        let n = alternatives.len();
        let which = draws.index(n as u32) as usize;
        // The last alternative of the rule that calls itself is its end.
        let which = if out.len() < LONGEST { which } else { n - 1 };
        let (mut rest, begin) = (alternatives[which], out.len());
        while let Some((plain, after)) = rest.split_once('<') {
            out.push_str(plain);
            let (name, after) = after.split_once('>').unwrap_or((after, ""));
            self.expand(name, draws, drawn, out);
            rest = after;
        }
        out.push_str(rest);
        if name.starts_with(char::is_uppercase) {
            drawn.push((name, out[begin..].to_string()));
        }
    }
}

/// Appends a paragraph, broken at spaces so that no line is longer than `wrap` characters, unless a
/// word is.
fn wrapped(text: &str, wrap: usize, out: &mut String) {
    let mut column = 0;
    for word in text.split(' ') {
        let long = word.chars().count();
        if column > 0 {
            let fits = wrap == 0 || column + 1 + long <= wrap;
            out.push(if fits { ' ' } else { '\n' });
            column = if fits { column + 1 } else { 0 };
        }
        out.push_str(word);
        column += long;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(wrap: usize, n: u32) -> String {
        let (mut draws, mut out) = (Draws::new(1, Stream::Data, 0), String::new());
        (0..n).for_each(|_| Stories::new(wrap).append(&mut draws, &mut out));
        out
    }

    /// What is wrong with stories, judged from their text.
    fn fault(text: &str, wrap: usize) -> Option<String> {
        let long = text.lines().find(|l| l.chars().count() > wrap);
        if let Some(line) = long {
            return Some(format!("a line of {} characters", line.len()));
        }
        let lines: Vec<&str> = text.lines().collect();
        for pair in lines.windows(2) {
            // A line that goes on has no room for the next word; a number has the next one below it.
            let word = pair[1].split(' ').next().unwrap_or_default();
            let listed = word.ends_with('.') && word.starts_with(|c: char| c.is_ascii_digit());
            let ends = pair[0].ends_with(['.', ':', '?', '"']) || pair[0].is_empty();
            let number = |line: &str| line.split_once(". ").and_then(|(n, _)| n.parse().ok());
            match (number(pair[0]), number(pair[1])) {
                (Some::<u32>(a), Some::<u32>(b)) if b != a + 1 => {
                    return Some(format!("{b} below {a}"));
                }
                (None, Some(b)) if listed && b != 1 => return Some(format!("a list from {b}")),
                (None, None) if !ends && !word.is_empty() => {
                    let room = pair[0].chars().count() + 1 + word.chars().count() <= wrap;
                    if room {
                        return Some(format!("room for {word} after {}", pair[0]));
                    }
                }
                _ => {}
            }
        }
        let marks = text.matches('"').count();
        (!marks.is_multiple_of(2)).then(|| "a quotation without an end".into())
    }

    #[test]
    fn lines_are_wrapped_lists_count_and_quotations_end() {
        let text = some(40, 300);
        assert_eq!(fault(&text, 40), None);
        assert!(!text.contains(['<', '>', '|', '/']), "{text}");
        // Planted faults.
        assert!(fault(&text, 39).is_some());
        assert!(fault(&text.replacen("\n2. ", "\n3. ", 1), 40).is_some());
        assert!(fault(&text.replacen('"', "", 1), 40).is_some());
        assert!(fault(&some(39, 300), 40).is_some(), "wrapped too early");
    }

    /// A story has its two people, and nobody else: names come again within it.
    #[test]
    fn names_come_again_within_a_story() {
        let text = some(0, 200);
        let rules = Stories::new(0).rules;
        let names = |rule: &str| &rules.iter().find(|r| r.0 == rule).unwrap().1;
        for story in text.split("\n\n").filter(|s| !s.is_empty()) {
            for rule in ["Hero", "Friend"] {
                let who = names(rule).iter().filter(|n| story.contains(**n));
                assert!(who.count() <= 1, "{story}");
            }
        }
        let used = names("Hero").iter().filter(|n| text.contains(**n)).count();
        assert_eq!(used, 12);
    }

    /// Every rule that is asked for is there, and every rule is asked for.
    #[test]
    fn the_grammar_is_whole() {
        let rules = Stories::new(0).rules;
        let asked = |name: &str| name == "story" || GRAMMAR.contains(&format!("<{name}>"));
        for (name, alternatives) in &rules {
            assert!(asked(name), "{name}");
            for part in alternatives.iter().flat_map(|a| a.split('<').skip(1)) {
                let called = part.split('>').next().unwrap();
                assert!(rules.iter().any(|r| r.0 == called), "{called}");
            }
        }
        assert!(GRAMMAR.lines().count() <= 40, "one screen");
    }
}
