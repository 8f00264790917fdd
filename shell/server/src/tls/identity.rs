//! What the server shows to clients and asks of them, made of the settings: all of it, or an error
//! that says which setting is wrong.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use engine::config::{ClientCertificates, TlsConfig};
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use thiserror::Error;

use super::files::{self, FileError};
use super::{ciphers, sessions};

/// What the server shows to clients and asks of them.
#[derive(Debug, Clone)]
pub(crate) struct Identity(Arc<ServerConfig>);

/// Why there can be no TLS as the settings say.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A setting that must be given is not.
    #[error("{0} is not set")]
    NotSet(&'static str),
    /// Clients must show certificates, and nobody could have signed them.
    #[error("tls-auth-clients is not no, and neither tls-ca-cert-file nor tls-ca-cert-dir is set")]
    NoAuthority,
    /// A file.
    #[error("{setting} {}: {source}", path.display())]
    File {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: FileError,
    },
    /// A word of a list.
    #[error("{setting}: {word} is none of {choices}")]
    Word {
        /// The setting.
        setting: &'static str,
        /// The word.
        word: String,
        /// What it can be.
        choices: String,
    },
    /// Each is right by itself.
    #[error("the settings of TLS do not fit together: {0}")]
    Unfit(#[from] rustls::Error),
    /// The authorities cannot be used.
    #[error("the authorities of clients: {0}")]
    Authorities(#[from] VerifierBuilderError),
}

impl Identity {
    /// Reads the files that the settings name; none if there is no TLS.
    ///
    /// # Errors
    /// [`TlsError`] for the first setting that is wrong.
    pub(crate) fn of(config: &TlsConfig) -> Result<Option<Identity>, TlsError> {
        if config.port == 0 {
            return Ok(None);
        }
        let certificate = wanted(config.certificate.as_deref(), "tls-cert-file")?;
        let key = wanted(config.key.as_deref(), "tls-key-file")?;
        let chain = files::certificates(certificate)
            .map_err(|source| in_file("tls-cert-file", certificate, source))?;
        let key = files::private_key(key, &config.key_password)
            .map_err(|source| in_file("tls-key-file", key, source))?;
        let provider = Arc::new(CryptoProvider {
            cipher_suites: ciphers::of(config)?,
            ..ring::default_provider()
        });
        let verifier = verifier(config, &provider)?;
        let versions = ciphers::versions(&config.protocols)?;
        let builder =
            ServerConfig::builder_with_provider(provider).with_protocol_versions(&versions)?;
        let mut made = match verifier {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        }
        .with_single_cert(chain, key)?;
        made.ignore_client_order = config.prefers_own_ciphers;
        if config.session_caching {
            let timeout = Duration::from_secs(config.session_timeout_s);
            made.session_storage = Arc::new(sessions::Sessions::new(config.sessions_max, timeout));
        } else {
            made.session_storage = Arc::new(NoServerSessionStorage {});
            made.send_tls13_tickets = 0;
        }
        Ok(Some(Identity(Arc::new(made))))
    }

    /// What a connection is made with.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0)
    }
}

fn wanted<'c>(path: Option<&'c Path>, setting: &'static str) -> Result<&'c Path, TlsError> {
    path.ok_or(TlsError::NotSet(setting))
}

fn in_file(setting: &'static str, path: &Path, source: FileError) -> TlsError {
    TlsError::File {
        setting,
        path: path.to_owned(),
        source,
    }
}

/// Who decides about certificates of clients; none if they are not asked for one.
fn verifier(
    config: &TlsConfig,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
    if config.client_certificates == ClientCertificates::Ignored {
        return Ok(None);
    }
    let mut roots = RootCertStore::empty();
    if let Some(path) = &config.authorities_file {
        let setting = "tls-ca-cert-file";
        for authority in
            files::certificates(path).map_err(|source| in_file(setting, path, source))?
        {
            roots
                .add(authority)
                .map_err(|error| in_file(setting, path, error.into()))?;
        }
    }
    if let Some(path) = &config.authorities_folder {
        let setting = "tls-ca-cert-dir";
        let found =
            files::certificates_within(path).map_err(|source| in_file(setting, path, source))?;
        // One that is of no use does not keep the others from being used.
        roots.add_parsable_certificates(found);
    }
    if roots.is_empty() {
        return Err(TlsError::NoAuthority);
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let builder = match config.client_certificates {
        ClientCertificates::Optional => builder.allow_unauthenticated(),
        ClientCertificates::Required | ClientCertificates::Ignored => builder,
    };
    Ok(Some(builder.build()?))
}
