//! What scripts do that is not made of instructions: it counts as such, and makes no more than may
//! be made.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it must be"
)]

use engine::scripting::{Answer, Job, Runs, ScriptHost, Sha, Step};
use resp::{ArgvBuf, Protocol};
use script::LuaHost;

/// How a script ended, and how many signs of life it gave before.
#[derive(Debug)]
struct Ended {
    text: String,
    ticks: usize,
}

/// Runs a script, which is to end after so many signs of life. Its commands are all answered `OK`.
fn run_for(body: &str, ticks_max: usize) -> Ended {
    run_answered(body, ticks_max, b"+OK\r\n")
}

/// The same with another answer.
fn run_answered(body: &str, ticks_max: usize, reply: &[u8]) -> Ended {
    let mut host = LuaHost::new();
    let script = Sha::of(body.as_bytes());
    host.compile(script, body.as_bytes()).unwrap();
    let none = ArgvBuf::default();
    let mut step = host.begin(Job {
        runs: Runs::Script(script),
        keys: none.as_argv(),
        args: none.as_argv(),
        protocol: Protocol::Resp2,
    });
    let mut ticks = 0;
    loop {
        let answer = match step {
            Step::Tick => {
                ticks += 1;
                match ticks > ticks_max {
                    true => Answer::Kill,
                    false => Answer::GoOn,
                }
            }
            Step::Call(_) => Answer::Reply(reply.to_vec()),
            Step::Done(reply) => {
                let text = String::from_utf8_lossy(&reply[..reply.len().min(100)]).into_owned();
                return Ended { text, ticks };
            }
            Step::Failed(error) => {
                let text = error.to_string();
                return Ended { text, ticks };
            }
            Step::MayRun(_) | Step::Log(..) | Step::Registered(_) => panic!("nobody asked"),
        };
        step = host.go_on(answer);
    }
}

fn run(body: &str) -> Ended {
    run_for(body, usize::MAX)
}

/// A table of two tables that are the same one, and so on: values without number of few.
const DOUBLED: &str = "local t = {1} for i = 1, 15 do local p = {} for j = 1, 64 do p[j] = t end \
                       t = p end ";

/// A table that has a text of a megabyte 300 times.
const LONG: &str = "local s, t = string.rep('x', 1048576), {} for i = 1, 300 do t[i] = s end ";

#[test]
fn a_text_that_cannot_be_made_is_refused_before_any_of_it_is() {
    for times in ["3e8", "5e8", "1e300", "math.huge"] {
        let refused = run(&format!("return #string.rep('x', {times})"));
        assert!(refused.text.contains("not enough memory"), "{refused:?}");
        assert_eq!(refused.ticks, 0, "{times}");
    }
    let made = run("return #string.rep('ab', 5e7)");
    assert_eq!(made.text, ":100000000\r\n");
    assert!(made.ticks > 300, "{made:?}");
    for (call, made) in [
        ("('ab', 2.9)", "abab"),
        ("('ab', -1)", ""),
        ("('', 1e300)", ""),
        ("(12, '2')", "1212"),
        ("('a', 0/0)", ""),
    ] {
        let found = run(&format!("return string.rep{call}")).text;
        assert_eq!(found, format!("${}\r\n{made}\r\n", made.len()), "{call}");
    }
    let method = run("return ('ab'):rep(2)").text;
    assert_eq!(method, "$4\r\nabab\r\n");
}

#[test]
fn what_follows_from_few_values_without_end_can_be_ended() {
    for call in ["cjson.encode(t)", "cmsgpack.pack(t)"] {
        let ended = run_for(&format!("{DOUBLED} return #{call}"), 500);
        assert!(ended.text.contains("Script killed by user"), "{ended:?}");
    }
}

#[test]
fn reading_many_values_can_be_ended() {
    let text = "local s = '[' .. string.rep('[],', 300000) .. '1]' ";
    let before = run(&format!("{text} return 0")).ticks;
    let read = run(&format!("{text} return #cjson.decode(s)"));
    assert_eq!(read.text, ":300001\r\n");
    assert!(read.ticks > before + 200, "{before} {read:?}");
    let ended = run_for(&format!("{text} return #cjson.decode(s)"), before + 10);
    assert!(ended.text.contains("Script killed by user"), "{ended:?}");
}

/// A table of 200,000 numbers.
const NUMBERS: &str = "local t = {} for i = 1, 200000 do t[i] = i end ";

#[test]
fn moving_many_elements_can_be_ended_and_moves_them_as_it_should() {
    for (call, found) in [
        (
            "table.insert(t, 1, 'a') return {#t, t[1], t[2], t[200001]}",
            "200001 a 1 200000",
        ),
        (
            "table.insert(t, 3, nil) return {#t, t[2], tostring(t[3]), t[4]}",
            "200001 2 nil 3",
        ),
        (
            "table.insert(t, 0, 'a') return {#t, t[0], tostring(t[1]), t[2]}",
            "200001 a nil 1",
        ),
        (
            "local x = table.remove(t, 1) return {#t, x, t[1], t[199999]}",
            "199999 1 2 200000",
        ),
        (
            "local x = table.remove(t, 5) return {#t, x, t[4], t[5]}",
            "199999 5 4 6",
        ),
        ("local x = table.remove(t) return {#t, x}", "199999 200000"),
        (
            "local x = table.remove(t, 0) return {#t, tostring(x)}",
            "200000 nil",
        ),
        ("table.insert(t, 'b') return {#t, t[200001]}", "200001 b"),
        (
            "table.insert(t, 300000, 'b') return {#t, t[300000]}",
            "200000 b",
        ),
    ] {
        let call = call.replace("return {", "return table.concat({") + ", ' ')";
        let ended = run(&format!("{NUMBERS}{call}"));
        assert_eq!(ended.text.lines().nth(1), Some(found), "{call}");
    }
    let before = run(&format!("{NUMBERS} return 0")).ticks;
    for call in ["table.insert(t, 1, 0)", "table.remove(t, 1)"] {
        let moved = run(&format!("{NUMBERS}{call} return 0"));
        assert!(moved.ticks > before + 40, "{before} {moved:?}");
        let ended = run_for(&format!("{NUMBERS}{call} return 0"), before + 10);
        assert!(ended.text.contains("Script killed by user"), "{ended:?}");
    }
}

#[test]
fn what_moves_elements_fails_as_it_does_in_the_language() {
    for (call, found) in [
        (
            "table.insert(1, 2)",
            "bad argument #1 to 'insert' (table expected, got number)",
        ),
        ("table.insert({})", "wrong number of arguments to 'insert'"),
        (
            "table.insert({}, 1, 2, 3)",
            "wrong number of arguments to 'insert'",
        ),
        (
            "table.insert({}, 'x', 2)",
            "bad argument #2 to 'insert' (number expected, got string)",
        ),
        (
            "table.remove({}, 'x')",
            "bad argument #2 to 'remove' (number expected, got string)",
        ),
        (
            "table.insert()",
            "bad argument #1 to 'insert' (table expected, got no value)",
        ),
        (
            "table.remove(nil)",
            "bad argument #1 to 'remove' (table expected, got nil)",
        ),
    ] {
        let failed = run(call).text;
        let found = format!("ERR user_script:1: {found} script: ");
        assert!(failed.starts_with(&found), "{call}: {failed}");
    }
}

#[test]
fn collecting_what_is_left_can_be_ended() {
    let made = format!("{NUMBERS} for i = 1, 200000 do t[i] = {{}} end ");
    let before = run(&format!("{made} return 0")).ticks;
    for call in ["collectgarbage()", "collectgarbage('step', 1e9)"] {
        let collected = run(&format!("{made}{call} return 0"));
        assert!(collected.ticks > before + 40, "{before} {collected:?}");
        let ended = run_for(&format!("{made}{call} return 0"), before + 10);
        assert!(ended.text.contains("Script killed by user"), "{ended:?}");
    }
    let freed = "t = nil local before = collectgarbage('count') local zero = collectgarbage() \
                 return {zero, tostring(before - collectgarbage('count') > 10000)}";
    let freed = run(&format!("{made}{freed}"));
    assert_eq!(freed.text, "*2\r\n:0\r\n$4\r\ntrue\r\n");
}

#[test]
fn a_reply_of_many_values_can_be_ended() {
    let before = run(&format!("{NUMBERS} return 0")).ticks;
    let written = run(&format!("{NUMBERS} return t"));
    assert!(
        written.text.starts_with("*200000\r\n:1\r\n:2\r\n"),
        "{written:?}"
    );
    assert!(written.ticks > before + 150, "{before} {written:?}");
    let ended = run_for(&format!("{DOUBLED} return t"), 500);
    assert!(ended.text.contains("Script killed by user"), "{ended:?}");
}

#[test]
fn reading_the_reply_to_a_command_can_be_ended() {
    let reply = |len: usize| format!("*{len}\r\n{}", ":7\r\n".repeat(len)).into_bytes();
    let body = "local t = redis.call('x') return #t + t[#t]";
    let read = run_answered(body, usize::MAX, &reply(200_000));
    assert_eq!(read.text, ":200007\r\n");
    assert!(read.ticks > 150, "{read:?}");
    let ended = run_answered(body, 10, &reply(200_000));
    assert!(ended.text.contains("Script killed by user"), "{ended:?}");
}

#[test]
fn one_call_makes_no_more_than_may_be_made() {
    for call in [
        "cjson.encode(t)",
        "cmsgpack.pack(t)",
        "cmsgpack.pack(unpack(t))",
        "struct.pack(('s'):rep(300), unpack(t))",
    ] {
        let refused = run(&format!("{LONG} return #{call}"));
        assert!(refused.text.contains("not enough memory"), "{refused:?}");
        assert!(refused.ticks > 1000, "{call}: {refused:?}");
    }
    let refused = run(&format!("{LONG} return t"));
    assert!(
        refused.text.starts_with("ERR The reply is too long"),
        "{refused:?}"
    );
    let refused = run(&format!("{LONG} return redis.call('SADD', unpack(t))"));
    let long = "ERR The arguments are too long for a request";
    assert!(refused.text.starts_with(long), "{refused:?}");
    // At the bound, all of it is made.
    let made = run(&format!("{LONG} return #cmsgpack.pack(unpack(t, 1, 100))"));
    assert_eq!(made.text, ":104858100\r\n");
}

#[test]
fn comparisons_of_a_long_table_are_counted() {
    let sort = "local t = {} for i = 1, 100000 do t[i] = (i * 7919) % 100003 end ";
    let before = run(&format!("{sort} return 0")).ticks;
    let sorted = run(&format!(
        "{sort} table.sort(t) for i = 2, #t do if t[i - 1] > t[i] then return i end end return 0"
    ));
    assert_eq!(sorted.text, ":0\r\n");
    assert!(sorted.ticks > before + 500, "{before} {sorted:?}");
    let ended = run_for(&format!("{sort} table.sort(t)"), before + 10);
    assert!(ended.text.contains("Script killed by user"), "{ended:?}");
}
