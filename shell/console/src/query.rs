//! Parameters of a request's address, which the table of routes lists.

use engine::glob::{self, Letters};

use crate::http::Fault;

/// A parameter that a path takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// What it is, as a sentence.
    pub(crate) help: &'static str,
}

/// What a parameter can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text or bytes.
    Text,
    /// A number from 0 to this one.
    Number(u64),
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// The parameters of a request, each of which fits its row. So a handler finds only what its route
/// lists, and whatever it finds is right.
#[derive(Debug)]
pub(crate) struct Query {
    pairs: Vec<(&'static Parameter, Vec<u8>)>,
}

impl Query {
    /// Decodes what follows the question mark.
    pub(crate) fn parse(
        text: Option<&str>,
        parameters: impl Iterator<Item = &'static Parameter> + Clone,
    ) -> Result<Query, Fault> {
        let mut pairs: Vec<(&Parameter, _)> = Vec::new();
        for part in text.unwrap_or_default().split('&') {
            if part.is_empty() {
                continue;
            }
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (
                decoded(name, Plus::IsSpace)?,
                decoded(value, Plus::IsSpace)?,
            );
            let known = parameters.clone().find(|of| of.name.as_bytes() == name);
            let parameter = known.ok_or_else(|| {
                let name = String::from_utf8_lossy(&name);
                Fault::bad(format!("{name} is no parameter of this path"))
            })?;
            parameter.check(&value)?;
            if pairs.iter().any(|(of, _)| of.name == parameter.name) {
                return Err(Fault::bad(format!("{} is given twice", parameter.name)));
            }
            pairs.push((parameter, value));
        }
        Ok(Query { pairs })
    }

    /// The bytes of a parameter.
    pub(crate) fn bytes(&self, name: &str) -> Option<&[u8]> {
        let found = self.pairs.iter().find(|(of, _)| of.name == name);
        found.map(|(_, value)| value.as_slice())
    }

    /// Returns whether a name fits the pattern in a parameter, as any does if there is none.
    pub(crate) fn fits(&self, name: &str, text: &[u8]) -> bool {
        let pattern = self.bytes(name);
        pattern.is_none_or(|pattern| glob::matches(pattern, text, Letters::Exact))
    }

    /// The word that was chosen.
    pub(crate) fn word(&self, name: &str) -> Option<&str> {
        self.bytes(name)
            .and_then(|word| std::str::from_utf8(word).ok())
    }

    /// A number, or `default` where there is none.
    pub(crate) fn number(&self, name: &str, default: u64) -> u64 {
        let text = self.word(name);
        text.and_then(|text| text.parse().ok()).unwrap_or(default)
    }

    /// Whether a flag is `true`.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.bytes(name) == Some(b"true")
    }
}

impl Parameter {
    fn check(&self, value: &[u8]) -> Result<(), Fault> {
        let text = std::str::from_utf8(value).unwrap_or_default();
        let (fits, wanted) = match self.kind {
            Kind::Text => (true, String::new()),
            Kind::Number(max) => {
                let digits = text.bytes().all(|byte| byte.is_ascii_digit());
                let number = text.parse::<u64>().ok().filter(|_| digits);
                let fits = number.is_some_and(|number| number <= max);
                (fits, format!("a number from 0 to {max}"))
            }
            Kind::Flag => (
                ["true", "false"].contains(&text),
                "true or false".to_owned(),
            ),
            Kind::Word(words) => (
                words.contains(&text),
                format!("one of {}", words.join(", ")),
            ),
        };
        match fits {
            true => Ok(()),
            false => Err(Fault::bad(format!("{} is {wanted}", self.name))),
        }
    }
}

/// What a plus sign stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plus {
    /// A space, in the parameters.
    IsSpace,
    /// Itself, in a path.
    IsPlus,
}

/// Bytes that may be written as a percent sign and two hexadecimal digits.
pub(crate) fn decoded(text: &str, plus: Plus) -> Result<Vec<u8>, Fault> {
    let mut bytes = text.bytes();
    let mut found = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        found.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let value = digit().zip(digit()).map(|(high, low)| high * 16 + low);
                let value = value.and_then(|value| u8::try_from(value).ok());
                value.ok_or_else(|| Fault::bad("a percent sign is followed by two digits"))?
            }
            b'+' if plus == Plus::IsSpace => b' ',
            byte => byte,
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMETERS: &[Parameter] = &[
        row("match", Kind::Text),
        row("n", Kind::Number(7)),
        row("flag", Kind::Flag),
        row("word", Kind::Word(&["a", "b"])),
    ];

    const fn row(name: &'static str, kind: Kind) -> Parameter {
        Parameter {
            name,
            kind,
            help: "",
        }
    }

    #[test]
    fn parameters_are_those_of_the_path_and_each_fits_its_row() {
        let all = Query::parse(
            Some("match=a%2a+b%ff&n=7&flag=true&word=b"),
            PARAMETERS.iter(),
        )
        .unwrap();
        assert_eq!(all.bytes("match"), Some(&b"a* b\xff"[..]));
        assert_eq!((all.number("n", 1), all.flag("flag")), (7, true));
        assert_eq!(all.word("word"), Some("b"));
        let none = Query::parse(None, PARAMETERS.iter()).unwrap();
        assert_eq!((none.number("n", 1), none.flag("flag")), (1, false));
        for odd in [
            "n=8", "n=-1", "n=+1", "n=", "n=x", "flag=yes", "word=c", "odd=1", "n=1&n=2", "n=%2",
            "n=%zz",
        ] {
            assert!(Query::parse(Some(odd), PARAMETERS.iter()).is_err(), "{odd}");
        }
        assert_eq!(decoded("a+b", Plus::IsPlus).ok(), Some(b"a+b".to_vec()));
    }
}
