//! Any bytes in place of a handshake, and a client's own bytes changed on the way: nothing panics,
//! and nothing counts as sent by the client that it has not sent.
#![no_main]

use std::io::{Read, Write};
use std::sync::{Arc, LazyLock};

use engine::config::{Settings, ShellConfig};
use libfuzzer_sys::fuzz_target;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use server::tls_door::{Door, End};

/// A door, and what a client needs that goes through it.
static SETUP: LazyLock<(Door, Arc<ClientConfig>)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("crt"), made.cert.pem()).expect("a file");
    std::fs::write(path("key"), made.signing_key.serialize_pem()).expect("a file");
    let mut settings = Settings::default();
    for (name, value) in [
        ("tls-port", "1"),
        ("tls-cert-file", &path("crt")),
        ("tls-key-file", &path("key")),
        ("tls-ca-cert-file", &path("crt")),
        ("tls-auth-clients", "optional"),
    ] {
        settings.set(name, value).expect("a value");
    }
    let door = Door::new(&ShellConfig::resolve(&settings).tls).expect("a door");
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("an authority");
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    (door, Arc::new(client))
});

/// What the client sends once it may.
const SENT: &[u8] = b"*1\r\n$4\r\nPING\r\n";

/// Steps of a conversation that are looked at: a handshake takes three.
const STEPS_MAX: usize = 12;

fn raw(bytes: &[u8], piece_bytes: usize) {
    let (mut client, mut end) = SETUP.0.connect().expect("a connection");
    for piece in bytes.chunks(piece_bytes) {
        if client.write_all(piece).is_err() {
            return;
        }
        match end.receive() {
            Ok(came) => assert!(came.is_empty()),
            Err(_) => return,
        }
        assert!(end.is_handshaking());
    }
}

/// What the server takes a client to have sent, until it ends or the steps do.
fn changed(changes: &[u8], piece_bytes: usize) {
    let (mut stream, mut end) = SETUP.0.connect().expect("a connection");
    let name = ServerName::try_from("localhost").expect("a name");
    let mut client = ClientConnection::new(Arc::clone(&SETUP.1), name).expect("a client");
    client.writer().write_all(SENT).expect("room");
    let mut changes = changes.chunks_exact(3);
    let mut all = Vec::new();
    for _ in 0..STEPS_MAX {
        let mut out = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut out).expect("memory");
        }
        // Where, and what to make of it.
        if let (Some(change), false) = (changes.next(), out.is_empty()) {
            let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % out.len();
            match change[2] {
                0 => out.truncate(at),
                1 => out.extend_from_within(at..),
                2 => drop(out.drain(..at)),
                value => out[at] ^= value - 2,
            }
        }
        for piece in out.chunks(piece_bytes) {
            if stream.write_all(piece).is_err() || take(&mut end, &mut all).is_none() {
                return;
            }
        }
        if take(&mut end, &mut all).is_none() {
            return;
        }
        let mut back = Vec::new();
        let mut buffer = [0; 16 << 10];
        while let Ok(len @ 1..) = stream.read(&mut buffer) {
            back.extend_from_slice(&buffer[..len]);
        }
        let mut back = &back[..];
        while !back.is_empty() {
            let read = client.read_tls(&mut back);
            if read.is_err() || client.process_new_packets().is_err() {
                return;
            }
        }
    }
}

/// Reads what is there; nothing if the connection is lost.
fn take(end: &mut End, all: &mut Vec<u8>) -> Option<()> {
    all.extend(end.receive().ok()?);
    assert!(SENT.starts_with(all), "{all:?}");
    Some(())
}

// The first byte says which of both, and how the bytes are cut.
fuzz_target!(|data: &[u8]| {
    let [choice, input @ ..] = data else {
        return;
    };
    let piece_bytes = match choice >> 1 {
        0 => 1 << 16,
        bytes => usize::from(bytes),
    };
    match choice & 1 {
        0 => raw(input, piece_bytes),
        _ => changed(input, piece_bytes),
    }
});
