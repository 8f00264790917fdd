//! `MIGRATE`.
//!
//! The values are shared with the shell as they are when the command begins, and it sends them. The
//! command goes on when they were sent, and deletes what nobody has changed meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::args::{Args, parse_i64};
use engine::clients::waiting::Wait;
use engine::command::{Command, Ctx, Flow, Mode};
use engine::error::{CmdError, MigrationError};
use engine::server::Order;
use engine::server::migrations::{Credentials, Ended, Item, Target};
use engine::store::effect::{Effect, KeyChange, event};
use engine::table::{
    Arg, Arity, BeginSearch, Categories, Compat, FindKeys, Flags, Group, KeyFlags, KeySpec, Spec,
};
use resp::Argv;

/// Where the key stands, and where options begin.
const KEY: usize = 3;
const OPTIONS: usize = 6;

/// How long a step takes at most if the request says nothing sensible, in milliseconds.
const TIMEOUT_MS: u64 = 1000;

/// `MIGRATE host port <key | ""> destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2
/// username password] [KEYS key …]`
pub(super) struct Migrate;

const MOVED: KeyFlags = KeyFlags::RW.and(KeyFlags::ACCESS).and(KeyFlags::DELETE);

impl Command for Migrate {
    const SPEC: Spec = Spec {
        summary: "Moves keys to another server.",
        since: "2.6.0",
        group: Group::Generic,
        complexity: "This command actually executes a DUMP+DEL in the source instance, and a RESTORE in the target instance. See the pages of these commands for time complexity. Also an O(N) data transfer between the two instances is performed.",
        arity: Arity::AtLeast(6),
        flags: Flags::WRITE.and(Flags::MOVABLE_KEYS).and(Flags::ALONE),
        categories: Categories::DANGEROUS,
        keys: &[
            KeySpec {
                begin: BeginSearch::IndexOr(KEY as u8, first_key),
                ..KeySpec::at(0, MOVED)
            },
            KeySpec {
                begin: BeginSearch::Last("KEYS", -2, further_keys),
                find: FindKeys::Range {
                    last: -1,
                    step: 1,
                    limit: 0,
                },
                ..KeySpec::at(0, MOVED.and(KeyFlags::INCOMPLETE))
            },
        ],
        tips: &["nondeterministic_output"],
        history: &[
            ("3.0.0", "COPY and REPLACE were added."),
            ("3.0.6", "KEYS was added."),
            ("4.0.7", "AUTH was added."),
            ("6.0.0", "AUTH2 was added."),
        ],
        args: &[
            Arg::string("host"),
            Arg::integer("port"),
            Arg::one_of(
                "key-selector",
                &[Arg::key("key", 0), Arg::word("empty-string", "")],
            ),
            Arg::integer("destination-db"),
            Arg::integer("timeout"),
            Arg::word("copy", "COPY").since("3.0.0").optional(),
            Arg::word("replace", "REPLACE").since("3.0.0").optional(),
            Arg::one_of(
                "authentication",
                &[
                    Arg::string("auth")
                        .display("password")
                        .token("AUTH")
                        .since("4.0.7")
                        .secret(),
                    Arg::block("auth2", &[Arg::string("username"), Arg::string("password")])
                        .token("AUTH2")
                        .since("6.0.0")
                        .secret(),
                ],
            )
            .optional(),
            Arg::key("keys", 1)
                .display("key")
                .token("KEYS")
                .since("3.0.6")
                .optional()
                .multiple(),
        ],
        compat: Compat::Differs(
            "Others are served while keys are sent. A key that is changed meanwhile stays, and the \
             command answers an error that says so. If its client goes before it is answered, the \
             keys stay too. It does not run in a transaction or in a script. What is sent is \
             durable here before. If the target does not select the database, nothing is sent; \
             Redis fills database 0. Each connection serves one command and authenticates by \
             itself. A key that is named twice is sent once. At most 64 migrations wait at a time, \
             of about 512 MB together.",
        ),
        ..Spec::named("migrate")
    };
    type Parsed<'a> = Parsed<'a>;

    fn parse<'a>(args: &mut Args<'a>) -> Result<Self::Parsed<'a>, CmdError> {
        let request = args.whole();
        let (host, port) = (args.required()?, args.required()?);
        let key = args.take(1)?;
        let (database, timeout) = (args.required()?, args.required()?);
        let mut parsed = Parsed {
            request,
            host,
            port: parse_i64(port).and_then(|port| u16::try_from(port).ok()),
            keys: key,
            database: 0,
            timeout_ms: TIMEOUT_MS,
            copy: false,
            replace: false,
            credentials: None,
        };
        while args.left() > 0 {
            if args.keyword("COPY") {
                parsed.copy = true;
            } else if args.keyword("REPLACE") {
                parsed.replace = true;
            } else if args.keyword_with_value("AUTH") {
                parsed.credentials = Some((None, args.required()?));
            } else if args.left() >= 3 && args.keyword("AUTH2") {
                parsed.credentials = Some((Some(args.required()?), args.required()?));
            } else if args.keyword("KEYS") {
                if key.get(0).is_some_and(|key| !key.is_empty()) {
                    return Err(CmdError::Migration(MigrationError::KeyBesideKeys));
                }
                parsed.keys = args.rest();
            } else {
                return Err(CmdError::Syntax);
            }
        }
        let timeout_ms = parse_i64(timeout).ok_or(CmdError::NotAnInteger)?;
        let timeout_ms = u64::try_from(timeout_ms).ok().filter(|ms| *ms > 0);
        parsed.timeout_ms = timeout_ms.unwrap_or(TIMEOUT_MS);
        parsed.database = parse_i64(database).ok_or(CmdError::NotAnInteger)?;
        Ok(parsed)
    }

    fn execute(cmd: Self::Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
        match ctx.mode {
            Mode::Alone => begin(&cmd, ctx),
            Mode::Resumed => match ctx.server.migrations.take_ended(ctx.session.id) {
                Some(ended) => finish(&cmd, ended, ctx),
                None => Ok(wait(&cmd, ctx)),
            },
            Mode::Transaction => Err(CmdError::NotInTransaction),
            Mode::Called | Mode::Replay => Err(CmdError::NotFromScript),
        }
    }
}

pub(super) struct Parsed<'a> {
    request: Argv<'a>,
    host: &'a [u8],
    port: Option<u16>,
    keys: Argv<'a>,
    database: i64,
    timeout_ms: u64,
    copy: bool,
    replace: bool,
    credentials: Option<(Option<&'a [u8]>, &'a [u8])>,
}

/// Leaves the keys that are there to the shell.
fn begin(cmd: &Parsed<'_>, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
    let now_at = ctx.store.log().last();
    let (mut named, mut items) = (BTreeSet::new(), Vec::new());
    for name in cmd.keys.iter().filter(|name| named.insert(*name)) {
        if let Some(record) = ctx.store.reading().record(name) {
            let (value, expires_at) = (record.value().clone(), record.expires_at());
            items.push(Item::new(ctx.store.key(name), value, expires_at));
        }
    }
    if items.is_empty() {
        ctx.reply.simple("NOKEY");
        return Ok(Flow::Done);
    }
    let port = cmd.port.ok_or(MigrationError::NoAddress)?;
    let credentials = cmd.credentials.map(|(user, password)| Credentials {
        user: user.map(<[u8]>::to_vec),
        password: password.to_vec(),
    });
    let target = Target {
        host: cmd.host.to_vec(),
        port,
        database: cmd.database,
        timeout_ms: cmd.timeout_ms,
        credentials,
        replace: cmd.replace,
    };
    let migrations = &mut ctx.server.migrations;
    let transfer = migrations.begin(ctx.session.id, target, items, now_at)?;
    ctx.server.orders.push(Order::Migrate(Arc::new(transfer)));
    Ok(wait(cmd, ctx))
}

fn wait(cmd: &Parsed<'_>, ctx: &mut Ctx<'_>) -> Flow {
    ctx.wait = Some(Wait {
        request: cmd.request.to_owned(),
        ..Wait::for_shell(ctx.store.database, "")
    });
    Flow::Block
}

/// Deletes what the target has and nobody has changed since.
fn finish(cmd: &Parsed<'_>, ended: Ended, ctx: &mut Ctx<'_>) -> Result<Flow, CmdError> {
    let mut changed = 0;
    let taken = ended.taken.iter().filter(|_| !cmd.copy);
    for (key, expires_at) in taken {
        let is_unchanged = ended.unchanged_since.and_then(|since| {
            let found = ctx.store.is_unchanged_since(key, since);
            // A key whose time came would have gone there too.
            let is_over = expires_at.is_some_and(|at| at <= ctx.now.unix());
            found.or(is_over.then_some(true))
        });
        if is_unchanged != Some(true) {
            changed += 1;
        } else if ctx.store.exists_in(ctx.store.database, key) {
            ctx.store
                .apply(&Effect::on(key, KeyChange::Delete), event::DEL);
        }
    }
    match ended.failure {
        Some(failure) => Err(failure),
        None if changed > 0 => Err(CmdError::Migration(MigrationError::Changed(changed))),
        None => {
            ctx.reply.ok();
            Ok(Flow::Done)
        }
    }
}

/// The position of the keyword before several keys, if there is one with a key behind it.
fn keys_word(argv: Argv<'_>) -> Option<usize> {
    let mut position = OPTIONS;
    while position + 1 < argv.len() {
        let word = argv.get(position)?;
        let is = |text: &str| word.eq_ignore_ascii_case(text.as_bytes());
        position += match () {
            () if is("KEYS") => return Some(position),
            () if is("AUTH") => 2,
            () if is("AUTH2") => 3,
            () => 1,
        };
    }
    None
}

/// Where the first key is; nowhere if it is said in both ways.
fn first_key(argv: Argv<'_>) -> Option<usize> {
    match keys_word(argv) {
        None => Some(KEY),
        Some(word) if argv.get(KEY)?.is_empty() => Some(word + 1),
        Some(_) => None,
    }
}

/// Where the others are.
fn further_keys(argv: Argv<'_>) -> Option<usize> {
    let second = keys_word(argv)? + 2;
    let is_there = second < argv.len() && argv.get(KEY)?.is_empty();
    is_there.then_some(second)
}

#[cfg(test)]
mod tests {
    use engine::table::keys_of;
    use resp::ArgvBuf;

    use super::*;

    fn keys(request: &str) -> Option<Vec<String>> {
        let request: ArgvBuf = request.split(' ').map(|it| it.trim_matches('\'')).collect();
        let found = keys_of(&Migrate::SPEC, request.as_argv());
        let text = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
        found
            .map(|key| key.ok().map(|found| text(found.key)))
            .collect()
    }

    #[test]
    fn keys_are_those_that_the_request_moves() {
        for (request, expected) in [
            ("k 0 1", &["k"][..]),
            ("'' 0 1 KEYS a", &["a"]),
            ("'' 0 1 COPY KEYS a b c", &["a", "b", "c"]),
            ("'' 0 1 AUTH KEYS KEYS a b", &["a", "b"]),
            ("'' 0 1 AUTH2 KEYS KEYS COPY keys KEYS", &["KEYS"]),
            ("'' 0 1 KEYS", &[""]),
            ("'' 0 1", &[""]),
            ("k 0 1 COPY KEYS", &["k"]),
        ] {
            let found = keys(&format!("MIGRATE h 1 {request}"));
            let expected: Vec<String> = expected.iter().map(|key| (*key).to_owned()).collect();
            assert_eq!(found, Some(expected), "{request}");
        }
        assert_eq!(keys("MIGRATE h 1 k 0 1 KEYS a b"), None);
    }
}
