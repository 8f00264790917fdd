//! `bind`: the addresses to listen on.

use super::SettingError;

/// Addresses that `bind` takes, as many as in Redis.
const ADDRESSES_MAX: usize = 16;

/// An address to listen on, or a name that stands for one. Names are looked up by the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindAddress {
    /// The address as given, without the `-` that makes it optional.
    pub host: String,
    /// Not an error if this machine does not have it (`-` before it).
    pub optional: bool,
}

impl BindAddress {
    /// Reads addresses between spaces.
    pub(super) fn parse_all(text: &str) -> Result<Vec<BindAddress>, SettingError> {
        let addresses: Vec<_> = text
            .split_ascii_whitespace()
            .map(|word| {
                let host = word.strip_prefix('-');
                BindAddress {
                    host: host.unwrap_or(word).to_owned(),
                    optional: host.is_some(),
                }
            })
            .collect();
        if addresses.len() > ADDRESSES_MAX {
            return Err(SettingError::Invalid("Too many bind addresses specified."));
        }
        Ok(addresses)
    }

    /// Addresses as `bind` has them.
    pub(super) fn text_of(addresses: &[BindAddress]) -> String {
        let words: Vec<_> = addresses
            .iter()
            .map(|address| {
                let sign = if address.optional { "-" } else { "" };
                format!("{sign}{}", address.host)
            })
            .collect();
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_addresses_as_in_redis_and_no_more() {
        let most = ["127.0.0.1"; ADDRESSES_MAX].join("  ");
        let addresses = BindAddress::parse_all(&most).unwrap();
        assert_eq!(addresses.len(), ADDRESSES_MAX);
        let error = BindAddress::parse_all(&format!("{most} -::1")).unwrap_err();
        assert_eq!(error.to_string(), "Too many bind addresses specified.");
    }

    #[test]
    fn a_sign_makes_an_address_optional_and_is_no_part_of_it() {
        let addresses = BindAddress::parse_all(" *  -::* ").unwrap();
        let found: Vec<_> = addresses
            .iter()
            .map(|address| (address.host.as_str(), address.optional))
            .collect();
        assert_eq!(found, [("*", false), ("::*", true)]);
        assert_eq!(BindAddress::text_of(&addresses), "* -::*");
    }
}
