//! What the settings mean to encrypted connections.

use std::fmt;
use std::path::PathBuf;

use super::Settings;

/// How clients connect by TLS. Files are read by the shell.
#[derive(Clone, PartialEq, Eq)]
pub struct TlsConfig {
    /// 0: no TLS.
    pub port: u16,
    /// The server's certificate, and those between it and its authority (`tls-cert-file`).
    pub certificate: Option<PathBuf>,
    /// The certificate's private key (`tls-key-file`).
    pub key: Option<PathBuf>,
    /// What the key is encrypted with (`tls-key-file-pass`); empty if it is not.
    pub key_password: String,
    /// Authorities of clients' certificates (`tls-ca-cert-file`).
    pub authorities_file: Option<PathBuf>,
    /// A folder of such files (`tls-ca-cert-dir`).
    pub authorities_folder: Option<PathBuf>,
    /// Whether clients show certificates (`tls-auth-clients`).
    pub client_certificates: ClientCertificates,
    /// Versions that clients may speak, as given (`tls-protocols`); empty: all that are safe.
    pub protocols: String,
    /// Ciphers of TLS 1.2, as given (`tls-ciphers`); empty: all that are safe.
    pub ciphers: String,
    /// Ciphers of TLS 1.3, as given (`tls-ciphersuites`); empty: all of them.
    pub cipher_suites: String,
    /// The server's order of ciphers counts, not the client's (`tls-prefer-server-ciphers`).
    pub prefers_own_ciphers: bool,
    /// Clients may resume sessions (`tls-session-caching`).
    pub session_caching: bool,
    /// Sessions that are kept for that (`tls-session-cache-size`); 0: as many as the shell allows.
    pub sessions_max: usize,
    /// For how long, in seconds (`tls-session-cache-timeout`).
    pub session_timeout_s: u64,
}

/// Whether clients show certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificates {
    /// They are not asked for one.
    Ignored,
    /// One that they show must be valid.
    Optional,
    /// They must show a valid one.
    Required,
}

impl TlsConfig {
    pub(super) fn resolve(settings: &Settings) -> TlsConfig {
        let text = |name| settings.text(name).to_owned();
        TlsConfig {
            port: settings.number("tls-port"),
            certificate: settings.path("tls-cert-file"),
            key: settings.path("tls-key-file"),
            key_password: text("tls-key-file-pass"),
            authorities_file: settings.path("tls-ca-cert-file"),
            authorities_folder: settings.path("tls-ca-cert-dir"),
            client_certificates: match settings.text("tls-auth-clients") {
                "no" => ClientCertificates::Ignored,
                "optional" => ClientCertificates::Optional,
                "yes" => ClientCertificates::Required,
                word => panic!("tls-auth-clients is {word}"),
            },
            protocols: text("tls-protocols"),
            ciphers: text("tls-ciphers"),
            cipher_suites: text("tls-ciphersuites"),
            prefers_own_ciphers: settings.flag("tls-prefer-server-ciphers"),
            session_caching: settings.flag("tls-session-caching"),
            sessions_max: settings.number("tls-session-cache-size"),
            session_timeout_s: settings.number("tls-session-cache-timeout"),
        }
    }
}

/// Without the password, which must not get into a log.
impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig")
            .field("port", &self.port)
            .field("certificate", &self.certificate)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
