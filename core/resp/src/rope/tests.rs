//! A rope sends the very bytes that a plain buffer would.

use proptest::prelude::*;

use super::*;
use crate::limits::SHARED_BYTES_MIN;

/// Shared bytes.
#[derive(Debug)]
struct Text(Vec<u8>);

impl Bytes for Text {
    fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn kept(&self) -> Kept {
        Kept {
            address: self.0.as_ptr().addr(),
            bytes: self.0.len(),
            holders: 1,
        }
    }
}

/// A run of integers, some of them shared bytes, `step` at a time.
#[derive(Debug)]
struct Numbers {
    next: usize,
    end: usize,
    step: usize,
}

impl Run for Numbers {
    fn write_some(&mut self, reply: &mut Reply) {
        for _ in 0..self.step.max(1).min(self.end - self.next) {
            number(reply, self.next);
            self.next += 1;
        }
    }

    fn bytes_left(&self) -> usize {
        (self.end - self.next) * 7
    }

    fn own_bytes(&self) -> usize {
        size_of::<Numbers>()
    }

    fn refers_to<'r>(&'r self, _: &mut dyn FnMut(Kept, Option<&'r dyn Parts>)) {}
}

/// Every seventh is shared.
fn number(reply: &mut Reply, n: usize) {
    if n.is_multiple_of(7) {
        reply.bulk_shared(Box::new(Text(vec![b'n'; n % 50])));
    } else {
        reply.count(n);
    }
}

/// What is written.
#[derive(Debug, Clone)]
enum Step {
    Bulk(Vec<u8>),
    Numbers(usize, usize),
    /// An array of the steps, whose length is known at the end.
    Array(Vec<Step>),
    /// The same with a guess of the length.
    Guessed(usize, Vec<Step>),
    /// Steps that are taken back.
    TakenBack(Vec<Step>),
    /// The second steps, then the first, written the other way round.
    Swapped(Vec<Step>, Vec<Step>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let leaf = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200).prop_map(Step::Bulk),
        (0usize..40, 0usize..9).prop_map(|(len, step)| Step::Numbers(len, step)),
    ];
    let step = leaf.prop_recursive(3, 24, 5, |inner| {
        let some = || prop::collection::vec(inner.clone(), 0..5);
        prop_oneof![
            some().prop_map(Step::Array),
            (0usize..200, some()).prop_map(|(guess, steps)| Step::Guessed(guess, steps)),
            some().prop_map(Step::TakenBack),
            (some(), some()).prop_map(|(first, second)| Step::Swapped(first, second)),
        ]
    });
    prop::collection::vec(step, 0..12)
}

/// Writes into a reply that shares texts from `shared_min` on and leaves runs to be rendered.
fn write(reply: &mut Reply, steps: &[Step], shared_min: usize) {
    for step in steps {
        let start = reply.mark();
        match step {
            Step::Bulk(bytes) if bytes.len() >= shared_min => {
                reply.bulk_shared(Box::new(Text(bytes.clone())));
            }
            Step::Bulk(bytes) => reply.bulk(bytes),
            Step::Numbers(len, step) => reply.run(Box::new(Numbers {
                next: 0,
                end: *len,
                step: *step,
            })),
            Step::Array(steps) => {
                write(reply, steps, shared_min);
                reply.array_since(start, steps.len());
            }
            Step::Guessed(guess, steps) => {
                let array = reply.begin_array(*guess);
                write(reply, steps, shared_min);
                let before = reply.len_since(start);
                let header_bytes = reply.end_array(array, steps.len());
                let guessed_bytes = format!("*{guess}\r\n").len();
                assert_eq!(
                    reply.len_since(start) + guessed_bytes,
                    before + header_bytes
                );
            }
            Step::TakenBack(steps) => {
                write(reply, steps, shared_min);
                reply.rollback(start);
            }
            Step::Swapped(first, second) => {
                write(reply, first, shared_min);
                let middle = reply.mark();
                write(reply, second, shared_min);
                reply.swap(start, middle);
            }
        }
    }
}

/// The same in a plain buffer.
fn write_plainly(out: &mut Vec<u8>, steps: &[Step]) {
    for step in steps {
        match step {
            Step::Bulk(bytes) => {
                out.extend_from_slice(format!("${}\r\n", bytes.len()).as_bytes());
                out.extend_from_slice(bytes);
                out.extend_from_slice(b"\r\n");
            }
            Step::Numbers(len, _) => {
                for n in 0..*len {
                    let mut reply = Reply::new(Protocol::Resp2);
                    match n.is_multiple_of(7) {
                        true => reply.bulk(&vec![b'n'; n % 50]),
                        false => reply.count(n),
                    }
                    out.extend_from_slice(reply.as_bytes());
                }
            }
            Step::Array(steps) | Step::Guessed(_, steps) => {
                out.extend_from_slice(format!("*{}\r\n", steps.len()).as_bytes());
                write_plainly(out, steps);
            }
            Step::TakenBack(_) => {}
            Step::Swapped(first, second) => {
                write_plainly(out, second);
                write_plainly(out, first);
            }
        }
    }
}

/// Sends a rope through a socket that takes `takes` bytes at a time, in turn.
fn send(rope: &mut Rope, takes: &[usize]) -> Vec<u8> {
    let (mut sent, mut takes) = (Vec::new(), takes.iter().cycle());
    while !rope.is_empty() {
        rope.prepare();
        if let Some(plain) = rope.plain() {
            assert_eq!(plain, rope.segments().collect::<Vec<_>>().concat());
            assert_eq!(plain.len(), rope.len());
        }
        let mut room = takes.next().map_or(1, |take| (*take).max(1));
        let before = sent.len();
        for segment in rope.segments() {
            assert!(!segment.is_empty());
            let taken = segment.len().min(room);
            sent.extend_from_slice(&segment[..taken]);
            room -= taken;
        }
        assert!(sent.len() > before, "something comes first");
        rope.advance(sent.len() - before);
    }
    assert_eq!(rope.len(), 0);
    sent
}

proptest! {
    #[test]
    fn a_rope_sends_what_a_plain_buffer_would(
        parts in prop::collection::vec((steps(), prop::collection::vec(any::<u8>(), 0..20)), 1..5),
        shared_min in 0usize..220,
        takes in prop::collection::vec(1usize..90, 1..6),
    ) {
        let (mut rope, mut plain) = (Rope::default(), Vec::new());
        let mut reply = Reply::new(Protocol::Resp2);
        for (index, (steps, pushed)) in parts.iter().enumerate() {
            let start = reply.mark();
            write(&mut reply, steps, shared_min);
            // Behind something that stays, or all of it.
            match index % 2 {
                0 => rope.append(reply.take()),
                _ => {
                    reply.ok();
                    let mark = reply.mark();
                    write(&mut reply, steps, shared_min);
                    let second = reply.split_off(mark);
                    rope.append(reply.split_off(start));
                    prop_assert!(!reply.has_pieces() && reply.is_empty());
                    rope.append(second);
                }
            }
            rope.push(pushed);
            rope.push_shared(Box::new(Text(pushed.clone())));
            write_plainly(&mut plain, steps);
            if index % 2 == 1 {
                plain.extend_from_slice(b"+OK\r\n");
                write_plainly(&mut plain, steps);
            }
            plain.extend_from_slice(pushed);
            plain.extend_from_slice(pushed);
        }
        prop_assert_eq!(send(&mut rope, &takes), plain);
    }
}

#[test]
fn small_replies_are_in_one_place_and_their_memory_is_kept() {
    let mut rope = Rope::default();
    let mut address = None;
    for text in ["+first", "+the second", "+x"] {
        rope.push(text.as_bytes());
        rope.push(b"\r\n");
        assert_eq!(rope.plain(), Some(format!("{text}\r\n").as_bytes()));
        let buffer = rope.first.as_ptr();
        assert_eq!(*address.get_or_insert(buffer), buffer);
        rope.advance(1);
        assert_eq!(rope.plain().map(<[u8]>::len), Some(text.len() + 1));
        rope.advance(text.len() + 1);
        assert!(rope.is_empty());
    }
    rope.push(&vec![b'x'; SPARE_BYTES_MAX + 1]);
    rope.advance(SPARE_BYTES_MAX + 1);
    assert_eq!(rope.first.capacity(), 0);
}

#[test]
fn what_is_partly_sent_is_continued_where_it_is_appended() {
    let partly_sent = || {
        let mut rope = Rope::default();
        rope.push(b"+sent+left");
        rope.advance(5);
        rope
    };
    let mut rope = partly_sent();
    rope.append(partly_sent());
    rope.push(b"+end");
    let mut all = Rope::default();
    all.append(rope);
    assert_eq!(all.len(), 5 + 5 + 4);
    assert_eq!(all.into_bytes(), b"+left+left+end");
}

#[test]
fn the_length_counts_what_is_shared() {
    let mut reply = Reply::new(Protocol::Resp2);
    reply.bulk_shared(Box::new(Text(vec![b'x'; 1000])));
    assert_eq!(reply.len(), b"$1000\r\n".len() + 1000 + 2);
    let mark = reply.mark();
    reply.run(Box::new(Numbers {
        next: 0,
        end: 10,
        step: 2,
    }));
    assert_eq!(reply.len_since(mark), 70);
    assert_eq!(reply.take().len(), 1009 + 70);
    assert!(reply.is_empty());
}

#[test]
fn a_part_is_full_one_byte_above_its_bound_and_stays_so() {
    let mut reply = Reply::new(Protocol::Resp2);
    reply.ok();
    reply.bulk_shared(Box::new(Text(vec![b'x'; 100])));
    let before = reply.len();
    let outer = reply.begin_part(17);
    reply.bulk(&[b'x'; 10]);
    assert!(!reply.is_full(), "17 bytes");
    reply.raw(b"x");
    assert!(reply.is_full(), "18 bytes");
    assert_eq!(reply.len(), before, "it is dropped");
    assert!(reply.is_full(), "for good");
    reply.resume_part(outer);
    assert!(!reply.is_full(), "the part around it is as it was");

    let _ = reply.begin_part(17);
    reply.bulk_shared(Box::new(Text(vec![b'x'; 10])));
    assert!(!reply.is_full(), "what is shared counts in full");
    reply.raw(b"x");
    assert!(reply.is_full());
}

#[test]
fn a_full_reply_takes_headers_at_places_that_are_gone() {
    let mut reply = Reply::new(Protocol::Resp2);
    reply.raw(b"+before\r\n");
    let _ = reply.begin_part(30);
    let outer = reply.mark();
    reply.bulk(b"key");
    let inner = reply.begin();
    reply.bulk(&[b'v'; 40]);
    assert!(reply.is_full());
    reply.array_since(inner, 1);
    let end = reply.mark();
    reply.array(3);
    reply.swap(inner, end);
    reply.map_since(outer, 1);
    assert!(reply.is_full());
    assert!(reply.into_bytes().starts_with(b"+before\r\n"));
}

#[test]
fn what_was_made_for_a_reply_counts_as_copied() {
    let mut reply = Reply::new(Protocol::Resp2);
    let text = vec![b'x'; SHARED_BYTES_MIN];
    reply.bulk_owned(text.clone());
    assert!(reply.has_pieces());
    assert!(reply.copied() > SHARED_BYTES_MIN);
    reply.bulk_owned(b"short".to_vec());
    let mut plain = Reply::new(Protocol::Resp2);
    plain.bulk(&text);
    plain.bulk(b"short");
    assert_eq!(reply.into_bytes(), plain.into_bytes());
}

#[test]
fn elements_are_written_until_the_reply_is_full() {
    for (bytes_max, written) in [(usize::MAX, 1000), (4 * 99, 100), (4 * 100, 101)] {
        let mut reply = Reply::new(Protocol::Resp2);
        reply.ok();
        let _ = reply.begin_part(bytes_max);
        let mut asked = 0;
        let count = reply.each(0..1000, |reply, _| {
            asked += 1;
            reply.int(7);
        });
        assert_eq!((count, asked), (written, written));
        let is_full = bytes_max < usize::MAX;
        assert_eq!(reply.is_full(), is_full);
        assert_eq!(reply.dropped(), if is_full { 4 * written } else { 0 });
    }
}

#[test]
fn what_follows_in_a_full_reply_is_dropped_too() {
    let mut reply = Reply::new(Protocol::Resp2);
    let _ = reply.begin_part(10);
    reply.bulk(&[b'x'; 10]);
    assert!(reply.is_full());
    reply.ok();
    assert!(reply.is_full());
    assert!(reply.is_empty(), "nothing of it is sent");
    assert_eq!(reply.dropped(), 17 + 5);
}
