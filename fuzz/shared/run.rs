//! Runs a script without an engine: what it wants is answered by a few fixed replies.

use std::cell::RefCell;

use engine::error::CmdError;
use engine::scripting::{Answer, Job, ScriptHost, Sha, Step, Verdict};
use resp::{ArgvBuf, Protocol};
use script::LuaHost;

/// Ticks and calls after which a script is killed.
const STEPS_MAX: usize = 30;

const REPLIES: [&[u8]; 6] = [
    b"+OK\r\n",
    b":-7\r\n",
    b"$3\r\nabc\r\n",
    b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n",
    b"-ERR no\r\n",
    b"$-1\r\n",
];

thread_local! {
    static HOST: RefCell<LuaHost> = RefCell::new(LuaHost::new());
}

/// Runs a script with arguments, and returns the error that it ended with.
pub fn script(body: &[u8], arguments: &[&[u8]]) -> Option<CmdError> {
    HOST.with_borrow_mut(|host| {
        let name = Sha::of(body);
        host.compile(name, body).ok()?;
        let arguments: ArgvBuf = arguments.iter().collect();
        let job = Job {
            script: name,
            keys: arguments.as_argv().take(0),
            args: arguments.as_argv(),
            protocol: Protocol::Resp3,
        };
        let error = outcome(host, job);
        host.forget(name);
        error
    })
}

fn outcome(host: &mut LuaHost, job: Job<'_>) -> Option<CmdError> {
    let mut steps = 0;
    let mut step = host.begin(job);
    loop {
        steps += 1;
        let answer = match step {
            Step::Done(_) => return None,
            Step::Failed(error) => return Some(error),
            Step::Tick if steps > STEPS_MAX => Answer::Kill,
            Step::Tick | Step::Log(..) => Answer::GoOn,
            Step::Call(_) if steps > STEPS_MAX => Answer::Kill,
            Step::Call(call) => {
                let mut reply = call.buffer;
                reply.clear();
                reply.extend_from_slice(REPLIES[call.argv.bytes_len() % REPLIES.len()]);
                Answer::Reply(reply)
            }
            Step::MayRun(argv) => Answer::Verdict(match argv.bytes_len() % 4 {
                0 => Verdict::Allowed,
                1 => Verdict::Denied,
                2 => Verdict::Unknown,
                _ => Verdict::WrongArity,
            }),
        };
        step = host.go_on(answer);
    }
}
