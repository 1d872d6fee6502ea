//! The small Markdown of the stories: headings, paragraphs, lists, tables, code, emphasis, links.
//! It becomes plain data; the page makes elements of it, so no text is ever taken for HTML.

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span {
    /// As it is.
    Plain(String),
    /// `*…*`.
    Emphasis(String),
    /// `**…**`.
    Strong(String),
    /// Between backticks.
    Code(String),
    /// `[text](https://…)`: text, address.
    Link(String, String),
}

/// A block of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// `#` to `####`: level, text.
    Heading(u8, Vec<Span>),
    /// Lines up to an empty one.
    Paragraph(Vec<Span>),
    /// `-` or `1.`: ordered, items.
    List(bool, Vec<Vec<Span>>),
    /// Rows between `|`; the first is the head.
    Table(Vec<Vec<Vec<Span>>>),
    /// Between lines of three backticks.
    Code(String),
}

/// Reads a text.
#[must_use]
pub fn parse(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let line = line.trim_end();
        if line.trim().is_empty() {
            continue;
        }
        if line.starts_with("```") {
            let code: Vec<&str> = lines
                .by_ref()
                .take_while(|l| !l.starts_with("```"))
                .collect();
            blocks.push(Block::Code(code.join("\n")));
        } else if let Some((level, rest)) = heading(line) {
            blocks.push(Block::Heading(level, spans(rest)));
        } else if line.starts_with('|') {
            let mut rows = vec![line];
            while let Some(next) = lines.next_if(|l| l.starts_with('|')) {
                rows.push(next);
            }
            blocks.push(table(&rows));
        } else if let Some((ordered, first)) = item(line) {
            let mut items = vec![first.to_string()];
            while let Some(next) =
                lines.next_if(|l| item(l).is_some() || l.starts_with("  ") && !l.trim().is_empty())
            {
                match item(next) {
                    Some((_, text)) => items.push(text.to_string()),
                    None => {
                        if let Some(last) = items.last_mut() {
                            *last = format!("{last} {}", next.trim());
                        }
                    }
                }
            }
            blocks.push(Block::List(
                ordered,
                items.iter().map(|i| spans(i)).collect(),
            ));
        } else {
            let mut all = line.trim().to_string();
            while let Some(next) = lines.next_if(|l| continues(l)) {
                all.push(' ');
                all.push_str(next.trim());
            }
            blocks.push(Block::Paragraph(spans(&all)));
        }
    }
    blocks
}

fn continues(line: &str) -> bool {
    !line.trim().is_empty()
        && !line.starts_with("```")
        && !line.starts_with('|')
        && heading(line).is_none()
        && item(line).is_none()
}

fn heading(line: &str) -> Option<(u8, &str)> {
    let level = line.bytes().take_while(|b| *b == b'#').count();
    let rest = line[level..].strip_prefix(' ')?;
    (1..=4)
        .contains(&level)
        .then_some((u8::try_from(level).unwrap_or(4), rest.trim()))
}

fn item(line: &str) -> Option<(bool, &str)> {
    if let Some(rest) = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
        return Some((false, rest.trim()));
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = line[digits..].strip_prefix(". ")?;
    (digits > 0).then_some((true, rest.trim()))
}

fn table(rows: &[&str]) -> Block {
    let cells = |row: &str| -> Vec<Vec<Span>> {
        let row = row.trim();
        let row = row.strip_prefix('|').unwrap_or(row);
        row.strip_suffix('|')
            .unwrap_or(row)
            .split('|')
            .map(|c| spans(c.trim()))
            .collect()
    };
    let ruler = |row: &str| row.bytes().all(|b| b"|-: ".contains(&b));
    Block::Table(
        rows.iter()
            .filter(|r| !ruler(r))
            .map(|r| cells(r))
            .collect(),
    )
}

/// Reads the spans of a line. A mark that is never closed is text.
#[must_use]
pub fn spans(line: &str) -> Vec<Span> {
    let mut out = Vec::new();
    let mut plain = String::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        // A star after a letter is a star: w* is a name.
        let star = c == '*' && plain.chars().last().is_some_and(char::is_alphanumeric);
        let (span, used) = if star { (None, 0) } else { marked(rest) };
        if let Some(span) = span {
            if !plain.is_empty() {
                out.push(Span::Plain(std::mem::take(&mut plain)));
            }
            out.push(span);
            rest = &rest[used..];
        } else {
            plain.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    if !plain.is_empty() {
        out.push(Span::Plain(plain));
    }
    out
}

/// The span that starts here and its length in bytes, if one does.
fn marked(rest: &str) -> (Option<Span>, usize) {
    let between = |mark: &str| {
        let inside = rest.strip_prefix(mark)?;
        let end = inside
            .find(mark)
            .filter(|e| *e > 0 && !inside.starts_with(' '))?;
        Some((inside[..end].to_string(), 2 * mark.len() + end))
    };
    if let Some((text, used)) = between("`") {
        return (Some(Span::Code(text)), used);
    }
    if let Some((text, used)) = between("**") {
        return (Some(Span::Strong(text)), used);
    }
    if let Some((text, used)) = between("*") {
        return (Some(Span::Emphasis(text)), used);
    }
    let link = || {
        let (text, after) = rest.strip_prefix('[')?.split_once("](")?;
        let (address, _) = after.split_once(')')?;
        let safe = address.starts_with("https://") || address.starts_with("#/");
        (safe && !text.contains('[')).then(|| (text.to_string(), address.to_string()))
    };
    match link() {
        Some((text, address)) => {
            let used = text.len() + address.len() + 4;
            (Some(Span::Link(text, address)), used)
        }
        None => (None, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Vec<Span> {
        vec![Span::Plain(text.into())]
    }

    #[test]
    fn a_story_is_read() {
        let text = "# Title\n\nOne line\nand the next.\n\n- a\n- b\n  goes on\n\n1. x\n\n| k | L |\n|---|---|\n| 4 | 0.1 |\n\n```\nlet x;\n```\n";
        let blocks = parse(text);
        assert_eq!(
            blocks,
            [
                Block::Heading(1, plain("Title")),
                Block::Paragraph(plain("One line and the next.")),
                Block::List(false, vec![plain("a"), plain("b goes on")]),
                Block::List(true, vec![plain("x")]),
                Block::Table(vec![
                    vec![plain("k"), plain("L")],
                    vec![plain("4"), plain("0.1")]
                ]),
                Block::Code("let x;".into()),
            ]
        );
    }

    #[test]
    fn spans_close_or_are_text() {
        assert_eq!(
            spans("a *b* **c** `d*` 2 * 3 [e](https://f.org) [x](javascript:1)"),
            [
                Span::Plain("a ".into()),
                Span::Emphasis("b".into()),
                Span::Plain(" ".into()),
                Span::Strong("c".into()),
                Span::Plain(" ".into()),
                Span::Code("d*".into()),
                Span::Plain(" 2 * 3 ".into()),
                Span::Link("e".into(), "https://f.org".into()),
                Span::Plain(" [x](javascript:1)".into()),
            ]
        );
        assert_eq!(spans("**never closed é"), plain("**never closed é"));
        assert_eq!(spans("L(w*) and w* again"), plain("L(w*) and w* again"));
    }
}
