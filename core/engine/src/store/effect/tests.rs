//! The bytes of every effect. What was written to a disk is read for ever, so these do not change.

use ::stream::{
    Acknowledgement, Activity, Counted, DelayedOptions, Forget, GivenBack, GroupSettings, Keep,
    OnConflict, Precision, References, Retain, Retention, SetId, StreamId, StreamSettings, Ticket,
    Trim,
};
use resp::{Argv, ArgvBuf};
use values::{StringValue, Value};

use super::hyperloglog::{Added, HyperLogLogChange};
use super::*;
use crate::store::log::{EffectLog, Journalling};
use crate::time::{Mono, Now, UnixMs};
use batch::Lsn;

fn id(ms: u64, seq: u64) -> StreamId {
    StreamId::new(ms, seq)
}

fn on<'a>(change: impl Into<Change<'a>>) -> Effect<'a> {
    Effect::on(b"k", change)
}

fn add<'a>(elements: Argv<'a>, added: Added<'a>) -> Effect<'a> {
    on(HyperLogLogChange { elements, added })
}

fn of(change: GroupChange<'_>) -> Effect<'_> {
    Effect::on_group(b"k", b"g", change)
}

fn configure<'a>(maxsize: u32, forget: Forget) -> StreamChange<'a> {
    let retention = Retention {
        duration_s: 5,
        maxsize,
    };
    StreamChange::Configure { retention, forget }
}

fn deliver(
    ids: &[StreamId],
    entries_read: Option<u64>,
    acknowledgement: Acknowledgement,
) -> GroupChange<'_> {
    GroupChange::Deliver {
        consumer: b"c",
        ids,
        at: UnixMs(7),
        entries_read,
        acknowledgement,
    }
}

/// The bytes of commands, given as words with `; ` between commands and `''` for an empty word, as
/// they are logged in database 2 at 9 milliseconds.
fn bytes(commands: &str, selects: &str) -> String {
    let encode = |command: &str| {
        let words: Vec<&str> = command.split(' ').collect();
        let words_of = words.iter().map(|word| word.trim_matches('\''));
        let words_of = words_of.map(|word| format!("${}\r\n{word}\r\n", word.len()));
        format!("*{}\r\n{}", words.len(), words_of.collect::<String>())
    };
    let commands: Vec<String> = match commands {
        "" => Vec::new(),
        commands => commands.split("; ").map(encode).collect(),
    };
    let body = format!("#t:9\r\n{selects}{}", commands.concat());
    match commands.len() {
        0 | 1 => body,
        _ => format!("{}{body}{}", encode("MULTI"), encode("EXEC")),
    }
}

const TICKET: Ticket = Ticket {
    due_ms: 90,
    number: 3,
};

const SELECT_2: &str = "*2\r\n$6\r\nSELECT\r\n$1\r\n2\r\n";

#[test]
fn the_bytes_of_an_effect_do_not_change() {
    let group_settings = GroupSettings {
        claim_idle_ms: 5000,
        deliveries_max: 3,
        dead_letter_key: b"d".to_vec(),
        pending_max: 9,
        backoff_ms: (100, 5000),
        jitter_percent: 20,
        idle_consumers_ms: 60_000,
    };
    let fields: ArgvBuf = [&b"f"[..], b"v"].into_iter().collect();
    let elements: ArgvBuf = [&b"a"[..], b"b"].into_iter().collect();
    let consumer = b"c";
    let consumers: &[&[u8]] = &[consumer, b"d"];
    let value = Value::from(StringValue::from_bytes(b"v"));
    let ids: &[StreamId] = &[id(1, 1), id(2, 2)];
    let back = [(1, 0, None), (2, 0, None), (3, 7, None), (4, 7, Some(90))];
    let back = back.map(|(n, delivery_count, at)| GivenBack {
        id: id(n, n),
        delivery_count,
        not_before_ms: at,
    });
    let claims = [(1, 1), (2, 1), (3, u64::MAX)].map(|(seq, delivery_count)| Claim {
        id: id(1, seq),
        delivered_at: UnixMs(5),
        delivery_count,
    });
    let append = |origin: Option<IidOrigin>| StreamChange::Append {
        id: id(1, 1),
        fields: fields.as_argv(),
        idempotent: origin.map(|origin| Idempotent {
            producer: b"p",
            iid: b"i",
            origin,
            sought: None,
        }),
    };
    let comparing = StreamSettings {
        on_conflict: OnConflict::Error,
        retain: Retain {
            len_max: 7,
            references: References::Acknowledged,
            ..Retain::default()
        },
        ..StreamSettings::default()
    };
    let fixtures = [
        (
            on(StringChange::Set {
                value: b"v",
                expiry: Expiry::Never,
            }),
            "SET k v",
        ),
        (
            on(StringChange::Set {
                value: b"v",
                expiry: Expiry::Keep,
            }),
            "SET k v KEEPTTL",
        ),
        (
            on(StringChange::Set {
                value: b"v",
                expiry: Expiry::At(UnixMs(77)),
            }),
            "SET k v PXAT 77",
        ),
        (on(StringChange::Append { tail: b"t" }), "APPEND k t"),
        (
            on(StringChange::SetRange {
                offset: 3,
                value: b"v",
            }),
            "SETRANGE k 3 v",
        ),
        (on(KeyChange::Delete), "DEL k"),
        (on(KeyChange::ExpireAt { at: UnixMs(-5) }), "PEXPIREAT k -5"),
        (on(KeyChange::Persist), "PERSIST k"),
        (on(KeyChange::Rename { to: b"to" }), "RENAME k to"),
        (on(KeyChange::Move { to_db: 3 }), "MOVE k 3"),
        (
            on(KeyChange::Copy {
                to: b"to",
                to_db: 3,
            }),
            "COPY k to DB 3 REPLACE",
        ),
        (
            on(KeyChange::Restore {
                value: value.clone(),
                payload: b"payload",
                at: None,
            }),
            "RESTORE k 0 payload REPLACE ABSTTL",
        ),
        (
            on(KeyChange::Restore {
                value,
                payload: b"payload",
                at: Some(UnixMs(77)),
            }),
            "RESTORE k 77 payload REPLACE ABSTTL",
        ),
        (on(append(None)), "XADD k 1-1 f v"),
        (
            on(append(Some(IidOrigin::Given))),
            "XADD k IDMP p i 1-1 f v",
        ),
        (
            on(append(Some(IidOrigin::Fingerprint))),
            "XADD k IDMPAUTO p 1-1 f v",
        ),
        (
            on(StreamChange::CountDuplicate {
                producer: b"p",
                iid: b"i",
                id: id(1, 1),
            }),
            "XADD k NOMKSTREAM IDMP p i 1-1 '' ''",
        ),
        (
            on(StreamChange::Trim {
                through: id(1, 1),
                references: References::Keep,
            }),
            "XTRIM k MINID = 1-2",
        ),
        (
            on(StreamChange::Trim {
                through: StreamId::MAX,
                references: References::Delete,
            }),
            "XTRIM k MAXLEN = 0 DELREF",
        ),
        (
            on(StreamChange::Trim {
                through: id(1, u64::MAX),
                references: References::Acknowledged,
            }),
            "XTRIM k MINID = 2-0 ACKED",
        ),
        (
            on(StreamChange::Delete {
                ids,
                references: References::Keep,
            }),
            "XDEL k 1-1 2-2",
        ),
        (
            on(StreamChange::Delete {
                ids,
                references: References::Delete,
            }),
            "XDELEX k DELREF IDS 2 1-1 2-2",
        ),
        (
            on(StreamChange::Delete {
                ids,
                references: References::Acknowledged,
            }),
            "XDELEX k ACKED IDS 2 1-1 2-2",
        ),
        (
            on(StreamChange::SetId(SetId {
                last_id: id(1, 1),
                entries_added: None,
                max_deleted_id: None,
            })),
            "XSETID k 1-1",
        ),
        (
            on(StreamChange::SetId(SetId {
                last_id: id(1, 1),
                entries_added: Some(5),
                max_deleted_id: Some(id(0, 1)),
            })),
            "XSETID k 1-1 ENTRIESADDED 5 MAXDELETEDID 0-1",
        ),
        (
            on(configure(6, Forget::Nothing)),
            "XCFGSET k IDMP-DURATION 5 IDMP-MAXSIZE 6 KEEPIDS",
        ),
        (
            on(StreamChange::SetSettings {
                settings: &comparing,
            }),
            "XCFGSET k IDMP-CONFLICT ERROR IDMP-STATS OFF IDMP-MODE WINDOW IDMP-GAPS ALLOW \
             IDMP-PIDS 0 RETAIN-MAXLEN 7 RETAIN-AGE 0 RETAIN-BYTES 0 RETAIN-REFS ACKED",
        ),
        (
            of(GroupChange::SetSettings {
                settings: &group_settings,
            }),
            "XGROUP SETCFG k g CLAIM 5000 MAXDELIVERIES 3 DEADLETTER d MAXPENDING 9 BACKOFF 100 5000 JITTER 20 IDLECONSUMERS 60000",
        ),
        (
            on(configure(6, Forget::Everything)),
            "XCFGSET k IDMP-DURATION 5 IDMP-MAXSIZE 1; XCFGSET k IDMP-DURATION 5 IDMP-MAXSIZE 6",
        ),
        (
            on(configure(1, Forget::Everything)),
            "XCFGSET k IDMP-DURATION 5 IDMP-MAXSIZE 2; XCFGSET k IDMP-DURATION 5 IDMP-MAXSIZE 1",
        ),
        (
            on(StreamChange::SetEpoch {
                producer: b"p",
                epoch: 7,
            }),
            "XIDMPEPOCH k p 7",
        ),
        (
            on(DelayChange::Delay {
                ticket: TICKET,
                options: DelayedOptions::default(),
                fields: fields.as_argv(),
            }),
            "XADD k AT 90 TICKET 3 * f v",
        ),
        (
            on(DelayChange::Delay {
                ticket: TICKET,
                options: DelayedOptions {
                    references: References::Acknowledged,
                    trim: Some(Trim {
                        keep: Keep::MaxLen(5),
                        precision: Precision::Approximate { limit: None },
                    }),
                    idempotent: Some((b"p", b"i")),
                },
                fields: fields.as_argv(),
            }),
            "XADD k ACKED IDMP p i MAXLEN ~ 5 LIMIT 0 AT 90 TICKET 3 * f v",
        ),
        (
            on(DelayChange::Delay {
                ticket: TICKET,
                options: DelayedOptions {
                    references: References::Keep,
                    trim: Some(Trim {
                        keep: Keep::MinId(id(5, 6)),
                        precision: Precision::Exact,
                    }),
                    idempotent: None,
                },
                fields: fields.as_argv(),
            }),
            "XADD k MINID = 5-6 AT 90 TICKET 3 * f v",
        ),
        (
            on(DelayChange::Cancel {
                ticket: TICKET,
                at_ms: 80,
            }),
            "XUNDELAY k @90-3 CANCELLED 80",
        ),
        (
            on(DelayChange::Append {
                ticket: TICKET,
                id: id(95, 0),
            }),
            "XUNDELAY k @90-3 APPENDED 95-0",
        ),
        (
            on(StreamChange::RecordIdempotent {
                producer: b"p",
                iid: b"i",
                id: id(1, 1),
            }),
            "XIDMPRECORD k p i 1-1",
        ),
        (
            on(StreamChange::CountRefused {
                producer: b"p",
                iid: b"i",
                what: Counted::Fenced,
            }),
            "XIDMPRECORD k p i fenced",
        ),
        (
            on(StreamChange::EvictProducer { producer: b"p" }),
            "XIDMPRECORD k p * evicted",
        ),
        (
            of(GroupChange::Create {
                id: id(1, 1),
                entries_read: None,
            }),
            "XGROUP CREATE k g 1-1 MKSTREAM",
        ),
        (
            of(GroupChange::Create {
                id: id(1, 1),
                entries_read: Some(u64::MAX),
            }),
            "XGROUP CREATE k g 1-1 MKSTREAM ENTRIESREAD 9223372036854775807",
        ),
        (
            of(GroupChange::SetId {
                id: id(1, 1),
                entries_read: None,
            }),
            "XGROUP SETID k g 1-1 ENTRIESREAD -1",
        ),
        (
            of(GroupChange::SetId {
                id: id(1, 1),
                entries_read: Some(4),
            }),
            "XGROUP SETID k g 1-1 ENTRIESREAD 4",
        ),
        (of(GroupChange::Destroy), "XGROUP DESTROY k g"),
        (
            of(GroupChange::CreateConsumer { consumer }),
            "XGROUP CREATECONSUMER k g c",
        ),
        (
            of(GroupChange::DeleteConsumers { consumers }),
            "XGROUP DELCONSUMER k g c; XGROUP DELCONSUMER k g d",
        ),
        (
            of(GroupChange::See {
                consumer,
                activity: Activity::Active,
            }),
            "XCLAIM k g c 0 JUSTID LASTID 0-0",
        ),
        (
            of(deliver(ids, Some(2), Acknowledgement::Awaited)),
            "XCLAIM k g c 0 1-1 2-2 TIME 7 RETRYCOUNT 1 FORCE JUSTID; XGROUP SETID k g 2-2 ENTRIESREAD 2",
        ),
        (
            of(deliver(ids, None, Acknowledgement::Waived)),
            "XGROUP SETID k g 2-2 ENTRIESREAD -1",
        ),
        (of(deliver(&[], None, Acknowledgement::Awaited)), ""),
        (
            of(GroupChange::Claim {
                consumer,
                claims: &claims,
                activity: Activity::Active,
            }),
            "XCLAIM k g c 0 1-1 1-2 TIME 5 RETRYCOUNT 1 FORCE JUSTID; XCLAIM k g c 0 1-3 TIME 5 RETRYCOUNT 9223372036854775807 FORCE JUSTID",
        ),
        (
            of(GroupChange::Claim {
                consumer,
                claims: &claims[..1],
                activity: Activity::Seen,
            }),
            "XCLAIM k g c 0 1-1 TIME 5 RETRYCOUNT 1 FORCE JUSTID LASTID 0-0",
        ),
        (of(GroupChange::Acknowledge { ids }), "XACK k g 1-1 2-2"),
        (
            of(GroupChange::GiveBack { entries: &back }),
            "XNACK k g FAIL IDS 2 1-1 2-2 RETRYCOUNT 0 FORCE; XNACK k g FAIL IDS 1 3-3 RETRYCOUNT 7 FORCE; XNACK k g FAIL IDS 1 4-4 RETRYCOUNT 7 FORCE AT 90",
        ),
        (add(elements.as_argv(), Added::Dense), "PFADD k a b"),
        (add(elements.as_argv(), Added::Sparse(b"x")), "PFADD k a b"),
        (Effect::Database(DatabaseChange::Flush), "FLUSHDB"),
        (Effect::Server(ServerChange::Flush), "FLUSHALL"),
        (
            Effect::Server(ServerChange::SwapDatabases { a: 2, b: 3 }),
            "SWAPDB 2 3",
        ),
    ];
    for (effect, commands) in fixtures {
        let mut log = EffectLog::new(Journalling::On, Lsn::ZERO);
        let now = Now {
            unix_us: 9_000,
            mono: Mono(0),
        };
        log.record(2, now, &effect, &[]);
        log.commit();
        let logged = String::from_utf8(log.encoded().to_vec()).unwrap();
        assert_eq!(logged, bytes(commands, SELECT_2), "{effect:?}");
    }
}
