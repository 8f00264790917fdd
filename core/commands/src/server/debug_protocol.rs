//! `DEBUG PROTOCOL`: an example of each type of reply, the same ones as Redis' for tests of
//! clients.

use engine::error::CmdError;
use resp::{Protocol, Reply};

/// Answers something of the named type.
#[expect(clippy::approx_constant, reason = "the very number that Redis answers")]
pub(super) fn answer(reply: &mut Reply, name: &[u8]) -> Result<(), CmdError> {
    match name.to_ascii_lowercase().as_slice() {
        b"string" => reply.bulk(b"Hello World"),
        b"integer" => reply.int(12345),
        b"double" => reply.double(3.141),
        b"null" => reply.null(),
        b"array" => {
            reply.array(3);
            (0..3).for_each(|number| reply.int(number));
        }
        b"set" => {
            reply.set(3);
            (0..3).for_each(|number| reply.int(number));
        }
        b"map" => {
            reply.map(3);
            for number in 0..3 {
                reply.int(number);
                reply.boolean(number == 1);
            }
        }
        b"attrib" => return attribute(reply),
        b"push" => return push(reply),
        b"verbatim" => reply.verbatim("txt", b"This is a verbatim\nstring"),
        b"bignum" => reply.big_number("1234567999999999999999999999999999999"),
        b"true" => reply.boolean(true),
        b"false" => reply.boolean(false),
        _ => return Err(CmdError::ProtocolType),
    }
    Ok(())
}

fn attribute(reply: &mut Reply) -> Result<(), CmdError> {
    if reply.protocol() == Protocol::Resp3 {
        reply.raw(b"|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n");
    }
    reply.bulk(b"Some real reply following the attribute");
    Ok(())
}

fn push(reply: &mut Reply) -> Result<(), CmdError> {
    if reply.protocol() == Protocol::Resp2 {
        return Err(CmdError::NeedsResp3);
    }
    reply.push(2);
    reply.bulk(b"server-cpu-usage");
    reply.int(42);
    Ok(())
}
