//! Packing the chunks of streams, driven by hand.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use engine::config::Settings;
use engine::limits::{LOADED_PLAIN_BYTES_MAX, PACKING_DELAY_MS};
use engine::store::log::Journalling;
use engine::store::packing::PackingBatch;
use engine::{Author, Engine, Mono, Now};
use proptest::prelude::*;
use resp::{ArgvBuf, Protocol, Reply};

fn at(ms: u64) -> Now {
    Now {
        unix_us: ms as i64 * 1000,
        mono: Mono(ms),
    }
}

fn engine() -> Engine {
    let mut engine = Engine::new(Settings::default(), 1, at(1000), &commands::TABLE);
    engine.set_journalling(Journalling::On);
    engine
}

fn ask(engine: &mut Engine, request: &str, ms: u64) -> Vec<u8> {
    let session = engine.connect(String::new(), String::new(), at(ms));
    let argv: ArgvBuf = request.split(' ').collect();
    let mut reply = Reply::new(Protocol::Resp2);
    let _ = engine.request(session, argv.as_argv(), at(ms), &mut reply);
    engine.disconnect(session);
    reply.into_bytes()
}

/// Packs what is due. Returns how many batches that were.
fn pack(engine: &mut Engine, ms: u64) -> usize {
    let mut count = 0;
    loop {
        let before = count;
        engine.timer(at(ms));
        while let Some(mut batch) = engine.begin_packing() {
            batch.run();
            engine.end_packing(&mut batch, at(ms));
            count += 1;
        }
        if count == before {
            return count;
        }
    }
}

fn add(engine: &mut Engine, key: &str, count: u64, ms: u64) {
    for number in 0..count {
        let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        let request = format!("XADD {key} * event {{\"order\":{mixed},\"state\":\"shipped\"}}");
        ask(engine, &request, ms + number);
    }
}

fn memory(engine: &mut Engine, key: &str, ms: u64) -> u64 {
    let reply = ask(engine, &format!("MEMORY USAGE {key} SAMPLES 0"), ms);
    let text = String::from_utf8(reply).unwrap();
    text.trim_start_matches(':').trim().parse().unwrap()
}

#[test]
fn a_stream_is_packed_a_moment_after_a_chunk_got_full() {
    let mut engine = engine();
    add(&mut engine, "s", 5000, 1000);
    assert_eq!(pack(&mut engine, 1000), 0);
    let before = memory(&mut engine, "s", 7000);
    assert!(pack(&mut engine, 7000) > 0);
    assert!(pack(&mut engine, 8000) > 0);
    let after = memory(&mut engine, "s", 8000);
    assert!(after < before * 2 / 3, "{after} of {before}");
    assert_eq!(pack(&mut engine, 9000), 0);
}

#[test]
fn what_is_trimmed_within_a_moment_is_never_packed() {
    let mut engine = engine();
    let mut ms = 1000;
    for number in 0..20_000 {
        let request =
            format!("XADD s MAXLEN ~ 4000 * event {{\"order\":{number},\"state\":\"shipped\"}}");
        ask(&mut engine, &request, ms);
        ms += number % 5 / 4;
        assert_eq!(pack(&mut engine, ms), 0);
    }
    assert!(ms > 1000 + 3 * PACKING_DELAY_MS);
    let due = ms + PACKING_DELAY_MS;
    assert!(pack(&mut engine, due) + pack(&mut engine, due + PACKING_DELAY_MS) > 0);
}

#[test]
fn a_stream_that_moves_while_it_waits_is_packed_all_the_same() {
    for (there, name, back) in [
        ("RENAME s t", "t", "PING"),
        ("COPY s t", "t", "PING"),
        ("SWAPDB 0 3", "s", "SWAPDB 0 3"),
    ] {
        let mut engine = engine();
        add(&mut engine, "s", 5000, 1000);
        let before = memory(&mut engine, "s", 7000);
        ask(&mut engine, there, 7000);
        assert!(pack(&mut engine, 8000) + pack(&mut engine, 9000) > 0);
        ask(&mut engine, back, 9000);
        let after = memory(&mut engine, name, 9000);
        assert!(after < before * 2 / 3, "{there}: {after} of {before}");
    }
}

#[test]
fn nothing_is_packed_where_the_setting_says_no() {
    let mut engine = engine();
    ask(&mut engine, "CONFIG SET stream-compress no", 1000);
    add(&mut engine, "s", 2000, 1000);
    assert_eq!(pack(&mut engine, 9000), 0);
    ask(&mut engine, "CONFIG SET stream-compress yes", 9000);
    add(&mut engine, "s", 500, 9000);
    assert!(pack(&mut engine, 10_000) > 0);
}

#[test]
fn an_engine_that_is_filled_packs_when_it_got_much() {
    let mut live = engine();
    add(&mut live, "s", 5000, 1000);
    let before = memory(&mut live, "s", 7000);
    for (plain_bytes, is_packed) in [(0, false), (LOADED_PLAIN_BYTES_MAX, true)] {
        let mut back = Engine::new(Settings::default(), 1, at(7000), &commands::TABLE);
        let mut replay = back.begin_replay(Now::default());
        replay.plain_bytes = plain_bytes;
        back.replay(&mut replay, &live.effects().to_vec(), Author::Weir)
            .unwrap();
        let after = memory(&mut back, "s", 7000);
        assert_eq!(after < before * 2 / 3, is_packed, "{after} of {before}");
        assert!(is_packed || pack(&mut back, 7000) > 0);
    }
}

/// A request that says something of a stream or changes it, by a few numbers.
fn request(kind: u8, a: u64, b: u64) -> String {
    let key = ["s", "t"][(a % 2) as usize];
    match kind {
        0 => format!("XDEL {key} {}-0 {}-0 {}-0", a, a + 1, b),
        1 => format!("XTRIM {key} MINID ~ {a}"),
        2 => format!("XTRIM {key} MAXLEN = {b}"),
        3 => format!("XADD {key} MAXLEN ~ {b} * f v"),
        4 => format!("XRANGE {key} {a} + COUNT 40"),
        5 => format!("XREVRANGE {key} {b} - COUNT 300"),
        6 => format!("XREADGROUP GROUP g c COUNT 200 STREAMS {key} >"),
        7 => format!("XREADGROUP GROUP g c COUNT 50 STREAMS {key} {a}"),
        8 => format!("XAUTOCLAIM {key} g d 0 {a} COUNT 30"),
        9 => format!("XACKDEL {key} g DELREF IDS 2 {a}-0 {}-0", a + 1),
        10 => format!("XINFO STREAM {key} FULL"),
        11 => format!("XTRIM {key} MAXLEN ~ {b} ACKED LIMIT 500"),
        12 => "COPY s t REPLACE".to_owned(),
        13 => format!("DUMP {key}"),
        14 => format!("XCLAIM {key} g d 0 {a}-0 {b}-0 {}-0", a + 3),
        _ => format!("XDELEX {key} ACKED IDS 1 {b}-0"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn replies_and_effects_do_not_depend_on_packing(
        steps in prop::collection::vec((0_u8..20, 1000_u64..6000, 1_u64..6000), 1..60)
    ) {
        let (mut packing, mut plain) = (engine(), engine());
        let mut held: Option<PackingBatch> = None;
        let mut ms = 1000;
        for engine in [&mut packing, &mut plain] {
            ask(engine, "XGROUP CREATE s g 0 MKSTREAM", ms);
            ask(engine, "XGROUP CREATE t g 0 MKSTREAM", ms);
            add(engine, "s", 2000, ms);
            add(engine, "t", 1000, ms);
        }
        ms += 2000;
        pack(&mut packing, ms + 1000);
        for (kind, a, b) in steps {
            ms += 200;
            match kind {
                0..16 => {
                    let request = request(kind, a, b);
                    let (ours, theirs) =
                        (ask(&mut packing, &request, ms), ask(&mut plain, &request, ms));
                    prop_assert_eq!(ours, theirs, "{}", request);
                }
                16 => for engine in [&mut packing, &mut plain] {
                    add(engine, "s", 300, ms);
                },
                17 => if let Some(mut batch) = held.take() {
                    batch.run();
                    packing.end_packing(&mut batch, at(ms));
                },
                _ => if held.is_none() {
                    packing.timer(at(ms));
                    held = packing.begin_packing();
                },
            }
            if kind == 16 {
                ms += 300;
            }
            prop_assert_eq!(packing.effects(), plain.effects());
        }
        for request in ["XRANGE s - +", "XREVRANGE t + -", "DUMP s", "DUMP t"] {
            prop_assert_eq!(ask(&mut packing, request, ms), ask(&mut plain, request, ms));
        }
    }
}

#[test]
fn streams_that_come_and_go_while_they_wait_leave_nothing() {
    let mut engine = engine();
    for _ in 0..20 {
        add(&mut engine, "s", 2500, 1000);
        assert_eq!(engine.keyspace().scheduled(), 1);
        ask(&mut engine, "DEL s", 3500);
        assert_eq!(engine.keyspace().scheduled(), 0);
    }
    assert_eq!(pack(&mut engine, 9000), 0);
    assert_eq!(
        (engine.next_deadline(at(9000)), engine.packing_queue_len()),
        (None, 0)
    );
}

#[test]
fn what_was_taken_of_streams_that_are_gone_is_packed_for_nothing_and_forgotten() {
    let mut engine = engine();
    add(&mut engine, "s", 5000, 1000);
    engine.timer(at(7000));
    assert_eq!(engine.packing_queue_len(), 1);
    ask(&mut engine, "DEL s", 7000);
    assert!(pack(&mut engine, 7000) > 0);
    assert_eq!(
        (engine.packing_queue_len(), engine.keyspace().scheduled()),
        (0, 0)
    );
}

#[test]
fn a_stream_that_is_written_all_the_time_is_packed_as_fast_as_it_is_written() {
    let mut engine = engine();
    add(&mut engine, "s", 20_000, 1000);
    // What was full when the first wait began; all the rest waits for the same moment.
    pack(&mut engine, 21_000);
    let begun = 23_000;
    let mut ms = begun;
    engine.timer(at(ms));
    let mut batches = 0;
    while let Some(mut batch) = engine.begin_packing() {
        // A chunk may become full meanwhile, which begins another wait.
        add(&mut engine, "s", 300, ms);
        ms += 1;
        batch.run();
        engine.end_packing(&mut batch, at(ms));
        batches += 1;
    }
    // All of this came from one wait.
    assert!(batches > 2 && ms < begun + PACKING_DELAY_MS, "{batches}");
}

#[test]
fn no_more_chunks_are_held_than_may_be_and_each_stream_gets_its_turn() {
    use engine::limits::PACKING_CHUNKS_MAX;
    let mut engine = engine();
    // It waits with one chunk.
    add(&mut engine, "s", 1500, 1000);
    // Copies share what they hold, and each waits for itself.
    for number in 0..PACKING_CHUNKS_MAX + 50 {
        ask(&mut engine, &format!("COPY s s:{number}"), 2500);
    }
    let mut ms = 9000;
    for _ in 0..20 {
        engine.timer(at(ms));
    }
    assert_eq!(engine.packing_queue_len(), PACKING_CHUNKS_MAX);
    while let Some(mut batch) = engine.begin_packing() {
        batch.run();
        engine.end_packing(&mut batch, at(ms));
    }
    let left = |engine: &mut Engine, ms| {
        let keys = 0..PACKING_CHUNKS_MAX + 50;
        keys.map(|number| memory(engine, &format!("s:{number}"), ms))
            .max()
    };
    let before = left(&mut engine, ms);
    for _ in 0..30 {
        ms += 100;
        pack(&mut engine, ms);
    }
    let after = left(&mut engine, ms);
    assert!(after < before, "{after:?} of {before:?}");
    assert_eq!(engine.keyspace().scheduled(), 0);
}
