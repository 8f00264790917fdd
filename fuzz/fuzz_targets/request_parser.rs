//! Any bytes, cut anywhere: the parser neither panics nor answers differently, and what it returns
//! is within what came in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use resp::{ArgvBuf, Limits, Parser, ProtocolError, Sender};

/// The requests of a connection that receives `pieces`, how much is left, and the error if there is
/// one.
type Outcome = (Vec<ArgvBuf>, usize, Option<ProtocolError>);

fn receive<'i>(pieces: impl Iterator<Item = &'i [u8]>, limits: &Limits) -> Outcome {
    let mut requests = Vec::new();
    let mut parser = Parser::new();
    let mut input = Vec::new();
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            match parser.parse(&input, limits) {
                Ok(Some(request)) => {
                    assert!((1..=input.len()).contains(&request.consumed));
                    assert!(request.argv.bytes_len() <= request.consumed);
                    requests.push(request.argv.to_owned());
                    let consumed = request.consumed;
                    input.drain(..consumed);
                }
                Ok(None) => break,
                Err(error) => return (requests, 0, Some(error)),
            }
        }
    }
    (requests, input.len(), None)
}

// The first two bytes choose the limits and where the input is cut.
fuzz_target!(|data: &[u8]| {
    let [choice, piece_bytes, input @ ..] = data else {
        return;
    };
    let mut limits = Limits::default();
    if choice & 1 != 0 {
        limits.sender = Sender::Unauthenticated;
    }
    if choice & 2 != 0 {
        limits.bulk_bytes_max = usize::from(choice >> 2);
        limits.inline_bytes_max = 32;
        limits.args_max = 8;
        limits.request_bytes_max = 256;
    }
    let whole = receive(std::iter::once(input), &limits);
    let cut = receive(input.chunks(usize::from(*piece_bytes).max(1)), &limits);
    assert_eq!(whole, cut);
});
