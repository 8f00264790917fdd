//! TLS for servers and the load client: a certificate that is made for one run, and one cipher, so
//! that every peer encrypts in the same way.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::ServerName;
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tempfile::TempDir;

use crate::node::free_port;

/// A certificate in files, for as long as this exists.
#[derive(Debug)]
pub struct Certificate {
    folder: TempDir,
    port: u16,
    client: Client,
}

/// What a client of TLS needs.
#[derive(Debug, Clone)]
pub struct Client(Arc<ClientConfig>);

/// The name that the certificate is for.
const NAME: &str = "localhost";

impl Certificate {
    /// Makes one, below a folder.
    ///
    /// # Errors
    /// When its files cannot be written.
    pub fn new(parent: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tls-").tempdir_in(parent)?;
        let made = rcgen::generate_simple_self_signed([NAME.to_owned()])?;
        fs::write(folder.path().join(CERTIFICATE), made.cert.pem())?;
        fs::write(folder.path().join(KEY), made.signing_key.serialize_pem())?;
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone())?;
        let provider = CryptoProvider {
            cipher_suites: vec![ring::cipher_suite::TLS13_AES_256_GCM_SHA384],
            ..ring::default_provider()
        };
        let config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            folder,
            port: free_port()?,
            client: Client(Arc::new(config)),
        })
    }

    /// The flags of a server that shows it.
    ///
    /// # Errors
    /// When the folder has an odd name.
    pub fn flags(&self) -> Result<Vec<(&'static str, String)>> {
        let path = |name| -> Result<String> {
            let path = self.folder.path().join(name);
            let path = path.to_str().context("a folder with an odd name")?;
            Ok(path.to_owned())
        };
        Ok(vec![
            ("tls-port", self.port.to_string()),
            ("tls-cert-file", path(CERTIFICATE)?),
            ("tls-key-file", path(KEY)?),
            ("tls-ca-cert-file", path(CERTIFICATE)?),
            ("tls-auth-clients", "no".to_owned()),
        ])
    }

    /// The port of TLS.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What connects there.
    pub fn client(&self) -> &Client {
        &self.client
    }
}

impl Client {
    pub(crate) fn session(&self) -> Result<ClientConnection> {
        let name = ServerName::try_from(NAME)?;
        Ok(ClientConnection::new(Arc::clone(&self.0), name)?)
    }
}

const CERTIFICATE: &str = "server.crt";
const KEY: &str = "server.key";
