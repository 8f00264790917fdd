//! Lists.
//!
//! | code | body |
//! |---|---|
//! | 1 | number; that many strings |
//! | 10 | a string: a ziplist |
//! | 14 | number; that many nodes: a string, a ziplist |
//! | 18 | number; that many nodes: a number and a string |
//!
//! The number of a node says what its string is: 1 a single long element, 2 a listpack.

use collections::Element;
use collections::map::Copied;
use values::{End, List, Thresholds, Value};

use crate::context::Context;
use crate::decode::{Decoder, Read};
use crate::digest::Hasher;
use crate::encode::Encoder;
use crate::error::Fault;
use crate::limits::{LISTPACK_NODE_BYTES_MAX, STRING_BYTES_MAX};
use crate::listpack::{self, Writer};
use crate::row::Row;
use crate::source::{Sink, Source};
use crate::stream::Extras;
use crate::value::Stored;
use crate::ziplist;

const STRINGS: u8 = 1;
/// Before Redis 3.2.
const ZIPLIST: u8 = 10;
/// Redis 3.2 to 6.2.
const ZIPLISTS: u8 = 14;
/// Redis 7.0 and later.
const NODES: u8 = 18;

const ONE_ELEMENT: u64 = 1;
const LISTPACK: u64 = 2;

impl Stored for List {
    const CODES: &'static [u8] = &[STRINGS, ZIPLIST, ZIPLISTS, NODES];

    fn code(&self) -> u8 {
        NODES
    }

    fn write<K: Sink>(&self, out: &mut Encoder<K>) -> Result<(), K::Error> {
        let nodes = nodes(self);
        out.number(nodes.len() as u64);
        let mut listpack = Writer::default();
        for node in nodes {
            match node {
                Node::Long(element) => {
                    out.number(ONE_ELEMENT);
                    element.with_bytes(|bytes| out.blob(bytes));
                }
                Node::Packed(from, to) => {
                    listpack.begin();
                    for element in self.range(from, to) {
                        match element {
                            Element::Integer(integer) => listpack.integer(integer),
                            Element::Text(bytes) => listpack.bytes(bytes),
                            Element::Shared(bytes) => listpack.bytes(bytes),
                        }
                    }
                    out.number(LISTPACK);
                    out.blob(listpack.finish());
                }
            }
            out.drain()?;
        }
        Ok(())
    }

    fn add_to_digest(&self, _now_ms: u64, out: &mut Encoder<Hasher>) {
        out.number(self.len() as u64);
        for element in self.iter() {
            element.with_bytes(|bytes| out.string(bytes));
            let Ok(()) = out.drain();
        }
    }

    fn read<S: Source>(
        code: u8,
        from: &mut Decoder<S>,
        context: &Context,
        _extras: &Extras,
    ) -> Read<Value, S> {
        let mut elements = Elements {
            list: List::new(),
            thresholds: &context.thresholds,
        };
        let mut string = Vec::new();
        let count = match code {
            ZIPLIST => 1,
            STRINGS => from.number("the number of elements of a list")?,
            _ => from.number("the number of nodes of a list")?,
        };
        for _ in 0..count {
            let form = match code {
                STRINGS => ONE_ELEMENT,
                ZIPLIST | ZIPLISTS => LISTPACK,
                _ => from.number("the form of a node of a list")?,
            };
            match form {
                ONE_ELEMENT => {
                    from.string(&mut string, STRING_BYTES_MAX, "an element of a list")?;
                    elements.take(&string);
                }
                LISTPACK => {
                    from.string(&mut string, STRING_BYTES_MAX, "a node of a list")?;
                    let read = match code {
                        NODES => {
                            listpack::Reader::new(&string).and_then(|row| elements.take_all(row))
                        }
                        _ => ziplist::Reader::new(&string).and_then(|row| elements.take_all(row)),
                    };
                    read.map_err(|fault| from.fault(fault))?;
                }
                found => {
                    let expected = "the form of a node of a list";
                    return Err(from.fault(Fault::Unexpected { expected, found }));
                }
            }
        }
        if elements.list.is_empty() {
            return Err(from.contradiction("a list has no elements"));
        }
        Ok(Value::from(elements.list))
    }
}

/// The elements read so far.
struct Elements<'c> {
    list: List,
    thresholds: &'c Thresholds,
}

impl Elements<'_> {
    fn take(&mut self, bytes: &[u8]) {
        self.list.expect(1, bytes.len(), self.thresholds);
        self.list.push(End::Right, Element::of(bytes), &mut Copied);
    }

    /// Takes those of a node. It may have none: Redis had such lists for a time.
    fn take_all<'a>(&mut self, mut row: impl Row<'a>) -> Result<(), Fault> {
        while let Some(element) = row.next()? {
            element.with_bytes(|bytes| self.take(bytes));
        }
        Ok(())
    }
}

/// Elements that are written together.
enum Node<'a> {
    /// One that is longer than a node may be.
    Long(Element<'a>),
    /// Those from one position on, before another.
    Packed(usize, usize),
}

/// The elements of a list in groups of which each fits into a node of Redis: few, as a node is full
/// before the next one begins.
fn nodes(list: &List) -> Vec<Node<'_>> {
    let mut nodes = Vec::new();
    let (mut start, mut bytes) = (0, listpack::FRAME_BYTES);
    for (at, element) in list.iter().enumerate() {
        let len = values::listpack::element_bytes(element);
        if bytes + len > LISTPACK_NODE_BYTES_MAX {
            if start < at {
                nodes.push(Node::Packed(start, at));
            }
            (start, bytes) = (at, listpack::FRAME_BYTES);
        }
        if bytes + len > LISTPACK_NODE_BYTES_MAX {
            nodes.push(Node::Long(element));
            start = at + 1;
        } else {
            bytes += len;
        }
    }
    if start < list.len() {
        nodes.push(Node::Packed(start, list.len()));
    }
    nodes
}

#[cfg(test)]
mod tests;
