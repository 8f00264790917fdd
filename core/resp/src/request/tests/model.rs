//! The parser's rules in their simplest form: it always reads everything from the front.

use super::*;

pub(super) fn outcome(mut input: &[u8], limits: &Limits) -> Outcome {
    let mut outcome = Outcome::default();
    while !input.is_empty() {
        match request(input, limits) {
            Ok(Some((args, consumed))) => {
                outcome.requests.push(args);
                input = &input[consumed..];
            }
            Ok(None) => break,
            Err(error) => {
                return Outcome {
                    error: Some(error),
                    ..outcome
                };
            }
        }
    }
    outcome.left = input.len();
    outcome
}

type Parsed<T> = Result<Option<T>, ProtocolError>;

fn request(input: &[u8], limits: &Limits) -> Parsed<(Vec<Vec<u8>>, usize)> {
    let request = &input[..input.len().min(limits.request_bytes_max)];
    let too_large = request.len() == limits.request_bytes_max;
    let parsed = if request.first() == Some(&b'*') {
        array(request, limits)?
    } else {
        inline(request, limits)?
    };
    if parsed.is_none() && too_large {
        return Err(ProtocolError::RequestTooLarge);
    }
    Ok(parsed)
}

fn array(input: &[u8], limits: &Limits) -> Parsed<(Vec<Vec<u8>>, usize)> {
    let hidden = input
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(input.len());
    let cr = input
        .iter()
        .position(|byte| *byte == b'\r')
        .filter(|cr| *cr < hidden);
    let Some((number, mut at)) = line(input, 0, cr, limits, ProtocolError::CountTooLong)? else {
        return Ok(None);
    };
    let count = number.ok_or(ProtocolError::InvalidCount)?;
    if count > limits.args_max as i128 {
        return Err(ProtocolError::InvalidCount);
    }
    if count > 10 && limits.sender == Sender::Unauthenticated {
        return Err(ProtocolError::UnauthenticatedCount);
    }
    let mut args = Vec::new();
    for _ in 0..count {
        let cr = input[at..].iter().position(|byte| *byte == b'\r');
        let too_long = ProtocolError::BulkLengthTooLong;
        let Some((number, body)) = line(input, at, cr, limits, too_long)? else {
            return Ok(None);
        };
        if input[at] != b'$' {
            return Err(ProtocolError::ExpectedBulk(input[at]));
        }
        let len = number.filter(|len| (0..=limits.bulk_bytes_max as i128).contains(len));
        let len = len.ok_or(ProtocolError::InvalidBulkLength)? as usize;
        if len > 16384 && limits.sender == Sender::Unauthenticated {
            return Err(ProtocolError::UnauthenticatedBulkLength);
        }
        at = body + len + 2;
        if at > limits.request_bytes_max {
            return Err(ProtocolError::RequestTooLarge);
        }
        if at > input.len() {
            return Ok(None);
        }
        args.push(input[body..body + len].to_vec());
    }
    Ok(Some((args, at)))
}

fn line(
    input: &[u8],
    at: usize,
    cr: Option<usize>,
    limits: &Limits,
    too_long: ProtocolError,
) -> Parsed<(Option<i128>, usize)> {
    match cr {
        Some(cr) if cr > limits.inline_bytes_max => Err(too_long),
        Some(cr) if at + cr + 1 < input.len() => {
            let text = String::from_utf8_lossy(input.get(at + 1..at + cr).unwrap_or_default())
                .into_owned();
            let number = text
                .parse::<i128>()
                .ok()
                .filter(|number| number.to_string() == text);
            let number = number.filter(|number| i64::try_from(*number).is_ok());
            Ok(Some((number, at + cr + 2)))
        }
        None if input.len() - at > limits.inline_bytes_max => Err(too_long),
        Some(_) | None => Ok(None),
    }
}

fn inline(input: &[u8], limits: &Limits) -> Parsed<(Vec<Vec<u8>>, usize)> {
    let end = input.iter().position(|byte| matches!(byte, b'\n' | 0));
    match end.filter(|end| input[*end] == b'\n') {
        Some(end) if end <= limits.inline_bytes_max => {
            let line = &input[..end];
            let args = crate::split_line(line.strip_suffix(b"\r").unwrap_or(line))?;
            Ok(Some((
                args.as_argv().iter().map(<[u8]>::to_vec).collect(),
                end + 1,
            )))
        }
        None if input.len() <= limits.inline_bytes_max => Ok(None),
        Some(_) | None => Err(ProtocolError::InlineTooLong),
    }
}
