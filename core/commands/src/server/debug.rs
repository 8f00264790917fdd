//! `DEBUG`, as far as tests of clients and of servers need it.

use engine::args::{Args, parse_i64};
use engine::clients::pause::Work;
use engine::command::{Command, Ctx, Flow, Mode};
use engine::config::{Config, parse_bytes};
use engine::error::CmdError;
use engine::table::{Arity, Compat, Flags, Group, Spec};
use resp::Argv;

use super::{debug_digest, debug_populate, debug_protocol, debug_reload};
use crate::help::usage_error;

/// `DEBUG subcommand [arg …]`
pub(super) struct Debug;

/// What it does, a line each.
const HELP: &[&str] = &[
    "DEBUG <subcommand> [<arg> ...]. Subcommands are:",
    "CHANGE-REPL-ID",
    "    Does nothing, for test suites: there is no replication yet.",
    "DICT-RESIZING <0|1>",
    "    Does nothing, for test suites: tables are small and never resized as a whole.",
    "DIGEST",
    "    Digests all keys: equal databases have equal digests.",
    "DIGEST-VALUE <key> [<key> ...]",
    "    Digests the value and expiry of each key.",
    "ERROR <text>",
    "    Answers the text as an error.",
    "KEYSIZES-HIST-ASSERT <0|1>",
    "    Does nothing, for test suites: INFO keysizes is not compared with the keys after each command.",
    "LISTPACK <key>",
    "    Fails if OBJECT ENCODING does not call the value a listpack.",
    "LOADAOF",
    "    Empties the databases and loads the journal.",
    "OBJECT <key>",
    "    Tells how a key's value is kept.",
    "PANIC",
    "    Fails by an error of the program, which ends the process.",
    "PAUSE-CRON <0|1>",
    "    Does nothing, for test suites: what is due has its own times.",
    "POPULATE <count> [<prefix>] [<size>]",
    "    Makes strings named <prefix>:0, <prefix>:1 and so on; the prefix is key if none is given.",
    "PROTOCOL <type>",
    "    Answers something of that type.",
    "QUICKLIST <key> [<0|1>]",
    "    Fails if OBJECT ENCODING does not call the value a quicklist.",
    "QUICKLIST-PACKED-THRESHOLD <bytes>",
    "    Does nothing, for test suites: weir has no such lists.",
    "RELOAD [NOSAVE] [NOFLUSH] [MERGE]",
    "    Writes the snapshot file, empties the databases and loads it. NOSAVE does not write it, NOFLUSH does not",
    "    empty them, and with MERGE keys of the file take the place of those that are there.",
    "REPLY-COPY-AVOIDANCE <0|1>",
    "    Does nothing, for test suites: large replies are never copied.",
    "REPLYBUFFER RESIZING <0|1>, REPLYBUFFER PEAK-RESET-TIME <ms|NEVER|RESET>",
    "    Does nothing, for test suites: clients share their buffers.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Ends or begins the removal of expired keys that nobody asks for.",
    "SET-DISABLE-DENY-SCRIPTS <0|1>",
    "    Does nothing, for test suites: there are no scripts yet.",
    "SLEEP <seconds>",
    "    Takes that long. Requests of others wait; after busy-reply-threshold, they are answered BUSY,",
    "    and SCRIPT KILL ends the sleep.",
    "HELP",
    "    Prints this.",
];

impl Command for Debug {
    const SPEC: Spec = Spec {
        summary: "Does what only tests need.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "Depends on subcommand.",
        arity: Arity::AtLeast(2),
        flags: Flags::ADMIN
            .and(Flags::LOADING)
            .and(Flags::NO_SCRIPT)
            .and(Flags::STALE),
        compat: Compat::Differs(
            "Only a few subcommands are there. While SLEEP lasts longer than busy-reply-threshold, others are answered BUSY as during a script.",
        ),
        ..Spec::named("debug")
    };
    type Parsed<'a> = Argv<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Argv<'a>, CmdError> {
        args.rest();
        Ok(args.whole())
    }

    fn execute(request: Argv<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        if !is_allowed(ctx) {
            return Err(CmdError::DebugNotAllowed);
        }
        let sub = request.get(1).unwrap_or_default().to_ascii_lowercase();
        match (sub.as_slice(), request.get(2), request.len()) {
            (b"help", None, _) => {
                ctx.reply.array(HELP.len());
                for line in HELP {
                    ctx.reply.simple(line);
                }
            }
            (b"digest", None, _) => debug_digest::of_everything(ctx),
            (b"digest-value", _, _) => debug_digest::of_values(ctx, request.skip(2)),
            (b"error", Some(text), 3) => {
                return Err(CmdError::Text(String::from_utf8_lossy(text).into_owned()));
            }
            (b"loadaof", _, _) => return debug_reload::journal(ctx),
            (b"object", Some(key), 3) => describe(ctx, key)?,
            (b"change-repl-id", None, _)
            | (
                b"dict-resizing"
                | b"keysizes-hist-assert"
                | b"pause-cron"
                | b"reply-copy-avoidance"
                | b"set-disable-deny-scripts",
                Some(_),
                3,
            ) => ctx.reply.ok(),
            (b"replybuffer", Some(what), 4) => {
                check_reply_buffer(request, what)?;
                ctx.reply.ok();
            }
            (b"listpack", Some(key), 3) => show_encoded(ctx, key, "listpack")?,
            (b"quicklist", Some(key), 3 | 4) => show_encoded(ctx, key, "quicklist")?,
            (b"populate", Some(_), 3..=5) => {
                ctx.server.check_unannounced_write()?;
                debug_populate::populate(ctx, request.skip(2))?;
                ctx.reply.ok();
            }
            (b"panic", None, _) => panic!("DEBUG PANIC"),
            (b"protocol", Some(name), 3) => debug_protocol::answer(ctx.reply, name)?,
            (b"quicklist-packed-threshold", Some(bytes), 3) => {
                let bytes = std::str::from_utf8(bytes).ok().and_then(parse_bytes);
                bytes
                    .filter(|bytes| (0..=1 << 32).contains(bytes))
                    .ok_or(CmdError::PackedThreshold)?;
                ctx.reply.ok();
            }
            (b"reload", _, _) => return debug_reload::snapshot(ctx, request.skip(2)),
            (b"set-active-expire", Some(flag), 3) => {
                let is_on = parse_i64(flag).is_some_and(|flag| flag != 0);
                ctx.server.settings.set_active_expire(is_on);
                ctx.server.config = Config::resolve(&ctx.server.settings);
                ctx.reply.ok();
            }
            (b"sleep", Some(seconds), 3) => return Ok(sleep(ctx, request, seconds)),
            _ => return Err(usage_error(request, "DEBUG")),
        }
        Ok(Flow::Done)
    }
}

fn is_allowed(ctx: &Ctx<'_>) -> bool {
    let session = &ctx.session;
    let allowed = ctx.server.config.debugging;
    allowed.allows(&session.address, &session.local_address)
}

/// Refuses what `REPLYBUFFER` cannot set.
fn check_reply_buffer(request: Argv<'_>, what: &[u8]) -> Result<(), CmdError> {
    let value = request.get(3).unwrap_or_default();
    let is = |name: &[u8]| value.eq_ignore_ascii_case(name);
    if what.eq_ignore_ascii_case(b"resizing") {
        return Ok(());
    }
    if !what.eq_ignore_ascii_case(b"peak-reset-time") {
        return Err(usage_error(request, "DEBUG"));
    }
    if is(b"never") || is(b"reset") {
        return Ok(());
    }
    parse_i64(value).map(drop).ok_or(CmdError::NotAnInteger)
}

/// Answers as if the value had been shown, if it is kept in this way.
fn show_encoded(ctx: &mut Ctx<'_>, key: &[u8], encoding: &'static str) -> Result<(), CmdError> {
    let record = ctx.store.peek(key).ok_or(CmdError::NoSuchKey)?;
    if record.value().encoding(key.len()) != encoding {
        return Err(CmdError::NotEncodedAs(encoding));
    }
    let mut name = encoding.to_owned();
    name[..1].make_ascii_uppercase();
    ctx.reply
        .simple(&format!("{name} structure printed on stdout"));
    Ok(())
}

fn describe(ctx: &mut Ctx<'_>, key: &[u8]) -> Result<(), CmdError> {
    let now = ctx.now;
    let record = ctx.store.peek(key).ok_or(CmdError::NoSuchKey)?;
    let encoding = record.value().encoding(key.len());
    // Without the type before the value, and version and checksum after it.
    let serialized_bytes = rdb::dump(record.value()).len() - 11;
    let idle_s = i64::from(record.idle_s(now.unix()));
    let used_s = now.unix().0 / 1000 - idle_s;
    let text = format!(
        "Value at:0x0 refcount:1 encoding:{encoding} serializedlength:{serialized_bytes} lru:{} \
         lru_seconds_idle:{idle_s}",
        used_s & 0xff_ffff,
    );
    ctx.reply.simple(&text);
    Ok(())
}

/// Takes that long, and gives the engine back meanwhile. A text that is not a number is not a time.
fn sleep(ctx: &mut Ctx<'_>, request: Argv<'_>, seconds: &[u8]) -> Flow {
    let seconds = std::str::from_utf8(seconds).ok();
    let seconds: f64 = seconds.and_then(|text| text.parse().ok()).unwrap_or(0.0);
    let ms = (seconds * 1000.0) as u64;
    if ms == 0 || ctx.mode != Mode::Alone {
        ctx.reply.ok();
        return Flow::Done;
    }
    ctx.leave_unfinished(request, Work::Sleep(ctx.now.mono.plus(ms)))
}
