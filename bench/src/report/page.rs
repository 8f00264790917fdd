//! Putting a table into a page.

use anyhow::{Context, Result};

/// The page with this table in the place of the one behind the line `<!-- table: NAME -->`.
///
/// # Errors
/// When the page has no such line.
pub fn with_table(page: &str, name: &str, table: &str) -> Result<String> {
    let marker = format!("<!-- table: {name} -->");
    let mut lines = page.lines().peekable();
    let mut text = String::new();
    let mut is_found = false;
    while let Some(line) = lines.next() {
        text.push_str(line);
        text.push('\n');
        if line != marker {
            continue;
        }
        is_found = true;
        while lines
            .next_if(|line| line.starts_with('|') || line.is_empty())
            .is_some()
        {}
        // A table begins after an empty line, and so does what follows.
        text.push('\n');
        text.push_str(table);
        if lines.peek().is_some() {
            text.push('\n');
        }
    }
    is_found
        .then_some(text)
        .with_context(|| format!("the page has no line {marker}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_behind_its_line_is_replaced() {
        let page = "# Page\n<!-- table: a b -->\n\n| old |\n| --- |\n\nText\n<!-- table: c -->\n";
        let table = "| new |\n| --- |\n";
        let expected =
            "# Page\n<!-- table: a b -->\n\n| new |\n| --- |\n\nText\n<!-- table: c -->\n";
        let once = with_table(page, "a b", table).unwrap();
        assert_eq!(once, expected);
        assert_eq!(with_table(&once, "a b", table).unwrap(), expected);
        let both = with_table(&once, "c", table).unwrap();
        assert_eq!(both, format!("{expected}\n{table}"));
        assert!(with_table(page, "none", table).is_err());
    }
}
