//! The bytes of every kind of reply, in both protocols.

use triomphe::Arc;

use super::*;
use crate::limits::REPLY_COPIED_BYTES_MAX;
use crate::rope::{Bytes, Kept};

/// What `write` writes in RESP2 and in RESP3.
fn written(write: impl Fn(&mut Reply)) -> [String; 2] {
    [Protocol::Resp2, Protocol::Resp3].map(|protocol| {
        let mut reply = Reply::new(protocol);
        write(&mut reply);
        reply.as_bytes().escape_ascii().to_string()
    })
}

fn check(write: impl Fn(&mut Reply), resp2: &str, resp3: &str) {
    assert_eq!(written(write), [resp2, resp3]);
}

fn check_both(write: impl Fn(&mut Reply), expected: &str) {
    check(write, expected, expected);
}

#[test]
fn what_both_protocols_have_is_the_same_in_both() {
    check_both(|reply| reply.ok(), r"+OK\r\n");
    check_both(|reply| reply.simple("PONG"), r"+PONG\r\n");
    check_both(|reply| reply.bulk(b""), r"$0\r\n\r\n");
    check_both(|reply| reply.bulk(b"a\r\n\xff"), r"$4\r\na\r\n\xff\r\n");
    check_both(|reply| reply.bulk_int(-5_i64), r"$2\r\n-5\r\n");
    check_both(
        |reply| reply.bulk_int(u64::MAX),
        r"$20\r\n18446744073709551615\r\n",
    );
    check_both(|reply| reply.array(0), r"*0\r\n");
    check_both(|reply| reply.array(1234), r"*1234\r\n");
    check_both(|reply| reply.raw(b":1\r\n"), r":1\r\n");
    check_both(|reply| reply.count(7), r":7\r\n");
}

#[test]
fn what_resp2_lacks_is_written_as_redis_does() {
    check(|reply| reply.null(), r"$-1\r\n", r"_\r\n");
    check(|reply| reply.null_array(), r"*-1\r\n", r"_\r\n");
    check(|reply| reply.boolean(true), r":1\r\n", r"#t\r\n");
    check(|reply| reply.boolean(false), r":0\r\n", r"#f\r\n");
    check(|reply| reply.double(3.25), r"$4\r\n3.25\r\n", r",3.25\r\n");
    check(
        |reply| reply.double(f64::NEG_INFINITY),
        r"$4\r\n-inf\r\n",
        r",-inf\r\n",
    );
    check(
        |reply| reply.big_number("-123"),
        r"$4\r\n-123\r\n",
        r"(-123\r\n",
    );
    check(
        |reply| reply.verbatim("txt", b"a\nb"),
        r"$3\r\na\nb\r\n",
        r"=7\r\ntxt:a\nb\r\n",
    );
    check(|reply| reply.map(5), r"*10\r\n", r"%5\r\n");
    check(|reply| reply.set(100), r"*100\r\n", r"~100\r\n");
    check(|reply| reply.push(3), r"*3\r\n", r">3\r\n");
}

#[test]
fn numbers_of_every_length_are_written_whole() {
    let mut numbers = vec![0, i64::MIN, i64::MAX];
    for power in 0..19 {
        let ten = 10_i64.pow(power);
        numbers.extend([ten - 1, ten, ten + 1, -ten]);
    }
    for number in numbers {
        check_both(|reply| reply.int(number), &format!(r":{number}\r\n"));
    }
    for len in [0, 9, 10, 99, 100, 101, 65536] {
        let bytes = vec![b'x'; len];
        let expected = format!(r"${len}\r\n{}\r\n", "x".repeat(len));
        check_both(|reply| reply.bulk(&bytes), &expected);
    }
}

#[test]
fn line_ends_within_a_line_become_spaces() {
    check_both(|reply| reply.error("ERR a\r\nb\nc"), r"-ERR a  b c\r\n");
    check_both(
        |reply| reply.error_bytes(b"ERR \xff\n\r"),
        r"-ERR \xff  \r\n",
    );
    check_both(|reply| reply.simple("a\nb"), r"+a b\r\n");
    let before = |reply: &mut Reply| {
        reply.bulk(b"x\ny");
        reply.error(format_args!("ERR {}", 5));
    };
    check_both(before, r"$3\r\nx\ny\r\n-ERR 5\r\n");
}

#[test]
fn headers_may_come_after_their_elements() {
    for elements in [0, 9, 10, 1000] {
        let deferred = |reply: &mut Reply| {
            reply.ok();
            let mark = reply.begin();
            (0..elements).for_each(|element| reply.count(element));
            reply.array_since(mark, elements);
        };
        let known = |reply: &mut Reply| {
            reply.ok();
            reply.array(elements);
            (0..elements).for_each(|element| reply.count(element));
        };
        assert_eq!(written(deferred), written(known));
    }
    let map = |reply: &mut Reply| {
        let outer = reply.begin();
        reply.bulk(b"k");
        let inner = reply.begin();
        reply.count(1);
        reply.set_since(inner, 1);
        reply.map_since(outer, 1);
    };
    check(
        map,
        r"*2\r\n$1\r\nk\r\n*1\r\n:1\r\n",
        r"%1\r\n$1\r\nk\r\n~1\r\n:1\r\n",
    );
}

#[test]
fn rolling_back_forgets_what_came_after_the_mark() {
    let mut reply = Reply::new(Protocol::Resp3);
    reply.ok();
    let mark = reply.mark();
    reply.array(2);
    reply.bulk(b"half of it");
    assert_eq!(reply.as_bytes(), b"+OK\r\n*2\r\n$10\r\nhalf of it\r\n");
    assert_eq!(reply.len_since(mark), 21);
    reply.rollback(mark);
    reply.error("ERR no");
    assert_eq!(reply.as_bytes(), b"+OK\r\n-ERR no\r\n");
}

#[test]
fn a_mark_beyond_the_end_does_no_harm() {
    let mut reply = Reply::new(Protocol::Resp2);
    reply.bulk(b"gone");
    let mark = reply.mark();
    reply.clear();
    reply.rollback(mark);
    assert_eq!(reply.len_since(mark), 0);
    reply.ok();
    reply.array_since(mark, 0);
    assert_eq!(reply.as_bytes(), b"+OK\r\n*0\r\n");
}

#[test]
fn the_protocol_may_change_between_replies() {
    let mut reply = Reply::new(Protocol::Resp2);
    reply.null();
    reply.set_protocol(Protocol::Resp3);
    reply.null();
    assert_eq!(reply.protocol(), Protocol::Resp3);
    assert_eq!(reply.take().into_bytes(), b"$-1\r\n_\r\n");
    assert!(reply.is_empty());
}

#[test]
fn buffers_are_reused() {
    let mut reply = Reply::with_buffer(Protocol::Resp2, Vec::with_capacity(100));
    reply.bulk(&[b'x'; 50]);
    reply.clear();
    assert_eq!((reply.len(), reply.capacity()), (0, 100));
    reply.shrink_to(0);
    assert_eq!(reply.capacity(), 0);
}

#[test]
fn a_text_may_be_written_before_its_length_is_known() {
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        let (mut reply, mut expected) = (Reply::new(protocol), Reply::new(protocol));
        reply.ok();
        let start = reply.begin();
        reply.raw(b"one\n");
        reply.raw(b"two\n");
        reply.verbatim_since(start, "txt");
        expected.ok();
        expected.verbatim("txt", b"one\ntwo\n");
        assert_eq!(reply.as_bytes(), expected.as_bytes());
    }
}

/// A value of a size that nobody has to pay for: one of three bytes that says otherwise.
#[derive(Debug)]
struct Large {
    address: usize,
    bytes: usize,
    holders: usize,
}

impl Bytes for Large {
    fn bytes(&self) -> &[u8] {
        b"abc"
    }

    fn kept(&self) -> Kept {
        Kept {
            address: self.address,
            bytes: self.bytes,
            holders: self.holders,
        }
    }
}

#[test]
fn what_only_a_reply_refers_to_counts_as_its_own() {
    const STEP: usize = REPLY_COPIED_BYTES_MAX / 8;
    let refer = |reply: &mut Reply, address, holders| {
        reply.bulk_shared(Box::new(Large {
            address,
            bytes: STEP,
            holders,
        }));
        reply.is_full()
    };
    // What others have too is not the reply's, however much it is.
    let mut reply = Reply::new(Protocol::Resp2);
    let _ = reply.begin_part(usize::MAX);
    assert!((0..100).all(|address| !refer(&mut reply, address, 2)));
    assert_eq!(reply.left_behind(), 0);
    // What nobody else has is, up to the bound, which the few bytes of the pieces take beyond
    // eight.
    let mut reply = Reply::new(Protocol::Resp2);
    let _ = reply.begin_part(usize::MAX);
    assert!((0..7).all(|address| !refer(&mut reply, address, 1)));
    assert_eq!(reply.left_behind(), 7 * STEP);
    assert!(refer(&mut reply, 7, 1) && reply.is_overrun() && reply.is_empty());
    // Twice the same is the same, and nobody's if both are here.
    let mut reply = Reply::new(Protocol::Resp2);
    let _ = reply.begin_part(usize::MAX);
    assert!((0..100).all(|_| !refer(&mut reply, 1, 100)));
    assert_eq!(reply.left_behind(), STEP);
    // Each part is looked at for itself.
    let _ = reply.begin_part(usize::MAX);
    assert_eq!(reply.left_behind(), 0);
}

#[test]
fn many_texts_are_written_as_each_for_itself() {
    let long = Arc::new(vec![b'l'; 5000]);
    let texts: Vec<Vec<u8>> = (0..3000).map(|len| vec![b'x'; len % 700]).collect();
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        let mut many = Reply::new(protocol);
        let mut single = Reply::new(protocol);
        for reply in [&mut many, &mut single] {
            reply.ok();
        }
        let count = many.each_text(texts.iter().zip(0_i64..), |many, (text, number)| {
            many.bulk(text);
            many.bulk_int(-number);
            many.bulk_long(&long);
            many.double(0.5);
            many.with_reply(|reply| reply.double(f64::INFINITY));
        });
        assert_eq!(count, texts.len());
        let mut number = 0;
        single.each(texts.iter(), |single, text| {
            single.bulk(text);
            single.bulk_int(-number);
            single.bulk(&long);
            single.double(0.5);
            single.double(f64::INFINITY);
            number += 1;
        });
        assert!(many.has_pieces() && !single.has_pieces());
        assert!(many.into_bytes() == single.into_bytes());
    }
}

#[test]
fn many_texts_end_where_each_for_itself_would() {
    const TEXT: &[u8] = &[b'x'; 93];
    for bytes_max in 0..1000 {
        for (copied_max, part_max) in [(bytes_max, usize::MAX), (usize::MAX, bytes_max)] {
            let mut replies = [0, 1].map(|_| Reply::with_copied_max(Protocol::Resp2, copied_max));
            replies.iter_mut().for_each(|reply| {
                reply.bulk(TEXT);
                let _ = reply.begin_part(part_max);
            });
            let [many, single] = &mut replies;
            let written = many.each_text(0..20, |many, _| many.bulk(TEXT));
            let expected = single.each(0..20, |single, _| single.bulk(TEXT));
            assert_eq!(written, expected);
            assert!(many.is_overrun() && single.is_overrun());
            assert_eq!(many.as_bytes(), single.as_bytes());
            assert_eq!(many.dropped(), single.dropped());
        }
    }
}

#[test]
fn a_part_copies_as_much_as_it_may_and_not_a_byte_more() {
    const COPIED_BYTES_MAX: usize = 1000;
    for (len, is_too_much) in [(COPIED_BYTES_MAX, false), (COPIED_BYTES_MAX + 1, true)] {
        let mut reply = Reply::with_copied_max(Protocol::Resp2, COPIED_BYTES_MAX);
        // What came before the part does not count.
        reply.ok();
        let _ = reply.begin_part(usize::MAX);
        reply.raw(&vec![b'+'; len]);
        assert_eq!(reply.is_full(), is_too_much, "{len}");
        assert_eq!(reply.is_overrun(), is_too_much, "{len}");
        assert_eq!(reply.dropped(), if is_too_much { len } else { 0 });
        assert_eq!(reply.len(), 5 + if is_too_much { 0 } else { len });
    }
    // Unless told otherwise, it is what the limits say.
    assert_eq!(Reply::default().copied_bytes_max, REPLY_COPIED_BYTES_MAX);
    let of_buffer = Reply::with_buffer(Protocol::Resp3, Vec::new());
    assert_eq!(of_buffer.copied_bytes_max, REPLY_COPIED_BYTES_MAX);
}
