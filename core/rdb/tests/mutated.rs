//! Payloads and files in which bytes were changed: each is refused, or it is a value that comes
//! back the same when it is written and read again. Nothing panics, and nothing is reserved for
//! elements that are only claimed. By the count of an allocator.
#![expect(unsafe_code, reason = "counting what is allocated needs an allocator")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails where something is not as it must be"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use rdb::{
    Compression, Context, Digest, Item, Packing, SnapshotReader, SnapshotWriter, Usage, dump,
    restore, sign,
};
use values::{Thresholds, Value};

/// Counts the largest piece of memory that was asked for.
struct Counting;

static LARGEST_BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all memory comes from the system's allocator, with the layouts it was asked for.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST_BYTES.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller answers for the layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller answers for the pointer and the layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// No piece of memory for a mutated payload may be larger: they have less than 200 bytes, which may
/// say that one is to be repeated up to 264 times for every three.
const LARGEST_BYTES_MAX: usize = 64 * 1024;

/// What no deadline of a field here lies before.
const NOW_MS: u64 = 1_700_000_000_000;

const WITHOUT_DEADLINE: i64 = 0;
const LATER: i64 = 1_900_000_000_000;

fn context() -> Context {
    Context {
        now_ms: NOW_MS,
        hash_seed: 7,
        retention: stream::Retention {
            duration_s: 100,
            maxsize: 100,
        },
        thresholds: Thresholds::DEFAULT,
        packing: Packing::Later,
    }
}

/// With its length before it.
fn blob(bytes: &[u8]) -> Vec<u8> {
    [&[bytes.len() as u8], bytes].concat()
}

/// A listpack of texts, and of small integers where the text is one.
fn listpack(elements: &[&str]) -> Vec<u8> {
    let mut body = Vec::new();
    for element in elements {
        match element.parse::<i64>() {
            Ok(number @ 0..=127) => body.extend([number as u8, 1]),
            Ok(number) => {
                body.push(0xf4);
                body.extend(number.to_le_bytes());
                body.push(9);
            }
            Err(_) => {
                body.push(0x80 + element.len() as u8);
                body.extend(element.as_bytes());
                body.push(element.len() as u8 + 1);
            }
        }
    }
    let len = (body.len() + 7) as u32;
    let count = elements.len() as u16;
    [&len.to_le_bytes()[..], &count.to_le_bytes(), &body, &[0xff]].concat()
}

/// A ziplist of texts.
fn ziplist(elements: &[&str]) -> Vec<u8> {
    let mut body = Vec::new();
    let (mut before, mut last) = (0, 0);
    for element in elements {
        last = body.len();
        body.extend([before, element.len() as u8]);
        body.extend(element.as_bytes());
        before = element.len() as u8 + 2;
    }
    let (len, tail) = ((body.len() + 11) as u32, (last + 10) as u32);
    let count = elements.len() as u16;
    let head = [
        &len.to_le_bytes()[..],
        &tail.to_le_bytes(),
        &count.to_le_bytes(),
    ]
    .concat();
    [&head[..], &body, &[0xff]].concat()
}

/// Something that has fields with and without deadlines, in a listpack.
fn listpack_with_deadlines() -> Vec<u8> {
    let (none, later) = (WITHOUT_DEADLINE.to_string(), LATER.to_string());
    listpack(&["a", "1", &later, "b", "two", &none])
}

/// A value in each form in which any version of Redis wrote it: the code and what follows it.
fn forms() -> Vec<Vec<u8>> {
    let pairs = ["f", "v", "n", "300", "12", "-7"];
    let first = LATER.to_le_bytes();
    let node = blob(&ziplist(&["x", "1", "hello"]));
    let of = |code: u8, parts: &[&[u8]]| [&[code], &parts.concat()[..]].concat();
    vec![
        // Lists: plain, a ziplist, ziplists, listpacks and large elements.
        of(1, &[b"\x03\x01x\xc0\x01\x05hello"]),
        of(10, &[&node]),
        of(14, &[b"\x02", &node, &node]),
        of(
            18,
            &[
                b"\x02\x02",
                &blob(&listpack(&["x", "1", "hello"])),
                b"\x01\x03big",
            ],
        ),
        // Sets: plain, integers of each width, a listpack.
        of(2, &[b"\x04\x01a\xc0\x07\x02bc\xc1\x2c\x01"]),
        of(11, &[&blob(b"\x02\0\0\0\x03\0\0\0\x01\0\x02\0\x2c\x01")]),
        of(
            11,
            &[&blob(b"\x04\0\0\0\x02\0\0\0\x01\0\0\0\x70\x11\x01\0")],
        ),
        of(
            11,
            &[&blob(
                b"\x08\0\0\0\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\x7f",
            )],
        ),
        of(20, &[&blob(&listpack(&["a", "7", "300", "bc"]))]),
        // Sorted sets: with scores as texts and as numbers, a ziplist, a listpack.
        of(3, &[b"\x04\x01a\x031.5\x01b\xff\x01c\xfe\x01d\x02-7"]),
        of(
            5,
            &[b"\x02\x01b\0\0\0\0\0\0\x04\x40\x01a\0\0\0\0\0\0\xf0\x3f"],
        ),
        of(12, &[&blob(&ziplist(&["2", "1", "a", "1.5"]))]),
        of(
            17,
            &[&blob(&listpack(&[
                "c", "-inf", "a", "1", "b", "2.5", "7", "300",
            ]))],
        ),
        // Hashes: plain, a zipmap, a ziplist, a listpack.
        of(4, &[b"\x02\x01f\x01v\x01n\xc1\x2c\x01"]),
        of(
            9,
            &[&blob(
                b"\x03\x01f\x01\x00v\x01n\x03\x02300xx\x0212\x02\x00-7\xff",
            )],
        ),
        of(13, &[&blob(&ziplist(&pairs))]),
        of(16, &[&blob(&listpack(&pairs))]),
        // Hashes with deadlines: of release candidates, and as they are.
        of(
            22,
            &[
                b"\x02\x81",
                &LATER.to_be_bytes(),
                b"\x01a\x011\x00\x01b\x012",
            ],
        ),
        of(23, &[&blob(&listpack_with_deadlines())]),
        of(24, &[&first, b"\x02\x01\x01a\x011\x00\x01b\x012"]),
        of(25, &[&first, &blob(&listpack_with_deadlines())]),
    ]
}

/// All that one change makes of some bytes.
fn mutations(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    const BYTES: [u8; 16] = [
        0, 1, 2, 9, 0x0c, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xf0, 0xf4, 0xfe, 0xff,
    ];
    /// Great numbers, as lengths and counts are written.
    const CLAIMS: [&[u8]; 4] = [
        b"\x80\x7f\xff\xff\xff",
        b"\x81\x00\x00\x00\xff\xff\xff\xff\xff",
        b"\xff\xff\xff\x7f",
        b"\xc3\x04\x80\x40\x00\x00\x00",
    ];
    (0..bytes.len()).flat_map(move |at| {
        let (before, after) = (&bytes[..at], &bytes[at + 1..]);
        let own = [
            bytes[at].wrapping_add(1),
            bytes[at].wrapping_sub(1),
            bytes[at] ^ 0x80,
        ];
        let replaced = BYTES.into_iter().chain(own);
        let replaced = replaced.map(move |byte| [before, &[byte], after].concat());
        let claims = CLAIMS.into_iter().flat_map(move |claim| {
            let over = &after[after.len().min(claim.len() - 1)..];
            [
                [before, claim, after].concat(),
                [before, claim, over].concat(),
            ]
        });
        let others = [
            before.to_vec(),
            [before, after].concat(),
            [before, &bytes[at..=at], &bytes[at..]].concat(),
        ];
        replaced.chain(claims).chain(others)
    })
}

/// Some that several changes make, the same each time.
fn worse_mutations(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let mut state = bytes.len() as u64;
    (0..3000).map(move |_| {
        let mut changed = bytes.to_vec();
        for _ in 0..3 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let at = (state >> 33) as usize % changed.len();
            changed[at] = (state >> 17) as u8;
        }
        changed
    })
}

fn digest(value: &Value) -> Digest {
    Digest::of_value(value, None, NOW_MS)
}

/// Reads and writes what may be a payload. Returns whether it is one.
fn survives(content: &[u8]) -> bool {
    LARGEST_BYTES.store(0, Ordering::Relaxed);
    let restored = restore(&sign(content.to_vec()), &context());
    let largest = LARGEST_BYTES.load(Ordering::Relaxed);
    assert!(
        largest <= LARGEST_BYTES_MAX,
        "{largest} bytes for {content:02x?}"
    );
    let Ok(value) = restored else {
        return false;
    };
    let dumped = dump(&value);
    let again = restore(&dumped, &context()).unwrap_or_else(|error| {
        panic!("{content:02x?} is dumped as {dumped:02x?}: {error}");
    });
    assert_eq!(digest(&again), digest(&value), "{content:02x?}");
    assert_eq!(dump(&again).len(), dumped.len(), "{content:02x?}");
    true
}

/// A file with this value of one key.
fn file_of(form: &[u8]) -> Vec<u8> {
    let (code, body) = form.split_first().unwrap();
    let key = [&[*code], b"\x03key".as_slice(), body].concat();
    [b"REDIS0012\xfe\x00\xfb\x01\x00", &key[..], b"\xff", &[0; 8]].concat()
}

type Records = Vec<(Vec<u8>, Option<i64>, Value)>;

fn read(file: &[u8]) -> Option<Records> {
    let mut reader = SnapshotReader::new(file, context()).ok()?;
    let mut records = Vec::new();
    loop {
        match reader.next().ok()? {
            Some(Item::Record(it)) => {
                records.push((it.key.to_vec(), it.expires_at_ms, it.value));
            }
            Some(_) => {}
            None => return Some(records),
        }
    }
}

#[test]
fn whatever_becomes_of_a_payload_or_file_is_refused_or_a_value() {
    let (mut values, mut refused) = (0, 0);
    for form in forms() {
        assert!(survives(&form), "{form:02x?}");
        for content in mutations(&form).chain(worse_mutations(&form)) {
            match survives(&content) {
                true => values += 1,
                false => refused += 1,
            }
        }
        let file = file_of(&form);
        assert_eq!(
            read(&file).map(|records| records.len()),
            Some(1),
            "{form:02x?}"
        );
        for file in mutations(&file) {
            LARGEST_BYTES.store(0, Ordering::Relaxed);
            let records = read(&file);
            let largest = LARGEST_BYTES.load(Ordering::Relaxed);
            assert!(
                largest <= LARGEST_BYTES_MAX,
                "{largest} bytes for {file:02x?}"
            );
            let Some(records) = records else {
                refused += 1;
                continue;
            };
            values += 1;
            let mut writer = SnapshotWriter::new(Vec::new(), Compression::Off).unwrap();
            writer.database(0, records.len() as u64, 0).unwrap();
            for (key, expires_at_ms, value) in &records {
                writer
                    .record(key, value, *expires_at_ms, Usage::Unknown)
                    .unwrap();
            }
            let again = read(&writer.finish().unwrap()).unwrap();
            let digests = |records: &Records| -> Vec<Digest> {
                let digests = records
                    .iter()
                    .map(|(key, at, value)| Digest::of_value(value, *at, NOW_MS).under(0, key));
                digests.collect()
            };
            assert_eq!(digests(&again), digests(&records), "{file:02x?}");
        }
    }
    // Otherwise this would show nothing.
    assert!(values > 1000 && refused > 1000, "{values}, {refused}");
}
