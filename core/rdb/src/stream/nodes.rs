//! The nodes of a stream: runs of entries, each a listpack.
//!
//! A node's listpack begins with a master entry: how many entries are there, how many of them are
//! marked as deleted, how many fields the first entry had, the names of those, and 0. Then come the
//! entries, deleted ones too:
//!
//! | element | meaning |
//! |---|---|
//! | flags | 1: deleted; 2: has the master's fields |
//! | milliseconds, sequence | what the ID has over the node's ID, wrapping around |
//! | with flag 2: the values | in the order of the master's fields |
//! | without: number of fields, name, value, name, value… | |
//! | number of elements of this entry before this one | to find its start from the end |
//!
//! As in Redis, a node that we write has at most 100 entries and, unless it has but one, at most
//! 4096 bytes.

use std::ops::Range;

use stream::{Entries, EntryRef, NodeLimits, OutOfOrder, StreamId};

use super::ID_BYTES;
use crate::Packing;
use crate::decode::{Decoder, Read};
use crate::encode::Encoder;
use crate::error::Fault;
use crate::limits::{
    NAMES_REPEATED_BYTES_MAX, NODE_BYTES_MAX, NODE_BYTES_READ_MAX, NODE_ENTRIES_MAX, REPETITION_MAX,
};
use crate::listpack::{FRAME_BYTES, Reader, Writer, integer_bytes, text_bytes};
use crate::row::{Element, Row};
use crate::source::{Sink, Source};

const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;

/// Writes the entries as nodes, their number first.
pub(super) fn write<K: Sink>(entries: &Entries, out: &mut Encoder<K>) -> Result<(), K::Error> {
    if out.keeps_all() {
        let start = out.place();
        let count = write_in_one_walk(entries, out)?;
        out.number_at(start, count);
        return Ok(());
    }
    // The number of nodes stands before them, and may be gone before the last is known. So the
    // entries are divided in a walk of its own.
    let nodes = divide(entries);
    out.number(nodes.len() as u64);
    let mut rest = entries.iter();
    let mut listpack = Writer::default();
    for count in nodes {
        let mut node = rest.by_ref().take(usize::from(count));
        let Some(first) = node.next() else { break };
        begin(&mut listpack, &first, count);
        add(&mut listpack, &first, &first);
        for entry in node {
            add(&mut listpack, &first, &entry);
        }
        debug_assert!(count == 1 || listpack.len() <= NODE_BYTES_MAX);
        write_node(&mut listpack, first.id(), out)?;
    }
    Ok(())
}

/// Writes the same nodes while they are divided. Returns how many there are.
fn write_in_one_walk<K: Sink>(entries: &Entries, out: &mut Encoder<K>) -> Result<u64, K::Error> {
    let mut listpack = Writer::default();
    let mut node: Option<(EntryRef<'_>, u8)> = None;
    let mut nodes = 0;
    for entry in entries.iter() {
        if let Some((first, count)) = &mut node {
            if usize::from(*count) < NODE_ENTRIES_MAX {
                let before = listpack.mark();
                add(&mut listpack, first, &entry);
                if listpack.len() <= NODE_BYTES_MAX {
                    *count += 1;
                    continue;
                }
                listpack.rollback(before);
            }
            listpack.replace_first(*count);
            write_node(&mut listpack, first.id(), out)?;
        }
        nodes += 1;
        begin(&mut listpack, &entry, 1);
        add(&mut listpack, &entry, &entry);
        node = Some((entry, 1));
    }
    if let Some((first, count)) = node {
        listpack.replace_first(count);
        write_node(&mut listpack, first.id(), out)?;
    }
    Ok(nodes)
}

fn write_node<K: Sink>(
    listpack: &mut Writer,
    first: StreamId,
    out: &mut Encoder<K>,
) -> Result<(), K::Error> {
    out.byte(ID_BYTES as u8);
    out.bytes(&super::id_bytes(first));
    out.blob(listpack.finish());
    out.drain()
}

/// Returns how many entries each node gets.
fn divide(entries: &Entries) -> Vec<u8> {
    let mut nodes = Vec::new();
    let mut count = 0_u8;
    let mut node_bytes = 0;
    let mut first: Option<EntryRef<'_>> = None;
    for entry in entries.iter() {
        let bytes = first.as_ref().map_or(0, |first| entry_bytes(first, &entry));
        if first.is_some()
            && usize::from(count) < NODE_ENTRIES_MAX
            && node_bytes + bytes <= NODE_BYTES_MAX
        {
            count += 1;
            node_bytes += bytes;
            continue;
        }
        if count > 0 {
            nodes.push(count);
        }
        count = 1;
        node_bytes = FRAME_BYTES + master_bytes(&entry) + entry_bytes(&entry, &entry);
        first = Some(entry);
    }
    if count > 0 {
        nodes.push(count);
    }
    nodes
}

/// Returns how many bytes the master entry takes that [`begin`] writes.
fn master_bytes(first: &EntryRef<'_>) -> usize {
    // Two counts and the end are below 128.
    3 * integer_bytes(0) + integer_bytes(first.field_count() as i64) + names_bytes(first)
}

/// Returns how many bytes [`add`] writes.
fn entry_bytes(first: &EntryRef<'_>, entry: &EntryRef<'_>) -> usize {
    let (ms, seq) = above(first, entry);
    let field_count = entry.field_count() as i64;
    let values: usize = entry.values().map(text_bytes).sum();
    let head = integer_bytes(SAME_FIELDS) + integer_bytes(ms) + integer_bytes(seq) + values;
    if entry.has_names_of(first) {
        head + integer_bytes(field_count + 3)
    } else {
        let counts = integer_bytes(field_count) + integer_bytes(2 * field_count + 4);
        head + counts + names_bytes(entry)
    }
}

fn names_bytes(entry: &EntryRef<'_>) -> usize {
    entry.fields().map(|(name, _)| text_bytes(name)).sum()
}

/// What the ID of an entry has over that of the node.
#[inline]
fn above(first: &EntryRef<'_>, entry: &EntryRef<'_>) -> (i64, i64) {
    let (id, base) = (entry.id(), first.id());
    (
        id.ms.wrapping_sub(base.ms).cast_signed(),
        id.seq.wrapping_sub(base.seq).cast_signed(),
    )
}

/// Begins a node of `count` entries with the master entry.
fn begin(listpack: &mut Writer, first: &EntryRef<'_>, count: u8) {
    listpack.begin();
    listpack.integer(i64::from(count));
    listpack.integer(0);
    listpack.integer(first.field_count() as i64);
    for (name, _) in first.fields() {
        listpack.bytes(name);
    }
    listpack.integer(0);
}

fn add(listpack: &mut Writer, first: &EntryRef<'_>, entry: &EntryRef<'_>) {
    let same = entry.has_names_of(first);
    listpack.integer(if same { SAME_FIELDS } else { 0 });
    let (ms, seq) = above(first, entry);
    listpack.integer(ms);
    listpack.integer(seq);
    let field_count = entry.field_count() as i64;
    if same {
        for value in entry.values() {
            listpack.bytes(value);
        }
        listpack.integer(field_count + 3);
    } else {
        listpack.integer(field_count);
        for (name, value) in entry.fields() {
            listpack.bytes(name);
            listpack.bytes(value);
        }
        listpack.integer(2 * field_count + 4);
    }
}

/// Reads the nodes of a stream. Entries that are marked as deleted are left out.
pub(super) fn read<S: Source>(from: &mut Decoder<S>, packing: Packing) -> Read<Entries, S> {
    let mut entries = Entries::new();
    for _ in 0..from.number("the number of nodes")? {
        let id = from.with_string(ID_BYTES as u64, "the ID of a node", |bytes| {
            bytes.try_into().map(super::id_of_bytes)
        })?;
        let Ok(id) = id else {
            return Err(from.contradiction("the ID of a node is not 16 bytes"));
        };
        let loaded = from.with_string(NODE_BYTES_READ_MAX, "a node", |node| {
            load(id, node, &mut entries)
        })?;
        loaded.map_err(|fault| from.fault(fault))?;
        if let Packing::BeyondBytes(bytes) = packing
            && from.offset() > bytes
        {
            entries.pack();
        }
    }
    Ok(entries)
}

/// A name or value: in the node, or, if it is kept there as an integer, in a buffer of such texts.
#[derive(Clone)]
enum Text<'n> {
    Bytes(&'n [u8]),
    Digits(Range<usize>),
}

impl<'n> Text<'n> {
    #[inline]
    fn new(element: Element<'n>, digits: &mut Vec<u8>) -> Text<'n> {
        match element {
            Element::Bytes(bytes) => Text::Bytes(bytes),
            Element::Integer(value) => {
                let start = digits.len();
                digits.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
                Text::Digits(start..digits.len())
            }
        }
    }

    #[inline]
    fn bytes<'t>(&'t self, digits: &'t [u8]) -> &'t [u8] {
        match self {
            Text::Bytes(bytes) => bytes,
            Text::Digits(range) => digits.get(range.clone()).unwrap_or_default(),
        }
    }
}

/// Appends the entries of a node.
fn load(id: StreamId, node: &[u8], entries: &mut Entries) -> Result<(), Fault> {
    const BAD_COUNT: Fault = Fault::Contradiction("the number of elements of an entry is wrong");
    let mut listpack = Reader::new(node)?;
    let live_said = listpack.integer("the number of entries of a node")?;
    let deleted_said = listpack.integer("the number of deleted entries of a node")?;
    let mut digits = Vec::new();
    let names = names(&mut listpack, &mut digits)?;
    let names_digits = digits.len();
    check_repetition(&names, &digits, live_said, node.len())?;
    let (mut live, mut deleted) = (0, 0);
    let mut fields = Vec::with_capacity(2 * names.len());
    let mut values = Vec::with_capacity(names.len());
    // Whether the entry that was appended last has the names of the master entry.
    let mut is_like_last = false;
    while let Some(flags) = listpack.next()? {
        let flags = match flags {
            Element::Integer(flags @ 0..=3) => flags,
            Element::Integer(_) | Element::Bytes(_) => {
                return Err(Fault::Contradiction("the flags of an entry are not known"));
            }
        };
        let ms = listpack
            .integer("the milliseconds of an entry")?
            .cast_unsigned();
        let seq = listpack
            .integer("the sequence of an entry")?
            .cast_unsigned();
        fields.clear();
        values.clear();
        digits.truncate(names_digits);
        let has_same_fields = flags & SAME_FIELDS != 0;
        let elements = if !has_same_fields {
            let field_count = listpack.integer("the number of fields of an entry")?;
            for _ in 0..field_count.saturating_mul(2) {
                fields.push(Text::new(
                    listpack.element("a field of an entry")?,
                    &mut digits,
                ));
            }
            field_count.saturating_mul(2).saturating_add(4)
        } else {
            for _ in &names {
                let value = listpack.element("a value of an entry")?;
                values.push(Text::new(value, &mut digits));
            }
            names.len() as i64 + 3
        };
        if listpack.integer("the number of elements of an entry")? != elements {
            return Err(BAD_COUNT);
        }
        if flags & DELETED != 0 {
            deleted += 1;
            continue;
        }
        if fields.is_empty() && values.is_empty() {
            return Err(Fault::Contradiction("an entry has no fields"));
        }
        live += 1;
        let id = StreamId {
            ms: id.ms.wrapping_add(ms),
            seq: id.seq.wrapping_add(seq),
        };
        const ORDER: Fault = Fault::Contradiction("an entry is not above the one before it");
        if has_same_fields && is_like_last {
            let values = values.iter().map(|text| text.bytes(&digits));
            let appended = entries.append_like_last(id, values, NodeLimits::DEFAULT);
            if appended.map_err(|OutOfOrder { .. }| ORDER)? {
                continue;
            }
        }
        if has_same_fields {
            let pairs = names.iter().zip(&values);
            fields.extend(pairs.flat_map(|(name, value)| [name.clone(), value.clone()]));
        }
        let texts = fields.iter().map(|text| text.bytes(&digits));
        let appended = entries.append(id, texts, NodeLimits::DEFAULT);
        appended.map_err(|OutOfOrder { .. }| ORDER)?;
        is_like_last = has_same_fields;
    }
    if (live, deleted) != (live_said, deleted_said) {
        return Err(Fault::Contradiction(
            "the number of entries is not what the node says",
        ));
    }
    Ok(())
}

/// The names of the master's fields.
fn names<'n>(listpack: &mut Reader<'n>, digits: &mut Vec<u8>) -> Result<Vec<Text<'n>>, Fault> {
    let count = listpack.integer("the number of fields of a node")?;
    let mut names = Vec::new();
    for _ in 0..count {
        names.push(Text::new(listpack.element("the name of a field")?, digits));
    }
    match listpack.integer("the end of the master entry")? {
        0 => Ok(names),
        _ => Err(Fault::Contradiction("the master entry does not end with 0")),
    }
}

/// Long names that are in a node only once are kept for each entry in memory, so a small node could
/// take any amount of it.
fn check_repetition(
    names: &[Text<'_>],
    digits: &[u8],
    entry_count: i64,
    node_bytes: usize,
) -> Result<(), Fault> {
    let name_bytes: usize = names.iter().map(|name| name.bytes(digits).len()).sum();
    if name_bytes <= NAMES_REPEATED_BYTES_MAX {
        return Ok(());
    }
    let length = (name_bytes as u64).saturating_mul(entry_count.unsigned_abs());
    let limit = (node_bytes as u64).saturating_mul(REPETITION_MAX);
    if length > limit {
        let what = "the names of a node's fields, taken once for each entry,";
        return Err(Fault::TooLong {
            what,
            length,
            limit,
        });
    }
    Ok(())
}
