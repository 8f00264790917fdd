//! What the parser answers, and that it does not depend on how the bytes arrive.

use proptest::prelude::*;

use super::*;
use crate::large::find_large;
use crate::limits::{BULK_BYTES_MAX, INLINE_BYTES_MAX};
use crate::reply::Protocol;

mod model;

/// What became of an input: the requests, and the error that ended it, if one did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Outcome {
    requests: Vec<Vec<Vec<u8>>>,
    error: Option<ProtocolError>,
    left: usize,
}

/// A connection that receives `pieces`.
fn receive<'i>(pieces: impl IntoIterator<Item = &'i [u8]>, limits: &Limits) -> Outcome {
    let mut outcome = Outcome::default();
    let mut parser = Parser::new();
    let mut input = Vec::new();
    let mut args_max = 0;
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            match parser.parse(&input, limits) {
                Ok(Some(request)) => {
                    assert!((1..=input.len()).contains(&request.consumed));
                    args_max = args_max.max(request.argv.len());
                    outcome
                        .requests
                        .push(request.argv.iter().map(<[u8]>::to_vec).collect());
                    let consumed = request.consumed;
                    input.drain(..consumed);
                }
                Ok(None) => {
                    assert!(parser.bytes_missing(input.len()) >= 1);
                    break;
                }
                Err(error) => {
                    outcome.error = Some(error);
                    return outcome;
                }
            }
        }
        // Every argument took six bytes on the wire, and a vector at most doubles.
        let args_seen = args_max.max(input.len() / 6 + 1);
        assert!(parser.spans.capacity() <= (2 * args_seen).max(4));
        assert!(parser.scratch.capacity() <= 2 * limits.inline_bytes_max.max(8));
    }
    outcome.left = input.len();
    outcome
}

/// The same, where arguments of so many bytes are received apart.
fn receive_apart<'i>(
    pieces: impl IntoIterator<Item = &'i [u8]>,
    limits: &Limits,
    bytes_min: usize,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut parser = Parser::new();
    let mut input = Vec::new();
    for mut piece in pieces {
        while !piece.is_empty() {
            let missing = parser.bytes_missing(input.len());
            let taken = match parser.take_large() {
                Some(mut large) => {
                    let (body, rest) = piece.split_at(missing.min(piece.len()));
                    large.extend_from_slice(body);
                    parser.give_back_large(large);
                    rest
                }
                None => {
                    input.extend_from_slice(piece);
                    &[]
                }
            };
            piece = taken;
            loop {
                match parser.parse(&input, limits) {
                    Ok(Some(request)) => {
                        let args = request.argv.iter().map(<[u8]>::to_vec).collect();
                        assert_eq!(request.argv.to_owned().as_argv(), request.argv);
                        outcome.requests.push(args);
                        let consumed = request.consumed;
                        input.drain(..consumed);
                        parser.release_larges();
                    }
                    Ok(None) => {
                        parser.set_aside(&mut input, bytes_min);
                        break;
                    }
                    Err(error) => {
                        outcome.error = Some(error);
                        return outcome;
                    }
                }
            }
        }
    }
    outcome.left = input.len() + parser.bytes_aside();
    outcome
}

fn whole(input: &[u8]) -> Outcome {
    receive([input], &Limits::default())
}

fn request_of(args: &[&[u8]]) -> Vec<u8> {
    let mut out = Reply::new(Protocol::Resp2);
    out.array(args.len());
    args.iter().for_each(|arg| out.bulk(arg));
    out.into_buffer()
}

fn error_text(input: &[u8], limits: &Limits) -> String {
    let error = receive([input], limits).error.expect("an error");
    let mut reply = Reply::new(Protocol::Resp2);
    error.write(&mut reply);
    reply.as_bytes().escape_ascii().to_string()
}

#[test]
fn arrays_of_bulk_strings_are_requests() {
    let binary = b"\0\r\n$5\xff".as_slice();
    let long = vec![b'x'; 12345];
    let args: Vec<&[u8]> = vec![
        b"SET",
        b"",
        binary,
        &long,
        &long[..10],
        &long[..99],
        &long[..100],
    ];
    let outcome = whole(&request_of(&args));
    assert_eq!(outcome.requests, [args]);
    assert_eq!((outcome.error, outcome.left), (None, 0));
}

#[test]
fn requests_follow_each_other_in_any_mixture() {
    let input = b"*1\r\n$4\r\nPING\r\n\r\nECHO a\r\n*0\r\n*-1\r\nECHO 'b c'\n*2\r\n$4\r\nECHO\r\n$0\r\n\r\n*1\r\n$";
    let none: &[&[u8]] = &[];
    let expected: [&[&[u8]]; 7] = [
        &[b"PING"],
        none,
        &[b"ECHO", b"a"],
        none,
        none,
        &[b"ECHO", b"b c"],
        &[b"ECHO", b""],
    ];
    let outcome = whole(input);
    assert_eq!(outcome.requests, expected);
    assert_eq!((outcome.error, outcome.left), (None, 5));
}

#[test]
fn the_bytes_that_end_lines_and_arguments_are_not_looked_at() {
    let outcome = whole(b"*1\rX$4\rYPINGab*1\r\n$4\r\nPING\r\n");
    assert_eq!(outcome.requests, [[b"PING"], [b"PING"]]);
}

#[test]
fn what_is_no_request_gets_the_error_that_redis_gives() {
    let unauthenticated = Limits {
        sender: Sender::Unauthenticated,
        ..Limits::default()
    };
    let default = Limits::default();
    let count = r"-ERR Protocol error: invalid multibulk length\r\n";
    let length = r"-ERR Protocol error: invalid bulk length\r\n";
    let quotes = r"-ERR Protocol error: unbalanced quotes in request\r\n";
    let rows: &[(&[u8], &Limits, &str)] = &[
        (b"*abc\r\n", &default, count),
        (b"*\r\n", &default, count),
        (b"* 1\r\n", &default, count),
        (b"*1 \r\n", &default, count),
        (b"*+1\r\n", &default, count),
        (b"*01\r\n", &default, count),
        (b"*-0\r\n", &default, count),
        (b"*-\r\n", &default, count),
        (b"*1\n$4\r\n", &default, count),
        (b"*a\rX", &default, count),
        (b"*2147483648\r\n", &default, count),
        (b"*9223372036854775808\r\n", &default, count),
        (b"*-9223372036854775809\r\n", &default, count),
        (b"*99999999999999999999\r\n", &default, count),
        (b"*2147483648\r\n", &unauthenticated, count),
        (
            b"*11\r\n",
            &unauthenticated,
            r"-ERR Protocol error: unauthenticated multibulk length\r\n",
        ),
        (b"*1\r\n$abc\r\n", &default, length),
        (b"*1\r\n$\r\n", &default, length),
        (b"*1\r\n$-1\r\n", &default, length),
        (b"*1\r\n$-\r\n", &default, length),
        (b"*1\r\n$04\r\n", &default, length),
        (b"*1\r\n$00\r\n", &default, length),
        (b"*1\r\n$+4\r\n", &default, length),
        (b"*1\r\n$4\nPING\r\n", &default, length),
        (b"*1\r\n$4\0\r\n", &default, length),
        (b"*1\r\n$1234x\r\n", &default, length),
        (b"*1\r\n$536870913\r\n", &default, length),
        (b"*1\r\n$4294967296\r\n", &default, length),
        (b"*1\r\n$99999999999999999999\r\n", &default, length),
        (b"*1\r\n$536870913\r\n", &unauthenticated, length),
        (
            b"*1\r\n$16385\r\n",
            &unauthenticated,
            r"-ERR Protocol error: unauthenticated bulk length\r\n",
        ),
        (
            b"*1\r\nPING\r\n",
            &default,
            r"-ERR Protocol error: expected \'$\', got \'P\'\r\n",
        ),
        (
            b"*1\r\n\r\n",
            &default,
            r"-ERR Protocol error: expected \'$\', got \' \'\r\n",
        ),
        (
            b"*1\r\n\n\r\n",
            &default,
            r"-ERR Protocol error: expected \'$\', got \' \'\r\n",
        ),
        (
            b"*1\r\n\0\r\n",
            &default,
            r"-ERR Protocol error: expected \'$\', got \'\x00\'\r\n",
        ),
        (
            b"*1\r\n\xff\r\n",
            &default,
            r"-ERR Protocol error: expected \'$\', got \'\xff\'\r\n",
        ),
        (
            b"*1\r\n?\r\n",
            &default,
            r"-ERR Protocol error: expected \'$\', got \'?\'\r\n",
        ),
        (b"ECHO \"a\r\n", &default, quotes),
        (b"ECHO 'a\r\n", &default, quotes),
        (b"ECHO \"a\"b\r\n", &default, quotes),
        (b"ECHO 'a'b\r\n", &default, quotes),
        (b"ECHO 'a\\\\'\r\n", &default, quotes),
    ];
    for (input, limits, expected) in rows {
        assert_eq!(
            error_text(input, limits),
            *expected,
            "{}",
            input.escape_ascii()
        );
    }
}

#[test]
fn requests_before_the_error_are_served() {
    let outcome = whole(b"PING\r\n*1\r\n$4\r\nPING\r\n*x\r\nPING\r\n");
    assert_eq!(outcome.requests, [[b"PING"], [b"PING"]]);
    assert_eq!(outcome.error, Some(ProtocolError::InvalidCount));
}

#[test]
fn a_line_that_has_not_ended_is_no_error_yet() {
    for input in [
        &b"*abc"[..],
        b"*a\r",
        b"*1\r\nx",
        b"*1\r\nx\r",
        b"*1\r\n$a\r",
        b"ECHO \"",
        b"*",
    ] {
        let outcome = whole(input);
        assert_eq!(
            (outcome.error, outcome.left),
            (None, input.len()),
            "{}",
            input.escape_ascii()
        );
    }
}

#[test]
fn a_zero_byte_hides_the_end_of_inline_requests_and_counts() {
    for input in [
        &b"PING\0\r\n"[..],
        b"\0\r\nPING\r\n",
        b"*1\0\r\n$4\r\nPING\r\n",
    ] {
        let outcome = whole(input);
        assert_eq!(
            (outcome.requests.len(), outcome.error, outcome.left),
            (0, None, input.len())
        );
    }
    let mut endless = b"PING\0\r\n".to_vec();
    endless.resize(INLINE_BYTES_MAX + 1, b'\n');
    assert_eq!(whole(&endless).error, Some(ProtocolError::InlineTooLong));
}

#[test]
fn lines_may_be_as_long_as_the_limit() {
    let line = vec![b'1'; INLINE_BYTES_MAX];
    let with = |before: &[u8], line: &[u8], after: &[u8]| [before, line, after].concat();

    assert_eq!(whole(&with(b"", &line, b"\n")).requests, [[&line[..]]]);
    assert_eq!(whole(&line).error, None);
    assert_eq!(
        whole(&with(b"", &line, b"1")).error,
        Some(ProtocolError::InlineTooLong)
    );
    assert_eq!(
        whole(&with(b"", &line, b"1\n")).error,
        Some(ProtocolError::InlineTooLong)
    );

    let digits = &line[1..];
    assert_eq!(
        whole(&with(b"*", digits, b"\r\n")).error,
        Some(ProtocolError::InvalidCount)
    );
    assert_eq!(whole(&with(b"*", digits, b"\r")).error, None);
    assert_eq!(
        whole(&with(b"*", &line, b"")).error,
        Some(ProtocolError::CountTooLong)
    );
    assert_eq!(
        whole(&with(b"*", &line, b"\r\n")).error,
        Some(ProtocolError::CountTooLong)
    );

    let invalid = Some(ProtocolError::InvalidBulkLength);
    assert_eq!(whole(&with(b"*1\r\n$", digits, b"\r\n")).error, invalid);
    assert_eq!(whole(&with(b"*1\r\n$", digits, b"\r")).error, None);
    let too_long = Some(ProtocolError::BulkLengthTooLong);
    assert_eq!(whole(&with(b"*1\r\n$", &line, b"")).error, too_long);
    assert_eq!(whole(&with(b"*1\r\n$", &line, b"\r\n")).error, too_long);
}

#[test]
fn limits_hold_at_the_bound_and_not_one_above() {
    let limits = Limits {
        bulk_bytes_max: 5,
        args_max: 2,
        ..Limits::default()
    };
    let error = |args: &[&[u8]], limits: &Limits| receive([&request_of(args)[..]], limits).error;
    assert_eq!(error(&[b"ECHO", b"12345"], &limits), None);
    assert_eq!(
        error(&[b"ECHO", b"123456"], &limits),
        Some(ProtocolError::InvalidBulkLength)
    );
    assert_eq!(
        error(&[b"a", b"b", b"c"], &limits),
        Some(ProtocolError::InvalidCount)
    );

    let limits = Limits {
        sender: Sender::Unauthenticated,
        ..Limits::default()
    };
    let long = vec![b'x'; UNAUTHENTICATED_BULK_BYTES_MAX];
    assert_eq!(error(&[&long[..]; UNAUTHENTICATED_ARGS_MAX], &limits), None);

    let bytes = request_of(&[b"ECHO", b"hello"]);
    let limits = |bytes| Limits {
        request_bytes_max: bytes,
        ..Limits::default()
    };
    let pipeline = [&bytes[..], &bytes].concat();
    assert_eq!(
        receive([&pipeline[..]], &limits(bytes.len()))
            .requests
            .len(),
        2
    );
    let outcome = receive([&bytes[..]], &limits(bytes.len() - 1));
    assert_eq!(outcome.error, Some(ProtocolError::RequestTooLarge));
}

#[test]
fn a_request_beyond_the_limit_is_refused_by_its_announcement_and_without_a_word() {
    let limits = Limits {
        request_bytes_max: 1000,
        ..Limits::default()
    };
    let error = receive([&b"*2\r\n$4\r\nECHO\r\n$1000\r\n"[..]], &limits)
        .error
        .unwrap();
    assert_eq!(error, ProtocolError::RequestTooLarge);
    let mut reply = Reply::new(Protocol::Resp2);
    error.write(&mut reply);
    assert!(reply.is_empty());
}

#[test]
fn announcements_reserve_no_memory() {
    let mut parser = Parser::new();
    let input = format!("*2147483647\r\n${BULK_BYTES_MAX}\r\nabc");
    assert!(
        parser
            .parse(input.as_bytes(), &Limits::default())
            .unwrap()
            .is_none()
    );
    assert_eq!(parser.spans.capacity() + parser.scratch.capacity(), 0);
    assert_eq!(parser.bytes_missing(input.len()), BULK_BYTES_MAX - 3 + 2);
}

#[test]
fn memory_of_a_huge_request_is_given_back() {
    let mut parser = Parser::new();
    let limits = Limits::default();
    let huge = request_of(&vec![&b"x"[..]; 20_000]);
    assert_eq!(
        parser.parse(&huge, &limits).unwrap().unwrap().argv.len(),
        20_000
    );
    let line = [vec![b'y'; 20_000], vec![b'\n']].concat();
    assert_eq!(parser.parse(&line, &limits).unwrap().unwrap().argv.len(), 1);
    assert_eq!(
        parser
            .parse(b"PING\r\n", &limits)
            .unwrap()
            .unwrap()
            .argv
            .len(),
        1
    );
    assert!(parser.spans.capacity() <= SPANS_KEPT_MAX);
    assert!(parser.scratch.capacity() <= SCRATCH_KEPT_BYTES_MAX);
    parser.shrink();
    assert_eq!(parser.spans.capacity() + parser.scratch.capacity(), 0);
}

#[test]
fn an_argument_that_is_received_apart_is_shared_by_whoever_keeps_it() {
    let (limits, value) = (Limits::default(), vec![b'x'; 1000]);
    let requests = [
        request_of(&[b"SET", b"key", &value, b"GET"]),
        request_of(&[b"PING"]),
    ];
    let mut input = requests[0][..300].to_vec();
    let mut parser = Parser::new();
    assert!(parser.parse(&input, &limits).unwrap().is_none());
    parser.set_aside(&mut input, 1001);
    assert_eq!(parser.bytes_aside(), 0, "it is too short");
    parser.set_aside(&mut input, 1000);
    let (head, missing) = (input.len(), parser.bytes_missing(input.len()));
    assert_eq!(
        (head + parser.bytes_aside(), missing),
        (300, 1002 + head - 300)
    );
    let mut large = parser.take_large().unwrap();
    let (body, rest) = requests[0][300..].split_at(missing);
    large.extend_from_slice(body);
    parser.give_back_large(large);
    input.extend_from_slice(rest);
    let request = parser.parse(&input, &limits).unwrap().unwrap();
    let args: Vec<&[u8]> = request.argv.iter().collect();
    assert_eq!(args, [&b"SET"[..], b"key", &value, b"GET"]);
    let shared = find_large(request.argv.larges(), args[2]).unwrap().clone();
    assert!(find_large(request.argv.larges(), &value).is_none());
    let kept = request.argv.skip(2).to_owned();
    assert_eq!(
        kept.as_argv().get(0).unwrap().as_ptr(),
        shared.as_slice().as_ptr()
    );
    assert!(kept.heap_bytes() >= value.len());
    assert_eq!(request.consumed, input.len());
    // The next request does not have it any more.
    assert!(parser.parse(&requests[1], &limits).unwrap().is_some());
    drop(kept);
    assert!(shared.is_unique());
}

#[test]
fn shrinking_spares_an_unfinished_request() {
    let mut parser = Parser::new();
    let input = request_of(&[b"ECHO", b"hello"]);
    assert!(!parser.is_within_request());
    assert!(
        parser
            .parse(&input[..20], &Limits::default())
            .unwrap()
            .is_none()
    );
    assert!(parser.is_within_request());
    parser.shrink();
    let request = parser.parse(&input, &Limits::default()).unwrap().unwrap();
    assert_eq!(
        request.argv.iter().collect::<Vec<_>>(),
        [&b"ECHO"[..], b"hello"]
    );
}

#[test]
fn what_was_read_is_not_read_again() {
    let limits = Limits::default();
    // The bytes that were read are overwritten before the rest arrives, so that reading them again
    // would fail.
    let input = request_of(&[b"SET", b"key", &[b'x'; 5000]]);
    for cut in 1..input.len() {
        let mut parser = Parser::new();
        let mut bytes = input.clone();
        assert!(parser.parse(&bytes[..cut], &limits).unwrap().is_none());
        let seen = parser.at + parser.scanned;
        assert!(seen >= cut.saturating_sub(8).min(29), "{cut}: {seen}");
        bytes[1..seen.max(1)].fill(b'!');
        let scanned_header = parser.scanned > 0;
        let parsed = parser.parse(&bytes, &limits);
        // A half-read header is looked over for its end once, but its number is read at the end.
        assert!(scanned_header || parsed.unwrap().is_some(), "{cut}");
    }
    let mut parser = Parser::new();
    let mut line = vec![b'a'; 1000];
    assert!(parser.parse(&line, &limits).unwrap().is_none());
    line[1..].fill(b'\n');
    line.extend_from_slice(b"b\n");
    assert_eq!(
        parser.parse(&line, &limits).unwrap().unwrap().consumed,
        1002
    );
}

#[test]
fn a_shorter_input_or_a_lower_limit_in_between_does_no_harm() {
    let input = request_of(&[b"SET", b"key", &[b'x'; 500]]);
    for cut in 0..input.len() {
        for again in 0..cut {
            let mut parser = Parser::new();
            assert!(
                parser
                    .parse(&input[..cut], &Limits::default())
                    .unwrap()
                    .is_none()
            );
            assert!(
                parser
                    .parse(&input[..again], &Limits::default())
                    .unwrap()
                    .is_none()
            );
        }
        let mut parser = Parser::new();
        assert!(
            parser
                .parse(&input[..cut], &Limits::default())
                .unwrap()
                .is_none()
        );
        let low = Limits {
            request_bytes_max: 100,
            inline_bytes_max: 1,
            ..Limits::default()
        };
        assert!(parser.parse(&input, &low).is_err());
    }
}

fn arg() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        prop::collection::vec(any::<u8>(), 90..130),
        prop::collection::vec(prop::sample::select(b"\r\n$*'\" \\".to_vec()), 0..12),
    ]
}

/// Requests in either form, with wrong ones among them.
fn wire() -> impl Strategy<Value = Vec<u8>> {
    let array = prop::collection::vec(arg(), 0..5)
        .prop_map(|args| request_of(&args.iter().map(Vec::as_slice).collect::<Vec<_>>()));
    let line = prop::collection::vec(
        prop::sample::select(b"ab\\x4'\" \t\x0b\r\0".to_vec()),
        0..20,
    )
    .prop_map(|mut line| {
        line.push(b'\n');
        line
    });
    let header = (
        prop::sample::select(b"*$*$*$:+".to_vec()),
        prop::sample::select(vec![
            "",
            "0",
            "1",
            "2",
            "-1",
            "-0",
            "00",
            "01",
            "10",
            "11",
            "x",
            "16384",
            "16385",
            "536870912",
            "536870913",
            "2147483647",
            "2147483648",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "111111111111111111111111111111111111111111",
        ]),
        prop::sample::select(vec!["\r\n", "\n", "\r", "", "\0\r\n"]),
    )
        .prop_map(|(kind, number, end)| [&[kind], number.as_bytes(), end.as_bytes()].concat());
    let garbage = prop::collection::vec(prop::sample::select(b"*$01239\r\n-x\0".to_vec()), 0..12);
    let part = prop_oneof![4 => array, 2 => line, 1 => header, 1 => garbage];
    prop::collection::vec(part, 0..5).prop_map(|parts| parts.concat())
}

fn limits() -> impl Strategy<Value = Limits> {
    let sender = prop::sample::select(vec![Sender::Trusted, Sender::Unauthenticated]);
    let tight = (0_usize..150, 0_usize..5, 32_usize..60, 1_usize..400).prop_map(|bounds| Limits {
        bulk_bytes_max: bounds.0,
        args_max: bounds.1,
        inline_bytes_max: bounds.2,
        request_bytes_max: bounds.3,
        sender: Sender::Trusted,
    });
    prop_oneof![3 => Just(Limits::default()), 2 => tight].prop_flat_map(move |limits| {
        sender
            .clone()
            .prop_map(move |sender| Limits { sender, ..limits })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn parsing_agrees_with_the_model(input in wire(), limits in limits()) {
        prop_assert_eq!(receive([&input[..]], &limits), model::outcome(&input, &limits));
    }

    #[test]
    fn any_cut_gives_the_same_requests_and_the_same_error(input in wire(), limits in limits()) {
        let expected = receive([&input[..]], &limits);
        for cut in 0..=input.len() {
            let (head, tail) = input.split_at(cut);
            prop_assert_eq!(&receive([head, tail], &limits), &expected, "cut at {}", cut);
        }
        prop_assert_eq!(receive(input.chunks(1), &limits), expected);
    }

    #[test]
    fn whether_arguments_are_received_apart_makes_no_difference(
        input in wire(),
        limits in limits(),
        bytes_min in 0_usize..40,
    ) {
        let expected = receive([&input[..]], &limits);
        for cut in 0..=input.len() {
            let (head, tail) = input.split_at(cut);
            let apart = receive_apart([head, tail], &limits, bytes_min);
            prop_assert_eq!(&apart, &expected, "cut at {}", cut);
        }
        prop_assert_eq!(receive_apart(input.chunks(1), &limits, bytes_min), expected);
    }

    #[test]
    fn any_bytes_are_survived(
        input in prop::collection::vec(any::<u8>(), 0..300),
        piece_bytes in 1_usize..40,
        limits in limits(),
    ) {
        let outcome = receive(input.chunks(piece_bytes), &limits);
        prop_assert_eq!(outcome, model::outcome(&input, &limits));
    }
}

/// Requests of different forms.
fn forms() -> Vec<Vec<u8>> {
    let (long, many) = ([b'x'; 1234], [b"a".as_slice(); 40]);
    let requests: &[&[&[u8]]] = &[
        &[b"PING"],
        &[b""],
        &[b"GET", b"key:000000000001"],
        &[b"SET", b"k", b""],
        &[
            b"XADD", b"s", b"MAXLEN", b"~", b"100000", b"*", b"f", b"value",
        ],
        &[
            b"ZRANGEBYSCORE",
            b"z",
            &long[..9],
            &long[..10],
            &long[..100],
        ],
        &[&long[..1000], &long],
        &many[..9],
        &many[..10],
        &many,
    ];
    requests.iter().map(|request| request_of(request)).collect()
}

#[test]
fn a_request_like_the_one_before_is_known_without_being_read() {
    for request in forms() {
        let (mut parser, limits) = (Parser::new(), Limits::default());
        let known = |parser: &Parser| {
            let (form, spans) = (&parser.form, &parser.spans);
            form.end_of(&request, spans, &limits) == Some(request.len())
        };
        for expected in [false, true, true] {
            assert!(parser.parse(&request, &limits).unwrap().is_some());
            let is_usual = parser.spans.len() <= crate::limits::FORM_ARGS_MAX;
            let shown = request[..request.len().min(60)].escape_ascii();
            assert_eq!(known(&parser), expected && is_usual, "{shown}");
        }
        let cut = &request[..request.len() - 1];
        assert!(parser.form.end_of(cut, &parser.spans, &limits).is_none());
        parser.shrink();
        assert!(!known(&parser));
    }
}

#[test]
fn a_request_that_differs_from_those_before_in_any_byte_is_read_as_if_it_were_the_first() {
    let small = Limits {
        bulk_bytes_max: 1000,
        ..Limits::default()
    };
    for request in forms() {
        let mut input = request.repeat(3);
        let (start, end) = (input.len(), input.len() + request.len());
        input.extend_from_slice(&request.repeat(2));
        let near_line = |at: &usize| {
            let around = &input[at.saturating_sub(3)..(at + 3).min(end)];
            around.iter().any(|byte| b"\r\n*$".contains(byte))
        };
        let places: Vec<usize> = (start..end).filter(near_line).collect();
        for at in places {
            for byte in *b"\r\n*$019X\0" {
                let mut other = input.clone();
                other[at] = byte;
                for limits in [&Limits::default(), &small] {
                    let expected = model::outcome(&other, limits);
                    assert_eq!(
                        receive([&other[..]], limits),
                        expected,
                        "{}",
                        other.escape_ascii()
                    );
                }
            }
        }
        for cut in start..end {
            let expected = model::outcome(&input[..cut], &small);
            assert_eq!(receive([&input[..cut]], &small), expected);
        }
    }
}

#[test]
fn a_request_like_the_one_before_is_held_to_the_limits_of_now() {
    let request = request_of(&[b"SET", b"key", b"value"]);
    let strict = [
        Limits {
            bulk_bytes_max: 4,
            ..Limits::default()
        },
        Limits {
            args_max: 2,
            ..Limits::default()
        },
        Limits {
            request_bytes_max: request.len() - 1,
            ..Limits::default()
        },
    ];
    for limits in strict {
        let mut parser = Parser::new();
        for _ in 0..3 {
            assert!(parser.parse(&request, &Limits::default()).is_ok());
        }
        let expected = model::outcome(&request, &limits).error;
        assert!(expected.is_some());
        assert_eq!(parser.parse(&request, &limits).err(), expected);
    }
}
