//! A TLS socket against whatever a client may send, and against one that reads slowly.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream as StdTcpStream};
use std::time::Duration;

use engine::config::{Settings, ShellConfig};
use mio::net::TcpStream;
use pkcs8::der::pem::LineEnding;
use pkcs8::pkcs5::pbes2::Parameters;
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef, SecretDocument};
use proptest::prelude::*;
use rcgen::KeyPair;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tempfile::TempDir;

use super::files::{self, FileError};
use super::*;
use crate::limits::READ_BYTES;

/// How long a client waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server's certificate in files, and what trusts it.
fn identity(folder: &TempDir) -> (Identity, RootCertStore) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("crt"), made.cert.pem()).unwrap();
    std::fs::write(path("key"), made.signing_key.serialize_pem()).unwrap();
    let mut settings = Settings::default();
    for (name, value) in [
        ("tls-port", "1"),
        ("tls-cert-file", &path("crt")),
        ("tls-key-file", &path("key")),
        ("tls-auth-clients", "no"),
    ] {
        settings.set(name, value).unwrap();
    }
    let config = ShellConfig::resolve(&settings).tls;
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    (Identity::of(&config).unwrap().unwrap(), roots)
}

/// A client's end in the clear, and the server's end.
fn pair(identity: &Identity) -> (StdTcpStream, Tls) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = StdTcpStream::connect(listener.local_addr().unwrap()).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let (server, _) = listener.accept().unwrap();
    server.set_nonblocking(true).unwrap();
    let tls = Tls::new(TcpStream::from_std(server), identity.config()).unwrap();
    (client, tls)
}

/// Reads until nothing is left; what is wrong, if something is.
fn receive_all(tls: &mut Tls, all: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let mut buffer = Vec::with_capacity(READ_BYTES);
        match tls.receive(&mut buffer) {
            Ok(Read { len: 0, .. }) => return Ok(()),
            Ok(_) => all.extend(buffer),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// A client whose handshake is done, and the server's end.
fn connected(
    identity: &Identity,
    roots: RootCertStore,
) -> (StreamOwned<ClientConnection, StdTcpStream>, Tls) {
    let (stream, mut tls) = pair(identity);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let session = ClientConnection::new(Arc::new(config), name).unwrap();
    let client = std::thread::spawn(move || {
        let mut client = StreamOwned::new(session, stream);
        client.conn.complete_io(&mut client.sock).unwrap();
        client
    });
    while tls.is_handshaking() {
        receive_all(&mut tls, &mut Vec::new()).unwrap();
        std::thread::yield_now();
    }
    (client.join().unwrap(), tls)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes first, with the head of a record or without, nothing of it counts as sent by
    /// a client, and no more of it is taken than a handshake may be long.
    #[test]
    fn arbitrary_bytes_are_refused_and_taken_up_to_a_bound(
        head in prop_oneof![
            Just(vec![]),
            Just(vec![22, 3, 1]),
            Just(vec![22, 3, 3, 0x40, 0, 1, 0, 0xff, 0xff]),
            Just(vec![20, 3, 3, 0, 1, 1]),
            Just(vec![23, 3, 3]),
        ],
        bytes in proptest::collection::vec(any::<u8>(), 0..4000),
        times in 1_usize..64,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (identity, _) = identity(&folder);
        let (mut client, mut tls) = pair(&identity);
        let mut all = Vec::new();
        let mut outcome = Ok(());
        for _ in 0..times {
            let sent = client.write_all(&head).and_then(|()| client.write_all(&bytes));
            outcome = receive_all(&mut tls, &mut all);
            if outcome.is_err() || sent.is_err() {
                break;
            }
        }
        prop_assert!(all.is_empty());
        prop_assert!(tls.is_handshaking());
        prop_assert!(outcome.is_err() || tls.handshake_bytes <= TLS_HANDSHAKE_BYTES_MAX);
        prop_assert!(tls.send(&[IoSlice::new(b"+OK\r\n")]).is_err());
    }

    /// Bytes that are changed on the way end the connection.
    #[test]
    fn what_was_changed_on_the_way_is_not_read(at in 0_usize..100, change in 1..=u8::MAX) {
        let folder = tempfile::tempdir().unwrap();
        let (identity, roots) = identity(&folder);
        let (mut client, mut tls) = connected(&identity, roots);
        client.conn.writer().write_all(&[b'x'; 100]).unwrap();
        let mut record = Vec::new();
        client.conn.write_tls(&mut record).unwrap();
        // Behind its head, whose changes are those of the other test.
        record[5 + at] ^= change;
        client.sock.write_all(&record).unwrap();
        let mut all = Vec::new();
        let mut outcome = Ok(());
        while outcome.is_ok() {
            outcome = receive_all(&mut tls, &mut all);
        }
        prop_assert!(all.is_empty());
    }
}

/// Slices of a reply, each time from where the last time ended.
#[test]
fn a_slow_reader_gets_every_byte_and_little_is_encrypted_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let (identity, roots) = identity(&folder);
    let (client, mut tls) = connected(&identity, roots);
    let reply: Vec<u8> = (0..12 << 20_u32).map(|at| (at % 251) as u8).collect();
    let mut left = &reply[..];
    let mut were_full = 0;
    let wanted = reply.clone();
    let mut client = Some(client.sock.try_clone().map(|_| client).unwrap());
    let mut reader = None;
    while !left.is_empty() {
        let (first, rest) = left.split_at(left.len().min(1000));
        match tls.send_some(&[IoSlice::new(first), IoSlice::new(rest)]) {
            Ok(len) => left = &left[len..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                were_full += 1;
                assert!(tls.pending <= TLS_PENDING_BYTES);
                if let Some(mut client) = client.take() {
                    let len = wanted.len();
                    reader = Some(std::thread::spawn(move || {
                        let mut all = vec![0; len];
                        client.read_exact(&mut all).unwrap();
                        all
                    }));
                }
                std::thread::yield_now();
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(were_full > 0);
    assert!(reader.unwrap().join().unwrap() == wanted);
}

#[test]
fn keys_are_read_in_each_of_their_forms_and_decrypted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let key = KeyPair::generate().unwrap();
    let plain = key.serialize_der();
    let read = |text: &str, password: &str| {
        std::fs::write(&path, text).unwrap();
        files::private_key(&path, password)
    };
    let found = read(&key.serialize_pem(), "").unwrap();
    assert_eq!(found.secret_der(), plain);

    let pem = |der: &[u8], label: &'static str| {
        let document = SecretDocument::try_from(der).unwrap();
        document.to_pem(label, LineEnding::LF).unwrap().to_string()
    };
    let sec1 = PrivateKeyInfoRef::try_from(&*plain).unwrap();
    let sec1 = sec1.private_key.as_bytes().to_vec();
    let found = read(&pem(&sec1, "EC PRIVATE KEY"), "").unwrap();
    assert_eq!(found.secret_der(), sec1);

    let scheme = Parameters::generate_pbkdf2_sha256_aes256cbc(1000, b"saltsalt", [7; 16]).unwrap();
    let data = scheme.encrypt("open sesame", &plain).unwrap();
    let encrypted = EncryptedPrivateKeyInfoRef {
        encryption_algorithm: scheme.into(),
        encrypted_data: pkcs8::der::asn1::OctetStringRef::new(&data).unwrap(),
    };
    let encrypted = SecretDocument::encode_msg(&encrypted).unwrap();
    let encrypted = pem(encrypted.as_bytes(), "ENCRYPTED PRIVATE KEY");
    let found = read(&encrypted, "open sesame").unwrap();
    assert_eq!(found.secret_der(), plain);
    assert!(matches!(read(&encrypted, ""), Err(FileError::NoPassword)));
    let wrong = read(&encrypted, "open");
    assert!(matches!(wrong, Err(FileError::Undecryptable(_))));

    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n";
    assert!(matches!(read(old, "x"), Err(FileError::OldEncryption)));
    assert!(matches!(read("", ""), Err(FileError::NoKey)));
    let long = " ".repeat(crate::limits::TLS_FILE_BYTES_MAX as usize + 1);
    assert!(matches!(read(&long, ""), Err(FileError::TooLong)));
    assert!(matches!(
        files::certificates(&path),
        Err(FileError::TooLong)
    ));
}
