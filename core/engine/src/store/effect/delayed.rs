//! Changes of what waits to be appended to a stream.

use std::num::NonZeroU64;

use resp::Argv;
use stream::{DelayedOptions, Keep, Precision, StreamId, Ticket, Trim};

use super::encode::{self, Line, Out};
use super::{Brings, Changed, Family};
use crate::store::apply::{DECIDED, Store};

/// An entry is delayed, or is no longer.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "fields are described in `effect`")]
pub enum DelayChange<'a> {
    /// `XADD key … AT time TICKET number *`. Makes the key if it is missing.
    Delay {
        /// When it is due, and what it is known by.
        ticket: Ticket,
        /// How it is to be appended.
        options: DelayedOptions<'a>,
        /// Fields and values in turn.
        fields: Argv<'a>,
    },
    /// `XUNDELAY key ticket CANCELLED time`: its iid is remembered as of then.
    Cancel {
        ticket: Ticket,
        /// Unix time in milliseconds.
        at_ms: u64,
    },
    /// `XUNDELAY key ticket APPENDED id`: its time has come. A trim that came with it is an effect
    /// of its own.
    Append { ticket: Ticket, id: StreamId },
}

/// What changes of this family mean to others.
pub(super) mod events {
    use crate::store::effect::event::{Class, Event, Name, Touch};

    const fn named(names: &'static [Name]) -> Event {
        Event::named(names, Touch::READERS)
    }

    /// An entry waits. Nobody can read it yet.
    pub const XDELAY: &Event = &named(&[Name::new("xdelay", Class::Stream)]);
    /// It was taken back.
    pub const XUNDELAY: &Event = &named(&[Name::new("xundelay", Class::Stream)]);
}

impl Family for DelayChange<'_> {
    fn brings<'k>(&'k self, key: &'k [u8], database: u16) -> Brings<'k> {
        match self {
            DelayChange::Append { .. } => Brings::Entries(database, key),
            DelayChange::Delay { .. } | DelayChange::Cancel { .. } => Brings::Nothing,
        }
    }
}

impl DelayChange<'_> {
    pub(super) fn apply(&self, key: &[u8], store: &mut Store<'_>) -> Changed {
        match *self {
            DelayChange::Delay {
                ticket,
                ref options,
                fields,
            } => store.edit_or_make_stream(key, |stream| {
                stream.delay(ticket, options, fields.iter());
                1
            }),
            DelayChange::Cancel { ticket, at_ms } => store.edit_stream(key, |stream| {
                let waited = stream.undelay(ticket, at_ms);
                u64::from(waited)
            }),
            DelayChange::Append { ticket, id } => {
                let added_at_ms = store.stream_time(id);
                let limits = store.node_limits();
                store.edit_stream(key, |stream| {
                    let waited = stream.append_delayed(ticket, id, limits, added_at_ms);
                    u64::from(waited.expect(DECIDED))
                })
            }
        }
    }

    pub(super) fn encode(&self, key: &[u8], out: &mut Out<'_>) -> u32 {
        match *self {
            DelayChange::Delay {
                ticket,
                ref options,
                fields,
            } => {
                let idempotent_args = if options.idempotent.is_some() { 3 } else { 0 };
                let args = 7
                    + encode::policy_args(options.references)
                    + idempotent_args
                    + options.trim.map_or(0, |trim| trim_args(&trim))
                    + fields.len();
                let mut line = Line::new(out, args, "XADD");
                line.arg(key).policy(options.references);
                if let Some((producer, iid)) = options.idempotent {
                    line.arg(b"IDMP").arg(producer).arg(iid);
                }
                if let Some(trim) = &options.trim {
                    add_trim(&mut line, trim);
                }
                line.arg(b"AT").int(encode::count(ticket.due_ms));
                line.arg(b"TICKET").int(encode::count(ticket.number));
                line.arg(b"*");
                for arg in fields.iter() {
                    line.arg(arg);
                }
                line.end()
            }
            DelayChange::Cancel { ticket, at_ms } => Line::new(out, 5, "XUNDELAY")
                .arg(key)
                .arg(ticket.to_string().as_bytes())
                .arg(b"CANCELLED")
                .int(encode::count(at_ms))
                .end(),
            DelayChange::Append { ticket, id } => Line::new(out, 5, "XUNDELAY")
                .arg(key)
                .arg(ticket.to_string().as_bytes())
                .arg(b"APPENDED")
                .id(id)
                .end(),
        }
    }
}

/// How many arguments [`add_trim`] adds.
fn trim_args(trim: &Trim) -> usize {
    match trim.precision {
        Precision::Exact => 3,
        Precision::Approximate { .. } => 5,
    }
}

/// The limit is always said: what it is by default depends on settings.
fn add_trim(line: &mut Line<'_>, trim: &Trim) {
    let operator: &[u8] = match trim.precision {
        Precision::Exact => b"=",
        Precision::Approximate { .. } => b"~",
    };
    match trim.keep {
        Keep::MaxLen(len) => line.arg(b"MAXLEN").arg(operator).int(encode::count(len)),
        Keep::MinId(id) => line.arg(b"MINID").arg(operator).id(id),
    };
    if let Precision::Approximate { limit } = trim.precision {
        let limit = limit.map_or(0, NonZeroU64::get);
        line.arg(b"LIMIT").int(encode::count(limit));
    }
}
