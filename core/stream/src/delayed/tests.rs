//! Delayed entries against a plain map by ticket.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::{
    DelayedOptions, Keep, NodeLimits, Precision, References, Retention, Stream, StreamId,
    TICKET_NUMBER_MAX, TICKET_TEXT_BYTES_MAX, Ticket, Trim,
};

#[derive(Clone, Debug, PartialEq)]
struct Waiting {
    idempotent: Option<(Vec<u8>, Vec<u8>)>,
    fields: Vec<Vec<u8>>,
}

#[derive(Clone, Debug)]
enum Step {
    /// Due then, of this producer and iid if it is not 0, with a value of so many bytes.
    Delay(u64, u8, usize),
    /// The one at this place, of those that there are.
    Undelay(prop::sample::Index),
    /// All that is due by then.
    Append(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..50_u64, 0..6_u8, prop_oneof![9 => 0..40_usize, 1 => 900..3000_usize])
            .prop_map(|(due, iid, len)| Step::Delay(due, iid, len)),
        2 => any::<prop::sample::Index>().prop_map(Step::Undelay),
        1 => (0..50_u64).prop_map(Step::Append),
    ];
    prop::collection::vec(step, 0..200)
}

fn options(waiting: &Waiting) -> DelayedOptions<'_> {
    DelayedOptions {
        idempotent: waiting.idempotent.as_ref().map(|(p, i)| (&p[..], &i[..])),
        ..DelayedOptions::default()
    }
}

fn content(stream: &Stream) -> BTreeMap<Ticket, Waiting> {
    let delayed = stream
        .delayed()
        .into_iter()
        .flat_map(|delayed| delayed.iter());
    let waiting = delayed.map(|entry| {
        let of = entry.options.idempotent;
        let waiting = Waiting {
            idempotent: of.map(|(producer, iid)| (producer.to_vec(), iid.to_vec())),
            fields: entry.fields.map(<[u8]>::to_vec).collect(),
        };
        (entry.ticket, waiting)
    });
    let listed: Vec<_> = waiting.collect();
    assert!(listed.is_sorted_by(|a, b| a.0 < b.0), "in order, each once");
    listed.into_iter().collect()
}

const NOW_MS: u64 = 1_795_436_473_510;

proptest! {
    #[test]
    fn each_waits_or_was_appended_or_taken_back(steps in steps()) {
        let mut stream = Stream::new(Retention::DEFAULT, 42);
        let mut model: BTreeMap<Ticket, Waiting> = BTreeMap::new();
        let (mut number, mut last) = (0, StreamId::MIN);
        for step in steps {
            let frozen = (stream.clone(), model.clone());
            match step {
                Step::Delay(due_ms, iid, len) => {
                    let idempotent = (iid > 0).then(|| (vec![iid % 2], vec![iid]));
                    let fields = vec![b"f".to_vec(), vec![iid; len]];
                    let waiting = Waiting { idempotent, fields };
                    let known = waiting.idempotent.as_ref().and_then(|of| {
                        model.iter().find(|(_, other)| other.idempotent.as_ref() == Some(of))
                    });
                    if let Some((producer, iid)) = &waiting.idempotent {
                        let found = stream.delayed_iid(producer, iid);
                        prop_assert_eq!(found.map(|e| e.ticket), known.map(|(ticket, _)| *ticket));
                    }
                    // Whoever is remembered adds nothing.
                    let is_remembered = waiting.idempotent.as_ref().is_some_and(|(producer, iid)| {
                        stream.idempotence().lookup(producer, iid, NOW_MS).is_some()
                    });
                    if known.is_none() && !is_remembered {
                        number += 1;
                        let ticket = stream.next_ticket(due_ms).unwrap();
                        prop_assert_eq!(ticket, Ticket { due_ms, number });
                        stream.delay(ticket, &options(&waiting), waiting.fields.iter().map(Vec::as_slice));
                        model.insert(ticket, waiting);
                    }
                }
                Step::Undelay(place) if !model.is_empty() => {
                    let ticket = *model.keys().nth(place.index(model.len())).unwrap();
                    let waiting = model.remove(&ticket).unwrap();
                    prop_assert!(stream.undelay(ticket, NOW_MS));
                    prop_assert!(!stream.undelay(ticket, NOW_MS));
                    if let Some((producer, iid)) = waiting.idempotent {
                        prop_assert!(stream.delayed_iid(&producer, &iid).is_none());
                        let known = stream.idempotence().lookup(&producer, &iid, NOW_MS);
                        prop_assert_eq!(known, Some(StreamId::MIN));
                    }
                }
                Step::Undelay(_) => {}
                Step::Append(now_ms) => {
                    while let Some(at) = stream.delayed_due_ms().filter(|at| *at <= now_ms) {
                        let ticket = stream.delayed().unwrap().first().unwrap().ticket;
                        prop_assert_eq!(ticket.due_ms, at);
                        let waiting = model.remove(&ticket).unwrap();
                        last = last.next().unwrap();
                        let limits = NodeLimits::DEFAULT;
                        prop_assert_eq!(stream.append_delayed(ticket, last, limits, NOW_MS), Ok(true));
                        let entry = stream.entry(last).unwrap();
                        let fields = entry.fields().flat_map(|(name, value)| [name.to_vec(), value.to_vec()]);
                        prop_assert_eq!(fields.collect::<Vec<_>>(), waiting.fields);
                        if let Some((producer, iid)) = waiting.idempotent {
                            let known = stream.idempotence().lookup(&producer, &iid, NOW_MS);
                            prop_assert_eq!(known, Some(last));
                        }
                    }
                    prop_assert!(model.keys().all(|ticket| ticket.due_ms > now_ms));
                }
            }
            prop_assert_eq!(content(&stream), model.clone());
            prop_assert_eq!(stream.delayed_due_ms(), model.keys().next().map(|ticket| ticket.due_ms));
            // A frozen view stays as it was.
            prop_assert_eq!(content(&frozen.0), frozen.1);
        }
    }

    #[test]
    fn what_comes_with_an_entry_waits_with_it(
        references in prop_oneof![
            Just(References::Keep), Just(References::Delete), Just(References::Acknowledged),
        ],
        keep in prop_oneof![
            any::<u64>().prop_map(Keep::MaxLen),
            any::<(u64, u64)>().prop_map(|(ms, seq)| Keep::MinId(StreamId::new(ms, seq))),
        ],
        limit in prop::option::of(any::<u64>()),
        is_trimmed: bool,
        idempotent in prop::option::of(("[a-z]{1,300}", "[a-z]{1,3}")),
    ) {
        let precision = limit.map_or(Precision::Exact, |limit| Precision::Approximate {
            limit: std::num::NonZeroU64::new(limit),
        });
        let options = DelayedOptions {
            references,
            trim: is_trimmed.then_some(Trim { keep, precision }),
            idempotent: idempotent.as_ref().map(|(p, i)| (p.as_bytes(), i.as_bytes())),
        };
        let mut stream = Stream::new(Retention::DEFAULT, 42);
        let ticket = stream.next_ticket(7).unwrap();
        stream.delay(ticket, &options, [b"f".as_slice(), b"v"].into_iter());
        let entry = stream.delayed().unwrap().find(ticket).unwrap();
        prop_assert_eq!(entry.options, options);
    }

    #[test]
    fn tickets_are_read_as_they_are_written(
        due_ms in 0..=TICKET_NUMBER_MAX,
        number in 0..=TICKET_NUMBER_MAX,
    ) {
        let ticket = Ticket { due_ms, number };
        let text = ticket.to_string();
        prop_assert_eq!(Ticket::parse(text.as_bytes()), Ok(ticket));
        let mut buffer = [0; TICKET_TEXT_BYTES_MAX];
        prop_assert_eq!(ticket.write_text(&mut buffer), text.as_bytes());
    }
}

#[test]
fn other_texts_are_no_tickets() {
    for text in [
        "", "@", "@1", "1-1", "@1-", "@-1", "@1-1 ", "@+1-1", "@01-1", "@1--1",
    ] {
        assert!(Ticket::parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn tickets_and_ids_come_to_an_end() {
    let mut stream = Stream::new(Retention::DEFAULT, 42);
    stream.raise_last_ticket(TICKET_NUMBER_MAX - 1);
    let ticket = stream.next_ticket(5).unwrap();
    stream.delay(
        ticket,
        &DelayedOptions::default(),
        [b"f".as_slice(), b"v"].into_iter(),
    );
    assert_eq!(stream.next_ticket(5), None);
    assert_eq!(stream.delayed_due_ms(), Some(5));
    let fields = [b"f".as_slice(), b"v"].into_iter();
    stream
        .append(StreamId::MAX, fields, NodeLimits::DEFAULT)
        .unwrap();
    // It waits until there is an ID again.
    assert_eq!(stream.delayed_due_ms(), None);
}

/// What a million entries take that wait, with a value of this many bytes each.
#[test]
fn an_entry_that_waits_takes_little_more_than_its_bytes() {
    const COUNT: u64 = 100_000;
    let mut stream = Stream::new(Retention::DEFAULT, 42);
    for number in 0..COUNT {
        // Due in no order.
        let ticket = stream.next_ticket(number * 7919 % COUNT).unwrap();
        let value = [b'x'; 40];
        let fields = [b"field".as_slice(), &value].into_iter();
        stream.delay(ticket, &DelayedOptions::default(), fields);
    }
    let each = stream.delayed().unwrap().heap_bytes() / COUNT as usize;
    // Ticket 16, fields 47, options and count 2: 65. Pages that were split are 3/4 full.
    assert!((65..=110).contains(&each), "{each} bytes");
}
