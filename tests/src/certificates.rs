//! Certificates for tests, made on the spot, and clients that use them.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::pem::LineEnding;
use pkcs8::pkcs5::pbes2::Parameters;
use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::sockets::PATIENCE;

/// An authority that signs certificates.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    text: String,
}

/// A certificate with its key.
#[derive(Debug)]
pub struct Certified {
    certificate: CertificateDer<'static>,
    certificate_text: String,
    key: KeyPair,
}

/// A client of TLS.
pub type TlsStream = StreamOwned<ClientConnection, TcpStream>;

impl Authority {
    /// A new one.
    pub fn new() -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Authority {
            certificate: certificate.der().clone(),
            text: certificate.pem(),
            issuer: Issuer::new(params, key),
        }
    }

    /// A certificate for this machine.
    pub fn certify(&self) -> Certified {
        self.certify_as("localhost")
    }

    /// A certificate for this machine with a common name.
    pub fn certify_as(&self, name: &str) -> Certified {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Certified {
            certificate: certificate.der().clone(),
            certificate_text: certificate.pem(),
            key,
        }
    }

    /// Writes its certificate to a file.
    pub fn write(&self, folder: &Path, name: &str) -> String {
        write(folder, name, &self.text)
    }

    /// What a client needs that trusts it, and shows a certificate if it has one.
    pub fn client(&self, shown: Option<&Certified>) -> Arc<ClientConfig> {
        let shown = shown.map(|shown| {
            let key = PrivatePkcs8KeyDer::from(shown.key.serialize_der());
            (shown.certificate.clone(), key.into())
        });
        client(self.certificate.clone(), shown)
    }
}

/// What a client needs that trusts an authority and shows a certificate, all of them in PEM.
pub fn client_of(authority: &[u8], shown: &[u8], key: &[u8]) -> Arc<ClientConfig> {
    let certificate = |text| CertificateDer::from_pem_slice(text).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key).unwrap();
    client(certificate(authority), Some((certificate(shown), key)))
}

fn client(
    authority: CertificateDer<'static>,
    shown: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    Arc::new(match shown {
        Some((certificate, key)) => builder
            .with_client_auth_cert(vec![certificate], key)
            .unwrap(),
        None => builder.with_no_client_auth(),
    })
}

impl Default for Authority {
    fn default() -> Authority {
        Authority::new()
    }
}

impl Certified {
    /// Writes it and its key to files; which those are.
    pub fn write(&self, folder: &Path, name: &str) -> (String, String) {
        (
            write(folder, &format!("{name}.crt"), &self.certificate_text),
            write(folder, &format!("{name}.key"), &self.key.serialize_pem()),
        )
    }

    /// Writes its key to a file, encrypted with a password.
    pub fn write_encrypted(&self, folder: &Path, name: &str, password: &str) -> String {
        let salt = b"0123456789abcdef";
        let scheme = Parameters::generate_pbkdf2_sha256_aes256cbc(1000, salt, [7; 16]).unwrap();
        let key = scheme.encrypt(password, &self.key.serialize_der()).unwrap();
        let key = EncryptedPrivateKeyInfoRef {
            encryption_algorithm: scheme.into(),
            encrypted_data: OctetStringRef::new(&key).unwrap(),
        };
        let key = SecretDocument::encode_msg(&key).unwrap();
        let text = key.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).unwrap();
        write(folder, name, &text)
    }

    /// Returns whether this is what a server has shown.
    pub fn is_shown_by(&self, stream: &TlsStream) -> bool {
        let shown = stream.conn.peer_certificates().unwrap_or_default();
        shown.first() == Some(&self.certificate)
    }
}

/// Connects to a port of this machine, and completes the handshake as far as the client has part
/// in it.
///
/// # Errors
/// The server refuses, or shows what the client does not trust.
pub fn connect(port: u16, config: &Arc<ClientConfig>) -> io::Result<TlsStream> {
    let stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    let session = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(session, stream);
    stream.conn.complete_io(&mut stream.sock)?;
    Ok(stream)
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path: PathBuf = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}
