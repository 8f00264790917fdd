//! Templates written as a line of text, for works that are rows of data.
//!
//! Words are arguments. In a word, `#6` is the serial number in six digits, `%6` six digits that
//! differ each time, and `@6` six letters and digits that do. `{20 x field:& @8}` stands for these
//! arguments twenty times, where `&` is the number of each in two digits.

use anyhow::{Context, Result, ensure};

use super::{Piece, Template};

impl Template {
    /// Reads a line.
    ///
    /// # Errors
    /// When a brace is not closed, or a sign has no number behind it.
    pub fn parse(line: &str) -> Result<Template> {
        let line = repeated(line).with_context(|| line.to_owned())?;
        let words: Vec<Vec<Piece<'_>>> = line
            .split_ascii_whitespace()
            .map(|word| pieces(word).with_context(|| word.to_owned()))
            .collect::<Result<_>>()?;
        let arguments: Vec<&[Piece<'_>]> = words.iter().map(Vec::as_slice).collect();
        Ok(Template::new(&arguments, 0))
    }
}

/// The line with what is in braces as often as it says.
fn repeated(line: &str) -> Result<String> {
    let (mut text, mut rest) = (String::new(), line);
    while let Some((before, behind)) = rest.split_once('{') {
        let (inner, after) = behind.split_once('}').context("a brace is not closed")?;
        let (count, words) = inner.split_once(" x ").context("a count and words")?;
        text.push_str(before);
        for number in 0..count.parse::<u32>().context("a count")? {
            text.push_str(&words.replace('&', &format!("{number:02}")));
            text.push(' ');
        }
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

fn pieces(word: &str) -> Result<Vec<Piece<'_>>> {
    let (mut pieces, mut rest) = (Vec::new(), word);
    while let Some(at) = rest.find(['#', '%', '@']) {
        let (before, special) = rest.split_at(at);
        if !before.is_empty() {
            pieces.push(Piece::Fixed(before.as_bytes()));
        }
        let (sign, behind) = special.split_at(1);
        let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = behind.split_at(digits);
        let length: usize = number.parse().context("a sign without a number")?;
        ensure!(length > 0, "a length of zero");
        pieces.push(match sign {
            "#" => Piece::Serial(length),
            "%" => Piece::Digits(length),
            _ => Piece::Text(length),
        });
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Fixed(rest.as_bytes()));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Texts;

    fn text(line: &str, serial: u64) -> String {
        let mut out = Vec::new();
        let template = Template::parse(line).unwrap();
        template.write(serial, &Texts::new(), &mut out);
        String::from_utf8(out).unwrap().replace("\r\n", " ")
    }

    #[test]
    fn a_line_is_a_template() {
        assert_eq!(text("GET key", 0), "*2 $3 GET $3 key ");
        assert_eq!(text("SET k:#3 v", 7), "*3 $3 SET $5 k:007 $1 v ");
        assert_eq!(
            text("HSET h#1 {2 x f:& v}", 3),
            "*6 $4 HSET $2 h3 $4 f:00 $1 v $4 f:01 $1 v "
        );
        let drawn = |serial| text("ZADD z %4 m-@9", serial);
        assert_eq!(drawn(5).len(), drawn(6).len());
        assert_ne!(drawn(5), drawn(6));
    }

    #[test]
    fn a_line_that_says_nothing_is_refused() {
        for line in ["GET k%", "GET k#0", "SET {2 x k v", "SET {k v}"] {
            assert!(Template::parse(line).is_err(), "{line}");
        }
    }
}
