//! Parameters of a request's address.

use crate::http::Fault;

/// The parameters of one address, decoded. Each has to be taken: one that nobody knows is a
/// mistake, and says so.
#[derive(Debug)]
pub(crate) struct Query {
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Query {
    /// Decodes what follows the question mark.
    pub(crate) fn parse(text: Option<&str>) -> Result<Query, Fault> {
        let parts = text.unwrap_or_default().split('&');
        let pairs = parts.filter(|part| !part.is_empty()).map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((decoded(name)?, decoded(value)?))
        });
        Ok(Query {
            pairs: pairs.collect::<Result<_, Fault>>()?,
        })
    }

    /// The bytes of a parameter.
    pub(crate) fn bytes(&mut self, name: &str) -> Option<Vec<u8>> {
        let at = self
            .pairs
            .iter()
            .position(|(of, _)| of == name.as_bytes())?;
        Some(self.pairs.remove(at).1)
    }

    /// The text of a parameter.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Fault> {
        let text = self.bytes(name).map(String::from_utf8).transpose();
        text.map_err(|_| Fault::bad(format!("{name} is no text")))
    }

    /// A number from 0 to `max`, or `default` where there is none.
    pub(crate) fn number(&mut self, name: &str, default: u64, max: u64) -> Result<u64, Fault> {
        let Some(text) = self.text(name)? else {
            return Ok(default);
        };
        let number = text.parse().ok().filter(|number| *number <= max);
        number.ok_or_else(|| Fault::bad(format!("{name} is a number from 0 to {max}")))
    }

    /// Refuses what nobody has taken.
    pub(crate) fn end(self) -> Result<(), Fault> {
        match self.pairs.first() {
            None => Ok(()),
            Some((name, _)) => {
                let name = String::from_utf8_lossy(name);
                Err(Fault::bad(format!("{name} is no parameter of this path")))
            }
        }
    }
}

/// Bytes that may be written as a percent sign and two hexadecimal digits.
fn decoded(text: &str) -> Result<Vec<u8>, Fault> {
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
            b'+' => b' ',
            byte => byte,
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_bytes_and_each_is_known() {
        let mut query = Query::parse(Some("match=a%2a+b%ff&n=7&odd")).unwrap();
        assert_eq!(query.bytes("match").as_deref(), Some(&b"a* b\xff"[..]));
        assert_eq!(query.number("n", 1, 7).ok(), Some(7));
        assert_eq!(query.number("m", 1, 7).ok(), Some(1));
        assert!(query.end().is_err());
        assert!(Query::parse(Some("n=%2")).is_err());
        assert!(Query::parse(Some("n=%zz")).is_err());
        let mut query = Query::parse(Some("n=8&m=x&t=%ff")).unwrap();
        assert!(query.number("n", 1, 7).is_err());
        assert!(query.number("m", 1, 7).is_err());
        assert!(query.text("t").is_err());
        assert!(query.end().is_ok());
    }
}
