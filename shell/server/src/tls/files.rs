//! Certificates and keys in files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use thiserror::Error;

use crate::limits::{TLS_AUTHORITY_FILES_MAX, TLS_FILE_BYTES_MAX};

/// What is wrong with a file.
#[derive(Debug, Error)]
pub enum FileError {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Its text is damaged.
    #[error("it is not PEM: {0}")]
    NotPem(#[from] pem::Error),
    /// It has no certificate.
    #[error("it holds no certificate (-----BEGIN CERTIFICATE-----)")]
    NoCertificate,
    /// A certificate in it is damaged.
    #[error("a certificate in it is damaged: {0}")]
    BadCertificate(#[from] rustls::Error),
    /// It has no key.
    #[error("it holds no private key in PKCS#8, PKCS#1 or SEC1")]
    NoKey,
    /// The key is encrypted, and there is no password.
    #[error("the key is encrypted: set tls-key-file-pass")]
    NoPassword,
    /// The key cannot be decrypted.
    #[error("the key cannot be decrypted with tls-key-file-pass: {0}")]
    Undecryptable(#[from] pkcs8::Error),
    /// The key is encrypted in the way of old versions of OpenSSL.
    #[error(
        "the key is encrypted in the old way of OpenSSL, which is weak: \
         openssl pkcs8 -topk8 -in KEY -out NEW_KEY encrypts it in the new way"
    )]
    OldEncryption,
    /// It is longer than any that is meant.
    #[error("it is longer than {TLS_FILE_BYTES_MAX} bytes")]
    TooLong,
    /// The folder has more files than can be meant.
    #[error("it holds more than {TLS_AUTHORITY_FILES_MAX} files")]
    TooMany,
}

/// All certificates in a file, which must hold one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, FileError> {
    let text = text_of(path)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>()?;
    match found.is_empty() {
        true => Err(FileError::NoCertificate),
        false => Ok(found),
    }
}

/// All certificates in the files of a folder. Files that hold none do no harm.
pub(super) fn certificates_within(path: &Path) -> Result<Vec<CertificateDer<'static>>, FileError> {
    let mut found = Vec::new();
    for (number, entry) in std::fs::read_dir(path)?.enumerate() {
        if number >= TLS_AUTHORITY_FILES_MAX {
            return Err(FileError::TooMany);
        }
        let path = entry?.path();
        if !path.is_file() {
            continue;
        }
        match certificates(&path) {
            Ok(certificates) => found.extend(certificates),
            Err(FileError::NoCertificate | FileError::NotPem(_) | FileError::TooLong) => {}
            Err(error) => return Err(error),
        }
    }
    match found.is_empty() {
        true => Err(FileError::NoCertificate),
        false => Ok(found),
    }
}

/// The first private key in a file.
pub(super) fn private_key(
    path: &Path,
    password: &str,
) -> Result<PrivateKeyDer<'static>, FileError> {
    let text = text_of(path)?;
    if contains(&text, b"Proc-Type: 4,ENCRYPTED") {
        return Err(FileError::OldEncryption);
    }
    if let Some(encrypted) = encrypted_key(&text)? {
        if password.is_empty() {
            return Err(FileError::NoPassword);
        }
        let encrypted = EncryptedPrivateKeyInfoRef::try_from(&*encrypted)?;
        let key = encrypted.decrypt(password)?;
        return Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into());
    }
    match PrivateKeyDer::from_pem_slice(&text) {
        Err(pem::Error::NoItemsFound) => Err(FileError::NoKey),
        found => Ok(found?),
    }
}

/// The first encrypted key, which PKCS#8 encloses.
fn encrypted_key(text: &[u8]) -> Result<Option<Vec<u8>>, FileError> {
    const BEGIN: &[u8] = b"-----BEGIN ENCRYPTED PRIVATE KEY-----";
    if !contains(text, BEGIN) {
        return Ok(None);
    }
    let text = std::str::from_utf8(text).map_err(|_| FileError::NoKey)?;
    let start = text.find("-----BEGIN ENCRYPTED").unwrap_or_default();
    let end = "-----END ENCRYPTED PRIVATE KEY-----";
    let len = text[start..].find(end).ok_or(FileError::NoKey)? + end.len();
    let (_, key) =
        pkcs8::SecretDocument::from_pem(&text[start..start + len]).map_err(|_| FileError::NoKey)?;
    Ok(Some(key.as_bytes().to_vec()))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// What a file holds, up to a bound.
fn text_of(path: &Path) -> Result<Vec<u8>, FileError> {
    let file = journal::open_regular(File::options().read(true), path)?;
    let mut text = Vec::new();
    file.take(TLS_FILE_BYTES_MAX + 1).read_to_end(&mut text)?;
    match text.len() as u64 > TLS_FILE_BYTES_MAX {
        true => Err(FileError::TooLong),
        false => Ok(text),
    }
}
