//! Libraries of functions that come and go, and functions that count up the keys of scripts.
//!
//! What libraries there are is compared as keys are. Beyond that, whoever calls a function must
//! find the one that the text of its library has: also after a restart, when what is known of
//! functions has to be worked out again.

use anyhow::{Context, Result, ensure};
use engine::{Engine, Now};
use resp::{ArgvBuf, Protocol, Reply};

use super::request::{Purpose, Request, request};
use super::scripts::{FIRST, KEYS, SECOND, THIRD, WAIT};
use crate::answer::Answer;
use crate::rng::Rng;

/// How many libraries there are.
const LIBRARIES: u64 = 2;

/// The text of a library. Each version says which it is, and they do not all count in one order.
fn text(library: u64, version: u64) -> String {
    let counts = match version % 3 {
        0 => [FIRST, WAIT, SECOND, WAIT, THIRD].concat(),
        1 => [THIRD, WAIT, FIRST, SECOND].concat(),
        _ => [WAIT, FIRST, THIRD, SECOND].concat(),
    };
    format!(
        "#!lua name=l{library}\n\
         redis.register_function('count{library}', function(KEYS, ARGV) {counts} return m end) \
         redis.register_function{{function_name='version{library}', flags={{'no-writes'}}, \
         callback=function() return {version} end}}"
    )
}

/// Draws what somebody does with libraries and functions.
pub(super) fn requests(rng: &mut Rng) -> Vec<Request> {
    let library = rng.below(LIBRARIES);
    match rng.below(30) {
        0..3 => vec![load(library, rng)],
        3 => vec![request!(
            Purpose::Any,
            "FUNCTION",
            "LOAD",
            text(library, rng.below(1000))
        )],
        // It fails when it has registered all: nothing of it may stay.
        4 => {
            let fails = text(library, rng.below(1000)) + " error('no')";
            vec![request!(Purpose::Any, "FUNCTION", "LOAD", "REPLACE", fails)]
        }
        5 => vec![restore(rng)],
        6 => vec![request!(
            Purpose::Any,
            "FUNCTION",
            "DELETE",
            format!("l{library}")
        )],
        7 => vec![match rng.once_in(3) {
            true => request!(Purpose::Any, "FUNCTION", "FLUSH"),
            false => request!(Purpose::Look, "FUNCTION", "LIST"),
        }],
        8 => transaction(library, rng),
        9 => vec![request!(Purpose::Look, "FUNCTION", "DUMP")],
        10..13 => vec![request!(
            Purpose::Look,
            "FCALL_RO",
            format!("version{library}"),
            0
        )],
        _ => vec![call(library, Purpose::Function, rng)],
    }
}

fn load(library: u64, rng: &mut Rng) -> Request {
    let text = text(library, rng.below(1000));
    request!(Purpose::Any, "FUNCTION", "LOAD", "REPLACE", text)
}

fn call(library: u64, purpose: Purpose, rng: &mut Rng) -> Request {
    let instructions = match rng.once_in(2) {
        true => 200_000 + rng.below(600_000),
        false => 0,
    };
    let [a, s, b] = KEYS;
    let function = format!("count{library}");
    request!(purpose, "FCALL", function, 3, a, s, b, instructions)
}

/// Both libraries come at once.
fn restore(rng: &mut Rng) -> Request {
    let texts = [0, 1].map(|library| text(library, rng.below(1000)));
    let payload = rdb::dump_libraries(texts.iter().map(String::as_bytes));
    let policy = ["FLUSH", "APPEND", "REPLACE"][rng.index(3)];
    let words = [
        b"FUNCTION",
        b"RESTORE".as_slice(),
        &payload,
        policy.as_bytes(),
    ];
    Request::new(&words, Purpose::Any)
}

/// A library goes and comes again as another one, and is called in between.
fn transaction(library: u64, rng: &mut Rng) -> Vec<Request> {
    vec![
        request!(Purpose::Any, "MULTI"),
        load(library, rng),
        call(library, Purpose::Any, rng),
        request!(Purpose::Any, "FUNCTION", "DELETE", format!("l{library}")),
        load(library, rng),
        request!(Purpose::Any, "EXEC"),
    ]
}

/// Checks that each library can be called, and that it is the one whose text is there.
///
/// # Errors
/// One cannot, or is not.
pub(super) fn ensure_callable(engine: &mut Engine, now: Now) -> Result<()> {
    for library in 0..LIBRARIES {
        let session = engine.connect(String::new(), String::new(), now);
        let call = format!("version{library}");
        let call: ArgvBuf = ["FCALL_RO", &call, "0"].into_iter().collect();
        let mut reply = Reply::new(Protocol::Resp2);
        let _ = engine.request(session, call.as_argv(), now, &mut reply);
        engine.disconnect(session);
        let answer = Answer::read(&mut reply.as_bytes())?;
        let there = engine.libraries().get(format!("l{library}").as_bytes());
        let Some(there) = there else {
            ensure!(
                matches!(answer, Answer::Error(_)),
                "library {library} is gone, and answers {answer:?}"
            );
            continue;
        };
        let version = answer.number().and_then(|number| number.try_into().ok());
        let version = version.with_context(|| format!("library {library} answers {answer:?}"))?;
        ensure!(
            there.as_slice() == text(library, version).as_bytes(),
            "library {library} answers {version}, and is {}",
            there.as_slice().escape_ascii()
        );
    }
    Ok(())
}
