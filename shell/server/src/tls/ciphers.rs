//! The settings that are lists of names: ciphers and versions.

use engine::config::TlsConfig;
use rustls::crypto::ring::cipher_suite;
use rustls::version::{TLS12, TLS13};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

use super::TlsError;

/// A cipher, by the names that users know it by.
type Named = (&'static [&'static str], SupportedCipherSuite);

/// The ciphers of TLS 1.3, those that are preferred first.
const OF_TLS13: &[Named] = &[
    (
        &["TLS_AES_256_GCM_SHA384"],
        cipher_suite::TLS13_AES_256_GCM_SHA384,
    ),
    (
        &["TLS_AES_128_GCM_SHA256"],
        cipher_suite::TLS13_AES_128_GCM_SHA256,
    ),
    (
        &["TLS_CHACHA20_POLY1305_SHA256"],
        cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    ),
];

/// The ciphers of TLS 1.2, by the names of OpenSSL and of the standard.
const OF_TLS12: &[Named] = &[
    (
        &[
            "ECDHE-ECDSA-AES256-GCM-SHA384",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        ],
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        &[
            "ECDHE-ECDSA-AES128-GCM-SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        ],
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        &[
            "ECDHE-ECDSA-CHACHA20-POLY1305",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        ],
        cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    (
        &[
            "ECDHE-RSA-AES256-GCM-SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        ],
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        &[
            "ECDHE-RSA-AES128-GCM-SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        ],
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        &[
            "ECDHE-RSA-CHACHA20-POLY1305",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        ],
        cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
];

/// Words that stand for all ciphers: each of them is what these ask for.
const ALL: &[&str] = &["DEFAULT", "HIGH"];

/// The ciphers that the settings allow, in their order.
pub(super) fn of(config: &TlsConfig) -> Result<Vec<SupportedCipherSuite>, TlsError> {
    let mut found = listed("tls-ciphersuites", &config.cipher_suites, OF_TLS13)?;
    found.extend(listed("tls-ciphers", &config.ciphers, OF_TLS12)?);
    Ok(found)
}

fn listed(
    setting: &'static str,
    text: &str,
    all: &[Named],
) -> Result<Vec<SupportedCipherSuite>, TlsError> {
    let words: Vec<&str> = text
        .split([':', ',', ' '])
        .filter(|w| !w.is_empty())
        .collect();
    if words.is_empty() {
        return Ok(all.iter().map(|(_, cipher)| *cipher).collect());
    }
    let mut found: Vec<SupportedCipherSuite> = Vec::new();
    for word in words {
        let is_called = |(names, _): &&Named| {
            let own = names.iter().any(|name| name.eq_ignore_ascii_case(word));
            own || ALL.iter().any(|all| all.eq_ignore_ascii_case(word))
        };
        let before = found.len();
        let mut is_known = false;
        for (_, cipher) in all.iter().filter(is_called) {
            is_known = true;
            if !found[..before].contains(cipher) {
                found.push(*cipher);
            }
        }
        if !is_known {
            let names = all.iter().filter_map(|(names, _)| names.first().copied());
            return Err(TlsError::Word {
                setting,
                word: word.to_owned(),
                choices: names
                    .chain(ALL.iter().copied())
                    .collect::<Vec<_>>()
                    .join(", "),
            });
        }
    }
    Ok(found)
}

/// The versions that the setting allows.
pub(super) fn versions(
    protocols: &str,
) -> Result<Vec<&'static SupportedProtocolVersion>, TlsError> {
    let known = [("TLSv1.2", &TLS12), ("TLSv1.3", &TLS13)];
    let mut found = Vec::new();
    for word in protocols.split_ascii_whitespace() {
        let version = known
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word));
        let (_, version) = version.ok_or_else(|| TlsError::Word {
            setting: "tls-protocols",
            word: word.to_owned(),
            choices: known.map(|(name, _)| name).join(", "),
        })?;
        found.push(*version);
    }
    if found.is_empty() {
        found.extend(known.map(|(_, version)| version));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use engine::config::{Settings, ShellConfig};

    use super::*;

    fn config(settings: &[(&str, &str)]) -> TlsConfig {
        let mut all = Settings::default();
        for (name, value) in settings {
            all.set(name, value).unwrap();
        }
        ShellConfig::resolve(&all).tls
    }

    #[test]
    fn ciphers_are_all_by_default_and_otherwise_those_that_are_named_in_their_order() {
        let all = OF_TLS13.len() + OF_TLS12.len();
        assert_eq!(of(&config(&[])).unwrap().len(), all);
        let some = [
            ("tls-ciphersuites", "TLS_AES_128_GCM_SHA256"),
            (
                "tls-ciphers",
                "ECDHE-RSA-AES128-GCM-SHA256:ecdhe-ecdsa-chacha20-poly1305:ECDHE-RSA-AES128-GCM-SHA256",
            ),
        ];
        assert_eq!(
            of(&config(&some)).unwrap(),
            [
                cipher_suite::TLS13_AES_128_GCM_SHA256,
                cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
                cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
            ]
        );
        let high = [("tls-ciphers", "DEFAULT")];
        assert_eq!(of(&config(&high)).unwrap().len(), all);
    }

    #[test]
    fn what_is_not_there_is_refused_with_what_is() {
        let refused = of(&config(&[("tls-ciphers", "HIGH:DES-CBC3-SHA")]));
        let text = refused.unwrap_err().to_string();
        assert!(
            text.starts_with("tls-ciphers: DES-CBC3-SHA is none of ECDHE-"),
            "{text}"
        );
        for old in ["TLSv1", "TLSv1.1", "SSLv3"] {
            let text = versions(&format!("TLSv1.2 {old}")).unwrap_err().to_string();
            let wanted = format!("tls-protocols: {old} is none of TLSv1.2, TLSv1.3");
            assert_eq!(text, wanted);
        }
        assert_eq!(versions("tlsv1.3").unwrap(), [&TLS13]);
        assert_eq!(versions("").unwrap(), [&TLS12, &TLS13]);
    }
}
